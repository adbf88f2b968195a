"""Live jobs: a ProcessLiveStream request that can rest in a file, checked before it is submitted.

    job = LiveJob.build(
        "rtmp://live.example.com/app/stream",
        notify_url="https://me.example.com/callback",
        output="cos://target-1250000000/ap-guangzhou/out/",
        ai_analysis_task=analysis_task("highlights", Highlights(top_clip=10), live=True),
    )

Live streams have no DRM. A recording is a live orchestration: `schedule_id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from drmkit.mps.basejob import BaseJob, Revealable
from drmkit.mps.findings import Finding
from drmkit.mps.liverules import check_live
from drmkit.mps.locations import parse_output
from drmkit.mps.models.live import ProcessLiveStreamRequest
from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig, TaskOutputStorage
from drmkit.mps.schema import examine
from drmkit.mps.wire import convert, to_builtins
from drmkit.secret import Secret

__all__ = ["LiveJob"]


class LiveJob(BaseJob[ProcessLiveStreamRequest], frozen=True):
    """A ProcessLiveStream request that can rest in a file; MPS remembers its SessionId for seven days.

    Attributes:
        body: the request.
        schema_findings: what was wrong with the text that it was read from.
    """

    action: ClassVar[str] = "ProcessLiveStream"

    @classmethod
    def build(
        cls,
        url: str,
        *,
        notify_url: str | None = None,
        notify_key: Secret[str] | None = None,
        notification: LiveStreamTaskNotifyConfig | None = None,
        output: str | TaskOutputStorage | None = None,
        output_dir: str | None = None,
        **more: Any,
    ) -> LiveJob:
        """Build a job.

        Args:
            url: the stream: RTMP, HLS or FLV (and TRTC, WebRTC, SRT).
            notify_url: where results are reported to; without it and `notification`, nothing is reported.
            notify_key: signs the callbacks to `notify_url`.
            notification: instead of `notify_url`, for queues.
            output: a place such as `cos://bucket/region/dir/`, or the API's object, for results that are files.
            output_dir: the output folder, with a slash at both ends, unless `output` names one.
            more: further fields of ProcessLiveStreamRequest under their Python names, such as `ai_recognition_task`.

        Raises:
            JobError: a place that is none, or a value that cannot be written.
        """
        storage, directory = parse_output(output) if isinstance(output, str) else (output, None)
        config = notification or LiveStreamTaskNotifyConfig(
            notify_type="URL" if notify_url else None, notify_url=notify_url, notify_key=notify_key
        )
        return cls(
            ProcessLiveStreamRequest(
                url=url,
                task_notify_config=config,
                output_storage=storage,
                output_dir=output_dir or directory,
                **more,
            )
        )

    @classmethod
    def from_builtins(cls, value: Any) -> LiveJob:
        """Make a job from dictionaries and lists under the API's names; `check()` tells what was wrong with them."""
        clean, findings = examine(ProcessLiveStreamRequest, value, texts=True)
        return cls(convert(ProcessLiveStreamRequest, clean), tuple(findings))

    def check(self, templates: Mapping[int, Any] | None = None) -> list[Finding]:  # noqa: ARG002 (no such tasks here)
        """Return everything that is wrong or doubtful; a live job names no adaptive-bitrate templates."""
        found = list(self.schema_findings)
        if not found:
            found += examine(ProcessLiveStreamRequest, to_builtins(self.body))[1]
        return found + list(check_live(self.body))

    def request(self, urls: Sequence[Revealable | str] = (), *, attempt: int = 0) -> ProcessLiveStreamRequest:
        """Return the request to send.

        Args:
            urls: none: live streams have no DRM.
            attempt: see `session_id`.

        Raises:
            JobError: the job has errors, or a secret of it is still in its file.
        """
        self.sources(urls)
        return self.preview(attempt=attempt)

    def preview(self, *, attempt: int = 0) -> ProcessLiveStreamRequest:
        """Return the request as `request` makes it.

        Raises:
            JobError: the job has errors.
        """
        self.require_valid()
        return msgspec.structs.replace(self.body, session_id=self.session_id(attempt))
