"""From a job to its end: mint a key-server URL for each DRM task as late as possible, submit, wait, judge.

    outcome = run(job, client=client, mint=mint)
    outcome.verdict.require_success()

`mint` is called with a key source such as `drmtoday:PROFILE` and returns a URL (drmkit's KeyServerUrl, or a Secret).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from drmkit.errors import JobError
from drmkit.mps.basejob import BaseJob
from drmkit.mps.drm import normalize
from drmkit.mps.job import Job, Revealable
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.rules import streaming_tasks
from drmkit.mps.task import Described, Poll, Subtask, Verdict, wait
from drmkit.mps.wire import Model

__all__ = ["METHODS", "Mint", "Outcome", "Submission", "Submitter", "prepare", "run", "submit"]

_LOG = logging.getLogger(__name__)
_NOT_THE_KEYS = ("SourceFileError", "InvalidInput.DefinitionNotExist", "InvalidInput.InvalidTimeOffset")

Mint = Callable[[str], Revealable]
"""Makes a fresh key-server URL for a key source."""


class Submitter(Protocol):
    """What is needed of a client: drmkit's MpsClient or (for jobs through VOD) VodClient, or a fake.

    It also has the method of `METHODS` for the action of the job, which takes its request and returns a task ID.
    """

    def describe_task_detail(self, task_id: str) -> Described:
        """Ask for a task."""
        ...


METHODS = {
    "ProcessMedia": "process_media",
    "ProcessLiveStream": "process_live_stream",
    "ProcessMediaByMPS": "process_media_by_mps",
}
"""The method of a client that submits the jobs of each action."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One call that made a task.

    Attributes:
        task_id: the task that it made.
        session_id: its SessionId; empty for jobs through VOD, which has none.
        minted: how many key-server URLs were minted for it.
    """

    task_id: str
    session_id: str
    minted: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        verdict: the verdict over the last task.
        submissions: every submission; more than one where new tickets were tried after a failure.
        repeated: why the job was submitted again; empty where it was not.
    """

    verdict: Verdict
    submissions: tuple[Submission, ...]
    repeated: str = ""


def prepare(job: BaseJob[Any], mint: Mint, *, attempt: int = 0) -> Model:
    """Return the request for a job, with a URL minted for each DRM task that names a key source.

    The job is checked before anything is minted; a key source that is a URL is used as it is.

    Raises:
        JobError: the job has errors.
    """
    job.require_valid()
    urls = [source if source.is_url else mint(source.reveal()) for _, source in job.key_requests]
    return job.request(urls, attempt=attempt)


def submit(job: BaseJob[Any], *, client: Submitter, mint: Mint, attempt: int = 0) -> Submission:
    """Mint, submit, and return what was submitted.

    Args:
        job: the job.
        client: submits it.
        mint: makes a key-server URL for a key source.
        attempt: another number submits the job under another SessionId.

    Raises:
        JobError: the job has errors, or is none for this client; nothing was minted or submitted.
    """
    send = getattr(client, METHODS[job.action], None)
    if send is None:
        raise JobError(
            f"this client has no {job.action}", hint="use VodClient for jobs through VOD, MpsClient for others"
        )
    request = prepare(job, mint, attempt=attempt)
    task_id: str = send(request)
    minted = sum(not source.is_url for _, source in job.key_requests)
    return Submission(task_id, getattr(request, "session_id", None) or "", minted)


def run(
    job: BaseJob[Any],
    *,
    client: Submitter,
    mint: Mint,
    poll: Poll | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[Verdict], None] | None = None,
    submitted: Callable[[Submission], None] | None = None,
    attempt: int = 0,
) -> Outcome:
    """Submit a job and follow it to its end.

    A ticket can end while the task waits in MPS's queue. So a failure of DRM tasks alone, which an ended ticket can
    explain, leads to one new ticket each and one new submission of those tasks, under a new SessionId.

    Args:
        job: the job.
        client: submits it and asks for its task.
        mint: makes a key-server URL for a key source.
        poll: how often to ask, and how long.
        clock: monotonic seconds.
        sleep: waits for a number of seconds.
        progress: is told each verdict.
        submitted: is told each submission, so that the task ID is known before the wait begins.
        attempt: another number submits the job under another SessionId.

    Returns:
        The outcome, which may be a failure: see `Verdict.require_success`.

    Raises:
        JobError: the job has errors; nothing was submitted.
        TemporaryError: the deadline came first; the task goes on.
    """

    def once(what: BaseJob[Any], number: int) -> tuple[Submission, Verdict]:
        made = submit(what, client=client, mint=mint, attempt=number)
        if submitted is not None:
            submitted(made)
        detail = wait(
            lambda: client.describe_task_detail(made.task_id), poll=poll, clock=clock, sleep=sleep, progress=progress
        )
        return made, detail.verdict

    first, verdict = once(job, attempt)
    again = _again(job, verdict)
    if again is None:
        return Outcome(verdict, (first,))
    reason = f"task {first.task_id} failed as it does when a ticket has ended: {verdict.message}"
    _LOG.warning("%s; submitting the failed tasks once more with new tickets", reason)
    second, verdict = once(again, attempt + 1)
    return Outcome(verdict, (first, second), reason)


def _again(job: BaseJob[Any], verdict: Verdict) -> Job | None:
    """Return what to submit again with new tickets, or None where new tickets cannot help."""
    failed = verdict.failed_subtasks
    if not isinstance(job, Job) or verdict.state != "failed" or verdict.source_error or not failed:
        return None
    if not all(_may_be_the_ticket(subtask) for subtask in failed):
        return None
    if all(source.is_url for _, source in job.key_requests):
        return None
    return _only_failed(job, verdict)


def _may_be_the_ticket(subtask: Subtask) -> bool:
    return subtask.drm not in {None, "simpleaes"} and not subtask.code.startswith(_NOT_THE_KEYS)


def _only_failed(job: Job, verdict: Verdict) -> Job:
    """Return the job with only those tasks that failed, or all of it where results and tasks cannot be matched."""
    media = job.body.media_process_task
    tasks = [task for _, task in streaming_tasks(job.body)]
    results = [item for item in verdict.subtasks if item.kind == "AdaptiveDynamicStreamingTask"]
    alike = len(tasks) == len(results) and all(map(_same, tasks, results))
    if media is None or job.body.activities or not alike:
        return job
    kept = [task for task, result in zip(tasks, results, strict=True) if result.state == "failed"]
    only = type(media)(adaptive_dynamic_streaming_task_set=kept)
    return Job(msgspec.structs.replace(job.body, media_process_task=only))


def _same(task: AdaptiveDynamicStreamingTaskInput, result: Subtask) -> bool:
    drm = normalize(task.drm_info.type or "") if task.drm_info is not None else None
    return (task.definition, drm) == (result.definition, result.drm)
