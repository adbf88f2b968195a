"""Serves the media files of one folder, whole or by Range (RFC 9110, clause 14), and nothing else that lies there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

__all__ = ["MEDIA_TYPES", "MediaFiles"]

MEDIA_TYPES: Mapping[str, str] = {
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".m4a": "audio/mp4",
    ".cmfv": "video/mp4",
    ".cmfa": "audio/mp4",
    ".cmft": "application/mp4",
    ".ts": "video/mp2t",
    ".aac": "audio/aac",
    ".webm": "video/webm",
    ".vtt": "text/vtt; charset=utf-8",
    ".ttml": "application/ttml+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".key": "application/octet-stream",
}
"""What is served, by suffix: a CPIX document beside a manifest is not."""
_KEY_SUFFIX = ".key"
_RANGE = re.compile(r"bytes=(?:(?P<first>\d{1,18})-(?P<last>\d{1,18})?|-(?P<suffix>\d{1,18}))")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, Date, ETag",
}


class MediaFiles:
    """The endpoint for the files below a folder.

    Args:
        root: the folder.
        public: pages of other origins may read the files (CORS); key files they may not.
    """

    def __init__(self, root: Path, *, public: bool) -> None:
        self._root = root
        self._public = public

    async def answer(self, request: Request) -> Response:
        """Answer GET, HEAD and a preflight for `path`."""
        path = self._find(request.path_params["path"])
        if path is None:
            return PlainTextResponse("there is no such media file\n", 404, headers=self._headers(""))
        headers = self._headers(path.suffix.lower())
        if request.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"}
            return Response(status_code=204, headers={**headers, **(allowed if self._public else {})})
        stat = path.stat()
        wanted = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
        if wanted and not _satisfiable(wanted, stat.st_size):
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{stat.st_size}"})
        if not wanted or (wanted["last"] and int(wanted["last"]) < int(wanted["first"])):
            # Several ranges, another unit or a broken one: the whole file is the answer that RFC 9110 allows to all.
            request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
        kind = MEDIA_TYPES[path.suffix.lower()]
        return FileResponse(path, headers=headers, media_type=kind, stat_result=stat)

    def _headers(self, suffix: str) -> dict[str, str]:
        headers = {"X-Content-Type-Options": "nosniff"}
        if self._public and suffix != _KEY_SUFFIX:
            return headers | _CORS
        return headers | {"Cross-Origin-Resource-Policy": "same-origin"}

    def _find(self, name: str) -> Path | None:
        """Return the file that a URL path names, or None where it is hidden, no media, outside, or not there."""
        parts = name.split("/")
        if any(part.startswith(".") or not part or "\\" in part or "\0" in part for part in parts):
            return None
        try:
            root = self._root.resolve(strict=True)
            path = root.joinpath(*parts).resolve(strict=True)
            # What a link inside the folder leads to must lie in it too, and be media under its own name.
            inside = path.is_relative_to(root) and S_ISREG(path.stat().st_mode)
        except (OSError, RuntimeError):
            return None
        return path if inside and path.suffix.lower() in MEDIA_TYPES else None


def _satisfiable(wanted: re.Match[str], size: int) -> bool:
    if wanted["suffix"] is not None:
        return int(wanted["suffix"]) > 0 and size > 0
    return int(wanted["first"]) < size
