"""Decrypts packaged tracks with Shaka Packager: the second opinion beside ffmpeg's."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from drmkit.errors import InputError, PackagingError, StoreError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.complaints import explained
from drmkit.stream.probe import Kind
from drmkit.stream.process import run
from drmkit.stream.staging import private_folder, staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["joined", "unsealed"]

_KEY_LENGTH = 16
_ROOM = "make room there, name another folder in TMPDIR, or leave the verification out"


@contextlib.contextmanager
def joined(files: Sequence[Path]) -> Iterator[Path]:
    """Yield one file with the bytes of all, one behind the other; a single file is yielded as it is.

    Raises:
        InputError: there is no file, or one cannot be read.
        StoreError: there is no room for the joined file.
    """
    if not files:
        raise InputError("there is no file to read")
    if len(files) == 1:
        yield files[0]
        return
    with private_folder() as folder:
        whole = folder / "joined.mp4"
        with whole.open("wb") as target:
            for path in files:
                _append(path, target)
        yield whole


def _append(path: Path, target: BinaryIO) -> None:
    try:
        source = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    with source:
        try:
            shutil.copyfileobj(source, target)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be copied to {tempfile.gettempdir()} ({error.strerror})",
                hint=_ROOM,
            ) from None


@contextlib.contextmanager
def unsealed(
    files: Sequence[Path], keys: Mapping[KeyId, Secret[bytes]], *, kind: Kind, tools: Tools, timeout: float = 600.0
) -> Iterator[Path]:
    """Yield an MP4 file of a track in the clear, decrypted by Shaka Packager; it is gone when the block ends.

    A wrong key gives a file of noise and no error. The keys reach the packager through a pipe, never the process list.

    Args:
        files: the files that make the track when read one behind the other (initialization segment first).
        keys: the content keys, 16 bytes each, by key ID.
        kind: "video" or "audio".
        tools: the programs to use.
        timeout: seconds that the packager may take.

    Raises:
        InputError: a file cannot be read, or a key has not 16 bytes.
        PackagingError: the keys lack the file's key ID, or the packager cannot read the media.
        StoreError: there is no room for the clear file.
    """
    for kid, key in keys.items():
        if len(key.reveal()) != _KEY_LENGTH:
            raise InputError(f"key {kid} has {len(key.reveal())} bytes, not 16")
    pairs = ",".join(
        f"label=K{i}:key_id={kid.hex}:key={key.reveal().hex()}" for i, (kid, key) in enumerate(keys.items())
    )
    flags = Secret(f"--keys={pairs}\n")
    with joined(files) as whole, staged_inputs([whole]) as (folder, (name,)):
        argv: list[str | Path | Secret[str]] = [tools.packager, f"in={name},stream={kind},output=clear.mp4"]
        argv += ["--quiet", "--temp_dir=.", "--enable_raw_key_decryption", "--flagfile", flags]
        try:
            run(argv, timeout=timeout, cwd=folder, hide=keys.values())
        except PackagingError as error:
            raise explained(error, files[:1], where=f"a clear copy to {tempfile.gettempdir()}", hint=_ROOM) from None
        yield folder / "clear.mp4"
