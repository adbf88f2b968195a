"""Widevine's PSSH data: key IDs, provider, content ID, policy, crypto period and protection scheme.

The message is the public `WidevinePsshData` of Shaka Packager (packager/media/base/widevine_pssh_data.proto).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import protobuf
from drmkit.signaling.protobuf import Field
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import fourcc, scheme_of_fourcc

__all__ = ["WidevineData", "pssh_box"]

_KEY_IDS = 2
_MAX_32 = 0xFFFFFFFF
_NUMBERS = {1: "algorithm", 7: "crypto_period_index", 9: "protection_scheme", 10: "crypto_period_seconds"}
_TEXTS = {3: "provider", 5: "track_type", 6: "policy"}
_OCTETS = {4: "content_id", 8: "grouped_license"}
_KNOWN = {**_NUMBERS, **_TEXTS, **_OCTETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class WidevineData:
    """The content of a Widevine PSSH box.

    Args:
        key_ids: the content's key IDs, in their order.
        algorithm: the deprecated algorithm number (0 clear, 1 AES-CTR), or None.
        provider: the content provider's name at the license service.
        content_id: the provider's own identifier of the content.
        track_type: the deprecated track type (SD, HD, AUDIO).
        policy: the name of a policy registered for the content.
        crypto_period_index: which key period this is, where keys rotate.
        grouped_license: the protected context of grouped content.
        protection_scheme: the scheme as a big-endian four-character code; see `scheme`.
        crypto_period_seconds: how long a key period lasts.
        unknown: every field that is not named here, as (number, whole field), in their order.
    """

    key_ids: tuple[KeyId, ...] = ()
    algorithm: int | None = None
    provider: str | None = None
    content_id: bytes | None = None
    track_type: str | None = None
    policy: str | None = None
    crypto_period_index: int | None = None
    grouped_license: bytes | None = None
    protection_scheme: int | None = None
    crypto_period_seconds: int | None = None
    unknown: tuple[tuple[int, bytes], ...] = ()

    def __post_init__(self) -> None:
        for name in _NUMBERS.values():
            value = getattr(self, name)
            if value is not None and not 0 <= value <= _MAX_32:
                raise SignalingError(f"Widevine {name} is an unsigned 32-bit number, not {value}")

    @property
    def scheme(self) -> str | None:
        """The protection scheme's name, or None where the data names none or one that does not exist."""
        return None if self.protection_scheme is None else scheme_of_fourcc(self.protection_scheme)

    @classmethod
    def parse(cls, data: bytes) -> WidevineData:
        """Parse the data of a Widevine PSSH box.

        Raises:
            SignalingError: the bytes are no such message; the message of the error says where.
        """
        values: dict[str, object] = {}
        key_ids: list[KeyId] = []
        unknown: list[tuple[int, bytes]] = []
        try:
            for field in protobuf.fields(data):
                if field.number == _KEY_IDS:
                    key_ids.append(_key_id(field))
                elif field.number in _KNOWN:
                    values[_KNOWN[field.number]] = _read(field)
                else:
                    unknown.append((field.number, field.raw))
        except SignalingError as error:
            raise SignalingError(f"Widevine data: {error.message}", hint=error.hint) from None
        return cls(key_ids=tuple(key_ids), unknown=tuple(unknown), **values)  # type: ignore[arg-type]  # by _KNOWN

    def to_bytes(self) -> bytes:
        """Return the message with its fields in ascending order, as Shaka Packager and Google's own code write it."""
        parts = [(_KEY_IDS, protobuf.encode_bytes(_KEY_IDS, kid.raw)) for kid in self.key_ids]
        parts += [(number, _write(number, getattr(self, name))) for number, name in _KNOWN.items()]
        return b"".join(part for _, part in sorted([*parts, *self.unknown], key=lambda item: item[0]))


def pssh_box(
    key_ids: Iterable[KeyId],
    scheme: str | None = "cenc",
    *,
    provider: str | None = None,
    content_id: bytes | None = None,
    policy: str | None = None,
    crypto_period_index: int | None = None,
    version: int = 0,
) -> PsshBox:
    """Return a Widevine PSSH box.

    Args:
        key_ids: the key IDs, in the order in which the box shall hold them.
        scheme: cenc, cens, cbc1 or cbcs; None leaves the scheme out.
        provider: the content provider's name at the license service.
        content_id: the provider's own identifier of the content.
        policy: the name of a policy registered for the content.
        crypto_period_index: which key period this is, where keys rotate.
        version: of the box; 1 lists the key IDs in the box as well.

    Raises:
        SignalingError: there is neither a key ID nor a content ID, or the scheme is unknown.
    """
    kids = tuple(key_ids)
    if not kids and content_id is None:
        raise SignalingError("a Widevine PSSH box names key IDs or a content ID", hint="pass at least one key ID")
    data = WidevineData(
        key_ids=kids,
        provider=provider,
        content_id=content_id,
        policy=policy,
        crypto_period_index=crypto_period_index,
        protection_scheme=None if scheme is None else fourcc(scheme),
    )
    return PsshBox(DrmSystem.WIDEVINE.system_id, version, kids if version else (), data.to_bytes())


def _key_id(field: Field) -> KeyId:
    try:
        return KeyId(field.octets("key_ids"))
    except IdentifierError as error:
        raise SignalingError(
            f"field {field.number} (key_ids) at byte {field.at}: {error.message}",
            hint="a key ID stands there as its 16 bytes, not as text",
        ) from None


def _read(field: Field) -> int | str | bytes:
    name = _KNOWN[field.number]
    if field.number in _NUMBERS:
        return field.integer(name)
    octets = field.octets(name)
    if field.number in _OCTETS:
        return octets
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise SignalingError(f"field {field.number} ({name}) at byte {field.at} is not UTF-8 text") from None


def _write(number: int, value: int | str | bytes | None) -> bytes:
    if value is None:
        return b""
    if isinstance(value, int):
        return protobuf.encode_varint(number, value)
    return protobuf.encode_bytes(number, value.encode("utf-8") if isinstance(value, str) else value)
