"""Rules on one track's media: key IDs, scheme, IVs, patterns, and whether the samples are really encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from drmkit.identifiers import KeyId
from drmkit.signaling.schemes import SCHEMES
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.check.model import Place
from drmkit.stream.entries import SampleEntry

__all__ = ["check_coverage", "check_kid", "check_media", "runs"]

_HEX = frozenset(b"0123456789abcdefABCDEF-")
_NAL = ("avc", "hvc", "hev", "dvh", "dva", "vvc")
_CTR = frozenset({"cenc", "cens"})
_USUAL = {(1, 9), (0, 0), (10, 0)}


def check_media(look: Look, collector: Collector) -> None:
    """Check one media track against itself."""
    for entry in look.media.entries:
        if entry.scheme is not None:
            _entry(look, entry, collector)
    if len({entry.scheme is None for entry in look.media.entries}) > 1:
        collector.add(
            "mixed-entries",
            "there are sample descriptions of encrypted and of clear samples",
            track=look.track.name,
            place=Place(look.place.file, box="moov/trak", byte=look.media.at),
        )
    for one in look.segments:
        _segment(look, one, collector)
    if look.media.encrypted is not None:
        check_coverage(look, collector)


def _entry(look: Look, entry: SampleEntry, collector: Collector) -> None:
    name, place = look.track.name, Place(look.place.file, box="moov/trak", byte=look.media.at)
    scheme = entry.scheme or ""
    if entry.kid is not None:
        check_kid(entry.kid, "the tenc box", collector, track=name, place=place)
    if scheme not in SCHEMES:
        collector.add("scheme-unknown", f"the scheme is {scheme!r}", track=name, place=place)
        return
    if scheme in _CTR and entry.constant_iv is not None:
        collector.add(
            "cenc-constant-iv",
            f"{scheme} has the constant IV 0x{entry.constant_iv.hex()}: all samples have one key stream",
            track=name,
            place=place,
        )
    if scheme == "cbcs" and entry.constant_iv is None:
        collector.add("cbcs-iv-per-sample", f"cbcs has IVs of {entry.iv_size} bytes each", track=name, place=place)
    _pattern(look, entry, collector, place)


def _pattern(look: Look, entry: SampleEntry, collector: Collector, place: Place) -> None:
    words = f"{entry.scheme} has the pattern {entry.pattern[0]}:{entry.pattern[1]}"
    if entry.scheme in {"cenc", "cbc1"} and entry.pattern != (0, 0):
        collector.add("pattern-wrong", words, track=look.track.name, place=place)
    elif entry.pattern[1] and not entry.pattern[0]:
        collector.add("pattern-wrong", f"{words}: nothing is encrypted", track=look.track.name, place=place)
    elif entry.scheme == "cbcs":
        usual = _USUAL if look.media.kind != "video" else {(1, 9)}
        if entry.pattern not in usual:
            collector.add("pattern-unusual", words, track=look.track.name, place=place)


def check_kid(kid: KeyId, where: str, collector: Collector, *, track: str, place: Place) -> None:
    """Check that a key ID is no placeholder and no text; text that the document has too is no mistake of a packager.

    Args:
        kid: the key ID.
        where: what names it, for the message.
        collector: takes the findings.
        track: the track's name.
        place: where it stands.
    """
    if not any(kid.raw):
        collector.add("kid-zero", f"{where} names the key ID 0", track=track, place=place)
    elif set(kid.raw) <= _HEX and kid not in collector.expected:
        collector.add(
            "kid-ascii",
            f"the key ID {kid} of {where} is text: its bytes are the characters {kid.raw.decode('ascii')!r}, "
            "the start of a key ID written in hexadecimal",
            track=track,
            place=place,
        )
    elif kid.raw.isascii() and kid.raw.decode("ascii").isprintable():
        collector.add(
            "kid-printable",
            f"the key ID {kid} of {where} is the text {kid.raw.decode('ascii')!r}"
            + (", as in the document" if kid in collector.expected else ""),
            track=track,
            place=place,
        )


def _segment(look: Look, one: Looked, collector: Collector) -> None:
    name = look.track.name
    for fragment in one.fragments:
        for rule, box, at, words in fragment.faults:
            collector.add(rule, words, track=name, place=Place(one.place.file, box=box, byte=at))
        place = Place(one.place.file, box="moof/traf", byte=fragment.at)
        entry = look.media.encrypted
        protected = [sample for sample in fragment.samples if sample.kid is not None]
        if not protected:
            continue
        missing = sum(sample.iv is None or not sample.iv for sample in protected)
        if missing and not (fragment.senc is None and fragment.has_saio):
            collector.add(
                "samples-without-iv",
                f"{missing} encrypted samples of segment {one.segment.index} have no IV",
                track=name,
                place=place,
            )
        elif missing:
            collector.add(
                "content-unchecked",
                "the sample encryption information stands outside a box senc, where it was not read",
                track=name,
                place=place,
            )
        told = any(sample.subsamples for sample in protected) or not (entry and entry.constant_iv)
        if fragment.senc is not None and not fragment.has_saio and told:
            collector.add("saio-missing", "there is senc, but not saiz and saio", track=name, place=place)
        nal = entry is not None and look.media.kind == "video" and entry.format.startswith(_NAL)
        if nal and not missing and not any(sample.subsamples for sample in protected):
            collector.add(
                "subsamples-missing",
                f"whole samples are encrypted in segment {one.segment.index}, NAL headers and all",
                track=name,
                place=place,
            )


def runs(look: Look) -> Iterator[tuple[bool, list[Looked]]]:
    """Yield the segments in runs of encrypted and clear ones; one counts as encrypted with its first such sample."""
    group: list[Looked] = []
    state: bool | None = None
    for one in look.segments:
        hidden = one.protected > 0
        if group and hidden != state:
            yield bool(state), group
            group = []
        state = hidden
        group.append(one)
    if group:
        yield bool(state), group


def check_coverage(look: Look, collector: Collector) -> None:
    """Find out whether a track that is marked as encrypted is, and from where on."""
    name = look.track.name
    parts = list(runs(look))
    if not parts:
        return
    if not any(hidden for hidden, _ in parts):
        collector.add(
            "encrypted-in-name-only",
            f"the track is marked as encrypted, and all {len(look.segments)} segments that were read are in the clear",
            track=name,
            place=look.segments[0].place,
        )
        return
    for number, (hidden, group) in enumerate(parts):
        if hidden:
            continue
        listed = ", ".join(str(one.segment.index) for one in group[:4]) + (", ..." if len(group) > 4 else "")  # noqa: PLR2004
        what = f"segment{'s' if len(group) > 1 else ''} {listed}"
        if number == 0 and group[0].segment.index == 0:
            after = parts[1][1][0].segment.index
            words = f"a clear lead: {what} of the track in the clear, segment {after} is encrypted"
            collector.add("clear-lead", words, track=name, place=group[0].place)
        else:
            collector.add("clear-part", f"{what} of the track in the clear", track=name, place=group[0].place)
    if len(look.used_kids) > 1:
        collector.add("key-rotation", f"the track has {len(look.used_kids)} keys", track=name, place=look.place)
