"""The analysis features of MPS by name: their preset templates, their parameters, tasks built and checked.

    task = analysis_task("highlights", Highlights(top_clip=10, force_cls=5003))
    job = Job.build(input=..., output=..., ai_analysis_task=task)

Source: *Integration Tutorials* of Media Processing Service, "Media AI Integration Tutorial".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from drmkit.errors import JobError
from drmkit.mps.extended import Erase, ExtendedParameter, Extension, Highlights, Strip, Summary, Vertical
from drmkit.mps.extended import examine_extended as examine
from drmkit.mps.extendedrules import CATEGORIES, check_extended
from drmkit.mps.findings import Finding, nearest, raise_errors
from drmkit.mps.models.smart import AiAnalysisTaskInput
from drmkit.mps.presets import template_number
from drmkit.mps.schema import Member, members

__all__ = ["FEATURES", "Feature", "analysis_task", "assign", "check_analysis", "feature_of", "find_feature"]


class Feature(msgspec.Struct, frozen=True):
    """A feature of content analysis.

    Attributes:
        name: what it is called here.
        definition: its preset template.
        keys: the keys of ExtendedParameter that it reads.
        live: whether it is documented for live streams.
        meaning: what it does.
        aliases: further names.
        results: the fields of AiAnalysisResult that hold what it found.
        also: further presets of the same feature (the sites differ).
    """

    name: str
    definition: int
    keys: tuple[str, ...]
    live: bool
    meaning: str
    aliases: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    also: tuple[int, ...] = ()


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(
            "summary", 22, ("des",), True, "summary and parts, by a language model", ("des",), ("DescriptionTask",)
        ),
        Feature("highlights", 26, ("hht",), True, "highlights of a video", ("hht",), ("HighlightTask",)),
        Feature(
            "erase",
            24,
            ("delogo",),
            False,
            "watermarks, subtitles or faces erased",
            ("delogo",),
            ("DeLogoTask",),
            (25,),
        ),
        Feature("splitting", 27, ("strip", "des"), True, "one video split into several", ("strip",), ("SegmentTask",)),
        Feature(
            "vertical",
            28,
            ("htv",),
            False,
            "a horizontal video made vertical",
            ("htv", "horizontal-to-vertical"),
            ("HorizontalToVerticalTask",),
        ),
        Feature("labels", 10, (), True, "categories, tags and a cover"),
        Feature("frame-labels", 20, (), True, "categories, tags, a cover, and tags for each frame"),
    )
}
"""The features by name. Smart erase is template 24; newer pages of the international site name 25."""

_BY_TEMPLATE = {number: feature for feature in FEATURES.values() for number in (feature.definition, *feature.also)}
_BY_NAME = {name: feature for feature in FEATURES.values() for name in (feature.name, *feature.aliases)}
_KEYS: dict[type[Extension], str] = {
    Summary: "des",
    Highlights: "hht",
    Erase: "delogo",
    Strip: "strip",
    Vertical: "htv",
}


def find_feature(name: str) -> Feature:
    """Return the feature with a name, an alias, or the number of its preset template.

    Raises:
        JobError: there is none.
    """
    number = template_number(name)
    if number in _BY_TEMPLATE:
        return _BY_TEMPLATE[number]
    feature = _BY_NAME.get(name.lower())
    if feature is None:
        close = nearest(name, _BY_NAME)
        raise JobError(f"there is no analysis {name[:80]!r}", hint=f"write {close or ', '.join(FEATURES)}")
    return feature


def feature_of(definition: int | None) -> Feature | None:
    """Return the feature of a preset template, or None for other templates."""
    return None if definition is None else _BY_TEMPLATE.get(definition)


def analysis_task(
    name: str,
    *parts: Extension,
    definition: int | None = None,
    live: bool = False,
) -> AiAnalysisTaskInput:
    """Return the task for a feature.

    Args:
        name: the feature.
        parts: its parameters, such as a `Highlights`; splitting takes a `Strip`, a `Summary` or both; or one whole
            `ExtendedParameter`.
        definition: a template of your own for which Tencent Cloud has enabled the feature; None takes the preset.
        live: whether the task is over a live stream.

    Raises:
        JobError: no such feature, parameters of another one, or values that are out of range.
    """
    feature = find_feature(name)
    other = feature_of(definition)
    if other is not None and other is not feature:
        raise JobError(
            f"template {definition} is the preset of {other.name}, not of {feature.name}",
            hint=f"write {feature.definition}, or a template of your own",
        )
    parameter = _joined(parts)
    text = parameter.text() if parameter is not None else ""
    task = AiAnalysisTaskInput(definition=definition or feature.definition, extended_parameter=text or None)
    findings = list(check_analysis(task, "AiAnalysisTask", live=live))
    if parameter is not None and other is None and definition:
        findings += _wrong_keys(feature, parameter, "AiAnalysisTask")
    raise_errors(findings, f"the {feature.name} task")
    return task


def _joined(parts: tuple[Extension, ...]) -> ExtendedParameter | None:
    if not parts:
        return None
    joined = ExtendedParameter()
    for part in parts:
        if isinstance(part, ExtendedParameter):
            given = msgspec.structs.asdict(part)
            joined = msgspec.structs.replace(joined, **{key: item for key, item in given.items() if item})
        elif type(part) in _KEYS:
            joined = msgspec.structs.replace(joined, **{_KEYS[type(part)]: part})
        else:
            raise JobError(
                f"{type(part).__name__} is no parameter of an analysis by itself",
                hint=f"give one of {', '.join(kind.__name__ for kind in _KEYS)}",
            )
    return joined


def check_analysis(task: AiAnalysisTaskInput, path: str, *, live: bool) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about an analysis task.

    Args:
        task: the task.
        path: where it stands.
        live: whether it is over a live stream.
    """
    feature = feature_of(task.definition)
    if feature is not None and live and not feature.live:
        severe = feature.name == "erase"
        yield Finding(
            f"{path}.Definition",
            f"{feature.name} (template {task.definition}) is documented for files only, and this is a live stream",
            "submit the recorded file",
            "error" if severe else "warning",
        )
    where = f"{path}.ExtendedParameter"
    parameter, findings = examine(task.extended_parameter or "", where)
    yield from findings
    if parameter is None:
        return
    yield from check_extended(parameter, where, live=live)
    if feature is not None:
        yield from _wrong_keys(feature, parameter, path)
    else:
        yield from _several(parameter, where)


def _given(parameter: ExtendedParameter) -> list[str]:
    return [key for key in members(ExtendedParameter) if getattr(parameter, key) is not None]


def _wrong_keys(feature: Feature, parameter: ExtendedParameter, path: str) -> Iterator[Finding]:
    for key in _given(parameter):
        if key not in feature.keys:
            owner = next(item for item in FEATURES.values() if key in item.keys)
            yield Finding(
                f"{path}.ExtendedParameter.{key}",
                f"belongs to {owner.name} (template {owner.definition}), and the task is {feature.name}",
                f"write Definition {owner.definition}, or remove {key}",
            )
    if feature.name == "splitting" and parameter.des is not None and parameter.strip is None:
        yield Finding(
            f"{path}.ExtendedParameter.des",
            "has no effect on news splitting, which is what is done without strip",
            'add "strip":{"type":"content"}',
            "warning",
        )


def _several(parameter: ExtendedParameter, path: str) -> Iterator[Finding]:
    """Yield a finding where keys of several features are given: a task has one."""
    given = set(_given(parameter))
    if given and not any(given <= set(feature.keys) for feature in FEATURES.values()):
        yield Finding(path, f"has the keys of several features: {', '.join(sorted(given))}", "keep those of one")


def assign(name: str, values: Mapping[str, str]) -> ExtendedParameter | None:
    """Return the parameter of a feature from texts, as a command line has them.

    Args:
        name: the feature.
        values: by path, such as `top_clip`, `split.method`, `FaceDetectConfig.FallbackConfig.DoubleFace`; with the
            feature's key before it where there are several (`strip.type`, `des.dstlang`).

    Raises:
        JobError: no such key, or a text that does not fit it; None stands for no values.
    """
    feature = find_feature(name)
    tree: dict[str, Any] = {}
    for path, text in values.items():
        steps = path.split(".")
        if not steps or steps[0] not in feature.keys:
            steps = [_home(feature, steps[0]), *steps]
        _place(tree, steps, text, path)
    if not tree:
        return None
    parameter, findings = examine(msgspec.json.encode(tree).decode(), "--set")
    raise_errors(findings, "the analysis")
    return parameter


def _home(feature: Feature, step: str) -> str:
    """Return the feature's key below which a name stands."""
    if not feature.keys:
        raise JobError(f"{feature.name} takes no parameters", hint="leave them out")
    for key in feature.keys:
        kind: type[Extension] = members(ExtendedParameter)[key].kind
        if step in members(kind):
            return key
    return feature.keys[0]


def _place(tree: dict[str, Any], steps: list[str], text: str, path: str) -> None:
    model: type[Extension] = ExtendedParameter
    node = tree
    for number, step in enumerate(steps):
        member = members(model).get(step)
        if member is None:
            close = nearest(step, members(model))
            hint = f"write {close}" if close else f"write one of {', '.join(members(model))}"
            raise JobError(f"there is no parameter {path!r} here ({step})", hint=hint)
        last = number == len(steps) - 1
        kind: type[Extension] = member.kind
        nested = issubclass(kind, Extension) and not member.is_list
        if nested and last:
            inside = ", ".join(f"{path}.{name}" for name in members(kind))
            raise JobError(f"{path} is an object", hint=f"write one of {inside}")
        if not nested and not last:
            raise JobError(f"{path}: {step} is a value", hint="leave out what follows it")
        if last:
            node[step] = _value(member, text, path)
        else:
            node, model = node.setdefault(step, {}), kind


def _value(member: Member, text: str, path: str) -> Any:
    if path.rpartition(".")[2] == "force_cls" and text.lower() in CATEGORIES:
        return CATEGORIES[text.lower()]
    if member.kind is str and not member.is_list:
        return text
    listed = member.is_list and not text.lstrip().startswith("[")
    if listed and member.kind is str:
        return [item.strip() for item in text.split(",")]
    try:
        return msgspec.json.decode(f"[{text}]" if listed else text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        if path.rpartition(".")[2] == "force_cls":
            close = nearest(text, CATEGORIES)
            raise JobError(
                f"there is no category {text!r}", hint=f"write {close or ', '.join(CATEGORIES)}, or its number"
            ) from None
        wanted = "a list in JSON" if member.is_list else {bool: "true or false"}.get(member.kind, "a number")
        raise JobError(f"{path} is {text[:80]!r}, not {wanted}", hint=f"write {path}={wanted}") from None
