"""How tasks are shown: verdicts as text and JSON, progress on a terminal, and a word to whoever stops waiting."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.output import App
from drmkit.errors import DrmkitError

if TYPE_CHECKING:
    from drmkit.mps.results import Result
    from drmkit.mps.task import Subtask, TaskDetail, Verdict
    from drmkit.mps.vodtask import VodTaskDetail

__all__ = [
    "FIRST_QUESTION_SECONDS",
    "Progress",
    "answer_fields",
    "following",
    "result_fields",
    "results_text",
    "verdict_fields",
    "verdict_text",
]

_LONGEST_TEXT = 100
FIRST_QUESTION_SECONDS = 0.5
"""When the second question about a task is asked; the later ones come at growing intervals."""


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON shows it."""
    return {
        "task_id": verdict.task_id,
        "state": verdict.state,
        "message": verdict.message,
        "created": _moment(verdict.created),
        "finished": _moment(verdict.finished),
        "subtasks": [
            {name: getattr(subtask, name) for name in subtask.__dataclass_fields__} for subtask in verdict.subtasks
        ],
    }


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict as text: the task, then a line for each subtask."""
    lines = [f"{verdict.state}  {verdict.task_id}"]
    lines += [f"  {_subtask_text(subtask)}" for subtask in verdict.subtasks]
    if verdict.message and not verdict.failed_subtasks:
        lines.append(f"  {verdict.message}")
    return "\n".join(lines)


def result_fields(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return what was found and made as JSON shows it."""
    import msgspec  # noqa: PLC0415 (help needs no models)

    return [msgspec.to_builtins(result) for result in results]


def results_text(results: Iterable[Result], verdict: Verdict | None = None, *, most: int = 50) -> str:
    """Return what was found and made as text, a line each, no more than so many; without what the verdict names."""
    told = {subtask.output for subtask in verdict.subtasks} if verdict is not None else set()
    results = [result for result in results if result.path is None or result.path not in told]
    lines = [f"    {_result_text(result)}" for result in results[:most]]
    if len(results) > most:
        lines.append(f"    and {len(results) - most} more; --format json shows all")
    return "\n".join(lines)


def _result_text(result: Result) -> str:
    span = "-".join(_time(value) for value in (result.start, result.end) if value is not None)
    confidence = f"{result.confidence:g}" if result.confidence is not None else ""
    told = " ".join((result.text or "").split())
    short = told if len(told) <= _LONGEST_TEXT else f"{told[: _LONGEST_TEXT - 3]}..."
    parts = (result.kind, result.label or "", span, confidence, result.path or "", result.title or "", short)
    return "  ".join(part for part in parts if part)


def _time(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}s"


def answer_fields(detail: TaskDetail | VodTaskDetail) -> Any:
    """Return the answer of DescribeTaskDetail with its secrets masked, those that messages may quote included."""
    from drmkit.mps.faults import clean_messages  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.wire import to_builtins  # noqa: PLC0415

    return clean_messages(to_builtins(detail.response))


def _subtask_text(subtask: Subtask) -> str:
    what = [subtask.kind, f"template {subtask.definition}" if subtask.definition is not None else "", subtask.drm or ""]
    told = subtask.output or f"{subtask.code} {subtask.message}".strip()
    return "  ".join(part for part in (subtask.state, *what, told) if part)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


class Progress:
    """One line on a terminal that is written anew with each answer; nothing where there is no terminal."""

    def __init__(self, app: App, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = sys.stderr.isatty() and not app.quiet
        self._clock = clock
        self._start = clock()
        self._shown = False

    def __call__(self, verdict: Verdict) -> None:
        """Show how a task is doing."""
        if not self._live:
            return
        ended = sum(subtask.state in {"succeeded", "failed"} for subtask in verdict.subtasks)
        parts = f", {ended} of {len(verdict.subtasks)} subtasks ended" if verdict.subtasks else ""
        click.echo(f"\r\x1b[K{verdict.task_id}: {verdict.state}{parts}, {self._elapsed()}", err=True, nl=False)
        self._shown = True

    def end(self) -> None:
        """Leave the line clear for what comes next."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False

    def _elapsed(self) -> str:
        minutes, seconds = divmod(int(self._clock() - self._start), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


@contextmanager
def following(progress: Progress, goes_on: Callable[[], str]) -> Iterator[None]:
    """Say what goes on without us when the waiting inside the block is broken off.

    Args:
        progress: the line to clear.
        goes_on: returns the sentence; it is asked when the block is left before its end, by Ctrl-C or SIGTERM.
    """
    broken_off = True
    try:
        yield
        broken_off = False
    except DrmkitError:
        broken_off = False
        raise
    finally:
        progress.end()
        if broken_off:
            click.echo(goes_on(), err=True)
