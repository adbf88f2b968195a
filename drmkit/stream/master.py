"""Reads the HLS multivariant playlists of one or several packager runs, and writes one of them all (RFC 8216)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from drmkit.stream.naming import relative
from drmkit.stream.playlists import parse_attributes
from drmkit.stream.probe import Kind

__all__ = ["Rendition", "parse_master", "render_master"]

_COMPUTED = frozenset({"BANDWIDTH", "AVERAGE-BANDWIDTH", "CODECS", "AUDIO", "CLOSED-CAPTIONS"})
_CHOSEN = frozenset({"URI", "GROUP-ID", "DEFAULT", "AUTOSELECT", "TYPE"})
_VERSION = 6


@dataclass(frozen=True, slots=True)
class Rendition:
    """A track as the multivariant playlist shows it.

    Attributes:
        kind: "video" or "audio".
        playlist: its media playlist, as a path below the stream's folder.
        codecs: its codec (RFC 6381).
        peak: bits per second of its fullest segment.
        average: bits per second over all segments.
        stream: attributes of its `EXT-X-STREAM-INF`, such as `RESOLUTION`; as they stand.
        media: attributes of its `EXT-X-MEDIA`, such as `LANGUAGE`; as they stand.
    """

    kind: Kind
    playlist: str
    codecs: str
    peak: int
    average: int
    stream: dict[str, str] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)


def parse_master(text: str) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the attributes of the variants and of the audio renditions, each by the path of its media playlist."""
    streams: dict[str, dict[str, str]] = {}
    media: dict[str, dict[str, str]] = {}
    pending: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXT-X-MEDIA":
            said = parse_attributes(value)
            media[said.get("URI", "").strip('"')] = said
        elif name == "#EXT-X-STREAM-INF":
            pending = parse_attributes(value)
        elif line and not line.startswith("#"):
            streams.setdefault(line, pending)
    return streams, media


def render_master(path: str, renditions: Sequence[Rendition], session_keys: Iterable[str] = ()) -> str:
    """Return the text of a multivariant playlist: each video with each audio group, or the audio alone.

    Audio of one codec makes one group, since a variant states the codecs of its group (clause 4.3.4.2). A variant's
    bandwidth is that of its video and of the fullest audio of its group.

    Args:
        path: where the playlist stands below the stream's folder.
        renditions: the tracks, in their order.
        session_keys: `EXT-X-SESSION-KEY` lines.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS", *dict.fromkeys(session_keys)]
    groups = _groups([item for item in renditions if item.kind == "audio"])
    for name, members in groups.items():
        lines += [_media(name, item, path, first=item is members[0]) for item in members]
    videos = [item for item in renditions if item.kind == "video"]
    for name, members in groups.items():
        for item in videos or members:
            sound = members if videos else []
            lines += [_variant(item, name, sound), relative(item.playlist, path)]
    if not groups:
        for item in videos:
            lines += [_variant(item, None, []), relative(item.playlist, path)]
    return "\n".join([*lines, ""])


def _groups(audio: Sequence[Rendition]) -> dict[str, list[Rendition]]:
    families = list(dict.fromkeys(_family(item) for item in audio))
    names = {family: "audio" if len(families) == 1 else f"audio-{family}" for family in families}
    return {name: [item for item in audio if _family(item) == family] for family, name in names.items()}


def _family(item: Rendition) -> str:
    return item.codecs.partition(".")[0].lower()


def _media(group: str, item: Rendition, path: str, *, first: bool) -> str:
    fields = {"TYPE": "AUDIO", "URI": f'"{relative(item.playlist, path)}"', "GROUP-ID": f'"{group}"'}
    fields |= {name: value for name, value in item.media.items() if name not in _CHOSEN}
    fields |= {"DEFAULT": "YES" if first else "NO", "AUTOSELECT": "YES"}
    return "#EXT-X-MEDIA:" + _text(fields)


def _variant(item: Rendition, group: str | None, sound: Sequence[Rendition]) -> str:
    codecs = dict.fromkeys([item.codecs, *(member.codecs for member in sound)])
    fields = {
        "BANDWIDTH": str(item.peak + max((member.peak for member in sound), default=0)),
        "AVERAGE-BANDWIDTH": str(item.average + max((member.average for member in sound), default=0)),
        "CODECS": f'"{",".join(codecs)}"',
    }
    fields |= {name: value for name, value in item.stream.items() if name not in _COMPUTED}
    if group:
        fields["AUDIO"] = f'"{group}"'
    fields["CLOSED-CAPTIONS"] = "NONE"
    return "#EXT-X-STREAM-INF:" + _text(fields)


def _text(fields: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in fields.items())
