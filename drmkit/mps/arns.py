"""Amazon Resource Names of buckets and queues, checked for what MPS and its tutorial make of them.

Form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drmkit.errors import InputError

__all__ = [
    "PARTITIONS",
    "BucketArn",
    "QueueArn",
    "check_account",
    "check_bucket_name",
    "check_queue_name",
    "check_region",
]

_DOMAINS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
"""The domain of each partition's services."""
PARTITIONS = tuple(_DOMAINS)
_HOMES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""What the regions of a partition begin with; all others are of `aws`."""
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}")
_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_PARTS = 6


@dataclass(frozen=True, slots=True)
class QueueArn:
    """The ARN of an SQS queue.

    Attributes:
        partition: `aws`, or another of `PARTITIONS`: that of China, of a government, of the sovereign cloud.
        region: such as `ap-southeast-1`.
        account: the 12 digits of the account that owns it.
        name: the queue's name.
    """

    partition: str
    region: str
    account: str
    name: str

    @classmethod
    def parse(cls, text: str) -> QueueArn:
        """Read the ARN of a queue.

        Raises:
            InputError: it is none, or a FIFO queue's, which buckets do not write to.
        """
        partition, service, region, account, name = _parts(text, "arn:aws:sqs:REGION:ACCOUNT:QUEUE")
        if service != "sqs":
            raise InputError(
                f"{_shown(text)} is the ARN of {service or 'nothing'}, not of an SQS queue",
                hint="copy it from the queue's access policy: arn:aws:sqs:REGION:ACCOUNT:QUEUE",
            )
        check_region(region)
        home = next((owner for beginning, owner in _HOMES.items() if region.startswith(beginning)), "aws")
        if partition != home:
            raise InputError(
                f"the region {region} is of the partition {home}, not of {partition}",
                hint=f"copy the ARN from the queue's access policy: arn:{home}:sqs:{region}:...",
            )
        check_account(account)
        check_queue_name(name)
        return cls(partition, region, account, name)

    @property
    def url(self) -> str:
        """The queue's URL at Amazon."""
        return f"https://sqs.{self.region}.{_DOMAINS[self.partition]}/{self.account}/{self.name}"

    def __str__(self) -> str:
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{self.name}"


@dataclass(frozen=True, slots=True)
class BucketArn:
    """The ARN of an S3 bucket; that of its objects is `objects`.

    Attributes:
        partition: `aws`, or another of `PARTITIONS`: that of China, of a government, of the sovereign cloud.
        name: the bucket's name.
    """

    partition: str
    name: str

    @classmethod
    def parse(cls, text: str) -> BucketArn:
        """Read the ARN of a bucket; the `/*` of its objects is added where a policy wants it, not here.

        Raises:
            InputError: it is none, or has a region, an account or a path.
        """
        partition, service, region, account, name = _parts(text, "arn:aws:s3:::BUCKET")
        if service != "s3":
            raise InputError(
                f"{_shown(text)} is the ARN of {service or 'nothing'}, not of an S3 bucket",
                hint="copy it from the bucket's properties: arn:aws:s3:::BUCKET",
            )
        if region or account:
            raise InputError(
                f"{_shown(text)} names a region or an account, which the ARN of a bucket leaves empty",
                hint="write arn:aws:s3:::BUCKET",
            )
        if "/" in name:
            raise InputError(
                f"{_shown(text)} names objects, not the bucket",
                hint=f"write arn:{partition}:s3:::{name.partition('/')[0]}; /* is added where it belongs",
            )
        check_bucket_name(name)
        return cls(partition, name)

    @property
    def objects(self) -> str:
        """The ARN of all objects in the bucket."""
        return f"{self}/*"

    def __str__(self) -> str:
        return f"arn:{self.partition}:s3:::{self.name}"


def check_account(text: str) -> None:
    """Check an account ID.

    Raises:
        InputError: it has not 12 digits.
    """
    if not _ACCOUNT.fullmatch(text):
        raise InputError(
            f"{_shown(text)} is no AWS account ID",
            hint="12 digits, shown at the top right of the console, without dashes",
        )


def check_region(text: str) -> None:
    """Check the form of a region; which ones MPS serves differs between its documents, so no list is asked.

    Raises:
        InputError: it is no region's code.
    """
    if not _REGION.fullmatch(text):
        found = re.search(_REGION, text)
        raise InputError(
            f"{_shown(text)} is no AWS region",
            hint=f"write {found.group()}, the latter half of what the console shows"
            if found
            else "write its code, such as ap-southeast-1",
        )


def check_queue_name(text: str) -> None:
    """Check the name of a queue that MPS writes to or a bucket notifies.

    Raises:
        InputError: it is none, or a FIFO queue's.
    """
    if text.endswith(".fifo"):
        raise InputError(
            f"the queue {_shown(text)} is a FIFO queue, which buckets do not notify",
            hint="make a standard queue, as the tutorial does",
        )
    if not _QUEUE.fullmatch(text):
        raise InputError(
            f"{_shown(text)} is no name of an SQS queue", hint="1 to 80 letters, digits, hyphens and underscores"
        )


def check_bucket_name(text: str) -> None:
    """Check the name of a bucket.

    Raises:
        InputError: S3 has no such names.
    """
    if _ADDRESS.fullmatch(text):
        raise InputError(
            f"{_shown(text)} is an IP address, which no S3 bucket is called", hint="copy the bucket's name"
        )
    if not _BUCKET.fullmatch(text) or ".." in text:
        raise InputError(
            f"{_shown(text)} is no name of an S3 bucket",
            hint="3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
        )


def _parts(text: str, form: str) -> tuple[str, str, str, str, str]:
    parts = text.strip().split(":", _PARTS - 1)
    if len(parts) != _PARTS or parts[0] != "arn":
        raise InputError(f"{_shown(text)} is no ARN", hint=f"write it like {form}")
    if parts[1] not in PARTITIONS:
        raise InputError(
            f"{_shown(text)} is no ARN: there is no partition {_shown(parts[1])}",
            hint=f"write one of {', '.join(PARTITIONS)}, mostly aws",
        )
    return parts[1], parts[2], parts[3], parts[4], parts[5]


def _shown(text: str) -> str:
    return repr(text[:200])
