"""Where in a PSSH box its key ID stands, and what else differs between the boxes of one make."""

from __future__ import annotations

import base64
import re
from typing import Final

__all__ = ["CHECKSUM", "CHECKSUM_SIZE", "CHECKSUM_TEXT", "playready_kid", "stands_clear"]

CHECKSUM: Final = "<CHECKSUM>".encode("utf-16-le")
CHECKSUM_SIZE: Final = 24
CHECKSUM_TEXT: Final = re.compile(rb"(?:[A-Za-z0-9+/]\0){11}=\0")


def stands_clear(written: bytes, box: bytes) -> bool:
    """Say whether a key ID stands in a box, and each time at a place that is beyond doubt.

    Where a key ID such as sixteen bytes of 1 follows a byte of 1, it could stand at either.
    """
    place = box.find(written)
    while place >= 0:
        following = box.find(written, place + 1)
        if following < 0:
            return True
        if following < place + len(written):
            return False
        place = following
    return False


def playready_kid(raw: bytes) -> bytes:
    """Return a key ID as PlayReady writes it: a GUID in base64 in UTF-16."""
    guid = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return base64.b64encode(guid).decode().encode("utf-16-le")
