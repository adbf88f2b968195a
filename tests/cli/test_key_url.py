"""`drmkit key-url` against a scripted CAS: results, files, exit codes, and every kind of bad input."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from scripted import Answer, Cas, Request, ScriptedServer, created

from drmkit.cli.main import main

Run = Callable[..., int]
SECRETS = ("cAnArY", "%2B%2F%3D")


def stored(path: Path) -> dict[str, Any]:
    """The JSON of a stored URL."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Where the URL is stored."""
    return tmp_path / "url.json"


def test_get_prints_the_url_and_nothing_else(run: Run, cas_server: ScriptedServer, capsys: Any) -> None:
    """`get` prints a fresh URL with its ticket percent-encoded: `+`, `/` and `=` do not survive as they are."""
    assert run("key-url", "get") == 0
    out, err = capsys.readouterr()
    service = f"{cas_server.url}/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc"
    assert out == f"{service}?ticket=ST-1-cAnArY%2B%2F%3D\n"
    assert err == ""
    assert cas_server.requests[1].form == {"service": service}


def test_get_as_json_states_what_is_known(run: Run, capsys: Any) -> None:
    """The JSON has a schema version, the time of issue, and no expiry that nobody has measured."""
    assert run("key-url", "get", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 1
    assert data["url"].startswith(data["service"] + "?ticket=")
    assert data["issued_at"].endswith("Z")
    assert data["expires_at"] is None


def test_get_with_an_asset_and_a_query(run: Run, tmp_path: Path, environ: dict[str, str], capsys: Any) -> None:
    """The asset ID is a path part of the service; query parameters stand in the URL and not in the service."""
    config = tmp_path / "c.toml"
    config.write_text('[profile.p]\nquery = { x-signaling-alg = "cbcs" }\nticket_lifetime = "1h"\n', encoding="utf-8")
    assert run("--config", str(config), "key-url", "get", "--asset-id", "a b/c", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["service"].endswith("/ingest/510466cc/a%20b%2Fc")
    assert data["url"].endswith("ticket=ST-1-cAnArY%2B%2F%3D&x-signaling-alg=cbcs")
    assert data["expires_at"] is not None


def test_refresh_writes_a_private_file_and_talks_on_stderr(run: Run, output: Path, capsys: Any) -> None:
    """`refresh` writes the JSON form, 0600, and says so on standard error with the ticket masked."""
    assert run("key-url", "refresh", "--output", str(output)) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "renewed: http://127.0.0.1" in err
    assert "?ticket=**********" in err
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    data = stored(output)
    assert list(data) == ["schema_version", "url", "service", "issued_at", "expires_at"]
    assert data["url"].endswith("?ticket=ST-1-cAnArY%2B%2F%3D")
    assert sorted(p.name for p in output.parent.iterdir() if p.name.startswith(("url", ".url"))) == [
        "url.json",
        "url.json.lock",
        "url.json.state",
    ]


def test_refresh_is_silent_on_success_with_q(run: Run, output: Path, capsys: Any) -> None:
    """With -q cron has nothing to mail."""
    assert run("-q", "key-url", "refresh", "--output", str(output)) == 0
    assert capsys.readouterr() == ("", "")


def test_refresh_renews_when_due_or_forced_only(
    run: Run, output: Path, tmp_path: Path, cas_server: ScriptedServer, capsys: Any
) -> None:
    """With a stated lifetime a young URL is left alone, and `--force` renews it all the same."""
    config = tmp_path / "c.toml"
    config.write_text('[profile.p]\nticket_lifetime = "6h"\n', encoding="utf-8")
    command = ["--config", str(config), "key-url", "refresh", "--output", str(output)]
    assert run(*command) == 0
    first = output.read_bytes()
    assert run(*command) == 0
    assert "not due" in capsys.readouterr().err
    assert output.read_bytes() == first
    assert len(cas_server.requests) == 2
    assert run(*command, "--force") == 0
    assert output.read_bytes() != first


def test_refresh_without_a_known_lifetime_always_renews(run: Run, output: Path) -> None:
    """Where nobody knows how long a ticket lives, every run takes a new one."""
    assert run("key-url", "refresh", "--output", str(output)) == 0
    first = stored(output)["url"]
    assert run("key-url", "refresh", "--output", str(output)) == 0
    assert stored(output)["url"] != first


@pytest.mark.parametrize(("form", "start"), [("url", "http://127.0.0.1:"), ("env", "KEY_SERVER_URL="), ("json", "{\n")])
def test_every_form_is_written_and_read_back(run: Run, output: Path, form: str, start: str, capsys: Any) -> None:
    """Each form of the file can be shown again."""
    assert run("key-url", "refresh", "--output", str(output), "--write", form) == 0
    assert output.read_text(encoding="utf-8").startswith(start)
    capsys.readouterr()
    assert run("key-url", "show", "--output", str(output), "--reveal", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["url"].endswith("?ticket=ST-1-cAnArY%2B%2F%3D")
    assert data["valid"] is True


def test_the_env_form_works_in_a_shell(run: Run, output: Path, tmp_path: Path) -> None:
    """A shell that sources the env form gets the whole URL, `&` and all."""
    config = tmp_path / "c.toml"
    config.write_text('[profile.p]\nquery = { x-signaling-alg = "cenc" }\n', encoding="utf-8")
    assert run("--config", str(config), "key-url", "refresh", "--output", str(output), "--write", "env") == 0
    shell = subprocess.run(
        ["sh", "-c", f'. "{output}"; printf %s "$KEY_SERVER_URL"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout.endswith("?ticket=ST-1-cAnArY%2B%2F%3D&x-signaling-alg=cenc")


def test_without_output_the_state_is_the_profiles_own(
    run: Run, environ: dict[str, str], tmp_path: Path, capsys: Any
) -> None:
    """The default file lies in the state folder, private like its folder."""
    environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    assert run("key-url", "refresh") == 0
    path = tmp_path / "state" / "drmkit" / "key-url" / "environment.json"
    assert path.exists()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    capsys.readouterr()
    assert run("key-url", "show") == 0
    assert "?ticket=**********" in capsys.readouterr().out


def test_show_masks_unless_asked(run: Run, output: Path, capsys: Any) -> None:
    """`show` never shows the ticket without --reveal."""
    run("key-url", "refresh", "--output", str(output))
    capsys.readouterr()
    for extra in ([], ["--format", "json"]):
        assert run("key-url", "show", "--output", str(output), *extra) == 0
        shown = capsys.readouterr().out
        assert not any(secret in shown for secret in SECRETS)
    assert run("key-url", "show", "--output", str(output), "--reveal") == 0
    assert "ST-1-cAnArY%2B%2F%3D" in capsys.readouterr().out


def test_show_says_when_nothing_is_stored_or_it_has_expired(run: Run, output: Path, capsys: Any) -> None:
    """The answer "no valid URL" is exit code 1, with what to do."""
    assert run("key-url", "show", "--output", str(output)) == 1
    assert "no key-server URL is stored" in capsys.readouterr().err
    run("key-url", "refresh", "--output", str(output))
    data = stored(output) | {"expires_at": "2020-01-01T00:00:00Z"}
    output.write_text(json.dumps(data), encoding="utf-8")
    assert run("key-url", "show", "--output", str(output)) == 1
    assert "expired at 2020-01-01T00:00:00Z" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["get", "refresh"])
def test_dry_run_calls_nothing(run: Run, cas_server: ScriptedServer, command: str, capsys: Any) -> None:
    """A dry run names what would be called and makes no request."""
    assert run("key-url", command, "--dry-run") == 0
    assert f"would log in at {cas_server.url}/cas/v1/tickets as merchant::api" in capsys.readouterr().out
    assert cas_server.requests == []


def silent(_: Request) -> Answer:
    """Take the request and never answer."""
    return Answer(silent=True)


def dripping(request: Request) -> Answer:
    """Send the headers of a good answer one byte a second."""
    answer = created(request)
    answer.drip_seconds = 1.0
    return answer


def elsewhere(_: Request) -> Answer:
    """A 201 whose Location is on another host."""
    return Answer(201, headers={"Location": "http://127.0.0.2/cas/v1/tickets/TGT-cAnArY"})


def late(_: Request) -> Answer:
    """429 with a date."""
    return Answer(
        429, headers={"Retry-After": "Sat, 21 Nov 2026 13:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}
    )


def fixed(status: int, body: str) -> Callable[[Request], Answer]:
    """Always this."""
    return lambda _: Answer(status, body.encode())


BAD_SERVERS = {
    "wrong password": (
        Cas(login=fixed(401, '{"authentication_exceptions": ["FailedLoginException"]}')),
        3,
        "rejected the user name or password (HTTP 401)",
        "API account is activated",
    ),
    "wrong password, older CAS": (Cas(login=fixed(400, "")), 3, "rejected the user name or password", "API account"),
    "unknown organization": (
        Cas(ticket=fixed(404, "Target service/application is unspecified or unrecognized in the request")),
        3,
        "gives no ticket for http://127.0.0.1",
        "organization UUID",
    ),
    "HTML instead of a ticket": (Cas(ticket=fixed(200, "<html>Sign in</html>")), 75, "looks like HTML", "proxy"),
    "JSON instead of a ticket": (Cas(ticket=fixed(200, '{"error": 1}')), 75, "looks like JSON", "proxy"),
    "an empty ticket": (Cas(ticket=fixed(200, "\r\n")), 75, "it is empty", "proxy"),
    "a 200 that is an error page": (Cas(login=fixed(200, "<!DOCTYPE html>Oops")), 75, "200 with an HTML page", "proxy"),
    "a Location on another host": (Cas(login=elsewhere), 75, "Location is http://127.0.0.2", "nothing was sent there"),
    "TGT gone again and again": (Cas(ticket=fixed(404, "TGT could not be found")), 3, "gives no ticket", "ingest"),
    "429 with a date": (Cas(login=late), 75, "come back later (HTTP 429)", "wait 3600 seconds"),
    "423": (Cas(login=fixed(423, "")), 75, "come back later (HTTP 423)", "later"),
    "503": (Cas(ticket=fixed(503, "")), 75, "the server failed (HTTP 503)", "later"),
    "no CAS there": (Cas(login=fixed(404, "")), 3, "no CAS ticket resource", "auth_url"),
    "a server that never answers": (Cas(login=silent), 75, "no complete answer within 0.3 seconds", "network"),
    "a server that drips": (Cas(login=dripping), 75, "no complete answer within 0.3 seconds", "network"),
    "a connection dropped": (Cas(login=lambda _: Answer(raw=b"")), 75, "the connection broke", ""),
    "no HTTP at all": (Cas(login=lambda _: Answer(raw=b"SSH-2.0-x\r\n\r\n")), 75, "the connection broke", ""),
}


@pytest.mark.parametrize("name", BAD_SERVERS)
def test_a_bad_server_leaves_the_stored_url_alone(
    run: Run, environ: dict[str, str], cas_server: ScriptedServer, output: Path, name: str, capsys: Any
) -> None:
    """Each failure names its cause and the next step, has its exit code, and keeps the stored URL byte for byte."""
    assert run("key-url", "refresh", "--output", str(output)) == 0
    before = output.read_bytes()
    cas, code, cause, step = BAD_SERVERS[name]
    cas_server.respond = cas.respond
    config = Path(environ["HOME"]) / "c.toml"
    config.write_text("[profile.p]\nattempts = 1\n", encoding="utf-8")
    capsys.readouterr()
    arguments = ("--config", str(config), "key-url", "refresh", "--timeout", "0.3", "--output", str(output))
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert cause in err
    assert step in err
    assert output.read_bytes() == before
    if code == 75:
        assert "is kept (its lifetime is not known)" in err
        output.unlink()
        assert run(*arguments) == 69, "with nothing at hand the remote side is simply unavailable"
        assert not output.exists()


def test_a_broken_certificate_leaves_the_stored_url_alone(
    run: Run, environ: dict[str, str], output: Path, tmp_path: Path, capsys: Any
) -> None:
    """A certificate that nobody vouches for is refused by its reason; with its authority in `ca_file` it is taken."""
    assert run("key-url", "refresh", "--output", str(output)) == 0
    before = output.read_bytes()
    authority = Authority(tmp_path)
    with ScriptedServer(
        Cas(login=lambda request: created(request, scheme="https")).respond, context=authority.context("127.0.0.1")
    ) as server:
        environ |= {"DRMTODAY_AUTH_URL": server.url, "DRMTODAY_FRONTEND_URL": server.url}
        config = tmp_path / "c.toml"
        config.write_text("[profile.p]\nattempts = 1\n", encoding="utf-8")
        other = tmp_path / "other.json"
        assert run("--config", str(config), "key-url", "refresh", "--output", str(other)) == 69
        err = capsys.readouterr().err
        assert "the server's certificate is not trusted" in err
        assert "`ca_file`" in err
        assert server.requests == []
        assert output.read_bytes() == before
        config.write_text(f'[profile.p]\nca_file = "{authority.ca_file}"\n', encoding="utf-8")
        assert run("--config", str(config), "key-url", "refresh", "--output", str(other)) == 0


@pytest.mark.parametrize("ticket", ["a+/=", "ST-1\r\n", "\r\nST-1 "])
def test_good_tickets_that_look_odd_are_taken(run: Run, cas_server: ScriptedServer, ticket: str, capsys: Any) -> None:
    """The benign twins: base64 characters are encoded, and line breaks around a ticket are no part of it."""
    cas_server.respond = Cas(ticket=fixed(200, ticket)).respond
    assert run("key-url", "get") == 0
    encoded = {"a+/=": "a%2B%2F%3D"}.get(ticket, "ST-1")
    assert capsys.readouterr().out.endswith(f"?ticket={encoded}\n")


@pytest.mark.parametrize(
    ("change", "cause", "step"),
    [
        (
            {"DRMTODAY_ORGANIZATION": "", "DRMTODAY_USERNAME": ""},
            "username, organization are not set",
            "DRMTODAY_USERNAME, DRMTODAY_ORGANIZATION",
        ),
        ({"DRMTODAY_PASSWORD": ""}, "password is not set", "DRMTODAY_PASSWORD"),
        ({"DRMTODAY_FRONTEND_URL": ""}, "frontend_url is not set", "both or neither"),
        ({"DRMTODAY_ENVIRONMENT": "staging"}, "is set beside auth_url", "keep either"),
        ({"DRMTODAY_ORGANIZATION": "a/b"}, "organization is not one path segment", "dashboard"),
        ({"DRMTODAY_AUTH_URL": "http://auth.example.com"}, "auth_url must be an https URL", "https://"),
        (
            {
                "DRMTODAY_AUTH_URL": "https://auth.drmtoday.com",
                "DRMTODAY_FRONTEND_URL": "https://fe.staging.drmtoday.com",
            },
            "belong to different environments",
            "same installation",
        ),
        (
            {"DRMTODAY_AUTH_URL": "", "DRMTODAY_FRONTEND_URL": "", "DRMTODAY_ENVIRONMENT": "prod"},
            "no DRMtoday environment 'prod'",
            "production or staging",
        ),
        ({"DRMKIT_CONFIG": "/nowhere/config.toml"}, "no configuration file /nowhere/config.toml", "--config"),
    ],
)
def test_bad_settings_are_told_before_anything_is_called(
    run: Run,
    environ: dict[str, str],
    cas_server: ScriptedServer,
    change: dict[str, str],
    cause: str,
    step: str,
    capsys: Any,
) -> None:
    """A wrong or missing setting is exit code 3, and nothing was sent."""
    environ.update(change)
    assert run("key-url", "get") == 3
    err = capsys.readouterr().err
    assert cause in err
    assert step in err
    assert cas_server.requests == []


@pytest.mark.parametrize(
    ("content", "cause", "step"),
    [
        ('[profile.p]\nuser = "x"\n', "line 2: unknown key 'user' in [profile.p]", "did you mean 'username'?"),
        ("[profil.p]\n", "line 1: unknown key 'profil'", "did you mean 'profile'?"),
        ("[profile.p]\nusername = 7\n", "username must be a text", ""),
        ("[profile.p]\ntimeout = -1\n", "timeout must be a length of time", ""),
        ("[profile.p]\nusername = secret-without-quotes\n", "not valid TOML", "strings need quotes"),
        ('[profile.p]\npassword = "x"\n', "open to other users (mode 0644)", "chmod 600"),
        ("[profile.a]\n[profile.b]\n", "several profiles: a, b", "--profile"),
    ],
)
def test_bad_configuration_files(run: Run, tmp_path: Path, content: str, cause: str, step: str, capsys: Any) -> None:
    """A configuration with an unknown key, a wrong value or loose permissions is refused with its place."""
    config = tmp_path / "c.toml"
    config.write_text(content, encoding="utf-8")
    config.chmod(0o644)
    assert run("--config", str(config), "key-url", "get") == 3
    err = capsys.readouterr().err
    assert cause in err
    assert step in err
    assert "secret-without-quotes" not in err


@pytest.mark.parametrize(("mode", "code"), [(0o600, 0), (0o400, 0), (0o644, 3), (0o640, 3), (0o604, 3)])
def test_a_password_file_must_be_private(
    run: Run, environ: dict[str, str], tmp_path: Path, mode: int, code: int, capsys: Any
) -> None:
    """A password file that others can read is refused; a private one works."""
    del environ["DRMTODAY_PASSWORD"]
    file = tmp_path / "password"
    file.write_text("cAnArYpAsSwOrD\n", encoding="utf-8")
    file.chmod(mode)
    assert run("key-url", "get", "--password-file", str(file)) == code
    out, err = capsys.readouterr()
    assert ("open to other users" in err) == (code == 3)
    assert bool(out) == (code == 0)


def test_output_must_be_a_file_in_a_folder(run: Run, tmp_path: Path, cas_server: ScriptedServer, capsys: Any) -> None:
    """A folder, a device or a missing folder is refused before anything is called, and is never replaced."""
    for bad, cause in ((tmp_path, "not a regular file"), (Path("/dev/full"), "not a regular file")):
        assert run("key-url", "refresh", "--output", str(bad)) == 2
        assert cause in capsys.readouterr().err
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    assert run("key-url", "refresh", "--output", str(tmp_path / "no" / "url.json")) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert cas_server.requests == []


def in_a_child(environ: dict[str, str], *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "drmkit", *arguments]
    root = Path(__file__).resolve().parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), **environ}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60, **options)


def test_a_full_disk_keeps_the_old_url(run: Run, environ: dict[str, str], output: Path) -> None:
    """When the kernel refuses to write, the old file is whole, no temporary file stays, and the message says why."""
    assert run("key-url", "refresh", "--output", str(output)) == 0
    before = output.read_bytes()

    def no_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    environ["PYTHONDONTWRITEBYTECODE"] = "1"
    done = in_a_child(environ, "key-url", "refresh", "--output", str(output), preexec_fn=no_space)
    assert done.returncode == 75
    assert "could not be written (File too large)" in done.stderr
    assert "free some space" in done.stderr
    assert output.read_bytes() == before
    assert [p.name for p in output.parent.iterdir() if p.name.endswith(".tmp")] == []


def test_a_read_only_folder_is_told_before_anything_is_called(
    environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path
) -> None:
    """A folder that may not be written is exit code 3, told before the account is used."""
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    prefix = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all"] if os.geteuid() == 0 else []
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "drmkit", "key-url", "refresh", "--output", str(folder / "url.json")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "may not be written (Permission denied)" in done.stderr
    assert cas_server.requests == []


def test_a_torn_state_file_is_set_aside(run: Run, output: Path, capsys: Any) -> None:
    """A file that holds no URL is kept as `.bad`, told of, and replaced."""
    output.write_text('{"url": "http', encoding="utf-8")
    assert run("key-url", "refresh", "--output", str(output)) == 0
    assert "is kept as" in capsys.readouterr().err
    assert output.with_name("url.json.bad").read_text(encoding="utf-8") == '{"url": "http'
    assert stored(output)["schema_version"] == 1


def test_a_full_disk_behind_standard_output_is_no_bug(environ: dict[str, str]) -> None:
    """Where the shell's redirection has no space, the command says so and ends with 1."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "drmkit", "config", "init"]
        root = str(Path(__file__).resolve().parents[2])
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env={**environ, "PYTHONPATH": root}
        )
    assert done.returncode == 1
    assert "the output could not be written (No space left on device)" in done.stderr


def test_the_entry_point_runs(environ: dict[str, str]) -> None:
    """`python -m drmkit` is the same program."""
    done = in_a_child(environ, "key-url", "get")
    assert done.returncode == 0
    assert "?ticket=ST-1" in done.stdout


def test_a_bug_is_told_without_its_text(capsys: Any) -> None:
    """An unforeseen error ends with 70 and shows its type and place, never its text, which may hold a secret."""

    class Broken(dict[str, str]):
        def get(self, *_: Any) -> Any:
            raise RuntimeError("cAnArY")

    assert main(["config", "show"], environ=Broken()) == 70
    err = capsys.readouterr().err
    assert "this is a bug in drmkit: RuntimeError at test_key_url.py:" in err
    assert "cAnArY" not in err


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["key-urls"], "No such command 'key-urls'. Did you mean 'key-url'?"),
        (["key-url", "refresh", "--ouput", "x"], "No such option"),
        (["key-url", "refresh", "--write", "yaml"], "'yaml' is not one of"),
        (["-v", "-q", "config", "show"], "exclude each other"),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, arguments: list[str], cause: str, capsys: Any) -> None:
    """Usage errors name what is wrong and where help is."""
    assert run(*arguments) == 2
    err = capsys.readouterr().err
    assert cause in err
    assert "-h` lists the options" in err


@pytest.mark.parametrize("name", ["--password", "--secret-key"])
def test_a_secret_is_never_a_plain_option(run: Run, name: str, capsys: Any) -> None:
    """There is no option for a secret, and the refusal says why without repeating it."""
    assert run("key-url", "get", f"{name}=cAnArY") == 2
    err = capsys.readouterr().err
    assert "process list" in err
    assert "cAnArY" not in err
