"""Start and stop a sandbox: a loopback socket, a server thread, media workers, and texts that point clients at it."""

from __future__ import annotations

import ipaddress
import json
import shlex
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.identifiers import KeyId
from drmkit.latch import Latch
from drmkit.sandbox.exchanges import Exchange
from drmkit.sandbox.faults import Faults
from drmkit.sandbox.options import SandboxOptions
from drmkit.sandbox.state import Credentials, Event
from drmkit.secret import Secret

try:
    from drmkit.sandbox.engine import Engine
    from drmkit.sandbox.license import LICENSE_PATH
    from drmkit.sandbox.media import Output
    from drmkit.sandbox.mediafolder import media_url
    from drmkit.sandbox.mps_contract import ApiRefusalError
except ModuleNotFoundError as _error:  # pragma: no cover (the tests have the extra)
    raise MissingExtraError(
        f"the sandbox needs the package {(_error.name or '').partition('.')[0]}",
        hint="install it: pip install 'drmkit[sandbox]'",
    ) from None

__all__ = ["Sandbox", "serve"]

_BACKLOG = 256


class Sandbox:
    """The vendors on this machine: a ticket server, a CPIX key server and a media processing API.

    A context manager; `start` and `stop` do the same by hand. A sandbox starts once and keeps nothing.

    Args:
        options: how it behaves; the default is random credentials on a free port of 127.0.0.1.
    """

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self._engine: Engine | None = None
        self._url = ""
        self._stopped = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Bind, start every thread and return once requests are answered.

        Raises:
            ConfigurationError: the port is taken, the address is not this machine's loopback, or media tasks shall
                encrypt and the programs for it are not installed.
            StoreError: the folder for media cannot be made.
        """
        if self._engine is not None or self._stopped:
            raise ConfigurationError("a sandbox starts only once", hint="make a new one")
        listener = bind_loopback(self.options.host, self.options.port)
        host, port = listener.getsockname()[:2]
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        try:
            self._engine = Engine(self.options, listener)
        except BaseException:
            listener.close()
            raise
        self._engine.start()
        return self

    def stop(self) -> None:
        """Stop every thread and close every socket; stopping twice is fine."""
        if self._engine is not None and not self._stopped:
            self._stopped = True
            self._engine.stop()

    @property
    def url(self) -> str:
        """The base URL of every role, such as `http://127.0.0.1:8080`."""
        self._running()
        return self._url

    @property
    def credentials(self) -> Credentials:
        """What a client needs to use the sandbox."""
        return self._running().state.credentials

    @property
    def faults(self) -> Faults:
        """The faults that can be switched on and off while it runs."""
        return self._running().state.faults

    @property
    def admin_token(self) -> Secret[str]:
        """What every call of the admin API must show: `Authorization: Bearer TOKEN`."""
        return self._running().state.admin_token

    @property
    def dashboard(self) -> Secret[str]:
        """The page for people, with the admin token in its fragment, which no browser sends anywhere."""
        return Secret(f"{self.url}/#token={self.admin_token.reveal()}")

    @property
    def service(self) -> str:
        """The key-server URL without asset ID and ticket: what a service ticket is asked for."""
        known = self.credentials
        return f"{self.url}/frontend/cpix/v1/{known.organization}/ingest/{known.cpix_config}"

    @property
    def license_url(self) -> str:
        """Where ClearKey licenses are given to whoever has an upfront token or custom data."""
        return f"{self.url}{LICENSE_PATH}"

    def stored_key(self, kid: KeyId) -> Secret[bytes] | None:
        """Return the content key that the key store holds for a key ID, or None; no fault alters it."""
        found = self._running().state.keys.find(kid)
        return None if found is None else found.key

    @property
    def storage(self) -> Path:
        """The folder that stands for all buckets: `STORAGE/BUCKET/KEY`."""
        return self._running().media.root

    @property
    def encrypts(self) -> bool:
        """Whether media tasks encrypt; else they check their keys only."""
        return self._running().encrypts

    @property
    def encrypts_not(self) -> str:
        """Why media tasks do not encrypt, in words; empty where they do."""
        return self._running().missing

    def outputs(self, task_id: str) -> tuple[Output | None, ...]:
        """Return what each subtask of a media task left in its bucket; None for one that failed or is not done.

        Raises:
            ConfigurationError: there is no such task.
        """
        try:
            return self._running().outputs(task_id)
        except ApiRefusalError as error:
            raise ConfigurationError(error.message) from None

    def media_url(self, output: Output) -> str:
        """Return the URL under which the manifest of an output is served."""
        return f"{self.url}{media_url(output.bucket, output.path)}"

    def events(self, role: str | None = None) -> tuple[Event, ...]:
        """Return what happened lately, without secrets; of one role (`cas`, `keyserver`, `mps`) if one is named."""
        return self._running().state.journal.read(role)

    def exchanges(self, role: str | None = None) -> tuple[Exchange, ...]:
        """Return the latest HTTP exchanges, oldest first, of one role if one is named; `shown` masks their secrets."""
        return tuple(reversed(self._running().state.exchanges.latest(1000, role)))

    def reset(self) -> None:
        """Forget tickets, keys, tasks and events; set clock and faults back. URL, credentials and seeds stay."""
        self._running().reset()

    def advance(self, seconds: float) -> None:
        """Set the sandbox's clock forward: tickets age and queues move; signatures are checked by the real time."""
        self._running().advance(seconds)

    def profile_toml(self) -> str:
        """Return a configuration file whose profile `sandbox` points drmkit at this sandbox; it holds secrets."""
        known = self.credentials
        account = {
            "environment": "custom",
            "auth_url": self.url,
            "frontend_url": self.url,
            "username": known.username,
            "password": known.password.reveal(),
            "organization": known.organization,
            "organization_name": known.organization_name,
            "cpix_config": known.cpix_config,
        }
        mps = {"endpoint": self.url, "secret_id": known.secret_id, "secret_key": known.secret_key.reveal()}
        token = {"kid": known.token_kid, "secret": known.token_secret.reveal()}
        tables = (("", account), (".mps", mps), (".token", token))
        return "\n".join(f"[profile.sandbox{name}]\n{_toml(values)}" for name, values in tables)

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point drmkit and other programs at this sandbox; they hold secrets."""
        known = self.credentials
        return {
            "DRMTODAY_USERNAME": known.username,
            "DRMTODAY_PASSWORD": known.password.reveal(),
            "DRMTODAY_ORGANIZATION": known.organization,
            "DRMTODAY_ORGANIZATION_NAME": known.organization_name,
            "DRMTODAY_CPIX_CONFIG": known.cpix_config,
            "DRMTODAY_AUTH_URL": self.url,
            "DRMTODAY_FRONTEND_URL": self.url,
            "DRMTODAY_TOKEN_KID": known.token_kid,
            "DRMTODAY_TOKEN_SECRET": known.token_secret.reveal(),
            "TENCENTCLOUD_SECRET_ID": known.secret_id,
            "TENCENTCLOUD_SECRET_KEY": known.secret_key.reveal(),
            "DRMKIT_MPS_ENDPOINT": self.url,
        }

    def environment_lines(self) -> str:
        """Return `environment` as `NAME=value` lines; only a value that a shell would alter stands in quotes."""
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in self.environment().items())

    def _running(self) -> Engine:
        if self._engine is None:
            raise ConfigurationError("the sandbox has not been started", hint="use it as a context manager")
        return self._engine


def bind_loopback(host: str, port: int, *, who: str = "the sandbox") -> socket.socket:
    """Bind a listening socket to a loopback address.

    Args:
        host: `localhost` or a loopback address; `localhost` means 127.0.0.1.
        port: the port, or 0 for a free one.
        who: what listens, for the error.

    Raises:
        ConfigurationError: the port is taken, or the address is not loopback or not there.
    """
    address = ipaddress.ip_address("127.0.0.1" if host.lower() == "localhost" else host.strip("[]"))
    if not address.is_loopback:
        raise ConfigurationError(f"{who} binds loopback addresses only, not {host!r}", hint="use 127.0.0.1")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 (IPv4)
    # asyncio switches off Nagle's algorithm, 40 ms an answer, only where the protocol is stated.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"{who} cannot listen on {host} port {port} ({error.strerror})",
            hint="choose another port, or 0 for one that is free",
        ) from None
    return listener


def serve(options: SandboxOptions, on_ready: Callable[[Sandbox], None]) -> int:
    """Run a sandbox in the main thread until SIGINT or SIGTERM; return the signal's number.

    Args:
        options: how it behaves.
        on_ready: called once requests are answered; what it raises stops the sandbox and comes out here.

    Raises:
        ConfigurationError: see `Sandbox.start`.
    """
    caught: list[int] = []
    done = Latch()

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature is the signal module's)
        caught.append(number)
        done.set()

    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(options) as sandbox:
            on_ready(sandbox)
            done.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return caught[0]


def _toml(values: dict[str, str]) -> str:
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())
