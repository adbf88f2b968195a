"""Says in words what Shaka Packager's complaints mean, where that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from drmkit.errors import DrmkitError, PackagingError, StoreError
from drmkit.stream.tracks import REMUX

__all__ = ["explained"]

# The packager does not say why a write failed, and drmkit has made the folder that it writes to.
_FULL = re.compile(r"no space left|running out of disk space|Failed to write file|Failed to close the file")
_NO_TS = "Failed to initialize PesPacketGenerator"
_HIDDEN = "Negative presentation timestamp"
_CUT = (
    "`ffmpeg -i INPUT -map 0:V? -map 0:a? -c copy -use_editlist 0 OUTPUT.mp4` shows the hidden frames; encoded anew,"
    " the file begins where it is to begin"
)
_UNREAD = re.compile(r"Cannot parse media file (\d+)")


def explained(error: PackagingError, inputs: Sequence[Path], *, where: str, hint: str) -> DrmkitError:
    """Return what the packager's complaint means, or the complaint itself.

    Args:
        error: the complaint.
        inputs: the input files, in the order in which the packager was given them.
        where: what it wrote to, for the message.
        hint: what to do where there is no room.
    """
    if _FULL.search(error.message):
        return StoreError(f"the packager could not write {where}: there is no space left, or too little", hint=hint)
    if _NO_TS in error.message:
        return PackagingError(
            f"a track has a codec that the packager does not put into MPEG-TS: {error.message}",
            hint="MPEG-TS takes H.264, AAC, AC-3 and E-AC-3; use fragmented MP4 for the rest",
        )
    unread = _UNREAD.search(error.message)
    if unread and int(unread[1]) < len(inputs):
        # The packager knows an input by the number under which it was linked.
        if _HIDDEN in error.message:
            return PackagingError(
                f"{inputs[int(unread[1])]} hides the frames before its beginning by an edit list, as files do that were"
                " cut without encoding them anew, and Shaka Packager does not take that where frames are reordered",
                hint=_CUT,
            )
        return PackagingError(f"{inputs[int(unread[1])]}: {error.message}", hint=REMUX)
    return error
