"""A profile's renewal as one object: its file, its policy, its account, its hook; accounts are logged in to once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import quote

from drmkit.config import Profile, state_folder
from drmkit.errors import ConfigurationError
from drmkit.keyserver import account
from drmkit.keyserver.hook import Hook
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.renewal import Outcome, nothing_to_do, refresh
from drmkit.keyserver.store import Form, UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

if TYPE_CHECKING:
    import httpx

    from drmkit.cas import CasClient

__all__ = ["JITTER", "Accounts", "RenewalJob", "check_distinct", "policy_of", "store_of"]

JITTER = 0.1
"""How much earlier than at its share of the lifetime a URL may be due, unless a profile states otherwise."""

_HOOK_SECONDS = 60.0
_VERIFY = ("none", "cpix")


def store_of(profile: Profile, environ: Mapping[str, str]) -> UrlStore:
    """Return the file of a profile: its `output`, or a state file of its own.

    Raises:
        ConfigurationError: `write` is no form.
    """
    form = cast("Form", profile.get("write") or "json")
    mode = int(profile.get("mode") or "0600", 8)
    named = profile.get("output")
    if named:
        return UrlStore(Path(named).expanduser(), form, mode)
    return UrlStore(state_folder(environ) / "key-url" / f"{quote(profile.name, safe='')}.json", form, mode)


def policy_of(profile: Profile, store: UrlStore) -> RenewalPolicy:
    """Return when a profile's URL is due.

    Raises:
        ConfigurationError: the settings contradict each other.
    """
    jitter = profile.get("jitter")
    return RenewalPolicy(
        renew_after=profile.get("renew_after"),
        lifetime=profile.get("ticket_lifetime"),
        jitter=JITTER if jitter is None else jitter,
        seed=f"{profile.name}\n{store.path}",
        margin=profile.get("margin") or timedelta(0),
    )


class Accounts:
    """Clients by account, so that many profiles of one account log in once, and a rejected one is not tried again.

    Args:
        prompt: asks a person for a password that no setting gives.
        transport: sends the requests instead of the network.
        sleep: waits between attempts; None for the usual way.
    """

    def __init__(
        self,
        *,
        prompt: Callable[[str], str] | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._prompt = prompt
        self._transport = transport
        self._sleep = sleep
        self._known: list[tuple[str, str, Secret[str], CasClient]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for *_, client in self._known:
            client.close()
        self._known = []

    def password(self, profile: Profile) -> Secret[str]:
        """Return a profile's password."""
        return profile.secret("password", prompt=self._prompt)

    def client(self, profile: Profile, tickets_url: str, password: Secret[str]) -> CasClient:
        """Return the client of a profile's account."""
        username = profile.require("username")
        for url, name, secret, client in self._known:
            if (url, name) == (tickets_url, username) and secret == password:
                return client
        made = account.cas_client(profile, password=password, transport=self._transport, sleep=self._sleep)
        self._known.append((tickets_url, username, password, made))
        return made

    def fetch(self, profile: Profile, url: KeyServerUrl) -> Secret[bytes]:
        """Fetch the document of a URL."""
        from drmkit.keyserver.fetch import fetch_document  # noqa: PLC0415 (the network is loaded when it is needed)

        with account.http_client(profile, transport=self._transport) as http:
            return fetch_document(url, http=http, retrier=account.retrier(profile, sleep=self._sleep))


@dataclass(slots=True)
class RenewalJob:
    """The renewal of one profile.

    Attributes:
        profile: its settings.
        store: its file.
        accounts: the clients that it shares with other jobs.
        environ: the environment that a hook inherits.
        now: the clock (aware).
    """

    profile: Profile
    store: UrlStore
    accounts: Accounts
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _password: Secret[str] | None = field(default=None, repr=False)

    @property
    def policy(self) -> RenewalPolicy:
        """When the URL is due."""
        return policy_of(self.profile, self.store)

    @property
    def service(self) -> str:
        """The service that the profile names."""
        return account.key_server(self.profile).service

    def run(self, *, force: bool = False, max_age: timedelta | None = None, wait: float = 0.0) -> Outcome:
        """Renew the URL if it is due; see `renewal.refresh`."""
        verify = self.profile.get("verify") or "none"
        if verify not in _VERIFY:
            raise ConfigurationError(f"verify = {verify!r} is not known", hint="use none or cpix")
        probe = None
        if verify == "cpix":
            from drmkit.keyserver.probe import cpix_probe  # noqa: PLC0415 (most runs probe nothing)

            probe = cpix_probe(lambda url: self.accounts.fetch(self.profile, url))
        return refresh(
            self.store,
            self.mint,
            policy=self.policy,
            force=force,
            service=self.service,
            max_age=max_age,
            wait=wait,
            probe=probe,
            hook=self._hook(),
            credentials=self._credentials,
            now=self.now,
        )

    def idle(self) -> KeyServerUrl | None:
        """Return the stored URL if a run would leave it alone, else None; see `renewal.nothing_to_do`."""
        hook = self.profile.get("hook") is not None
        return nothing_to_do(self.store, policy=self.policy, service=self.service, now=self.now(), hook=hook)

    def mint(self) -> KeyServerUrl:
        """Log in, or use the login of another job of the same account, and return a fresh URL."""
        server = account.key_server(self.profile)
        cas = self.accounts.client(self.profile, server.hosts.tickets_url, self._secret())
        return server.mint(cas, self.now)

    def _hook(self) -> Hook | None:
        command = self.profile.get("hook")
        if command is None:
            return None
        limit = self.profile.get("hook_timeout")
        seconds = limit.total_seconds() if limit else _HOOK_SECONDS
        return Hook(command, seconds, self.profile.name, self.environ)

    def _secret(self) -> Secret[str]:
        if self._password is None:
            self._password = self.accounts.password(self.profile)
        return self._password

    def _credentials(self) -> Secret[str]:
        url = account.key_server(self.profile).hosts.tickets_url
        return Secret("\n".join((url, self.profile.require("username"), self._secret().reveal())))


def check_distinct(jobs: Iterable[RenewalJob]) -> None:
    """Check that no two jobs write the same file.

    Raises:
        ConfigurationError: two profiles name the same output.
    """
    seen: dict[Path, str] = {}
    for job in jobs:
        path = job.store.path.absolute()
        if path in seen:
            raise ConfigurationError(
                f"the profiles {seen[path]} and {job.profile.name} both write {path}",
                hint="give each profile an output of its own",
            )
        seen[path] = job.profile.name
