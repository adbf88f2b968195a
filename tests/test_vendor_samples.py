"""The samples of DRMtoday and Amazon S3 are what their README says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.cli.drmtoday_ingest import assets_of_document
from drmkit.errors import InputError
from drmkit.keyserver.ingest import check_assets, parse_assets
from drmkit.licensing.customdata import parse_custom_data
from drmkit.licensing.explain import explain, require
from drmkit.licensing.token import SharedSecret
from drmkit.mps.arns import BucketArn, QueueArn
from drmkit.mps.jobfile import examine_secrets, read_job
from drmkit.mps.notification import parse, verify_sign
from drmkit.mps.s3policy import check_queue_policy, check_user_policy
from drmkit.secret import Secret

ROOT = Path(__file__).resolve().parents[1] / "docs/samples"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECRET = SharedSecret("00000000-1111-2222-3333-444444444444", Secret(bytes(range(32))))
QUEUE = QueueArn.parse("arn:aws:sqs:ap-southeast-1:123456789012:tencent_queue")
CALLBACKS = QueueArn.parse("arn:aws:sqs:ap-southeast-1:123456789012:tencent_callback_sqs")
BUCKET = BucketArn.parse("arn:aws:s3:::tencentbucket")


def policy(name: str) -> object:
    """A policy."""
    return json.loads((ROOT / "amazon-s3" / name).read_text("utf-8"))


def test_every_sample_has_a_line() -> None:
    """README lists every file, and no other."""
    lines = re.findall(r"^\| \[[^\]]+\]\(([^)]+)\) \|", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(lines) == sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/*"))


def test_keys() -> None:
    """Both files hold two keys that nothing is wrong with; the document is valid CPIX."""
    raw = (ROOT / "drmtoday" / "keys.cpix").read_bytes()
    assert cpix.validate(raw).valid
    document = assets_of_document(cpix.parse(raw), asset_id=None, stream_type=None)
    for assets in (parse_assets((ROOT / "drmtoday" / "keys.json").read_bytes()), (document,)):
        assert check_assets(assets) == []
        assert [key.stream_type for asset in assets for key in asset.keys] == ["VIDEO", "AUDIO"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("token-object.jwt", "crt is JSON itself"),
        ("token-text-secret.jwt", "hexadecimal text instead of the bytes"),
        ("token-expired.jwt", "the token has expired"),
    ],
)
def test_bad_tokens(name: str, said: str) -> None:
    """Each bad token is bad for the one reason that its line names."""
    found = explain((ROOT / "drmtoday" / name).read_text("ascii"), now=NOW, secrets=[SECRET])
    (error,) = found.errors
    assert said in f"{error.place} {error.message}"


def test_a_good_token_and_custom_data() -> None:
    """The token verifies, and the custom data names the same user."""
    found = require(explain((ROOT / "drmtoday" / "token.jwt").read_text("ascii"), now=NOW, secrets=[SECRET]))
    data = parse_custom_data((ROOT / "drmtoday" / "custom-data.txt").read_text("ascii"))
    assert found.opt_data["userId"] == data.user_id == "u-17"


def test_the_job() -> None:
    """The job has no findings, its secret is read from beside it, and its request passes the schema's own types."""
    job, findings = examine_secrets(read_job(ROOT / "amazon-s3" / "job.toml"), ROOT / "amazon-s3")
    assert findings == job.check() == []
    assert job.secret_files == ()


def test_policies() -> None:
    """The good policies are good, and the one without a slash is not."""
    assert check_queue_policy(policy("queue-policy.json"), QUEUE, BUCKET) == []
    assert check_user_policy(policy("user-policy-sqs.json"), QUEUE, BUCKET, BUCKET, CALLBACKS) == []
    assert check_user_policy(policy("user-policy-http.json"), QUEUE, BUCKET, BUCKET) == []
    found = check_user_policy(policy("user-policy-without-slash.json"), QUEUE, BUCKET, BUCKET)
    assert {finding.fix.partition(":")[0] for finding in found} == {"attach /* to the bucket's ARN"}


def test_messages() -> None:
    """The callback verifies, and the bucket's notification is no callback."""
    callback = parse((ROOT / "amazon-s3" / "callback.json").read_bytes())
    verify_sign(callback, Secret("NotifyKeyExample"), now=NOW.timestamp())
    assert (callback.known, callback.claim.state) == (True, "succeeded")
    with pytest.raises(InputError, match="no notification of MPS"):
        parse((ROOT / "amazon-s3" / "bucket-notification.json").read_bytes())
