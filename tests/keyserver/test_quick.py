"""Notes: the answer of the run before counts while question, files and clock are the same, and never beyond."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drmkit.keyserver.quick import answer, fits, note_text, signature

WORDS = ["--profile", "p", "key-url", "refresh"]
VERSION = "1"


class Note:
    """A note about one file, and the world in which it was left."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "url.json"
        self.file.write_text("x", encoding="utf-8")
        self.missing = folder / "config.toml"
        self.environ = {"HOME": str(folder), "DRMTODAY_PASSWORD": "cAnArY", "DRMTODAY_USERNAME": "user"}
        self.path = self.leave()

    def leave(self) -> Path:
        """Leave the note."""
        looked_at = {str(file): signature(str(file)) for file in (self.file, self.missing)}
        place, text = note_text(
            WORDS, self.environ, version=VERSION, issued=100.0, due=200.0, text="not due", looked_at=looked_at
        )
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def ask(self, now: float = 150.0, *, words: list[str] | None = None, version: str = VERSION) -> str | None:
        """Ask again."""
        return answer(words or WORDS, self.environ, now, version=version)


@pytest.fixture
def note(tmp_path: Path) -> Note:
    """A note."""
    return Note(tmp_path)


def test_the_same_question_has_the_same_answer(note: Note) -> None:
    """Nothing has changed, and the clock is within bounds; the password is neither asked nor kept."""
    assert note.ask() == "not due"
    note.environ["DRMTODAY_PASSWORD"] = "other"
    assert note.ask() == "not due"
    assert "cAnArY" not in note.path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("now", "holds"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False)])
def test_the_clock_has_two_bounds(note: Note, now: float, holds: bool) -> None:
    """From the moment of issue to the moment it is due: a clock that was set back makes the URL one of the future."""
    assert (note.ask(now) is not None) is holds


def rewrite(note: Note) -> None:
    """The same bytes again."""
    note.file.write_text("x", encoding="utf-8")


def replace(note: Note) -> None:
    """Another file with the same bytes."""
    other = note.file.with_name("other")
    other.write_text("x", encoding="utf-8")
    other.replace(note.file)


CHANGES: dict[str, Callable[[Note], object]] = {
    "written": rewrite,
    "replaced": replace,
    "removed": lambda note: note.file.unlink(),
    "other rights": lambda note: note.file.chmod(0o640),
    "a file that was missing": lambda note: note.missing.touch(),
    "another account": lambda note: note.environ.update(DRMTODAY_USERNAME="other"),
    "another profile": lambda note: note.environ.update(DRMKIT_PROFILE="other"),
    "another home": lambda note: note.environ.update(HOME="/nowhere"),
    "another state folder": lambda note: note.environ.update(XDG_STATE_HOME="/nowhere"),
    "a torn note": lambda note: note.path.write_text("drmkit-quick-1\0", encoding="utf-8"),
    "garbage": lambda note: note.path.write_bytes(b"\xff\0\xfe"),
    "an odd number of fields": lambda note: note.path.write_text(
        note.path.read_text(encoding="utf-8") + "\0x", encoding="utf-8"
    ),
    "no number": lambda note: note.path.write_text(
        note.path.read_text(encoding="utf-8").replace("100.0", "soon"), encoding="utf-8"
    ),
    "no note": lambda note: note.path.unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whatever_changes_takes_the_whole_way(note: Note, change: Callable[[Note], object]) -> None:
    """Any difference in what the answer rests on, and there is no answer."""
    assert note.ask() == "not due"
    change(note)
    assert note.ask() is None


def test_another_folder_version_or_line_is_another_question(note: Note, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths mean other files elsewhere; another drmkit may think differently."""
    assert note.ask(version="2") is None
    assert note.ask(words=["key-url", "refresh"]) is None
    monkeypatch.chdir("/")
    assert note.ask() is None


@pytest.mark.parametrize(
    "words",
    [
        ["key-url", "refresh"],
        ["-q", "key-url", "refresh", "--output", "x"],
        ["--profile", "p", "key-url", "refresh", "--write=url"],
    ],
)
def test_a_plain_refresh_fits(words: list[str]) -> None:
    """What a note can answer."""
    assert fits(words)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["key-url"],
        ["key-url", "due"],
        ["refresh", "key-url"],
        *(["key-url", "refresh", word] for word in ("--force", "--all", "--dry-run", "--format=json", "-h", "-vv")),
        ["--verbose", "key-url", "refresh"],
        ["key-url", "refresh", "--metrics", "x"],
        ["key-url", "refresh", "--kubernetes-secret=x"],
    ],
)
def test_anything_else_does_not_fit(words: list[str]) -> None:
    """What has more to do than to say that nothing is due."""
    assert not fits(words)
