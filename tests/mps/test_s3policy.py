"""Policies for Amazon S3 with MPS: those of the tutorial to the letter, ARNs checked, others' judged."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.mps.arns import PARTITIONS, BucketArn, QueueArn, check_region
from drmkit.mps.s3policy import check_queue_policy, check_user_policy, queue_policy, user_policy

DOCUMENTS = Path(__file__).parents[3] / "shared" / "documents"
QUEUE = QueueArn.parse("arn:aws:sqs:ap-southeast-1:123456789012:tencent_queue")
CALLBACKS = QueueArn.parse("arn:aws:sqs:ap-southeast-1:123456789012:tencent_callback_sqs")
SOURCE = BucketArn.parse("arn:aws:s3:::tencentbucket")
TARGET = BucketArn.parse("arn:aws:s3:::tencentbucket-out")


def printed() -> list[Any]:
    """The policies that the tutorial prints as text, in their order, repaired by hand where a page break cut them.

    The access policy is closed three times too often after its Principal, and not to its end; the first of the user's
    is closed four times before its break, where the next page goes on with the list of resources.
    """
    if not DOCUMENTS.exists():
        pytest.skip("../shared is absent")
    text = next(DOCUMENTS.glob("004_*.txt")).read_text("utf-8")
    chapter = text[text.index("Using Amazon S3 Buckets with MPS\n\nLast updated") :]
    blocks = [block.strip() for block in re.findall(r"^```\n(.*?)^```$", chapter, re.DOTALL | re.MULTILINE)]
    head, rest, first, second, whole = [block for block in blocks if not block.startswith("1-")][:5]
    access = re.sub(r"\s*\},\s*\],\s*\}$", "", head) + rest + "]}"
    user = re.sub(r"\s*\]\s*\}\s*\]\s*\}$", "", first) + second
    return [json.loads(item) for item in (access, user, whole)]


def filled(policy: Any) -> Any:
    """A printed policy with the tutorial's placeholders replaced."""
    text = json.dumps(policy)
    for place, value in (
        ("The ARN of the SQS queue for bucket notifications", str(QUEUE)),
        ("The ARN of the SQS queue for transcoding callbacks", str(CALLBACKS)),
        ("The input bucket ARN + /*", f"{SOURCE}/*"),
        ("The output bucket ARN + /*", f"{TARGET}/*"),
        ("Your SQS ARN", str(QUEUE)),
        ("Your bucket ARN", str(SOURCE)),
        ("Your account ID", "123456789012"),
    ):
        text = text.replace(place, value)
    return json.loads(text)


def test_the_policies_are_the_tutorials() -> None:
    """The queue's access policy and both policies of the user are what the tutorial prints, value by value."""
    access, with_sqs, with_http = printed()
    assert queue_policy(QUEUE, SOURCE) == filled(access)
    assert user_policy(QUEUE, SOURCE, TARGET, CALLBACKS) == filled(with_sqs)
    assert user_policy(QUEUE, SOURCE, TARGET) == filled(with_http)


def test_what_is_printed_is_good() -> None:
    """The checks find nothing in what the builders make, for one bucket or two."""
    assert check_queue_policy(queue_policy(QUEUE, SOURCE), QUEUE, SOURCE) == []
    assert check_queue_policy(queue_policy(QUEUE, SOURCE, "210987654321"), QUEUE, SOURCE, "210987654321") == []
    for target in (SOURCE, TARGET):
        for callbacks in (None, CALLBACKS):
            policy = user_policy(QUEUE, SOURCE, target, callbacks)
            assert check_user_policy(policy, QUEUE, SOURCE, target, callbacks) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no ARN"),
        ("tencent_queue", "is no ARN"),
        ("arn:aws:sqs:ap-southeast-1:123456789012", "is no ARN"),
        ("arn:ibm:sqs:ap-southeast-1:123456789012:q", "is no ARN: there is no partition 'ibm'"),
        ("arn:aws:sns:ap-southeast-1:123456789012:q", "the ARN of sns, not of an SQS queue"),
        ("arn:aws:s3:::bucket", "the ARN of s3, not of an SQS queue"),
        ("arn:aws:sqs:Singapore:123456789012:q", "is no AWS region"),
        ("arn:aws:sqs:ap-southeast-1:1234-5678-9012:q", "is no AWS account ID"),
        ("arn:aws:sqs:ap-southeast-1:123456789012:", "is no name of an SQS queue"),
        ("arn:aws:sqs:ap-southeast-1:123456789012:a b", "is no name of an SQS queue"),
        ("arn:aws:sqs:ap-southeast-1:123456789012:" + "q" * 81, "is no name of an SQS queue"),
        ("arn:aws:sqs:ap-southeast-1:123456789012:q.fifo", "is a FIFO queue"),
    ],
)
def test_what_is_no_queue(text: str, said: str) -> None:
    """Each part of a queue's ARN is checked, and told apart."""
    with pytest.raises(InputError, match=said):
        QueueArn.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://bucket", "is no ARN"),
        ("arn:aws:s3:::bucket/*", "names objects, not the bucket"),
        ("arn:aws:s3:eu-west-3::bucket", "names a region or an account"),
        ("arn:aws:sqs:ap-southeast-1:123456789012:q", "the ARN of sqs, not of an S3 bucket"),
        ("arn:aws:s3:::Bucket", "is no name of an S3 bucket"),
        ("arn:aws:s3:::ab", "is no name of an S3 bucket"),
        ("arn:aws:s3:::a..b", "is no name of an S3 bucket"),
        ("arn:aws:s3:::10.0.0.1", "is an IP address, which no S3 bucket is called"),
        ("arn:aws:s3:::-bucket", "is no name of an S3 bucket"),
    ],
)
def test_what_is_no_bucket(text: str, said: str) -> None:
    """Likewise for a bucket; the objects' ARN is refused with the word that /* is added."""
    with pytest.raises(InputError, match=said) as caught:
        BucketArn.parse(text)
    assert caught.value.hint


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(max_size=40).map("arn:aws:sqs:ap-southeast-1:123456789012:".__add__))
def test_arns_read_back_or_are_refused(text: str) -> None:
    """Any text is an ARN that is written as it was read, or an input error."""
    for kind in (QueueArn, BucketArn):
        try:
            found = kind.parse(text)
        except InputError:
            continue
        assert str(found) == text.strip()


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws", "eu-west-3"),
        ("aws-cn", "cn-northwest-1"),
        ("aws-us-gov", "us-gov-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
    ],
)
def test_a_region_is_of_one_partition(partition: str, region: str) -> None:
    """An ARN whose region is another partition's names nothing; in its own it is taken."""
    assert QueueArn.parse(f"arn:{partition}:sqs:{region}:123456789012:q").partition == partition
    other = "aws-cn" if partition != "aws-cn" else "aws"
    with pytest.raises(InputError, match=f"the region {region} is of the partition {partition}, not of {other}"):
        QueueArn.parse(f"arn:{other}:sqs:{region}:123456789012:q")


def test_partitions_are_those_of_amazons_own_table() -> None:
    """Every region that botocore knows of SQS is taken in its own partition alone, and its domain is botocore's."""
    session = botocore.session.get_session()
    partitions = set(session.get_available_partitions()) & set(PARTITIONS)
    assert {"aws", "aws-cn", "aws-us-gov"} <= partitions
    for home in partitions:
        regions = session.get_available_regions("sqs", partition_name=home)
        assert regions
        client = session.create_client("sqs", region_name=regions[0], aws_access_key_id="a", aws_secret_access_key="b")
        first = QueueArn.parse(f"arn:{home}:sqs:{regions[0]}:123456789012:q")
        assert first.url == f"{client.meta.endpoint_url}/123456789012/q"
        for region in regions:
            assert QueueArn.parse(f"arn:{home}:sqs:{region}:123456789012:q").partition == home
            for other in partitions - {home}:
                with pytest.raises(InputError, match=f"is of the partition {home}, not of {other}"):
                    QueueArn.parse(f"arn:{other}:sqs:{region}:123456789012:q")


def test_partitions_and_regions() -> None:
    """China's ARNs keep their partition; what the console shows as a region is told how to be written."""
    queue = QueueArn.parse("arn:aws-cn:sqs:cn-north-1:123456789012:q")
    assert queue.url == "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q"
    assert QUEUE.url == "https://sqs.ap-southeast-1.amazonaws.com/123456789012/tencent_queue"
    with pytest.raises(InputError, match="different partitions"):
        queue_policy(queue, SOURCE)
    with pytest.raises(InputError) as caught:
        check_region("Asia Pacific (Singapore) ap-southeast-1")
    assert str(caught.value.hint).startswith("write ap-southeast-1")
    check_region("us-gov-west-1")


def test_queues_that_do_not_go_together() -> None:
    """One queue for both purposes would be read empty by MPS; queues of two regions do not work."""
    with pytest.raises(InputError, match="one queue is to hold"):
        user_policy(QUEUE, SOURCE, TARGET, QUEUE)
    other = QueueArn.parse("arn:aws:sqs:eu-west-3:123456789012:q")
    with pytest.raises(InputError, match="the queues are in ap-southeast-1 and in eu-west-3"):
        user_policy(QUEUE, SOURCE, TARGET, other)
    with pytest.raises(InputError, match="is no AWS account ID"):
        queue_policy(QUEUE, SOURCE, "123")


def changed(policy: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a policy with one value changed."""
    copied = copy.deepcopy(policy)
    place = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copied


ACCESS = queue_policy(QUEUE, SOURCE)
USER = user_policy(QUEUE, SOURCE, TARGET, CALLBACKS)


@pytest.mark.parametrize(
    ("path", "value", "said", "severity"),
    [
        (("Statement", 0, "Effect"), "Deny", "no statement lets s3.amazonaws.com", "error"),
        (("Statement", 0, "Principal"), {"Service": "sns.amazonaws.com"}, "no statement lets s3", "error"),
        (("Statement", 0, "Action"), ["SQS:ReceiveMessage"], "no statement lets s3", "error"),
        (("Statement", 0, "Resource"), str(CALLBACKS), "no statement lets s3", "error"),
        (("Statement", 0, "Condition", "ArnLike"), {"aws:SourceArn": str(TARGET)}, "aws:sourcearn is", "error"),
        (("Statement", 0, "Condition", "StringEquals"), {"aws:SourceAccount": "1"}, "aws:sourceaccount is 1", "error"),
        (("Statement", 0, "Condition"), {}, "any bucket may write", "warning"),
    ],
)
def test_access_policies_that_do_not_fit(path: Any, value: Any, said: str, severity: str) -> None:
    """What keeps the bucket from notifying, and what lets others do so, is found."""
    found = check_queue_policy(changed(ACCESS, path, value), QUEUE, SOURCE)
    assert any(said in finding.message and finding.severity == severity for finding in found), found


OTHERS = queue_policy(QUEUE, TARGET)["Statement"][0]


def test_a_queue_of_several_buckets() -> None:
    """One statement for each bucket: it is enough that one fits, in any order; a lax one among them is still told."""
    for statements in ([OTHERS, *ACCESS["Statement"]], [*ACCESS["Statement"], OTHERS]):
        assert check_queue_policy(ACCESS | {"Statement": statements}, QUEUE, SOURCE) == []
    lax = {name: value for name, value in OTHERS.items() if name != "Condition"}
    found = check_queue_policy(ACCESS | {"Statement": [*ACCESS["Statement"], lax]}, QUEUE, SOURCE)
    assert [(item.path, item.severity) for item in found] == [("Statement[1].Condition", "warning")] * 2


@pytest.mark.parametrize(
    ("denial", "severities"),
    [
        ({"Action": "*", "Resource": "*"}, ["error"]),
        ({"Action": "sqs:*", "Resource": str(QUEUE), "Condition": {"StringEquals": {"aws:x": "1"}}}, ["warning"]),
        ({"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, []),
        ({"Action": "sqs:DeleteQueue", "Resource": "*"}, []),
        ({"Action": "*", "Resource": str(CALLBACKS)}, []),
        ({"Action": "*", "Resource": "*", "Principal": {"AWS": "123456789012"}}, []),
    ],
)
def test_access_that_is_denied(denial: Any, severities: list[str]) -> None:
    """A denial counts whatever is allowed beside it, unless it is for others, or for plain http."""
    statement = {"Effect": "Deny", "Principal": "*"} | denial
    policy = ACCESS | {"Statement": [*ACCESS["Statement"], statement]}
    found = check_queue_policy(policy, QUEUE, SOURCE)
    assert [item.severity for item in found] == severities
    assert all(item.path == "Statement[1]" and "denies sqs:SendMessage" in item.message for item in found)


def test_a_user_who_is_denied() -> None:
    """What a user's policy allows and denies at once is denied, and told action by action."""
    denial = {"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::*"}
    policy = USER | {"Statement": [*USER["Statement"], denial]}
    (found,) = check_user_policy(policy, QUEUE, SOURCE, TARGET, CALLBACKS)
    assert str(found).startswith(f"Statement[2]: denies s3:PutObject on {TARGET}/*")


def test_a_condition_that_shuts_the_bucket_out() -> None:
    """A negated operator that names the bucket keeps it out; one that names another does not."""
    for name, told in ((str(SOURCE), ["Statement[0].Condition.ArnNotLike"]), (str(TARGET), [])):
        condition = ACCESS["Statement"][0]["Condition"] | {"ArnNotLike": {"aws:SourceArn": name}}
        found = check_queue_policy(changed(ACCESS, ("Statement", 0, "Condition"), condition), QUEUE, SOURCE)
        assert [item.path for item in found] == told


@pytest.mark.parametrize(
    ("path", "value", "said", "fix"),
    [
        (("Statement", 0, "Resource", 1), str(SOURCE), f"s3:GetObject is not allowed on {SOURCE}/*", "attach /*"),
        (("Statement", 0, "Resource", 0), str(CALLBACKS), f"sqs:ReceiveMessage is not allowed on {QUEUE}", "allow sqs"),
        (("Statement", 1, "Resource", 1), f"{SOURCE}/*", f"s3:PutObject is not allowed on {TARGET}/*", "allow s3"),
        (("Statement", 1, "Action"), ["s3:PutObject"], f"sqs:SendMessage is not allowed on {CALLBACKS}", "allow sqs"),
        (("Statement", 1, "Effect"), "Deny", "s3:PutObject is not allowed", "allow s3"),
    ],
)
def test_user_policies_that_do_not_fit(path: Any, value: Any, said: str, fix: str) -> None:
    """Each action that MPS lacks is named with its resource; a forgotten /* has a fix of its own."""
    found = check_user_policy(changed(USER, path, value), QUEUE, SOURCE, TARGET, CALLBACKS)
    assert any(said in finding.message and finding.fix.startswith(fix) for finding in found), found


def test_wildcards_are_understood() -> None:
    """Patterns allow what they match, in any case of the action; * alone is warned of."""
    policy = {"Statement": {"Effect": "Allow", "Action": ["SQS:*", "s3:Get*", "S3:Put?bject"], "Resource": "arn:aws:*"}}
    assert check_user_policy(policy, QUEUE, SOURCE, TARGET, CALLBACKS) == []
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    found = check_user_policy(everything, QUEUE, SOURCE, TARGET, CALLBACKS)
    assert [finding.severity for finding in found] == ["warning", "warning"]


@pytest.mark.parametrize("policy", [None, [], 1, {}, {"Statement": 1}, {"Statement": [1]}])
def test_what_is_no_policy(policy: Any) -> None:
    """Anything else is told as what it is."""
    for check in (
        lambda: check_queue_policy(policy, QUEUE, SOURCE),
        lambda: check_user_policy(policy, QUEUE, SOURCE, TARGET),
    ):
        with pytest.raises(InputError, match="this is no policy"):
            check()


NAMES = st.sampled_from(["Effect", "Action", "Resource", "Principal", "Condition", "AWS"])
JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.just("*"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(NAMES, JSON)))
def test_no_policy_crashes(statements: Any) -> None:
    """Statements of any shape are judged."""
    for statement in statements:
        statement["Effect"] = "Allow"
    check_queue_policy({"Statement": statements}, QUEUE, SOURCE)
    check_user_policy({"Statement": statements}, QUEUE, SOURCE, TARGET, CALLBACKS)
