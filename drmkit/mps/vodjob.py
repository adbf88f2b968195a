"""Jobs through Video on Demand: a ProcessMediaByMPS request that can rest in a file, checked before it is submitted.

    job = VodJob.build("387702292285462759", 1500000001, params=ProcessMediaRequest(ai_analysis_task=...))
    job = VodJob.build("387702292285462759", 1500000001, ai_analysis_task=MPSAiAnalysisTaskInput(definition=22))

**DRM through it is undocumented**: of the task types that VOD publishes for ProcessMediaByMPS none is an
adaptive-bitrate one. Such a job is warned of; MPS's own ProcessMedia (`drmkit.mps.job`) is the documented way. VOD has
no SessionId of its own here, so a job that is submitted twice is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from drmkit.errors import JobError
from drmkit.mps.airules import check_ai_tasks
from drmkit.mps.basejob import BaseJob, KeyRequest, Revealable, with_secrets
from drmkit.mps.findings import Finding
from drmkit.mps.job import fill, keys_of
from drmkit.mps.keysource import KeySource
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.storage import MediaInputInfo
from drmkit.mps.models.vod import ProcessMediaByMPSRequest
from drmkit.mps.rules import check_request, streaming_tasks
from drmkit.mps.schema import examine, walk
from drmkit.mps.wire import Model, convert, encode, masked, to_builtins

__all__ = ["PARAMS", "VodJob", "structured"]

PARAMS = "MPSProcessMediaParams"
_TASKS = {
    "ai_analysis_task": "AiAnalysisTask",
    "smart_subtitles_task": "SmartSubtitlesTask",
    "smart_erase_task": "SmartEraseTask",
}
_VODS_OWN = ("input_info", "output_storage", "output_dir", "task_notify_config")


class VodJob(BaseJob[ProcessMediaByMPSRequest], frozen=True):
    """A ProcessMediaByMPS request that can rest in a file.

    Attributes:
        body: the request without `MPSProcessMediaParams`.
        schema_findings: what was wrong with the text that it was read from.
        params: what `MPSProcessMediaParams` holds as text: an MPS request without its input; None for none.
    """

    action: ClassVar[str] = "ProcessMediaByMPS"
    service: ClassVar[str] = "vod"
    version: ClassVar[str] = "2018-07-17"

    params: ProcessMediaRequest | None = None

    @classmethod
    def build(cls, file_id: str, sub_app_id: int, *, params: ProcessMediaRequest | None = None, **more: Any) -> VodJob:
        """Build a job.

        Args:
            file_id: the ID of the file in VOD.
            sub_app_id: the ID of the VOD application.
            params: the tasks, as an MPS request without its input, which is the file.
            more: further fields of ProcessMediaByMPSRequest under their Python names, such as `smart_erase_task`.
        """
        if params is not None and params.input_info == MediaInputInfo():
            params = msgspec.structs.replace(params, input_info=None)
        return cls(ProcessMediaByMPSRequest(file_id=file_id, sub_app_id=sub_app_id, **more), params=params)

    @classmethod
    def from_builtins(cls, value: Any) -> VodJob:
        """Make a job from dictionaries and lists under the API's names; `check()` tells what was wrong with them."""
        clean, findings = examine(ProcessMediaByMPSRequest, value, texts=True)
        text = clean.pop(PARAMS, None)
        params, wrong = _read(text) if text else (None, [])
        return cls(convert(ProcessMediaByMPSRequest, clean), (*findings, *wrong), params)

    def to_builtins(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return the job as dictionaries and lists; secrets are masked unless revealed."""
        found: dict[str, Any] = to_builtins(self.body, reveal=reveal)
        if self.params is not None:
            found[PARAMS] = (encode if reveal else masked)(self.params).decode()
        return found

    def check(self, templates: Mapping[int, Any] | None = None) -> list[Finding]:  # noqa: ARG002 (MPS's, not VOD's)
        """Return everything that is wrong or doubtful."""
        found = list(self.schema_findings)
        if not found:
            found += examine(ProcessMediaByMPSRequest, to_builtins(self.body))[1]
        found += _check_choice(self.body, self.params)
        found += _check_structured(self.body)
        if self.params is not None:
            found += _check_params(self.params)
        return found

    @property
    def key_requests(self) -> tuple[KeyRequest, ...]:
        """One entry for each DRM task in the parameters that needs a key-server URL."""
        keys = () if self.params is None else keys_of(self.params)
        return tuple(KeyRequest(f"{PARAMS}.{key.path}", key.source) for key in keys)

    def session_id(self, attempt: int = 0) -> str:  # noqa: ARG002 (VOD takes no SessionId)
        """Return the SessionId in the parameters; none is derived, since VOD documents none."""
        return (self.params.session_id if self.params is not None else None) or ""

    @property
    def models(self) -> Iterator[tuple[str, Model]]:
        """Every object of the job with its path."""
        yield from walk(self.body)
        if self.params is not None:
            yield from walk(self.params, PARAMS)

    def with_secrets(self, read: Callable[[str], str]) -> VodJob:
        """Return the job with each secret of the form `file:PATH` replaced by what `read(PATH)` returns."""
        params = None if self.params is None else with_secrets(self.params, read)
        return msgspec.structs.replace(self, body=with_secrets(self.body, read), params=params)

    def request(self, urls: Sequence[Revealable | str] = (), *, attempt: int = 0) -> ProcessMediaByMPSRequest:  # noqa: ARG002
        """Return the request to send.

        Args:
            urls: a key-server URL for each of `key_requests`, in their order.
            attempt: has no effect, since VOD takes no SessionId.

        Raises:
            JobError: the job has errors, a secret of it is still in its file, or the URLs are not as many as the
                DRM tasks that need one.
        """
        self.require_valid()
        return self._filled(self.sources(urls), encode)

    def preview(self, *, attempt: int = 0) -> ProcessMediaByMPSRequest:  # noqa: ARG002
        """Return the request as `request` would make it, its secrets masked within the text of the parameters.

        Args:
            attempt: has no effect.

        Raises:
            JobError: the job has errors.
        """
        self.require_valid()
        return self._filled([source for _, source in self.key_requests], masked)

    def request_fields(self, *, attempt: int = 0, reveal: bool = False) -> dict[str, Any]:
        """Return the request as dictionaries and lists, with key sources where URLs are yet to be minted."""
        if not reveal:
            return super().request_fields(attempt=attempt)
        self.require_valid()
        request = self._filled([source for _, source in self.key_requests], encode)
        found: dict[str, Any] = to_builtins(request, reveal=True)
        return found

    def _filled(self, sources: Iterable[KeySource], write: Callable[[Model], bytes]) -> ProcessMediaByMPSRequest:
        if self.params is None:
            return self.body
        text = write(fill(self.params, sources)).decode()
        return msgspec.structs.replace(self.body, mps_process_media_params=text)


def structured(body: ProcessMediaRequest, file_id: str, sub_app_id: int) -> VodJob:
    """Return the job whose tasks are structured ones instead of an MPS request as text.

    Args:
        body: the tasks, as an MPS request; analysis, subtitles and smart erase alone can be structured.
        file_id: the ID of the file in VOD.
        sub_app_id: the ID of the VOD application.

    Raises:
        JobError: the request holds something else.
    """
    values = to_builtins(body)
    values.pop("InputInfo", None)
    others = [name for name in values if name not in _TASKS.values()]
    if others:
        raise JobError(
            f"{others[0]} cannot be a structured task of ProcessMediaByMPS", hint=f"leave it to {PARAMS} (the default)"
        )
    return VodJob.from_builtins({"FileId": file_id, "SubAppId": sub_app_id} | values)


def _read(text: str) -> tuple[ProcessMediaRequest | None, list[Finding]]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None, [Finding(PARAMS, "is no JSON (was it cut short?)", "write an MPS request as text of JSON")]
    if not isinstance(value, dict):
        return None, [Finding(PARAMS, "is JSON, but no object", "write an MPS request as text of JSON")]
    clean, findings = examine(ProcessMediaRequest, value, PARAMS, texts=True)
    return convert(ProcessMediaRequest, clean), [item for item in findings if item.path != f"{PARAMS}.InputInfo"]


def _check_choice(body: ProcessMediaByMPSRequest, params: ProcessMediaRequest | None) -> Iterator[Finding]:
    given = [name for attribute, name in _TASKS.items() if getattr(body, attribute) is not None]
    if params is None and not given:
        yield Finding(PARAMS, "the job has no task", f"add {PARAMS}, or one of {', '.join(_TASKS.values())}")
    for name in given:
        if params is not None:
            yield Finding(name, f"has no effect: {PARAMS} is given", f"move it into {PARAMS}, or leave that out")
    if body.file_id is not None and not body.file_id.strip():
        yield Finding("FileId", "is empty", "write the ID of the file in VOD")


def _check_structured(body: ProcessMediaByMPSRequest) -> Iterator[Finding]:
    """Yield what the same tasks would be told in an MPS request, under the same names."""
    given = {name: to_builtins(task) for attribute, name in _TASKS.items() if (task := getattr(body, attribute))}
    clean, findings = examine(ProcessMediaRequest, given)
    yield from (item for item in findings if item.path.startswith(tuple(given)))
    yield from check_ai_tasks(walk(convert(ProcessMediaRequest, clean)), live=False)


def _check_params(params: ProcessMediaRequest) -> Iterator[Finding]:
    for attribute in _VODS_OWN:
        if getattr(params, attribute) is not None:
            name = "".join(part.capitalize() for part in attribute.split("_"))
            yield Finding(
                f"{PARAMS}.{name}",
                "is VOD's own to fill: the input is FileId, results go to the application",
                "remove it",
                "warning",
            )
    inner = params
    if params.input_info is not None or params.output_storage is not None:
        inner = msgspec.structs.replace(params, input_info=None, output_storage=None)
    for item in check_request(inner):
        yield msgspec.structs.replace(item, path=f"{PARAMS}.{item.path}")
    for path, task in streaming_tasks(params):
        if task.drm_info is not None:
            yield Finding(
                f"{PARAMS}.{path}.DrmInfo",
                "DRM through ProcessMediaByMPS is undocumented: VOD publishes no such type of task",
                "submit the job to MPS itself (ProcessMedia), or try it with a file that may fail",
                "warning",
            )
    if params.session_id is None:
        return
    yield Finding(
        f"{PARAMS}.SessionId",
        "is undocumented here: VOD may do the job twice all the same",
        "do not rely on it",
        "warning",
    )
