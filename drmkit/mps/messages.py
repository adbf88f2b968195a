"""The JSON of callbacks, which anybody can send: read whole, in UTF-8, and no deeper than what follows can walk."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

import msgspec

from drmkit.errors import InputError

__all__ = ["load"]

_DEEPEST = 100
"""How deep a message may be nested; documented ones are by about ten levels."""
_GZIP = b"\x1f\x8b"
_WHOLE = "send it the body of the callback, whole"


def load(text: bytes | str) -> Any:
    """Return the value that a message holds; a byte order mark of UTF-8 before it is allowed.

    Raises:
        InputError: it is no JSON, not in UTF-8, or nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.removeprefix(codecs.BOM_UTF8)
        if text.startswith(_GZIP):
            raise InputError("the message is compressed (gzip)", hint="decompress it: gunzip")
        if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in text[:4]:
            raise InputError("the message is UTF-16 or UTF-32 text, and JSON is UTF-8", hint="save it as UTF-8")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        # The decoder's words say what and at which byte, and nothing of the message itself.
        why = str(error) if isinstance(error, msgspec.MsgspecError) else "it holds bytes that are no UTF-8 text"
        raise InputError(f"the message is not JSON ({why})", hint=_WHOLE) from None
    except RecursionError:
        value = None
    else:
        if not _is_deeper(value):
            return value
    raise InputError(f"the message is nested more than {_DEEPEST} levels deep", hint=_WHOLE)


def _is_deeper(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return False
    return True


def _inside(node: Any) -> Iterator[Any]:
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return (item for item in items if isinstance(item, dict | list))
