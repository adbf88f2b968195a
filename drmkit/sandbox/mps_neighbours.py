"""The tasks beside adaptive streaming of the sandbox's media processing account, and results that look like theirs.

Nothing is recognized or cut: a task ends well at once with results of the right shape, so that clients can be tried.
Source: https://www.tencentcloud.com/document/product/1041/33690 (AiAnalysisResult and the other results).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from drmkit.sandbox.mps_contract import ApiRefusalError
from drmkit.sandbox.mps_pictures import pictures
from drmkit.sandbox.mps_places import folder_of, stem_of, storage_of
from drmkit.sandbox.mps_task import SCHEDULE, Subtask, Task

__all__ = [
    "KINDS",
    "analysis_items",
    "check_neighbours",
    "neighbours",
    "review_item",
    "schedule_task",
    "transcode_result",
    "workflow_results",
]

KINDS: Final = {
    "AiContentReviewTask": "AiContentReview",
    "AiAnalysisTask": "AiAnalysis",
    "AiRecognitionTask": "AiRecognition",
    "AiQualityControlTask": "AiQualityControl",
    "SmartSubtitlesTask": "SmartSubtitles",
    "SmartEraseTask": "SmartErase",
    "AIDubbingTask": "AIDubbing",
}
"""The fields of a request that are one task each, and the kind of it."""

_SCHEDULED: Final = 100010
_BY_TEMPLATE: Final = {22: "des", 24: "delogo", 25: "delogo", 26: "hht", 27: "strip", 28: "htv"}
_ANALYSES: Final = {
    "des": ("Description", "DescriptionTask"),
    "delogo": ("DeLogo", "DeLogoTask"),
    "hht": ("Highlight", "HighlightTask"),
    "strip": ("Segment", "SegmentTask"),
    "htv": ("HorizontalToVertical", "HorizontalToVerticalTask"),
}
_LABELS: Final[dict[str, dict[str, Any]]] = {
    "Classification": {"ClassificationSet": [{"Classification": "news", "Confidence": 91.5}]},
    "Cover": {"CoverSet": [{"CoverPath": "/cover.jpg", "Confidence": 88.0}], "OutputStorage": None},
    "Tag": {"TagSet": [{"Tag": "studio", "Confidence": 77.0}]},
}
_TRANSLATED: Final = frozenset({121, 122, 211, 212})
_MOST_CLIPS: Final = 3


def neighbours(job: Mapping[str, Any]) -> list[Subtask]:
    """Return the subtasks of a job beside its adaptive-streaming ones."""
    if "InputInfo" in job and job.get("ScheduleId") is not None:
        return [Subtask({"Definition": _SCHEDULED}, kind=SCHEDULE)]
    found = [Subtask(spec, kind="Transcode") for spec in job.get("MediaProcessTask", {}).get("TranscodeTaskSet", [])]
    found += pictures(job)
    return found + [Subtask(job[name], kind=kind) for name, kind in KINDS.items() if job.get(name) is not None]


def check_neighbours(job: Mapping[str, Any]) -> None:
    """Check the tasks beside adaptive streaming beyond their fields' types.

    Raises:
        ApiRefusalError: an ExtendedParameter that is no text of a JSON object, or subtitles without a template.
    """
    text = job.get("AiAnalysisTask", {}).get("ExtendedParameter", "")
    if text and _object(text) is None:
        raise ApiRefusalError(
            "InvalidParameterValue",
            "The value of parameter `AiAnalysisTask.ExtendedParameter` is not valid: JSON text.",
        )
    for name in ("SmartSubtitlesTask", "SmartEraseTask", "AIDubbingTask"):
        task = job.get(name)
        if task is not None and not task.get("Definition") and task.get("RawParameter") is None:
            raise ApiRefusalError("MissingParameter", f"The request needs `{name}.Definition` or `RawParameter`.")


def workflow_results(task: Task) -> dict[str, Any]:
    """Return the fields of a WorkflowTask that hold the results of these tasks."""
    done: dict[str, list[Subtask]] = {}
    for subtask in () if task.aborted else task.subtasks:
        done.setdefault(subtask.kind, []).append(subtask)
    first = {kind: items[0] for kind, items in done.items()}
    review, recognition = first.get("AiContentReview"), first.get("AiRecognition")
    subtitles, erase, dubbing = (first.get(kind) for kind in ("SmartSubtitles", "SmartErase", "AIDubbing"))
    quality, analysis = first.get("AiQualityControl"), first.get("AiAnalysis")
    return {
        "AiContentReviewResultSet": [_review(review)] if review else [],
        "AiAnalysisResultSet": list(_analysis(task, analysis)) if analysis else [],
        "AiRecognitionResultSet": [_recognition(task, recognition)] if recognition else [],
        "AiQualityControlTaskResult": _quality(quality) if quality else None,
        "SmartSubtitlesTaskResult": [_subtitles(task, subtitles)] if subtitles else [],
        "SmartEraseTaskResult": _video(task, erase, "Path", "erased") if erase else None,
        "AiDubbingTaskResult": _video(task, dubbing, "VideoPath", "dubbed") if dubbing else None,
    }


def transcode_result(task: Task, subtask: Subtask) -> dict[str, Any]:
    """Return an entry of MediaProcessResultSet for a transcoding task."""
    name = f"{stem_of(task.job)}_transcode_{subtask.spec['Definition']}.mp4"
    output = {
        "OutputStorage": storage_of(task.job),
        "Path": f"{folder_of(task.job)}{name}",
        "Definition": subtask.spec["Definition"],
        "Bitrate": 2_000_000,
        "Height": 720,
        "Width": 1280,
        "Size": 1_000_000,
        "Duration": 4.0,
        "Container": "mp4",
        "Md5": "",
        "AudioStreamSet": [],
        "VideoStreamSet": [],
    }
    result = _ended(subtask, output) | {"ErrCodeExt": subtask.error}
    result["Progress"] = 100 if subtask.finished else 0
    return {"Type": "Transcode", "TranscodeTask": result}


def schedule_task(task: Task) -> dict[str, Any]:
    """Return the ScheduleTask of an orchestration."""
    results = [transcode_result(task, subtask)["TranscodeTask"] for subtask in task.subtasks]
    return {
        "TaskId": task.task_id,
        "Status": "FINISH" if task.status == "FINISH" else "PROCESSING",
        "ErrCode": 1 if task.aborted else 0,
        "Message": "The task was aborted." if task.aborted else "",
        "InputInfo": task.job["InputInfo"],
        "MetaData": None,
        "ActivityResultSet": []
        if task.aborted
        else [{"ActivityType": "Transcode", "ActivityResItem": {"TranscodeTask": result}} for result in results],
    }


def analysis_items(spec: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the key of the feature that an analysis task asks for, "" for labels, and the objects it is told it by.

    MPS passes an ExtendedParameter on unread, so what should be an object in it may be anything; that counts as absent.
    """
    given = _object(spec.get("ExtendedParameter") or "{}") or {}
    key = _BY_TEMPLATE.get(spec["Definition"]) or next((key for key in _ANALYSES if key in given), "")
    return key, {name: item for name, item in given.items() if isinstance(item, dict)}


def review_item() -> dict[str, Any]:
    """Return one spell that moderation found."""
    return {"Confidence": 98.0, "Suggestion": "review", "Label": "sexy"}


def _ended(subtask: Subtask, output: Any) -> dict[str, Any]:
    return {
        "Status": subtask.status,
        "ErrCode": 1 if subtask.status == "FAIL" else 0,
        "Message": subtask.message,
        "Input": subtask.spec,
        "Output": output if subtask.status == "SUCCESS" else None,
    }


def _analysis(task: Task, subtask: Subtask) -> Iterator[dict[str, Any]]:
    key, given = analysis_items(subtask.spec)
    if key:
        kind, field = _ANALYSES[key]
        yield {"Type": kind, field: _ended(subtask, _OUTPUTS[key](task, given))}
        return
    for kind, output in _LABELS.items():
        filled = output | {"OutputStorage": storage_of(task.job)} if "OutputStorage" in output else output
        yield {"Type": kind, f"{kind}Task": _ended(subtask, filled) | {"ErrCodeExt": subtask.error}}


def _description(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    only = given.get("des", {}).get("only_segment") == 1
    paragraphs = [
        {
            "Title": f"Part {number}",
            "Summary": "" if only else f"What is said in part {number}.",
            "Keywords": ["sandbox"],
        }
        | {"StartTimeOffset": 2.0 * (number - 1), "EndTimeOffset": 2.0 * number}
        for number in (1, 2)
    ]
    text = "" if only else "A clip in two parts."
    item = {
        "Description": text,
        "Confidence": 90.0,
        "Title": "A clip",
        "Keywords": ["sandbox"],
        "Paragraphs": paragraphs,
    }
    return {"DescriptionSet": [item]}


def _highlight(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    wanted = given.get("hht", {})
    count = wanted.get("top_clip", 1) if isinstance(wanted.get("top_clip", 1), int) else 1
    saved = wanted.get("res_save_type", 1) == 1
    items = []
    for number in range(max(1, min(count, _MOST_CLIPS))):
        path = f"{folder_of(task.job)}hht-{number}.mp4" if saved else ""
        spell = {"Confidence": 95.0 - number, "StartTimeOffset": float(number), "EndTimeOffset": number + 1.0}
        files = {"HighlightPath": path, "CovImgPath": f"{path}.jpg" if saved else ""}
        items.append(files | {"Confidence": 95.0 - number, "Duration": 1.0, "SegmentSet": [spell]})
    return {"HighlightSet": items, "OutputStorage": storage_of(task.job)}


def _segments(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    told = given.get("strip", {}).get("type") == "content"
    return {"SegmentSet": [_segment(number, folder_of(task.job), told=told) for number in (0, 1)]}


def _segment(number: int, folder: str, *, told: bool) -> dict[str, Any]:
    url = f"{folder}strip-{number}.mp4"
    spell = {"Confidence": 92.0, "StartTimeOffset": 2.0 * number, "EndTimeOffset": 2.0 * number + 2.0}
    words = {"Title": f"Part {number + 1}", "Summary": f"What part {number + 1} is about."} if told else {}
    return spell | {"SegmentUrl": url, "CovImgUrl": f"{url}.jpg"} | words


def _delogo(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    wanted = given.get("delogo", {})
    output: dict[str, Any] = {
        "Path": f"{folder_of(task.job)}delogo-{stem_of(task.job)}.mp4",
        "OutputStorage": storage_of(task.job),
    }
    if wanted.get("CustomerAppId") == "subtitle_extract":
        output |= {"Path": "", "OriginSubtitlePath": f"{folder_of(task.job)}delogo-{stem_of(task.job)}.srt"}
        subtitles = wanted.get("subtitle_param")
        if isinstance(subtitles, dict) and subtitles.get("translate_dst_language"):
            output["TranslateSubtitlePath"] = f"{folder_of(task.job)}delogo-{stem_of(task.job)}-translated.srt"
    return output


def _vertical(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    return {
        "Path": f"{folder_of(task.job)}htv-{stem_of(task.job)}.mp4",
        "OutputStorage": storage_of(task.job),
        "Confidence": 0.9,
    }


_OUTPUTS: Final = {
    "des": _description,
    "hht": _highlight,
    "strip": _segments,
    "delogo": _delogo,
    "htv": _vertical,
}


def _review(subtask: Subtask) -> dict[str, Any]:
    spell = review_item() | {"StartTimeOffset": 0.5, "EndTimeOffset": 1.0}
    output = review_item() | {"SegmentSet": [spell]}
    result = _ended(subtask, output) | {"ErrCodeExt": subtask.error}
    return {"Type": "Porn", "SampleRate": 1.0, "Duration": 4.0, "PornTask": result}


def _spoken(*, translated: bool = False) -> list[dict[str, Any]]:
    line = {"Confidence": 90.0, "StartTimeOffset": 0.5, "EndTimeOffset": 2.0, "Text": "What is said."}
    return [line | {"Wordlist": []} | ({"Trans": "What it means."} if translated else {})]


def _recognition(task: Task, subtask: Subtask) -> dict[str, Any]:
    path = f"{folder_of(task.job)}{stem_of(task.job)}_recognition.vtt"
    output = {"SegmentSet": _spoken(), "SubtitlePath": path, "OutputStorage": storage_of(task.job)}
    result = _ended(subtask, output) | {"ErrCodeExt": subtask.error}
    return {"Type": "AsrFullTextRecognition", "AsrFullTextTask": result}


def _quality(subtask: Subtask) -> dict[str, Any]:
    spell = {"Confidence": 100, "StartTimeOffset": 1.0, "EndTimeOffset": 2.0}
    output: dict[str, Any] = {"NoAudio": False, "NoVideo": False}
    number = subtask.spec.get("Definition", 0)
    if number != 20:  # noqa: PLR2004 (the preset for formats alone)
        output |= {"QualityEvaluationScore": 68}
    if number not in {20, 30}:
        output |= {"QualityControlResultSet": [{"Type": "BlackWhiteEdge", "QualityControlItems": [spell]}]}
    if number not in {30, 40}:
        problem = {"Category": "StreamAbnormalCharacteristics", "Type": "AudioDuplicatedFrame"}
        output["ContainerDiagnoseResultSet"] = [
            problem | {"SeverityLevel": "Warning", "DateTimeSet": [], "TimestampSet": [1.5]}
        ]
    return _ended(subtask, output) | {"ErrCodeExt": subtask.error}


def _subtitles(task: Task, subtask: Subtask) -> dict[str, Any]:
    translated = subtask.spec.get("Definition") in _TRANSLATED
    path = f"{folder_of(task.job)}{stem_of(task.job)}_subtitles.vtt"
    output = {"SegmentSet": _spoken(translated=translated), "SubtitlePath": path, "OutputStorage": storage_of(task.job)}
    known = {name: subtask.spec[name] for name in ("Definition", "UserExtPara", "RawParameter") if name in subtask.spec}
    result = _ended(subtask, output) | {"ErrCodeExt": subtask.error, "Input": known}
    if translated:
        return {"Type": "TransTextRecognition", "TransTextTask": result}
    return {"Type": "AsrFullTextRecognition", "AsrFullTextTask": result}


def _video(task: Task, subtask: Subtask, field: str, prefix: str) -> dict[str, Any]:
    path = f"{folder_of(task.job)}{prefix}-{stem_of(task.job)}.mp4"
    result = _ended(subtask, {field: path, "OutputStorage": storage_of(task.job)})
    result.pop("ErrCode")
    return result | {"ErrCodeExt": subtask.error, "Progress": 100 if subtask.finished else 0}


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
