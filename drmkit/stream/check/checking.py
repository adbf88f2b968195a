"""Checks a stream: manifest, segments, signaling and keys against each other, and against a CPIX document."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import DrmkitError, InputError, MissingExtraError
from drmkit.http import HttpClient
from drmkit.identifiers import KeyId, system_name
from drmkit.secret import Secret
from drmkit.stream.check.access import Access
from drmkit.stream.check.aes128 import check_aes128, uses_aes128
from drmkit.stream.check.boxrules import Context, Placed, check_boxes
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.crossrules import Streams, check_streams
from drmkit.stream.check.dash import read_dash
from drmkit.stream.check.dashrules import check_protections
from drmkit.stream.check.decoding import Decoder
from drmkit.stream.check.decryption import Decryption, Outcome, worst
from drmkit.stream.check.givenkeys import all_ivs, all_keys
from drmkit.stream.check.hls import read_hls
from drmkit.stream.check.hlskeys import KeyFiles
from drmkit.stream.check.hlsrules import check_key_lines, check_segments, check_session_keys
from drmkit.stream.check.look import Look, Spool, look_into
from drmkit.stream.check.mediarules import check_media
from drmkit.stream.check.model import Place, StreamReport, TrackReport
from drmkit.stream.check.presence import check_presence
from drmkit.stream.check.presentation import Presentation, StreamTrack
from drmkit.stream.check.rekeying import by_key, settle
from drmkit.stream.check.samplelook import has_no_boxes, look_into_samples
from drmkit.stream.check.samplerules import check_sample_track
from drmkit.stream.check.sources import Sources
from drmkit.stream.check.summary import describe
from drmkit.stream.check.unnamed import try_keys
from drmkit.stream.check.wholesource import WholeSource
from drmkit.stream.probe import TrackProperties, probe
from drmkit.stream.staging import private_folder, spill
from drmkit.stream.tools import Tools, find_tools

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["check_stream"]

_MAX_BYTES = 1 << 30
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class _Work:
    """What was found of one track, until all tracks are looked into."""

    track: StreamTrack
    looks: list[Look] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    properties: list[TrackProperties | None] = field(default_factory=list)
    report: TrackReport | None = None

    @property
    def systems(self) -> tuple[str, ...]:
        """The IDs of the DRM systems that manifest and media signal for the track."""
        boxes = (item.box.system_id for look in self.looks for item in look.init.pssh)
        return tuple(dict.fromkeys([*self.track.manifest_systems, *boxes]))


@dataclass(slots=True)
class _Check:
    """One check under way."""

    access: Access
    collector: Collector
    document: Document | None
    keys: Mapping[KeyId, Secret[bytes]]
    decryption: Decryption | None
    tools: Tools | None
    wanted: int | None
    files: KeyFiles
    streams: Streams = field(default_factory=Streams)


def check_stream(
    manifest: str | Path,
    *,
    document: Document | None = None,
    keys: Mapping[KeyId, Secret[bytes]] | None = None,
    ivs: Mapping[KeyId, bytes] | None = None,
    sources: Sequence[Path] = (),
    tools: Tools | None = None,
    http: HttpClient | None = None,
    segments: int | None = 3,
    max_bytes: int = _MAX_BYTES,
    root: Path | None = None,
    fetch_keys: bool = False,
    decode: bool = True,
    timeout: float = 60.0,
    progress: Callable[[int, int, str], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> StreamReport:
    """Check an HLS or DASH stream.

    Args:
        manifest: a local file, or an http or https URL: an HLS multivariant or media playlist, or a DASH manifest.
        document: the CPIX document that the stream should follow; its keys in the clear are tried.
        keys: content keys by key ID, beside those of the document.
        ivs: IVs by key ID, beside those of the document, for media whose IV comes with the key.
        sources: the clear media that the stream was made of, to compare packets with.
        tools: the programs to decode with; by default those of the extra `packager`, and none where it is missing.
        http: makes the calls; by default a client of its own.
        segments: how many segments of each track to read: the first, the last and others between; None for all.
        max_bytes: how much to read in all.
        root: the folder that a local manifest may refer into; by default its own.
        fetch_keys: fetch keys of the key format identity from their http and https URIs, as a player does.
        decode: decrypt and decode; without, only what is said is compared.
        timeout: seconds that one run of ffmpeg may take.
        progress: called before each track with the tracks done, all tracks, and the track's name.
        now: the time, for live manifests.
        random: returns so many random bytes, for the keys that must not decrypt.

    Raises:
        InputError: the manifest cannot be read, or is neither HLS nor DASH.
        RemoteError: the server of the manifest is unavailable.
    """
    owned = http is None
    client = http or HttpClient(timeout=30.0)
    try:
        access = Access(str(manifest), http=client, root=root, max_bytes=max_bytes)
        check = _prepare(
            access, document, keys or {}, ivs or {}, sources=sources, tools=tools, decode=decode, timeout=timeout,
            random=random,
        )  # fmt: skip
        check.wanted, check.files.fetch = segments, fetch_keys
        found = _read(check, now)
        return _run(check, found, progress or (lambda *_: None))
    finally:
        if owned:
            client.close()


def _prepare(
    access: Access,
    document: Document | None,
    keys: Mapping[KeyId, Secret[bytes]],
    ivs: Mapping[KeyId, bytes],
    *,
    sources: Sequence[Path],
    tools: Tools | None,
    decode: bool,
    timeout: float,
    random: Callable[[int], bytes],
) -> _Check:
    collector = Collector(frozenset(key.kid for key in document.content_keys) if document is not None else frozenset())
    known, known_ivs = all_keys(document, keys), all_ivs(document, ivs)
    for path in sources:
        if not path.is_file():
            raise InputError(f"the source {path} is not a file" if path.exists() else f"there is no source {path}")
    files = KeyFiles(access, collector, fetch=False)
    found, decryption = None, None
    try:
        found = (tools or find_tools()) if decode else None
    except MissingExtraError as error:
        collector.add("decryption-not-tried", f"nothing was decrypted: {error.message}", hint=error.hint)
    if found is not None:
        decoder = Decoder(found, timeout)
        clear = Sources(tuple(sources), decoder) if sources else None
        asked = document is not None or bool(keys)
        decryption = Decryption(decoder, known, asked, clear, collector, random, files, known_ivs)
    return _Check(access, collector, document, known, decryption, found, None, files)


def _read(check: _Check, now: Callable[[], datetime]) -> Presentation:
    data = check.access.read_manifest(check.access.manifest)
    start = data[:1024].lstrip()
    if start.removeprefix(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
        return read_hls(check.access, data, check.collector)
    if start.startswith((b"<", *_BOMS)):
        return read_dash(check.access, data, check.collector, now)
    raise InputError(
        f"{check.access.manifest.shown} is neither an HLS playlist nor a DASH manifest",
        hint="give the multivariant playlist, a media playlist, or the MPD",
    )


def _run(check: _Check, found: Presentation, progress: Callable[[int, int, str], None]) -> StreamReport:
    if not found.tracks:
        check.collector.add("manifest-empty", "the manifest names no track that can be read")
    if check.document is not None:
        from drmkit.stream.check.documentrules import check_document  # noqa: PLC0415 - only with a document

        check_document(check.document, check.collector)
    works = []
    for number, track in enumerate(found.tracks):
        progress(number, len(found.tracks), track.name)
        works.append(_look(check, track))
    for work in works:
        _compare(check, found, work)
    if found.protocol == "HLS":
        check_session_keys(found, check.collector)
    check_streams(check.streams, check.collector)
    name = check.access.manifest.shown
    return StreamReport(
        manifest=name,
        protocol=found.protocol,
        tracks=tuple(work.report or describe(work.track, work.looks, work.systems, work.outcomes) for work in works),
        findings=check.collector.findings(),
    )


def _look(check: _Check, track: StreamTrack) -> _Work:
    """Look into one track, and let go of its samples and files before the next."""
    work = _Work(track)
    _inside(check, track, work)
    if work.looks or work.report is not None:
        check_presence(track, check.access, check.collector)
    return work


def _inside(check: _Check, track: StreamTrack, work: _Work) -> None:
    if uses_aes128(track):
        work.report = _whole(check, track)
        return
    samples = has_no_boxes(track, check.access)
    if not samples and not _readable(check, track):
        return
    with private_folder() as made:
        spool = Spool(made, all=bool(check.decryption and check.decryption.sources))
        work.looks = _looks(check, track, spool if check.tools else None, samples=samples)
        for look in work.looks:
            if not look.by_tags:
                settle(look)
                check_media(look, check.collector)
            work.outcomes.append(_decrypt(check, look, made))
            if look.by_tags:
                check_sample_track(look, check.collector)
            work.properties.append(_properties(check, look, made))
            check.streams.add(look, work.systems)
            for one in look.segments:
                one.forget()
    if isinstance(track.segments, list) and track.segments and not any(one.whole for one in track.segments):
        words = "an I-frame playlist names parts of segments: tags and initialization segment were checked"
        check.collector.add("content-unchecked", words, track=track.name, place=track.place)
    if not samples and not work.looks and len(track.segments) and not check.collector.has("init-broken", track.name):
        _unlooked(check, track)


def _whole(check: _Check, track: StreamTrack) -> TrackReport:
    sources = check.decryption.sources if check.decryption is not None else None
    with private_folder() as made:
        source = WholeSource(sources, made) if sources is not None else None
        return check_aes128(
            track, check.access, check.keys, check.collector, wanted=check.wanted, files=check.files, source=source
        )


def _looks(check: _Check, track: StreamTrack, spool: Spool | None, *, samples: bool) -> list[Look]:
    if not samples:
        return look_into(track, check.access, check.collector, check.wanted, spool)
    known = [*check.keys, *check.collector.expected, *check.streams.owners]
    return look_into_samples(
        track, check.access, check.collector, wanted=check.wanted, spool=spool, known=dict.fromkeys(known)
    )


def _readable(check: _Check, track: StreamTrack) -> bool:
    """Say whether a track is of a kind that can be looked into, and note where it is not."""
    kinds = {"ts": "MPEG-TS", "text": "text", "packed": "packed audio"}
    if track.container not in kinds:
        return True
    words = f"the segments are {kinds[track.container]}: it is not looked into; the manifest was checked"
    check.collector.add("content-unchecked", words, track=track.name, place=track.place)
    return False


def _unlooked(check: _Check, track: StreamTrack) -> None:
    try:
        first = track.segments[0]
    except InputError:
        return  # found already, when it was to be read
    if first.init is None:
        words = "the segments have no initialization segment, and are not known to be MPEG-TS"
        rule = "init-missing" if track.container == "mp4" else "content-unchecked"
        check.collector.add(rule, words, track=track.name, place=first.place)


def _decrypt(check: _Check, look: Look, folder: Path) -> Outcome:
    if look.media.encrypted is None:
        return Outcome("clear", "")
    if check.decryption is None:
        return Outcome("not tried", "nothing was decoded")
    if look.by_tags:
        outcomes = [check.decryption.check(look)] if look.kids else []
        outcomes += try_keys(check.decryption, look)
        return worst(outcomes or [Outcome("not tried", "no encrypted segment was kept")])
    parts = by_key(look, folder)
    if not parts:
        words = "keys change within segments, or encrypted and clear samples alternate by key groups"
        check.collector.add("decryption-undecided", words, track=look.track.name, place=look.segments[0].place)
        return Outcome("cannot tell", "ffmpeg follows no key groups within a segment")
    return worst([check.decryption.check(part) for part in parts])


def _properties(check: _Check, look: Look, folder: Path) -> TrackProperties | None:
    """Return what ffprobe says of a track; a document's usage rules need it, and tracks without boxes say no size."""
    media = look.media
    if (check.document is None and not look.by_tags) or check.tools is None or look.init_path is None:
        return None
    if media.kind not in {"video", "audio"} or not look.segments or look.segments[0].path is None:
        return None
    joined = folder / "joined.mp4"
    spill(joined, look.init_path.read_bytes() + look.segments[0].path.read_bytes())
    number = [track for track in look.init.tracks if track.kind == media.kind].index(media)
    try:
        found = probe(joined, "video" if media.kind == "video" else "audio", number, tools=check.tools)
    except DrmkitError:
        return None
    if look.by_tags:
        media.width, media.height, media.channels = found.width or 0, found.height or 0, found.channels or 0
    return found


def _compare(check: _Check, found: Presentation, work: _Work) -> None:
    """Compare what one track's manifest and media say, now that all tracks are known."""
    track, collector = work.track, check.collector
    kids = [kid for look in work.looks for kid in look.kids] or list(check.streams.owners)
    if found.protocol == "HLS":
        check_key_lines(track, kids, collector)
    else:
        check_protections(track, work.looks, collector)
    for look, properties in zip(work.looks, work.properties, strict=True):
        for broken in look.init.broken:
            place = Place(look.place.file, box=f"moov/{broken.name}", byte=broken.at)
            collector.add("pssh-broken", broken.reason, track=track.name, place=place)
        context = Context(track.name, look.kids, look.scheme, check.streams.owners, check.keys)
        _boxes(look, context, found.protocol, collector)
        if found.protocol == "HLS":
            check_segments(look, context, collector)
        if check.document is not None:
            from drmkit.stream.check.documentrules import check_against_document  # noqa: PLC0415

            check_against_document(check.document, look, found.protocol, properties, collector)
    if work.looks and any(look.media.encrypted for look in work.looks) and not work.systems and not track.keys:
        words = "no DRM system is signaled for the encrypted track, neither in the manifest nor in the media"
        collector.add("signaling-missing", words, track=track.name, place=work.looks[0].place)


def _boxes(look: Look, context: Context, protocol: str, collector: Collector) -> None:
    inside = [
        Placed(item.box, Place(look.place.file, box="moov/pssh", byte=item.at), "the initialization segment")
        for item in look.init.pssh
    ]
    if look.media.encrypted is not None:
        check_boxes(inside, context, collector)
    if protocol != "DASH":
        return
    listed = [Placed(box, place, "the manifest") for box, place in look.track.manifest_boxes]
    check_boxes(listed, context, collector)
    for system_id in {item.box.system_id for item in inside} & {item.box.system_id for item in listed}:
        one = {item.box.to_bytes() for item in inside if item.box.system_id == system_id}
        other = {item.box.to_bytes() for item in listed if item.box.system_id == system_id}
        if one != other:
            words = f"the boxes of {system_name(system_id)} in the manifest and in the initialization segment differ"
            place = next(item.place for item in listed if item.box.system_id == system_id)
            collector.add("pssh-differs", words, track=look.track.name, place=place)
