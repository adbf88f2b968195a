"""PlayReady headers (WRMHEADER) of versions 4.0.0.0 to 4.3.0.0, read and written.

Microsoft, "PlayReady Header Specification", sections 3 and 5:
https://learn.microsoft.com/en-us/playready/specifications/playready-header-specification
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from lxml import etree

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import encodings, xml

__all__ = ["NAMESPACE", "VERSIONS", "HeaderKey", "WrmHeader", "checksum"]

NAMESPACE = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"
VERSIONS = ("4.0.0.0", "4.1.0.0", "4.2.0.0", "4.3.0.0")
ALGORITHMS = ("AESCTR", "AESCBC", "COCKTAIL")
_V40, _V41, _V42, _V43 = VERSIONS
_KEY_SIZE = 16
_CHECKSUM_SIZE = {"AESCTR": 8, "COCKTAIL": 7}
_COCKTAIL_BUFFER = 21
_COCKTAIL_ROUNDS = 5
_KEY_LENGTH = {"AESCTR": "16", "COCKTAIL": "7"}


def checksum(kid: KeyId, key: bytes | Secret[bytes], algorithm: str = "AESCTR") -> bytes:
    """Return the key checksum of a PlayReady header (section 5).

    Args:
        kid: the key ID; used in GUID byte order.
        key: the content key, 16 bytes for AESCTR, at most 21 for COCKTAIL.
        algorithm: AESCTR (8 bytes of checksum) or COCKTAIL (7 bytes).

    Raises:
        SignalingError: the key has a wrong length, or the algorithm has no checksum.
    """
    raw = key.reveal() if isinstance(key, Secret) else key
    if algorithm == "AESCTR":
        if len(raw) != _KEY_SIZE:
            raise SignalingError(f"the content key of {kid} has {len(raw)} bytes; a checksum needs {_KEY_SIZE}")
        # One block under a fresh key: ECB is what the specification prescribes.
        encryptor = Cipher(AES(raw), ECB()).encryptor()  # noqa: S305  # section 5 of the specification
        block = encryptor.update(kid.guid_le) + encryptor.finalize()
    elif algorithm == "COCKTAIL":
        if len(raw) > _COCKTAIL_BUFFER:
            raise SignalingError(f"the content key of {kid} has {len(raw)} bytes; COCKTAIL takes at most 21")
        block = raw.ljust(_COCKTAIL_BUFFER, b"\0")
        for _ in range(_COCKTAIL_ROUNDS):
            block = hashlib.sha1(block).digest()  # noqa: S324  # section 5 of the specification
    else:
        raise SignalingError(f"PlayReady defines no key checksum for {algorithm}", hint="leave the checksum out")
    return block[: _CHECKSUM_SIZE[algorithm]]


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """One key of a PlayReady header.

    Args:
        kid: the key ID.
        algorithm: AESCTR, AESCBC or COCKTAIL; None where a 4.3.0.0 header leaves it open.
        checksum: the key checksum, or None.
    """

    kid: KeyId
    algorithm: str | None = "AESCTR"
    checksum: bytes | None = None

    def matches(self, key: bytes | Secret[bytes]) -> bool:
        """Say whether the checksum is that of `key`.

        Raises:
            SignalingError: there is no checksum to compare with.
        """
        if self.checksum is None:
            raise SignalingError(f"the PlayReady header has no checksum for {self.kid}")
        return hmac.compare_digest(self.checksum, checksum(self.kid, key, self.algorithm or "AESCTR"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrmHeader:
    """A PlayReady header.

    Args:
        keys: the keys, in their order.
        version: 4.0.0.0 to 4.3.0.0; "" takes the lowest that can hold the rest (section 3.1).
        la_url: the license acquisition URL, absolute.
        lui_url: the URL of the non-silent license acquisition page, absolute.
        ds_id: the domain service's ID.
        custom_attributes: the XML inside `CUSTOMATTRIBUTES`.
        on_demand: ask for `DECRYPTORSETUP` = ONDEMAND, for licenses that come later (4.1.0.0 and later).
        license_requested: the `LICENSEREQUESTED` attribute of `PROTECTINFO`, or None.

    A header that contradicts its version can be held, since such headers are read in the wild; `problems` lists the
    contradictions, and `to_xml` refuses to write them.
    """

    keys: tuple[HeaderKey, ...] = ()
    version: str = ""
    la_url: str | None = None
    lui_url: str | None = None
    ds_id: UUID | None = None
    custom_attributes: str | None = None
    on_demand: bool = False
    license_requested: bool | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(self.keys))
        if not self.version:
            object.__setattr__(self, "version", _lowest_version(self))

    @property
    def key_ids(self) -> tuple[KeyId, ...]:
        """The key IDs, in their order."""
        return tuple(key.kid for key in self.keys)

    @property
    def problems(self) -> tuple[str, ...]:
        """What the specification does not allow in this header, in sentences; empty where all is well."""
        return tuple(problem for problem, _ in _problems(self))

    def to_xml(self) -> str:
        """Return the header as Canonical XML on one line, as clients of every version read it (section 3.2).

        Raises:
            SignalingError: the version cannot hold what is asked for, or a value is not allowed.
        """
        problem = next(_problems(self), None)
        if problem:
            raise SignalingError(f"PlayReady header {self.version}: {problem[0]}", hint=problem[1])
        return (
            f'<WRMHEADER xmlns="{NAMESPACE}"{xml.attribute("version", self.version)}>'
            f"<DATA>{self._protect_info()}{''.join(self._rest())}</DATA></WRMHEADER>"
        )

    def _protect_info(self) -> str:
        asked = "" if self.license_requested is None else str(self.license_requested).lower()
        opening = f"<PROTECTINFO{xml.attribute('LICENSEREQUESTED', asked) if asked else ''}>"
        if self.version == _V40:
            key = self.keys[0]
            algorithm = key.algorithm or ""
            head = f"{opening}<KEYLEN>{_KEY_LENGTH[algorithm]}</KEYLEN><ALGID>{algorithm}</ALGID></PROTECTINFO>"
            tail = f"<CHECKSUM>{encodings.to_base64(key.checksum)}</CHECKSUM>" if key.checksum else ""
            return f"{head}<KID>{encodings.to_base64(key.kid.guid_le)}</KID>{tail}"
        keys = "".join(_key_element(key) for key in self.keys)
        if self.version != _V41 and keys:
            keys = f"<KIDS>{keys}</KIDS>"
        return f"{opening}{keys}</PROTECTINFO>"

    def _rest(self) -> Iterator[str]:
        for name, text in (("LA_URL", self.la_url), ("LUI_URL", self.lui_url)):
            if text is not None:
                yield f"<{name}>{xml.escape(text)}</{name}>"
        if self.ds_id is not None:
            yield f"<DS_ID>{encodings.to_base64(self.ds_id.bytes_le)}</DS_ID>"
        if self.custom_attributes is not None:
            inner = xml.inner_xml(_custom(self.custom_attributes))
            yield f'<CUSTOMATTRIBUTES xmlns="">{inner}</CUSTOMATTRIBUTES>'
        if self.on_demand:
            yield "<DECRYPTORSETUP>ONDEMAND</DECRYPTORSETUP>"


def _key_element(key: HeaderKey) -> str:
    algorithm = xml.attribute("ALGID", key.algorithm) if key.algorithm else ""
    check = xml.attribute("CHECKSUM", encodings.to_base64(key.checksum)) if key.checksum else ""
    return f"<KID{algorithm}{check}{xml.attribute('VALUE', encodings.to_base64(key.kid.guid_le))}></KID>"


def _lowest_version(header: WrmHeader) -> str:
    if any(key.algorithm in {"AESCBC", None} for key in header.keys):
        return _V43
    if len(header.keys) > 1:
        return _V42
    return _V41 if header.on_demand or not header.keys else _V40


def _problems(header: WrmHeader) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, what to do)."""
    version = header.version
    if version not in VERSIONS:
        yield "the version is unknown", f"versions {', '.join(VERSIONS)} exist"
    if version in {_V40, _V41} and len(header.keys) > 1:
        yield f"{len(header.keys)} key IDs do not fit in", "use 4.2.0.0 or 4.3.0.0 for several key IDs"
    if version == _V40 and not header.keys:
        yield "a key ID is required", "use 4.1.0.0 or later for a header without key IDs"
    if version == _V40 and header.on_demand:
        yield "DECRYPTORSETUP came with 4.1.0.0", "use 4.1.0.0 or later"
    yield from _key_problems(header)
    for name, url in (("LA_URL", header.la_url), ("LUI_URL", header.lui_url)):
        if url is not None and not _is_absolute(url):
            yield f"{name} {url!r} is not an absolute URL", "start it with https://"
    if header.custom_attributes is not None:
        yield from _custom_problems(header.custom_attributes)


def _key_problems(header: WrmHeader) -> Iterator[tuple[str, str]]:
    used = {key.algorithm for key in header.keys}
    if len(used) > 1:
        yield "the keys name different algorithms", "one header has one algorithm"
    for algorithm in used - set(ALGORITHMS) - {None}:
        yield f"the algorithm {algorithm!r} is unknown", f"use one of {', '.join(ALGORITHMS)}"
    if header.version != _V43 and used & {"AESCBC", None}:
        yield "AESCBC, or no algorithm at all, came with 4.3.0.0", "use 4.3.0.0, or an AES-CTR scheme"
    for key in header.keys:
        if key.checksum is not None and len(key.checksum) != _CHECKSUM_SIZE.get(key.algorithm or "AESCTR"):
            yield (
                f"the checksum of {key.kid} has {len(key.checksum)} bytes",
                "8 bytes for AESCTR, 7 for COCKTAIL, none for AESCBC",
            )


def _custom_problems(content: str) -> Iterator[tuple[str, str]]:
    try:
        root = _custom(content)
    except SignalingError as error:
        yield error.message, "pass well-formed XML, with its namespaces declared"
        return
    try:
        xml.inner_xml(root)
    except SignalingError as error:
        yield error.message, error.hint or ""
    if not len(root) and not xml.text_of(root).strip():
        yield "CUSTOMATTRIBUTES is empty", "leave it out"


def _custom(content: str) -> etree._Element:
    return xml.parse(f"<CUSTOMATTRIBUTES>{content}</CUSTOMATTRIBUTES>", "CUSTOMATTRIBUTES")


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
