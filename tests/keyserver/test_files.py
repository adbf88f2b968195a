"""Locks that die with their process and what a killed run leaves; the rest of the files' rules is in test_store."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from drmkit.errors import ConfigurationError, InputError, LockHeldError, StoreError
from drmkit.keyserver.files import clean_up, exclusive, write_atomically


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_leftovers_are_removed(tmp_path: Path) -> None:
    """Temporary files of this name that nobody writes are removed; other files and other names stay."""
    path = tmp_path / "url[1].json"
    for name in (".url[1].json.abc.tmp", ".url[1].json.state.abc.tmp", ".other.json.abc.tmp", "url[1].json"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    removed = clean_up(path)
    assert {file.name for file in removed} == {".url[1].json.abc.tmp", ".url[1].json.state.abc.tmp"}
    assert {file.name for file in tmp_path.iterdir()} == {".other.json.abc.tmp", "url[1].json"}
    assert clean_up(path) == []


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    """A temporary file whose writer is alive is locked, and so is not taken for a leftover."""
    path = tmp_path / "url.json"
    busy = tmp_path / ".url.json.busy.tmp"
    with busy.open("wb") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        assert clean_up(path) == []
    assert clean_up(path) == [busy]


def test_a_link_in_the_place_of_a_leftover_is_not_followed(tmp_path: Path) -> None:
    """Nor is what it points to removed."""
    precious = tmp_path / "precious"
    precious.touch()
    link = tmp_path / ".url.json.x.tmp"
    link.symlink_to(precious)
    assert clean_up(tmp_path / "url.json") == []
    assert link.is_symlink()
    assert precious.exists()


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    """Cleaning up tells like writing does."""
    with pytest.raises(InputError, match="there is no folder"):
        clean_up(tmp_path / "no" / "url.json")


def test_the_holder_is_named(tmp_path: Path) -> None:
    """Who is refused learns the process that holds the lock, and that deleting the file is pointless."""
    path = tmp_path / "url.json"
    with (
        exclusive(path),
        pytest.raises(LockHeldError, match=rf"\(process {os.getpid()} on ") as caught,
        exclusive(path),
    ):
        pass
    assert "deleting the lock file does not help" in str(caught.value.hint)
    place = tmp_path / "url.json.lock"
    with exclusive(path):
        place.write_text("garbage", encoding="utf-8")
        with pytest.raises(LockHeldError, match=r"url\.json\.lock$"), exclusive(path):
            pass


def test_waiting_for_a_lock(tmp_path: Path) -> None:
    """With a limit the lock is asked for again until it is free, or until the limit; waits are short and random."""
    path = tmp_path / "url.json"
    clock = [0.0]
    waits: list[float] = []
    held = exclusive(path)
    held.__enter__()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds
        if clock[0] > 1.0:
            held.__exit__(None, None, None)

    with (
        pytest.raises(LockHeldError),
        exclusive(path, wait=0.5, clock=lambda: clock[0], sleep=sleep),
    ):
        pass
    with exclusive(path, wait=5, clock=lambda: clock[0], sleep=sleep):
        assert clock[0] > 1.0
    assert all(0.02 <= wait <= 0.08 for wait in waits)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told(tmp_path: Path, number: int) -> None:
    """There is no softer lock to fall back to: two machines would log in at once, and nobody would know."""

    def no_locks(_: int, __: int) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(ConfigurationError, match="has no locks") as caught, exclusive(tmp_path / "u", flock=no_locks):
        pass
    assert "another file system" in str(caught.value.hint)


def test_another_failure_of_the_lock_is_told(tmp_path: Path) -> None:
    """Whatever else the system says comes with its reason, and nothing stays open."""

    def broken(_: int, __: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = open_descriptors()
    with pytest.raises(StoreError, match="Input/output error"), exclusive(tmp_path / "u", flock=broken):
        pass
    assert open_descriptors() == before


@pytest.mark.parametrize("action", [Path.unlink, lambda place: place.rename(place.with_name("moved"))])
def test_a_lock_file_deleted_while_it_is_taken_binds_nobody(tmp_path: Path, action: Callable[[Path], None]) -> None:
    """Between opening and locking somebody may delete the file: then the lock is taken anew on the new file."""
    path = tmp_path / "url.json"
    calls = 0

    def flock(descriptor: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            action(tmp_path / "url.json.lock")
        fcntl.flock(descriptor, operation)

    with exclusive(path, wait=5, flock=flock):
        assert calls == 2
        with pytest.raises(LockHeldError), exclusive(path):
            pass


def test_a_full_disk_keeps_nobody_from_locking(tmp_path: Path) -> None:
    """A lock file that holds an old name is taken all the same: its content is talk."""
    place = tmp_path / "url.json.lock"
    place.write_text("99999 elsewhere\n", encoding="utf-8")
    with exclusive(tmp_path / "url.json"):
        assert place.read_text(encoding="utf-8").startswith(f"{os.getpid()} ")


def test_a_write_leaves_nothing_open(tmp_path: Path) -> None:
    """A hundred writes later as many descriptors are open as before."""
    before = open_descriptors()
    for _ in range(100):
        write_atomically(tmp_path / "x", b"y")
    assert open_descriptors() == before
