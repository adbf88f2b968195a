"""What the doctor looks at: each check passes where all is well, and names the fix where it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from drmkit.config import Profile, Setting
from drmkit.doctor import local, remote
from drmkit.doctor.report import Check, State
from drmkit.errors import ConfigurationError, CredentialsRejectedError, InvalidDocumentError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.keyserver.journal import Journal, JournalFile
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def profile(**changes: Any) -> Profile:
    """A profile of a whole account, with changes."""
    values = {
        "username": "api",
        "password": Secret("cAnArY"),
        "organization": "org",
        "cpix_config": "config",
        "renew_after": HOUR,
        **changes,
    }
    return Profile("p", {key: Setting(value, "file") for key, value in values.items() if value is not None})


@pytest.fixture
def store(tmp_path: Path) -> UrlStore:
    """A store in a folder of its own."""
    return UrlStore(tmp_path / "url.json")


def url(age: timedelta = timedelta(0), lifetime: timedelta | None = 6 * HOUR) -> KeyServerUrl:
    """A URL of this age for the profile's service."""
    issued = NOW - age
    service = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
    return KeyServerUrl(service, Secret("cAnArY"), issued, None if lifetime is None else issued + lifetime)


def states(checks: list[Check]) -> dict[str, State]:
    """The state of each check by its name."""
    return {check.name: check.state for check in checks}


def test_settings_and_where_they_come_from() -> None:
    """Each with its origin, secrets masked; a warning where every run would log in."""
    checks = list(local.check_settings(profile()))
    assert {check.state for check in checks} == {"pass"}
    assert "cAnArY" not in repr(checks)
    assert next(check.detail for check in checks if check.name == "username") == "api  (file)"
    assert states(list(local.check_settings(profile(renew_after=None))))["when due"] == "warn"
    with pytest.raises(ConfigurationError, match="cpix_config is not set"):
        list(local.check_settings(profile(cpix_config=None)))


def test_the_password_s_place(tmp_path: Path) -> None:
    """It is read and not shown; the environment is frowned upon; a loose file is told."""
    assert states(list(local.check_password(profile()))) == {"password": "pass"}
    exposed = Profile("p", {"password": Setting(Secret("cAnArY"), "environment (DRMTODAY_PASSWORD)")})
    assert states(list(local.check_password(exposed)))["password's place"] == "warn"
    file = tmp_path / "password"
    file.write_text("cAnArY", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        list(local.check_password(profile(password=None, password_file=str(file))))
    with pytest.raises(ConfigurationError, match="password is not set"):
        list(local.check_password(profile(password=None)))


def test_the_file_and_its_folder(store: UrlStore) -> None:
    """Rights as asked for pass, looser ones fail with the cure; leftovers and a folder that is missing are told."""
    assert states(list(local.check_url_file(store))) == {"folder of the URL": "pass"}
    store.save(url())
    JournalFile.beside(store.path).save(Journal())
    assert set(states(list(local.check_url_file(store))).values()) == {"pass"}
    store.path.chmod(0o644)
    store.path.with_name(".url.json.x.tmp").touch()
    checks = list(local.check_url_file(store))
    assert states(checks)["file of the URL"] == "fail"
    assert states(checks)["leftovers"] == "warn"
    assert f"chmod 600 {store.path}" in [check.fix for check in checks]
    assert states(list(local.check_url_file(UrlStore(store.path, mode=0o644))))["file of the URL"] == "pass"
    missing = UrlStore(store.path.parent / "no" / "url.json")
    assert states(list(local.check_url_file(missing))) == {"folder of the URL": "warn"}


STORED: dict[str, tuple[KeyServerUrl | None, State, str]] = {
    "young": (url(HOUR), "pass", "3600 s old, valid"),
    "without an end": (url(HOUR, None), "pass", "its lifetime is not known"),
    "nothing": (None, "warn", "nothing is stored"),
    "ended": (url(7 * HOUR), "fail", "it expired at"),
    "from the future": (url(-HOUR), "warn", "from the future"),
}


@pytest.mark.parametrize(("stored", "state", "detail"), STORED.values(), ids=list(STORED))
def test_the_stored_url(store: UrlStore, stored: KeyServerUrl | None, state: State, detail: str) -> None:
    """Its age and end, and what is wrong with it."""
    if stored is not None:
        store.save(stored)
    (check,) = local.check_stored_url(profile(), store, NOW)
    assert check.state == state
    assert detail in check.detail


@pytest.mark.parametrize(("failures", "state"), [(1, "warn"), (3, "fail")])
def test_what_became_of_the_runs(store: UrlStore, failures: int, state: State) -> None:
    """Failures in a row, and a hook that waits; also where the settings are not whole."""
    store.save(url())
    journal = Journal(failures=failures, last_error="down", last_exit_code=75, hook_pending=True)
    JournalFile.beside(store.path).save(journal)
    checks = list(local.check_stored_url(profile(organization=None), store, NOW))
    assert states(checks) == {"stored": "pass", "last runs": state, "hook": "warn"}
    assert "down" in checks[1].detail


def test_a_stored_file_that_cannot_be_read(store: UrlStore) -> None:
    """It is told, and so is that nothing is stored."""
    store.path.write_text("{torn", encoding="utf-8")
    checks = list(local.check_stored_url(profile(), store, NOW))
    assert [check.state for check in checks] == ["fail", "warn"]


def test_proxies_and_certificates_of_the_environment() -> None:
    """Whatever replaces the usual way is told."""
    assert [check.detail for check in remote.check_proxy({})] == ["none is set"]
    environ = {"HTTPS_PROXY": "http://u:p@proxy:1", "no_proxy": "h", "SSL_CERT_FILE": "/x"}
    assert [check.name for check in remote.check_proxy(environ)] == ["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"]


def look(respond: Callable[[httpx.Request], httpx.Response], **options: Any) -> list[Check]:
    """Check the hosts of the profile against a server that answers so."""
    given = {"now": lambda: NOW, "proxied": False, "resolve": lambda _host, _port: None, **options}
    with HttpClient(transport=httpx.MockTransport(respond)) as http:
        return list(remote.check_hosts(given.pop("profile", profile()), http=http, **given))


@pytest.mark.parametrize(
    ("date", "state", "detail"),
    [
        ("Sat, 21 Nov 2026 12:00:00 GMT", "pass", "the same time"),
        ("Sat, 21 Nov 2026 11:59:59 GMT", "pass", "the same time"),
        ("Sat, 21 Nov 2026 12:00:59 GMT", "pass", "59 s behind"),
        ("Sat, 21 Nov 2026 12:01:00 GMT", "warn", "60 s behind"),
        ("Sat, 21 Nov 2026 11:58:00 GMT", "warn", "119 s ahead"),
        ("Sat, 21 Nov 2026 12:05:00 GMT", "fail", "300 s behind"),
        ("Sat, 21 Nov 2026 11:00:00 GMT", "fail", "3599 s ahead"),
        ("soon", "skip", "does not tell"),
        (None, "skip", "does not tell"),
    ],
)
def test_clocks(date: str | None, state: State, detail: str) -> None:
    """Against each server's own, whose seconds are whole; tickets and signatures need them alike."""
    checks = look(lambda _: httpx.Response(404, headers={"Date": date} if date else {}))
    clocks = [check for check in checks if check.name.startswith("clock")]
    assert len(clocks) == 2
    assert {check.state for check in clocks} == {state}
    assert all(detail in check.detail for check in clocks)


def test_hosts_that_answer_are_reached() -> None:
    """Whatever they answer: a name, a connection, a certificate."""
    checks = look(lambda _: httpx.Response(404))
    assert states(checks)["CAS reached"] == states(checks)["key server name"] == "pass"
    local_one = profile(auth_url="http://127.0.0.1:1", frontend_url="http://127.0.0.1:1")
    checks = look(lambda _: httpx.Response(200), profile=local_one)
    assert "127.0.0.1 is this machine" in [check.detail for check in checks]


def unresolved(_host: str, _port: int) -> None:
    """No such name."""
    raise OSError("no such name")


@pytest.mark.parametrize(("proxied", "state"), [(False, "fail"), (True, "warn")])
def test_a_name_that_is_not_resolved(proxied: bool, state: State) -> None:
    """It fails, unless a proxy may know it."""
    checks = look(lambda _: httpx.Response(200), resolve=unresolved, proxied=proxied)
    assert states(checks)["CAS name"] == state


def test_a_host_that_does_not_answer() -> None:
    """Its error is the check's."""

    def down(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("x")

    with pytest.raises(RemoteUnavailableError, match="the CAS at auth.drmtoday.com: no connection"):
        look(down)


def test_the_key_server_s_document() -> None:
    """A valid one passes, anything else is told."""
    with pytest.raises(InvalidDocumentError):
        list(remote.check_key_server(lambda _: Secret(b"<CPIX xmlns='urn:dashif:org:cpix'><x/></CPIX>"), url()))
    good = b"<CPIX xmlns='urn:dashif:org:cpix' contentId='c'/>"
    assert [check.state for check in remote.check_key_server(lambda _: Secret(good), url())] == ["pass"]


def test_credentials_that_were_rejected_are_not_sent_again(store: UrlStore, cas_server: Any) -> None:
    """The doctor counts as a try, too: what it has learned, a refresh knows."""
    from scripted import Answer, Cas  # noqa: PLC0415 (this test alone needs it)

    cas = Cas(login=lambda _: Answer(401))
    cas_server.respond = cas.respond
    one = profile(auth_url=cas_server.url, frontend_url=cas_server.url)
    kept: list[KeyServerUrl] = []
    with pytest.raises(CredentialsRejectedError):
        list(remote.check_account(one, store, keep=kept, now=lambda: NOW))
    (check,) = remote.check_account(one, store, keep=kept, now=lambda: NOW)
    assert (check.state, check.name) == ("fail", "login")
    assert "not tried" in check.detail
    assert (cas.logins, kept) == (1, [])
    other = profile(auth_url=cas_server.url, frontend_url=cas_server.url, password=Secret("right"))
    cas.login = None
    checks = list(remote.check_account(other, store, keep=kept, now=lambda: NOW))
    assert states(checks) == {"login": "pass", "ticket": "pass"}
    assert len(kept) == 1
