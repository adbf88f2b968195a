"""Passwords from files, commands and standard input: read exactly, refused with a reason, never shown."""

from __future__ import annotations

import io
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import ConfigurationError
from drmkit.passwords import _clean, check_private, from_command, from_file

CANARY = "cAnArY"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A private file with a password and a line break."""
    path = tmp_path / "password"
    path.write_text(f"{CANARY}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def check_clean(error: BaseException) -> None:
    """Assert that an error neither shows a secret nor holds an exception that does."""
    assert CANARY not in "".join(traceback.format_exception(error))
    context = error.__context__
    assert not isinstance(context, UnicodeError | subprocess.TimeoutExpired)


READ = {
    "a line break": (b"p&+%= \n", "p&+%= "),
    "a Windows line end": (b"secret\r\n", "secret"),
    "no line break": (b"secret", "secret"),
    "spaces around it": (b"  secret  \n", "  secret  "),
    "a byte order mark": (b"\xef\xbb\xbfsecret\r\n", "secret"),
    "letters of all kinds": ("pässwörd-密码-🔑\n".encode(), "pässwörd-密码-🔑"),
    "a tab": (b"a\tb\n", "a\tb"),
}


@pytest.mark.parametrize(("raw", "password"), READ.values(), ids=list(READ))
def test_a_password_is_read_exactly(file: Path, raw: bytes, password: str) -> None:
    """One line break at the end, of either kind, and a byte order mark are no part of it; everything else is."""
    file.write_bytes(raw)
    assert from_file(str(file)).reveal() == password


REFUSED = {
    "nothing": (b"", "is empty"),
    "a line break alone": (b"\r\n", "is empty"),
    "two lines": (b"cAnArY\ncAnArY\n", "holds more than one line"),
    "an empty line at the end": (b"cAnArY\n\n", "holds more than one line"),
    "an old line end": (b"cAnArY\rcAnArY", "holds more than one line"),
    "latin-1": ("cAnArYü".encode("latin-1"), "is not UTF-8 text"),
    "UTF-16 with its mark": ("cAnArY".encode("utf-16"), "is not UTF-8 text"),
    "UTF-16 without": ("cAnArY".encode("utf-16-le"), "is not UTF-8 text"),
    "a zero byte": (b"cAnArY\0", "is not UTF-8 text"),
    "a whole disk": (b"x" * 65537, "is larger than 65536 bytes"),
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_is_no_password_is_refused(file: Path, raw: bytes, reason: str) -> None:
    """A file that cannot be meant is refused with the file and the reason, and nothing of it is shown or kept."""
    file.write_bytes(raw)
    with pytest.raises(ConfigurationError, match=f"^password_file {file} {reason}$") as caught:
        from_file(str(file))
    assert caught.value.hint
    check_clean(caught.value)


@given(st.text(st.characters(exclude_characters="\r\n\0\ufeff", exclude_categories=["Cs"]), min_size=1))
def test_every_one_line_text_is_a_password(text: str) -> None:
    """Any text without line breaks comes through, with and without a line end after it."""
    for end in ("", "\n", "\r\n"):
        assert _clean((text + end).encode(), "here").reveal() == text


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_is_taken(file: Path, mode: int) -> None:
    """Whatever its owner may do, a file that nobody else can read or write is private."""
    file.chmod(mode)
    assert from_file(str(file)).reveal() == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666])
def test_a_file_that_others_can_use_is_refused(file: Path, mode: int) -> None:
    """Group or others with any right make a file public: the error names the mode and the cure."""
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=rf"is open to other users \(mode {mode:04o}\)") as caught:
        from_file(str(file), what="secret_key_file")
    assert caught.value.message.startswith("secret_key_file ")
    assert "chmod 600" in str(caught.value.hint)


def test_the_file_behind_a_link_counts(file: Path, tmp_path: Path) -> None:
    """A link to a private file is private, and one to a public file is not, whatever the link's own mode."""
    link = tmp_path / "link"
    link.symlink_to(file)
    assert from_file(str(link)).reveal() == CANARY
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        from_file(str(link))


def test_permissions_of_an_open_file_and_of_a_path(file: Path) -> None:
    """`check_private` takes a path or a descriptor."""
    check_private(file, "it")
    file.chmod(0o640)
    with pytest.raises(ConfigurationError, match="^it is open"):
        check_private(file, "it")
    with file.open("rb") as stream, pytest.raises(ConfigurationError, match="^it is open"):
        check_private(stream.fileno(), "it")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing", r"\(No such file or directory\)"),
        (".", r"\(Is a directory\)"),
        ("pass\0word", r"\(it is no usable path\)"),
        ("x" * 300, r"\(File name too long\)"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, path: str, reason: str) -> None:
    """The error holds the path and the system's reason."""
    with pytest.raises(ConfigurationError, match=f"^password_file .* cannot be read {reason}"):
        from_file(str(tmp_path / path))


def test_an_unknown_users_home_is_a_configuration_error() -> None:
    """`~nobody-here/` does not escape as a RuntimeError."""
    with pytest.raises(ConfigurationError, match=r"~no-such-user-here/password cannot be read"):
        from_file("~no-such-user-here/password")


def test_a_tilde_is_ones_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/` stands for the home folder."""
    monkeypatch.setenv("HOME", str(file.parent))
    assert from_file("~/password").reveal() == CANARY


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads standard input, to the same rules."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"cAnArY\r\n")))
    assert from_file("-").reveal() == CANARY
    with pytest.raises(ConfigurationError, match="^password_file: standard input is empty$"):
        from_file("-")


def python(code: str) -> list[str]:
    """A command that runs Python code."""
    return [sys.executable, "-c", code]


def test_the_output_of_a_command_is_the_password(tmp_path: Path) -> None:
    """A list runs as it is; a string is split like a shell's, without expansion; the line end goes."""
    assert from_command(python("print('cAnArY')")).reveal() == CANARY
    assert from_command(f"{sys.executable} -c 'print(\"$HOME *\")'").reveal() == "$HOME *"
    assert from_command(python("import sys; sys.stdout.buffer.write(b'cAnArY\\r\\n')")).reveal() == CANARY
    assert from_command(python("import sys; print('noise', file=sys.stderr); print('cAnArY')")).reveal() == CANARY


def test_a_command_gets_no_input() -> None:
    """A command that asks for input gets none, instead of waiting for somebody under cron."""
    assert from_command(python("import sys; print(repr(sys.stdin.read()))")).reveal() == "''"


COMMANDS: dict[str, tuple[str | list[str], str]] = {
    "fails": (python("import sys; print('cAnArY'); sys.exit('cAnArY')"), r"failed \(exit code 1\)"),
    "dies of a signal": (python("import os; os.kill(os.getpid(), 9)"), r"failed \(exit code -9\)"),
    "prints nothing": (python(""), "is empty"),
    "prints two lines": (python("print('cAnArY\\ncAnArY')"), "more than one line"),
    "prints no text": (python("import sys; sys.stdout.buffer.write(b'cAnArY\\xff')"), "not UTF-8"),
    "never ends": (
        python("import time; print('cAnArY', flush=True); time.sleep(60)"),
        "did not end within 0.5 seconds",
    ),
    "is missing": (["/no/such/program"], "/no/such/program: No such file"),
    "is no program": (["/etc/passwd"], "/etc/passwd: Permission denied"),
    "has a zero byte": (["a\0b"], "it cannot be run"),
    "has an open quote": ("pass 'cAnArY", "has an unclosed quote"),
    "is an empty text": ("", "is empty"),
    "is an empty list": ([], "is empty"),
}


@pytest.mark.parametrize(("command", "reason"), COMMANDS.values(), ids=list(COMMANDS))
def test_a_command_that_gives_no_password_is_refused(command: str | list[str], reason: str) -> None:
    """Each way to fail has its reason, and what the command printed is neither shown nor kept."""
    with pytest.raises(ConfigurationError, match=f"^password_command.*{reason}") as caught:
        from_command(command, seconds=0.5 if "sleep" in str(command) else 30)
    assert caught.value.hint
    check_clean(caught.value)
