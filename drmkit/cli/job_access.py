"""From the options and the profile to MPS: its endpoint, the API key, a client, and tickets for the key sources."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from drmkit.cli.output import App
from drmkit.config import Profile
from drmkit.errors import ConfigurationError, DrmkitError

if TYPE_CHECKING:
    from drmkit.cas import CasClient
    from drmkit.http import HttpClient
    from drmkit.keyserver.url import KeyServerUrl
    from drmkit.mps.apiclient import ApiClient
    from drmkit.mps.client import MpsClient
    from drmkit.mps.credentialchain import Found
    from drmkit.mps.credentials import Credentials
    from drmkit.mps.endpoints import Endpoint
    from drmkit.mps.jobfile import AnyJob
    from drmkit.mps.task import TaskDetail
    from drmkit.mps.vodclient import VodClient
    from drmkit.mps.vodtask import VodTaskDetail

__all__ = ["Access", "mps_options"]

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound="ApiClient")

_DEFAULT_TIMEOUT_SECONDS = 10.0
_METADATA_TIMEOUT_SECONDS = 2.0
_SCHEME = "drmtoday"
_FROM_ENVIRONMENT = "environment"
"""The account name that stands for the settings in force rather than for a profile of the file."""

_OPTIONS = (
    click.option(
        "--endpoint",
        metavar="SITE|URL",
        help="mainland, international, or a URL. [env: DRMKIT_MPS_ENDPOINT]",
    ),
    click.option("--region", metavar="NAME", help="X-TC-Region, which MPS does not need. [env: TENCENTCLOUD_REGION]"),
    click.option("--timeout", metavar="TIME", help="Limit for one exchange, such as 10s."),
)


def mps_options(function: F) -> F:
    """Add the options that say where MPS is; a command receives them as `endpoint`, `region` and `timeout`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass
class Access:
    """MPS and the key servers as the options and the profile name them; nothing is looked for before it is used.

    A context manager, which closes what was opened.

    Attributes:
        app: the environment and the general options.
        endpoint_given: `mainland`, `international` or an address; None leaves it to the profile.
        region: the region; None leaves it to the profile.
        timeout: the limit for one exchange; None leaves it to the profile.
    """

    app: App
    endpoint_given: str | None = None
    region: str | None = None
    timeout: str | None = None
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _cas_clients: dict[tuple[str, str], CasClient] = field(default_factory=dict, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def profile(self) -> Profile:
        """The settings in force."""
        return self.app.profile(mps__endpoint=self.endpoint_given, mps__region=self.region, timeout=self.timeout)

    @cached_property
    def client(self) -> MpsClient:
        """A client for MPS; one and the same for submitting and polling, so that sites never mix.

        Raises:
            ConfigurationError: no API key is to be found, or a setting cannot be used.
        """
        from drmkit.mps.client import MpsClient  # noqa: PLC0415 (the network is loaded only when it is needed)

        return self._client(MpsClient, self.endpoint)

    @cached_property
    def vod_client(self) -> VodClient:
        """A client for VOD at the same site, for jobs through it.

        Raises:
            ConfigurationError: no API key is to be found, or a setting cannot be used.
        """
        from drmkit.mps.vodclient import VodClient  # noqa: PLC0415

        return self._client(VodClient, self.vod_endpoint)

    @property
    def vod_endpoint(self) -> Endpoint:
        """Where VOD is: at the site of `endpoint`."""
        from drmkit.mps.endpoints import vod_endpoint  # noqa: PLC0415

        return vod_endpoint(self.endpoint)

    def endpoint_for(self, job: AnyJob) -> Endpoint:
        """Return where a job is submitted."""
        return self.vod_endpoint if job.service == "vod" else self.endpoint

    def client_for(self, job: AnyJob) -> MpsClient | VodClient:
        """Return the client that submits a job."""
        return self.vod_client if job.service == "vod" else self.client

    def describe_task_detail(self, task_id: str) -> TaskDetail | VodTaskDetail:
        """Ask for a task: MPS, or VOD for its own."""
        from drmkit.mps.vodtask import is_vod_task  # noqa: PLC0415

        return (self.vod_client if is_vod_task(task_id) else self.client).describe_task_detail(task_id)

    def _client(self, kind: type[C], endpoint: Endpoint) -> C:
        from drmkit.retry import Retrier, RetryPolicy  # noqa: PLC0415

        attempts = self.profile.get("attempts")
        return kind(
            endpoint,
            self._found.current,
            http=self._http(),
            region=self._region(),
            retrier=Retrier(RetryPolicy(attempts=attempts) if attempts else RetryPolicy()),
        )

    @property
    def key_source(self) -> str:
        """Where the API key comes from: the profile, a variable, a file, a role.

        Raises:
            ConfigurationError: no API key is to be found; every place that was looked at is named.
        """
        return self._found.source

    @property
    def credentials(self) -> Callable[[], Credentials]:
        """Returns the current API key."""
        return self._found.current

    @property
    def endpoint(self) -> Endpoint:
        """Where MPS is: as the option, the profile or tccli's settings say, else the mainland site."""
        from drmkit.mps.endpoints import INTERNATIONAL, MAINLAND, Endpoint  # noqa: PLC0415

        stated = self.profile.get("mps.endpoint") or self._endpoint_of_the_key() or MAINLAND.site
        known = {site.site: site for site in (MAINLAND, INTERNATIONAL)}.get(stated)
        return known or Endpoint.parse(stated)

    def mint(self, source: str) -> KeyServerUrl:
        """Return a fresh key-server URL for `drmtoday:PROFILE`; an account logs in once, however many it needs.

        Raises:
            ConfigurationError: there is no such key source, or its profile lacks settings.
        """
        scheme, _, name = source.partition(":")
        if scheme.lower() != _SCHEME:
            raise ConfigurationError(
                f"there is no key source {source!r}", hint=f"write {_SCHEME}:PROFILE, or the URL of a key server"
            )
        try:
            return self._mint(name)
        except DrmkitError as error:
            error.add_note(f"for the key source {source}")
            raise

    def _mint(self, name: str) -> KeyServerUrl:
        from drmkit.keyserver import account  # noqa: PLC0415

        profile = replace(self.app, profile_name=None if name == _FROM_ENVIRONMENT else name).profile()
        server = account.key_server(profile)
        key = (server.hosts.tickets_url, profile.require("username"))
        known = self._cas_clients.get(key)
        if known is None:
            known = self._stack.enter_context(account.cas_client(profile, prompt=self.app.prompt))
            self._cas_clients[key] = known
        return server.mint(known)

    @cached_property
    def _found(self) -> Found:
        """The API key: the profile's own if it has one, else the first of the chain of Tencent Cloud's tools."""
        from drmkit.mps.credentialchain import Found, find_credentials  # noqa: PLC0415
        from drmkit.mps.credentials import Credentials  # noqa: PLC0415

        if not any(name.startswith("mps.secret") for name in self.profile.settings):
            return find_credentials(environ=self.app.environ, home=self._home(), http=self._metadata_client())
        secret_id = self.profile.require("mps.secret_id")
        credentials = Credentials(
            secret_id, self.profile.secret("mps.secret_key", prompt=self.app.prompt), self._token(), source="profile"
        )
        return Found(lambda: credentials, self.profile.settings["mps.secret_id"].origin)

    def _token(self) -> Any:
        """Return the session token if it comes from where the key comes from: one of another place is another key's."""
        settings = self.profile.settings
        places = {_place(settings[name].origin) for name in settings if name.startswith("mps.secret_")}
        token = settings.get("mps.token")
        return token.value if token is not None and _place(token.origin) in places else None

    def _region(self) -> str | None:
        from drmkit.mps.endpoints import REGIONS  # noqa: PLC0415

        stated: str | None = self.profile.get("mps.region")
        # What tccli's settings name is for all services; MPS needs no region, so one that it lacks is left out.
        return stated or (self._found.region if self._found.region in REGIONS else None)

    def _endpoint_of_the_key(self) -> str | None:
        with suppress(ConfigurationError):  # a dry run needs no key
            return self._found.endpoint
        return None

    def _http(self) -> HttpClient:
        from drmkit.http import HttpClient  # noqa: PLC0415

        timeout, ca_file = self.profile.get("timeout"), self.profile.get("ca_file")
        return self._stack.enter_context(
            HttpClient(
                timeout=timeout.total_seconds() if timeout else _DEFAULT_TIMEOUT_SECONDS,
                ca_file=None if ca_file is None else str(Path(ca_file).expanduser()),
            )
        )

    def _metadata_client(self) -> HttpClient:
        """Return a client for the metadata service, which no proxy can reach."""
        from drmkit.http import HttpClient  # noqa: PLC0415

        return self._stack.enter_context(HttpClient(timeout=_METADATA_TIMEOUT_SECONDS, trust_env=False))

    def _home(self) -> Path:
        home = Path("/")
        with suppress(RuntimeError):  # a user without a home, as in containers that run under any user ID
            home = Path(self.app.environ.get("HOME") or "~").expanduser()
        return home


def _place(origin: str) -> str:
    return origin.partition(" (")[0]
