"""Seed files: private, and in the encoding that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from drmkit.errors import ConfigurationError, InputError
from drmkit.keys.seedfile import Encoding, decode_seed, read_seed, write_seed
from drmkit.secret import Secret

SEED = bytes(range(100, 130))


def _file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "seed"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "encoding", "expected"),
    [
        (b"ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CB\n", "base64", SEED),
        (b"ZGVmZ2hpamtsbW5v\ncHFyc3R1dnd4eXp7fH1+f4CB", "base64", SEED),
        (SEED.hex().encode() + b"\r\n", "hex", SEED),
        (SEED.hex().upper().encode(), "hex", SEED),
        (SEED, "raw", SEED),
        (b"a secret text\n", "text", b"a secret text"),
        (b"a secret text\r\n", "text", b"a secret text"),
        (b"text\n\n", "text", b"text\n"),
        (b"raw\n", "raw", b"raw\n"),
    ],
)
def test_each_encoding_is_read_as_named(tmp_path: Path, content: bytes, encoding: Encoding, expected: bytes) -> None:
    """White space around base64 and hexadecimal does not count; text loses one line break; raw loses nothing."""
    assert read_seed(_file(tmp_path, content), encoding) == Secret(expected)


@pytest.mark.parametrize(("content", "encoding"), [(b"not base64!", "base64"), (b"AAA", "base64"), (b"abc", "hex")])
def test_another_encoding_is_refused_without_showing_the_seed(content: bytes, encoding: Encoding) -> None:
    """What is not in the named encoding is an error that names the encoding and shows nothing."""
    with pytest.raises(ConfigurationError, match=f"is not {encoding}") as caught:
        decode_seed(content, encoding)
    assert content.decode() not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Group and others have no access to a seed."""
    with pytest.raises(ConfigurationError, match=rf"open to other users \(mode 0{mode:o}\)"):
        read_seed(_file(tmp_path, SEED, mode), "raw")
    assert read_seed(_file(tmp_path, SEED), "raw").reveal() == SEED


def test_missing_and_oversized_files_are_refused(tmp_path: Path) -> None:
    """A file that is not there, is a folder, or is far too large for a seed, is an error of configuration."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_seed(tmp_path / "missing")
    with pytest.raises(ConfigurationError, match="is larger than 65536 bytes"):
        read_seed(_file(tmp_path, bytes(65537)), "raw")


def test_a_new_seed_file_is_private_and_never_replaces_one(tmp_path: Path) -> None:
    """A seed is written with mode 0600, can be read again, and a second one does not overwrite it."""
    path = tmp_path / "new"
    write_seed(path, Secret(SEED))
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_seed(path) == Secret(SEED)
    with pytest.raises(InputError, match="exists already") as caught:
        write_seed(path, Secret(SEED[::-1]))
    assert caught.value.exit_code == 2
    with pytest.raises(InputError, match="there is no folder"):
        write_seed(tmp_path / "none" / "new", Secret(SEED))
    assert read_seed(path) == Secret(SEED)
