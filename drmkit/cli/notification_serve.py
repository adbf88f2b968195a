"""`drmkit notification serve`: receive callbacks, durably, and hand each on once MPS has confirmed it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.notification_parts import Worker, backup_of, follow_options, hook_of, notify_key_of, store_path
from drmkit.cli.output import App, format_option, pass_app
from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.latch import Latch

if TYPE_CHECKING:
    import uvicorn

    from drmkit.cli.notification_hook import CommandHook
    from drmkit.mps.follower import Follower
    from drmkit.mps.receiver import Receiver

__all__ = ["serve"]

_BACKLOG = 1024
_GRACE_SECONDS = 5
_LARGEST_PORT = 65535


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, _LARGEST_PORT), default=8200, show_default=True, help="0: a free one.")
@click.option("--cos", is_flag=True, help="Take moderation callbacks of COS too, which are never signed.")
@follow_options
@mps_options
@format_option
@pass_app
def serve(
    app: App,
    /,
    *,
    host: str,
    port: int,
    store: Path | None,
    backup: str | None,
    retry_after: timedelta,
    form: str,
    cos: bool,
    **given: Any,
) -> None:
    """Receive callbacks by POST, on any path, until Ctrl-C or SIGTERM.

    Each is verified, stored on the disk and only then answered with 200, so that none is lost, not even by kill -9;
    a repetition is dropped. Then MPS is asked whether what it says is true, it is backed up, and the hook is run;
    what fails is tried again later.

    Callbacks of live stream moderation by COS are told by their header X-Ci-Content-Version, and taken with --cos (or
    --unsigned, which takes all that anybody sends): kept, backed up and handed to the hook likewise, unconfirmed.

    It speaks plain HTTP: let a web server with a certificate stand in front of it.
    """
    from drmkit.mps.follower import Follower  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.notificationstore import NotificationStore  # noqa: PLC0415
    from drmkit.mps.receiver import Receiver  # noqa: PLC0415

    key = notify_key_of(given["notify_key_file"], unsigned=given["unsigned"])
    hook = hook_of(given["hook"], given["hook_timeout"])
    file = store_path(app, store)
    with ExitStack() as stack:
        access = stack.enter_context(Access(app, given["endpoint"], given["region"], given["timeout"]))
        client = None if given["no_confirm"] else access
        if client is not None:
            _ = access.client  # no API key, no receiver: better now than at the first callback
        queue = stack.enter_context(NotificationStore(file))
        follower = Follower(queue, client=client, backup=backup_of(access, backup), hook=hook)
        receiver = Receiver(queue, notify_key=key, arrived=follower.notice, moderation=cos or None)
        listener = stack.enter_context(_listening(host, port))
        _run(
            receiver,
            follower,
            hook,
            listener,
            pause=retry_after.total_seconds(),
            ready=lambda: _announce(app, listener, file, form),
        )
    app.talk("the receiver has stopped; what it has not handed on stays in the queue")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches off Nagle's algorithm, 40 ms an answer, only where the protocol is stated.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host.strip("[]"), port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host} port {port} ({error.strerror})",
                hint="choose an address of this machine and a free port; 0 takes any",
            ) from None
        yield listener


def _run(
    receiver: Receiver,
    follower: Follower,
    hook: CommandHook | None,
    listener: socket.socket,
    *,
    pause: float,
    ready: Callable[[], None],
) -> None:
    """Serve and follow in threads until a signal comes, or one of them breaks: then raise what broke it."""
    done = Latch()
    server = _server(receiver)
    serving = Worker(lambda: server.run([listener]), done)
    following = Worker(lambda: follower.run(pause=pause), done)
    previous = {number: signal.signal(number, lambda *_: done.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        serving.start()
        following.start()
        ready()
        done.wait()
    finally:
        server.should_exit = True
        serving.join()
        follower.stop()
        if hook is not None:
            hook.stop()
        following.join()
        for number, handler in previous.items():
            signal.signal(number, handler)
    for worker in (serving, following):
        if worker.failure is not None:
            raise worker.failure


def _server(receiver: Receiver) -> uvicorn.Server:
    try:
        import uvicorn  # noqa: PLC0415 (an extra)

        from drmkit.webserver import hide_exception_texts  # noqa: PLC0415
    except ModuleNotFoundError:
        raise MissingExtraError(
            "receiving callbacks needs the package uvicorn", hint="install it: pip install 'drmkit[sandbox]'"
        ) from None
    hide_exception_texts()
    return uvicorn.Server(
        uvicorn.Config(
            receiver,
            access_log=False,
            http="h11",
            lifespan="off",
            log_config=None,
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ws="none",
        )
    )


def _announce(app: App, listener: socket.socket, store: Path, form: str) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if form == "json":
        click.echo(json.dumps({"schema_version": 1, "url": url, "store": str(store)}))
        return
    click.echo(f"receiving at {url}, storing in {store}")
    app.talk("Ctrl-C stops it")
