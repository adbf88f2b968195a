"""Many at once: fifty processes, two machines, a reader that never stops looking."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import Answer, Cas, Request, ScriptedServer, created
from zygote import Zygote

from drmkit.keyserver.store import UrlStore

MANY = 50


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    """A process that forks runs."""
    made = Zygote()
    yield made
    made.close()


def slow_login(request: Request) -> Answer:
    """A login that takes long enough for everybody to arrive."""
    threading.Event().wait(0.3)
    return created(request)


class Reader(threading.Thread):
    """Polls a stored URL throughout, and keeps what it saw."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.store = UrlStore(path)
        self.done = threading.Event()
        self.seen: set[str] = set()
        self.torn: list[str] = []

    def run(self) -> None:
        """Look until told to stop."""
        while not self.done.wait(0.001):
            try:
                stored = self.store.load()
            except Exception as error:  # noqa: BLE001 (whatever it is, the test shows it)
                self.torn.append(repr(error))
            else:
                self.seen.add("nothing" if stored is None else stored.ticket.reveal())


def test_fifty_callers_of_get_share_one_login(
    zygote: Zygote, environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """`get --max-age`: all get the same URL, one login was made, and a reader never saw anything but whole URLs."""
    cas = Cas(login=slow_login)
    cas_server.respond = cas.respond
    path = tmp_path / "url.json"
    reader = Reader(path)
    reader.start()
    command = ["key-url", "get", "--max-age", "10m", "--output", str(path)]
    pids = [zygote.fork(command, environ, stdout=str(tmp_path / f"out{number}")) for number in range(MANY)]
    codes = zygote.go(*pids)
    reader.done.set()
    reader.join()
    assert codes == [0] * MANY
    printed = {(tmp_path / f"out{number}").read_text(encoding="utf-8") for number in range(MANY)}
    assert len(printed) == 1
    assert (cas.logins, cas.tickets) == (1, 1)
    assert reader.torn == []
    assert reader.seen <= {"nothing", "ST-1-cAnArY+/="}


def test_fifty_refreshes_share_one_login(
    zygote: Zygote, environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """`refresh`: one renews, the others find its lock held or nothing due; nobody logs in a second time."""
    cas = Cas(login=slow_login)
    cas_server.respond = cas.respond
    config = tmp_path / "c.toml"
    config.write_text('[profile.p]\nticket_lifetime = "6h"\n', encoding="utf-8")
    path = tmp_path / "url.json"
    reader = Reader(path)
    reader.start()
    command = ["--config", str(config), "key-url", "refresh", "--output", str(path)]
    codes = zygote.go(*(zygote.fork(command, environ) for _ in range(MANY)))
    reader.done.set()
    reader.join()
    assert set(codes) <= {0, 4}
    assert 0 in codes
    assert (cas.logins, cas.tickets) == (1, 1)
    assert reader.torn == []
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".tmp")] == []


def test_fifty_callers_share_one_failure(
    zygote: Zygote, environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """When the server is down, the first caller's failure is everybody's: fifty do not try one after the other."""

    def down(_: Request) -> Answer:
        threading.Event().wait(0.3)
        return Answer(503)

    cas = Cas(login=down)
    cas_server.respond = cas.respond
    config = tmp_path / "c.toml"
    config.write_text("[profile.p]\nattempts = 1\n", encoding="utf-8")
    output = str(tmp_path / "url.json")
    command = ["--config", str(config), "key-url", "get", "--max-age", "10m", "--output", output]
    codes = zygote.go(*(zygote.fork(command, environ) for _ in range(MANY)))
    assert set(codes) == {69}
    assert cas.logins < MANY / 5


def test_a_rejected_password_is_sent_once_by_all(
    zygote: Zygote, environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """However many callers with a wrong password: one wrong login, not a locked account."""
    cas = Cas(login=lambda _: Answer(401))
    cas_server.respond = cas.respond
    command = ["key-url", "get", "--max-age", "10m", "--output", str(tmp_path / "url.json")]
    codes = zygote.go(*(zygote.fork(command, environ) for _ in range(20)))
    assert codes == [3] * 20
    assert cas.logins == 1


def test_two_machines_on_one_shared_folder(
    zygote: Zygote, environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """Two hosts whose homes differ and whose folder is the same: they take turns, and find what the other has made."""
    cas = Cas(login=slow_login)
    cas_server.respond = cas.respond
    shared = tmp_path / "shared"
    shared.mkdir()
    config = tmp_path / "c.toml"
    config.write_text('[profile.p]\nticket_lifetime = "6h"\n', encoding="utf-8")
    command = ["--config", str(config), "key-url", "refresh", "--output", str(shared / "url.json")]
    machines = [{**environ, "HOME": str(tmp_path / name)} for name in ("one", "two")]
    first = zygote.go(*(zygote.fork(command, machine) for machine in machines))
    assert sorted(first) in ([0, 0], [0, 4])
    assert zygote.go(*(zygote.fork(command, machine) for machine in machines)) in ([0, 0], [0, 4], [4, 0])
    assert (cas.logins, cas.tickets) == (1, 1)
    stored = json.loads((shared / "url.json").read_text(encoding="utf-8"))
    assert stored["expires_at"] is not None
