"""Rules about PSSH boxes: that they parse, and agree with the DRM system, key and scheme that they stand for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

from drmkit.cpix.boxes import BoxFacts, examine
from drmkit.cpix.rows import CPD, PSSH
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.survey import Survey
from drmkit.errors import SignalingError
from drmkit.identifiers import system_name
from drmkit.signaling import dashreader, pssh

__all__: list[str] = []

_SHOWN: Final = 3
_PSSH: Final = "DASH-IF CPIX 2.4, DRMSystem element, PSSH; ISO/IEC 23001-7, clause 8.1"


@rule(
    "pssh-malformed",
    source=_PSSH,
    hint="the element holds whole PSSH boxes, in base64; the system's own data alone is no box",
)
def pssh_malformed(survey: Survey) -> Iterator[Hit]:
    """A PSSH element holds whole PSSH boxes, and data that its DRM system can read."""
    for element in survey.bad:
        if element.tag == PSSH:
            yield Hit(element, "the PSSH is not base64")
    for facts in _facts(survey):
        if facts.said.error:
            yield Hit(
                facts.row.part(PSSH), f"the PSSH of {system_name(facts.row.system)} does not parse: {facts.said.error}"
            )


@rule("pssh-system", source=_PSSH, hint="move the box to the entry of its own DRM system")
def pssh_system(survey: Survey) -> Iterator[Hit]:
    """A PSSH box has the system ID of its DRM system."""
    for facts in _facts(survey):
        for system in facts.said.systems:
            if system != facts.row.system:
                mine = system_name(facts.row.system)
                yield Hit(facts.row.part(PSSH), f"the PSSH box is for {system_name(system)}, its DRMSystem is {mine}")


@rule("pssh-key", source=_PSSH, hint="build the box for this content key")
def pssh_key(survey: Survey) -> Iterator[Hit]:
    """A PSSH box that names key IDs names that of its DRM system."""
    for facts in _facts(survey):
        named = [str(kid) for kid in facts.said.key_ids]
        if named and facts.row.kid not in named:
            shown = ", ".join(named[:_SHOWN]) + (" and others" if named[_SHOWN:] else "")
            yield Hit(facts.row.part(PSSH), f"the PSSH box is for key {shown}, its DRMSystem for {facts.row.kid}")


@rule(
    "pssh-scheme",
    source=f"{_PSSH}: aligned with @commonEncryptionScheme",
    hint="build the box for the scheme of the key",
)
def pssh_scheme(survey: Survey) -> Iterator[Hit]:
    """A PSSH box that names a protection scheme names that of its content key."""
    for facts in _facts(survey):
        if facts.said.clash:
            wanted = survey.schemes[facts.row.kid]
            message = f"the PSSH box says {facts.said.clash}, commonEncryptionScheme of key {facts.row.kid} {wanted!r}"
            yield Hit(facts.row.part(PSSH), message)


@rule(
    "pssh-mpd",
    source="DASH-IF CPIX 2.4, ContentProtectionData; ISO/IEC 23001-7, clause 11.2",
    hint="put the same box into both places",
)
def pssh_mpd(survey: Survey) -> Iterator[Hit]:
    """The box inside the data for the MPD equals the PSSH element, or at least fits its DRM system."""
    for row in survey.notable:
        raw = row.protection
        if not raw or b"pssh" not in raw or (row.pssh and base64.b64encode(row.pssh) in raw):
            continue
        try:
            boxes = dashreader.parse_fragment(raw).boxes
        except SignalingError as error:
            yield Hit(row.part(CPD), f"the box in the ContentProtectionData does not parse: {error.message}")
            continue
        if row.pssh and boxes and pssh.build(boxes) != row.pssh:
            yield Hit(row.part(CPD), "cenc:pssh in the ContentProtectionData is not the box of the PSSH element")
        for box in boxes:
            if box.system_id != row.system:
                mine = system_name(row.system)
                yield Hit(row.part(CPD), f"cenc:pssh is for {system_name(box.system_id)}, its DRMSystem is {mine}")


def _facts(survey: Survey) -> list[BoxFacts]:
    return survey.remember("boxes", examine)
