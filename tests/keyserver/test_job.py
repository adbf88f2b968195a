"""A profile's renewal as one object: its file, its policy, shared logins, and the probe of a new URL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from drmkit.config import Profile, Setting, load_profile, profile_names
from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    InputError,
    ProtocolError,
    RemoteError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.keyserver.job import JITTER, Accounts, RenewalJob, check_distinct, policy_of, store_of
from drmkit.keyserver.probe import cpix_probe
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
URL = KeyServerUrl("https://h/x", Secret("cAnArY"), NOW)


def profile(name: str = "acme", **changes: Any) -> Profile:
    """A profile of a whole account, with changes."""
    values = {
        "username": "api",
        "password": Secret("secret"),
        "organization": "org",
        "cpix_config": "config",
        **changes,
    }
    return Profile(name, {key: Setting(value, "test") for key, value in values.items() if value is not None})


class Cas:
    """A CAS that counts, and waits without waiting."""

    def __init__(self) -> None:
        self.logins: list[bytes] = []
        self.tickets = 0
        self.failures = 0
        self.rejects = False
        self.document = b""
        self.waits: list[float] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        if request.method == "GET":
            return httpx.Response(200, content=self.document)
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        if request.url.path.endswith("/tickets"):
            self.logins.append(request.content)
            return (
                httpx.Response(401) if self.rejects else httpx.Response(201, headers={"Location": f"{request.url}/T"})
            )
        self.tickets += 1
        return httpx.Response(200, text=f"ST-{self.tickets}")

    def accounts(self) -> Accounts:
        """Clients that call it."""
        return Accounts(transport=httpx.MockTransport(self.respond), sleep=self.waits.append)


@pytest.fixture
def cas() -> Cas:
    """A CAS."""
    return Cas()


def job(cas: Cas, folder: Path, accounts: Accounts, name: str = "acme", **changes: Any) -> RenewalJob:
    """A job with a file of its own."""
    settings = profile(name, output=str(folder / f"{name}.json"), **changes)
    return RenewalJob(settings, store_of(settings, {}), accounts, {"PATH": "/usr/bin:/bin"}, lambda: NOW)


def test_where_the_file_lies() -> None:
    """The profile's output, or a state file named after it; form and mode as the profile says."""
    environ = {"XDG_STATE_HOME": "/state"}
    assert store_of(profile("a/b"), environ).path == Path("/state/drmkit/key-url/a%2Fb.json")
    store = store_of(profile(output="/x/y", write="env", mode="0640"), environ)
    assert (store.path, store.form, store.mode) == (Path("/x/y"), "env", 0o640)
    assert store_of(profile(), environ).mode == 0o600


def test_when_it_is_due(tmp_path: Path) -> None:
    """The settings of the profile; jitter unless it says otherwise, from name and file."""
    store = store_of(profile(), {"XDG_STATE_HOME": str(tmp_path)})
    usual = policy_of(profile(), store)
    assert (usual.jitter, usual.margin) == (JITTER, timedelta(0))
    assert policy_of(profile("other"), store).seed != usual.seed
    one = policy_of(profile(jitter=0.0, margin=timedelta(hours=1), ticket_lifetime=timedelta(hours=6)), store)
    assert (one.jitter, one.margin, one.lifetime) == (0.0, timedelta(hours=1), timedelta(hours=6))


def test_jobs_of_one_account_log_in_once(cas: Cas, tmp_path: Path) -> None:
    """Same address, name and password: one login; another password is another account."""
    with cas.accounts() as accounts:
        for name in "abc":
            assert job(cas, tmp_path, accounts, name).run().renewed
        assert (len(cas.logins), cas.tickets) == (1, 3)
        assert job(cas, tmp_path, accounts, "d", password=Secret("other")).run().renewed
        assert job(cas, tmp_path, accounts, "e", username="other").run().renewed
        assert job(cas, tmp_path, accounts, "f", environment="staging").run().renewed
    assert len(cas.logins) == 4


def test_a_rejected_account_is_tried_once_by_all(cas: Cas, tmp_path: Path) -> None:
    """The second job of a rejected account does not call."""
    cas.rejects = True
    with cas.accounts() as accounts:
        for name in "abc":
            with pytest.raises(CredentialsRejectedError):
                job(cas, tmp_path, accounts, name).run()
    assert len(cas.logins) == 1


def test_attempts_are_bounded_and_waits_grow(cas: Cas, tmp_path: Path) -> None:
    """Three calls in all, unless the profile says otherwise; full jitter between them."""
    cas.failures = 100
    with cas.accounts() as accounts:
        with pytest.raises(RemoteUnavailableError):
            job(cas, tmp_path, accounts).run()
        assert 100 - cas.failures == 3
        assert len(cas.waits) == 2
        assert 0 <= cas.waits[0] <= 0.5
        assert 0 <= cas.waits[1] <= 1.0
        with pytest.raises(RemoteUnavailableError):
            job(cas, tmp_path, accounts, "other", attempts=7, username="other").run()
    assert 100 - cas.failures == 10


def test_a_password_is_asked_for_once(cas: Cas, tmp_path: Path) -> None:
    """A person is not asked twice in one run, nor is a command run twice."""
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return "typed"

    cas.rejects = True
    accounts = Accounts(prompt=prompt, transport=httpx.MockTransport(cas.respond))
    with accounts, pytest.raises(CredentialsRejectedError):
        job(cas, tmp_path, accounts, password=None).run()
    assert len(asked) == 1


def test_verify_is_done_with_the_account_s_own_limits(cas: Cas, tmp_path: Path) -> None:
    """A valid document lets the URL in; anything else keeps the old one."""
    with cas.accounts() as accounts:
        one = job(cas, tmp_path, accounts, verify="cpix")
        cas.document = b"<html>"
        with pytest.raises(RemoteError, match="HTML page"):
            one.run()
        assert one.store.load() is None
        cas.document = next(SAMPLES.glob("*valid*/*.xml"), next(SAMPLES.glob("**/*.xml"))).read_bytes()
        cas.document = valid_document()
        assert one.run().renewed
        with pytest.raises(ConfigurationError, match="verify = 'x' is not known"):
            job(cas, tmp_path, accounts, "other", verify="x").run()


def valid_document() -> bytes:
    """A document of one key."""
    return b"""<?xml version="1.0"?>
<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" contentId="c">
  <ContentKeyList>
    <ContentKey kid="b4c3188b-eddd-453d-9bc2-1cbca7566239">
      <Data><pskc:Secret><pskc:PlainValue>AAECAwQFBgcICQoLDA0ODw==</pskc:PlainValue></pskc:Secret></Data>
    </ContentKey>
  </ContentKeyList>
</CPIX>"""


def failing(error: Exception) -> Callable[[KeyServerUrl], Secret[bytes]]:
    """A fetch that fails."""

    def fetch(_: KeyServerUrl) -> Secret[bytes]:
        raise error

    return fetch


@pytest.mark.parametrize(
    ("fetch", "kind", "reason"),
    [
        (failing(ServiceRejectedError("refused", hint="h")), RemoteError, "the new URL does not work: refused"),
        (failing(RemoteUnavailableError("down")), RemoteUnavailableError, "down"),
        (lambda _: Secret(b"<x/>"), ProtocolError, "a document that is no valid CPIX"),
        (lambda _: Secret(b"<x"), ProtocolError, "a document that is no valid CPIX"),
    ],
)
def test_whatever_is_wrong_with_a_new_url_is_the_server_s_failure(
    fetch: Callable[[KeyServerUrl], Secret[bytes]], kind: type[Exception], reason: str
) -> None:
    """So the old URL stays, and the run is temporary as long as that is valid."""
    with pytest.raises(kind, match=reason) as caught:
        cpix_probe(fetch)(URL)
    assert "cAnArY" not in str(caught.value)
    cpix_probe(lambda _: Secret(valid_document()))(URL)


def test_no_two_jobs_write_one_file(cas: Cas, tmp_path: Path) -> None:
    """Each would renew what the other has stored."""
    with cas.accounts() as accounts:
        jobs = [job(cas, tmp_path, accounts, name) for name in "aab"]
        check_distinct(jobs[1:])
        with pytest.raises(ConfigurationError, match="the profiles a and a both write"):
            check_distinct(jobs)


def test_the_profiles_that_renewal_is_about(tmp_path: Path) -> None:
    """Those that name a CPIX configuration, in the order of the file."""
    file = tmp_path / "c.toml"
    file.write_text(
        "[profile.b]\ncpix_config = '1'\n[profile.m.mps]\n[profile.a]\ncpix_config = '2'\n", encoding="utf-8"
    )
    assert profile_names(path=file, environ={}) == ["b", "a"]
    assert profile_names(environ={"DRMKIT_CONFIG": str(file)}) == ["b", "a"]
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        profile_names(path=tmp_path / "no", environ={})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("jitter = 0.6", "jitter must be a share from 0 to 0.5"),
        ("jitter = true", "jitter must be a share"),
        ('mode = "0666"', "mode must be permissions in octal"),
        ("mode = 640", "mode must be permissions in octal"),
        ("hook = []", "hook must be a list of strings"),
        ("margin = -1", "margin must be a length of time"),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, line: str, reason: str) -> None:
    """Each is refused with its place, and its benign twin is taken."""
    file = tmp_path / "c.toml"
    file.write_text(f"[profile.p]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=reason):
        load_profile(path=file, environ={})
    file.write_text('[profile.p]\njitter = 0\nmode = "640"\nhook = "true"\nmargin = "5m"\n', encoding="utf-8")
    taken = load_profile(path=file, environ={})
    assert (taken.get("jitter"), taken.get("mode"), taken.get("hook")) == (0.0, "0640", "true")


def test_a_token_belongs_to_its_key(tmp_path: Path) -> None:
    """A key of the environment does not go with a token of the file."""
    file = tmp_path / "c.toml"
    file.write_text("[profile.p.mps]\nsecret_id = 'a'\nsecret_key = 'b'\ntoken = 'c'\n", encoding="utf-8")
    file.chmod(0o600)
    assert load_profile(path=file, environ={}).get("mps.token") == Secret("c")
    other = {"TENCENTCLOUD_SECRET_ID": "x", "TENCENTCLOUD_SECRET_KEY": "y"}
    assert load_profile(path=file, environ=other).get("mps.token") is None
    assert load_profile(path=file, environ={"TENCENTCLOUD_TOKEN": "z"}).get("mps.token") == Secret("z")


def test_a_store_in_a_folder_that_is_missing(cas: Cas, tmp_path: Path) -> None:
    """Told before anything is called."""
    with cas.accounts() as accounts, pytest.raises(InputError, match="there is no folder"):
        job(cas, tmp_path / "no", accounts).run()
    assert cas.logins == []
