"""What the media processing API demands of a DRM job beyond its fields' types: values, and what goes with what.

Source: https://www.tencentcloud.com/document/product/1041/33690 (DrmInfo, SpekeDrm, SimpleAesDrm).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drmkit.sandbox.mps_contract import ApiRefusalError
from drmkit.sandbox.mps_neighbours import KINDS, check_neighbours, neighbours
from drmkit.sandbox.options import Template

__all__ = ["DRM_TYPES", "check_job", "method_of"]

_HEX_16 = re.compile(r"[0-9A-Fa-f]{32}")
_RESOURCE = re.compile(r"[A-Za-z0-9_-]{1,128}")
_INPUTS = {"COS": "CosInputInfo", "URL": "UrlInputInfo", "AWS-S3": "S3InputInfo", "VOD": "VODInputInfo"}
_STORAGES = {"COS": "CosOutputStorage", "AWS-S3": "S3OutputStorage", "VOD": "VODOutputStorage"}
_MAX_SESSION_ID = 50
_MAX_SESSION_CONTEXT = 1000
_MAX_PRIORITY = 10
_DASH_SEGMENTS = ("mp4-byterange", "mp4-mp4-byterange")


@dataclass(frozen=True, slots=True)
class _DrmType:
    systems: tuple[str, ...]
    dash: bool

    @property
    def methods(self) -> tuple[str, ...]:
        """The encryption methods, the default first."""
        return ("cbcs",) if "fairplay" in self.systems else ("cenc", "cbcs")


DRM_TYPES = {
    name: _DrmType(tuple(name.split("+")), dash)
    for name, dash in (
        ("fairplay", False),
        ("widevine", True),
        ("playready", True),
        ("widevine+fairplay", False),
        ("playready+fairplay", False),
        ("widevine+playready", True),
        ("widevine+playready+fairplay", False),
    )
}


def method_of(drm: Mapping[str, Any]) -> str:
    """Return the encryption method of a checked DrmInfo that is not simpleaes, its default included."""
    stated: str | None = drm["SpekeDrm"].get("EncryptionMethod")
    return stated or DRM_TYPES[drm["Type"]].methods[0]


def check_job(job: Mapping[str, Any], templates: Mapping[int, Template]) -> None:
    """Check a ProcessMedia request whose fields and types are right already.

    Raises:
        ApiRefusalError: a value is wrong, or values contradict each other.
    """
    _check_envelope(job)
    _check_input(job)
    if job.get("Activities") is not None:
        # No document says which results the nodes of an inline orchestration have.
        raise ApiRefusalError("UnsupportedOperation", "The sandbox does not run `Activities`.")
    process = job.get("MediaProcessTask", {})
    if job.get("ScheduleId") is not None and (process or any(job.get(name) for name in KINDS)):
        raise ApiRefusalError("UnsupportedOperation", "The sandbox runs `ScheduleId` alone, without tasks beside it.")
    tasks = process.get("AdaptiveDynamicStreamingTaskSet", [])
    check_neighbours(job)
    if not tasks and not neighbours(job):
        raise ApiRefusalError("InvalidParameter", "The request names no task.")
    for index, task in enumerate(tasks):
        path = f"MediaProcessTask.AdaptiveDynamicStreamingTaskSet.{index}"
        _check_storage(task.get("OutputStorage"), f"{path}.OutputStorage")
        _check_drm(task, path, templates.get(task["Definition"], Template()))


def _check_envelope(job: Mapping[str, Any]) -> None:
    if len(job.get("SessionId", "")) > _MAX_SESSION_ID:
        raise ApiRefusalError("InvalidParameterValue.SessionIdTooLong", "SessionId has more than 50 characters.")
    if len(job.get("SessionContext", "")) > _MAX_SESSION_CONTEXT:
        raise ApiRefusalError(
            "InvalidParameterValue.SessionContextTooLong", "SessionContext has more than 1000 characters."
        )
    if abs(job.get("TasksPriority", 0)) > _MAX_PRIORITY:
        raise _bad_value("TasksPriority", "it is -10 to 10")
    if job.get("TaskType", "Online") not in {"Online", "Offline"}:
        raise _bad_value("TaskType", "it is Online or Offline")
    folder = job.get("OutputDir", "/")
    if not (folder.startswith("/") and folder.endswith("/")):
        raise _bad_value("OutputDir", "it begins and ends with `/`")


def _check_input(job: Mapping[str, Any]) -> None:
    source = job["InputInfo"]
    member = _INPUTS.get(source["Type"])
    if member is None:
        raise _bad_value("InputInfo.Type", f"it is one of {', '.join(_INPUTS)}")
    if member not in source:
        raise ApiRefusalError(
            "InvalidParameter.InputInfo", f"InputInfo.Type {source['Type']} needs InputInfo.{member}."
        )
    storage = job.get("OutputStorage")
    if source["Type"] == "URL" and storage is None:
        raise ApiRefusalError("InvalidParameter", "OutputStorage is required where InputInfo.Type is URL.")
    _check_storage(storage, "OutputStorage")


def _check_storage(storage: Mapping[str, Any] | None, path: str) -> None:
    if storage is not None and storage["Type"] not in _STORAGES:
        raise _bad_value(f"{path}.Type", f"it is one of {', '.join(_STORAGES)}")


def _check_drm(task: Mapping[str, Any], path: str, template: Template) -> None:
    drm = task.get("DrmInfo")
    if drm is None:
        return
    if drm["Type"] == "simpleaes":
        _check_simple(drm, f"{path}.DrmInfo", template)
    elif drm["Type"] in DRM_TYPES:
        _check_speke(drm, f"{path}.DrmInfo")
        _check_format(drm["Type"], path, template)
    else:
        raise _bad_value(f"{path}.DrmInfo.Type", f"it is simpleaes or one of {', '.join(DRM_TYPES)}")


def _check_simple(drm: Mapping[str, Any], path: str, template: Template) -> None:
    simple = drm.get("SimpleAesDrm")
    if simple is None:
        raise _missing(f"{path}.SimpleAesDrm")
    for name in ("Key", "Vector"):
        if name in simple and not _HEX_16.fullmatch(simple[name]):
            raise _bad_value(f"{path}.SimpleAesDrm.{name}", "it is 32 hexadecimal digits")
    if template.format != "HLS" or template.segment_type.endswith("-byterange"):
        raise _bad_value(f"{path}.Type", "simpleaes needs HLS in segments of their own")


def _check_speke(drm: Mapping[str, Any], path: str) -> None:
    speke = drm.get("SpekeDrm")
    if speke is None:
        raise _missing(f"{path}.SpekeDrm")
    path = f"{path}.SpekeDrm"
    if not _RESOURCE.fullmatch(speke["ResourceId"]):
        raise _bad_value(f"{path}.ResourceId", "it is 1 to 128 letters, digits, `_` and `-`")
    if not speke["KeyServerUrl"].startswith(("http://", "https://")):
        raise _bad_value(f"{path}.KeyServerUrl", "it is an http or https URL")
    if not _HEX_16.fullmatch(speke["Vector"]):
        raise _bad_value(f"{path}.Vector", "it is 32 hexadecimal digits")
    methods = DRM_TYPES[drm["Type"]].methods
    if speke.get("EncryptionMethod") not in {None, *methods}:
        raise _bad_value(f"{path}.EncryptionMethod", f"{drm['Type']} takes {' or '.join(methods)}")
    if speke.get("EncryptionPreset") not in {None, "preset0", "preset1"}:
        raise _bad_value(f"{path}.EncryptionPreset", "it is preset0 or preset1")


def _check_format(drm_type: str, path: str, template: Template) -> None:
    if not template.segment_type.startswith("mp4-"):
        raise _bad_value(f"{path}.Definition", f"{drm_type} needs a template with mp4 segments")
    if template.format == "HLS":
        return
    if not DRM_TYPES[drm_type].dash:
        raise _bad_value(f"{path}.Definition", f"{drm_type} needs an HLS template")
    if template.segment_type not in _DASH_SEGMENTS:
        raise _bad_value(f"{path}.Definition", "DASH needs a template with a single file a track")


def _missing(path: str) -> ApiRefusalError:
    return ApiRefusalError("MissingParameter", f"The request is missing a required parameter `{path}`.")


def _bad_value(path: str, rule: str) -> ApiRefusalError:
    return ApiRefusalError("InvalidParameterValue", f"The value of parameter `{path}` is not valid: {rule}.")
