"""Callbacks of live stream moderation by Cloud Object Storage: another product than MPS, with bodies of its own.

    callback = parse(body, headers=request.headers)     # X-Ci-Content-Version: Simple or Detail
    if callback.verdict != "normal": print(callback.label, callback.url)

They are not signed: whoever knows the address can send one, so ask COS for the job (`job_id`) before acting on it.
Source: https://www.tencentcloud.com/document/product/436 ("Live Stream Moderation Callback Content").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec

from drmkit.errors import InputError
from drmkit.mps.cosscenes import (
    AudioSection,
    LibraryHit,
    Location,
    OcrText,
    Scene,
    SeenObject,
    Snapshot,
    Verdict,
    audio_of,
    objects,
    plain_object,
    scenes_of,
    snapshot_of,
    text,
    verdict_of,
    whole,
)
from drmkit.mps.messages import load

__all__ = [
    "EVENT",
    "HEADER",
    "AudioSection",
    "LibraryHit",
    "Location",
    "ModerationCallback",
    "OcrText",
    "Scene",
    "SeenObject",
    "Snapshot",
    "Verdict",
    "Version",
    "parse",
]

HEADER = "X-Ci-Content-Version"
"""The header that says which body a callback has."""
EVENT = "ReviewVideo"
"""The only event of these callbacks."""

Version = Literal["Simple", "Detail"]
Headers = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]

_KEYS: dict[Version, str] = {"Detail": "JobsDetail", "Simple": "data"}


class ModerationCallback(msgspec.Struct, frozen=True):
    """One callback.

    Attributes:
        version: `Simple` or `Detail`.
        event: `ReviewVideo`; another one is kept and makes `known` false.
        job_id: the moderation job (`trace_id` in the simple body).
        url: the stream.
        verdict: what was decided; `unknown` for a result that is not documented, or none at all.
        label: `Normal`, `Porn`, `Ads`, or another; empty in the simple body.
        state: `Submitted`, `Snapshoting` (the API's spelling), `Success`, `Failed` or `Auditing`.
        code: the error's code; empty without an error.
        message: what the error says.
        data_id: the DataId of the job.
        created: when the job was created, as text.
        scenes: what each scene found, by name.
        snapshot_count: how many snapshots there are.
        snapshots: the snapshots of a detailed body.
        audio: the pieces of sound of a detailed body.
        frozen_state: 0 not frozen, 1 frozen, 2 moved.
        bucket: the bucket of the job.
        region: its region.
        cos_headers: the custom headers of the object.
        user_info: the UserInfo of the job.
        lists: the allowlists and blocklists that were hit.
        type: `live_video`.
        raw: the whole body.
    """

    version: Version
    event: str
    job_id: str
    url: str
    verdict: Verdict
    label: str = ""
    state: str = ""
    code: str = ""
    message: str = ""
    data_id: str = ""
    created: str = ""
    scenes: dict[str, Scene] = {}
    snapshot_count: int | None = None
    snapshots: tuple[Snapshot, ...] = ()
    audio: tuple[AudioSection, ...] = ()
    frozen_state: int | None = None
    bucket: str = ""
    region: str = ""
    cos_headers: dict[str, Any] = {}
    user_info: dict[str, Any] = {}
    lists: tuple[dict[str, Any], ...] = ()
    type: str = ""
    raw: dict[str, Any] = {}

    @property
    def known(self) -> bool:
        """Whether the event and the result are documented ones."""
        return self.event == EVENT and (self.verdict != "unknown" or self.failed or self.state != "Success")

    @property
    def failed(self) -> bool:
        """Whether the moderation failed, so that there is no verdict."""
        return self.state == "Failed" or (bool(self.code) and self.state != "Success")

    def to_builtins(self) -> dict[str, Any]:
        """Return the callback as dictionaries and lists, without the raw body."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        found.pop("raw")
        return found


def parse(body: bytes, *, version: str | None = None, headers: Headers | None = None) -> ModerationCallback:
    """Read a callback.

    Args:
        body: the body.
        version: the value of the header `X-Ci-Content-Version`; None, or an empty one, tells the two bodies apart by
            their fields.
        headers: instead of `version`, all headers of the request, their names in any case: a mapping, or pairs, of
            texts or of bytes as ASGI has them.

    Raises:
        InputError: no JSON object, a version that is none, or a body that is not the one that the header names.
    """
    if version is None and headers is not None:
        version = _header(headers)
    value = _load(body)
    wanted = _version(version) if version is not None and version.strip() else None
    shapes = [shape for shape, key in _KEYS.items() if key in value]
    if not shapes:
        raise InputError(
            "the message is no moderation callback of COS: it has neither JobsDetail nor data",
            hint="an MPS callback is read without --product cos" if _of_mps(value) else "send it the whole body",
        )
    shape = wanted or shapes[0]
    if shape not in shapes:
        raise InputError(
            f"the header {HEADER} says {wanted}, and the body is that of {shapes[0]}",
            hint="keep header and body together",
        )
    inner = value[_KEYS[shape]]
    if inner is None and shape == "Simple" and _failed(value.get("code")):
        inner = {}
    if not isinstance(inner, dict):
        raise InputError("the moderation callback has no details", hint="send it the whole body")
    return _detail(value, inner) if shape == "Detail" else _simple(value, inner)


def _header(headers: Headers) -> str | None:
    for name, item in headers.items() if isinstance(headers, Mapping) else headers:
        if _decoded(name).lower() == HEADER.lower():
            return _decoded(item)
    return None


def _decoded(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _load(body: bytes) -> dict[str, Any]:
    value = load(body)
    if not isinstance(value, dict):
        raise InputError("the message is no JSON object", hint="send it the body of the callback, whole")
    return value


def _version(text: str) -> Version:
    found = next((known for known in get_args(Version) if known.lower() == text.strip().lower()), None)
    if found is None:
        raise InputError(f"there is no callback version {text[:40]!r}", hint="it is Simple or Detail")
    return found  # type: ignore[no-any-return]  # one of the literals


def _of_mps(value: dict[str, Any]) -> bool:
    return "EventType" in value or "NotificationType" in value


def _simple(value: dict[str, Any], data: dict[str, Any]) -> ModerationCallback:
    code = text(value.get("code"))
    failed = _failed(code)
    return ModerationCallback(
        version="Simple",
        event=text(data.get("event")),
        job_id=text(data.get("trace_id")),
        url=text(data.get("url")),
        verdict="unknown" if failed else verdict_of(data.get("result")),
        state="Failed" if failed else "Success",
        code=code if failed else "",
        message=text(value.get("message")) if failed else "",
        data_id=text(data.get("data_id")),
        scenes=scenes_of(data),
        frozen_state=whole(data.get("forbidden_status")),
        cos_headers=plain_object(data.get("cos_headers")),
        raw=value,
    )


def _failed(code: Any) -> bool:
    return text(code) not in {"", "0"}


def _detail(value: dict[str, Any], job: dict[str, Any]) -> ModerationCallback:
    return ModerationCallback(
        version="Detail",
        event=text(value.get("EventName")),
        job_id=text(job.get("JobId")),
        url=text(job.get("Url") or job.get("Object")),
        verdict="unknown" if job.get("State") == "Failed" else verdict_of(job.get("Result")),
        label=text(job.get("Label")),
        state=text(job.get("State")),
        code=text(job.get("Code")),
        message=text(job.get("Message")),
        data_id=text(job.get("DataId")),
        created=text(job.get("CreationTime")),
        scenes=scenes_of(job),
        snapshot_count=whole(job.get("SnapshotCount")),
        snapshots=tuple(map(snapshot_of, objects(job.get("Snapshot")))),
        audio=tuple(map(audio_of, objects(job.get("AudioSection")))),
        frozen_state=whole(job.get("ForbidState")),
        bucket=text(job.get("BucketId")),
        region=text(job.get("Region")),
        cos_headers=plain_object(job.get("CosHeaders")),
        user_info=plain_object(job.get("UserInfo")),
        lists=objects(plain_object(job.get("ListInfo")).get("ListResults")),
        type=text(job.get("Type")),
        raw=value,
    )
