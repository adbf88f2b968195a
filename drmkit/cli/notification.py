"""`drmkit notification`: read, verify and receive the callbacks of Tencent MPS."""

from __future__ import annotations

import json
import time
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from drmkit import passwords
from drmkit.cli.cpix_files import file_argument, read_bytes
from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.job_report import result_fields, results_text, verdict_fields, verdict_text
from drmkit.cli.lazy import LazyGroup
from drmkit.cli.output import App, emit, format_option, pass_app

if TYPE_CHECKING:
    from drmkit.mps.cosmoderation import ModerationCallback, Scene
    from drmkit.mps.notification import Notification
    from drmkit.mps.task import Verdict

__all__ = ["moderation_text", "notification", "show", "verify"]

_LONGEST_SHOWN = 200
_MOST_SHOWN = 20

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
@click.option(
    "--product",
    type=click.Choice(["mps", "cos"]),
    help="Whose callback it is: MPS or VOD, or a moderation by COS; default: told by the message.",
)
@click.option(
    "--content-version", metavar="Simple|Detail", help="COS: the header X-Ci-Content-Version that came with it."
)
@format_option
@pass_app
def show(app: App, /, *, path: str, product: str | None, content_version: str | None, form: str) -> None:
    """Say what a callback, or a message of a queue, claims; nothing of it is verified, and its secrets are masked.

    It reads those of MPS (files and live streams), those of VOD about ProcessMediaByMPS, and those of live stream
    moderation by COS.
    """
    from drmkit.mps.notification import WrongProductError, parse  # noqa: PLC0415 (help needs no models)

    if content_version is not None and product == "mps":
        raise click.UsageError("--content-version goes with callbacks of COS, not of MPS")
    body = read_bytes(path)
    if product == "cos" or content_version is not None:
        _show_moderation(app, body, content_version, form)
        return
    try:
        found = parse(body)
    except WrongProductError:
        if product == "mps":
            raise
        _show_moderation(app, body, None, form)
        return
    emit(form, _fields(found), lambda: _text(found))
    if not found.known:
        app.talk(f"warning: {found.event!r} is no event that is documented; it is shown as it came")
    if found.misread:
        fields = ", ".join(list(found.misread)[:_MOST_SHOWN])
        app.talk(f"warning: of another type than is documented, and not understood: {fields}")


def _show_moderation(app: App, body: bytes, version: str | None, form: str) -> None:
    from drmkit.mps.cosmoderation import parse  # noqa: PLC0415

    found = parse(body, version=version)
    data = {"product": "cos", "known": found.known, **found.to_builtins()}
    emit(form, data, lambda: moderation_text(found))
    if not found.known:
        app.talk("warning: this callback has an event or a result that is not documented")


def moderation_text(found: ModerationCallback) -> str:
    """Return a moderation callback as text: the verdict, then a line for each picture and piece of sound."""
    head = [found.verdict, found.label, found.url]
    lines = ["  ".join(part for part in head if part)]
    lines.append(f"  job: {found.job_id or '-'}  state: {found.state or '-'}")
    if found.failed:
        lines.append(f"  error {found.code}: {found.message}".rstrip(": "))
    lines += [f"  {name}: {_scene_text(scene)}" for name, scene in found.scenes.items()]
    lines += [f"  snapshot  {item.verdict}  {item.label}  {_ms(item.time)}  {item.url}" for item in found.snapshots]
    lines += [
        f"  audio  {item.verdict}  {item.label}  {_ms(item.offset)}+{_ms(item.duration)}  {item.url}"
        for item in found.audio
    ]
    return _lines(lines)


def _lines(lines: list[str]) -> str:
    """Return lines as text for a terminal: anybody can send a callback, and what controls a terminal stays out."""
    return "\n".join("".join(sign if _harmless(sign) else "?" for sign in line) for line in lines)


def _harmless(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _scene_text(scene: Scene) -> str:
    hit = {0: "no hit", 1: "hit", 2: "suspected"}.get(scene.hit, f"hit flag {scene.hit}")
    count = f", {scene.count} snapshot{'s'[: scene.count != 1]}" if scene.count else ""
    return f"{hit}{count}{f', {scene.label}' if scene.label else ''}"


def _ms(value: int | None) -> str:
    return "-" if value is None else f"{value}ms"


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
        return confirm(found, access).verdict


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
        "product": found.product,
        "live": found.live,
        "known": found.known,
        "signed_until": _moment(found.timestamp) if found.sign else None,
        "claim": verdict_fields(claim) if claim is not None else None,
        "results": result_fields(found.results),
        "unknown_fields": sorted(found.unknown),
        "misread_fields": sorted(found.misread),
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
    lines += _ending(found)
    told = results_text(found.results, claim)
    lines += told.splitlines()
    return _lines([*lines, *_strange(found)])


def _ending(found: Notification) -> list[str]:
    info: Any = getattr(found.message, "process_eof_info", None)
    if info is None:
        return []
    from drmkit.mps.faults import clean  # noqa: PLC0415 (help needs no models)

    why = f"with error {info.err_code}: {clean(info.message or 'no message')}" if info.err_code else "without an error"
    return [f"  the stream ended {why}"]


def _strange(found: Notification) -> list[str]:
    """Return a line for each field that is not as it is documented, the first of them."""
    from drmkit.mps.faults import clean_messages  # noqa: PLC0415 (help needs no models)

    lines = []
    for path, value in found.strange.items():
        what = "misread" if path in found.misread else "unknown"
        lines.append(f"  {what} field {path}: {_shown(clean_messages(value, path.rpartition('.')[2]))}")
    more = len(lines) - _MOST_SHOWN
    return lines if more <= 0 else [*lines[:_MOST_SHOWN], f"  and {more} more"]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def _moment(timestamp: int | None) -> str | None:
    if timestamp is None or not 0 <= timestamp < 10**10:
        return None
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
