"""Writes the manifests of a finished stream: one DASH manifest and one HLS playlist tree, however many runs made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drmkit.errors import PackagingError
from drmkit.stream.arguments import draft_master, draft_mpd, draft_playlist
from drmkit.stream.master import Rendition, parse_master, render_master
from drmkit.stream.model import OutputFormat, Plan, PlannedTrack
from drmkit.stream.mpd import Placed, codecs_by_track, merge
from drmkit.stream.naming import TrackNames
from drmkit.stream.playlists import MediaPlaylist, Segment, parse_media
from drmkit.stream.signals import TrackSignals, hls_notes, read_signals

__all__ = ["Drafts", "TrackDraft", "read_drafts", "write_dash", "write_hls", "write_manifests"]


@dataclass(frozen=True, slots=True)
class TrackDraft:
    """What the packager wrote about one track.

    Attributes:
        planned: the track.
        names: what its files are called.
        playlist: its segments.
        codecs: its codec (RFC 6381).
        stream: attributes for an HLS variant; as they stand.
        media: attributes for an HLS audio rendition; as they stand.
    """

    planned: PlannedTrack
    names: TrackNames
    playlist: MediaPlaylist
    codecs: str
    stream: dict[str, str]
    media: dict[str, str]


@dataclass(frozen=True, slots=True)
class Drafts:
    """The manifests of the packager's runs, read and taken away."""

    tracks: tuple[TrackDraft, ...]
    mpds: tuple[bytes, ...]


def read_drafts(folder: Path, made: Plan, names: Mapping[str, TrackNames]) -> Drafts:
    """Read the packager's own manifests, and delete them.

    Args:
        folder: the folder that holds the stream.
        made: the plan that was run.
        names: what each track's files are called, by the track's name.

    Raises:
        PackagingError: a manifest was not written, or is not as the packager writes it.
    """
    mpds, tracks = [], []
    for number, one in enumerate(made.runs):
        mpd = _take(folder / draft_mpd(number))
        streams, media = parse_master(_take(folder / draft_master(number)).decode("utf-8"))
        codecs = codecs_by_track(mpd)
        for item in one.tracks:
            draft, mine = draft_playlist(item.track.name), names[item.track.name]
            playlist = _sized(folder, parse_media(_take(folder / draft).decode("utf-8")))
            stream = streams.get(draft, {})
            codec = codecs.get(mine.file) or codecs.get(mine.segment) or ""
            if item.track.kind == "video":
                # HLS has names of its own for some video codecs; what follows the first is that of the sound.
                codec = stream.get("CODECS", "").strip('"').partition(",")[0] or codec
            tracks.append(TrackDraft(item, mine, playlist, codec, stream, media.get(draft, {})))
        mpds.append(mpd)
    tracks.sort(key=lambda draft: draft.planned.index)
    return Drafts(tuple(tracks), tuple(mpds))


def write_manifests(folder: Path, drafts: Drafts, form: OutputFormat) -> list[str]:
    """Write the manifests that were asked for, with what the document states; return notes in sentences.

    Raises:
        CpixError: what the document states cannot be read.
        PackagingError: a manifest of the packager is not as it writes it.
    """
    said = [read_signals(draft.planned) for draft in drafts.tracks]
    if "dash" in form.manifests:
        write_dash(folder, drafts, said, form)
    if "hls" not in form.manifests:
        return []
    write_hls(folder, drafts.tracks, said, form)
    return hls_notes([draft.planned for draft in drafts.tracks])


def write_dash(folder: Path, drafts: Drafts, said: Sequence[TrackSignals], form: OutputFormat) -> None:
    """Write the DASH manifest."""
    placed = [
        Placed(draft.planned, draft.names, item.protection) for draft, item in zip(drafts.tracks, said, strict=True)
    ]
    _write(folder / form.names.mpd, merge(drafts.mpds, placed, form.names.mpd))


def write_hls(folder: Path, tracks: Sequence[TrackDraft], said: Sequence[TrackSignals], form: OutputFormat) -> None:
    """Write the HLS media playlists and the multivariant playlist."""
    renditions = []
    for draft, item in zip(tracks, said, strict=True):
        path, playlist = draft.names.playlist, draft.playlist
        _write(folder / path, playlist.render(path, item.media).encode("utf-8"))
        renditions.append(
            Rendition(
                draft.planned.track.kind,
                path,
                draft.codecs,
                playlist.peak,
                playlist.average,
                draft.stream | dict(item.variant),
                draft.media,
            )
        )
    keys = [line for item in said for line in item.master]
    master = form.names.master
    _write(folder / master, render_master(master, renditions, keys).encode("utf-8"))


def _take(path: Path) -> bytes:
    if not path.is_file():
        raise PackagingError(f"the packager ended well but did not write {path.name.removeprefix('.')}")
    text = path.read_bytes()
    path.unlink()
    return text


def _sized(folder: Path, playlist: MediaPlaylist) -> MediaPlaylist:
    return replace(playlist, segments=tuple(_with_size(folder, item) for item in playlist.segments))


def _with_size(folder: Path, item: Segment) -> Segment:
    if item.size is not None:
        return item
    path = folder / item.uri
    if not path.is_file():
        raise PackagingError(f"the packager wrote a playlist with a segment that is not there, {item.uri}")
    return replace(item, size=path.stat().st_size)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
