"""Callbacks of the sandbox's media processing service: who is called, what is said, and that it is signed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mps_calls import SIMPLE, call, job, wait
from scripted import Answer, Request, ScriptedServer

from drmkit.mps.notification import UnverifiedNotificationError, parse, verify_sign
from drmkit.sandbox.callbacks import Target, offline_target
from drmkit.secret import Secret

KEY = "notify-key-of-the-sandbox-EXAMPLE"


@pytest.fixture
def receiver() -> Iterator[ScriptedServer]:
    """Takes callbacks and answers 200."""
    with ScriptedServer(lambda request: Answer(200)) as server:
        yield server


def submit(account: Any, url: str, **config: Any) -> str:
    """Submit a job with two tasks whose callbacks go to a URL, and wait for its end."""
    notify = {"NotifyType": "URL", "NotifyUrl": url, "NotifyKey": KEY} | config
    task_id: str = call(account, "ProcessMedia", job(SIMPLE, None, TaskNotifyConfig=notify))["TaskId"]
    wait(account, task_id)
    return task_id


def outcomes(account: Any, count: int) -> list[str]:
    """Wait until so many callbacks have an outcome, and return them all."""
    for _ in range(1000):
        found = [event.outcome for event in account.sandbox.events("mps") if event.what == "callback"]
        if len(found) >= count:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{len(found)} callbacks, not {count}")


def bodies(receiver: ScriptedServer) -> list[dict[str, Any]]:
    """What the receiver was sent."""
    return [json.loads(request.body) for request in receiver.requests]


def test_end_of_a_task_is_told_and_signed(account: Any, receiver: ScriptedServer) -> None:
    """By default one callback goes out, at the end; drmkit's own check takes its Sign, and no other key's."""
    task_id = submit(account, receiver.url)
    assert outcomes(account, 1) == ["200"]
    (request,) = receiver.requests
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    notification = parse(request.body)
    assert (notification.event, notification.task_id) == ("WorkflowTask", task_id)
    assert notification.claim is not None
    assert [item.state for item in notification.claim.subtasks] == ["succeeded"] * 2
    verify_sign(notification, Secret(KEY), now=time.time())
    with pytest.raises(UnverifiedNotificationError):
        verify_sign(notification, Secret("another"), now=time.time())
    with pytest.raises(UnverifiedNotificationError):
        verify_sign(notification, Secret(KEY), now=time.time() + 601)


def test_every_change_is_told_where_that_is_asked_for(account: Any, receiver: ScriptedServer) -> None:
    """NotifyMode `Change` tells of the begin, of each subtask, and of the end."""
    submit(account, receiver.url, NotifyMode="Change")
    assert outcomes(account, 3) == ["200"] * 3
    states = [
        [item["AdaptiveDynamicStreamingTask"]["Status"] for item in body["WorkflowTaskEvent"]["MediaProcessResultSet"]]
        for body in bodies(receiver)
    ]
    assert states == [["PROCESSING"] * 2, ["SUCCESS", "PROCESSING"], ["SUCCESS"] * 2]
    assert [body["WorkflowTaskEvent"]["Status"] for body in bodies(receiver)] == ["PROCESSING"] * 2 + ["FINISH"]


def test_without_a_key_nothing_is_signed(account: Any, receiver: ScriptedServer) -> None:
    """No NotifyKey, no Sign."""
    submit(account, receiver.url, NotifyKey="")
    outcomes(account, 1)
    assert not {"Sign", "Timestamp"} & bodies(receiver)[0].keys()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (None, "no callback was asked for"),
        ({"NotifyUrl": "http://127.0.0.1/"}, "goes to TDMQ-CMQ, which the sandbox does not have"),
        ({"NotifyType": "AWS-SQS"}, "has no AwsSQS"),
        ({"NotifyType": "SCF"}, "goes to SCF, which the sandbox does not have"),
        ({"NotifyType": "URL"}, "has no NotifyUrl"),
    ],
)
def test_who_is_not_called(config: dict[str, str] | None, reason: str) -> None:
    """A queue is no URL: an absent NotifyType means a queue, even beside a NotifyUrl."""
    assert reason in str(offline_target(config))


def test_who_is_called() -> None:
    """The benign twin: type and URL are enough."""
    target = offline_target({"NotifyType": "URL", "NotifyUrl": "http://127.0.0.1/x"})
    assert isinstance(target, Target)
    assert isinstance(target.place, Secret)
    assert (target.place.reveal(), target.key, target.every_change) == ("http://127.0.0.1/x", None, False)


@pytest.mark.parametrize("url", ["http://192.0.2.1/hook", "https://example.com/", "ftp://127.0.0.1/", "http://["])
def test_loopback_alone_is_called(account: Any, url: str) -> None:
    """A NotifyUrl that leads off this machine is not called."""
    submit(account, url)
    assert outcomes(account, 1) == ["refused: the sandbox calls loopback only"]


def test_refused_callbacks_are_sent_again(account: Any) -> None:
    """A receiver that fails first is asked again, with the same message."""
    answers = iter([Answer(503), Answer(200)])

    def respond(_: Request) -> Answer:
        return next(answers)

    with ScriptedServer(respond) as receiver:
        submit(account, receiver.url)
        assert outcomes(account, 2) == ["503", "200"]
        first, second = bodies(receiver)
    assert first["WorkflowTaskEvent"] == second["WorkflowTaskEvent"]


def test_dead_receivers_are_given_up(account: Any) -> None:
    """Three attempts, and the next callback has its turn."""
    submit(account, "http://127.0.0.1:1/")
    assert len(outcomes(account, 3)) == 3


@pytest.mark.parametrize(
    ("fault", "sent", "signed", "told"),
    [
        ("mps-callback-lost", 0, True, ["lost"]),
        ("mps-callback-repeated", 2, True, ["200", "200"]),
        ("mps-callback-unsigned", 1, False, ["200"]),
    ],
)
def test_faults_of_callbacks(
    account: Any, receiver: ScriptedServer, fault: str, sent: int, signed: bool, told: list[str]
) -> None:
    """Callbacks get lost, come twice, or come without a Sign."""
    account.sandbox.faults.switch_on(fault)
    submit(account, receiver.url)
    assert outcomes(account, len(told)) == told
    assert len(receiver.requests) == sent
    assert all(("Sign" in body) is signed for body in bodies(receiver))
    assert account.sandbox.faults.counts == {fault: 1}


def test_stopping_waits_for_no_receiver(make: Callable[..., Any]) -> None:
    """A sandbox stops though a receiver is never there."""
    account = make()
    submit(account, "http://127.0.0.1:1/")
    account.sandbox.stop()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999999/", "http://127.0.0.1/\x00", "http://[::1", "http://127.0.0.1:x/"]
)
def test_no_address_holds_up_the_others(account: Any, receiver: ScriptedServer, url: str) -> None:
    """A NotifyUrl that cannot even be called is noted, and the callbacks behind it go out."""
    submit(account, url)
    submit(account, receiver.url)
    for _ in range(1000):
        if receiver.requests:
            break
        time.sleep(0.01)
    assert len(receiver.requests) == 1
