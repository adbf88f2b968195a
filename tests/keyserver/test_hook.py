"""The hook: no shell, no secret, a limit that kills the whole family, and a reason for each refusal."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drmkit.errors import ConfigurationError, TemporaryError
from drmkit.keyserver.hook import Hook
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
URL = KeyServerUrl("https://h/x", Secret("cAnArY"), NOW, NOW + timedelta(hours=6))
SHOW = "import json,os,sys; json.dump({'argv': sys.argv[2:], 'env': dict(os.environ)}, open(sys.argv[1], 'w'))"


def test_what_a_hook_is_given(tmp_path: Path) -> None:
    """Its configured arguments to the letter, the names of files and moments, and no variable that may be secret."""
    shown = tmp_path / "shown"
    environ = {
        "PATH": "/usr/bin:/bin",
        "DRMTODAY_PASSWORD": "cAnArY",
        "TENCENTCLOUD_SECRET_KEY": "cAnArY",
        "TENCENTCLOUD_TOKEN": "cAnArY",
        "LANG": "C",
    }
    hook = Hook([sys.executable, "-c", SHOW, str(shown), "$HOME; rm -rf", "*"], profile="acme", environ=environ)
    hook.check()
    hook.run(URL, tmp_path / "url.json")
    given = json.loads(shown.read_text(encoding="utf-8"))
    assert given["argv"] == ["$HOME; rm -rf", "*"]
    assert "cAnArY" not in shown.read_text(encoding="utf-8")
    told = {name: value for name, value in given["env"].items() if name.startswith("DRMKIT_")}
    assert told == {
        "DRMKIT_PROFILE": "acme",
        "DRMKIT_OUTPUT": str(tmp_path / "url.json"),
        "DRMKIT_SERVICE": "https://h/x",
        "DRMKIT_ISSUED_AT": "2026-11-21T12:00:00Z",
        "DRMKIT_EXPIRES_AT": "2026-11-21T18:00:00Z",
    }
    assert given["env"]["LANG"] == "C"
    assert "cAnArY" not in repr(hook)


def test_an_end_that_is_not_known_is_not_told(tmp_path: Path) -> None:
    """Nothing pretends to know a lifetime; a string is split like a shell's words."""
    shown = tmp_path / "shown"
    hook = Hook(f"{sys.executable} -c \"{SHOW}\" {shown} 'a b'")
    hook.run(KeyServerUrl("https://h/x", Secret("t"), NOW), tmp_path / "u")
    given = json.loads(shown.read_text(encoding="utf-8"))
    assert given["argv"] == ["a b"]
    assert "DRMKIT_EXPIRES_AT" not in given["env"]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([], "hook is empty"),
        ("", "hook is empty"),
        ([""], "hook is empty"),
        ("a 'b", "unclosed quote"),
        (["no-such-program-here"], "there is no program no-such-program-here"),
        (["/tmp"], "there is no program /tmp"),
        ("systemctl;reload x", "there is no program systemctl;reload"),
    ],
)
def test_a_hook_that_cannot_be_is_told_before_anything_else(command: list[str] | str, reason: str) -> None:
    """Validated at the start of the run, before an account is used."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        Hook(command, environ={"PATH": "/usr/bin:/bin"}).check()
    assert caught.value.hint
    Hook(["true"], environ={"PATH": "/usr/bin:/bin"}).check()


def test_a_hook_that_fails_is_temporary(tmp_path: Path) -> None:
    """The URL is stored: it is the telling that failed, and the next run tells again."""
    with pytest.raises(TemporaryError, match=r"the hook false failed \(exit code 1\)") as caught:
        Hook(["false"], environ={"PATH": "/usr/bin:/bin"}).run(URL, tmp_path / "u")
    assert "the next run of drmkit runs it again" in str(caught.value.hint)
    Hook(["true"], environ={"PATH": "/usr/bin:/bin"}).run(URL, tmp_path / "u")


def test_a_hook_that_cannot_run(tmp_path: Path) -> None:
    """A program that is no program the system can run."""
    script = tmp_path / "script"
    script.write_bytes(b"\x7fELF nonsense")
    script.chmod(0o700)
    with pytest.raises(ConfigurationError, match="Exec format error"):
        Hook([str(script)]).run(URL, tmp_path / "u")


def test_a_hook_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    """At its limit, which leaves a busy machine time to start it, the hook ends, and so does what it has started."""
    pid = tmp_path / "pid"
    hook = Hook(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], seconds=5, environ={"PATH": "/usr/bin:/bin"})
    with pytest.raises(TemporaryError, match=r"the hook sh did not end within 5 seconds"):
        hook.run(URL, tmp_path / "u")
    child = Path(f"/proc/{pid.read_text(encoding='utf-8').strip()}/stat")
    for _ in range(100):
        if not child.exists() or ") Z " in child.read_text(encoding="utf-8"):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the child of the hook lives on")
