"""Rules on DASH ContentProtection: presence, scheme, key IDs, and agreement with the media."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.signaling.schemes import SCHEMES
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look
from drmkit.stream.check.mediarules import check_kid
from drmkit.stream.check.presentation import Protection, StreamTrack

__all__ = ["check_protections"]


def check_protections(track: StreamTrack, looks: Sequence[Look], collector: Collector) -> None:
    """Check the ContentProtection elements of a track against its media.

    Args:
        track: the track.
        looks: what was found in its media; empty where nothing could be read.
        collector: takes the findings.
    """
    for item in track.protections:
        _element(track, item, collector)
    encrypted = [look for look in looks if look.media.encrypted is not None]
    if looks and not encrypted and track.protections:
        words = f"the media is in the clear, and the manifest has {len(track.protections)} ContentProtection elements"
        collector.add("mpd-protection-on-clear", words, track=track.name, place=track.protections[0].place)
    if not encrypted:
        return
    if not track.protections:
        words = "the media is encrypted, and the manifest has no ContentProtection for it"
        collector.add("mpd-protection-missing", words, track=track.name, place=track.place)
        return
    mp4 = [item for item in track.protections if item.is_mp4]
    if not mp4 and encrypted[0].container == "mp4":
        words = "no ContentProtection element is of urn:mpeg:dash:mp4protection:2011"
        collector.add("mpd-mp4protection", words, track=track.name, place=track.protections[0].place)
    for look in encrypted:
        _scheme(look, mp4, collector)
        _kids(look, mp4, collector)


def _element(track: StreamTrack, item: Protection, collector: Collector) -> None:
    read = item.element
    for kid in read.default_kids:
        check_kid(kid, "cenc:default_KID", collector, track=track.name, place=item.place)
    boxes = [box for box in read.boxes if box.system is DrmSystem.PLAYREADY]
    if read.playready is not None and boxes and boxes[0].data != read.playready.to_bytes():
        words = "mspr:pro and the PlayReady box in cenc:pssh are different objects"
        collector.add("mpd-pro-differs", words, track=track.name, place=item.place)
    for box in read.boxes:
        if read.system_id is not None and box.system_id != read.system_id:
            words = f"the element of {item.system_name} holds a PSSH box of {system_name(box.system_id)}"
            collector.add("mpd-signaling-broken", words, track=track.name, place=item.place)


def _scheme(look: Look, mp4: Sequence[Protection], collector: Collector) -> None:
    for item in mp4:
        value = item.element.value
        if value is None or value.lower() != look.scheme or value not in SCHEMES:
            said = "no value" if value is None else f"the value {value[:40]!r}"
            words = f"mp4protection has {said}, and the media is {look.scheme}"
            collector.add("mpd-scheme", words, track=look.track.name, place=item.place)


def _kids(look: Look, mp4: Sequence[Protection], collector: Collector) -> None:
    name = look.track.name
    stated = [kid for item in look.track.protections for kid in item.element.default_kids]
    if mp4 and not any(item.element.default_kids for item in mp4):
        words = "mp4protection has no cenc:default_KID"
        collector.add("mpd-kid-missing", words, track=name, place=mp4[0].place)
    if not stated:
        return
    entry = look.media.encrypted
    default = entry.kid if entry is not None else None
    for item in look.track.protections:
        listed = item.element.default_kids
        if listed and default is not None and default not in listed:
            order = ": the same bytes in the wrong order" if KeyId(default.guid_le) in listed else ""
            words = (
                f"cenc:default_KID is {', '.join(map(str, listed[:3]))}, the key ID of the media is {default}{order}"
            )
            collector.add("mpd-kid", words, track=name, place=item.place)
