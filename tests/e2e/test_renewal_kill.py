"""kill -9 at every system call of a refresh: the URL is the old or the new one, whole, and the next run is fine."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pytest
from scripted import Cas, ScriptedServer
from zygote import Zygote

from drmkit.keyserver.journal import JournalFile
from drmkit.keyserver.store import UrlStore

WORKERS = 2
KILLED = -9
CALL = re.compile(r"^(?:\d+ +)?(\w+)\(", re.MULTILINE)
OLD = "https://fe.example/old?ticket=ST-old"

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (Debian: strace)")


@dataclass
class Scene:
    """What a refresh starts from, and what it is asked."""

    name: str
    before: str | None
    extra: list[str] = field(default_factory=list)
    config: str = ""
    state: str | None = None


JSON_OLD = json.dumps(
    {"url": OLD, "service": OLD.partition("?")[0], "issued_at": "2026-01-01T00:00:00Z", "expires_at": None}
)
SCENES = [
    Scene("a stored URL, with a hook", JSON_OLD, config='hook = ["true"]\n'),
    Scene("nothing stored", None, ["--write", "env"]),
    Scene("a torn file, a torn journal", '{"url": "ht', ["--mode", "0640"], state="{torn"),
]


@dataclass
class Stage:
    """A folder in which one scene is played over and over."""

    folder: Path
    scene: Scene
    server: ScriptedServer

    @property
    def store(self) -> UrlStore:
        """The file."""
        return UrlStore(self.folder / "url.json")

    def set(self) -> None:
        """Put everything back to how the scene begins."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if self.scene.before is not None:
            self.store.path.write_text(self.scene.before, encoding="utf-8")
        if self.scene.state is not None:
            JournalFile.beside(self.store.path).path.write_text(self.scene.state, encoding="utf-8")
        config = self.folder / "config.toml"
        config.write_text(
            f"""[profile.p]
username = "api"
password_command = ["echo", "secret"]
organization = "org"
cpix_config = "config"
auth_url = "{self.server.url}"
frontend_url = "{self.server.url}"
output = "{self.store.path}"
{self.scene.config}""",
            encoding="utf-8",
        )

    @property
    def arguments(self) -> list[str]:
        """The command line."""
        return ["--config", str(self.folder / "config.toml"), "key-url", "refresh", *self.scene.extra]

    def check_survivor(self) -> str:
        """What is there is what was there, byte for byte, or a whole new URL; return which."""
        path = self.store.path
        text = path.read_text(encoding="utf-8") if path.exists() else None
        if text != self.scene.before:
            stored = self.store.load()
            assert stored is not None
            assert stored.ticket.reveal().startswith("ST-")
            assert stored.service.startswith(self.server.url)
        return "old" if text == self.scene.before else "new"

    def check_next(self, code: int) -> None:
        """The run after it has stored a new URL, told the hook, and left nothing lying about."""
        assert code == 0
        stored = self.store.load()
        assert stored is not None
        assert stored.service.startswith(self.server.url)
        journal, understood = JournalFile.beside(self.store.path).read()
        assert understood
        assert (journal.failures, journal.hook_pending, journal.last_error) == (0, False, None)
        allowed = {"config.toml", "url.json", "url.json.lock", "url.json.state"}
        allowed |= {"url.json.bad", "url.json.state.bad"} if self.scene.state else set()
        assert {entry.name for entry in self.folder.iterdir()} <= allowed


def points(trace: str) -> list[tuple[str, int]]:
    """Every system call of a trace by its name and the how-manieth of its name it is."""
    seen: Counter[str] = Counter()
    found = []
    for name in CALL.findall(trace):
        seen[name] += 1
        found.append((name, seen[name]))
    return found


@contextmanager
def zygotes() -> Iterator[SimpleQueue[Zygote]]:
    """A few zygotes, handed from thread to thread."""
    free: SimpleQueue[Zygote] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(WORKERS):
            zygote = Zygote()
            stack.callback(zygote.close)
            free.put(zygote)
        yield free


def test_kill_at_every_system_call(tmp_path: Path) -> None:
    """Wherever the kernel is asked for anything, the process may die there; at least 300 places are tried."""
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}
    with ScriptedServer(Cas().respond) as server, zygotes() as free, ThreadPoolExecutor(WORKERS) as pool:
        work: list[tuple[Scene, str, int]] = []
        for number, scene in enumerate(SCENES):
            stage = Stage(tmp_path / f"trace{number}", scene, server)
            stage.set()
            zygote = free.get()
            trace = tmp_path / f"trace{number}.txt"
            assert zygote.run(stage.arguments, environ, "-o", str(trace)) == 0
            free.put(zygote)
            stage.check_next(0)
            found = [(scene, name, count) for name, count in points(trace.read_text(encoding="utf-8"))]
            work += found if number == 0 else found[number - 1 :: 2]

        def play(item: tuple[int, tuple[Scene, str, int]]) -> str:
            number, (scene, name, count) = item
            stage = Stage(tmp_path / f"stage{number}", scene, server)
            stage.set()
            zygote = free.get()
            try:
                inject = ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={count}", "-o", "/dev/null")
                code = zygote.run(stage.arguments, environ, *inject)
                assert code in {0, KILLED}, (scene.name, name, count)
                survivor = stage.check_survivor()
                stage.check_next(zygote.run(stage.arguments, environ))
            finally:
                free.put(zygote)
            shutil.rmtree(stage.folder)
            return survivor if code == KILLED else "not killed"

        ends = Counter(pool.map(play, enumerate(work)))
    assert ends["old"] + ends["new"] >= 300, ends
    assert min(ends["old"], ends["new"]) >= 30, ends
