"""What a job may say: values and combinations that the schema alone does not decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from drmkit.mps.airules import check_ai_tasks, check_input_kind
from drmkit.mps.drmrules import check_drm
from drmkit.mps.filenames import check_names, check_task_names
from drmkit.mps.findings import Finding, nearest
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.storage import MediaInputInfo, TaskNotifyConfig, TaskOutputStorage
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.s3rules import check_s3
from drmkit.mps.schema import members, walk
from drmkit.mps.wire import Model

__all__ = ["check_places", "check_request", "streaming_tasks"]

_INPUTS = {
    "COS": "cos_input_info",
    "URL": "url_input_info",
    "AWS-S3": "s3_input_info",
    "VOD": "vod_input_info",
}
_OUTPUTS = {"COS": "cos_output_storage", "AWS-S3": "s3_output_storage", "VOD": "vod_output_storage"}
_NOTIFY_TYPES = ("CMQ", "TDMQ-CMQ", "URL", "SCF", "AWS-SQS")
_PRIORITIES = range(-10, 11)
_MAX_SESSION_ID, _MAX_SESSION_CONTEXT, _MAX_WATERMARKS = 50, 1000, 10
_TASKS = (
    "ai_content_review_task",
    "ai_analysis_task",
    "ai_recognition_task",
    "ai_quality_control_task",
    "smart_subtitles_task",
    "smart_erase_task",
    "ai_dubbing_task",
)


def streaming_tasks(body: ProcessMediaRequest) -> Iterator[tuple[str, AdaptiveDynamicStreamingTaskInput]]:
    """Yield every adaptive-bitrate task of a request with its path, those of an orchestration included."""
    for path, model in walk(body):
        if isinstance(model, AdaptiveDynamicStreamingTaskInput):
            yield path, model


def check_request(body: ProcessMediaRequest) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about a request whose fields have the right types."""
    objects = list(walk(body))
    streaming = [(path, model) for path, model in objects if isinstance(model, AdaptiveDynamicStreamingTaskInput)]
    yield from _check_general(body)
    yield from _check_tasks_exist(body)
    yield from check_places(objects)
    yield from _check_input_and_output(body, protected=any(task.drm_info is not None for _, task in streaming))
    yield from check_input_kind(body)
    yield from check_ai_tasks(objects, live=False)
    if body.task_notify_config is not None:
        yield from _check_notification(body.task_notify_config, "TaskNotifyConfig")
    yield from check_s3(body)
    for path, task in streaming:
        yield from _check_streaming(task, path)
        yield from check_names(task, path)
        if task.drm_info is not None:
            yield from check_drm(task.drm_info, f"{path}.DrmInfo")
    for path, model in objects:
        yield from check_task_names(model, path)
    yield from _check_clashes(streaming)


def _check_general(body: ProcessMediaRequest) -> Iterator[Finding]:
    if body.tasks_priority is not None and body.tasks_priority not in _PRIORITIES:
        yield Finding("TasksPriority", f"{body.tasks_priority} is out of range", "write -10 to 10; bigger is sooner")
    if body.session_id is not None and len(body.session_id) > _MAX_SESSION_ID:
        yield Finding("SessionId", f"has {len(body.session_id)} characters", f"{_MAX_SESSION_ID} is the most")
    if body.session_context is not None and len(body.session_context) > _MAX_SESSION_CONTEXT:
        yield Finding(
            "SessionContext", f"has {len(body.session_context)} characters", f"{_MAX_SESSION_CONTEXT} is the most"
        )
    yield from _one_of("TaskType", body.task_type, ("Online", "Offline"))
    if body.skip_mate_data not in {None, 0, 1}:
        yield Finding("SkipMateData", f"{body.skip_mate_data} is neither 0 nor 1", "write 1 to skip probing the source")
    directory = body.output_dir
    if directory is not None and not (directory.startswith("/") and directory.endswith("/")):
        yield Finding("OutputDir", f"{directory!r} does not begin and end with a slash", "write it like /movies/2026/")


def _check_tasks_exist(body: ProcessMediaRequest) -> Iterator[Finding]:
    media = body.media_process_task
    sets = () if media is None else (getattr(media, name) for name in media.__struct_fields__)
    orchestrated = body.schedule_id is not None or bool(body.activities)
    if not any(sets) and not orchestrated and all(getattr(body, name) is None for name in _TASKS):
        yield Finding(
            "MediaProcessTask", "the job has no task", "add one to MediaProcessTask.AdaptiveDynamicStreamingTaskSet"
        )
    if body.schedule_id is not None and body.activities:
        yield Finding("ScheduleId", "is ignored, since Activities are given", "keep one of the two", "warning")


def check_places(objects: Iterable[tuple[str, Model]]) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about the inputs and outputs of a request: their types and their fields."""
    for path, model in objects:
        if isinstance(model, MediaInputInfo):
            yield from _one_object(path, model, _INPUTS)
            yield from _check_input(path, model)
        elif isinstance(model, TaskOutputStorage):
            yield from _one_object(path, model, _OUTPUTS)


def _check_input_and_output(body: ProcessMediaRequest, *, protected: bool) -> Iterator[Finding]:
    source = body.input_info
    if source is None:
        return
    if source.type == "URL" and body.output_storage is None:
        yield Finding(
            "OutputStorage",
            "is missing, and a URL has no bucket to inherit",
            "name the bucket to write to, of type COS",
        )
    if source.type == "URL" and body.output_storage is not None:
        cos = body.output_storage.cos_output_storage
        if body.output_storage.type == "COS" and cos is not None and not (cos.bucket and cos.region):
            yield Finding(
                "OutputStorage.CosOutputStorage",
                "lacks the bucket or the region, and a URL has none to inherit",
                "name both",
            )
    if source.type == "AWS-S3" and protected:
        yield Finding(
            "InputInfo.Type",
            "AWS-S3 inputs are documented for transcoding only",
            "copy the source to COS, or give a URL, if the task fails",
            "warning",
        )


def _one_object(path: str, model: MediaInputInfo | TaskOutputStorage, objects: dict[str, str]) -> Iterator[Finding]:
    where = f"{path}.Type"
    if model.type is None:
        return
    if model.type not in objects:
        yield from _one_of(where, model.type, tuple(objects))
        return
    names = {member.attribute: name for name, member in members(type(model)).items()}
    for kind, attribute in objects.items():
        given = getattr(model, attribute) is not None
        if kind == model.type and not given:
            yield Finding(f"{path}.{names[attribute]}", f"is missing, and Type is {kind}", f"add {names[attribute]}")
        if kind != model.type and given:
            yield Finding(
                f"{path}.{names[attribute]}",
                f"is ignored, since Type is {model.type}",
                f"remove it, or write {kind}",
                "warning",
            )


def _check_input(path: str, model: MediaInputInfo) -> Iterator[Finding]:
    url = model.url_input_info
    if url is not None and url.url is not None and not re.match(r"https?://[^/\s]+", url.url, re.IGNORECASE):
        yield Finding(
            f"{path}.UrlInputInfo.Url", "is not a whole http or https URL", "write it like https://host/file.mp4"
        )
    vod = model.vod_input_info
    if model.type == "VOD" and vod is not None and vod.sub_app_id is None:
        yield Finding(f"{path}.VODInputInfo.SubAppId", "is missing", "add the application's ID")


def _check_notification(config: TaskNotifyConfig, path: str) -> Iterator[Finding]:
    kind = config.notify_type or None
    yield from _one_of(f"{path}.NotifyType", kind, _NOTIFY_TYPES)
    yield from _one_of(f"{path}.NotifyMode", config.notify_mode or None, ("Finish", "Change"))
    yield from _one_of(f"{path}.CmqModel", config.cmq_model or None, ("Queue", "Topic"))
    if kind is None and config.notify_url:
        yield Finding(
            f"{path}.NotifyType",
            "is missing, so the message goes to a TDMQ-CMQ queue and never to NotifyUrl",
            'write "URL"',
            "warning",
        )
    if kind == "URL" and not re.match(r"https?://[^/\s]+", config.notify_url or "", re.IGNORECASE):
        yield Finding(f"{path}.NotifyUrl", "is missing or not a whole URL", "write it like https://host/path")
    if kind == "AWS-SQS" and config.aws_sqs is None:
        yield Finding(f"{path}.AwsSQS", "is missing, and NotifyType is AWS-SQS", "add AwsSQS")
    if kind == "CMQ":
        yield Finding(f"{path}.NotifyType", "CMQ has been retired", "write TDMQ-CMQ or URL", "warning")
    if kind == "SCF":
        yield Finding(f"{path}.NotifyType", "SCF needs to be set up in its console too", "prefer URL", "warning")
    if kind in {"CMQ", "TDMQ-CMQ"} or (kind is None and not config.notify_url):
        yield from _check_queue(config, path)


def _check_queue(config: TaskNotifyConfig, path: str) -> Iterator[Finding]:
    topic = config.cmq_model == "Topic"
    name = "TopicName" if topic else "QueueName"
    if not (config.topic_name if topic else config.queue_name):
        yield Finding(
            f"{path}.{name}", "is missing: the message would go to no queue", f"add {name}, or write NotifyType URL"
        )
    if not config.cmq_region:
        yield Finding(f"{path}.CmqRegion", "is missing", "write a short code such as sh, bj or gz", "warning")


def _check_streaming(task: AdaptiveDynamicStreamingTaskInput, path: str) -> Iterator[Finding]:
    if task.definition == 0:
        yield Finding(
            f"{path}.Definition", "is 0, which is no template", "write the ID of an adaptive-bitrate template"
        )
    yield from _one_of(f"{path}.DefinitionType", task.definition_type or None, ("Common", "PureAudio"))
    if len(task.watermark_set or ()) > _MAX_WATERMARKS:
        yield Finding(f"{path}.WatermarkSet", "has more than 10 watermarks", f"keep {_MAX_WATERMARKS}")
    if task.std_ext_info:
        try:
            json.loads(task.std_ext_info)
        except ValueError:
            yield Finding(f"{path}.StdExtInfo", "is not JSON", 'write JSON text such as {"audio_info": {...}}')


def _check_clashes(tasks: Iterable[tuple[str, AdaptiveDynamicStreamingTaskInput]]) -> Iterator[Finding]:
    seen: dict[tuple[Any, ...], str] = {}
    for path, task in tasks:
        storage = None if task.output_storage is None else repr(task.output_storage)
        key = (task.definition, task.output_object_path, task.sub_stream_object_name, task.segment_object_name, storage)
        first = seen.setdefault(key, path)
        if first != path:
            yield Finding(
                f"{path}.OutputObjectPath",
                f"the files have the same names as those of {first} and overwrite them",
                "give each task an OutputObjectPath, SubStreamObjectName and SegmentObjectName of its own",
                "warning",
            )


def _one_of(path: str, value: str | None, allowed: tuple[str, ...]) -> Iterator[Finding]:
    if value is not None and value not in allowed:
        close = nearest(value, allowed)
        yield Finding(path, f"{value!r} is not known", f"write {close or ' or '.join(allowed)}")
