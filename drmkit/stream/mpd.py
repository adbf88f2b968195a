"""Makes one DASH manifest of those of one or several packager runs (ISO/IEC 23009-1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from drmkit.errors import PackagingError
from drmkit.signaling import dash, xml
from drmkit.stream.model import PlannedTrack
from drmkit.stream.naming import TrackNames, relative

__all__ = ["Placed", "codecs_by_track", "merge"]

_SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"
_ROLE = "urn:mpeg:dash:role:2011"
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_LONGEST = ("mediaPresentationDuration", "minBufferTime")


@dataclass(frozen=True, slots=True)
class Placed:
    """A track, what its files are called, and the `ContentProtection` elements that its DRM systems get."""

    planned: PlannedTrack
    names: TrackNames
    protection: tuple[str, ...] = ()


def codecs_by_track(text: bytes) -> dict[str, str]:
    """Return the codec of each track in a manifest of the packager, by the path that the manifest names."""
    root = xml.parse(text, "the packager's DASH manifest")
    return {_path(item): item.get("codecs", "") for item in root.iter(_tag("Representation"))}


def merge(manifests: Sequence[bytes], tracks: Sequence[Placed], path: str) -> bytes:
    """Return one manifest with one period that holds the adaptation sets of all manifests.

    Adaptation sets come in the order of their first tracks; their IDs and those of the representations are made
    anew. Sets of one kind that differ in their key alone are marked as switchable (ISO/IEC 23009-1, clause 5.3.3.5).
    Each set says about its key what the document says, whichever set the packager said it for.

    Args:
        manifests: what the packager wrote, run by run.
        tracks: all tracks, in the order of their `index`.
        path: where the manifest will stand below the stream's folder.

    Raises:
        PackagingError: a manifest does not hold what the packager writes.
    """
    roots = [xml.parse(text, "the packager's DASH manifest") for text in manifests]
    period = next(roots[0].iter(_tag("Period")), None)
    if period is None:
        raise PackagingError("the packager wrote a DASH manifest without a period")
    by_path = {path: place for place, item in enumerate(tracks) for path in (item.names.file, item.names.segment)}
    sets = [(_places(item, by_path), item) for root in roots for item in root.iter(_tag("AdaptationSet"))]
    sets.sort(key=lambda entry: min(entry[0].values()))
    for name in _LONGEST:
        _keep_longest(roots, name)
    _lift(period, [item for _, item in sets])
    for number, (places, item) in enumerate(sets):
        item.set("id", str(number))
        for representation, place in places.items():
            representation.set("id", str(place))
            _locate(representation, tracks[place].names, path)
        _protect(item, [tracks[place] for place in places.values()])
    _switch([item for _, item in sets])
    etree.cleanup_namespaces(roots[0], top_nsmap={"cenc": dash.CENC})
    etree.indent(roots[0])
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(roots[0], encoding="UTF-8") + b"\n"


def _places(adaptation: etree._Element, by_path: Mapping[str, int]) -> dict[etree._Element, int]:
    """Return the number of the track for each representation of an adaptation set."""
    found = {}
    for item in adaptation.iter(_tag("Representation")):
        path = _path(item)
        if path not in by_path:
            raise PackagingError(f"the packager wrote a DASH manifest with an unknown file, {path!r}")
        found[item] = by_path[path]
    if not found:
        raise PackagingError("the packager wrote a DASH manifest with an empty adaptation set")
    return found


def _path(representation: etree._Element) -> str:
    base = representation.find(_tag("BaseURL"))
    if base is not None:
        return unquote(xml.text_of(base))
    template = representation.find(_tag("SegmentTemplate"))
    return "" if template is None else template.get("media", "")


def _locate(representation: etree._Element, names: TrackNames, path: str) -> None:
    base, template = representation.find(_tag("BaseURL")), representation.find(_tag("SegmentTemplate"))
    if base is not None:
        base.text = relative(names.file, path)
    elif template is not None:
        template.set("media", relative(names.segment, path))
        if template.get("initialization") is not None:
            template.set("initialization", relative(names.init, path))


def _keep_longest(roots: Sequence[etree._Element], name: str) -> None:
    said = [text for root in roots if (text := root.get(name))]
    if said:
        roots[0].set(name, max(said, key=_seconds))


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if not match:
        raise PackagingError(f"the packager wrote a DASH manifest with the duration {text!r}")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _lift(period: etree._Element, sets: Sequence[etree._Element]) -> None:
    for item in sets:
        item.tail = None
        period.append(item)


def _protect(adaptation: etree._Element, tracks: Sequence[Placed]) -> None:
    for old in list(adaptation.iter(_tag("ContentProtection"))):
        old.getparent().remove(old)  # type: ignore[union-attr]  # it stands below the set
    uses = {item.planned.use.kid if item.planned.use else None for item in tracks}
    if len(uses) > 1:
        raise PackagingError("the packager put tracks with different keys into one DASH adaptation set")
    use = tracks[0].planned.use
    if use is None:
        return
    texts = [dash.mp4_protection([use.kid], use.scheme), *tracks[0].protection]
    place = 0
    for text in texts:
        for element in _elements(text):
            adaptation.insert(place, element)
            place += 1


def _elements(text: str) -> Iterator[etree._Element]:
    """Yield the elements of a fragment; one without a namespace stands in that of the manifest."""
    for element in list(xml.parse(f'<fragment xmlns="{dash.MPD}">{text}</fragment>', "the DASH fragment")):
        if xml.local_name(element) == "ContentProtection":
            element.tail = None
            yield element


def _switch(sets: Sequence[etree._Element]) -> None:
    """Say of each adaptation set which others a player may switch to (clause 5.3.3.5).

    The packager says so for the sets of one run, and gives several videos of a run the role "main".
    """
    groups: dict[tuple[object, ...], list[etree._Element]] = {}
    for item in sets:
        for old in [one for one in item if _is_of_one_run(one)]:
            item.remove(old)
        groups.setdefault(_likeness(item), []).append(item)
    for members in groups.values():
        for item in members if len(members) > 1 else ():
            others = ",".join(other.get("id", "") for other in members if other is not item)
            place = len(item.findall(_tag("ContentProtection")))
            item.insert(place, etree.Element(_tag("SupplementalProperty"), schemeIdUri=_SWITCHING, value=others))
            if item.get("contentType") == "video":
                item.insert(place + 1, etree.Element(_tag("Role"), schemeIdUri=_ROLE, value="main"))


def _likeness(adaptation: etree._Element) -> tuple[object, ...]:
    """Return what two adaptation sets have in common if they show the same content."""
    first = next(adaptation.iter(_tag("Representation")))
    channels = first.find(_tag("AudioChannelConfiguration"))
    return (
        adaptation.get("contentType"),
        adaptation.get("lang"),
        first.get("mimeType"),
        first.get("codecs", "").partition(".")[0],
        None if channels is None else channels.get("value"),
        tuple(sorted(role.get("value", "") for role in adaptation.iter(_tag("Role")))),
    )


def _is_of_one_run(element: etree._Element) -> bool:
    said = element.get("schemeIdUri")
    return said == _SWITCHING or (said == _ROLE and element.get("value") == "main")


def _tag(name: str) -> str:
    return f"{{{dash.MPD}}}{name}"
