"""Children: what they see, how they end, what stays behind."""

from __future__ import annotations

import base64
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import MissingExtraError, PackagingError
from drmkit.secret import MASK, Secret
from drmkit.stream.child import CancelScope, Child
from drmkit.stream.process import mask, run

KEY = Secret(bytes.fromhex("0f1e2d3c4b5a69788796a5b4c3d2e1f0"))
HEX = KEY.reveal().hex()


def python(code: str) -> list[str | Path | Secret[str]]:
    """Return the arguments that run a piece of Python."""
    return [sys.executable, "-c", code]


def test_output_is_returned() -> None:
    """A child that ends well gives what it wrote to both streams."""
    done = run(python("import sys; print('data'); print('talk', file=sys.stderr)"), timeout=60)
    assert (done.stdout, done.stderr) == ("data\n", "talk\n")


def test_secret_arrives_by_pipe() -> None:
    """A secret argument can be read from the path that the child gets, and is not among its arguments."""
    code = "import sys; print(open('/proc/self/cmdline').read()); print(open(sys.argv[1]).read())"
    seen, text = run([*python(code), Secret(f"--keys={HEX}")], timeout=60).stdout.splitlines()
    assert text == f"--keys={HEX}"
    assert HEX not in seen
    assert "/dev/fd/" in seen


def test_large_secrets_arrive_whole() -> None:
    """Texts larger than a pipe's buffer arrive whole, several at once and in any order of reading."""
    first, second = "a" * 300_000, "b" * 200_000
    code = "import sys; y = open(sys.argv[2]).read(); x = open(sys.argv[1]).read(); print(len(x), len(y), {*x, *y})"
    out = run([*python(code), Secret(first), Secret(second)], timeout=60).stdout
    assert out.startswith("300000 200000 ")


def test_unread_secret_does_no_harm() -> None:
    """A child that never reads its secret ends well, and the writer does not wait for it forever."""
    before = threading.active_count()
    assert run([*python("print('done')"), Secret("x" * 300_000)], timeout=60).stdout == "done\n"
    assert threading.active_count() == before


def test_nothing_is_inherited() -> None:
    """The child sees a fixed environment, no standard input, and only the pipes that are meant for it."""
    code = "import os, sys; print(sorted(os.environ), repr(sys.stdin.read()), sorted(os.listdir('/proc/self/fd'))[:3])"
    with Path("/dev/null").open("rb") as other:
        os.set_inheritable(other.fileno(), True)
        out = run(python(code), timeout=60).stdout
    names, rest = out.split("]", 1)
    assert set(names.strip("[").replace("'", "").split(", ")) <= {"LC_ALL", "LC_CTYPE", "PATH"}
    assert rest.startswith(" '' ")


def test_pipes_are_closed_afterwards() -> None:
    """No file descriptor stays open, neither after a good end nor after a failure."""
    before = sorted(Path("/proc/self/fd").iterdir())
    run([*python("pass"), Secret("x")], timeout=60)
    with pytest.raises(PackagingError):
        run([*python("raise SystemExit(1)"), Secret("x")], timeout=60)
    with pytest.raises(MissingExtraError):
        run(["/nonexistent/program", Secret("x")], timeout=60)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_failure_tells_the_last_words() -> None:
    """A child that fails is quoted: its exit code and the end of what it wrote."""
    code = "import sys; sys.stderr.write('x' * 5000 + 'the cause'); sys.exit(7)"
    with pytest.raises(PackagingError, match=r"ended with exit code 7: \.\.\.x+the cause$") as caught:
        run(python(code), timeout=60)
    assert len(caught.value.message) < 1000


def test_silent_failure_says_so() -> None:
    """A child that fails without a word gives a sentence all the same."""
    with pytest.raises(PackagingError, match="ended with exit code 3 and said nothing"):
        run(python("raise SystemExit(3)"), timeout=60)


def test_no_space_is_told_in_words() -> None:
    """A child that finds the disk full gives one sentence and what to do, not its own long complaint."""
    code = "import sys; sys.stderr.write('x: No space left on device\\n' * 9); sys.exit(228)"
    with pytest.raises(PackagingError) as caught:
        run(python(code), timeout=60)
    assert caught.value.message.endswith(" found no space left to write to")
    assert "TMPDIR" in str(caught.value.hint)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGABRT, "SIGABRT"), (signal.SIGRTMIN + 3, "signal 37")])
def test_signals_are_named(number: int, name: str) -> None:
    """A child that dies of a signal is reported with its name, or its number where it has none."""
    code = f"import os, resource as r; r.setrlimit(r.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {int(number)})"
    with pytest.raises(PackagingError, match=f"was killed by {name}"):
        run(python(code), timeout=60)


def test_keys_are_masked_before_the_cut() -> None:
    """A key that the message's cut would halve does not show, not even in part."""
    code = f"import sys; sys.stderr.write('{HEX}' + 'y' * 780); sys.exit(1)"
    with pytest.raises(PackagingError) as caught:
        run(python(code), timeout=60, hide=[KEY])
    assert HEX[-20:] not in caught.value.message
    with pytest.raises(PackagingError) as twin:
        run(python(code), timeout=60)
    assert HEX[-20:] in twin.value.message


def test_control_characters_are_not_passed_on() -> None:
    """A child cannot send escape sequences to the terminal through an error message."""
    with pytest.raises(PackagingError) as caught:
        run(python(r"import sys; sys.stderr.write('\x1b[31mred\x00'); sys.exit(1)"), timeout=60)
    assert caught.value.message.endswith(": ?[31mred?")


def test_missing_program() -> None:
    """A program that does not exist, or is no program, gives the system's reason."""
    with pytest.raises(MissingExtraError, match=r"program cannot be started \(No such file or directory\)"):
        run(["/nonexistent/program"], timeout=60)


def test_program_for_another_system(tmp_path: Path) -> None:
    """A file that is no program for this system gives a hint that says so."""
    path = tmp_path / "program"
    path.write_bytes(b"\xca\xfe\xba\xbe")
    path.chmod(0o755)
    with pytest.raises(MissingExtraError, match="Exec format error") as caught:
        run([path], timeout=60)
    assert "for this system" in str(caught.value.hint)


class Family:
    """A shell with a child of its own; both hold a FIFO open, so that its end tells that both are gone."""

    def __init__(self, folder: Path) -> None:
        self.fifo = folder / "fifo"
        os.mkfifo(self.fifo)
        self.reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.argv = ["/bin/sh", "-c", f"exec 9>{self.fifo}; sleep 600 & echo ready >&9; wait"]

    def wait_until_ready(self) -> None:
        """Wait for the first word of the shell."""
        assert self._read() == b"ready\n"

    def is_gone(self) -> bool:
        """Wait until nobody holds the FIFO open."""
        return self._read() == b""

    def _read(self) -> bytes:
        # Before a writer has come, a FIFO reads as ended; poll tells the two apart.
        poll = select.poll()
        poll.register(self.reader, select.POLLIN)
        assert poll.poll(60_000), "nothing happened within a minute"
        return os.read(self.reader, 100)


def test_deadline_kills_the_whole_group(tmp_path: Path) -> None:
    """A child that takes too long is stopped together with its own children."""
    family = Family(tmp_path)
    with pytest.raises(PackagingError, match=r"sh did not end within 5 seconds and was stopped"):
        run(family.argv, timeout=5)
    family.wait_until_ready()
    assert family.is_gone()


def test_interrupt_kills_the_whole_group(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves no process behind and reaches the caller as it is."""
    family = Family(tmp_path)

    def interrupt() -> None:
        family.wait_until_ready()
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(family.argv, timeout=600)
    thread.join()
    assert family.is_gone()


def test_interrupt_before_the_start_starts_nothing(tmp_path: Path) -> None:
    """A child that is stopped before its thread has come to start it is never started."""
    made = tmp_path / "made"
    child = Child(["/bin/sh", "-c", f"touch {made}"], None, [], 60)
    child.kill()
    with pytest.raises(PackagingError, match="cancelled"):
        child.finish()
    assert not made.exists()
    child = Child(["/bin/sh", "-c", f"touch {made}"], None, [], 60)
    assert child.finish() == (0, b"", b"")
    assert made.exists()


def test_a_cancelled_scope_ends_its_children_and_no_others(tmp_path: Path) -> None:
    """Cancelling from another thread kills what runs in the scope, at once, and lets nothing further begin there."""
    scope, begun = CancelScope(), tmp_path / "begun"

    def cancel_once_begun() -> None:
        while not begun.exists():
            time.sleep(0.01)
        scope.cancel()

    canceller = threading.Thread(target=cancel_once_begun)
    canceller.start()
    with scope.entered():
        with pytest.raises(PackagingError, match="killed by SIGKILL"):
            run(["/bin/sh", "-c", f"touch {begun}; sleep 60 & sleep 60"], timeout=60)
        with pytest.raises(PackagingError, match="the work was cancelled"):
            run(["/bin/sh", "-c", "exit 0"], timeout=60)
    canceller.join()
    assert run(["/bin/sh", "-c", "echo free"], timeout=60).stdout == "free\n"


@given(key=st.binary(min_size=4, max_size=32), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_form_of_a_key_survives(key: bytes, before: str, after: str) -> None:
    """Hexadecimal in either case and both alphabets of base64 are masked wherever they stand."""
    forms = [key.hex(), key.hex().upper(), base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()]
    for form in forms:
        text = mask(f"{before} {form} {after}", [Secret(key)])
        assert MASK in text
        assert form.rstrip("=") not in text.replace(before, "").replace(after, "")


@given(text=st.text())
def test_text_without_keys_is_untouched(text: str) -> None:
    """Masking changes nothing where there is nothing to hide, and an empty key hides nothing."""
    assert mask(text, []) == text
    assert mask(text, [Secret(b"")]) == text
