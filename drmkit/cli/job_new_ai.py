"""The tasks of `drmkit job new` beside DRM: analysis, subtitles, recognition, moderation, quality, transcoding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.errors import JobError

if TYPE_CHECKING:
    from drmkit.mps.models.request import MediaProcessTaskInput
    from drmkit.mps.models.smart import AiAnalysisTaskInput

__all__ = ["AI_OPTIONS", "ai_tasks", "transcoding"]

_LARGEST = 1024 * 1024

AI_OPTIONS = (
    click.option(
        "--analysis",
        "analyses",
        multiple=True,
        metavar="NAME",
        help="summary, highlights, erase, splitting, vertical, labels or frame-labels.",
    ),
    click.option("--analysis-template", type=click.IntRange(1), metavar="ID", help="Instead of the preset template."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A parameter of the analysis, such as force_cls=football or split.method=llm.",
    ),
    click.option("--extended", metavar="FILE", help="A JSON file with the whole ExtendedParameter, instead of --set."),
    click.option("--subtitles", metavar="NAME|ID", help="Smart subtitles: zh-en, en-zh+en, ..., or an ID."),
    click.option("--recognition", type=click.IntRange(1), metavar="ID", help="Content recognition."),
    click.option("--moderation", type=click.IntRange(1), metavar="ID", help="Content moderation."),
    click.option("--quality", metavar="NAME|ID", help="Quality inspection: all, format, score, picture, or an ID."),
    click.option("--smart-erase", type=click.IntRange(1), metavar="ID", help="A template of the smart erase module."),
    click.option("--transcode", multiple=True, type=click.IntRange(1), metavar="ID", help="Transcoding templates."),
    click.option("--burn-in", metavar="PLACE", help="Burn this subtitle file into what --transcode makes."),
    click.option("--style", multiple=True, metavar="KEY=VALUE", help="How: FontType=simkai.ttf, FontSize=10px."),
    click.option("--schedule", type=click.IntRange(1), metavar="ID", help="An orchestration; live: a recording, say."),
)


def ai_tasks(given: dict[str, Any], *, live: bool) -> dict[str, Any]:
    """Return the fields of the request that the options name, under their Python names.

    Args:
        given: the options.
        live: whether the job is over a live stream.
    """
    from drmkit.mps.inspection import inspection_task  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.models import smart  # noqa: PLC0415

    found: dict[str, Any] = {
        "ai_analysis_task": _analysis(given, live=live),
        "schedule_id": given["schedule"],
    }
    if given["recognition"] is not None:
        found["ai_recognition_task"] = smart.AiRecognitionTaskInput(definition=given["recognition"])
    if given["moderation"] is not None:
        found["ai_content_review_task"] = smart.AiContentReviewTaskInput(definition=given["moderation"])
    if given["quality"] is not None:
        found["ai_quality_control_task"] = inspection_task(given["quality"])
    if given["smart_erase"] is not None:
        found["smart_erase_task"] = smart.SmartEraseTaskInput(definition=given["smart_erase"])
    if given["subtitles"] is not None:
        found |= _subtitles(given, live=live)
    return {name: value for name, value in found.items() if value is not None}


def _analysis(given: dict[str, Any], *, live: bool) -> AiAnalysisTaskInput | None:
    import msgspec  # noqa: PLC0415 (help needs no models)

    from drmkit.mps.analysis import analysis_task, assign  # noqa: PLC0415

    if len(given["analyses"]) > 1:
        raise click.UsageError("--analysis is given twice, and a job has one analysis task: make a job for each")
    name = next(iter(given["analyses"]), None)
    if name is None:
        for option in ("analysis_template", "settings", "extended"):
            if given[option]:
                shown = {"settings": "--set"}.get(option, f"--{option.replace('_', '-')}")
                raise click.UsageError(f"{shown} needs --analysis")
        return None
    if given["extended"] and given["settings"]:
        raise click.UsageError("--set and --extended exclude each other")
    template = given["analysis_template"]
    if given["extended"]:
        task = analysis_task(name, definition=template, live=live)
        return msgspec.structs.replace(task, extended_parameter=_read(given["extended"]))
    parameter = assign(name, _pairs(given["settings"], "--set"))
    parts = () if parameter is None else (parameter,)
    return analysis_task(name, *parts, definition=template, live=live)


def _read(name: str) -> str:
    """Return the text of a JSON file in one line, with keys that no tutorial has; the job's check judges it."""
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise JobError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable path"
        raise JobError(f"{path}: {reason}", hint="check the path of the JSON file") from None
    with suppress(ValueError, RecursionError):
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    return text


def _subtitles(given: dict[str, Any], *, live: bool) -> dict[str, Any]:
    from drmkit.mps.models.smart import AiRecognitionTaskInput  # noqa: PLC0415
    from drmkit.mps.subtitling import live_subtitles_task, subtitles_task  # noqa: PLC0415

    if not live:
        return {"smart_subtitles_task": subtitles_task(given["subtitles"])}
    task = live_subtitles_task(given["subtitles"])
    if not isinstance(task, AiRecognitionTaskInput):
        return {"smart_subtitles_task": task}
    if given["recognition"] is not None:
        raise click.UsageError("these --subtitles are a recognition template, so --recognition cannot be given too")
    return {"ai_recognition_task": task}


def transcoding(given: dict[str, Any]) -> MediaProcessTaskInput | None:
    """Return the transcoding tasks that the options name, with subtitles burned in, or None."""
    from drmkit.mps.models.request import MediaProcessTaskInput, TranscodeTaskInput  # noqa: PLC0415
    from drmkit.mps.subtitling import burn_in  # noqa: PLC0415

    if given["style"] and given["burn_in"] is None:
        raise click.UsageError("--style needs --burn-in")
    if not given["transcode"]:
        if given["burn_in"] is not None:
            raise click.UsageError("--burn-in needs --transcode, the ID of a transcoding template")
        return None
    if given["burn_in"] is None:
        tasks = [TranscodeTaskInput(definition=number) for number in given["transcode"]]
    else:
        style = _style(given["style"])
        stream = style.pop("stream_index", None)
        tasks = [burn_in(number, given["burn_in"], stream=stream, **style) for number in given["transcode"]]
    return MediaProcessTaskInput(transcode_task_set=tasks)


def _style(given: Sequence[str]) -> dict[str, Any]:
    """Return a style under its Python names; keys are the API's, whatever their case, or Python's."""
    from drmkit.mps.findings import nearest  # noqa: PLC0415
    from drmkit.mps.models.templates import SubtitleTemplate  # noqa: PLC0415
    from drmkit.mps.schema import members  # noqa: PLC0415

    known = {name.lower(): member for name, member in members(SubtitleTemplate).items()}
    style: dict[str, Any] = {}
    for key, text in _pairs(given, "--style").items():
        member = known.get(key.lower().replace("_", ""))
        if member is None or member.kind not in {str, int, float}:
            close = nearest(key, (item.name for item in known.values()))
            raise JobError(f"subtitles have no style {key!r}", hint=f"write {close}" if close else None)
        try:
            style[member.attribute] = member.kind(text)
        except ValueError:
            raise JobError(f"--style {key} is {text!r}, not a number", hint=f"write {key}=NUMBER") from None
    return style


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise click.UsageError(f"{option} {item!r} is not KEY=VALUE")
        if key.strip() in found:
            raise click.UsageError(f"{option} {key.strip()} is given twice")
        found[key.strip()] = value.strip()
    return found
