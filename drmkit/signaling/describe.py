"""Says what a PSSH box holds, in words and in fields that every system shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.signaling import encodings
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.widevine import WidevineData
from drmkit.signaling.wrmheader import WrmHeader

__all__ = ["BoxDescription", "describe"]

# "PlayReady Header Specification", section 2.
_LARGEST_OBJECT = 15 * 1024
# What newer boxes hold for entitlement keys; drmkit keeps these fields as they are.
_LATER = {11: "type", 12: "key sequence", 13: "group ID", 14: "entitled key", 15: "video feature"}
_YES_NO: dict[bool | None, str] = {True: "yes", False: "no"}
_SCHEMES = {"AESCTR": "cenc", "AESCBC": "cbcs"}


@dataclass(frozen=True, slots=True)
class BoxDescription:
    """What a PSSH box says.

    Args:
        system: the system's name, or its ID where drmkit knows no name.
        system_id: the system's ID, a lower-case UUID.
        version: of the box.
        key_ids: the key IDs of the box and of its data, each once, in their order.
        scheme: the protection scheme, or None where the box names none. PlayReady names only a cipher mode; AESCTR
            stands for cenc and AESCBC for cbcs, the schemes that PlayReady clients play.
        data: the system's own bytes.
        details: (name, value) of everything else, for people.
    """

    system: str
    system_id: str
    version: int
    key_ids: tuple[KeyId, ...]
    scheme: str | None
    data: bytes
    details: tuple[tuple[str, str], ...]


def describe(box: PsshBox) -> BoxDescription:
    """Describe a PSSH box; the data of a system that drmkit does not read stays bytes.

    Raises:
        SignalingError: the data of a Widevine or PlayReady box does not parse.
    """
    inside: tuple[KeyId, ...] = ()
    scheme: str | None = None
    details: Iterable[tuple[str, str]] = ()
    if box.system is DrmSystem.WIDEVINE:
        widevine = WidevineData.parse(box.data)
        inside, scheme = widevine.key_ids, widevine.scheme
        details = _widevine(widevine)
    elif box.system is DrmSystem.PLAYREADY:
        playready = PlayReadyObject.parse(box.data)
        headers = playready.headers
        inside = tuple(kid for header in headers for kid in header.key_ids)
        scheme = next(_schemes(headers), None)
        details = _playready(playready, headers, len(box.data))
    return BoxDescription(
        system_name(box.system_id),
        box.system_id,
        box.version,
        tuple(dict.fromkeys((*box.key_ids, *inside))),
        scheme,
        box.data,
        (*details, *_contradiction(box.key_ids, inside)),
    )


def _contradiction(listed: tuple[KeyId, ...], inside: tuple[KeyId, ...]) -> Iterator[tuple[str, str]]:
    """Say where a box of version 1 lists other key IDs than its data, as one in the wrong byte order does."""
    if listed and inside and set(listed) != set(inside):
        turned = {KeyId(kid.guid_le) for kid in listed} == set(inside)
        why = ": they are in GUID byte order, and should be in network order" if turned else ""
        yield "problem", f"the box lists other key IDs than its data{why}"


def _schemes(headers: tuple[WrmHeader, ...]) -> Iterator[str]:
    for header in headers:
        for key in header.keys:
            if key.algorithm in _SCHEMES:
                yield _SCHEMES[key.algorithm]


def _widevine(data: WidevineData) -> Iterator[tuple[str, str]]:
    for name, value in (
        ("provider", data.provider),
        ("content ID", None if data.content_id is None else _octets(data.content_id)),
        ("policy", data.policy),
        ("track type", data.track_type),
        ("algorithm", data.algorithm),
        ("crypto period index", data.crypto_period_index),
        ("crypto period seconds", data.crypto_period_seconds),
        ("grouped license", None if data.grouped_license is None else f"{len(data.grouped_license)} bytes"),
    ):
        if value is not None:
            yield name, str(value)
    if data.protection_scheme is not None and data.scheme is None:
        yield "protection scheme", f"unknown (0x{data.protection_scheme:08x})"
    for number, raw in data.unknown:
        yield f"field {number} ({_LATER[number]})" if number in _LATER else f"unknown field {number}", raw.hex()


def _playready(playready: PlayReadyObject, headers: tuple[WrmHeader, ...], size: int) -> Iterator[tuple[str, str]]:
    for header in headers:
        yield "header version", header.version
        for key in header.keys:
            check = "no checksum" if key.checksum is None else f"checksum {encodings.to_base64(key.checksum)}"
            yield f"key {key.kid}", f"{key.algorithm or 'no algorithm'}, {check}"
        for name, value in (
            ("license URL", header.la_url),
            ("license page", header.lui_url),
            ("domain service", header.ds_id),
            ("custom attributes", header.custom_attributes),
            ("licenses on demand", "yes" if header.on_demand else None),
            ("license requested", _YES_NO.get(header.license_requested)),
        ):
            if value is not None:
                yield name, str(value)
        yield from (("problem", problem) for problem in header.problems)
    if playready.license_store is not None:
        yield "embedded license store", f"{len(playready.license_store)} bytes"
    if size > _LARGEST_OBJECT:
        yield "problem", f"the PlayReady Object has {size} bytes, and should have at most {_LARGEST_OBJECT}"


def _octets(raw: bytes) -> str:
    if raw.isascii() and raw.decode("ascii").isprintable():
        return f"{raw.decode('ascii')!r}"
    return f"0x{raw.hex()}"
