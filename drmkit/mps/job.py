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

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from drmkit.errors import JobError
from drmkit.mps.drm import Protection, normalize
from drmkit.mps.drmrules import check_template
from drmkit.mps.findings import Finding, raise_errors
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
from drmkit.mps.schema import examine, members, walk
from drmkit.mps.wire import Model, convert, to_builtins
from drmkit.secret import Secret

__all__ = ["SECRET_FILE", "Job", "KeyRequest", "Revealable", "StreamingTask"]

SECRET_FILE = "file:"
"""What a secret in a job begins with whose value is in a file: the path, relative to the job file."""

_SESSION_PREFIX = "drmkit-"
_SESSION_DIGITS = 40
_NOT_CONTENT = frozenset({"SessionId", "S3SecretKey", "S3SecretId", "NotifyKey"})


class Revealable(Protocol):
    """A URL that is a secret: a Secret, or drmkit's KeyServerUrl."""

    def reveal(self) -> str:
        """Return the URL itself."""
        ...


class KeyRequest(NamedTuple):
    """One DRM task that needs a key-server URL.

    Attributes:
        path: the path of its SpekeDrm.KeyServerUrl.
        source: where the URL comes from.
    """

    path: str
    source: KeySource


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


class Job(msgspec.Struct, frozen=True):
    """A ProcessMedia request that can rest in a file: its key servers are key sources, and it may lack a SessionId.

    Attributes:
        body: the request.
        schema_findings: what was wrong with the text that it was read from.
    """

    body: ProcessMediaRequest
    schema_findings: tuple[Finding, ...] = ()

    @classmethod
    def build(
        cls,
        *,
        input: str | MediaInputInfo,  # noqa: A002 (the API's own word)
        output: str | TaskOutputStorage | None = None,
        tasks: Iterable[StreamingTask | AdaptiveDynamicStreamingTaskInput],
        output_dir: str | None = None,
        notification: TaskNotifyConfig | None = None,
        session_id: str | None = None,
        **more: Any,
    ) -> Job:
        """Build a job of adaptive-bitrate tasks.

        Args:
            input: a place such as `cos://bucket/region/path`, or the API's object.
            output: a place such as `cos://bucket/region/dir/`, or the API's object; None inherits the input's.
            tasks: the tasks.
            output_dir: the output folder, with a slash at both ends, unless `output` names one.
            notification: how to report the end.
            session_id: instead of the one that is derived from the content.
            more: further fields of ProcessMediaRequest under their Python names.

        Raises:
            JobError: a place that is none, or a value that cannot be written.
        """
        storage, directory = _output(output)
        models = [task.model() if isinstance(task, StreamingTask) else task for task in tasks]
        return cls(
            ProcessMediaRequest(
                input_info=parse_input(input) if isinstance(input, str) else input,
                output_storage=storage,
                output_dir=output_dir or directory,
                media_process_task=MediaProcessTaskInput(adaptive_dynamic_streaming_task_set=models),
                task_notify_config=notification,
                session_id=session_id,
                **more,
            )
        )

    @classmethod
    def from_builtins(cls, value: Any) -> Job:
        """Make a job from dictionaries and lists under the API's names; `check()` tells what was wrong with them."""
        clean, findings = examine(ProcessMediaRequest, value)
        return cls(convert(ProcessMediaRequest, clean), tuple(findings))

    def to_builtins(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return the job as dictionaries and lists; secrets are masked unless revealed."""
        found: dict[str, Any] = to_builtins(self.body, reveal=reveal)
        return found

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

    def require_valid(self, templates: Mapping[int, AdaptiveDynamicStreamingTemplate] | None = None) -> None:
        """Raise one JobError that names every error that `check()` finds, if there is one."""
        raise_errors(self.check(templates), "the job")

    @property
    def definitions(self) -> frozenset[int]:
        """The adaptive-bitrate templates that the job names."""
        return frozenset(task.definition for _, task in streaming_tasks(self.body) if task.definition is not None)

    @property
    def key_requests(self) -> tuple[KeyRequest, ...]:
        """One entry for each DRM task that needs a key-server URL, in the order of the request."""
        return tuple(
            KeyRequest(f"{path}.DrmInfo.SpekeDrm.KeyServerUrl", task.drm_info.speke_drm.key_server_url)
            for path, task in streaming_tasks(self.body)
            if task.drm_info and task.drm_info.speke_drm and task.drm_info.speke_drm.key_server_url
        )

    def session_id(self, attempt: int = 0) -> str:
        """Return the SessionId: the job's own, or one derived from its content.

        The same content gives the same ID, whatever ticket its URLs hold; so MPS refuses to do a job twice within
        the days that it remembers the ID for.

        Args:
            attempt: another number gives another ID, for a deliberate repetition.
        """
        own = self.body.session_id
        if own and not attempt:
            return own
        content = msgspec.json.encode([_identity(self.body), own, attempt], order="deterministic")
        return _SESSION_PREFIX + hashlib.sha256(content).hexdigest()[:_SESSION_DIGITS]

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
        if len(urls) != len(self.key_requests):
            raise JobError(f"the job needs {len(self.key_requests)} key-server URLs, not {len(urls)}")
        for path, _ in self.secret_files:
            raise JobError(f"{path} names a file that has not been read", hint="call jobfile.read_secrets(job, folder)")
        sources = [KeySource(url if isinstance(url, str) else url.reveal()) for url in urls]
        if not all(source.is_url for source in sources):
            raise JobError("a minted key-server URL is no URL", hint="check the key source's account")
        return self._filled(sources, attempt)

    def preview(self, *, attempt: int = 0) -> ProcessMediaRequest:
        """Return the request as `request` would make it, with key sources where URLs are yet to be minted.

        Raises:
            JobError: the job has errors.
        """
        self.require_valid()
        return self._filled([source for _, source in self.key_requests], attempt)

    def _filled(self, sources: Iterable[KeySource], attempt: int) -> ProcessMediaRequest:
        remaining = iter(sources)
        body: ProcessMediaRequest = _mapped(self.body, DrmInfo, lambda info: _ready(info, remaining))
        return msgspec.structs.replace(body, session_id=self.session_id(attempt))

    @property
    def secret_files(self) -> tuple[tuple[str, str], ...]:
        """The secrets that are still in their files: the path of each in the job, and the file's."""
        return tuple(_unread(self.body))

    def with_secrets(self, read: Callable[[str], str]) -> Job:
        """Return the job with each secret of the form `file:PATH` replaced by what `read(PATH)` returns."""
        return msgspec.structs.replace(self, body=_with_secrets(self.body, read))


def _output(output: str | TaskOutputStorage | None) -> tuple[TaskOutputStorage | None, str | None]:
    return parse_output(output) if isinstance(output, str) else (output, None)


def _ready(info: DrmInfo, sources: Iterator[KeySource]) -> DrmInfo:
    speke = info.speke_drm
    if speke is not None and speke.key_server_url:
        speke = msgspec.structs.replace(speke, key_server_url=next(sources))
    return msgspec.structs.replace(info, type=normalize(info.type or ""), speke_drm=speke)


def _mapped(model: Model, kind: type[Model], change: Callable[[Any], Any]) -> Any:
    """Return a copy of a model with each object of one kind inside it changed, in the order of the fields."""
    if isinstance(model, kind):
        return change(model)
    changes: dict[str, Any] = {}
    for member in members(type(model)).values():
        value = getattr(model, member.attribute)
        if isinstance(value, Model):
            changes[member.attribute] = _mapped(value, kind, change)
        elif isinstance(value, list) and value and isinstance(value[0], Model):
            changes[member.attribute] = [_mapped(item, kind, change) for item in value]
    return msgspec.structs.replace(model, **changes) if changes else model


def _identity(value: Any) -> Any:
    """Return a job's content without what may change while the job stays the same: tickets and access keys."""
    if isinstance(value, Model):
        named = ((member.name, getattr(value, member.attribute)) for member in members(type(value)).values())
        return {name: _identity(item) for name, item in named if item is not None and name not in _NOT_CONTENT}
    if isinstance(value, list):
        return [_identity(item) for item in value]
    if isinstance(value, KeySource):
        return value.identity
    return value.reveal() if isinstance(value, Secret) else value


def _unread(body: Model) -> Iterator[tuple[str, str]]:
    for path, model in walk(body):
        for name, member in members(type(model)).items():
            value = getattr(model, member.attribute)
            if isinstance(value, Secret) and value.reveal().startswith(SECRET_FILE):
                yield (f"{path}.{name}" if path else name), value.reveal().removeprefix(SECRET_FILE)


def _with_secrets(model: Model, read: Callable[[str], str]) -> Any:
    changes: dict[str, Any] = {}
    for member in members(type(model)).values():
        value = getattr(model, member.attribute)
        if isinstance(value, Model):
            changes[member.attribute] = _with_secrets(value, read)
        elif isinstance(value, list):
            changes[member.attribute] = [_with_secrets(v, read) if isinstance(v, Model) else v for v in value]
        elif isinstance(value, Secret) and not isinstance(value, KeySource) and value.reveal().startswith(SECRET_FILE):
            changes[member.attribute] = Secret(read(value.reveal().removeprefix(SECRET_FILE)).strip())
    return msgspec.structs.replace(model, **changes) if changes else model
