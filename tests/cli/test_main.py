"""The program as a whole: the streams that it was given, how it ends, and what it says without a command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drmkit.cli.main import cli, main

ROOT = Path(__file__).resolve().parents[2]
DRMKIT = f"{sys.executable} -m drmkit"
SPEC = '[[key]]\nlabel = "日本 é 😀"\nkid = "new"\nkey = "generate"\n'


def shell(line: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in a folder, where `drmkit` stands for the program."""
    return subprocess.run(
        ["sh", "-c", line.replace("drmkit", DRMKIT, 1)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8", "utf-8:strict"])
def test_no_encoding_of_the_terminal_is_a_bug(encoding: str, tmp_path: Path) -> None:
    """What the terminal's encoding does not have is escaped: text comes through, and JSON says the same as in UTF-8."""
    line = "drmkit job filename 'é日😀-{inputName}' --value inputName=x"
    written = encoding if encoding == "latin-1" else "utf-8"  # click takes ASCII for a mistake
    text = shell(line, tmp_path, PYTHONIOENCODING=encoding)
    assert (text.returncode, text.stderr) == (0, b"")
    assert text.stdout.decode(written).strip().endswith("-x")
    done = shell(f"{line} --format json", tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "é日😀-x" in str(json.loads(done.stdout.decode(written)))


def test_a_file_name_that_is_no_utf_8_leaves_json_valid(tmp_path: Path) -> None:
    """A byte that is no UTF-8 comes as the escape of its surrogate, in any locale; the file itself is read."""
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC, encoding="utf-8")
    assert main(["-q", "cpix", "new", "--from", str(spec), "--output", str(tmp_path / "doc.xml")], environ={}) == 0
    (tmp_path / "doc.xml").rename(tmp_path / os.fsdecode(b"no-\xff.xml"))
    for locale in ("C", "C.UTF-8"):
        done = shell("drmkit cpix validate no-*.xml --format json", tmp_path, LC_ALL=locale)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.decode("utf-8"))["documents"][0]["path"] == "no-\udcff.xml"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("drmkit cpix new --skeleton >&-", 0, ""),
        ("drmkit config init >&-", 0, ""),
        ("drmkit cpix show - <&-", 2, "is empty"),
        ("drmkit pssh show - <&-", 2, "drmkit: error: "),
        ("drmkit job check - <&-", 1, ""),
        ("drmkit no-such-command 2>&-", 2, ""),
    ],
)
def test_a_closed_stream_is_an_empty_one(line: str, code: int, told: str, tmp_path: Path) -> None:
    """A caller that closes a standard stream gets the exit code of one that reads nothing and writes nothing."""
    done = shell(line, tmp_path)
    assert done.returncode == code, done.stderr
    assert told in done.stderr.decode()
    assert b"bug" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["cpix"], ["drmtoday", "keys"]])
def test_a_group_alone_shows_its_help(arguments: list[str], capsys: Any) -> None:
    """Without a command, the help comes once, as it is, on standard error, with the exit code of wrong usage."""
    assert main(arguments, environ={}) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("Usage:") == 1
    assert told.err.startswith(f"Usage: drmkit {' '.join([*arguments, '[OPTIONS]'])}")
    assert "error:" not in told.err
    assert "Commands:" in told.err


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_an_import_comes_after_it(number: signal.Signals, tmp_path: Path) -> None:
    """Modules in C clear what is raised while they are set up, as this one does: a signal there is not lost."""
    sent = f"import os\ntry:\n    os.kill(os.getpid(), {number:d})\nexcept BaseException:\n    pass\nprint('set up')\n"
    (tmp_path / "deaf.py").write_text(sent)
    program = (
        "import time\nfrom drmkit.cli.signals import TerminatedError, unwind_on_signals\nunwind_on_signals()\n"
        "try:\n    import deaf\n    while True:\n        time.sleep(0.01)\n"
        "except (KeyboardInterrupt, TerminatedError):\n    print('unwound')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{tmp_path}"},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.stdout == b"set up\nunwound\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_the_code_that_the_help_names(number: signal.Signals, tmp_path: Path) -> None:
    """128 and the signal's number: README's table and `-h` list exactly these beside the errors' codes."""
    fifo = tmp_path / "document.xml"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "drmkit", "cpix", "show", str(fifo)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with fifo.open("wb"):  # opened as soon as the command reads
        process.send_signal(number)
        told = process.communicate(timeout=60)[1].decode()
    assert told.strip() == f"drmkit: error: {'interrupted' if number == signal.SIGINT else 'terminated'}"
    assert process.returncode == 128 + number
    assert str(128 + number) in (cli.help or "")
