"""The options of `drmkit package`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import click

from drmkit.cli.package_source import SYSTEMS
from drmkit.cli.speke_connection import access_options

__all__ = ["FIXES", "MANIFESTS", "package_options"]

MANIFESTS: Final[tuple[Literal["hls", "dash"], ...]] = ("hls", "dash")
FIXES: Final = ("label", "track_type", "kid", "language")
"""The options that may speak of one track, as TRACK=VALUE."""
_FORMS: Final = ("text", "json")
_Command: TypeAlias = Callable[..., Any]
_Options: TypeAlias = tuple[Callable[[_Command], _Command], ...]


def _formats(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    del context, parameter
    words = tuple(word.strip().lower() for text in texts for word in text.split(","))
    for word in words:
        if word not in {*MANIFESTS, *_FORMS}:
            raise click.BadParameter(f"{word!r} is none of hls, dash, text and json")
    return words


def _fixes(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Split TRACK=VALUE; without a track, the value is for all of them."""
    del context
    pairs = [text.rpartition("=") for text in texts]
    if any(not value or (equals and not track) for track, equals, value in pairs):
        raise click.BadParameter(f"write {parameter.metavar}")
    return tuple((track, value) for track, _, value in pairs)


_SOURCE: Final[_Options] = (
    click.option("--cpix", metavar="FILE|-", help="The CPIX document with the keys; - for standard input."),
    click.option(
        "--key-source",
        metavar="drmtoday:PROFILE|speke:URL",
        help="Ask for the keys. At DRMtoday this is an ingest, no probe: it makes keys for the asset. Instead of a "
        "SPEKE URL, a private file that holds it: speke:FILE.",
    ),
    click.option("--asset", "--content-id", "asset", metavar="ID", help="What the keys are asked for."),
)
_STREAM: Final[_Options] = (
    click.option(
        "--output",
        required=True,
        type=click.Path(path_type=Path),
        help="The folder to make; it appears whole, or not.",
    ),
    click.option(
        "--format",
        "formats",
        metavar="hls|dash|text|json,...",
        multiple=True,
        callback=_formats,
        help="The manifests to write (default: hls,dash), and the form of the answer (default: text).",
    ),
    click.option(
        "--layout",
        type=click.Choice(["file", "segments"]),
        default="file",
        show_default=True,
        help="One MP4 file a track with byte ranges, or a file a segment.",
    ),
    click.option(
        "--segment-duration",
        type=click.FloatRange(0, min_open=True),
        default=6.0,
        show_default=True,
        metavar="SECONDS",
        help="The length of segments, key frames permitting.",
    ),
    click.option(
        "--scheme",
        type=click.Choice(["cenc", "cbcs"]),
        help="For keys that state no protection scheme (default: what their PSSH boxes name), and what a key "
        "source is asked for (default: cbcs, which Widevine, PlayReady and FairPlay play).",
    ),
)
_TRACKS: Final[_Options] = (
    click.option(
        "--kid", metavar="[TRACK=]KID", multiple=True, callback=_fixes, help="Use this key, whatever the rules."
    ),
    click.option(
        "--label", metavar="[TRACK=]LABEL", multiple=True, callback=_fixes, help="For rules with label filters."
    ),
    click.option(
        "--track-type",
        "--intended-track-type",
        "track_type",
        metavar="[TRACK=]NAME",
        multiple=True,
        callback=_fixes,
        help="Look only at rules with this intendedTrackType.",
    ),
    click.option(
        "--language", metavar="[TRACK=]TAG", multiple=True, callback=_fixes, help="Language, such as en or pt-BR."
    ),
    click.option("--allow-clear", is_flag=True, help="Leave tracks without a key in the clear; else they are refused."),
)
_ACCESS: Final[_Options] = (
    click.option(
        "--decrypt-key",
        metavar="FILE",
        help="The private key (PEM, DER or PKCS#12) for documents with encrypted keys.",
    ),
    click.option("--password-file", metavar="FILE", help="The passphrase of that key; without it, you are asked."),
    click.option("--allow-missing-mac", is_flag=True, help="Accept encrypted keys without a MAC."),
    click.option("--video-preset", metavar="PRESET", help="SPEKE: VIDEO-1 to VIDEO-8, SHARED or UNENCRYPTED."),
    click.option("--audio-preset", metavar="PRESET", help="SPEKE: AUDIO-1 to AUDIO-3, SHARED or UNENCRYPTED."),
    click.option(
        "--system",
        "systems",
        type=click.Choice(SYSTEMS),
        multiple=True,
        help="SPEKE: a DRM system to ask for; default: widevine, playready, and fairplay but for cenc.",
    ),
    access_options,
)
_RUN: Final[_Options] = (
    click.option(
        "--verify",
        type=click.Choice(["none", "packets", "frames"]),
        default="packets",
        show_default=True,
        help="Decrypt the result with ffmpeg and Shaka Packager and compare it with the source: packets (as long "
        "as copying thrice), frames (as long as decoding thrice), or none. What the files say is always checked.",
    ),
    click.option("--packager", metavar="FILE", help="Your own Shaka Packager, 3.4 or later."),
    click.option("--ffmpeg", metavar="FILE", help="Your own ffmpeg, 8 or later."),
    click.option("--ffprobe", metavar="FILE", help="Your own ffprobe."),
    click.option(
        "--dry-run", is_flag=True, help="Show tracks, keys, rules and the packager's arguments; call nothing."
    ),
)


def package_options(command: _Command) -> _Command:
    """Add the options of the command, in the order in which the help lists them."""
    for option in reversed((*_SOURCE, *_STREAM, *_TRACKS, *_ACCESS, *_RUN)):
        command = option(command)
    return command
