"""Rules against a CPIX document: each track has the key, scheme, IV and signaling that the document gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drmkit.cpix.selection import AudioTrack, VideoTrack
from drmkit.errors import CpixError, DrmkitError, KeySelectionError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.signaling import agreement, hlsreader, pssh
from drmkit.signaling.dashreader import parse_fragment
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look
from drmkit.stream.check.model import Place
from drmkit.stream.probe import TrackProperties

if TYPE_CHECKING:
    from drmkit.cpix import ContentKey, Document, DRMSystem
    from drmkit.cpix.selection import Track

__all__ = ["check_against_document", "check_document"]

_NO_BOX = frozenset({DrmSystem.FAIRPLAY, DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES, DrmSystem.MARLIN})
_HLS_ONLY = frozenset({DrmSystem.FAIRPLAY, DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES})


@dataclass(frozen=True, slots=True)
class _Said:
    """What the stream says for one key of one track."""

    look: Look
    key: ContentKey
    protocol: str

    @property
    def boxes(self) -> list[PsshBox]:
        """All PSSH boxes for the track, of manifest and initialization segment."""
        return [*(box for box, _ in self.look.track.manifest_boxes), *(item.box for item in self.look.init.pssh)]


def check_document(document: Document, collector: Collector) -> None:
    """Check the document itself: what it serves as keys, and that its signaling agrees with them."""
    for key in document.content_keys:
        try:
            value = key.key
        except CpixError:
            continue
        if value is not None and value.reveal() in {key.kid.raw, key.kid.guid_le}:
            collector.add("key-is-key-id", f"the document serves the key ID {key.kid} itself as the content key")
        elif value is not None and value.reveal() and not any(value.reveal()):
            collector.add("key-is-known", f"the content key {key.kid} of the document is all zeros")
    for item in agreement.check(document):
        where = f"line {item.line} of the document: " if item.line else ""
        collector.add("document-contradicts-itself", f"{where}{item.message}", hint=item.hint)


def check_against_document(
    document: Document, look: Look, protocol: str, properties: TrackProperties | None, collector: Collector
) -> None:
    """Check one media track against the document.

    Args:
        document: the document.
        look: the media track.
        protocol: "HLS" or "DASH".
        properties: what ffprobe says of the track, or None for what the file itself says.
        collector: takes the findings.
    """
    wanted = _wanted(document, look, properties, collector)
    if look.media.encrypted is None:
        if wanted is not None:
            words = f"the track is in the clear, and the document has the key {wanted.kid} for it"
            collector.add("document-clear", words, track=look.track.name, place=look.place)
        return
    if not look.kids:
        words = "nothing names the key ID of the track, so it was not compared with the document"
        collector.add("content-unchecked", words, track=look.track.name, place=look.place)
    elif wanted is not None and wanted.kid not in look.kids:
        words = f"the usage rules give the track the key {wanted.kid}, it has {_listed(look.kids)}"
        collector.add("document-usage", words, track=look.track.name, place=look.place)
    for kid in look.used_kids:
        key = document.content_keys.get(kid)
        if key is None:
            words = f"the document has no key {kid}"
            collector.add("document-key-missing", words, track=look.track.name, place=look.place)
            continue
        said = _Said(look, key, protocol)
        _scheme_and_iv(said, collector)
        _systems(document, said, collector)


def _listed(kids: Sequence[KeyId]) -> str:
    return ", ".join(map(str, kids[:3]))


def _wanted(
    document: Document, look: Look, properties: TrackProperties | None, collector: Collector
) -> ContentKey | None:
    """Return the key that the usage rules give the track; None where they give none, or that cannot be told."""
    if look.media.kind not in {"video", "audio"} or not len(document.usage_rules):
        return None
    why = ""
    if any(rule.labels for rule in document.usage_rules):
        why = "they ask for labels, which a stream does not have"
    elif len(document.periods):
        why = "they ask for key periods"
    else:
        try:
            return document.key_for(_track(look, properties))
        except KeySelectionError as error:
            why = error.message
        except CpixError as error:
            why = error.message
    words = f"the usage rules cannot be applied to the track: {why}"
    collector.add("document-rule-unusable", words, track=look.track.name, place=look.place)
    return None


def _track(look: Look, properties: TrackProperties | None) -> Track:
    media = look.media
    if properties is not None:
        known = properties.as_cpix_track()
        if isinstance(known, AudioTrack):
            return AudioTrack(known.channels, look.track.bandwidth)
        return VideoTrack(
            known.width, known.height, look.track.fps or known.fps, look.track.bandwidth, known.hdr, known.wcg
        )
    if media.kind == "audio":
        return AudioTrack(media.channels or None, look.track.bandwidth)
    return VideoTrack(
        media.width or None, media.height or None, look.track.fps, look.track.bandwidth, media.hdr, media.wcg
    )


def _scheme_and_iv(said: _Said, collector: Collector) -> None:
    look, key = said.look, said.key
    name, place = look.track.name, look.place
    scheme = key.scheme
    if scheme is not None and look.scheme is not None and scheme.lower() != look.scheme:
        words = f"the document says {scheme} for key {key.kid}, the track is {look.scheme}"
        if scheme not in {"SAMPLE-AES", "SAMPLE-AES-CTR"} or (scheme == "SAMPLE-AES") != (look.scheme == "cbcs"):
            collector.add("document-scheme", words, track=name, place=place)
    try:
        iv = key.iv
    except CpixError:
        return
    entry = look.media.encrypted
    if iv is None or entry is None or len(look.used_kids) > 1:
        return
    found = entry.constant_iv if entry.constant_iv is not None else _first_iv(look)
    if found is not None and found.ljust(16, b"\0") != iv.ljust(16, b"\0"):
        words = f"the document says IV 0x{iv.hex()} for key {key.kid}, the track starts with 0x{found.hex()}"
        collector.add("document-iv", words, track=name, place=place)


def _first_iv(look: Look) -> bytes | None:
    """Return the IV of the track's first encrypted sample; None where the first segment was not read."""
    first = look.segments[0] if look.segments else None
    return first.first_iv if first is not None and first.segment.index == 0 else None


def _systems(document: Document, said: _Said, collector: Collector) -> None:
    look, kid = said.look, said.key.kid
    name, place = look.track.name, look.place
    entries = list(document.drm_systems.for_key(kid))
    signaled = {*look.track.manifest_systems, *(box.system_id for box in said.boxes)}
    known = set()
    for entry in entries:
        try:
            known.add(entry.system_id)
            _system(entry, said, signaled, collector)
        except DrmkitError as error:
            words = f"the document's entry for {kid} cannot be read: {error.message}"
            collector.add("document-contradicts-itself", words, track=name, hint=error.hint)
    for system_id in sorted(signaled - known) if entries else ():
        words = f"{system_name(system_id)} is signaled, and the document has no entry of it for key {kid}"
        collector.add("document-system-extra", words, track=name, place=place)


def _system(entry: DRMSystem, said: _Said, signaled: set[str], collector: Collector) -> None:
    system = DrmSystem.find(entry.system_id)
    label = system_name(entry.system_id)
    name, place = said.look.track.name, said.look.place
    if system in _HLS_ONLY and said.protocol != "HLS":
        return
    if entry.system_id not in signaled and not _identity(system, said):
        words = f"the document has {label} for key {said.key.kid}, and nothing signals it"
        collector.add("document-system-missing", words, track=name, place=place)
        return
    if entry.pssh and system not in _NO_BOX:
        _pssh(entry, said, collector)
    if said.protocol == "HLS":
        _hls(entry, said, collector)
    else:
        _mpd(entry, said, collector)


def _identity(system: DrmSystem | None, said: _Said) -> bool:
    clear = system in {DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES}
    return clear and any(line.is_identity for line in said.look.track.keys)


def _pssh(entry: DRMSystem, said: _Said, collector: Collector) -> None:
    assert entry.pssh is not None  # noqa: S101 - the caller has looked
    wanted = [box.to_bytes() for box in pssh.parse(entry.pssh)]
    label = system_name(entry.system_id)
    name = said.look.track.name
    stand = [("the initialization segment", item.box, Place(said.look.place.file, box="moov/pssh", byte=item.at))
             for item in said.look.init.pssh]  # fmt: skip
    stand += [("the manifest", box, place) for box, place in said.look.track.manifest_boxes]
    for where in dict.fromkeys(item[0] for item in stand):
        own = [item for item in stand if item[0] == where and item[1].system_id == entry.system_id]
        if own and not any(item[1].to_bytes() in wanted for item in own):
            words = f"the box of {label} in {where} is not that of the document for key {said.key.kid}"
            collector.add("document-pssh", words, track=name, place=own[0][2])


def _hls(entry: DRMSystem, said: _Said, collector: Collector) -> None:
    text = entry.hls_signaling("media")
    if text is None:
        return
    for wanted in hlsreader.parse(text):
        lines = [line for line in said.look.track.keys if line.key.keyformat.lower() == wanted.keyformat.lower()]
        label = system_name(entry.system_id)
        if not lines:
            words = f"the playlist lacks the document's key tag of {label} for key {said.key.kid}"
            collector.add("document-hls", words, track=said.look.track.name, place=said.look.track.place)
        elif not any(_same(line.key, wanted) for line in lines):
            words = f"the key tag of {label} differs from the document's for key {said.key.kid}: "
            words += ", ".join(_differences(lines[0].key, wanted))
            collector.add("document-hls", words, track=said.look.track.name, place=lines[0].place)


def _same(found: hlsreader.HlsKey, wanted: hlsreader.HlsKey) -> bool:
    return not list(_differences(found, wanted))


def _differences(found: hlsreader.HlsKey, wanted: hlsreader.HlsKey) -> Iterator[str]:
    if found.method != wanted.method:
        yield "METHOD"
    try:
        mine, theirs = found.payload(), wanted.payload()
        boxes = [box.data for box in found.boxes()] == [box.data for box in wanted.boxes()]
    except SignalingError:
        mine, theirs, boxes = None, None, found.uri == wanted.uri
    if mine is None or theirs is None:
        if found.uri != wanted.uri:
            yield "URI"
    elif mine != theirs and not boxes:
        yield "URI"
    if wanted.get("IV") is not None and (found.get("IV") or "").lower() != (wanted.get("IV") or "").lower():
        yield "IV"


def _mpd(entry: DRMSystem, said: _Said, collector: Collector) -> None:
    data = entry.content_protection_data
    if not data:
        return
    wanted = parse_fragment(data)
    items = [item for item in said.look.track.protections if item.element.system_id == entry.system_id]
    for item in items:
        mine = {box.data for box in item.element.all_boxes}
        if any(box.data not in mine for box in wanted.all_boxes):
            words = (
                f"the ContentProtection element of {system_name(entry.system_id)} lacks a box that the document's "
                f"has for key {said.key.kid}"
            )
            collector.add("document-mpd", words, track=said.look.track.name, place=item.place)
