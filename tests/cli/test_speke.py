"""`drmkit speke` at work on the sandbox: output, exit codes, and that no secret is an argument or is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from lxml import etree
from speke_requests import PASSWORD, certificate, sandbox_options

from drmkit import cpix
from drmkit.cli.output import App
from drmkit.cli.speke import Progress, speke
from drmkit.errors import ApiError, ConfigurationError, CredentialsRejectedError, DrmkitError, InputError, VerdictError
from drmkit.sandbox import Sandbox
from drmkit.speke.kit import CaseResult

Run = Callable[..., None]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """A sandbox for this module."""
    with Sandbox(sandbox_options()) as sandbox:
        yield sandbox


@pytest.fixture
def url(running: Sandbox) -> Iterator[str]:
    """The provider of version 2.0, without faults."""
    running.faults.clear()
    yield f"{running.url}/speke/v2.0/copyProtection"
    running.faults.clear()


@pytest.fixture
def run(tmp_path: Path, running: Sandbox) -> Run:
    """Run the group with an environment of its own; errors come out."""

    def runner(*arguments: str, quiet: bool = False, **environ: str) -> None:
        app = App({"HOME": str(tmp_path), **running.environment(), **environ}, quiet=quiet)
        speke.main(args=list(arguments), prog_name="drmkit speke", standalone_mode=False, obj=app)

    return runner


def private(path: Path, text: str) -> str:
    """Write a file that only its owner can read."""
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_request_shows_keys_masked(run: Run, url: str, capsys: Any) -> None:
    """Without --reveal and --output the keys are fetched, checked and not shown."""
    run("request", "my-content", "--url", url)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["**********", "cbcs", track, "Widevine,PlayReady,FairPlay"] for track in ("VIDEO", "AUDIO")
    ]
    assert "not shown and not stored" in err


def test_request_reveals_on_demand(run: Run, url: str, running: Sandbox, capsys: Any) -> None:
    """--reveal prints the document; with JSON, the keys stand in it."""
    run("request", "c", "--url", url, "--reveal")
    document = cpix.parse(capsys.readouterr().out.encode())
    assert all(running.stored_key(key.kid) == key.key for key in document.content_keys)
    run("request", "c", "--url", url, "--reveal", "--format", "json")
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 1
    assert data["content_id"] == "c"
    assert [key["key"] for key in data["keys"]] == [k.key.reveal().hex() for k in document.content_keys if k.key]
    assert data["keys"][0]["tracks"] == ["VIDEO"]
    assert data["keys"][0]["systems"] == ["Widevine", "PlayReady", "FairPlay"]


def test_request_writes_a_private_file(run: Run, url: str, tmp_path: Path, capsys: Any) -> None:
    """--output writes the document for its owner alone, and prints no key."""
    output = tmp_path / "keys.xml"
    run("request", "c", "--url", url, "--output", str(output), "--system", "widevine", "--scheme", "cenc")
    document = cpix.parse(output.read_bytes())
    assert output.stat().st_mode & 0o077 == 0
    assert {key.scheme for key in document.content_keys} == {"cenc"}
    captured = capsys.readouterr()
    assert not any(key.key and key.key.reveal().hex() in captured.out for key in document.content_keys)
    assert str(output) in captured.err


def test_request_asks_for_what_it_is_told(run: Run, capsys: Any, tmp_path: Path) -> None:
    """Presets, systems, periods, certificate and version shape the request, which --dry-run prints without sending."""
    file = tmp_path / "c.der"
    file.write_bytes(certificate(2048))
    run(
        *("request", "c", "--dry-run", "--speke-version", "2.1", "--video", "VIDEO-2", "--audio", "UNENCRYPTED"),
        *("--system", "widevine", "--period", "7", "--certificate", str(file)),
    )
    sent = cpix.parse(capsys.readouterr().out.encode())
    assert (sent.version, sent.periods[0].index, len(sent.recipients)) == ("2.4", 7, 1)
    assert [rule.intended_track_type for rule in sent.usage_rules] == ["SD", "HD"]
    run("request", "c", "--dry-run", "--vendor", "doverunner", "--secret", "token=env:TOKEN", TOKEN="tOkEn")
    out = capsys.readouterr().out
    assert cpix.parse(out.encode()).id == "c"
    assert "tOkEn" not in out


def test_request_with_a_certificate_gets_encrypted_keys(run: Run, url: str, tmp_path: Path, capsys: Any) -> None:
    """Encrypted keys are told as such."""
    file = tmp_path / "c.der"
    file.write_bytes(certificate(2048))
    run("request", "c", "--url", url, "--certificate", str(file))
    assert capsys.readouterr().out.split()[1] == "encrypted"
    with pytest.raises(InputError, match="cannot be read"):
        run("request", "c", "--url", url, "--certificate", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("words", "reason", "hint"),
    [
        (("vendors", "nobody"), "there is no vendor 'nobody'", "known: "),
        (("request", "c", "--dry-run", "--vendor", "axinon"), "there is no vendor", "did you mean axinom"),
        (("request", "c", "--dry-run", "--video", "VIDEO-9"), "there is no video preset", "did you mean VIDEO-8"),
        (("request", "", "--dry-run"), "the content ID is empty", "name the content"),
        (("request", "c", "--dry-run", "--period", "1", "--period", "1"), "two key periods", "its own"),
        (("request", "c", "--dry-run", "--scheme", "cbcz"), "no protection scheme 'cbcz'", "cbcs"),
        (("request", "c", "--dry-run", "--scheme", "AES-128"), "no protection scheme 'AES-128'", "cbc1"),
        (
            ("request", "c", "--dry-run", "--scheme", "cenc", "--system", "fairplay"),
            "FairPlay does not play cenc",
            "it plays cbcs",
        ),
        (("check", "http://127.0.0.1:9/", "--group", "none"), "there is no group none", "the groups: basic"),
    ],
)
def test_what_the_command_line_gets_wrong_is_usage(run: Run, words: tuple[str, ...], reason: str, hint: str) -> None:
    """A name or value among the arguments that does not exist ends with exit code 2, as a wrong choice does."""
    with pytest.raises(InputError, match=reason) as caught:
        run(*words)
    assert caught.value.exit_code == 2
    assert hint in (caught.value.hint or "")


def test_a_password_without_a_user_is_not_passed_over(run: Run, url: str, tmp_path: Path) -> None:
    """A password file that nothing would read is usage, with a URL and with a vendor."""
    file = private(tmp_path / "password", PASSWORD)
    with pytest.raises(click.UsageError, match="name the user"):
        run("request", "c", "--url", url, "--basic-password-file", file)
    with pytest.raises(click.UsageError, match="--basic-password-file belongs to a URL"):
        run("request", "c", "--vendor", "axinom", "--basic-password-file", file)


def test_a_scheme_chooses_among_the_usual_systems(run: Run, capsys: Any) -> None:
    """For cenc, Widevine and PlayReady are asked for alone, since FairPlay does not play it; for cbcs all three."""
    for scheme, count in (("cenc", 2), ("cbcs", 3)):
        run("request", "c", "--dry-run", "--scheme", scheme, "--video", "SHARED", "--audio", "SHARED")
        asked = cpix.parse(capsys.readouterr().out.encode())
        assert [key.scheme for key in asked.content_keys] == [scheme]
        assert len(asked.drm_systems) == count


def test_request_by_version_1(run: Run, running: Sandbox, capsys: Any) -> None:
    """Version 1.0 has one key for everything."""
    run("request", "c", "--url", f"{running.url}/speke/v1.0/copyProtection", "--speke-version", "1.0")
    assert capsys.readouterr().out.split()[2:] == ["-", "all", "Widevine,PlayReady,FairPlay"]


def test_request_by_a_drmtoday_ticket(run: Run, tmp_path: Path, capsys: Any) -> None:
    """--key-source drmtoday: takes a fresh ticket by the profile, and asks that URL."""
    run("request", "c", "--key-source", "drmtoday:")
    assert len(capsys.readouterr().out.splitlines()) == 2
    with pytest.raises(click.UsageError, match="write drmtoday:PROFILE"):
        run("request", "c", "--key-source", "other:x")
    config = tmp_path / ".config" / "drmkit" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[profile.here]\n", encoding="utf-8")
    run("request", "c", "--key-source", "drmtoday:here")


def test_secrets_come_from_files_and_the_environment(run: Run, tmp_path: Path, capsys: Any) -> None:
    """URL, header and password are read from private files or variables; a file that others can read is refused."""
    with Sandbox(sandbox_options(speke_auth=True)) as locked:
        target = private(tmp_path / "url", f"{locked.url}/speke/v2.0/copyProtection\n")
        password = private(tmp_path / "password", PASSWORD)
        login = ("--basic-user", "api-user", "--basic-password-file", password)
        run("request", "c", "--url-file", target, *login)
        assert len(capsys.readouterr().out.splitlines()) == 2
        with pytest.raises(CredentialsRejectedError):
            run("request", "c", "--url-file", target, "--header", "Authorization=env:TOKEN", TOKEN="Basic AAAA")
        with pytest.raises(ConfigurationError, match="no password for --basic-user"):
            run("request", "c", "--url-file", target, "--basic-user", "api-user")
        (tmp_path / "password").chmod(0o644)
        with pytest.raises(ConfigurationError, match="open to other users"):
            run("request", "c", "--url-file", target, *login)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "say where the provider is, in one way"),
        (("--url", "https://a.example.com", "--vendor", "aws"), "say where the provider is, in one way"),
        (("--url", "https://a.example.com", "--field", "token=1"), "belong to --vendor"),
        (("--vendor", "doverunner", "--field", "token"), "--field: write NAME=VALUE, not 'token'"),
        (("--url", "https://a.example.com", "--basic-user", "a", "--sigv4-region", "b"), "exclude each other"),
    ],
)
def test_contradictions_are_usage_errors(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    """What contradicts itself is refused before anything is read or sent."""
    with pytest.raises(click.UsageError, match=reason):
        run("request", "c", *arguments)


def test_signing_needs_credentials(run: Run) -> None:
    """--sigv4-region takes AWS's variables, and says which are missing."""
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"):
        run("request", "c", "--url", "https://a.example.com", "--sigv4-region", "eu-west-1")
    with pytest.raises(ConfigurationError, match="the variable NOPE is not set"):
        run("request", "c", "--url", "https://a.example.com", "--header", "x=env:NOPE")


def test_check_is_green_for_the_sandbox(run: Run, url: str, capsys: Any) -> None:
    """Against a good provider the table is all ok, and nothing is said on standard error without a terminal."""
    run("check", url, "--quick", "--system", "widevine", "--group", "basic", "--group", "presets")
    out, err = capsys.readouterr()
    assert "SPEKE 2.0: 8 of 8 cases passed" in out
    assert err == ""


def test_check_fails_for_a_faulty_provider(run: Run, url: str, running: Sandbox, capsys: Any) -> None:
    """A fault makes the command fail with exit code 1, after the report."""
    running.faults.switch_on("speke-hls-differs")
    with pytest.raises(VerdictError, match="1 of 1 cases failed") as caught:
        run("check", url, "--group", "basic", "--verbose")
    assert caught.value.exit_code == 1
    assert "[speke-hls-same]" in capsys.readouterr().out


def test_check_speaks_json_and_junit(run: Run, url: str, tmp_path: Path, capsys: Any) -> None:
    """Reports for machines, on standard output or in a file."""
    run("check", url, "--group", "basic", "--format", "json")
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["ok"], data["counts"]["passed"]) == (1, True, 1)
    output = tmp_path / "report.xml"
    run("check", url, "--group", "basic", "--format", "junit", "--output", str(output))
    assert etree.parse(str(output)).getroot().get("tests") == "1"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shown", [True, False])
def test_progress_shows_where_it_should(capsys: Any, shown: bool) -> None:
    """A bar counts the cases on standard error, or nothing is said."""
    with Progress(2, shown=shown) as progress:
        progress.step(CaseResult("basic", "one", "passed"))
    out, err = capsys.readouterr()
    assert out == ""
    assert ("checking" in err) == shown


def test_vendors_are_listed(run: Run, capsys: Any) -> None:
    """What is known of providers, and what is not, for people and as JSON."""
    run("vendors")
    text = capsys.readouterr().out
    assert "doverunner: DoveRunner (PallyCon), SPEKE 1.0" in text
    assert "nagra: NAGRA, no SPEKE requests known" in text
    assert "  secret   token" in text
    run("vendors", "axinom", "--format", "json")
    (row,) = json.loads(capsys.readouterr().out)["vendors"]
    assert (row["fields"], row["secrets"]) == (["username", "password"], ["password"])


def test_a_password_may_be_asked_for(url: str, running: Sandbox, capsys: Any) -> None:
    """At a terminal the password is asked for, hidden."""

    class Terminal(App):
        @property
        def prompt(self) -> Callable[[str], str]:
            return lambda text: PASSWORD

    with Sandbox(sandbox_options(speke_auth=True)) as locked:
        target = f"{locked.url}/speke/v2.0/copyProtection"
        arguments = ["request", "c", "--url", target, "--basic-user", "api-user"]
        speke.main(args=arguments, prog_name="x", standalone_mode=False, obj=Terminal({}))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_help_tells_of_every_command(run: Run, capsys: Any) -> None:
    """The group lists its commands with a sentence each."""
    run("--help")
    text = capsys.readouterr().out
    assert all(f"  {name}" in text for name in ("request", "check", "vendors"))


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_a_url_of_the_specification_s_form_names_its_version(
    run: Run, running: Sandbox, capsys: Any, version: str
) -> None:
    """`/speke/v2.1/` in a URL is enough, for a request, for a dry run and for a check; --speke-version decides."""
    url = f"{running.url}/speke/v{version}/copyProtection"
    run("request", "c", "--url", url)
    assert capsys.readouterr().out
    run("request", "c", "--url", url, "--dry-run")
    assert cpix.parse(capsys.readouterr().out.encode()).version == {"1.0": None, "2.0": "2.3", "2.1": "2.4"}[version]
    run("check", url, "--group", "basic")
    assert f"SPEKE {version}: " in capsys.readouterr().out
    with pytest.raises(ApiError, match="Unsupported SPEKE version") as caught:
        run("request", "c", "--url", url, "--speke-version", "2.1" if version == "2.0" else "2.0")
    assert "another version may be meant" in (caught.value.hint or "")


def test_a_secret_in_the_wrong_place_is_not_repeated(run: Run, url: str) -> None:
    """Whoever gives a secret itself instead of its file is told so, without the secret; --field takes none."""
    for option in ("--secret", "--header"):
        for given in (f"token={PASSWORD}", PASSWORD):
            where = ("--url", url) if option == "--header" else ("--vendor", "doverunner")
            with pytest.raises((ConfigurationError, click.UsageError)) as caught:
                run("request", "c", *where, option, given)
            assert PASSWORD not in str(caught.value) + str(getattr(caught.value, "hint", ""))
    with pytest.raises(click.UsageError, match="token of .* is secret: give it with --secret"):
        run("request", "c", "--vendor", "doverunner", "--field", f"token={PASSWORD}")


def test_logins_of_a_vendor_are_fields(run: Run) -> None:
    """A login beside --vendor would be passed over, so that it is refused."""
    with pytest.raises(click.UsageError, match="--basic-user belongs to a URL; Axinom DRM wants username, password"):
        run("request", "c", "--vendor", "axinom", "--basic-user", "tenant")


def test_a_dry_run_of_a_vendor_needs_no_secret(run: Run, capsys: Any) -> None:
    """What would be sent depends on the vendor alone; a vendor without SPEKE has nothing to show."""
    run("request", "movie1", "--vendor", "doverunner", "--dry-run")
    asked = cpix.parse(capsys.readouterr().out.encode())
    assert (asked.id, asked.version) == ("movie1", None)
    assert all(len(entry.element) == 0 for entry in asked.drm_systems)
    with pytest.raises(ConfigurationError, match="takes no SPEKE requests"):
        run("request", "movie1", "--vendor", "ezdrm", "--dry-run")


def test_what_is_not_known_of_a_vendor_is_told_beside_its_error(
    run: Run, url: str, tmp_path: Path, capsys: Any
) -> None:
    """Where a preset does not lead to keys, the user learns what of it nobody has stated; where it does, nothing."""
    login = ("--field", "username=u", "--secret", f"password={private(tmp_path / 'p', 'secret')}")
    with pytest.raises(DrmkitError):
        run("request", "m", "--vendor", "axinom", *login, "--field", f"url={url}/nowhere")
    assert "note: of Axinom DRM it is not publicly known: its limits on requests" in capsys.readouterr().err
    run("request", "m", "--vendor", "axinom", *login, "--field", f"url={url}")
    assert "not publicly known" not in capsys.readouterr().err


def test_a_vendor_s_own_rules_are_told(run: Run, url: str, tmp_path: Path, capsys: Any) -> None:
    """A content ID that a vendor may refuse is warned of; one whose URL holds it needs no second naming."""
    token = private(tmp_path / "token", "t")
    common = ("--vendor", "jwplayer", "--field", "client=me", "--secret", f"api_key={token}", "--field", f"url={url}")
    run("request", "movie 1", *common)
    assert "warning: JW Player" in capsys.readouterr().err
    run("request", "movie-1", *common)
    assert "warning" not in capsys.readouterr().err
    login = ("--field", "username=u", "--secret", f"password={token}", "--field", "location=x", "--field", "path=y")
    run("request", "movie-1", "--vendor", "irdeto", *login, "--field", f"url={url}?c={{content_id}}")
    with pytest.raises(ConfigurationError, match="lacks content_id"):
        run("check", "--vendor", "irdeto", *login)
