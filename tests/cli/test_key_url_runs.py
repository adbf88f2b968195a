"""`drmkit key-url` in every way that operators run it: all profiles, due, watch, show, metrics, install."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, Cas, Request, ScriptedServer

from drmkit.cli.main import main
from drmkit.keyserver.journal import JournalFile

Run = Callable[..., int]
ROOT = Path(__file__).resolve().parents[2]
SERVICE_PATH = "/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a lifetime."""
    file = tmp_path / "c.toml"
    file.write_text(f'[profile.p]\nticket_lifetime = "6h"\noutput = "{tmp_path}/url.json"\n', encoding="utf-8")
    return file


def put(path: Path, server: ScriptedServer, *, age: timedelta = timedelta(0), ticket: str = "ST-old") -> None:
    """Store a URL of this age."""
    issued = datetime.now(UTC) - age
    service = server.url + SERVICE_PATH
    content = {
        "url": f"{service}?ticket={ticket}",
        "service": service,
        "issued_at": issued.isoformat(),
        "expires_at": (issued + timedelta(hours=6)).isoformat(),
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def many(tmp_path: Path, *names: str, extra: str = "") -> Path:
    """A configuration with several profiles of one account."""
    file = tmp_path / "many.toml"
    tables = [
        f'[profile.{name}]\ncpix_config = "config-{name}"\noutput = "{tmp_path}/{name}.json"\n{extra}' for name in names
    ]
    file.write_text("\n".join([*tables, '[profile.mps-only.mps]\nregion = "ap-singapore"\n']), encoding="utf-8")
    return file


def all_environ(environ: dict[str, str]) -> dict[str, str]:
    """The account is the environment's, the CPIX configuration each profile's."""
    del environ["DRMTODAY_CPIX_CONFIG"]
    return environ


def test_all_profiles_share_one_login(
    run: Run, environ: dict[str, str], tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """Every profile that names a CPIX configuration is renewed; the account logs in once; one line sums up."""
    all_environ(environ)
    cas = Cas()
    cas_server.respond = cas.respond
    assert run("--config", str(many(tmp_path, "a", "b", "c")), "key-url", "refresh", "--all") == 0
    assert (cas.logins, cas.tickets) == (1, 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "3 profiles: 3 renewed, 0 failed"
    assert [json.loads((tmp_path / f"{n}.json").read_text())["service"][-8:] for n in "abc"] == [
        "config-a",
        "config-b",
        "config-c",
    ]


def test_all_is_silent_on_success_with_q(run: Run, environ: dict[str, str], tmp_path: Path, capsys: Any) -> None:
    """Cron has nothing to mail."""
    all_environ(environ)
    assert run("-q", "--config", str(many(tmp_path, "a", "b")), "key-url", "refresh", "--all") == 0
    assert capsys.readouterr() == ("", "")


def test_all_goes_on_past_a_failure(
    run: Run, environ: dict[str, str], tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """Each failure is told with its profile, the others are renewed, and the worst exit code is the run's."""
    all_environ(environ)

    def ticket(request: Request) -> Answer:
        if request.form["service"].endswith("config-a"):
            return Answer(503)
        return Answer(404) if request.form["service"].endswith("config-c") else Answer(body=b"ST-1")

    cas_server.respond = Cas(ticket=ticket).respond
    file = many(tmp_path, "a", "b", "c", "d", extra="attempts = 1\n")
    assert run("--config", str(file), "key-url", "refresh", "--all", "--format", "json") == 3
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert [(one["profile"], one["renewed"], one["exit_code"]) for one in data["results"]] == [
        ("a", False, 69),
        ("b", True, 0),
        ("c", False, 3),
        ("d", True, 0),
    ]
    assert data["exit_code"] == 3
    assert "profile a: the ticket request" in err
    assert "profile c: the CAS" in err
    assert "4 profiles: 2 renewed, 2 failed" in err
    assert (tmp_path / "b.json").exists()
    assert (tmp_path / "d.json").exists()


def test_all_with_a_rejected_account_tries_it_once(
    run: Run, environ: dict[str, str], tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """Ten profiles with one wrong password are one wrong login, in this run and in the next."""
    all_environ(environ)
    cas = Cas(login=lambda _: Answer(401))
    cas_server.respond = cas.respond
    file = many(tmp_path, *"abcdefghij")
    for _ in range(2):
        assert run("--config", str(file), "key-url", "refresh", "--all") == 3
    assert cas.logins == 1
    assert "error: profile b: the CAS at" in capsys.readouterr().err


def test_all_excludes_what_means_one(run: Run, environ: dict[str, str], tmp_path: Path, capsys: Any) -> None:
    """A profile, an output or a Secret is for one; two profiles with one file are told; so is a file with none."""
    all_environ(environ)
    file = str(many(tmp_path, "a"))
    for wrong in (("--output", "x"), ("--kubernetes-secret", "x")):
        assert run("--config", file, "key-url", "refresh", "--all", *wrong) == 2
        assert "--all" in capsys.readouterr().err
    assert run("--config", file, "--profile", "a", "key-url", "refresh", "--all") == 2
    shared = tmp_path / "shared.toml"
    shared.write_text(
        '[profile.a]\ncpix_config = "a"\noutput = "/x/y"\n[profile.b]\ncpix_config = "b"\noutput = "/x/y"\n',
        encoding="utf-8",
    )
    assert run("--config", str(shared), "key-url", "refresh", "--all") == 3
    assert "the profiles a and b both write /x/y" in capsys.readouterr().err
    shared.write_text('[profile.a]\nusername = "x"\n', encoding="utf-8")
    assert run("--config", str(shared), "key-url", "refresh", "--all") == 3
    assert "names a cpix_config" in capsys.readouterr().err
    assert run("--config", file, "key-url", "refresh", "--all", "--dry-run") == 0
    assert "would log in" in capsys.readouterr().out


def test_due_has_its_own_exit_codes(run: Run, config: Path, tmp_path: Path, cas_server: ScriptedServer) -> None:
    """0 due, 1 not due; nothing is called or written."""
    before = sorted(entry.name for entry in tmp_path.iterdir())
    assert run("--config", str(config), "key-url", "due") == 0
    put(tmp_path / "url.json", cas_server)
    assert run("--config", str(config), "key-url", "due") == 1
    put(tmp_path / "url.json", cas_server, age=timedelta(hours=5))
    assert run("-q", "--config", str(config), "key-url", "due", "--format", "json") == 0
    assert cas_server.requests == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*before, "url.json"])


def test_due_tells_people(run: Run, config: Path, tmp_path: Path, cas_server: ScriptedServer, capsys: Any) -> None:
    """On standard error unless silenced; as JSON on standard output."""
    put(tmp_path / "url.json", cas_server)
    run("--config", str(config), "key-url", "due")
    assert "not due before 20" in capsys.readouterr().err
    run("--config", str(config), "key-url", "due", "--format", "json")
    assert json.loads(capsys.readouterr().out)["due"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ("key-url", "due", "--bogus"),
        ("--bogus", "key-url", "due"),
        ("-v", "-q", "key-url", "due"),
        ("key-url", "due", "extra"),
        ("--config", "/nowhere.toml", "key-url", "due"),
        ("--profile", "nobody", "key-url", "due"),
        ("key-url", "due", "--organization", "a/b"),
        ("key-url", "due", "--timeout", "soon"),
        ("key-url", "due", "--output", "/proc/self/mem/x"),
        ("key-url", "due", "--format", "yaml"),
    ],
)
def test_due_answers_255_to_every_error(run: Run, arguments: tuple[str, ...]) -> None:
    """`systemd` skips a service quietly on 1 to 254: a usage error among them would skip renewals for ever."""
    assert run(*arguments) == 255


def test_due_answers_255_to_a_bug_too(capsys: Any) -> None:
    """And to an installation that is broken."""

    class Broken(dict[str, str]):
        def get(self, *_: Any) -> Any:
            raise RuntimeError("x")

    assert main(["key-url", "due"], environ=Broken()) == 255
    code = "import sys; sys.modules['click'] = None; sys.argv = ['drmkit', 'key-url', 'due']\n"
    code += "from drmkit.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 255
    done = subprocess.run(
        [sys.executable, "-c", code.replace("'due'", "'show'")], capture_output=True, check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == 1


@pytest.mark.parametrize("arguments", [("key-url", "show", "--bogus"), ("key-url", "refresh", "due", "--bogus")])
def test_other_commands_keep_their_exit_codes(run: Run, arguments: tuple[str, ...]) -> None:
    """The benign twin: 255 is for `due` alone."""
    assert run(*arguments) == 2


def test_get_with_a_highest_age(
    run: Run, tmp_path: Path, cas_server: ScriptedServer, environ: dict[str, str], capsys: Any
) -> None:
    """The stored URL if it is young enough, without a call; a fresh one if not, which is then the stored one."""
    cas = Cas()
    cas_server.respond = cas.respond
    path = tmp_path / "url.json"
    put(path, cas_server, age=timedelta(minutes=5))
    assert run("key-url", "get", "--max-age", "10m", "--output", str(path)) == 0
    assert capsys.readouterr().out.endswith("?ticket=ST-old\n")
    assert cas.logins == 0
    put(path, cas_server, age=timedelta(minutes=15))
    assert run("key-url", "get", "--max-age", "10m", "--output", str(path)) == 0
    assert capsys.readouterr().out.endswith("?ticket=ST-1-cAnArY%2B%2F%3D\n")
    assert run("key-url", "get", "--max-age", "10m", "--output", str(path)) == 0
    assert capsys.readouterr().out.endswith("?ticket=ST-1-cAnArY%2B%2F%3D\n")
    assert cas.logins == 1
    assert run("key-url", "get", "--max-age", "10m") == 0
    assert (tmp_path / ".local/state/drmkit/key-url/environment.json").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--max-age", "0"), "no length of time"),
        (("--max-age", "soon"), "no length of time"),
        (("--output", "x"), "--output goes with --max-age"),
    ],
)
def test_wrong_usage_of_get(run: Run, arguments: tuple[str, ...], reason: str, capsys: Any) -> None:
    """An age that is none, and a file that would not be used."""
    assert run("key-url", "get", *arguments) == 2
    assert reason in capsys.readouterr().err
    assert run("key-url", "get", "--max-age", "1h", "--dry-run") == 0
    assert "would write" in capsys.readouterr().out


def test_show_tells_what_became_of_the_runs(
    run: Run, config: Path, tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """Age, end, next run, last error and failures in a row; the same for programs."""
    put(tmp_path / "url.json", cas_server, age=timedelta(hours=5))
    cas_server.respond = Cas(login=lambda _: Answer(429, headers={"Retry-After": "600"})).respond
    assert run("--config", str(config), "key-url", "refresh") == 75
    capsys.readouterr()
    assert run("--config", str(config), "key-url", "show", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["consecutive_failures"], data["last_exit_code"], data["due"]) == (1, 75, True)
    assert "HTTP 429" in data["last_error"]
    assert data["not_before"] == data["next_run"]
    assert data["age_seconds"] >= 5 * 3600
    assert run("--config", str(config), "key-url", "show") == 0
    out = capsys.readouterr().out
    assert "failures: 1 in a row, the last with exit code 75" in out
    assert "since the server asked for it" in out
    assert "next run: due now" in out


def test_show_of_nothing_is_json_too(
    run: Run, config: Path, cas_server: ScriptedServer, capsys: Any, tmp_path: Path
) -> None:
    """Monitoring gets its fields, the exit code and the last error, even before the first success."""
    cas_server.respond = Cas(login=lambda _: Answer(404)).respond
    assert run("--config", str(config), "key-url", "refresh") == 3
    capsys.readouterr()
    assert run("--config", str(config), "key-url", "show", "--format", "json") == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["url"], data["valid"], data["consecutive_failures"]) == (None, False, 1)
    assert "no CAS ticket resource" in err


def test_the_mode_that_was_asked_for(run: Run, tmp_path: Path, capsys: Any) -> None:
    """By option or setting; one that everybody could write is refused."""
    path = tmp_path / "url.json"
    assert run("key-url", "refresh", "--output", str(path), "--mode", "640") == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    for wrong in ("666", "rw", "777", "0o600"):
        assert run("key-url", "refresh", "--output", str(path), "--mode", wrong) == 3
        assert "mode must be permissions in octal" in capsys.readouterr().err


def test_metrics_after_good_and_bad_runs(
    run: Run, config: Path, tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """Written whatever became of the run; all profiles of one file share it."""
    metrics = tmp_path / "drmkit.prom"
    command = ("--config", str(config), "key-url", "refresh", "--metrics", str(metrics))
    assert run(*command) == 0
    assert 'drmkit_key_url_valid{profile="p"} 1\n' in metrics.read_text(encoding="utf-8")
    cas_server.respond = Cas(login=lambda _: Answer(403)).respond
    assert run(*command, "--force") == 3
    text = metrics.read_text(encoding="utf-8")
    assert 'drmkit_key_url_consecutive_failures{profile="p"} 1\n' in text
    assert 'drmkit_key_url_last_exit_code{profile="p"} 3\n' in text
    assert run(*command[:-1], str(tmp_path / "no" / "x.prom")) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_metrics_of_all_profiles(run: Run, environ: dict[str, str], tmp_path: Path) -> None:
    """One file, one sample for each profile."""
    all_environ(environ)
    metrics = tmp_path / "drmkit.prom"
    assert run("--config", str(many(tmp_path, "a", "b")), "key-url", "refresh", "--all", "--metrics", str(metrics)) == 0
    assert re.findall(r'^drmkit_key_url_valid\{profile="(.)"\} 1$', metrics.read_text("utf-8"), re.MULTILINE) == list(
        "ab"
    )


def test_a_hook_of_the_profile(run: Run, config: Path, tmp_path: Path, cas_server: ScriptedServer, capsys: Any) -> None:
    """It runs after a renewal, sees the file and no secret; its failure is exit code 75, and the next run tells it."""
    script = tmp_path / "hook"
    script.write_text(
        f'#!/bin/sh\nenv > {tmp_path}/told\ncat "$DRMKIT_OUTPUT" > {tmp_path}/copy\nexit $(cat {tmp_path}/code)\n'
    )
    script.chmod(0o700)
    (tmp_path / "code").write_text("7", encoding="utf-8")
    with config.open("a", encoding="utf-8") as stream:
        stream.write(f'hook = ["{script}"]\nhook_timeout = "20s"\n')
    command = ("--config", str(config), "key-url", "refresh")
    assert run(*command) == 75
    assert "failed (exit code 7)" in capsys.readouterr().err
    assert (tmp_path / "copy").read_text(encoding="utf-8") == (tmp_path / "url.json").read_text(encoding="utf-8")
    assert "cAnArY" not in (tmp_path / "told").read_text(encoding="utf-8")
    assert run("--config", str(config), "key-url", "due") == 0
    (tmp_path / "code").write_text("0", encoding="utf-8")
    assert run(*command) == 0
    assert "not due" in capsys.readouterr().err
    assert run("--config", str(config), "key-url", "due") == 1
    assert len(cas_server.requests) == 2


def test_verify_fetches_and_validates(run: Run, tmp_path: Path, cas_server: ScriptedServer, capsys: Any) -> None:
    """A document that is none keeps the old URL; the dry run says that it is an ingest; a word that is none is told."""
    path = tmp_path / "url.json"
    cas = Cas()
    fetched = []

    def respond(request: Request) -> Answer:
        if request.method == "GET":
            fetched.append(request.target)
            return Answer(body=b"<nothing/>")
        return cas.respond(request)

    cas_server.respond = respond
    command = ("key-url", "refresh", "--output", str(path), "--verify", "cpix")
    assert run(*command, "--dry-run") == 0
    assert "at DRMtoday is an ingest" in capsys.readouterr().out
    assert fetched == []
    assert run(*command) == 69
    assert "the new URL leads to a document that is no valid CPIX" in capsys.readouterr().err
    assert len(fetched) == 1
    assert not path.exists()
    config = tmp_path / "v.toml"
    config.write_text('[profile.p]\nverify = "all"\n', encoding="utf-8")
    assert run("--config", str(config), "key-url", "refresh", "--output", str(path)) == 3
    assert "verify = 'all' is not known" in capsys.readouterr().err


def test_a_warm_run_is_one_round_trip(environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path) -> None:
    """Cold: a login and a ticket. With a login at hand, as in `watch`, a ticket alone."""
    from drmkit.config import load_profile  # noqa: PLC0415 (one test needs it)
    from drmkit.keyserver.job import Accounts, RenewalJob, store_of  # noqa: PLC0415

    profile = load_profile(environ=environ, options={"output": str(tmp_path / "url.json")})
    with Accounts() as accounts:
        job = RenewalJob(profile, store_of(profile, environ), accounts)
        assert job.run().renewed
        assert len(cas_server.requests) == 2
        assert job.run().renewed
        assert len(cas_server.requests) == 3


class Watching:
    """`key-url watch` in a process of its own."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "drmkit", *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, or fail."""
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        self.process.kill()
        pytest.fail(f"it never came: {self.process.communicate()}")

    def end(self, number: int) -> tuple[int, str, str]:
        """Send a signal, and return the exit code and the streams."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_until_told_to_stop(
    environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path, number: int
) -> None:
    """Ready when there is a URL; SIGHUP reads the settings again; SIGTERM ends it with 0, and the file goes."""
    ready, first, second = (tmp_path / name for name in ("ready", "first.json", "second.json"))
    config = tmp_path / "c.toml"
    config.write_text(f'[profile.p]\noutput = "{first}"\n', encoding="utf-8")
    watching = Watching(environ, "--config", str(config), "key-url", "watch", "--ready-file", str(ready))
    watching.wait_for(ready.exists)
    assert first.exists()
    config.write_text(f'[profile.p]\noutput = "{second}"\n', encoding="utf-8")
    watching.process.send_signal(signal.SIGHUP)
    watching.wait_for(second.exists)
    code, out, err = watching.end(number)
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "stopped"
    assert "cAnArY" not in err
    assert not ready.exists()
    assert len(cas_server.requests) == 4


def test_watch_in_the_middle_of_a_call_stops_at_once(
    environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """A container has little time to end: a call in progress is cut off, and the stored URL stays."""
    cas_server.respond = Cas(login=lambda _: Answer(silent=True)).respond
    path = tmp_path / "url.json"
    put(path, cas_server, age=timedelta(days=1))
    before = path.read_bytes()
    watching = Watching(environ, "key-url", "watch", "--output", str(path))
    watching.wait_for(lambda: bool(cas_server.requests))
    code, _, err = watching.end(signal.SIGTERM)
    assert (code, err.splitlines()[-1]) == (0, "stopped")
    assert path.read_bytes() == before
    assert JournalFile.beside(path).load().last_attempt is not None


def test_watch_tells_failures_and_goes_on(environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path) -> None:
    """An error is told as any command tells it, and metrics are written."""
    cas_server.respond = Cas(login=lambda _: Answer(401)).respond
    metrics = tmp_path / "m.prom"
    watching = Watching(environ, "-q", "key-url", "watch", "--metrics", str(metrics))
    watching.wait_for(metrics.exists)
    code, out, err = watching.end(signal.SIGTERM)
    assert (code, out) == (0, "")
    assert "rejected the user name or password" in err
    assert "stopped" not in err
    assert 'drmkit_key_url_last_exit_code{profile="environment"} 3' in metrics.read_text(encoding="utf-8")


def test_wrong_usage_of_watch(run: Run, capsys: Any) -> None:
    """An interval that is none."""
    assert run("key-url", "watch", "--interval", "soon") == 2
    assert "no length of time" in capsys.readouterr().err
    assert run("--profile", "nobody", "key-url", "watch") == 3


def test_install_prints_units(run: Run, config: Path, capsys: Any) -> None:
    """For the profile in force, with its folders, and nothing secret."""
    assert run("--config", str(config), "key-url", "install", "--systemd", "--program", "/opt/drmkit") == 0
    out = capsys.readouterr().out
    assert "# drmkit-key-url-p.service\n" in out
    assert "# drmkit-key-url-p.timer\n" in out
    assert f"LoadCredential=config.toml:{config}" in out
    assert "ExecStart=/opt/drmkit -q --config %d/config.toml --profile p key-url refresh" in out
    assert "cAnArY" not in out


def test_install_writes_units(run: Run, config: Path, tmp_path: Path, capsys: Any) -> None:
    """Readable by everybody, as units are; the next step is told."""
    folder = tmp_path / "units"
    folder.mkdir()
    command = ("--config", str(config), "key-url", "install", "--systemd", "--user", "drmkit", "--write", str(folder))
    assert run(*command) == 0
    assert "systemctl enable --now drmkit-key-url-p.timer" in capsys.readouterr().err
    assert sorted(file.name for file in folder.iterdir()) == ["drmkit-key-url-p.service", "drmkit-key-url-p.timer"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o644}
    assert "User=drmkit" in (folder / "drmkit-key-url-p.service").read_text(encoding="utf-8")


def test_install_makes_a_crontab_line(run: Run, config: Path, tmp_path: Path, capsys: Any) -> None:
    """Printed for a user's crontab; written with a user for /etc/cron.d."""
    assert run("--config", str(config), "key-url", "install", "--cron") == 0
    line = capsys.readouterr().out
    assert line.endswith(f"-m drmkit -q --config {config} --profile p key-url refresh\n")
    target = tmp_path / "cron"
    assert run("--config", str(config), "key-url", "install", "--cron", "--write", str(target)) == 0
    assert target.read_text(encoding="utf-8").split()[5] == "root"
    assert run("--config", str(config), "key-url", "install") == 2
    assert "--systemd or --cron" in capsys.readouterr().err
    assert run("key-url", "install", "--cron") == 3
    assert "cron and systemd start programs without your environment" in capsys.readouterr().err


def measured(environ: dict[str, str], *arguments: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run the program, and return how it ended and the modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "drmkit", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return done, modules


def test_nothing_due_costs_next_to_nothing(
    environ: dict[str, str], config: Path, tmp_path: Path, cas_server: ScriptedServer
) -> None:
    """The first run with nothing due imports no network library; the next ones not even the command line."""
    put(tmp_path / "url.json", cas_server)
    command = ("--config", str(config), "key-url", "refresh")
    first, modules = measured(environ, *command)
    assert first.returncode == 0
    assert modules & {"httpx", "httpcore", "ssl", "lxml.etree", "cryptography"} == set()
    assert "click" in modules
    second, modules = measured(environ, *command)
    assert second.returncode == 0
    assert modules & {"click", "dataclasses", "json", "re", "pathlib", "logging", "typing"} == set()
    say = [line for line in first.stderr.splitlines() if not line.startswith("import time:")]
    assert [line for line in second.stderr.splitlines() if not line.startswith("import time:")] == say
    assert "not due" in say[0]
    quiet, _ = measured(environ, "-q", *command)
    again, modules = measured(environ, "-q", *command)
    for done in (quiet, again):
        assert [line for line in done.stderr.splitlines() if not line.startswith("import time:")] == []
    assert "click" not in modules
    put(tmp_path / "url.json", cas_server, age=timedelta(hours=5))
    due, modules = measured(environ, *command)
    assert due.returncode == 0
    assert "httpx" in modules
    assert len(cas_server.requests) == 2
