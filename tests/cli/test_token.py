"""`drmkit token`: tokens and custom data from options, read back, and taken by the sandbox's license server."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drmkit import cpix
from drmkit.cli.main import main
from drmkit.identifiers import KeyId
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.signaling import clearkey

Run = Callable[..., int]
SECRET = b"cAnArY".hex() + "00" * 26
RIGHTS = ("--asset-id", "movie-1", "--user-id", "u-17", "--no-store-license")


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    """A shared secret in a private file."""
    path = tmp_path / "token.key"
    path.write_text(SECRET + "\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def run(tmp_path: Path, secret_file: str) -> Run:
    """Run `drmkit token ...` with a profile that has a shared secret."""
    config = tmp_path / "c.toml"
    config.write_text(
        '[profile.p]\norganization = "org-uuid"\n[profile.p.token]\nkid = "kid-1"\nlifetime = "90s"\n'
        f'secret_command = ["cat", "{secret_file}"]\n',
        encoding="utf-8",
    )
    environ = {"HOME": str(tmp_path)}
    return lambda *arguments: main(["--config", str(config), "token", *arguments], environ=environ)


def stdin(monkeypatch: Any, text: str) -> None:
    """Put a text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_token_from_options(run: Run, monkeypatch: Any, capsys: Any) -> None:
    """Typed options become optData and crt; the profile's kid, secret and lifetime are used; verify says so."""
    options = ("--rental", "--relative-expiration", "7d", "--play-duration", "PT3H", "--session-id", "s-1")
    more = ("--output-protection", "digital,enforce", "--hdcp", "HD=HDCP_V1", "--hdcp", "UHD:WidevineM=HDCP_V2")
    assert run("new", *RIGHTS, *options, *more, "--template", "t", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["header"], data["kid"]) == (1, "x-dt-auth-token", "kid-1")
    assert data["claims"]["exp"] - data["claims"]["iat"] == 90
    assert json.loads(data["claims"]["optData"]) == {"merchant": "org-uuid", "userId": "u-17", "sessionId": "s-1"}
    assert json.loads(data["claims"]["crt"]) == {
        "ref": [":t"],
        "assetId": "movie-1",
        "profile": {"type": "rental", "relativeExpiration": "P7D", "playDuration": "PT3H"},
        "outputProtection": {"digital": True, "analogue": False, "enforce": True},
        "op": {"config": {"HD": {"*": {"requireHDCP": "HDCP_V1"}}, "UHD": {"WidevineM": {"requireHDCP": "HDCP_V2"}}}},
        "storeLicense": False,
    }
    stdin(monkeypatch, f"x-dt-auth-token: {data['token']}\n")
    assert run("verify", "-") == 0
    assert capsys.readouterr().out.startswith("signature: verified\n")


@pytest.mark.parametrize("way", [("explain", "FILE"), ("--explain", "FILE")])
def test_explain_needs_no_secret(run: Run, way: tuple[str, str], tmp_path: Path, capsys: Any) -> None:
    """A token is read back without its secret, and the signature called unverified."""
    assert run("new", *RIGHTS) == 0
    file = tmp_path / "token.jwt"
    file.write_text(capsys.readouterr().out, encoding="ascii")
    without = {"HOME": "/nowhere"}
    assert main(["token", way[0], str(file)], environ=without) == 0
    out = capsys.readouterr().out
    assert out.startswith("signature: unverified\n")
    assert '"assetId": "movie-1"' in out


@pytest.mark.parametrize(
    "written",
    ["{}", "\ufeff{}\n", '"{}"', "Bearer {}", "x-dt-auth-token: '{}'", "{0:.40}\n{0:.0}{1}\r\n"],
    ids=["bare", "byte order mark", "JSON", "bearer", "header", "wrapped"],
)
def test_tokens_as_they_are_copied(run: Run, written: str, tmp_path: Path, capsys: Any) -> None:
    """A token is found in what surrounds it where it is copied from: quotes, a header's name, line ends."""
    assert run("new", *RIGHTS) == 0
    token = capsys.readouterr().out.strip()
    file = tmp_path / "token.txt"
    file.write_text(written.format(token, token[40:]), encoding="utf-8")
    assert run("verify", str(file)) == 0
    assert capsys.readouterr().out.startswith("signature: verified\n")


def test_a_token_in_place_of_a_file(run: Run, capsys: Any) -> None:
    """A token that is given itself is read, with a word on who can see it; one that is cut short is not repeated."""
    assert run("new", *RIGHTS) == 0
    token = capsys.readouterr().out.strip()
    assert run("--explain", token) == 0
    out, err = capsys.readouterr()
    assert out.startswith("signature: unverified\n")
    assert "can be seen by others on this machine" in err
    assert run("explain", f"eyJx.{'canary' * 100}.x") == 2
    out, err = capsys.readouterr()
    assert "this is no JWT" in err
    assert "canary" not in out + err


def test_what_is_neither_token_nor_custom_data(run: Run, tmp_path: Path, capsys: Any) -> None:
    """A text that is neither is called so, and not taken for bad custom data alone."""
    (tmp_path / "a.txt").write_text("hello\n", encoding="ascii")
    assert run("--explain", str(tmp_path / "a.txt")) == 2
    assert "this is neither a token (header.payload.signature) nor custom data" in capsys.readouterr().err


def test_half_a_character_is_shown(tmp_path: Path, capsys: Any) -> None:
    """A foreign token with a lone surrogate, which JSON can escape, is explained in JSON that escapes it again."""
    head, payload = (urlsafe_b64encode(part).decode() for part in (b'{"alg":"HS256"}', b'{"sub":"\\ud800"}'))
    (tmp_path / "token.jwt").write_text(f"{head.rstrip('=')}.{payload.rstrip('=')}.eHg", encoding="ascii")
    assert (
        main(["token", "explain", "--format", "json", str(tmp_path / "token.jwt")], environ={"HOME": "/nowhere"}) == 1
    )
    out = capsys.readouterr().out
    assert '"sub": "\\ud800"' in out
    assert json.loads(out)["claims"] == {"sub": "\ud800"}


def test_rotation(run: Run, secret_file: str, tmp_path: Path, capsys: Any) -> None:
    """While a secret is rotated out, tokens of both verify; of a third none does."""
    assert run("secret", "--output", str(tmp_path / "next.key")) == 0
    assert (tmp_path / "next.key").stat().st_mode & 0o777 == 0o600
    assert run("secret", "--output", str(tmp_path / "next.key")) == 2
    assert "exists already" in capsys.readouterr().err
    both = ("--secret-file", f"kid-1={secret_file}", "--secret-file", f"kid-2={tmp_path / 'next.key'}")
    for key in ((), ("--kid", "kid-2", "--secret-file", str(tmp_path / "next.key"))):
        assert run("new", *RIGHTS, *key) == 0
        (tmp_path / "t").write_text(capsys.readouterr().out, encoding="ascii")
        assert run("verify", str(tmp_path / "t"), *both) == 0
        assert run("verify", str(tmp_path / "t"), "--secret-file", f"kid-3={secret_file}") == 1
        capsys.readouterr()


def test_verify_judges_at_a_moment(run: Run, tmp_path: Path, capsys: Any) -> None:
    """An expired token is exit code 1, with its remark."""
    assert run("new", *RIGHTS) == 0
    (tmp_path / "t").write_text(capsys.readouterr().out, encoding="ascii")
    assert run("verify", str(tmp_path / "t"), "--at", "4102444800", "--format", "json") == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["good"], data["signature"], data["remarks"][0]["place"]) == (False, "verified", "exp")


def test_custom_data(run: Run, monkeypatch: Any, capsys: Any) -> None:
    """Custom data is made and read back; with rights only in the test mode."""
    assert run("custom-data", "--user-id", "u", "--session-id", "s") == 0
    stdin(monkeypatch, capsys.readouterr().out)
    assert run("explain", "-") == 0
    assert capsys.readouterr().out == "merchant:  org-uuid\nuserId:    u\nsessionId: s\n"
    assert run("custom-data", "--user-id", "u", "--test-dummy", "--asset-id", "m", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["header"], 'crtjson:{\\"assetId\\":\\"m\\"' in data["json"]) == ("x-dt-custom-data", True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name a command"),
        (("--explain", "x", "new"), 2, "--explain stands alone"),
        (("new", "--user-id", "u"), 2, "neither an asset nor a template"),
        (("new", "--asset-id", "m"), 2, "Missing option '--user-id'"),
        (("new", *RIGHTS, "--algorithm", "RS256"), 2, "'RS256' is no algorithm"),
        (("new", *RIGHTS, "--play-duration", "3h"), 2, "go with --rental"),
        (("new", *RIGHTS, "--rental", "--play-duration", "P1Y"), 2, "no length of time"),
        (("new", *RIGHTS, "--lifetime", "5m", "--no-expiration"), 2, "exclude each other"),
        (("new", *RIGHTS, "--hdcp", "HD"), 2, "is not STREAM[:SYSTEM]=LEVEL"),
        (("new", *RIGHTS, "--hdcp", "HD=V9"), 2, "no HDCP setting"),
        (("new", *RIGHTS, "--output-protection", "all"), 2, "write digital, analogue, enforce"),
        (("new", *RIGHTS, "--rights", "/nowhere"), 2, "cannot be read"),
        (("new", *RIGHTS, "--secret-file", "/nowhere"), 3, "cannot be read"),
        (("new", *RIGHTS, "--secret", SECRET), 2, "No such option"),
        (("custom-data", "--user-id", "u"), 2, "name the session with --session-id"),
        (("custom-data", "--user-id", "u", "--session-id", "s", "--asset-id", "m"), 2, "custom data with --test-dummy"),
        (("custom-data", "--user-id", "u", "--test-dummy", "--session-id", "s"), 2, "leave --session-id out"),
        (("verify", "/nowhere"), 2, "cannot be read"),
        (("verify", "/dev/null"), 2, "there is no token"),
        (("verify", "/dev/null", "--secret-file", "x"), 2, "is not KID=FILE"),
        (("verify", "/dev/null", "--at", "1e99"), 2, "this is no UNIX time"),
        (("explain", "/dev/null"), 2, "there is no token"),
        (("explain", __file__), 2, "this is no JWT"),
        (("explain", "eyJ.no.token.jwt"), 2, "cannot be read"),
    ],
)
def test_what_is_wrong(run: Run, arguments: Any, code: int, said: str, capsys: Any) -> None:
    """Each mistake has its exit code and its sentence, without the secret."""
    assert run(*arguments) == code
    err = " ".join(capsys.readouterr().err.split())
    assert said in err
    assert SECRET not in err.replace("--secret", "")


def test_no_secret_at_hand(capsys: Any, tmp_path: Path) -> None:
    """Without a kid or a secret it is said where they go; an open file, or one with other text, is refused."""
    assert main(["token", "new", *RIGHTS, "--merchant", "m"], environ={"HOME": "/nowhere"}) == 3
    assert "token.kid is not set" in capsys.readouterr().err
    environ = {"HOME": "/nowhere", "DRMTODAY_TOKEN_KID": "k"}
    assert main(["token", "new", *RIGHTS, "--merchant", "m"], environ=environ) == 3
    assert "DRMTODAY_TOKEN_SECRET" in capsys.readouterr().err
    file = tmp_path / "open.key"
    file.write_text("cAnArY", encoding="utf-8")
    for mode, said in ((0o644, "open to other users"), (0o600, "is not hexadecimal")):
        file.chmod(mode)
        arguments = ["token", "new", *RIGHTS, "--merchant", "m", "--secret-file", str(file)]
        assert main(arguments, environ=environ) == 3
        err = capsys.readouterr().err
        assert said in err
        assert "cAnArY" not in err


def test_dry_run_signs_nothing(run: Run, capsys: Any) -> None:
    """The claims are shown, and no secret is read."""
    assert run("new", *RIGHTS, "--dry-run", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["dry_run"], "token" in data) == (True, False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox() as running:
        yield running


def ask(sandbox: Sandbox, kids: Any, header: str, value: str) -> tuple[int, bytes]:
    """Ask the license server of the sandbox as a player would."""
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.request(
        "POST", urlsplit(sandbox.license_url).path, body=clearkey.license_request(kids), headers={header: value}
    )
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_from_keys_to_a_license(sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """The whole way: keys made for an asset, a token for it, a license with those keys; and custom data likewise."""
    environ = sandbox.environment() | {"HOME": str(tmp_path)}
    made = tmp_path / "m.cpix"
    assert main(["drmtoday", "cpix", "generate", "--asset-id", "movie-1", "--output", str(made)], environ=environ) == 0
    document = cpix.parse(made.read_bytes())
    keys = {key.kid: key.key for key in document.content_keys}
    capsys.readouterr()
    for arguments, header in (
        (("new", *RIGHTS), "x-dt-auth-token"),
        (("custom-data", "--user-id", "u", "--session-id", "s"), "x-dt-custom-data"),
    ):
        assert main(["token", *arguments], environ=environ) == 0
        status, body = ask(sandbox, keys, header, capsys.readouterr().out.strip())
        assert status == 200
        assert clearkey.parse_license(body) == keys
    assert main(["token", "new", "--asset-id", "other", "--user-id", "u"], environ=environ) == 0
    assert ask(sandbox, keys, "x-dt-auth-token", capsys.readouterr().out.strip())[0] == 403


def test_help_and_explain_do_without_the_extra(tmp_path: Path) -> None:
    """Neither loads PyJWT."""
    code = (
        "import sys; from drmkit.cli.main import main\n"
        "main(['token', 'new', '-h']); main(['token', 'explain', sys.argv[1]])\n"
        "assert 'jwt' not in sys.modules and 'starlette' not in sys.modules"
    )
    file = tmp_path / "t"
    file.write_text("e30.e30.x", encoding="ascii")
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, check=True, timeout=60)
    assert b"signature: unverified" in done.stdout


def test_the_keys_of_a_job(tmp_path: Path, capsys: Any) -> None:
    """The ResourceId of an MPS job is the asset that a token authorizes, as in DRMtoday's console."""
    with Sandbox(SandboxOptions(encrypt=False)) as sandbox:
        config = tmp_path / "sandbox.toml"
        config.write_text(sandbox.profile_toml(), encoding="utf-8")
        config.chmod(0o600)
        common = ("--config", str(config))
        environ = {"HOME": str(tmp_path)}
        drm = (
            "--drm",
            "widevine",
            "--definition",
            "12",
            "--resource-id",
            "movie-7",
            "--key-source",
            "drmtoday:sandbox",
        )
        places = ("--input", "cos://in-1/ap-singapore/a.mp4", "--output", "cos://out-1/ap-singapore/o/")
        assert main([*common, "job", "new", *drm, *places], environ=environ) == 0
        job = tmp_path / "job.json"
        job.write_text(capsys.readouterr().out, encoding="utf-8")
        assert main([*common, "job", "run", str(job), "--deadline", "60s"], environ=environ) == 0
        capsys.readouterr()
        listing = ("drmtoday", "keys", "download", "--asset-id", "movie-7", "--format", "json")
        assert main([*common, *listing], environ=environ) == 0
        kids = [KeyId.from_hex(row["kid"]) for row in json.loads(capsys.readouterr().out)["keys"]]
        for asset, status in (("movie-7", 200), ("movie-8", 403)):
            rights = ("--asset-id", asset, "--user-id", "u", "--no-store-license")
            assert main([*common, "token", "new", *rights], environ=environ) == 0
            assert ask(sandbox, kids, "x-dt-auth-token", capsys.readouterr().out.strip())[0] == status
