"""`drmkit sandbox` as a process: what it writes, whom it serves, how it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., int]
ROOT = Path(__file__).resolve().parents[2]


def drmkit(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "drmkit", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nowhere", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own, ready; what it said in JSON."""
    config, env = folder / "sandbox.toml", folder / "sandbox.env"
    process = drmkit("sandbox", "--format", "json", "--write-config", str(config), "--write-env", str(env), *arguments)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "has stopped" in err


def done(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a program: exit code, standard output, standard error."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_the_files_point_every_command_at_it(tmp_path: Path) -> None:
    """The profile and the environment file, both private, are all that a client needs."""
    with running(tmp_path) as said:
        assert said["schema_version"] == 1
        assert said["url"].startswith("http://127.0.0.1:")
        assert said["dashboard"] == f"{said['url']}/#token={said['admin_token']}"
        admin = urllib.request.Request(
            f"{said['url']}/admin/state", headers={"Authorization": f"Bearer {said['admin_token']}"}
        )
        assert json.load(urllib.request.urlopen(admin))["counts"]["requests"] == 0
        assert json.load(urllib.request.urlopen(said["health"]))["status"] == "ok"
        for name in ("config", "env"):
            assert stat.S_IMODE(Path(said[name]).stat().st_mode) == 0o600
        code, url, err = done(drmkit("--config", said["config"], "key-url", "get"))
        assert (code, err) == (0, "")
        assert url.startswith(f"{said['service']}?ticket=ST-")
        lines = Path(said["env"]).read_text(encoding="utf-8").splitlines()
        variables = dict(line.split("=", 1) for line in lines)
        assert variables["DRMKIT_MPS_ENDPOINT"] == said["url"]
        assert set(variables) == {
            "DRMTODAY_USERNAME",
            "DRMTODAY_PASSWORD",
            "DRMTODAY_ORGANIZATION",
            "DRMTODAY_ORGANIZATION_NAME",
            "DRMTODAY_TOKEN_KID",
            "DRMTODAY_TOKEN_SECRET",
            "DRMTODAY_CPIX_CONFIG",
            "DRMTODAY_AUTH_URL",
            "DRMTODAY_FRONTEND_URL",
            "TENCENTCLOUD_SECRET_ID",
            "TENCENTCLOUD_SECRET_KEY",
            "DRMKIT_MPS_ENDPOINT",
        }
        code, url, err = done(drmkit("key-url", "get", env=variables))
        assert (code, err) == (0, "")
        document = urllib.request.urlopen(url.strip()).read()
        assert b"ContentKeyList" in document


def test_a_shell_script_of_the_two_posts_works_against_it(tmp_path: Path) -> None:
    """The vendor tutorial's flow with curl: log in, read Location, ask for a ticket, call the key server."""
    script = """
        set -eu; . "$1"
        location=$(curl -s -D - -o /dev/null "$DRMTODAY_AUTH_URL/cas/v1/tickets" \
          --data-urlencode "username=$DRMTODAY_USERNAME" --data-urlencode "password=$DRMTODAY_PASSWORD" \
          | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
        service="$DRMTODAY_FRONTEND_URL/frontend/cpix/v1/$DRMTODAY_ORGANIZATION/ingest/$DRMTODAY_CPIX_CONFIG"
        ticket=$(curl -s "$location" --data-urlencode "service=$service")
        curl -s -G "$service" --data-urlencode "ticket=$ticket"
    """
    with running(tmp_path) as said:
        shell = subprocess.run(["sh", "-c", script, "sh", said["env"]], capture_output=True, text=True, check=True)
    assert "<cpix:ContentKeyList" in shell.stdout or "<ContentKeyList" in shell.stdout


def test_given_credentials_are_used_and_wrong_ones_refused(tmp_path: Path) -> None:
    """An account can be chosen; its password comes from a private file; another password is exit code 3."""
    secret = tmp_path / "password"
    secret.write_text("chosen-password", encoding="utf-8")
    secret.chmod(0o600)
    given = ("--username", "me", "--password-file", str(secret), "--organization", "my-org", "--cpix-config", "cfg")
    with running(tmp_path, *given) as said:
        assert said["service"].endswith("/frontend/cpix/v1/my-org/ingest/cfg")
        account = {
            "DRMTODAY_USERNAME": "me",
            "DRMTODAY_PASSWORD": "chosen-password",
            "DRMTODAY_ORGANIZATION": "my-org",
            "DRMTODAY_CPIX_CONFIG": "cfg",
            "DRMTODAY_AUTH_URL": said["url"],
            "DRMTODAY_FRONTEND_URL": said["url"],
        }
        assert done(drmkit("key-url", "get", env=account))[0] == 0
        code, _, err = done(drmkit("key-url", "get", env=account | {"DRMTODAY_PASSWORD": "other"}))
        assert code == 3
        assert "rejected the user name or password (HTTP 401)" in err
        code, _, err = done(drmkit("key-url", "get", env=account | {"DRMTODAY_ORGANIZATION": "other-org"}))
        assert code == 3
        assert "gives no ticket for" in err
        assert "organization UUID" in err


@pytest.mark.parametrize("switch", ["--single-use-tickets", "--ticket-lifetime=1h"])
def test_tickets_end_by_switch(tmp_path: Path, switch: str) -> None:
    """With the switch a ticket that was good once is refused later; without it, see above, it stays good."""
    with running(tmp_path, switch) as said:
        _, url, _ = done(drmkit("--config", said["config"], "key-url", "get"))
        assert urllib.request.urlopen(url.strip()).status == 200
        if "lifetime" in switch:
            head = {"Authorization": f"Bearer {said['admin_token']}", "Content-Type": "application/json"}
            clock = urllib.request.Request(f"{said['url']}/admin/clock", b'{"advance": 3601}', head)
            assert urllib.request.urlopen(clock).status == 200
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url.strip())
        assert caught.value.code == 401
        assert caught.value.read() == b"Invalid CAS Ticket"


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--host", "0.0.0.0"], 2, "binds loopback addresses only"),
        (["--host", "192.0.2.1"], 2, "binds loopback addresses only"),
        (["--host", "example.com"], 2, "binds loopback addresses only"),
        (["--port", "70000"], 2, "a port is 0 to 65535"),
        (["--template", "20"], 2, "'20' is no template"),
        (["--template", "20=DASH/mp4-byterange"], 2, "one of HLS, MPEG-DASH"),
        (["--template", "20=HLS/mp4"], 2, "has no 'mp4'"),
        (["--key-acquire-mode", "PUT"], 2, "is not one of"),
        (["--storage", "/dev/null"], 1, "cannot keep media in /dev/null"),
        (["--ticket-lifetime", "soon"], 2, "is no length of time"),
        (["--fault", "cas-crfl"], 2, "did you mean 'cas-crlf'"),
        (["--faults", "flakey"], 2, "did you mean 'flaky'"),
        (["--faults", "zzz"], 2, "known: flaky, slow, "),
        (["--fault-delay", "-1"], 2, "is no length of time"),
        (["--fault-seed", "often"], 2, "is not a valid integer"),
        (["--password-file", "/nowhere/password"], 3, "--password-file /nowhere/password cannot be read"),
        (["--write-config", "/nowhere/sandbox.toml"], 2, "there is no folder /nowhere"),
    ],
)
def test_what_it_refuses(run: Run, arguments: list[str], code: int, reason: str, capsys: Any) -> None:
    """A bind that is not loopback and wrong options are usage, a password that cannot be read is configuration."""
    assert run("sandbox", *arguments) == code
    assert reason in capsys.readouterr().err


def test_a_taken_port_is_told(tmp_path: Path, run: Run, capsys: Any) -> None:
    """A port that is in use is a clear error."""
    with running(tmp_path) as said:
        port = said["url"].rpartition(":")[2]
        assert run("sandbox", "--port", port) == 3
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in capsys.readouterr().err


def test_sigterm_ends_it_too() -> None:
    """A service manager stops it with SIGTERM; it ends with 0 and has said where it was."""
    process = drmkit("sandbox")
    assert process.stdout
    first = process.stdout.readline()
    assert first.startswith("sandbox: http://127.0.0.1:")
    url = first.split()[1]
    dashboard, token = process.stdout.readline(), process.stdout.readline()
    assert token.startswith("admin token: ")
    assert dashboard == f"dashboard: {url}/#token={token.split()[2]}\n"
    process.terminate()
    code, out, err = done(process)
    assert (code, out) == (0, "")
    assert "its credentials are random" in err
    assert token.split()[2] not in err


def test_a_profile_of_faults_is_told_and_counted(tmp_path: Path) -> None:
    """`--faults` switches a profile on; which faults are on is said at the start, which have shown at the end."""
    process = drmkit("sandbox", "--faults", "overloaded", "--fault", "cas-unavailable", "--fault-seed", "7")
    assert process.stdout
    url = process.stdout.readline().split()[1]
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{url}/cas/v1/tickets", data=b"username=x")
    process.send_signal(signal.SIGINT)
    code, _, err = done(process)
    assert code == 0
    assert "faults on: cas-rate-limited, cas-slow, cas-unavailable, " in err
    assert "(seed 7)" in err
    assert "cas-unavailable 1" in err.partition("faults shown: ")[2]


def test_the_faults_are_listed(run: Run, capsys: Any) -> None:
    """`--fault help` lists every fault with what it does; `--faults help` the profiles too."""
    assert run("sandbox", "--fault", "help") == 0
    faults = capsys.readouterr().out
    assert "keyserver-kid-as-key          every content key is its own key ID" in faults
    assert run("sandbox", "--faults", "help") == 0
    out = capsys.readouterr().out
    assert out.startswith("profiles:\nflaky       now and then a call fails")
    assert out.endswith(f"faults:\n{faults}")


def test_a_job_of_the_command_line_ends_in_the_storage(tmp_path: Path) -> None:
    """Storage, template and key requests are set by options; `job run` leaves an encrypted stream in the bucket."""
    job = {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b-1", "Region": "r", "Object": "/in/movie.mp4"}},
        "OutputDir": "/out/",
        "MediaProcessTask": {
            "AdaptiveDynamicStreamingTaskSet": [
                {
                    "Definition": 20,
                    "DrmInfo": {
                        "Type": "widevine",
                        "SpekeDrm": {
                            "ResourceId": "movie",
                            "KeyServerUrl": "drmtoday:sandbox",
                            "Vector": "00112233445566778899aabbccddeeff",
                        },
                    },
                }
            ]
        },
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    buckets = tmp_path / "buckets"
    options = ["--storage", str(buckets), "--template", "20=MPEG-DASH/mp4-byterange", "--key-acquire-mode", "GET"]
    with running(tmp_path, *options) as said:
        assert (said["storage"], said["encrypts"]) == (str(buckets), True)
        code, out, err = done(
            drmkit("--config", str(tmp_path / "sandbox.toml"), "job", "run", str(tmp_path / "job.json"))
        )
        assert (code, "/out/movie_adaptiveDynamicStreaming_20.mpd" in out) == (0, True), err
    manifest = (buckets / "b-1/out/movie_adaptiveDynamicStreaming_20.mpd").read_text()
    assert 'value="cenc"' in manifest
    assert [path.name for path in buckets.iterdir()] == ["b-1"]


def test_without_encryption_it_says_why(tmp_path: Path) -> None:
    """Who wants no encryption is told that nothing will be encrypted."""
    process = drmkit("sandbox", "--no-encrypt", "--write-env", str(tmp_path / "env"))
    while not (tmp_path / "env").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert "media tasks check their keys and encrypt nothing: it was told not to" in done(process)[2]


def test_ctrl_c_ends_the_demo_and_leaves_nothing(tmp_path: Path) -> None:
    """An interrupted demo ends with 130, a terminated one with 143, without children and without its folder.

    That holds for whoever presses Ctrl-C more than once, too.
    """
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = drmkit("demo", env={"TMPDIR": str(tmp_path)})
        assert process.stderr
        lines = [process.stderr.readline() for _ in range(4)]
        assert lines[-1] == "ok   jobs\n"
        for _ in range(3):
            process.send_signal(number)
            time.sleep(0.02)
        assert done(process)[0] == code
        assert list(tmp_path.iterdir()) == []
