"""Callbacks of live stream moderation by Cloud Object Storage: another product than MPS, with bodies of its own.

    callback = parse(body, headers=request.headers)     # X-Ci-Content-Version: Simple or Detail
    if callback.verdict != "normal": print(callback.label, callback.url)

They are not signed: whoever knows the address can send one, so ask COS for the job (`job_id`) before acting on it.
Source: https://www.tencentcloud.com/document/product/436 ("Live Stream Moderation Callback Content").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from drmkit.errors import InputError
from drmkit.mps.messages import load

__all__ = [
    "EVENT",
    "HEADER",
    "AudioSection",
    "LibraryHit",
    "ModerationCallback",
    "Scene",
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
Verdict = Literal["normal", "sensitive", "suspected", "unknown"]

_VERDICTS: dict[int, Verdict] = {0: "normal", 1: "sensitive", 2: "suspected"}
_SCENES = {"porn": ("PornInfo", "porn_info"), "ads": ("AdsInfo", "ads_info")}


class LibraryHit(msgspec.Struct, frozen=True, rename="pascal"):
    """A sample of a risk library that was hit."""

    image_id: str | None = None
    score: int | None = None
    lib_type: int | None = None
    lib_name: str | None = None
    keywords: list[str] | None = None


class Scene(msgspec.Struct, frozen=True):
    """What one scene of moderation (`porn`, `ads`) found.

    Attributes:
        hit: 0 a miss, 1 a hit, 2 suspected.
        label: the overall label; empty where there is none.
        sub_label: the specific label, such as `SexBehavior`.
        category: the specific kind.
        score: 0 to 100, the higher the more likely; None in a whole job, which has `count`.
        count: how many snapshots hit the scene; None in a single snapshot.
        keywords: the words that were hit.
        texts: what was read in the picture.
        libraries: the samples of risk libraries that were hit.
    """

    hit: int
    label: str = ""
    sub_label: str = ""
    category: str = ""
    score: float | None = None
    count: int | None = None
    keywords: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    libraries: tuple[LibraryHit, ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """One picture of the stream.

    Attributes:
        url: where it is, for two hours.
        verdict: what was decided about it.
        label: `Normal`, `Porn`, `Ads`, or another.
        time: milliseconds: since the epoch, or since the beginning.
        text: what was read in it.
        scenes: what each scene found, by name.
    """

    url: str
    verdict: Verdict
    label: str
    time: int | None
    text: str
    scenes: dict[str, Scene]


class AudioSection(msgspec.Struct, frozen=True):
    """One piece of the stream's sound.

    Attributes:
        url: where it is, for two hours.
        verdict: what was decided about it.
        label: `Normal`, `Porn`, `Ads`, or another.
        offset: milliseconds, likewise to `Snapshot.time`.
        duration: milliseconds.
        text: what was heard in it.
        scenes: what each scene found, by name.
    """

    url: str
    verdict: Verdict
    label: str
    offset: int | None
    duration: int | None
    text: str
    scenes: dict[str, Scene]


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
        return bool(self.code) or self.state == "Failed"

    def to_builtins(self) -> dict[str, Any]:
        """Return the callback as dictionaries and lists, without the raw body."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        found.pop("raw")
        return found


def parse(body: bytes, *, version: str | None = None, headers: Mapping[str, str] | None = None) -> ModerationCallback:
    """Read a callback.

    Args:
        body: the body.
        version: the value of the header `X-Ci-Content-Version`; None tells the two bodies apart by their fields.
        headers: instead of `version`, all headers of the request, their names in any case.

    Raises:
        InputError: no JSON object, a version that is none, or a body that is not the one that the header names.
    """
    if version is None and headers is not None:
        version = next((text for name, text in headers.items() if name.lower() == HEADER.lower()), None)
    value = _load(body)
    wanted = _version(version) if version is not None else None
    shape: Version | None = "Detail" if "JobsDetail" in value else "Simple" if "data" in value else None
    if shape is None:
        raise InputError(
            "the message is no moderation callback of COS: it has neither JobsDetail nor data",
            hint="an MPS callback is read without --product cos" if _of_mps(value) else "send it the whole body",
        )
    if wanted is not None and wanted != shape:
        raise InputError(
            f"the header {HEADER} says {wanted}, and the body is that of {shape}", hint="keep header and body together"
        )
    inner = value["JobsDetail" if shape == "Detail" else "data"]
    if not isinstance(inner, dict):
        raise InputError("the moderation callback has no details", hint="send it the whole body")
    return _detail(value, inner) if shape == "Detail" else _simple(value, inner)


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
    code = _whole(value.get("code"))
    failed = code not in {0, None}
    return ModerationCallback(
        version="Simple",
        event=_text(data.get("event")),
        job_id=_text(data.get("trace_id")),
        url=_text(data.get("url")),
        verdict="unknown" if failed else _verdict(data.get("result")),
        state="Failed" if failed else "Success",
        code=str(code) if failed else "",
        message=_text(value.get("message")) if failed else "",
        data_id=_text(data.get("data_id")),
        scenes=_scenes(data),
        frozen_state=_whole(data.get("forbidden_status")),
        cos_headers=_object(data.get("cos_headers")),
        raw=value,
    )


def _detail(value: dict[str, Any], job: dict[str, Any]) -> ModerationCallback:
    return ModerationCallback(
        version="Detail",
        event=_text(value.get("EventName")),
        job_id=_text(job.get("JobId")),
        url=_text(job.get("Url") or job.get("Object")),
        verdict="unknown" if job.get("State") == "Failed" else _verdict(job.get("Result")),
        label=_text(job.get("Label")),
        state=_text(job.get("State")),
        code=_text(job.get("Code")),
        message=_text(job.get("Message")),
        data_id=_text(job.get("DataId")),
        created=_text(job.get("CreationTime")),
        scenes=_scenes(job),
        snapshot_count=_whole(job.get("SnapshotCount")),
        snapshots=tuple(map(_snapshot, _objects(job.get("Snapshot")))),
        audio=tuple(map(_audio, _objects(job.get("AudioSection")))),
        frozen_state=_whole(job.get("ForbidState")),
        bucket=_text(job.get("BucketId")),
        region=_text(job.get("Region")),
        cos_headers=_object(job.get("CosHeaders")),
        user_info=_object(job.get("UserInfo")),
        lists=_objects(_object(job.get("ListInfo")).get("ListResults")),
        type=_text(job.get("Type")),
        raw=value,
    )


def _snapshot(item: dict[str, Any]) -> Snapshot:
    return Snapshot(
        url=_text(item.get("Url")),
        verdict=_verdict(item.get("Result")),
        label=_text(item.get("Label")),
        time=_whole(item.get("SnapshotTime")),
        text=_text(item.get("Text")),
        scenes=_scenes(item),
    )


def _audio(item: dict[str, Any]) -> AudioSection:
    return AudioSection(
        url=_text(item.get("Url")),
        verdict=_verdict(item.get("Result")),
        label=_text(item.get("Label")),
        offset=_whole(item.get("OffsetTime")),
        duration=_whole(item.get("Duration")),
        text=_text(item.get("Text")),
        scenes=_scenes(item),
    )


def _scenes(item: dict[str, Any]) -> dict[str, Scene]:
    """Return what each scene found, those that are not documented by their own names too."""
    found = {
        name: _scene(item[key]) for name, keys in _SCENES.items() for key in keys if isinstance(item.get(key), dict)
    }
    known = {key for keys in _SCENES.values() for key in keys}
    for key, value in item.items():
        if key.lower().endswith("info") and key not in known and isinstance(value, dict):
            flags = {name.lower().replace("_", "") for name in value}
            if "hitflag" in flags:
                found[key.removesuffix("Info").removesuffix("_info").lower()] = _scene(value)
    return found


def _scene(item: dict[str, Any]) -> Scene:
    score = item.get("Score")
    texts = tuple(_text(text.get("Text")) for text in _objects(item.get("OcrResults")))
    return Scene(
        hit=_whole(item.get("HitFlag", item.get("hit_flag"))) or 0,
        label=_text(item.get("Label", item.get("label"))),
        sub_label=_text(item.get("SubLabel")),
        category=_text(item.get("Category")),
        score=score if isinstance(score, int | float) and not isinstance(score, bool) else None,
        count=_whole(item.get("Count", item.get("count"))),
        keywords=tuple(map(_text, _list(item.get("Keywords")))),
        texts=texts,
        libraries=tuple(map(_library, _objects(item.get("LibResults")))),
    )


def _library(item: dict[str, Any]) -> LibraryHit:
    return LibraryHit(
        image_id=_text(item.get("ImageId")) or None,
        score=_whole(item.get("Score")),
        lib_type=_whole(item.get("LibType")),
        lib_name=_text(item.get("LibName")) or None,
        keywords=[_text(word) for word in _list(item.get("Keywords"))] or None,
    )


def _verdict(value: Any) -> Verdict:
    number = _whole(value)
    return "unknown" if number is None else _VERDICTS.get(number, "unknown")


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:  # noqa: PLR2004
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> tuple[dict[str, Any], ...]:
    return tuple(item for item in _list(value) if isinstance(item, dict))
