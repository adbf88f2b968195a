"""Policies for Amazon S3 with MPS: who may write to the queue, and what the user whose keys MPS is given may do.

Source: Tencent Cloud, "Using Amazon S3 Buckets with MPS" (of the MPS integration tutorials, 2025), steps two and five.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from drmkit.errors import InputError
from drmkit.mps.arns import BucketArn, QueueArn, check_account
from drmkit.mps.findings import Finding, errors_of

__all__ = ["READ_ACTIONS", "check_queue_policy", "check_user_policy", "queue_policy", "user_policy"]

VERSION = "2012-10-17"
READ_ACTIONS = (
    "sqs:DeleteMessage",
    "s3:GetObject",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "s3:GetObjectAttributes",
    "sqs:GetQueueAttributes",
    "sqs:ListQueueTags",
)
"""What MPS does with the input bucket and the queue that the bucket notifies."""

_NOTIFY_ACTIONS = ("sqs:GetQueueUrl", "sqs:SendMessage")
_WRITE_ACTIONS = ("s3:PutObject",)
_NOTIFY_BY_BUCKET = "sqs:SendMessage"
_INSECURE = {"Bool": {"aws:SecureTransport": "false"}}
"""The condition of denials that are for plain http alone, which neither S3 nor MPS uses."""


def queue_policy(queue: QueueArn, bucket: BucketArn, account: str | None = None) -> dict[str, Any]:
    """Return the access policy of the queue that the input bucket notifies (step two, 4).

    Args:
        queue: the queue.
        bucket: the bucket that notifies it.
        account: the account that owns the bucket; None takes the queue's.

    Raises:
        InputError: the account is none, or queue and bucket are of different partitions.
    """
    owner = queue.account if account is None else account
    check_account(owner)
    _check_partitions([queue], [bucket])
    return {
        "Version": VERSION,
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__owner_statement",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": ["SQS:SendMessage"],
                "Resource": str(queue),
                "Condition": {
                    "ArnLike": {"aws:SourceArn": str(bucket)},
                    "StringEquals": {"aws:SourceAccount": owner},
                },
            }
        ],
    }


def user_policy(
    notifications: QueueArn, source: BucketArn, target: BucketArn, callbacks: QueueArn | None = None
) -> dict[str, Any]:
    """Return the policy of the IAM user whose access key MPS is given (step five, 5.1).

    Args:
        notifications: the queue that the input bucket notifies.
        source: the input bucket.
        target: the output bucket; it may be the same.
        callbacks: the queue that MPS writes callbacks to; None for callbacks by HTTP.

    Raises:
        InputError: the ARNs are of different partitions or, as MPS demands one region, the queues of different regions;
            or one queue is to be both.
    """
    queues = [notifications] if callbacks is None else [notifications, callbacks]
    _check_partitions(queues, [source, target])
    _check_queues(notifications, callbacks)
    writing: tuple[str, ...] = _WRITE_ACTIONS if callbacks is None else (*_WRITE_ACTIONS, *_NOTIFY_ACTIONS)
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "VisualEditor0",
                "Effect": "Allow",
                "Action": list(READ_ACTIONS),
                "Resource": [str(notifications), source.objects],
            },
            {
                "Sid": "VisualEditor1",
                "Effect": "Allow",
                "Action": list(writing),
                "Resource": [*([] if callbacks is None else [str(callbacks)]), target.objects],
            },
        ],
    }


def check_queue_policy(policy: Any, queue: QueueArn, bucket: BucketArn, account: str | None = None) -> list[Finding]:
    """Return what a queue's access policy lacks so that the bucket can notify it, and what it allows beyond that.

    Args:
        policy: the policy, as its JSON is read.
        queue: the queue.
        bucket: the bucket.
        account: the account that owns the bucket; None takes the queue's.
    """
    owner = queue.account if account is None else account
    candidates = [
        list(_condition_findings(statement, f"Statement[{index}]", str(bucket), owner))
        for index, statement in _statements(policy, "Allow")
        if _names_s3(statement.get("Principal")) and _grants(statement, _NOTIFY_BY_BUCKET, str(queue))
    ]
    denied = [
        finding
        for index, statement in _statements(policy, "Deny")
        if _names_s3(statement.get("Principal"))
        for finding in _denials(statement, f"Statement[{index}]", [(_NOTIFY_BY_BUCKET, str(queue))])
    ]
    if not candidates:
        text = f"no statement lets s3.amazonaws.com do SQS:SendMessage on {queue}"
        return [Finding("Statement", text, "add the one that `drmkit mps s3-policy queue` prints"), *denied]
    # One statement that lets the bucket in is enough: others may be for other buckets.
    keeping_out = min(map(errors_of, candidates), key=len)
    lax = [finding for found in candidates for finding in found if finding.severity == "warning"]
    return [*keeping_out, *lax, *denied]


def check_user_policy(
    policy: Any, notifications: QueueArn, source: BucketArn, target: BucketArn, callbacks: QueueArn | None = None
) -> list[Finding]:
    """Return what a user's policy lacks so that MPS can read, write and notify, and what it allows too much.

    Args:
        policy: the policy, as its JSON is read.
        notifications: the queue that the input bucket notifies.
        source: the input bucket.
        target: the output bucket.
        callbacks: the queue that MPS writes callbacks to; None for callbacks by HTTP.
    """
    wanted = [(action, str(notifications)) for action in READ_ACTIONS if action.startswith("sqs:")]
    wanted += [(action, source.objects) for action in READ_ACTIONS if action.startswith("s3:")]
    wanted += [(action, target.objects) for action in _WRITE_ACTIONS]
    wanted += [] if callbacks is None else [(action, str(callbacks)) for action in _NOTIFY_ACTIONS]
    statements = list(_statements(policy, "Allow"))
    found: list[Finding] = []
    for action, resource in wanted:
        if not any(_grants(statement, action, resource) for _, statement in statements):
            bare = resource.removesuffix("/*")
            forgotten = bare != resource and any(_grants(statement, action, bare) for _, statement in statements)
            fix = f"attach /* to the bucket's ARN: {resource}" if forgotten else f"allow {action} on {resource}"
            found.append(Finding("Statement", f"{action} is not allowed on {resource}", fix))
    for index, statement in statements:
        for name in ("Action", "Resource"):
            if "*" in _list(statement.get(name)):
                place = f"Statement[{index}].{name}"
                found.append(
                    Finding(place, "is *, which is all that the account has", "name what MPS needs", "warning")
                )
    for index, statement in _statements(policy, "Deny"):
        found += _denials(statement, f"Statement[{index}]", wanted)
    return found


def _check_partitions(queues: Iterable[QueueArn], buckets: Iterable[BucketArn]) -> None:
    partitions = {queue.partition for queue in queues} | {bucket.partition for bucket in buckets}
    if len(partitions) > 1:
        raise InputError(
            f"the ARNs are of different partitions: {', '.join(sorted(partitions))}",
            hint="buckets and queues of one job are in one region",
        )


def _check_queues(notifications: QueueArn, callbacks: QueueArn | None) -> None:
    if callbacks is None:
        return
    if callbacks == notifications:
        raise InputError(
            "one queue is to hold the bucket's notifications and MPS's callbacks",
            hint="make a second queue, as the tutorial's step three does: MPS reads the first one empty",
        )
    if callbacks.region != notifications.region:
        raise InputError(
            f"the queues are in {notifications.region} and in {callbacks.region}",
            hint="both queues must be in the region of the bucket",
        )


def _statements(policy: Any, effect: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the statements of a policy that allow something, or that deny it.

    Raises:
        InputError: it is no policy.
    """
    statements = policy.get("Statement") if isinstance(policy, Mapping) else None
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not all(isinstance(item, Mapping) for item in statements):
        raise InputError("this is no policy: it has no list Statement", hint="give the JSON of the policy, whole")
    for index, statement in enumerate(statements):
        if statement.get("Effect") == effect:
            yield index, statement


def _denials(statement: Mapping[str, Any], where: str, wanted: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Yield a finding for what a statement denies: a denial counts whatever other statements allow."""
    condition = statement.get("Condition")
    if condition == _INSECURE:
        return
    for action, resource in wanted:
        if _grants(statement, action, resource):
            message = f"denies {action} on {resource}{', under a condition' if condition else ''}"
            fix = "see that the condition leaves it alone" if condition else "narrow it, or remove it"
            yield Finding(where, message, fix, "warning" if condition else "error")


def _grants(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    actions, resources = _list(statement.get("Action")), _list(statement.get("Resource"))
    return _covers(actions, action) and _covers(resources, resource, fold=False)


def _covers(patterns: Iterable[str], wanted: str, *, fold: bool = True) -> bool:
    """Tell whether one of a policy's patterns means a name; actions are compared without regard to case."""
    return any(
        fnmatchcase(wanted.lower() if fold else wanted, _literal(pattern.lower() if fold else pattern))
        for pattern in patterns
    )


def _literal(pattern: str) -> str:
    """Return a pattern in which brackets, which policies take as they are, mean nothing else."""
    return pattern.replace("[", "[[]")


def _list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _names_s3(principal: Any) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    return "s3.amazonaws.com" in _list(principal.get("Service")) or "*" in _list(principal.get("AWS"))


def _condition_findings(statement: Mapping[str, Any], where: str, bucket: str, owner: str) -> Iterator[Finding]:
    conditions = statement.get("Condition")
    keys: dict[str, list[str]] = {}
    for operator, entries in conditions.items() if isinstance(conditions, Mapping) else ():
        for name, value in entries.items() if isinstance(entries, Mapping) else ():
            if "not" not in str(operator).lower():
                keys.setdefault(str(name).lower(), []).extend(_list(value))
            elif _covers(_list(value), bucket, fold=False) or _covers(_list(value), owner, fold=False):
                yield Finding(f"{where}.Condition.{operator}", f"shuts {name} {value} out", "remove it")
    for name, wanted, what in (
        ("aws:sourcearn", bucket, "any bucket"),
        ("aws:sourceaccount", owner, "any account's bucket"),
    ):
        place = f"{where}.Condition"
        if name not in keys:
            yield Finding(place, f"has no {name}: {what} may write to the queue", f"demand {wanted}", "warning")
        elif not _covers(keys[name], wanted, fold=False):
            yield Finding(place, f"{name} is {', '.join(keys[name]) or 'no text'}, not {wanted}", f"write {wanted}")
