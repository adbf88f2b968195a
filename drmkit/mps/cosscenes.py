"""What moderation by Cloud Object Storage found: scenes, texts, objects, snapshots, pieces of sound.

Source: https://www.tencentcloud.com/document/product/436 ("Live Stream Moderation Callback Content").
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "AudioSection",
    "LibraryHit",
    "Location",
    "OcrText",
    "Scene",
    "SeenObject",
    "Snapshot",
    "Verdict",
    "audio_of",
    "objects",
    "plain_object",
    "scenes_of",
    "snapshot_of",
    "text",
    "verdict_of",
    "whole",
]

Verdict = Literal["normal", "sensitive", "suspected", "unknown"]

_VERDICTS: dict[int, Verdict] = {0: "normal", 1: "sensitive", 2: "suspected"}
_SCENES = {"porn": ("PornInfo", "porn_info"), "ads": ("AdsInfo", "ads_info")}


class Location(msgspec.Struct, frozen=True):
    """A frame in a picture: its left top corner and its size in pixels, turned counterclockwise by degrees."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    rotate: float | None = None


class OcrText(msgspec.Struct, frozen=True):
    """A text that was read in a picture.

    Attributes:
        text: what it says.
        keywords: the words of it that were hit.
        location: where it stands.
    """

    text: str
    keywords: tuple[str, ...] = ()
    location: Location | None = None


class SeenObject(msgspec.Struct, frozen=True):
    """An object that was recognized in a picture.

    Attributes:
        name: what or who it is.
        location: where it is.
    """

    name: str
    location: Location | None = None


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
        texts: what was read in the picture, as text alone.
        ocr: the same with its keywords and its place.
        objects: what was recognized in the picture.
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
    ocr: tuple[OcrText, ...] = ()
    objects: tuple[SeenObject, ...] = ()
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


def snapshot_of(item: dict[str, Any]) -> Snapshot:
    """Read a snapshot of a detailed body."""
    return Snapshot(
        url=text(item.get("Url")),
        verdict=verdict_of(item.get("Result")),
        label=text(item.get("Label")),
        time=whole(item.get("SnapshotTime")),
        text=text(item.get("Text")),
        scenes=scenes_of(item),
    )


def audio_of(item: dict[str, Any]) -> AudioSection:
    """Read a piece of sound of a detailed body."""
    return AudioSection(
        url=text(item.get("Url")),
        verdict=verdict_of(item.get("Result")),
        label=text(item.get("Label")),
        offset=whole(item.get("OffsetTime")),
        duration=whole(item.get("Duration")),
        text=text(item.get("Text")),
        scenes=scenes_of(item),
    )


def scenes_of(item: dict[str, Any]) -> dict[str, Scene]:
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
    read = tuple(map(_ocr, objects(item.get("OcrResults"))))
    return Scene(
        hit=whole(item.get("HitFlag", item.get("hit_flag"))) or 0,
        label=text(item.get("Label", item.get("label"))),
        sub_label=text(item.get("SubLabel")),
        category=text(item.get("Category")),
        score=_number(item.get("Score")),
        count=whole(item.get("Count", item.get("count"))),
        keywords=tuple(map(text, _list(item.get("Keywords")))),
        texts=tuple(found.text for found in read),
        ocr=read,
        objects=tuple(
            SeenObject(text(found.get("Name")), _location(found.get("Location")))
            for found in objects(item.get("ObjectResults"))
        ),
        libraries=tuple(map(_library, objects(item.get("LibResults")))),
    )


def _ocr(item: dict[str, Any]) -> OcrText:
    return OcrText(
        text(item.get("Text")), tuple(map(text, _list(item.get("Keywords")))), _location(item.get("Location"))
    )


def _location(value: Any) -> Location | None:
    if not isinstance(value, dict):
        return None
    return Location(*(_number(value.get(name)) for name in ("X", "Y", "Width", "Height", "Rotate")))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _library(item: dict[str, Any]) -> LibraryHit:
    return LibraryHit(
        image_id=text(item.get("ImageId")) or None,
        score=whole(item.get("Score")),
        lib_type=whole(item.get("LibType")),
        lib_name=text(item.get("LibName")) or None,
        keywords=[text(word) for word in _list(item.get("Keywords"))] or None,
    )


def verdict_of(value: Any) -> Verdict:
    """Return the verdict that a result (0, 1, 2) is."""
    number = whole(value)
    return "unknown" if number is None else _VERDICTS.get(number, "unknown")


def text(value: Any) -> str:
    """Return a value as text: empty for null, JSON for what is no text."""
    return "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()


def whole(value: Any) -> int | None:
    """Return a whole number, which may stand in a text, or None."""
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:  # noqa: PLR2004
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plain_object(value: Any) -> dict[str, Any]:
    """Return an object, an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def objects(value: Any) -> tuple[dict[str, Any], ...]:
    """Return the objects of a list, without what is none."""
    return tuple(item for item in _list(value) if isinstance(item, dict))
