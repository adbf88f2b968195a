"""The MPS client against the sandbox over real HTTP: every kind of DRM, lost answers, wrong clocks, ended tickets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from drmkit.cas import CasClient
from drmkit.cas import Credentials as Login
from drmkit.errors import ApiError, CredentialsRejectedError, JobError, TemporaryError
from drmkit.http import HttpClient
from drmkit.keyserver.drmtoday import DrmtodayHosts, DrmtodayKeyServer
from drmkit.keyserver.url import KeyServerUrl
from drmkit.mps import drm
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.task import Poll
from drmkit.provisioning import run, submit
from drmkit.retry import Retrier, RetryPolicy
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.secret import Secret

IV = "00112233445566778899aabbccddeeff"
POLL = Poll(first=0.02, longest=0.1, deadline=20)


@dataclass(frozen=True)
class Bench:
    """A sandbox, an MPS client and a mint for it."""

    sandbox: Sandbox
    http: HttpClient
    client: MpsClient
    mint: Callable[[str], KeyServerUrl]

    def tasks(self) -> list[str]:
        """The IDs of all tasks."""
        states = ("WAITING", "PROCESSING", "FINISH")
        return [str(task.task_id) for state in states for task in self.client.describe_tasks(state)]


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """A function that starts a sandbox with options, and connects to it."""
    opened: list[Sandbox | HttpClient] = []

    def start(**options: object) -> Bench:
        sandbox = Sandbox(SandboxOptions(encrypt=False, **options)).start()  # type: ignore[arg-type]  # options by name
        http = HttpClient()
        opened.extend((http, sandbox))
        return connect(sandbox, http)

    yield start
    for item in opened:
        if isinstance(item, HttpClient):
            item.close()
        else:
            item.stop()


def connect(sandbox: Sandbox, http: HttpClient, **more: object) -> Bench:
    """Clients for a running sandbox."""
    account = sandbox.credentials
    hosts = DrmtodayHosts.custom(sandbox.url, sandbox.url)
    cas = CasClient(hosts.tickets_url, Login(account.username, account.password), http=http)

    def mint(source: str) -> KeyServerUrl:
        scheme = source.partition(":")[2]
        server = DrmtodayKeyServer(
            hosts, account.organization, account.cpix_config, query={"x-signaling-alg": scheme} if scheme else {}
        )
        return server.mint(cas)

    given = {
        "credentials": Credentials(account.secret_id, account.secret_key),
        "http": http,
        "retrier": Retrier(RetryPolicy(base=0.01)),
    } | more
    return Bench(sandbox, http, MpsClient(sandbox.url, **given), mint)  # type: ignore[arg-type]  # arguments by name


def job_of(*protections: drm.Protection) -> Job:
    """A job with one task, and so one template, for each protection."""
    tasks = [StreamingTask(10 + number, protection) for number, protection in enumerate(protections)]
    return Job.build(
        input="https://media.example.com/movie.mp4", output="cos://target-1250000000/ap-singapore/out/", tasks=tasks
    )


def protection(kind: str, method: str | None = None) -> drm.Protection:
    """A protection whose key source names the scheme of the document that is asked for."""
    if kind == "simpleaes":
        return drm.SimpleAes(uri="https://keys.example.com/1", key=Secret("0f" * 16), iv=IV)
    scheme = method or drm.KINDS[kind].default_method
    return drm.protection(kind)(resource_id="movie-1", key_source=f"drmtoday:{scheme}", iv=IV, method=method)


def test_every_kind_of_drm_in_one_job(bench: Callable[..., Bench]) -> None:
    """One job with a task for every kind and method is accepted, uses a ticket for each, and succeeds."""
    made = bench(single_use=True)
    wanted = [
        (kind, method)
        for kind, row in drm.KINDS.items()
        for method in (row.methods or (None,))
    ]  # fmt: skip
    outcome = run(job_of(*(protection(*item) for item in wanted)), client=made.client, mint=made.mint, poll=POLL)
    assert outcome.verdict.message == ""
    assert [item.drm for item in outcome.verdict.subtasks] == [kind for kind, _ in wanted]
    assert outcome.submissions[0].minted == len(wanted) - 1


def test_a_lost_answer_makes_no_second_task(bench: Callable[..., Bench]) -> None:
    """When the answer is lost after the job was accepted, its one task is found again."""
    made = bench(faults=("mps-answer-lost:1",))
    submission = submit(job_of(protection("widevine")), client=made.client, mint=made.mint)
    assert made.tasks() == [submission.task_id]
    assert made.client.describe_task_detail(submission.task_id).response.session_id == submission.session_id


def test_the_same_job_is_not_done_twice(bench: Callable[..., Bench]) -> None:
    """A job that was submitted before is refused by its SessionId, and no second task is made."""
    made = bench()
    submit(job_of(protection("widevine")), client=made.client, mint=made.mint)
    with pytest.raises(ApiError) as caught:
        submit(job_of(protection("widevine")), client=made.client, mint=made.mint)
    assert caught.value.code == "InvalidParameterValue.SessionId"
    assert len(made.tasks()) == 1


def test_rate_limits_and_errors_pass(bench: Callable[..., Bench]) -> None:
    """A rate limit, an internal error and a proxy's page are outlived."""
    made = bench(faults=("mps-rate-limited:1", "mps-internal-error:1"))
    assert submit(job_of(protection("fairplay")), client=made.client, mint=made.mint).task_id in made.tasks()


def test_a_wrong_clock_is_corrected(bench: Callable[..., Bench]) -> None:
    """A server whose clock is an hour ahead is understood after one correction."""
    made = bench(faults=("mps-clock-ahead",))
    assert made.tasks() == []


def test_a_wrong_secret_key(bench: Callable[..., Bench]) -> None:
    """A wrong key is rejected, and not tried again."""
    made = bench()
    wrong = Credentials(made.sandbox.credentials.secret_id, Secret("wrong"))
    client = connect(made.sandbox, made.http, credentials=wrong).client
    with pytest.raises(CredentialsRejectedError, match="SignatureFailure"):
        client.describe_task_detail("t")
    unknown = Credentials("AKIDother", Secret("wrong"))
    with pytest.raises(CredentialsRejectedError, match="SecretIdNotFound"):
        connect(made.sandbox, made.http, credentials=unknown).client.describe_task_detail("t")


def test_an_ended_ticket_is_replaced_once(bench: Callable[..., Bench]) -> None:
    """A ticket that ends in the queue leads to one new ticket and one new submission of its task, which succeeds."""
    made = bench(faults=("cas-early-expiry:1",))
    job = job_of(protection("widevine"), protection("simpleaes"))
    outcome = run(job, client=made.client, mint=made.mint, poll=POLL)
    assert outcome.verdict.state == "succeeded"
    assert [item.drm for item in outcome.verdict.subtasks] == ["widevine"]
    assert "a ticket has ended" in outcome.repeated
    assert len(made.tasks()) == 2


def test_tickets_that_always_end_too_early(bench: Callable[..., Bench]) -> None:
    """When the new ticket has ended too, the failure is final."""
    made = bench(faults=("cas-early-expiry",))
    outcome = run(job_of(protection("widevine")), client=made.client, mint=made.mint, poll=POLL)
    assert outcome.verdict.state == "failed"
    assert len(made.tasks()) == 2


def test_a_task_that_never_ends(bench: Callable[..., Bench]) -> None:
    """A task that stays in the queue is left alone at the deadline, and can be aborted."""
    made = bench(faults=("mps-task-stuck",))
    told: list[str] = []
    with pytest.raises(TemporaryError, match="it is waiting"):
        run(
            job_of(protection("widevine")),
            client=made.client,
            mint=made.mint,
            poll=Poll(first=0.01, longest=0.02, deadline=0.1),
            submitted=lambda made: told.append(made.task_id),
        )
    made.client.abort_task(told[0])


def test_templates_are_known_before_submission(bench: Callable[..., Bench]) -> None:
    """The account's templates can be asked for, and a job be checked against them."""
    made = bench()
    job = job_of(protection("widevine"))
    templates = made.client.templates(job.definitions)
    assert sorted(templates) == [10]
    assert job.check(templates) == []


def test_unknown_tasks(bench: Callable[..., Bench]) -> None:
    """A task that does not exist is an error of the input."""
    with pytest.raises(JobError):
        bench().client.describe_task_detail("0-WorkflowTask-none")
