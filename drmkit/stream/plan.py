"""Decides which content key, IV and PSSH boxes each track gets, and which packager runs that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import CpixError, InputError, KeySelectionError, PackagingError, SignalingError
from drmkit.identifiers import KeyId, system_name
from drmkit.secret import Secret
from drmkit.signaling.pssh import PsshBox, parse
from drmkit.stream.model import KeyUse, PackagerRun, Plan, PlannedTrack, Scheme, SystemSignaling, TrackInput
from drmkit.stream.plannotes import plan_notes
from drmkit.stream.probe import Kind, TrackProperties, probe
from drmkit.stream.schemes import box_schemes
from drmkit.stream.tools import Tools
from drmkit.stream.tracks import selector

if TYPE_CHECKING:
    from drmkit.cpix import ContentKey, Document, DRMSystem

__all__ = ["plan"]

_KEY_LENGTH = 16
# CPIX 2.3.1 and later allow the names of HLS methods for the scheme.
_HLS_NAMES: dict[str, str | None] = {"SAMPLE-AES": "cbcs", "SAMPLE-AES-CTR": "cenc"}
_IV_LENGTHS = {"cenc": (8, 16), "cbcs": (16,)}


def plan(
    document: Document,
    tracks: Sequence[TrackInput],
    *,
    tools: Tools,
    scheme: Scheme | None = None,
    allow_clear: bool = False,
    read: Callable[[Path, Kind], TrackProperties] | None = None,
) -> Plan:
    """Choose every track's key by a CPIX document and group the tracks into packager runs.

    A track's key is the one it names; else the one that the usage rules give it; else, in a document with a single
    key and no rules, that key. Shaka Packager's `--pssh` holds for all streams of a run, so tracks share a run only
    if their keys have the same PSSH boxes.

    Args:
        document: a `drmkit.cpix.Document` with its content keys in the clear.
        tracks: the tracks to package.
        tools: the programs to use.
        scheme: the protection scheme for keys that state none (CPIX 2.4, ContentKey, commonEncryptionScheme). By
            default that is the one that all PSSH boxes of the key name.
        allow_clear: leave a track without a key in the clear instead of refusing it.
        read: returns the properties of a file's track; by default `drmkit.stream.probe.probe`.

    Raises:
        InputError: there is no track, two have one name, or a file cannot be read.
        KeySelectionError: a track has no key, or two.
        CpixError: a key or PSSH box of the document cannot be used.
        PackagingError: the document asks for what is not supported, such as key rotation.
    """
    _refuse(document, tracks)
    systems = _systems_by_key(document)
    planned = []
    for index, track in enumerate(tracks):
        properties = read(track.path, track.kind) if read else probe(track.path, track.kind, track.number, tools=tools)
        key = _choose(document, track, properties, allow_clear=allow_clear)
        use = _use(key, scheme, systems.get(key.kid, ())) if key is not None else None
        found = selector(track.path, track.kind, track.number, tools=tools)
        planned.append(PlannedTrack(track, properties, use, index, found))
    return Plan(_group(planned), tuple(plan_notes(planned)))


def _refuse(document: Document, tracks: Sequence[TrackInput]) -> None:
    if not tracks:
        raise InputError("there is no track to package")
    seen: set[str] = set()
    for track in tracks:
        # Some file systems do not tell upper from lower case.
        if track.name.lower() in seen:
            raise InputError(f"two tracks are called {track.name!r}", hint="give each track a name of its own")
        seen.add(track.name.lower())
    kids: set[KeyId] = set()
    for key in document.content_keys:
        if key.kid in kids:
            raise CpixError(
                f"the document has content key {key.kid} twice, so which of them encrypts is not said",
                hint="every content key has a key ID of its own: ask the key server for another document",
            )
        kids.add(key.kid)
    if len(document.periods):
        raise PackagingError(
            f"the document rotates its keys over {_count(len(document.periods), 'key period')}, which is not supported",
            hint="package with a document that has no ContentKeyPeriodList",
        )


def _systems_by_key(document: Document) -> dict[KeyId, tuple[SystemSignaling, ...]]:
    systems: dict[KeyId, tuple[SystemSignaling, ...]] = {}
    for entry in document.drm_systems:
        uri = entry.uri_ext_x_key
        said = SystemSignaling(
            entry.system_id,
            _boxes(entry),
            entry.content_protection_data or None,
            entry.robustness,
            entry.hls_signaling("media"),
            entry.hls_signaling("master"),
            uri.decode("utf-8", "replace") if uri else None,
            entry.hls_allowed_cpc,
        )
        systems[entry.kid] = (*systems.get(entry.kid, ()), said)
    return systems


def _boxes(entry: DRMSystem) -> tuple[PsshBox, ...]:
    where = f"the PSSH of {system_name(entry.system_id)} for key {entry.kid}"
    try:
        read = parse(entry.pssh) if entry.pssh else []
    except SignalingError as error:
        raise CpixError(f"{where} cannot be used: {error.message}", hint=error.hint) from None
    for box in read:
        if box.system_id != entry.system_id:
            raise CpixError(f"{where} is a box of {system_name(box.system_id)}")
    return tuple(read)


def _choose(
    document: Document, track: TrackInput, properties: TrackProperties, *, allow_clear: bool
) -> ContentKey | None:
    keys = document.content_keys
    if track.kid is not None:
        key = keys.get(track.kid)
        if key is None:
            raise KeySelectionError(f"the document has no key {track.kid}, which track {track.name} names")
        return key
    if len(document.usage_rules) == 0 and len(keys) == 1:
        return next(iter(keys))
    key = document.key_for(properties.as_cpix_track(track.labels, track.intended_track_type))
    if key is None and not allow_clear:
        if len(document.usage_rules) == 0:
            raise KeySelectionError(
                f"the document has {_count(len(keys), 'content key')} and no usage rule, so which key is for track"
                f" {track.name} is not said ({_describe(properties)})",
                hint="name the track's key (`--kid`), or have usage rules in the document",
            )
        raise KeySelectionError(
            f"no usage rule of the document gives track {track.name} a key ({_describe(properties)})",
            hint="name the track's key (`--kid`), or the labels that the rules ask for (`--label`), mend the rules,"
            " or allow clear tracks (`--allow-clear`)",
        )
    return key


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _describe(properties: TrackProperties) -> str:
    if properties.kind == "audio":
        return f"audio, {_count(properties.channels or 0, 'channel')}"
    rate = f", {float(properties.fps):g} fps" if properties.fps else ""
    return f"video, {properties.width}x{properties.height}{rate}"


def _use(key: ContentKey, wanted: Scheme | None, systems: tuple[SystemSignaling, ...]) -> KeyUse:
    value = _value(key)
    scheme = _scheme(key, wanted, systems)
    if key.iv is not None and len(key.iv) not in _IV_LENGTHS[scheme]:
        allowed = " or ".join(map(str, _IV_LENGTHS[scheme]))
        raise CpixError(f"the IV of key {key.kid} has {len(key.iv)} bytes; {scheme} takes {allowed}")
    boxes = tuple(box for said in systems for box in said.pssh)
    level = key.hdcp.hls_level if key.hdcp else None
    return KeyUse(key.kid, value, key.iv, scheme, boxes, systems, level)


def _value(key: ContentKey) -> Secret[bytes]:
    if key.is_leaf:
        raise PackagingError(
            f"key {key.kid} depends on key {key.depends_on}; key hierarchies are not supported",
            hint="ask the key server for keys without dependsOnKey",
        )
    if key.is_encrypted:
        raise CpixError(
            f"key {key.kid} is encrypted", hint="decrypt with the private key of its recipient (`--decrypt-key`)"
        )
    value = key.key
    if value is None:
        raise CpixError(
            f"key {key.kid} has no value", hint="this is a request for keys; package with the key server's answer"
        )
    if len(value.reveal()) != _KEY_LENGTH:
        raise CpixError(f"key {key.kid} has {len(value.reveal())} bytes; Common Encryption takes 16")
    return value


def _scheme(key: ContentKey, wanted: Scheme | None, systems: tuple[SystemSignaling, ...]) -> Scheme:
    stated = _HLS_NAMES.get(key.scheme or "", key.scheme) or wanted
    if stated is None:
        said = box_schemes(box for system in systems for box in system.pssh)
        stated = next(iter(said)) if len(said) == 1 else None
    if stated is None:
        raise PackagingError(
            f"key {key.kid} states no protection scheme", hint="say which one to use, cenc or cbcs (`--scheme`)"
        )
    if wanted is not None and stated != wanted:
        raise PackagingError(
            f"key {key.kid} is for scheme {stated}, not {wanted}",
            hint="DRM data of one scheme does not work with another: ask the key server for a document of that scheme",
        )
    if stated not in _IV_LENGTHS:
        raise PackagingError(f"key {key.kid} is for scheme {stated}; cenc and cbcs are supported")
    return "cbcs" if stated == "cbcs" else "cenc"


def _group(planned: Iterable[PlannedTrack]) -> tuple[PackagerRun, ...]:
    groups: dict[tuple[Scheme, tuple[PsshBox, ...]], list[PlannedTrack]] = {}
    clear: list[PlannedTrack] = []
    for item in planned:
        if item.use is None:
            clear.append(item)
        else:
            groups.setdefault((item.use.scheme, item.use.pssh), []).append(item)
    if not groups:
        return (PackagerRun(tuple(clear), None, ()),)
    runs = [PackagerRun(tuple(group), scheme, pssh) for (scheme, pssh), group in groups.items()]
    runs[0] = PackagerRun((*runs[0].tracks, *clear), runs[0].scheme, runs[0].pssh)
    return tuple(runs)
