"""The folder that stands for the buckets of the sandbox's media processing account, and the work folder beside it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from drmkit.errors import StoreError

__all__ = ["MediaFolder", "bucket_of", "media_url"]

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PLACES: Final = {
    "COS": ("Cos", "Bucket"),
    "AWS-S3": ("S3", "S3Bucket"),
    "VOD": ("VOD", "Bucket"),
}


class MediaFolder:
    """Buckets as folders: `ROOT/BUCKET/KEY`.

    A root that was given stays; one that was not is made for this sandbox and goes with it.

    Args:
        root: the folder that stands for all buckets, or None for one of the sandbox's own.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._own = root is None
        self._root = root
        self._work: Path | None = None

    @property
    def root(self) -> Path:
        """The folder that stands for all buckets."""
        if self._root is None:
            raise StoreError("the sandbox's media folder has not been opened")
        return self._root

    @property
    def work(self) -> Path:
        """A private folder on the same file system; it goes when the sandbox stops."""
        if self._work is None:
            raise StoreError("the sandbox's media folder has not been opened")
        return self._work

    def open(self) -> None:
        """Make the folders.

        Raises:
            StoreError: they cannot be made.
        """
        try:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="drmkit-sandbox-"))
            self._root.mkdir(parents=True, exist_ok=True)
            self._root = self._root.resolve()
            self._work = Path(tempfile.mkdtemp(prefix=".drmkit-", dir=self._root))
        except OSError as error:
            raise StoreError(
                f"the sandbox cannot keep media in {self._root or tempfile.gettempdir()} ({error.strerror})",
                hint="name another folder for its buckets",
            ) from None

    def close(self) -> None:
        """Remove the work folder, and the root if it is the sandbox's own."""
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)
        if self._own and self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def path(self, bucket: str, key: str) -> Path:
        """Return where an object is or would be; it never lies outside of its bucket.

        Raises:
            StoreError: the bucket or the key cannot name a file.
        """
        parts = [part for part in PurePosixPath(key).parts if part != "/"]
        if not _BUCKET.fullmatch(bucket) or ".." in parts or not parts or "\0" in key:
            raise StoreError(f"{bucket!r} and {key!r} do not name an object")
        found = self.root.joinpath(bucket, *parts)
        if not found.resolve().is_relative_to(self.root):
            raise StoreError(f"{key!r} leads out of the bucket {bucket!r}")
        return found

    def install(self, made: Path, bucket: str, key: str) -> Path:
        """Move a file into a bucket, in the place of what was there under its key.

        Raises:
            StoreError: the place cannot be written.
        """
        place = self.path(bucket, key)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            return made.replace(place)
        except OSError as error:
            raise StoreError(f"the object {key} cannot be written to the bucket {bucket} ({error.strerror})") from None


def bucket_of(place: Mapping[str, Any]) -> str:
    """Return the name of the bucket that an InputInfo or OutputStorage names; VOD may name none."""
    prefix, field = _PLACES.get(place["Type"], ("", ""))
    for name in (f"{prefix}InputInfo", f"{prefix}OutputStorage"):
        if isinstance(place.get(name), dict):
            return str(place[name].get(field) or "default")
    return "default"


def media_url(bucket: str, key: str) -> str:
    """Return the path under which the sandbox serves an object."""
    return f"/media/{bucket}/{key.lstrip('/')}"
