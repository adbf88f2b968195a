"""`drmkit notification`: read, verify and receive the callbacks of Tencent MPS."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from drmkit import passwords
from drmkit.cli.cpix_files import file_argument, read_bytes
from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.job_report import verdict_fields, verdict_text
from drmkit.cli.lazy import LazyGroup
from drmkit.cli.output import App, emit, format_option, pass_app

if TYPE_CHECKING:
    from drmkit.mps.notification import Notification
    from drmkit.mps.task import Verdict

__all__ = ["notification", "show", "verify"]

_COMMANDS = {
    "show": ("drmkit.cli.notification:show", "Say what a callback claims."),
    "verify": ("drmkit.cli.notification:verify", "Check a callback's Sign, and ask MPS whether it is true."),
    "sqs": ("drmkit.cli.notification_sqs:sqs", "Read callbacks from an Amazon SQS queue without losing one."),
    "serve": ("drmkit.cli.notification_serve:serve", "Receive callbacks without losing one."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def notification() -> None:
    """Read, verify and receive the callbacks of Tencent's Media Processing Service (MPS)."""


@click.command()
@file_argument
@format_option
@pass_app
def show(app: App, /, *, path: str, form: str) -> None:
    """Say what a callback, or a message of a queue, claims; nothing of it is verified, and its secrets are masked."""
    found = _read(path)
    emit(form, _fields(found), lambda: _text(found))
    if not found.known:
        app.talk(f"warning: {found.event!r} is no event that is documented")


@click.command()
@file_argument
@click.option("--notify-key-file", metavar="FILE", required=True, help="A private file with the NotifyKey.")
@click.option("--at", "moment", type=float, metavar="SECONDS", help="When it came (UNIX time); default: now.")
@click.option("--confirm", is_flag=True, help="Ask MPS how the task is doing, and compare.")
@mps_options
@format_option
@pass_app
def verify(
    app: App, /, *, path: str, notify_key_file: str, moment: float | None, confirm: bool, form: str, **where: Any
) -> int:
    """Check that a callback's Sign was made with the NotifyKey and has not ended.

    The Sign does not cover the message: whoever saw one callback can send another with its Sign. So act on what
    --confirm says, which is MPS's own answer; if it differs from the message, the exit code is 1.
    """
    from drmkit.mps.notification import UnverifiedNotificationError, verify_sign  # noqa: PLC0415 (help needs no models)

    found = _read(path)
    key = passwords.from_file(notify_key_file, what="--notify-key-file")
    try:
        verify_sign(found, key, now=time.time() if moment is None else moment)
    except UnverifiedNotificationError as error:
        if form == "json":
            emit(form, {"verified": False, "reason": error.message, "confirmed": None, **_fields(found)}, "")
        raise
    confirmed = _confirmed(app, found, where) if confirm else None
    data = {"verified": True, "confirmed": verdict_fields(confirmed) if confirmed else None, **_fields(found)}
    emit(form, data, lambda: f"verified  {_text(found) if confirmed is None else verdict_text(confirmed)}")
    return _compared(app, found, confirmed)


def _confirmed(app: App, found: Notification, where: dict[str, Any]) -> Verdict:
    from drmkit.mps.notification import confirm  # noqa: PLC0415

    with Access(app, where["endpoint"], where["region"], where["timeout"]) as access:
        return confirm(found, access.client).verdict


def _compared(app: App, found: Notification, confirmed: Verdict | None) -> int:
    if confirmed is None:
        app.talk("the Sign does not cover the message: --confirm asks MPS whether it is true")
        return 0
    claim = found.claim
    if claim is None or claim.state == confirmed.state:
        return 0
    app.talk(f"the message says {claim.state}, and MPS says {confirmed.state}")
    return 1


def _read(path: str) -> Notification:
    from drmkit.mps.notification import parse  # noqa: PLC0415

    return parse(read_bytes(path))


def _fields(found: Notification) -> dict[str, Any]:
    from drmkit.mps.faults import clean_messages  # noqa: PLC0415

    claim = found.claim
    return {
        "event": found.event,
        "task_id": found.task_id,
        "session_id": found.session_id,
        "session_context": found.session_context,
        "live": found.live,
        "known": found.known,
        "signed_until": _moment(found.timestamp) if found.sign else None,
        "claim": verdict_fields(claim) if claim is not None else None,
        "message": clean_messages(found.to_builtins()),
    }


def _text(found: Notification) -> str:
    claim = found.claim
    until = _moment(found.timestamp)
    lines = [
        f"{found.event}  {found.task_id or '(no task)'}",
        f"  session: {found.session_id or '-'}",
        f"  signed until: {until}" if found.sign and until else "  not signed",
    ]
    lines += [] if claim is None else ["  it claims:", *(f"  {line}" for line in verdict_text(claim).splitlines())]
    return "\n".join(lines)


def _moment(timestamp: int | None) -> str | None:
    if timestamp is None or not 0 <= timestamp < 10**10:
        return None
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
