"""Media quality inspection: the preset templates, the task, and what it may say.

    inspection_task("picture")        # or 40

Source: *Integration Tutorials* of Media Processing Service, "Media Quality Inspection Integration", and the field
`Definition` of AiQualityControlTaskInput in the API's reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from drmkit.mps.findings import Finding
from drmkit.mps.models.smart import AiQualityControlTaskInput
from drmkit.mps.presets import find_preset

__all__ = ["INSPECTIONS", "Inspection", "check_inspection", "find_inspection", "inspection_task"]


class Inspection(msgspec.Struct, frozen=True):
    """A preset template of media quality inspection.

    Attributes:
        definition: its number.
        name: what it is called here.
        meaning: what it looks at.
    """

    definition: int
    name: str
    meaning: str


INSPECTIONS = {
    item.name: item
    for item in (
        Inspection(10, "all", "everything: format, picture, sound, score"),
        Inspection(20, "format", "format diagnosis alone"),
        Inspection(30, "score", "no-reference quality score alone"),
        Inspection(40, "picture", "picture and sound quality alone: mosaic, blur, black screen, mute, ..."),
    )
}
"""The preset templates, by name."""


def find_inspection(name: str | int) -> int:
    """Return the number of a template: a number is taken as it is, a name is looked up.

    Raises:
        JobError: no such name.
    """
    presets = {item.name: item.definition for item in INSPECTIONS.values()}
    return find_preset(name, presets, what="quality inspection", offered=INSPECTIONS)


def inspection_task(template: str | int) -> AiQualityControlTaskInput:
    """Return a task that inspects the quality of a file or a live stream.

    Args:
        template: a name, or a number (templates of your own are made with CreateQualityControlTemplate).

    Raises:
        JobError: no such name.
    """
    return AiQualityControlTaskInput(definition=find_inspection(template))


def check_inspection(task: AiQualityControlTaskInput, path: str) -> Iterator[Finding]:
    """Yield what is wrong about a quality inspection task."""
    if not task.definition:
        yield Finding(f"{path}.Definition", "is missing", "write 10 (all), 20 (format), 30 (score) or 40 (picture)")
    if task.channel_ext_para:
        try:
            json.loads(task.channel_ext_para)
        except (ValueError, RecursionError):
            yield Finding(f"{path}.ChannelExtPara", "is not JSON", 'write JSON text such as {"OutputDir":"/out/"}')
