"""A document in words: its keys, the tracks that they are for, DRM systems, periods, recipients, signatures, history.

Reading is tolerant: where a value cannot be read, the overview says so in its place, so that a faulty document can be
looked at too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from lxml import etree

from drmkit.cpix.certificates import describe, load_certificate
from drmkit.cpix.delivery import Recipient, Signature
from drmkit.cpix.document import Document
from drmkit.cpix.entities import ContentKey, ContentKeyPeriod, DRMSystem
from drmkit.cpix.usage import MAX_UINT32, AudioFilter, BitrateFilter, UsageRule, VideoFilter
from drmkit.errors import CpixError
from drmkit.identifiers import system_name
from drmkit.secret import Secret

__all__ = ["KeyEntry", "Overview", "PeriodEntry", "SystemEntry", "TrackEntry", "overview", "rule_words"]

T = TypeVar("T")
UNREADABLE: Final = "unreadable"
_BRIEF: Final = 32
_SIZES: Final = {
    589_824: "1024x576",
    921_600: "1280x720",
    2_073_600: "1920x1080",
    8_294_400: "3840x2160",
    8_847_360: "4096x2160",
    33_177_600: "7680x4320",
}
_PARTS: Final = (
    ("PSSH", "PSSH"),
    ("ContentProtectionData", "MPD"),
    ("URIExtXKey", "key URI"),
    ("HLSSignalingData", "HLS"),
    ("SmoothStreamingProtectionHeaderData", "Smooth"),
    ("HDSSignalingData", "HDS"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A content key: what it is for and how it is protected; `state`: clear, encrypted, requested or unreadable."""

    kid: str
    state: str
    key: Secret[bytes] | None
    iv: str | None
    scheme: str | None
    tracks: tuple[str, ...]
    systems: tuple[str, ...]
    depends_on: str | None
    content_id: str | None
    hdcp: str | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackEntry:
    """A usage rule: the tracks that it means, in words, their key, and the ranges of pixels of its video filters."""

    name: str | None
    words: str
    periods: tuple[str, ...]
    kid: str
    line: int
    pixels: tuple[tuple[int, int], ...] = ()

    @property
    def short(self) -> str:
        """The name of the tracks, or what they are if that takes a few words only."""
        return self.name or (self.words if len(self.words) <= _BRIEF else f"rule in line {self.line}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEntry:
    """What the document has for one DRM system, over all keys.

    Args:
        name: the name of the system.
        system_id: its ID.
        keys: for how many content keys.
        parts: what the entries carry, each with the number of entries that have it.
        placeholders: what is asked for and still empty, likewise.
        details: robustness and allowed content protection configurations.
    """

    name: str
    system_id: str
    keys: int
    parts: tuple[tuple[str, int], ...]
    placeholders: tuple[tuple[str, int], ...]
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodEntry:
    """A key period: its ID, when it is, in words, and how many content keys are for it."""

    id: str
    words: str
    kids: tuple[str, ...]
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A whole document in words; `head` holds what the document says of itself."""

    head: tuple[tuple[str, str], ...]
    keys: tuple[KeyEntry, ...]
    tracks: tuple[TrackEntry, ...]
    systems: tuple[SystemEntry, ...]
    periods: tuple[PeriodEntry, ...]
    recipients: tuple[str, ...]
    signatures: tuple[str, ...]
    updates: tuple[str, ...]


def overview(document: Document) -> Overview:
    """Return a document in words."""
    tracks = tuple(_track(rule) for rule in document.usage_rules)
    names: dict[str, dict[str, None]] = {}
    periods: dict[str, dict[str, None]] = {}
    for track in tracks:
        names.setdefault(track.kid, {})[track.short] = None
        for period in track.periods:
            periods.setdefault(period, {})[track.kid] = None
    by_key: dict[str, dict[str, None]] = {}
    for system in document.drm_systems:
        by_key.setdefault(_kid(system.element), {})[_system_name(system)] = None
    keys = tuple(_key(key, tuple(names.get(_kid(key.element), ())), by_key) for key in document.content_keys)
    return Overview(
        head=_head(document),
        keys=keys,
        tracks=tracks,
        systems=_systems(document),
        periods=tuple(
            _period(period, tuple(periods.get((period.id or "").strip(), ()))) for period in document.periods
        ),
        recipients=tuple(_recipient(recipient) for recipient in document.recipients),
        signatures=tuple(_signature(signature) for signature in document.signatures),
        updates=tuple(_update(e) for e in document.update_history.elements()),
    )


def rule_words(rule: UsageRule) -> str:
    """Say which tracks a usage rule means; filters of one kind are joined by "or", kinds by "and"."""
    parts = [
        _either(read(lambda: [_video(item) for item in rule.video_filters])),
        _either(read(lambda: [_audio(item) for item in rule.audio_filters])),
        _either(read(lambda: [_bitrate(item) for item in rule.bitrate_filters])),
        _either([f"label {label!r}" for label in rule.labels]),
        _either([f"an unknown filter ({etree.QName(name).localname})" for name in rule.unknown_filters]),
    ]
    return " and ".join(part for part in parts if part) or "any track"


def read(get: Callable[[], list[str]]) -> list[str]:
    """Return what a property gives, or that it cannot be read."""
    try:
        return get()
    except CpixError:
        return [UNREADABLE]


def _attempt(get: Callable[[], T]) -> T | str:
    try:
        return get()
    except CpixError:
        return UNREADABLE


def _head(document: Document) -> tuple[tuple[str, str], ...]:
    fields = {"content ID": document.content_id, "name": document.name, "ID": document.id}
    return tuple((name, value) for name, value in fields.items() if value is not None)


def _kid(element: etree._Element) -> str:
    return (element.get("kid") or "").lower()


def _key(key: ContentKey, tracks: tuple[str, ...], by_key: dict[str, dict[str, None]]) -> KeyEntry:
    value = _attempt(lambda: key.key)
    iv = _attempt(lambda: key.iv)
    if isinstance(value, str):
        state = UNREADABLE
    elif value is not None:
        state = "clear"
    else:
        state = "encrypted" if key.is_encrypted else "requested"
    hdcp = key.hdcp
    return KeyEntry(
        kid=_kid(key.element),
        state=state,
        key=None if isinstance(value, str) else value,
        iv=iv.hex() if isinstance(iv, bytes) else iv,
        scheme=key.scheme,
        tracks=tracks,
        systems=tuple(by_key.get(_kid(key.element), ())),
        depends_on=(key.element.get("dependsOnKey") or "").lower() or None,
        content_id=key.content_id,
        hdcp=None if hdcp is None else hdcp.hls_level or "yes",
        line=key.line,
    )


def _track(rule: UsageRule) -> TrackEntry:
    return TrackEntry(
        name=rule.intended_track_type,
        words=rule_words(rule),
        periods=rule.period_ids,
        kid=_kid(rule.element),
        line=rule.line,
        pixels=_pixels(rule),
    )


def _pixels(rule: UsageRule) -> tuple[tuple[int, int], ...]:
    found = _attempt(lambda: rule.video_filters)
    filters = () if isinstance(found, str) else found
    return tuple((f.min_pixels or 0, MAX_UINT32 if f.max_pixels is None else f.max_pixels) for f in filters)


def _system_id(system: DRMSystem) -> str:
    return _attempt(lambda: system.system_id)


def _system_name(system: DRMSystem) -> str:
    found = _system_id(system)
    return found if found == UNREADABLE else system_name(found)


def _systems(document: Document) -> tuple[SystemEntry, ...]:
    rows: dict[str, list[DRMSystem]] = {}
    for system in document.drm_systems:
        rows.setdefault(_system_id(system), []).append(system)
    return tuple(_system(system_id, systems) for system_id, systems in rows.items())


def _system(system_id: str, systems: list[DRMSystem]) -> SystemEntry:
    filled: dict[str, int] = {}
    empty: dict[str, int] = {}
    details: dict[str, None] = {}
    for system in systems:
        wanted = set(system.placeholders)
        present = {etree.QName(child).localname for child in system.element.iterchildren(etree.Element)}
        for local, words in _PARTS:
            if local in wanted:
                empty[words] = empty.get(words, 0) + 1
            elif local in present:
                filled[words] = filled.get(words, 0) + 1
        for name in sorted(present - {local for local, _ in _PARTS}):
            filled[name] = filled.get(name, 0) + 1
        if system.robustness:
            details[f"robustness {system.robustness}"] = None
        if system.hls_allowed_cpc:
            details[f"allowed CPC {system.hls_allowed_cpc}"] = None
    return SystemEntry(
        name=systems[0].name or system_name(system_id),
        system_id=system_id,
        keys=len({_kid(system.element) for system in systems}),
        parts=tuple(filled.items()),
        placeholders=tuple(empty.items()),
        details=tuple(details),
    )


def _period(period: ContentKeyPeriod, kids: tuple[str, ...]) -> PeriodEntry:
    words = []
    element = period.element
    words += [f"index {element.get('index')}"] if element.get("index") is not None else []
    words += [f"label {period.label!r}"] if period.label is not None else []
    interval = _attempt(lambda: period.interval)
    seconds = None
    if isinstance(interval, str):
        words.append(UNREADABLE)
    elif interval is not None:
        words.append(f"{_moment(interval[0])} to {_moment(interval[1])}")
        seconds = (_seconds(interval[0]), _seconds(interval[1]))
    return PeriodEntry(id=period.id or "", words=", ".join(words) or "nothing says when", kids=kids, interval=seconds)


def _moment(value: datetime | timedelta) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}{f'{value:.%f}' if value.microsecond else ''} {value:%Z}".strip()
    hours, rest = divmod(value.total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{int(hours)}:{int(minutes):02}:{seconds:06.3f}".removesuffix(".000")


def _seconds(value: datetime | timedelta) -> float:
    return value.timestamp() if isinstance(value, datetime) else value.total_seconds()


def _recipient(recipient: Recipient) -> str:
    der = _attempt(lambda: recipient.certificate)
    certificate = load_certificate(der) if isinstance(der, bytes) else None
    who = "no certificate" if der is None else "an unreadable certificate"
    words = [recipient.name or "", describe(certificate) if certificate is not None else who]
    keys = sum(key.encrypted_value is not None for key in recipient.document_keys)
    words.append(f"{keys} document key{'' if keys == 1 else 's'}" if keys else "no document key yet")
    words.append("MAC" if recipient.mac_method is not None else "")
    return ", ".join(word for word in words if word)


def _signature(signature: Signature) -> str:
    over = [uri.removeprefix("#") if uri else "the whole document" for uri in signature.references]
    ders = _attempt(lambda: signature.certificates)
    certificate = load_certificate(ders[0]) if isinstance(ders, tuple) and ders else None
    by = describe(certificate) if certificate is not None else "somebody without a readable certificate"
    return f"over {' and '.join(over) or 'nothing'}, says to be by {by}; not verified"


def _update(element: etree._Element) -> str:
    get = element.get
    return (
        f"{get('index', '?')}. version {get('updateVersion', '?')}, {get('date', 'no date')}, by {get('source', '?')}"
    )


def _either(words: list[str]) -> str:
    return f"({' or '.join(words)})" if len(words) > 1 else "".join(words)


def _video(item: VideoFilter) -> str:
    words = [_range(item.min_pixels, item.max_pixels, "px", sizes=True)]
    if item.min_fps is not None:
        words.append(f"over {item.min_fps} fps")
    if item.max_fps is not None:
        words.append(f"up to {item.max_fps} fps")
    for value, name in ((item.hdr, "HDR"), (item.wcg, "wide color")):
        if value is not None:
            words.append(name if value else f"no {name}")
    return " ".join(["video", ", ".join(word for word in words if word)]).strip()


def _audio(item: AudioFilter) -> str:
    return f"audio {_range(item.min_channels, item.max_channels, 'channels')}".strip()


def _bitrate(item: BitrateFilter) -> str:
    return _range(item.min_bitrate, item.max_bitrate, "bit/s") or "any bitrate"


def _range(least: int | None, most: int | None, unit: str, *, sizes: bool = False) -> str:
    if least is None and most is None:
        return ""
    low, high = (f"{value:,}" if value is not None else "" for value in (least, most))
    if sizes and most in _SIZES:
        high = f"{_SIZES[most]} ({most:,} {unit})"
        unit = ""
    if sizes and least is not None and least - 1 in _SIZES:
        low = f"over {_SIZES[least - 1]}"
        return f"{low}, up to {high} {unit}".strip() if high else low
    if not low:
        return f"up to {high} {unit}".strip()
    if not high:
        return f"from {low} {unit}"
    return f"{low} {unit}".strip() if low == high else f"{low} to {high} {unit}".strip()
