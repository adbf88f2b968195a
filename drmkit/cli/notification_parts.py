"""What `notification serve` and `notification sqs` share: the NotifyKey, the queue's place, the hook, the backup."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drmkit import passwords
from drmkit.cli.job_access import Access
from drmkit.cli.options import with_options
from drmkit.cli.output import App
from drmkit.cli.sandbox import Duration
from drmkit.config import state_folder
from drmkit.errors import ConfigurationError
from drmkit.latch import Latch

if TYPE_CHECKING:
    from drmkit.cli.notification_hook import CommandHook
    from drmkit.mps.follower import Backup
    from drmkit.secret import Secret

__all__ = ["Worker", "backup_of", "follow_options", "hook_of", "notify_key_of", "store_path"]

_OPTIONS = (
    click.option(
        "--store", type=click.Path(path_type=Path), help="The queue, an SQLite file; default: in the state folder."
    ),
    click.option("--notify-key-file", metavar="FILE", help="A private file with the NotifyKey of the jobs."),
    click.option("--unsigned", is_flag=True, help="Take callbacks without a Sign, which anybody can send."),
    click.option(
        "--backup", metavar="DIR|cos://...", help="Back up each message: a folder, or cos://BUCKET/REGION/DIR/."
    ),
    click.option("--hook", metavar="COMMAND", help="Run this for each message, with its JSON on standard input."),
    click.option("--hook-timeout", type=Duration(), default="60s", show_default=True, help="How long it may take."),
    click.option("--no-confirm", is_flag=True, help="Do not ask MPS whether what a message says is true."),
    click.option(
        "--retry-after", type=Duration(), default="30s", show_default=True, help="When failures are tried again."
    ),
)
follow_options = with_options(_OPTIONS)
"""Adds the options that say where callbacks are kept and handed on."""


def notify_key_of(file: str | None, *, unsigned: bool) -> Secret[str] | None:
    """Read the NotifyKey; without one somebody must have said that unsigned callbacks are taken."""
    if (file is None) != unsigned:
        raise click.UsageError("name --notify-key-file, or say --unsigned to take callbacks that anybody can send")
    return None if file is None else passwords.from_file(file, what="--notify-key-file")


def hook_of(command: str | None, limit: timedelta) -> CommandHook | None:
    """Return the hook that a command is."""
    from drmkit.cli.notification_hook import CommandHook  # noqa: PLC0415

    return None if command is None else CommandHook(command, seconds=limit.total_seconds())


def store_path(app: App, stated: Path | None) -> Path:
    """Return where the queue of callbacks is kept, making the state folder if it is there."""
    if stated is not None:
        return stated.expanduser()
    folder = state_folder(app.environ)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"the state folder {folder} cannot be made ({error.strerror})", hint="name the queue with --store"
        ) from None
    return folder / "notifications.sqlite"


def backup_of(access: Access, target: str | None) -> Backup | None:
    """Return where messages are backed up to: a folder, or a bucket of COS."""
    from drmkit.mps.follower import CosBackup, FolderBackup  # noqa: PLC0415
    from drmkit.mps.locations import parse_output  # noqa: PLC0415

    if target is None:
        return None
    if "://" not in target:
        return FolderBackup(Path(target).expanduser())
    place = parse_output(target)
    bucket = place.storage.cos_output_storage
    if bucket is None:
        raise click.UsageError("--backup takes a folder, or cos://BUCKET/REGION/DIR/")
    prefix = (place.directory or "/mps-notifications/").removeprefix("/")
    return CosBackup.connect(access.credentials, region=bucket.region or "", bucket=bucket.bucket or "", prefix=prefix)


class Worker(threading.Thread):
    """A thread whose end, and what it was broken by, are told."""

    def __init__(self, work: Callable[[], None], done: Latch) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._done = done
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Work, and tell of the end."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (raised again in the main thread, which ends the program)
            self.failure = error
        finally:
            self._done.set()
