"""Rules between tracks: schemes, shared keys, IVs that are used twice, systems that some tracks lack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from drmkit.identifiers import KeyId, system_name
from drmkit.stream.check.access import Reference
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look
from drmkit.stream.check.model import Place

__all__ = ["Streams", "check_streams"]

_BLOCK = 16
_MOST = 500_000
_CTR = frozenset({"cenc", "cens"})
# The bounds between the sizes that services tell apart, in pixels.
_SIZES = (("SD", 1024 * 576), ("HD", 1920 * 1080), ("UHD", 1 << 62))


@dataclass(frozen=True, slots=True, order=True)
class _Use:
    """The counter blocks that one sample takes: the first, how many, and whose they are."""

    first: int
    blocks: int
    track: str
    segment: int
    sample: int


class Streams:
    """Remembers of every track what the rules between tracks need, while the tracks are looked into one by one."""

    def __init__(self) -> None:
        self.owners: dict[KeyId, str] = {}
        self.schemes: dict[str, list[str]] = {}
        self.systems: dict[str, tuple[str, ...]] = {}
        self.clear: list[tuple[str, Place]] = []
        self._kinds: dict[KeyId, dict[str, str]] = {}
        self._sizes: dict[KeyId, dict[str, str]] = {}
        self._uses: dict[KeyId, list[_Use]] = {}
        self._seen: set[Reference] = set()
        self._count = 0

    def add(self, look: Look, systems: Sequence[str]) -> None:
        """Take one media track and the DRM systems that are signaled for it."""
        name = look.track.name
        if look.media.encrypted is None:
            if look.media.kind in {"video", "audio"}:
                self.clear.append((name, look.place))
            return
        self.schemes.setdefault(look.scheme or "", []).append(name)
        self.systems[name] = tuple(systems)
        for kid in look.kids:
            self.owners.setdefault(kid, name)
            self._kinds.setdefault(kid, {}).setdefault(look.media.kind, name)
            if look.media.kind == "video" and look.media.width:
                pixels = look.media.width * look.media.height
                size = next(label for label, most in _SIZES if pixels <= most)
                self._sizes.setdefault(kid, {}).setdefault(size, name)
        if look.scheme in _CTR:
            self._take_ivs(look)

    def _take_ivs(self, look: Look) -> None:
        for one in look.segments:
            # Two playlists may name one segment, whose samples are then the same, not others with the same IV.
            if one.segment.media in self._seen:
                continue
            self._seen.add(one.segment.media)
            numbered = (sample for fragment in one.fragments for sample in fragment.samples)
            for number, sample in enumerate(numbered):
                if sample.kid is None or not sample.iv or self._count >= _MOST:
                    continue
                self._count += 1
                hidden = sum(part[1] for part in sample.subsamples) if sample.subsamples else max(sample.size, 0)
                first = int.from_bytes(sample.iv.ljust(_BLOCK, b"\0"), "big")
                use = _Use(first, -(-hidden // _BLOCK), look.track.name, one.segment.index, number)
                if hidden:
                    self._uses.setdefault(sample.kid, []).append(use)

    @property
    def shared_kinds(self) -> Iterable[tuple[KeyId, dict[str, str]]]:
        """The keys that protect tracks of several kinds, with one track of each."""
        return ((kid, kinds) for kid, kinds in self._kinds.items() if len(kinds) > 1)

    @property
    def shared_sizes(self) -> Iterable[tuple[KeyId, dict[str, str]]]:
        """The keys that protect pictures of several sizes, with one track of each."""
        return ((kid, sizes) for kid, sizes in self._sizes.items() if len(sizes) > 1)

    def overlaps(self) -> Iterable[tuple[KeyId, _Use, _Use, int]]:
        """Yield for each key the first two samples whose counter blocks overlap, and how many such pairs there are."""
        for kid, uses in self._uses.items():
            ordered = sorted(uses)
            pairs = [(a, b) for a, b in pairwise(ordered) if a.first + a.blocks > b.first]
            if pairs:
                yield kid, *pairs[0], len(pairs)


def check_streams(streams: Streams, collector: Collector) -> None:
    """Check the tracks of a stream against each other."""
    if len(streams.schemes) > 1:
        listed = "; ".join(f"{scheme}: {', '.join(names[:3])}" for scheme, names in streams.schemes.items())
        collector.add("scheme-mixed", f"the tracks have different schemes ({listed})")
    for kid, kinds in streams.shared_kinds:
        listed = ", ".join(f"{kind} ({name})" for kind, name in kinds.items())
        collector.add("key-shared-kinds", f"the key {kid} is for {listed}")
    for kid, sizes in streams.shared_sizes:
        listed = ", ".join(f"{size} ({name})" for size, name in sizes.items())
        collector.add("key-shared-sizes", f"the key {kid} is for {listed}")
    for kid, one, other, count in streams.overlaps():
        where = [f"sample {use.sample} of segment {use.segment} of {use.track}" for use in (one, other)]
        collector.add(
            "iv-reused",
            f"with key {kid}, {where[0]} and {where[1]} have one key stream: the IVs overlap"
            + (f" ({count} such pairs among the samples that were read)" if count > 1 else ""),
            track=one.track,
        )
    _systems(streams, collector)
    if streams.schemes:
        for name, place in streams.clear:
            collector.add("tracks-clear", "the track is in the clear beside encrypted ones", track=name, place=place)


def _systems(streams: Streams, collector: Collector) -> None:
    everywhere = dict.fromkeys(system for systems in streams.systems.values() for system in systems)
    for name, systems in streams.systems.items():
        missing = [system_name(system) for system in everywhere if system not in systems]
        if missing:
            words = f"other tracks signal {', '.join(missing)}, this one does not"
            collector.add("systems-uneven", words, track=name)
