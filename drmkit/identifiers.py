"""The identifiers of the field: key IDs, and the DRM systems with their registered system IDs."""

from __future__ import annotations

import base64
import binascii
import enum
import re
from functools import total_ordering
from uuid import UUID

from drmkit.errors import IdentifierError

__all__ = ["DrmSystem", "KeyId", "system_name"]

_LENGTH = 16
_LONGEST_SHOWN = 36
_HEX = re.compile(r"[0-9A-Fa-f]{32}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")


@total_ordering
class KeyId:
    """A key ID (KID): 16 bytes, with one explicit constructor for each written form and no guessing.

    Equal, ordered and hashed by its bytes, so upper and lower case are the same key ID. `str()` is the lower-case
    UUID form of CPIX (ISO/IEC 23001-7, clause 11.2).
    """

    __slots__ = ("raw",)
    raw: bytes

    def __init__(self, value: bytes) -> None:
        if not isinstance(value, bytes) or len(value) != _LENGTH:
            size = len(value) if isinstance(value, bytes) else type(value).__name__
            raise IdentifierError(
                f"a key ID is 16 bytes, not {size}",
                hint="use KeyId.from_hex, from_uuid or from_base64 for a written form",
            )
        object.__setattr__(self, "raw", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a KeyId does not change ({name})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a KeyId does not change ({name})")

    @classmethod
    def from_bytes(cls, value: bytes) -> KeyId:
        """Make a key ID from its 16 bytes, in network order."""
        return cls(value)

    @classmethod
    def from_hex(cls, text: str) -> KeyId:
        """Make a key ID from exactly 32 hexadecimal digits without dashes."""
        if not _HEX.fullmatch(text):
            raise IdentifierError(f"a key ID in hexadecimal is 32 digits without dashes, not {_clip(text)}")
        return cls(bytes.fromhex(text))

    @classmethod
    def from_uuid(cls, value: str | UUID) -> KeyId:
        """Make a key ID from a UUID, or from its 8-4-4-4-12 text in either case."""
        if isinstance(value, UUID):
            return cls(value.bytes)
        if not _UUID.fullmatch(value):
            raise IdentifierError(f"a key ID as a UUID is 8-4-4-4-12 hexadecimal digits, not {_clip(value)}")
        return cls(bytes.fromhex(value.replace("-", "")))

    @classmethod
    def from_base64(cls, text: str) -> KeyId:
        """Make a key ID from the standard base64 of its 16 bytes."""
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise IdentifierError(
                f"a key ID in base64 is 24 characters of the standard alphabet, not {_clip(text)}"
            ) from None
        return cls(raw)

    @classmethod
    def from_guid_le(cls, value: bytes) -> KeyId:
        """Make a key ID from the 16 bytes of a Microsoft GUID (first three fields little-endian), as in PlayReady."""
        cls(value)
        return cls(UUID(bytes_le=value).bytes)

    @property
    def hex(self) -> str:
        """The 32 lower-case hexadecimal digits."""
        return self.raw.hex()

    @property
    def uuid(self) -> str:
        """The lower-case 8-4-4-4-12 form."""
        digits = self.raw.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    @property
    def base64(self) -> str:
        """The standard base64 of the 16 bytes."""
        return base64.b64encode(self.raw).decode("ascii")

    @property
    def guid_le(self) -> bytes:
        """The 16 bytes in Microsoft GUID order (first three fields little-endian), as in PlayReady."""
        return UUID(bytes=self.raw).bytes_le

    def __str__(self) -> str:
        return self.uuid

    def __repr__(self) -> str:
        return f"KeyId('{self.uuid}')"

    def __eq__(self, other: object) -> bool:
        return self.raw == other.raw if isinstance(other, KeyId) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.raw < other.raw if isinstance(other, KeyId) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.raw)

    def __reduce__(self) -> tuple[type[KeyId], tuple[bytes]]:
        return KeyId, (self.raw,)


class DrmSystem(enum.Enum):
    """The DRM systems that drmkit knows by name; the value is the registered system ID (DASH-IF, "Protection")."""

    WIDEVINE = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
    PLAYREADY = "9a04f079-9840-4286-ab92-e65be0885f95"
    FAIRPLAY = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2"
    COMMON = "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"
    CLEARKEY_DASH = "e2719d58-a985-b3c9-781a-b030af78d30e"
    CLEARKEY_AES128 = "3ea8778f-7742-4bf9-b18b-e834b2acbd47"
    CLEARKEY_SAMPLE_AES = "be58615b-19c4-4684-88b3-c8c57e99e957"
    MARLIN = "5e629af5-38da-4063-8977-97ffbd9902d4"
    PRIMETIME = "f239e769-efa3-4850-9c16-a903c6932efb"
    VERIMATRIX = "9a27dd82-fde2-4725-8cbc-4234aa06ec09"
    NAGRA = "adb41c24-2dbf-4a6d-958b-4457c0d27b95"
    IRDETO = "80a6be7e-1448-4c37-9e70-d5aebe04c8d2"
    WISEPLAY = "3d5e6d35-9b9a-41e8-b843-dd3c6e72c42c"

    @property
    def system_id(self) -> str:
        """The system ID as a lower-case UUID."""
        return self.value

    @property
    def system_id_bytes(self) -> bytes:
        """The system ID as 16 bytes, as a PSSH box holds it."""
        return bytes.fromhex(self.value.replace("-", ""))

    @property
    def label(self) -> str:
        """The name that people use."""
        return _LABELS[self]

    @classmethod
    def find(cls, system_id: str | bytes) -> DrmSystem | None:
        """Return the system with this ID (UUID text in either case, or 16 bytes), or None for one not known here."""
        if isinstance(system_id, str):
            return _BY_ID.get(system_id.lower())
        return _BY_ID.get(str(UUID(bytes=system_id))) if len(system_id) == _LENGTH else None


_LABELS = {
    DrmSystem.WIDEVINE: "Widevine",
    DrmSystem.PLAYREADY: "PlayReady",
    DrmSystem.FAIRPLAY: "FairPlay",
    DrmSystem.COMMON: "W3C Common",
    DrmSystem.CLEARKEY_DASH: "ClearKey (DASH-IF)",
    DrmSystem.CLEARKEY_AES128: "AES-128 clear key",
    DrmSystem.CLEARKEY_SAMPLE_AES: "SAMPLE-AES clear key",
    DrmSystem.MARLIN: "Marlin",
    DrmSystem.PRIMETIME: "Adobe Primetime",
    DrmSystem.VERIMATRIX: "Verimatrix",
    DrmSystem.NAGRA: "Nagra",
    DrmSystem.IRDETO: "Irdeto",
    DrmSystem.WISEPLAY: "WisePlay",
}
_BY_ID = {system.value: system for system in DrmSystem}


def system_name(system_id: str) -> str:
    """Return the name that people use for a system ID (UUID text), or the ID itself where none is known."""
    system = DrmSystem.find(system_id)
    return system.label if system else system_id.lower()


def _clip(text: str) -> str:
    """Show what was given, but never so much of it that the key of a `KID:KEY` pair would stand in a message."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...")
