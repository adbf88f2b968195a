"""`drmkit cpix resolve`: which content key is for a track, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import file_argument, printable, read_document
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import CpixError, KeySelectionError

if TYPE_CHECKING:
    from drmkit.cpix import ContentKey, Document, Track, UsageRule

__all__ = ["deciding_rule", "resolve"]

_SIZE = re.compile(r"([0-9]{1,9})[xX]([0-9]{1,9})")
_RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([kKmMgG]?)(?:bit/s|bps|b/s)?")
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_FPS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,15})?)(?:/([0-9]{1,9}))?")
_MASK = "**********"


def _size(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    del context, parameter
    match = None if text is None else _SIZE.fullmatch(text)
    if text is not None and match is None:
        raise click.BadParameter(f"{text!r} is no size: write WIDTHxHEIGHT, such as 1920x1080")
    return None if match is None else (int(match[1]), int(match[2]))


def _bitrate(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    del context, parameter
    match = None if text is None else _RATE.fullmatch(text)
    if text is not None and match is None:
        raise click.BadParameter(f"{text!r} is no bitrate: write bits per second, such as 5000000, 800k or 5M")
    return None if match is None else float(match[1]) * _FACTORS[match[2].lower()]


def _fps(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    del context, parameter
    match = None if text is None else _FPS.fullmatch(text)
    if text is not None and (match is None or float(match[2] or 1) == 0):
        raise click.BadParameter(f"{text!r} is no frame rate: write 25, 29.97 or 30000/1001")
    return None if match is None else float(match[1]) / float(match[2] or 1)


def _moment(context: click.Context, parameter: click.Parameter, text: str | None) -> dict[str, Any]:
    """Read --at: an index, a time, an offset, or else the label of a period."""
    from drmkit.cpix.values import parse_datetime, parse_duration  # noqa: PLC0415 (help needs no parser)

    del context, parameter
    if text is None:
        return {}
    if re.fullmatch("[0-9]{1,20}", text):
        return {"period_index": int(text)}
    for parse in (parse_datetime, parse_duration):
        with suppress(ValueError, OverflowError):
            at: datetime | timedelta = parse(text)
            return {"at": at}
    return {"period_label": text}


@click.command()
@file_argument
@click.option("--video", callback=_size, metavar="WxH", help="A video track of this encoded size.")
@click.option("--audio", type=click.IntRange(0), metavar="CHANNELS", help="An audio track with so many channels.")
@click.option("--fps", callback=_fps, metavar="RATE", help="Frames per second: 25, 29.97 or 30000/1001.")
@click.option("--bitrate", callback=_bitrate, metavar="RATE", help="Bits per second: 5000000, 800k or 5M.")
@click.option("--hdr/--no-hdr", default=None, help="High dynamic range, or not; default: not known.")
@click.option("--wcg/--no-wcg", default=None, help="Wide color gamut, or not; default: not known.")
@click.option("--label", "labels", multiple=True, help="A label of the track; may be repeated.")
@click.option("--track-type", metavar="NAME", help="Look only at rules with this intendedTrackType, such as HD.")
@click.option(
    "--at",
    "moment",
    callback=_moment,
    metavar="INDEX|TIME|OFFSET|LABEL",
    help="Which key period: its index, a time (2026-01-31T20:00:00Z), an offset (PT90S), or its label.",
)
@click.option("--reveal", is_flag=True, help="Show the content key.")
@format_option
@pass_app
def resolve(app: App, /, *, path: str, moment: dict[str, Any], reveal: bool, form: str, **track: Any) -> None:
    """Say which content key is for a track, and why; exit code 1 when none is, or two are.

    What is not given of the track is not known: a rule that asks for it is unusable, and then CPIX forbids to choose.
    """
    del app
    document = read_document(path)
    tracks = _tracks(**track)
    key = _choose(document, tracks, moment)
    rule = deciding_rule(document, key, tracks, moment)
    others = [other for other in document.usage_rules if other != rule]
    value = None if key.key is None else key.key.reveal().hex() if reveal else _MASK
    data = {
        "kid": key.kid.uuid,
        "key": value,
        "encrypted": key.is_encrypted,
        "iv": _iv(key),
        "scheme": key.scheme,
        "track_type": rule.intended_track_type,
        "rule": {"line": rule.line, "tracks": _words(rule), "periods": rule.period_ids},
        "other_rules": [{"line": o.line, "track_type": o.intended_track_type, "tracks": _words(o)} for o in others],
    }
    emit(form, data, lambda: _text(data, key))


def _tracks(
    *,
    video: tuple[int, int] | None,
    audio: int | None,
    fps: float | None,
    bitrate: float | None,
    hdr: bool | None,
    wcg: bool | None,
    labels: tuple[str, ...],
    track_type: str | None,
) -> list[Track]:
    from drmkit.cpix import AudioTrack, VideoTrack  # noqa: PLC0415 (help needs no parser)

    if video is not None and audio is not None:
        raise click.UsageError("a track is --video or --audio, not both")
    seen = [name for name, value in (("--fps", fps), ("--hdr", hdr), ("--wcg", wcg)) if value is not None]
    if audio is not None and seen:
        raise click.UsageError(f"{' and '.join(seen)} is for video tracks")
    if video is None and audio is None and not (labels or track_type):
        raise click.UsageError("say which track: --video WIDTHxHEIGHT, --audio CHANNELS, or --label NAME")
    width, height = video or (None, None)
    of_video = VideoTrack(width, height, fps, bitrate, hdr, wcg, labels, track_type)
    of_audio = AudioTrack(audio, bitrate, labels, track_type)
    if video is not None or seen:
        return [of_video]
    return [of_audio] if audio is not None else [of_video, of_audio]


def _choose(document: Document, tracks: list[Track], moment: dict[str, Any]) -> ContentKey:
    found = [key for key in (document.key_for(track, **moment) for track in tracks) if key is not None]
    if len({key.kid for key in found}) > 1:
        raise click.UsageError("whether it is a video or an audio track decides here: say --video or --audio")
    if not found:
        count = len(document.usage_rules)
        raise KeySelectionError(
            f"none of the {count} usage rules matches this track" if count else "the document has no usage rules",
            hint="`drmkit cpix show` lists the rules in words",
        )
    return found[0]


def deciding_rule(document: Document, key: ContentKey, tracks: Sequence[Track], moment: Mapping[str, Any]) -> UsageRule:
    """Return the rule that gives the key: of several for this key, the first that would do so alone."""
    from drmkit import cpix  # noqa: PLC0415

    rules = document.usage_rules.for_key(key.kid)
    positions = [n for n, rule in enumerate(document.usage_rules) if rule in rules]
    for rule, position in zip(rules, positions, strict=True) if len(rules) > 1 else ():
        alone = cpix.parse(document.to_xml())
        for signature in list(alone.signatures):
            alone.signatures.remove(signature)
        for number, other in enumerate(list(alone.usage_rules)):
            if number != position:
                alone.usage_rules.remove(other)
        if any(alone.key_for(track, **moment) for track in tracks):
            return rule
    return rules[0]


def _iv(key: ContentKey) -> str | None:
    try:
        return None if key.iv is None else key.iv.hex()
    except CpixError:
        return "unreadable"


def _words(rule: UsageRule) -> str:
    from drmkit.cpix.overview import rule_words  # noqa: PLC0415

    return rule_words(rule)


def _text(data: dict[str, Any], key: ContentKey) -> str:
    state = "encrypted: see `drmkit cpix decrypt`" if key.is_encrypted else "not in the document"
    rows = {
        "key ID": data["kid"],
        "key": data["key"] or state,
        "IV": data["iv"],
        "scheme": data["scheme"],
        "track type": data["track_type"],
        "because": f"the usage rule in line {data['rule']['line']} is for {data['rule']['tracks']}"
        + (f", in period {' or '.join(data['rule']['periods'])}" if data["rule"]["periods"] else ""),
    }
    lines = [f"{name + ':':12}{printable(value)}" for name, value in rows.items() if value]
    lines += [f"{'' if number else 'not:':12}{_other(other)}" for number, other in enumerate(data["other_rules"])]
    return "\n".join(lines)


def _other(rule: dict[str, Any]) -> str:
    name = f", {rule['track_type']}" if rule["track_type"] else ""
    return printable(f"line {rule['line']}{name}: {rule['tracks']}")
