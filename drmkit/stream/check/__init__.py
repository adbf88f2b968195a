"""Checks any HLS or DASH stream: manifest, segments and keys against each other, and against a CPIX document.

- `checking`: `check_stream`, the one way in; `model`, `summary`: the report that it returns; `catalog`: every rule
- `access`: reads files and URLs; `hls`, `playlist`, `dash`, `addressing`, `sidx`: what manifests name
- `presentation`: what they say, HLS and DASH alike; `initsegment`, `fragments`, `look`, `presence`: what the media says
- `transport`, `samplelook`, `samplerules`, `samplecipher`, `sampledecoding`: MPEG-TS and packed audio under SAMPLE-AES
- `webm`, `webmdecoding`: WebM
- `mediarules`, `boxrules`, `hlsrules`, `dashrules`, `crossrules`, `documentrules`: the rules; `collector`: findings
- `hlskeys`, `givenkeys`: what key tags say of a key, and what is known of it; `decoding`, `judgement`, `decryption`,
  `unnamed`, `rekeying`, `sources`, `aes128`, `wholesource`: whether it really decrypts
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drmkit.stream.check.checking import check_stream
    from drmkit.stream.check.model import Finding, StreamReport, TrackReport

__all__ = ["Finding", "StreamReport", "TrackReport", "check_stream"]

_HOMES = {"Finding": "model", "StreamReport": "model", "TrackReport": "model", "check_stream": "checking"}


def __getattr__(name: str) -> Any:
    """Load what reads streams only when it is asked for: the list of rules needs none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
