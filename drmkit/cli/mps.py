"""`drmkit mps`: what jobs for MPS need elsewhere; each command is loaded when it is called."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup

__all__ = ["mps", "s3_policy"]

_COMMANDS = {"s3-policy": ("drmkit.cli.mps:s3_policy", "Print and check the policies for Amazon S3 buckets with MPS.")}
_POLICIES = {
    "queue": ("drmkit.cli.mps_s3_policy:queue", "Print the access policy of the queue that the bucket notifies."),
    "user": ("drmkit.cli.mps_s3_policy:user", "Print the policy of the user whose access key MPS is given."),
    "check-queue": ("drmkit.cli.mps_s3_policy:check_queue", "Find what a queue's access policy lacks."),
    "check-user": ("drmkit.cli.mps_s3_policy:check_user", "Find what a user's policy lacks, or allows too much."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def mps() -> None:
    """Set up what jobs for Tencent's Media Processing Service (MPS) need elsewhere."""


@click.group("s3-policy", cls=LazyGroup, commands_by_name=_POLICIES)
def s3_policy() -> None:
    """Print and check the policies for Amazon S3 buckets with MPS; nothing is called.

    MPS reads the input bucket with the access key of an IAM user, hears of new objects by a queue that the bucket
    notifies, and writes its callbacks to a second queue or to a URL.
    """
