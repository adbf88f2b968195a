"""Jobs: a ProcessMedia request whose key servers are named instead of ticketed, checked before it is submitted.

    job = Job.build(
        input="cos://source-1250000000/ap-singapore/in/movie.mp4",
        output="cos://target-1250000000/ap-singapore/out/",
        tasks=[StreamingTask(12, drm.Widevine(resource_id="movie-1", key_source="drmtoday:prod", iv=iv))],
    )
    for finding in job.check(): ...
    request = job.request([url for each of job.key_sources])

A job file is such a request in JSON or TOML, with the API's own field names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from drmkit.mps.basejob import SECRET_FILE, BaseJob, KeyRequest, Revealable, mapped
from drmkit.mps.drm import Protection, normalize
from drmkit.mps.drmrules import check_template
from drmkit.mps.findings import Finding
from drmkit.mps.keysource import KeySource
from drmkit.mps.locations import parse_input, parse_output
from drmkit.mps.models.request import MediaProcessTaskInput, ProcessMediaRequest
from drmkit.mps.models.storage import MediaInputInfo, TaskNotifyConfig, TaskOutputStorage
from drmkit.mps.models.streaming import (
    AdaptiveDynamicStreamingTaskInput,
    AdaptiveDynamicStreamingTemplate,
    DrmInfo,
)
from drmkit.mps.rules import check_request, streaming_tasks
from drmkit.mps.schema import examine
from drmkit.mps.wire import convert, to_builtins

__all__ = ["SECRET_FILE", "Job", "KeyRequest", "Revealable", "StreamingTask", "fill", "keys_of"]


class StreamingTask(msgspec.Struct, frozen=True):
    """One adaptive-bitrate task.

    Attributes:
        definition: the ID of an adaptive-bitrate template.
        protection: how it is encrypted; None leaves it clear.
        manifest: `OutputObjectPath`, which ends with `.{format}`.
        substreams: `SubStreamObjectName`, relative.
        segments: `SegmentObjectName`, relative, HLS only.
        more: further fields of AdaptiveDynamicStreamingTaskInput under their Python names.
    """

    definition: int
    protection: Protection | None = None
    manifest: str | None = None
    substreams: str | None = None
    segments: str | None = None
    more: Mapping[str, Any] | None = None

    def model(self) -> AdaptiveDynamicStreamingTaskInput:
        """Return the task as the API has it."""
        return AdaptiveDynamicStreamingTaskInput(
            definition=self.definition,
            drm_info=self.protection.info() if self.protection else None,
            output_object_path=self.manifest,
            sub_stream_object_name=self.substreams,
            segment_object_name=self.segments,
            **(self.more or {}),
        )


class Job(BaseJob[ProcessMediaRequest], frozen=True):
    """A ProcessMedia request that can rest in a file: its key servers are key sources, and it may lack a SessionId.

    Attributes:
        body: the request.
        schema_findings: what was wrong with the text that it was read from.
    """

    action: ClassVar[str] = "ProcessMedia"

    @classmethod
    def build(
        cls,
        *,
        input: str | MediaInputInfo,  # noqa: A002 (the API's own word)
        output: str | TaskOutputStorage | None = None,
        tasks: Iterable[StreamingTask | AdaptiveDynamicStreamingTaskInput] = (),
        output_dir: str | None = None,
        notification: TaskNotifyConfig | None = None,
        session_id: str | None = None,
        **more: Any,
    ) -> Job:
        """Build a job.

        Args:
            input: a place such as `cos://bucket/region/path`, or the API's object.
            output: a place such as `cos://bucket/region/dir/`, or the API's object; None inherits the input's.
            tasks: the adaptive-bitrate tasks, with their DRM.
            output_dir: the output folder, with a slash at both ends, unless `output` names one.
            notification: how to report the end.
            session_id: instead of the one that is derived from the content.
            more: further fields of ProcessMediaRequest under their Python names, such as `ai_analysis_task`.

        Raises:
            JobError: a place that is none, or a value that cannot be written.
        """
        storage, directory = parse_output(output) if isinstance(output, str) else (output, None)
        models = [task.model() if isinstance(task, StreamingTask) else task for task in tasks]
        media = more.pop("media_process_task", None) or MediaProcessTaskInput()
        if models:
            media = msgspec.structs.replace(media, adaptive_dynamic_streaming_task_set=models)
        return cls(
            ProcessMediaRequest(
                input_info=parse_input(input) if isinstance(input, str) else input,
                output_storage=storage,
                output_dir=output_dir or directory,
                media_process_task=None if media == MediaProcessTaskInput() else media,
                task_notify_config=notification,
                session_id=session_id,
                **more,
            )
        )

    @classmethod
    def from_builtins(cls, value: Any) -> Job:
        """Make a job from dictionaries and lists under the API's names; `check()` tells what was wrong with them."""
        clean, findings = examine(ProcessMediaRequest, value, texts=True)
        return cls(convert(ProcessMediaRequest, clean), tuple(findings))

    def check(self, templates: Mapping[int, AdaptiveDynamicStreamingTemplate] | None = None) -> list[Finding]:
        """Return everything that is wrong or doubtful.

        Args:
            templates: the adaptive-bitrate templates of the account by their Definition, to check the tasks
                against them too; None where they are not known.
        """
        found = list(self.schema_findings)
        if not found:
            found += examine(ProcessMediaRequest, to_builtins(self.body))[1]
        found += check_request(self.body)
        if templates is not None:
            for path, task in streaming_tasks(self.body):
                if task.definition is not None:
                    found += check_template(task, templates.get(task.definition), path)
        return found

    @property
    def definitions(self) -> frozenset[int]:
        """The adaptive-bitrate templates that the job names."""
        return frozenset(task.definition for _, task in streaming_tasks(self.body) if task.definition is not None)

    @property
    def key_requests(self) -> tuple[KeyRequest, ...]:
        """One entry for each DRM task that needs a key-server URL, in the order of the request."""
        return keys_of(self.body)

    def request(self, urls: Sequence[Revealable | str] = (), *, attempt: int = 0) -> ProcessMediaRequest:
        """Return the request to send.

        Args:
            urls: a key-server URL for each of `key_requests`, in their order.
            attempt: see `session_id`.

        Raises:
            JobError: the job has errors, a secret of it is still in its file, or the URLs are not as many as the
                DRM tasks that need one.
        """
        self.require_valid()
        return self._filled(self.sources(urls), attempt)

    def preview(self, *, attempt: int = 0) -> ProcessMediaRequest:
        """Return the request as `request` would make it, with key sources where URLs are yet to be minted.

        Raises:
            JobError: the job has errors.
        """
        self.require_valid()
        return self._filled([source for _, source in self.key_requests], attempt)

    def _filled(self, sources: Iterable[KeySource], attempt: int) -> ProcessMediaRequest:
        return msgspec.structs.replace(fill(self.body, sources), session_id=self.session_id(attempt))


def keys_of(body: ProcessMediaRequest) -> tuple[KeyRequest, ...]:
    """Return one entry for each DRM task of a request that needs a key-server URL, in their order."""
    return tuple(
        KeyRequest(f"{path}.DrmInfo.SpekeDrm.KeyServerUrl", task.drm_info.speke_drm.key_server_url)
        for path, task in streaming_tasks(body)
        if task.drm_info and task.drm_info.speke_drm and task.drm_info.speke_drm.key_server_url
    )


def fill(body: ProcessMediaRequest, sources: Iterable[KeySource]) -> ProcessMediaRequest:
    """Return a request with the URLs of its key servers replaced, in their order, and its DRM types normalized."""
    remaining = iter(sources)
    filled: ProcessMediaRequest = mapped(body, DrmInfo, lambda info: _ready(info, remaining))
    return filled


def _ready(info: DrmInfo, sources: Iterator[KeySource]) -> DrmInfo:
    speke = info.speke_drm
    if speke is not None and speke.key_server_url:
        speke = msgspec.structs.replace(speke, key_server_url=next(sources))
    return msgspec.structs.replace(info, type=normalize(info.type or ""), speke_drm=speke)
