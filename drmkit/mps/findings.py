"""What is wrong or doubtful about a job: a path, a sentence, and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from drmkit.errors import JobError

__all__ = ["Finding", "errors_of", "nearest", "raise_errors"]

_SHOWN = 10


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong (severity `error`) or doubtful (severity `warning`).

    Attributes:
        path: the field, such as `MediaProcessTask.AdaptiveDynamicStreamingTaskSet[0].DrmInfo.Type`.
        message: what is wrong there, without secrets.
        fix: what to write instead.
        severity: `error` keeps the job from being submitted.
    """

    path: str
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}; {self.fix}"

    def as_dict(self) -> dict[str, str]:
        """Return the finding as plain values, for JSON."""
        return msgspec.structs.asdict(self)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that keep a job from being submitted."""
    return [finding for finding in findings if finding.severity == "error"]


def raise_errors(findings: Iterable[Finding], what: str) -> None:
    """Raise one JobError that names every error among the findings, if there are any."""
    errors = errors_of(findings)
    if not errors:
        return
    lines = [str(finding) for finding in errors[:_SHOWN]]
    if len(errors) > _SHOWN:
        lines.append(f"and {len(errors) - _SHOWN} more")
    raise JobError(f"{what} contradicts itself or the API: " + "\n  ".join(["", *lines]).rstrip(), hint=errors[0].fix)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a wrong one most likely stands for, whatever its case, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 (a job without mistakes needs none of it)

    folded = {candidate.lower(): candidate for candidate in known}
    flat = name.lower().replace("_", "").replace("-", "")
    close = get_close_matches(flat, folded, n=1, cutoff=0.6) or get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
