"""`drmkit notification sqs`: read callbacks from an Amazon SQS queue, keep them, and only then delete them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.notification_parts import Worker, backup_of, follow_options, hook_of, notify_key_of, store_path
from drmkit.cli.output import App, format_option, pass_app
from drmkit.latch import Latch

if TYPE_CHECKING:
    from drmkit.mps.follower import Follower
    from drmkit.mps.sqs import Batch, SqsReader

__all__ = ["sqs"]

_VISIBILITY = 120
_JOIN_SECONDS = 3.0
_LONGEST_WAIT = 20


@click.command()
@click.option("--queue", required=True, metavar="NAME|ARN|URL", help="The queue that MPS writes callbacks to.")
@click.option("--aws-region", metavar="NAME", help="Its region; default: the ARN's. [env: AWS_REGION]")
@click.option("--aws-profile", metavar="NAME", help="A profile of Amazon's configuration. [env: AWS_PROFILE]")
@click.option("--aws-endpoint", metavar="URL", help="Another address of SQS, such as that of a test server.")
@click.option("--wait", type=click.IntRange(0, _LONGEST_WAIT), default=10, show_default=True, help="Seconds of a poll.")
@click.option("--once", is_flag=True, help="Read the queue empty, hand on, and end.")
@click.option("--most", type=click.IntRange(1), metavar="N", help="End after about so many messages.")
@follow_options
@click.option("--dry-run", is_flag=True, help="Say what would be read, and call nothing.")
@mps_options
@format_option
@pass_app
def sqs(
    app: App,
    /,
    *,
    queue: str,
    store: Path | None,
    backup: str | None,
    once: bool,
    most: int | None,
    retry_after: timedelta,
    form: str,
    dry_run: bool,
    **given: Any,
) -> int:
    """Read callbacks from an Amazon SQS queue (NotifyType AWS-SQS), until Ctrl-C or SIGTERM.

    Each is verified and stored on the disk, and only then deleted from the queue; what is no callback, or does not
    verify, stays there. Then it goes the way of `notification serve`: MPS is asked whether it is true, it is backed
    up, and the hook is run. The access key is the one that Amazon's own tools would find.
    """
    key = notify_key_of(given["notify_key_file"], unsigned=given["unsigned"])
    hook = hook_of(given["hook"], given["hook_timeout"])
    region = _region(app, queue, given["aws_region"])
    file = store_path(app, store)
    if dry_run:
        _announce(app, queue, region, file, form, dry_run=True)
        return 0
    from drmkit.mps.follower import Follower  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.notificationstore import NotificationStore  # noqa: PLC0415
    from drmkit.mps.receiver import Receiver  # noqa: PLC0415
    from drmkit.mps.sqs import SqsReader, connect  # noqa: PLC0415

    profile = given["aws_profile"] or app.environ.get("AWS_PROFILE")
    client = connect(region=region, profile=profile, endpoint=given["aws_endpoint"])
    with ExitStack() as stack:
        access = stack.enter_context(Access(app, given["endpoint"], given["region"], given["timeout"]))
        describer = None if given["no_confirm"] else access.client
        kept = stack.enter_context(NotificationStore(file))
        follower = Follower(kept, client=describer, backup=backup_of(access, backup), hook=hook)
        receiver = Receiver(kept, notify_key=key, arrived=follower.notice)
        reader = SqsReader(client, queue, receiver, wait=given["wait"], visibility=_VISIBILITY)
        reader.url  # noqa: B018 (a queue that is not there is told at once)
        if once:
            _announce(app, queue, region, file, form)
            return _ended(app, _drained(reader, follower, most))
        _announce(app, queue, region, file, form)
        stops: list[Callable[[], None]] = [reader.stop, follower.stop, *([] if hook is None else [hook.stop])]
        _run(reader, follower, stops, most=most, pause=retry_after.total_seconds())
    app.talk("the reader has stopped; what it has not handed on stays in the store")
    return 0


def _region(app: App, queue: str, stated: str | None) -> str:
    from drmkit.mps.arns import QueueArn, check_region  # noqa: PLC0415

    named = QueueArn.parse(queue).region if queue.startswith("arn:") else None
    region = stated or named or app.environ.get("AWS_REGION") or app.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise click.UsageError("name the queue's region with --aws-region, or the queue by its ARN")
    check_region(region)
    if named is not None and region != named:
        raise click.UsageError(f"the ARN is of {named}, and --aws-region says {region}")
    return region


def _drained(reader: SqsReader, follower: Follower, most: int | None) -> Batch:
    def leave() -> None:
        reader.stop()
        follower.stop()

    with _signals(leave):
        batch = reader.drain(most=most)
        follower.drain()
    return batch


def _ended(app: App, batch: Batch) -> int:
    app.talk(f"{batch.kept} of {batch.received} messages were kept and deleted from the queue")
    return 1 if batch.left else 0


def _run(
    reader: SqsReader, follower: Follower, stops: list[Callable[[], None]], *, most: int | None, pause: float
) -> None:
    """Read and follow in threads until a signal comes or one of them ends; raise what broke it."""
    done = Latch()
    reading = Worker(lambda: _read(reader, most), done)
    following = Worker(lambda: follower.run(pause=pause), done)
    with _signals(done.set):
        reading.start()
        following.start()
        done.wait()
        for stop in stops:
            stop()
        # A poll that is under way may last: what it brings is not kept any more, and SQS shows it again.
        reading.join(_JOIN_SECONDS)
        following.join()
    for worker in (reading, following):
        if worker.failure is not None:
            raise worker.failure


def _read(reader: SqsReader, most: int | None) -> None:
    reader.run(most=most)


@contextmanager
def _signals(leave: Callable[[], None]) -> Iterator[None]:
    previous = {number: signal.signal(number, lambda *_: leave()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _announce(app: App, queue: str, region: str, store: Path, form: str, *, dry_run: bool = False) -> None:
    shown = queue.partition("?")[0]
    data: Mapping[str, Any] = {"queue": shown, "region": region, "store": str(store)}
    if form == "json":
        click.echo(json.dumps({"schema_version": 1, **({"dry_run": True} if dry_run else {}), **data}))
        return
    click.echo(f"{'would read' if dry_run else 'reading'} {shown} in {region}, storing in {store}")
    if not dry_run:
        app.talk("Ctrl-C stops it")
