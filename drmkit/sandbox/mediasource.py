"""The input of a media task as files on this machine: an object, a loopback URL, or a clip made for the purpose."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from drmkit.errors import DrmkitError, StoreError
from drmkit.http import HttpClient
from drmkit.loopback import is_loopback
from drmkit.sandbox.mediafolder import MediaFolder, bucket_of
from drmkit.sandbox.mps_places import input_path
from drmkit.stream.clip import AudioRendition, VideoRendition, make_clip
from drmkit.stream.tools import Tools

__all__ = ["Source", "SourceFaultError", "Sources"]

_LARGEST: Final = 512 * 2**20
_OK: Final = 200
_CLIP_SECONDS: Final = 6
_PICTURE: Final = VideoRendition(1280, 720, bitrate=1_500_000)
_SOUND: Final = AudioRendition(2, 128_000)


class SourceFaultError(Exception):
    """The input of a task cannot be used.

    Args:
        code: the service's code.
        message: why, in words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Source:
    """Where the picture and the sound of a task's input are.

    Attributes:
        name: tells one input from another.
        video: a file whose first video track is the picture.
        audio: a file whose first audio track is the sound.
        note: how the sandbox came by it, in words.
    """

    name: str
    video: Path
    audio: Path
    note: str


class Sources:
    """Find the inputs of tasks. Thread-safe.

    Args:
        folder: the buckets.
        tools: make the clip.
        http: fetches loopback URLs.
        strict: whether an input that is not here fails its task, instead of being a clip.
    """

    def __init__(self, folder: MediaFolder, tools: Tools, http: HttpClient, *, strict: bool) -> None:
        self._folder = folder
        self._tools = tools
        self._http = http
        self._strict = strict
        self._lock = threading.Lock()
        self._clip: Source | None = None
        self._fetched = 0

    def find(self, info: Mapping[str, Any]) -> Source:
        """Return the input that an InputInfo names.

        Raises:
            SourceFaultError: it is not here, or cannot be fetched.
            DrmkitError: the clip cannot be made.
        """
        if info["Type"] == "URL":
            return self._from_url(info["UrlInputInfo"]["Url"])
        bucket, key = bucket_of(info), input_path(info)
        try:
            path = self._folder.path(bucket, key)
        except StoreError as error:
            raise SourceFaultError("InvalidInput", error.message) from None
        if path.is_file():
            return Source(f"{bucket}{key}@{path.stat().st_mtime_ns}", path, path, f"object {key}")
        return self._instead(f"the bucket {bucket} has no object {key}")

    def _from_url(self, url: str) -> Source:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            raise SourceFaultError("InvalidInput", "the input URL cannot be read") from None
        if not is_loopback(host):
            return self._instead("the sandbox fetches inputs from loopback only")
        try:
            answer = self._http.request("GET", url, purpose="the input", timeout=60.0, max_body=_LARGEST)
        except DrmkitError as error:
            raise SourceFaultError("ResourceNotFound.DownloadError", error.message) from None
        if answer.status != _OK:
            raise SourceFaultError(
                "ResourceNotFound.DownloadError", f"the input's server answered HTTP {answer.status}"
            )
        with self._lock:
            self._fetched += 1
            path = self._folder.work / f"input-{self._fetched}"
        try:
            path.write_bytes(answer.body)
        except OSError as error:
            raise SourceFaultError("InternalError", f"the input cannot be kept ({error.strerror})") from None
        return Source(path.name, path, path, "fetched")

    def _instead(self, reason: str) -> Source:
        if self._strict:
            raise SourceFaultError("SourceFileError", reason)
        with self._lock:
            if self._clip is None:
                made = make_clip(
                    self._folder.work / "clip",
                    tools=self._tools,
                    seconds=_CLIP_SECONDS,
                    video=(_PICTURE,),
                    audio=(_SOUND,),
                )
                video, audio = (track.path for track in made)
                self._clip = Source("clip", video, audio, "a generated clip")
            return Source(self._clip.name, self._clip.video, self._clip.audio, f"a generated clip: {reason}")
