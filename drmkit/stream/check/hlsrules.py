"""Rules on HLS key tags: method, key format, IV, and whether they are those of the segments that they hold for."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.signaling import fairplay
from drmkit.signaling.schemes import SCHEMES, hls_method
from drmkit.stream.check.boxrules import Context, Placed, check_boxes
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.check.presentation import KeyLine, Presentation, StreamTrack

__all__ = ["check_key_lines", "check_segments", "check_session_keys"]

_KEY_SIZE = 16
_SHOWN = 6


def check_key_lines(track: StreamTrack, kids: Sequence[KeyId], collector: Collector) -> None:
    """Check the key tags of a playlist, each for itself.

    Args:
        track: the track.
        kids: the key IDs of its media, or of the whole stream where those are not known.
        collector: takes the findings.
    """
    for line in track.keys:
        key = line.key
        if line.is_identity:
            _identity(track, line, kids, collector)
            continue
        if line.system is None:
            collector.add(
                "hls-keyformat", f'KEYFORMAT="{key.keyformat[:60]}" is not known', track=track.name, place=line.place
            )
        if line.system is DrmSystem.FAIRPLAY and key.method == "SAMPLE-AES-CTR":
            collector.add(
                "hls-fairplay-scheme", "a FairPlay tag has METHOD=SAMPLE-AES-CTR", track=track.name, place=line.place
            )
        try:
            key.boxes()
        except SignalingError as error:
            collector.add("pssh-broken", error.message, track=track.name, place=line.place, hint=error.hint)


def _identity(track: StreamTrack, line: KeyLine, kids: Sequence[KeyId], collector: Collector) -> None:
    uri = line.key.uri or ""
    try:
        payload = line.key.payload()
    except SignalingError:
        payload = b""
    if uri.lower().startswith("data:"):
        if payload in {kid.raw for kid in kids}:
            words = "the key tag of format identity has the key ID behind its URI, which players take as the key itself"
            collector.add("hls-identity-line", words, track=track.name, place=line.place)
        elif payload is not None and len(payload) == _KEY_SIZE:
            words = "the URI of the key tag is 16 bytes of data: the key stands in the playlist, for everyone to read"
            collector.add("hls-key-inside", words, track=track.name, place=line.place)
        else:
            words = "the key tag of format identity has data behind its URI that is no key of 16 bytes"
            collector.add("hls-identity-line", words, track=track.name, place=line.place)
    elif uri.lower().startswith("http:"):
        collector.add("hls-key-over-http", "the key is fetched over http", track=track.name, place=line.place)


def check_segments(look: Look, context: Context, collector: Collector) -> None:
    """Check the tags in force at each segment that was read against what is in it."""
    _presence(look, collector)
    seen: set[tuple[KeyLine, tuple[KeyId, ...]]] = set()
    for one in look.segments:
        for line in one.segment.keys if one.protected else ():
            if (line, one.kids) not in seen:
                seen.add((line, one.kids))
                _line(look, line, one, context, collector)


def _presence(look: Look, collector: Collector) -> None:
    """Find encrypted segments without a key tag, and clear ones with one; one finding of a track tells of all."""
    name = look.track.name
    bare = [one for one in look.segments if one.protected and not one.segment.keys]
    if bare:
        words = f"{_segments(bare)} encrypted, and no key tag is in force"
        collector.add("hls-key-missing", words, track=name, place=bare[0].segment.place)
    elif not look.segments and look.media.encrypted is not None and not look.track.keys:
        words = "the media is encrypted, and the playlist has no key tag"
        collector.add("hls-key-missing", words, track=name, place=look.track.place)
    clear = [one for one in look.segments if one.clear and not one.protected and _sample_keys(one)]
    if clear:
        words = f"{_segments(clear)} in the clear, and a key tag is in force"
        collector.add("hls-key-for-clear", words, track=name, place=clear[0].segment.place)


def _sample_keys(one: Looked) -> bool:
    return any(line.key.method != "AES-128" for line in one.segment.keys)


def _segments(found: Sequence[Looked]) -> str:
    numbers = [str(one.segment.index) for one in found]
    if len(numbers) == 1:
        return f"segment {numbers[0]} is"
    return f"segments {', '.join(numbers[:_SHOWN])}{', ...' if len(numbers) > _SHOWN else ''} are"


def _line(look: Look, line: KeyLine, one: Looked, context: Context, collector: Collector) -> None:
    name, key = look.track.name, line.key
    if context.scheme in SCHEMES and key.method != hls_method(context.scheme):
        what = {"ts": "MPEG-TS", "packed": "packed audio"}.get(look.container, context.scheme)
        words = f"METHOD={key.method[:40]}, and the segments are {what}"
        hint = f"METHOD={hls_method(context.scheme)}"
        collector.add("hls-method", words, track=name, place=line.place, hint=hint)
    _iv(look, one, line, collector)
    try:
        kid = key.key_id
    except SignalingError as error:
        collector.add("hls-tag-broken", error.message, track=name, place=line.place, hint=error.hint)
        kid = None
    if kid is not None and kid not in one.kids:
        order = ": the same bytes in the wrong order" if KeyId(kid.guid_le) in one.kids else ""
        words = f"KEYID is {kid}, and segment {one.segment.index} has the key ID {one.kids[0]}{order}"
        collector.add("hls-kid", words, track=name, place=line.place)
    system = system_name(line.system.system_id) if line.system else "an unknown system"
    boxes = [Placed(box, line.place, f"the key tag of {system}") for box in line.boxes]
    here = Context(context.track, one.kids, context.scheme, context.owners, context.keys)
    check_boxes(boxes, here, collector)
    if line.system is DrmSystem.FAIRPLAY:
        _fairplay(line, one, here, collector)


def _iv(look: Look, one: Looked, line: KeyLine, collector: Collector) -> None:
    entry = look.media.encrypted
    try:
        iv = line.key.iv
    except SignalingError as error:
        collector.add("hls-tag-broken", error.message, track=look.track.name, place=line.place, hint=error.hint)
        return
    if iv is None or entry is None or one.first_iv is None:
        return
    boxes = not look.by_tags
    # That of the samples: a key group brings an IV of its own.
    if (entry.constant_iv is not None or not boxes) and iv != one.first_iv.ljust(_KEY_SIZE, b"\0"):
        whose = "the constant IV of the media" if boxes else "that of another key tag in force"
        collector.add(
            "hls-iv",
            f"IV is 0x{iv.hex()}, {whose} is 0x{one.first_iv.hex()}",
            track=look.track.name,
            place=line.place,
        )


def _fairplay(line: KeyLine, one: Looked, context: Context, collector: Collector) -> None:
    """Find a FairPlay URI that names the key of another track; one that names none may be of the service's own form."""
    uri = line.key.uri or ""
    try:
        others = [kid for kid in context.owners if kid not in one.kids and fairplay.names(uri, kid)]
        right = any(fairplay.names(uri, kid) for kid in one.kids)
    except SignalingError as error:
        collector.add("hls-tag-broken", error.message, track=context.track, place=line.place, hint=error.hint)
        return
    if others and one.kids and not right:
        owner = context.owners[others[0]]
        words = f"the FairPlay URI names {others[0]} (the key of {owner}), the key ID of the track is {one.kids[0]}"
        collector.add("hls-kid", words, track=context.track, place=line.place)


def check_session_keys(found: Presentation, collector: Collector) -> None:
    """Check that each session key is a key of a media playlist."""
    known = {_said(line) for track in found.tracks for line in track.keys}
    for line in found.session_keys:
        if known and _said(line) not in known:
            collector.add(
                "hls-session-key",
                f'the session key of KEYFORMAT="{line.key.keyformat[:60]}" is no key of the media playlists',
                place=line.place,
            )


def _said(line: KeyLine) -> tuple[str, str | None]:
    return line.key.keyformat.lower(), line.key.uri
