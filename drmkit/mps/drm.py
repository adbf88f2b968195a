"""DRM of adaptive-bitrate tasks: one class for each kind, and one table of what goes with what.

    protection = drm.WidevinePlayReady(resource_id="movie-1", key_source="drmtoday:prod", iv=secrets.token_bytes(16))
    protection.info()      # the DrmInfo of the request

Source of the table: the documentation of DrmInfo, https://www.tencentcloud.com/document/product/1041/33690.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from drmkit.errors import JobError
from drmkit.mps.findings import nearest
from drmkit.mps.keysource import KeySource
from drmkit.mps.models.streaming import DrmInfo, SimpleAesDrm, SpekeDrm
from drmkit.mps.wire import AbstractMeta
from drmkit.secret import Secret

__all__ = [
    "KINDS",
    "PRESETS",
    "VENDORS",
    "FairPlay",
    "Kind",
    "PlayReady",
    "PlayReadyFairPlay",
    "Protection",
    "SimpleAes",
    "SpekeProtection",
    "Vendor",
    "Widevine",
    "WidevineFairPlay",
    "WidevinePlayReady",
    "WidevinePlayReadyFairPlay",
    "normalize",
    "protection",
    "vendor_of",
]

HLS, DASH = "HLS", "MPEG-DASH"
PRESETS = ("preset0", "preset1")
_SYSTEMS = ("widevine", "playready", "fairplay")
_HEX32 = re.compile(r"[0-9A-Fa-f]{32}")
_MP4_SLICES = ("mp4-segment", "mp4-mp4-segment")
_MP4_RANGES = ("mp4-byterange", "mp4-mp4-byterange")
_AES_SLICES = (
    "ts-segment",
    "ts-ts-segment",
    "ts-packed-audio",
    "mp4-segment",
    "mp4-mp4-segment",
    "mp4-packed-audio",
)


class Kind(msgspec.Struct, frozen=True):
    """One row of the table: a value of `DrmInfo.Type` and what it goes with.

    Attributes:
        type: the value.
        methods: the values of `EncryptionMethod`, the default first; none for `simpleaes`.
        segment_types: the template's `SegmentType` values that fit, by the template's `Format`.
        element: the object of DrmInfo that the kind needs.
    """

    type: str
    methods: tuple[str, ...]
    segment_types: Mapping[str, tuple[str, ...]]
    element: str = "SpekeDrm"

    @property
    def systems(self) -> tuple[str, ...]:
        """The DRM systems of the kind, in the order of its name; none for `simpleaes`."""
        return tuple(name for name in self.type.split("+") if name in _SYSTEMS)

    @property
    def formats(self) -> tuple[str, ...]:
        """The manifest formats that fit: `HLS`, `MPEG-DASH`."""
        return tuple(self.segment_types)

    @property
    def default_method(self) -> str | None:
        """The method that MPS takes where none is given."""
        return self.methods[0] if self.methods else None


_HLS_MP4: Mapping[str, tuple[str, ...]] = {HLS: _MP4_SLICES + _MP4_RANGES}
_HLS_AND_DASH: Mapping[str, tuple[str, ...]] = {**_HLS_MP4, DASH: _MP4_RANGES}
_CENC_FIRST, _CBCS_ONLY = ("cenc", "cbcs"), ("cbcs",)

KINDS: dict[str, Kind] = {
    kind.type: kind
    for kind in (
        Kind("simpleaes", (), {HLS: _AES_SLICES}, "SimpleAesDrm"),
        Kind("widevine", _CENC_FIRST, _HLS_AND_DASH),
        Kind("playready", _CENC_FIRST, _HLS_AND_DASH),
        Kind("fairplay", _CBCS_ONLY, _HLS_MP4),
        Kind("widevine+playready", _CENC_FIRST, _HLS_AND_DASH),
        Kind("widevine+fairplay", _CBCS_ONLY, _HLS_MP4),
        Kind("playready+fairplay", _CBCS_ONLY, _HLS_MP4),
        Kind("widevine+playready+fairplay", _CBCS_ONLY, _HLS_MP4),
    )
}
"""What goes with what, by `DrmInfo.Type`."""


class Vendor(msgspec.Struct, frozen=True):
    """What a key-server vendor allows less of than MPS does.

    Attributes:
        name: the vendor.
        scheme: the key-source name that stands for it.
        domains: the domains of its key servers.
        max_streams: substreams with a key each (`preset1`).
        resource_id: the pattern of its resource IDs.
    """

    name: str
    scheme: str
    domains: tuple[str, ...]
    max_streams: int | None = None
    resource_id: str = r"[A-Za-z0-9_-]{1,128}"


VENDORS = (
    Vendor("DRMtoday", "drmtoday", ("drmtoday.com",), max_streams=9),
    Vendor("DoveRunner (PallyCon)", "pallycon", ("pallycon.com", "doverunner.com"), max_streams=5),
    Vendor("SDMC", "sdmc", ("multidrm.tv",), resource_id=r"[A-Za-z0-9-]{1,128}"),
)


def vendor_of(source: KeySource) -> Vendor | None:
    """Return the vendor whose key server a source names, or None for one that is not known here."""
    for vendor in VENDORS:
        if source.is_name and source.scheme == vendor.scheme:
            return vendor
        if any(source.host == domain or source.host.endswith(f".{domain}") for domain in vendor.domains):
            return vendor
    return None


def normalize(name: str) -> str:
    """Return a DRM type as the API spells it: `FairPlay + Widevine` is `widevine+fairplay`.

    Raises:
        JobError: no such type.
    """
    parts = [part.strip().lower() for part in re.split(r"[+,]", name)]
    text = "+".join(sorted(parts, key=lambda part: _SYSTEMS.index(part) if part in _SYSTEMS else -1))
    if text not in KINDS:
        close = nearest(text, KINDS)
        hint = f"did you mean {close}? " if close else ""
        raise JobError(f"{name!r} is no DRM type of MPS", hint=f"{hint}the types are {', '.join(KINDS)}")
    return text


def hex32(value: Any, what: str) -> str:
    """Return 16 bytes as 32 lower-case hexadecimal digits.

    Args:
        value: 32 hexadecimal digits, 16 bytes, or an object whose `hex` is such digits (KeyId, UUID).
        what: the name of the value, for the error; the value itself is never shown.

    Raises:
        JobError: anything else.
    """
    if isinstance(value, Secret):
        value = value.reveal()
    if isinstance(value, bytes | bytearray):
        value = bytes(value).hex()
    elif not isinstance(value, str):
        value = getattr(value, "hex", None)
    if not isinstance(value, str) or not _HEX32.fullmatch(value):
        raise JobError(
            f"{what} is not 16 bytes in 32 hexadecimal digits",
            hint="the documentation's '32-byte string' means 32 hexadecimal characters, without dashes",
        )
    return value.lower()


class Protection(msgspec.Struct, frozen=True, kw_only=True, metaclass=AbstractMeta):
    """How one adaptive-bitrate task is encrypted; see the subclasses."""

    type: ClassVar[str]

    @abstractmethod
    def info(self) -> DrmInfo:
        """Return the DrmInfo of the request."""

    @property
    def kind(self) -> Kind:
        """The row of the table."""
        return KINDS[self.type]


class SimpleAes(Protection, frozen=True, kw_only=True):
    """HLS AES-128 with a key of your own.

    Attributes:
        uri: where players fetch the key; it stands in the playlist.
        key: the 16 bytes, as a Secret of 32 hexadecimal digits or of bytes.
        iv: the initialization vector, 16 bytes; None leaves it to the player's rule (the segment's number).
    """

    type: ClassVar[str] = "simpleaes"
    uri: str
    key: Secret[str] | Secret[bytes]
    iv: Any = None

    def info(self) -> DrmInfo:
        """Return the DrmInfo of the request."""
        vector = None if self.iv is None else hex32(self.iv, "the initialization vector")
        key = self.key.reveal()
        text = key if isinstance(key, str) and key.startswith("file:") else hex32(key, "the AES key")
        return DrmInfo(type=self.type, simple_aes_drm=SimpleAesDrm(uri=self.uri, key=Secret(text), vector=vector))


class SpekeProtection(Protection, frozen=True, kw_only=True):
    """Keys from a key server.

    Attributes:
        resource_id: the vendor's content ID: 1-128 letters, digits, `_` and `-`.
        key_source: a name such as `drmtoday:PROFILE`, or a URL.
        iv: the initialization vector: 16 bytes, as 32 hexadecimal digits, bytes or an object with `hex`.
        method: `cenc` or `cbcs`; None leaves it to the default of the kind.
        preset: `preset0` (one key for all substreams) or `preset1` (a key each); None is `preset0`.
    """

    resource_id: str
    key_source: KeySource | str
    iv: Any
    method: str | None = None
    preset: str | None = None

    def info(self) -> DrmInfo:
        """Return the DrmInfo of the request."""
        source = self.key_source if isinstance(self.key_source, KeySource) else KeySource(self.key_source)
        return DrmInfo(
            type=self.type,
            speke_drm=SpekeDrm(
                resource_id=self.resource_id,
                key_server_url=source,
                vector=hex32(self.iv, "the initialization vector"),
                encryption_method=self.method,
                encryption_preset=self.preset,
            ),
        )


class Widevine(SpekeProtection, frozen=True, kw_only=True):
    """Widevine alone; `cenc` unless told."""

    type: ClassVar[str] = "widevine"


class PlayReady(SpekeProtection, frozen=True, kw_only=True):
    """PlayReady alone; `cenc` unless told."""

    type: ClassVar[str] = "playready"


class FairPlay(SpekeProtection, frozen=True, kw_only=True):
    """FairPlay alone: HLS, `cbcs`."""

    type: ClassVar[str] = "fairplay"


class WidevinePlayReady(SpekeProtection, frozen=True, kw_only=True):
    """Widevine and PlayReady on one set of segments; `cenc` unless told."""

    type: ClassVar[str] = "widevine+playready"


class WidevineFairPlay(SpekeProtection, frozen=True, kw_only=True):
    """Widevine and FairPlay on one set of segments: HLS, `cbcs`."""

    type: ClassVar[str] = "widevine+fairplay"


class PlayReadyFairPlay(SpekeProtection, frozen=True, kw_only=True):
    """PlayReady and FairPlay on one set of segments: HLS, `cbcs`."""

    type: ClassVar[str] = "playready+fairplay"


class WidevinePlayReadyFairPlay(SpekeProtection, frozen=True, kw_only=True):
    """All three systems on one set of segments: HLS, `cbcs`."""

    type: ClassVar[str] = "widevine+playready+fairplay"


_CLASSES: Sequence[type[SpekeProtection]] = (
    Widevine,
    PlayReady,
    FairPlay,
    WidevinePlayReady,
    WidevineFairPlay,
    PlayReadyFairPlay,
    WidevinePlayReadyFairPlay,
)


def protection(name: str) -> type[SpekeProtection]:
    """Return the class for a DRM type that uses a key server, in any order and case.

    Raises:
        JobError: no such type, or `simpleaes`, which uses no key server.
    """
    wanted = normalize(name)
    for kind in _CLASSES:
        if kind.type == wanted:
            return kind
    raise JobError("simpleaes uses no key server", hint="make a SimpleAes, with a key of your own")
