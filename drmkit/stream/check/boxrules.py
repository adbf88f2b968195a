"""Rules on PSSH boxes, of manifest and media: whose key they name, for which scheme, and whether they can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.secret import Secret
from drmkit.signaling import protobuf
from drmkit.signaling.describe import describe
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import SCHEMES, is_cbc
from drmkit.signaling.wrmheader import WrmHeader
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.mediarules import check_kid
from drmkit.stream.check.model import Place

__all__ = ["Context", "Placed", "check_boxes"]

_KEY_IDS = 2
_KEY_SIZE = 16


@dataclass(frozen=True, slots=True)
class Placed:
    """A PSSH box and where it stands; `where` is that in words, such as "the init segment"."""

    box: PsshBox
    place: Place
    where: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a track's boxes are compared with.

    Attributes:
        track: the track's name.
        kids: the key IDs of its media.
        scheme: its scheme, or None where it is not known.
        owners: for each key ID of the stream, the name of a track that it protects.
        keys: the content keys that are known, for checksums.
    """

    track: str
    kids: Sequence[KeyId]
    scheme: str | None
    owners: Mapping[KeyId, str]
    keys: Mapping[KeyId, Secret[bytes]]


def check_boxes(boxes: Iterable[Placed], context: Context, collector: Collector) -> None:
    """Check the boxes that stand together for one track: those of its initialization segment, or of its manifest.

    Args:
        boxes: the boxes.
        context: what they are compared with.
        collector: takes the findings.
    """
    groups: dict[str, list[Placed]] = {}
    for item in boxes:
        groups.setdefault(item.box.system_id, []).append(item)
    for system_id, group in groups.items():
        readable = [(item, kids) for item in group if (kids := _read(item, context, collector)) is not None]
        if readable:
            _names(readable, context, collector)
        if len({item.box.to_bytes() for item in group}) > 1:
            collector.add(
                "pssh-repeated",
                f"{len(group)} different boxes of {system_name(system_id)} stand in {group[0].where}",
                track=context.track,
                place=group[1].place,
            )


def _read(item: Placed, context: Context, collector: Collector) -> tuple[KeyId, ...] | None:
    """Return the key IDs of a box; None where it cannot be read."""
    name = system_name(item.box.system_id)
    try:
        words = describe(item.box)
    except SignalingError as error:
        if not _text_kids(item, context, collector):
            collector.add(
                "pssh-broken", f"the box of {name} in {item.where}: {error.message}", track=context.track,
                place=item.place, hint=error.hint,
            )  # fmt: skip
        return None
    for kid in words.key_ids:
        check_kid(kid, f"the box of {name} in {item.where}", collector, track=context.track, place=item.place)
    if item.box.system is DrmSystem.PLAYREADY:
        for header in PlayReadyObject.parse(item.box.data).headers:
            _header(header, item, context, collector)
    elif words.scheme and context.scheme in SCHEMES and words.scheme != context.scheme:
        collector.add(
            "pssh-scheme",
            f"the box of {name} in {item.where} is for {words.scheme}, the track is {context.scheme}",
            track=context.track,
            place=item.place,
        )
    return words.key_ids


def _text_kids(item: Placed, context: Context, collector: Collector) -> bool:
    """Find key IDs of a Widevine box that were written as text, which is why it cannot be read."""
    if item.box.system is not DrmSystem.WIDEVINE:
        return False
    found = False
    try:
        for field in protobuf.fields(item.box.data):
            value = field.value
            if field.number == _KEY_IDS and isinstance(value, bytes) and _is_text(value):
                found = True
                collector.add(
                    "kid-ascii",
                    f"the box of Widevine in {item.where} has the text {value.decode('ascii')!r} for a key ID",
                    track=context.track,
                    place=item.place,
                )
    except SignalingError:
        return found
    return found


def _is_text(value: bytes) -> bool:
    try:
        text = value.decode("ascii")
        KeyId.from_uuid(text) if "-" in text else KeyId.from_hex(text)
    except (UnicodeDecodeError, IdentifierError):
        return False
    return True


def _header(header: WrmHeader, item: Placed, context: Context, collector: Collector) -> None:
    for problem in header.problems:
        collector.add(
            "playready-header", f"the header in {item.where}: {problem}", track=context.track, place=item.place
        )
    for key in header.keys:
        algorithm = key.algorithm
        if algorithm and context.scheme in SCHEMES and (algorithm == "AESCBC") != is_cbc(context.scheme):
            collector.add(
                "playready-algorithm",
                f"the header in {item.where} names {algorithm}, the track is {context.scheme}",
                track=context.track,
                place=item.place,
            )
        known = context.keys.get(key.kid)
        if known is not None and key.checksum and len(known.reveal()) == _KEY_SIZE:
            _checksum(key.checksum == _expected(key.kid, known), item, context, collector, key.kid)


def _expected(kid: KeyId, key: Secret[bytes]) -> bytes:
    from drmkit.signaling.wrmheader import checksum  # noqa: PLC0415

    return checksum(kid, key)


def _checksum(same: bool, item: Placed, context: Context, collector: Collector, kid: KeyId) -> None:
    if not same:
        collector.add(
            "playready-checksum",
            f"the CHECKSUM for {kid} in {item.where} is not that of the key that was given",
            track=context.track,
            place=item.place,
        )


def _names(group: list[tuple[Placed, tuple[KeyId, ...]]], context: Context, collector: Collector) -> None:
    """Check that the boxes of one system name the keys of the track."""
    named = [kid for _, kids in group for kid in kids]
    item, first = group[0]
    if not context.kids or not named:
        return
    system = system_name(item.box.system_id)
    playready = item.box.system is DrmSystem.PLAYREADY
    # Of several PlayReady Objects players take the first.
    candidates = list(first) if playready else named
    if any(kid in context.kids for kid in candidates):
        return
    swapped = [kid for kid in context.kids if KeyId(kid.guid_le) in candidates]
    listed = ", ".join(_owned(kid, context) for kid in candidates[:3])
    words = f"the box of {system} in {item.where} names {listed}, the key ID of the track is {context.kids[0]}"
    if swapped:
        rule, words = "pssh-byte-order", f"{words}: the same bytes in the wrong order"
    elif playready and any(context.owners.get(kid, context.track) != context.track for kid in candidates):
        rule = "playready-shared"
    else:
        rule = "pssh-kid"
    collector.add(rule, words, track=context.track, place=item.place)


def _owned(kid: KeyId, context: Context) -> str:
    owner = context.owners.get(kid)
    return f"{kid} (the key of {owner})" if owner and owner != context.track else str(kid)
