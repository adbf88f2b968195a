"""Places that go wrong under a whole program: full disks, closed folders, other file systems, links, clocks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scripted import Cas, ScriptedServer

from drmkit.keyserver.store import UrlStore

ROOT = Path(__file__).resolve().parents[2]
SERVICE_PATH = "/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc"


def may_mount() -> bool:
    """Whether a mount namespace of one's own can be had."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="no mount namespace can be made here (unshare -rm)")


@pytest.fixture
def cas(cas_server: ScriptedServer) -> Cas:
    """A CAS that counts."""
    one = Cas()
    cas_server.respond = one.respond
    return one


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that a test may close; it is opened again in the end."""
    made = tmp_path / "folder"
    made.mkdir()
    yield made
    made.chmod(0o700)


def put(path: Path, server: ScriptedServer, *, age: timedelta = timedelta(hours=5)) -> bytes:
    """Store a URL of this age that lives six hours, and return the file's bytes."""
    issued = datetime.now(UTC) - age
    service = server.url + SERVICE_PATH
    end = issued + timedelta(hours=6)
    content = {"url": f"{service}?ticket=ST-old", "issued_at": issued.isoformat(), "expires_at": end.isoformat()}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.read_bytes()


def refresh(environ: dict[str, str], path: Path, *prefix: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    """Run a refresh in a process of its own, after a line of shell where there is one."""
    command = [sys.executable, "-m", "drmkit", "key-url", "refresh", "--output", str(path)]
    if shell:
        command = ["sh", "-c", f'{shell} && exec "$@"', "sh", *command]
    return subprocess.run(
        [*prefix, *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def unprivileged() -> list[str]:
    """Make permissions hold even for root."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@needs_mounts
def test_a_disk_without_space(
    environ: dict[str, str], cas: Cas, cas_server: ScriptedServer, folder: Path, tmp_path: Path
) -> None:
    """ENOSPC: the old URL is whole, no temporary file is left, the account was not used, and the hint says why."""
    saved = tmp_path / "saved"
    before = put(saved, cas_server)
    script = f"""
mount -t tmpfs -o size=16k none {folder}
cp {saved} {folder}/url.json
head -c 100000 /dev/zero > {folder}/filler 2>/dev/null
"$@"
code=$?
cp {folder}/url.json {tmp_path}/after
ls -A {folder} > {tmp_path}/names
exit $code
"""
    command = [sys.executable, "-m", "drmkit", "key-url", "refresh", "--output", str(folder / "url.json")]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 75, done.stderr
    assert "No space left on device" in done.stderr
    assert "free some space" in done.stderr
    assert (tmp_path / "after").read_bytes() == before
    assert ".tmp" not in (tmp_path / "names").read_text(encoding="utf-8")
    assert cas.logins == 0


@needs_mounts
def test_a_file_system_that_may_not_be_written(
    environ: dict[str, str], cas: Cas, cas_server: ScriptedServer, folder: Path
) -> None:
    """EROFS: told before the account is used; the URL can still be shown."""
    before = put(folder / "url.json", cas_server)
    shell = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}"
    done = refresh(environ, folder / "url.json", "unshare", "-rm", shell=shell)
    assert done.returncode == 3, done.stderr
    assert "may not be written" in done.stderr
    assert (folder / "url.json").read_bytes() == before
    assert cas.logins == 0


def test_a_folder_closed_after_the_first_run(
    environ: dict[str, str], cas: Cas, cas_server: ScriptedServer, folder: Path
) -> None:
    """Lost permissions: the lock file is there already, and still the account is not used for nothing."""
    path = folder / "url.json"
    assert refresh(environ, path).returncode == 0
    before = put(path, cas_server)
    folder.chmod(0o500)
    done = refresh(environ, path, *unprivileged())
    assert done.returncode == 3, done.stderr
    assert f"{path} may not be written (Permission denied)" in done.stderr
    assert path.read_bytes() == before
    assert cas.logins == 1
    folder.chmod(0o700)
    assert refresh(environ, path).returncode == 0
    assert cas.logins == 2


def test_a_file_that_may_no_longer_be_read(
    environ: dict[str, str], cas: Cas, cas_server: ScriptedServer, folder: Path
) -> None:
    """Lost permissions of the file itself: told as what it is, not taken for damage, and nothing is called."""
    path = folder / "url.json"
    put(path, cas_server)
    path.chmod(0)
    done = refresh(environ, path, *unprivileged())
    assert done.returncode == 3, done.stderr
    assert "cannot be read (Permission denied)" in done.stderr
    assert cas.logins == 0
    path.chmod(0o600)
    assert refresh(environ, path, *unprivileged()).returncode == 0


def test_a_link_to_another_file_system(
    environ: dict[str, str], cas_server: ScriptedServer, cas: Cas, memory_folder: Path, folder: Path
) -> None:
    """The file behind the link is replaced where it lies, and the link stays a link."""
    link, target = folder / "url.json", memory_folder / "real.json"
    link.symlink_to(target)
    put(target, cas_server)
    assert refresh(environ, link).returncode == 0
    assert link.is_symlink()
    stored = UrlStore(target).load()
    assert stored is not None
    assert stored.ticket.reveal() == "ST-1-cAnArY+/="
    assert sorted(entry.name for entry in memory_folder.iterdir()) == [
        "real.json",
        "real.json.lock",
        "real.json.state",
    ]
    assert [entry.name for entry in folder.iterdir()] == ["url.json"]


def test_temporary_folders_elsewhere_do_not_matter(
    environ: dict[str, str], cas: Cas, memory_folder: Path, folder: Path
) -> None:
    """The temporary file lies beside its target: a rename across file systems is not even tried."""
    environ["TMPDIR"] = str(memory_folder)
    assert refresh(environ, folder / "url.json").returncode == 0
    assert list(memory_folder.iterdir()) == []
    assert cas.logins == 1


@pytest.mark.parametrize(("age", "renewed"), [(-24, True), (5, True), (1, False), (24, True)])
def test_a_clock_that_was_wrong(
    environ: dict[str, str], cas: Cas, cas_server: ScriptedServer, folder: Path, age: int, renewed: bool
) -> None:
    """A URL stored a day ahead, hours ago or a day ago: renewed once, and from then on the time is right."""
    config = folder / "c.toml"
    config.write_text('[profile.p]\nticket_lifetime = "6h"\n', encoding="utf-8")
    environ["DRMKIT_CONFIG"] = str(config)
    path = folder / "url.json"
    put(path, cas_server, age=timedelta(hours=age))
    for _ in range(3):
        assert refresh(environ, path).returncode == 0
    assert cas.logins == int(renewed)
