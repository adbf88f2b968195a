"""Decides whether a key is the one that a track was encrypted with.

The verdict is a comparison: the track is decoded strictly under the key, and under random keys. A right key gives no
error where random keys give many. How many they give depends on the codec and on how much was read, so they are what
tells when a clean result means something: the verdict is "right" only where a random key has no real chance of it.
"""

from __future__ import annotations

import math
import secrets
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.decoding import Decoder, Media, Outcome

__all__ = ["Judge", "Judgement", "chance", "decide", "spared"]

Judgement = Literal["right", "wrong", "undecided"]
_KEY_SIZE = _BLOCK = 16
_BATCH, _MOST, _MOST_PROMISING = 2, 16, 48
_LEAST_ALIKE = 4
_COUNTED = 32 * 2**20
# What chance of a random key is none, for a clean result and for one with some errors; and which is no wonder.
_NONE, _NONE_DAMAGED, _FAIR = 1e-4, 1e-6, 1e-3
_FEWEST, _SIGMAS = 5, 6.0
# The share of a random key's errors that media damaged a little has; and which any wrong key has, where samples under
# one IV fare alike, and where each fares on its own.
_DAMAGE, _SHARE_ALIKE, _SHARE = 0.05, 0.15, 0.5
# How much more than by mere chance the errors of few runs have to be taken to vary, for less than so many; and by how
# much the variation that was seen may fall short of the true one.
_VARIATION = ((4, 3.0), (8, 2.0), (12, 1.5))
_CHANCE = 1.001
# What was never seen in n tries has, with a certainty of 95 %, a chance below 3/n.
_UNSEEN = 3.0
_DOUBT = 1.5
# Formats whose decoders were seen to complain of noise and never of sound media.
_PICTURES = frozenset({"avc1", "avc3", "hvc1", "hev1", "vp09"})
_PROVEN = _PICTURES | {"mp4a", "ac-3", "ec-3", "Opus", "fLaC"}


def chance(errors: int, counts: Sequence[int]) -> float:
    """Return the probability that a random key gives so few errors, where each sample fails on its own.

    The number of errors is taken to follow a negative binomial distribution: as if by chance, and scattering wider
    where one failure draws others after it.

    Args:
        errors: how many errors, or fewer.
        counts: what random keys gave.
    """
    mean = statistics.fmean(counts)
    if mean == 0:
        return 1.0
    # A spread that happens to be small in few runs must not pass for certainty.
    least = next((least for runs, least in _VARIATION if len(counts) < runs), _CHANCE)
    spread = max(least, _DOUBT * statistics.variance(counts) / mean if len(counts) > 1 else least)
    size = mean / (spread - 1)
    logs = (
        math.lgamma(size + number) - math.lgamma(size) - math.lgamma(number + 1)
        - size * math.log(spread) + number * math.log1p(-1 / spread)
        for number in range(min(errors, round(mean * 4) + 100) + 1)
    )  # fmt: skip
    return min(1.0, math.fsum(map(math.exp, logs)))


def spared(counts: Sequence[int], units: int) -> float:
    """Return the probability that a random key leaves all of so few independent units without an error.

    A picture that fails takes those with it that refer to it, so errors may be many where chances were few. The most
    that random keys gave is taken for the failure of all units.

    Args:
        counts: what random keys gave.
        units: how many samples are encrypted and begin differently.
    """
    most = max(counts)
    if units < 1 or most < 1:
        return 1.0
    missed = sum(int(units * (1 - count / most) + 0.5) for count in counts) / units
    # Units differ: some hardly ever fail, and what many keys say of them all says little of each.
    return min(1.0, (missed + _UNSEEN) / len(counts)) ** units


def _failures(outcome: Outcome, frames: int) -> int:
    """Return how often the decoder failed: with a complaint, or with a frame that is missing."""
    return max(outcome.errors, frames - outcome.frames)


def _stands_out(errors: int, counts: Sequence[int], sigmas: float) -> bool:
    """Say whether errors are far fewer than those of random keys, by their spread, however that comes about."""
    mean = statistics.fmean(counts)
    spread = max(statistics.pstdev(counts), math.sqrt(mean / 2), 0.5)
    return mean >= _FEWEST and mean - errors > sigmas * spread


def _is_telling(errors: int, counts: Sequence[int], *, pictures: bool, constant_iv: bool) -> bool:
    """Say whether random keys fail so surely that one with so few errors cannot be one of them."""
    if min(counts) < 1:
        return False
    if errors:
        # Media with a few damaged frames under the right key.
        few = pictures and errors <= _DAMAGE * statistics.fmean(counts)
        return few and chance(errors, counts) < _NONE_DAMAGED and _stands_out(errors, counts, _SIGMAS)
    if not constant_iv:
        return chance(errors, counts) < _NONE
    # Samples that begin alike then fare alike: most sound does, and pictures in which nothing moves.
    if not pictures:
        return _stands_out(errors, counts, _SIGMAS)
    return chance(errors, counts) < _NONE and _stands_out(errors, counts, _SIGMAS / 2)


def decide(
    outcome: Outcome,
    controls: Sequence[Outcome],
    *,
    form: str = "avc1",
    constant_iv: bool = False,
    units: int | None = None,
) -> Judgement:
    """Compare what a key gave with what random keys gave.

    Args:
        outcome: what the decoder made of the track under the key.
        controls: what it made of it under random keys.
        form: the format of the clear samples.
        constant_iv: whether all samples have the same IV.
        units: with a constant IV, how many samples are encrypted and begin differently; by default, all
            frames.
    """
    pictures, proven = form in _PICTURES, form in _PROVEN
    if outcome.hopeless:
        # Next to nothing came out: noise, or a decoder that cannot do it.
        return "wrong" if proven or any(not control.hopeless for control in controls) else "undecided"
    if len(controls) < (_LEAST_ALIKE if constant_iv else _BATCH) or (outcome.errors and not proven):
        return "undecided"
    counts = [_failures(control, outcome.frames) for control in controls]
    nothing = outcome.sound and all(control.hopeless for control in controls)
    telling = nothing or _is_telling(outcome.errors, counts, pictures=pictures, constant_iv=constant_iv)
    if telling and (not constant_iv or spared(counts, outcome.frames if units is None else units) < _NONE):
        return "right"
    if telling or outcome.sound or not any(counts):
        return "undecided"
    usual = outcome.errors >= (_SHARE_ALIKE if constant_iv else _SHARE) * statistics.fmean(counts)
    return "wrong" if usual or (not constant_iv and chance(outcome.errors, counts) > _FAIR) else "undecided"


@dataclass(slots=True)
class Judge:
    """Judges keys of one track.

    Attributes:
        decoder: decodes.
        media: the track.
        kid: the key ID in question.
        others: keys for the other key IDs of the files, right or not: ffmpeg stops at a key ID without one.
        format: the format of the clear samples.
        constant_iv: whether all samples have the same IV.
        random: returns so many random bytes.
    """

    decoder: Decoder
    media: Media
    kid: KeyId
    others: Mapping[KeyId, Secret[bytes]]
    format: str
    constant_iv: bool = False
    random: Callable[[int], bytes] = secrets.token_bytes
    _controls: list[Outcome] = field(default_factory=list, repr=False)
    _units: int | None = field(default=None, repr=False)

    def judge(self, key: Secret[bytes] | None) -> Judgement:
        """Judge a key; None judges the samples as they are, without decryption."""
        outcome = self._decode(key, self.media)
        if outcome is None:
            return "undecided"
        verdict = self._decide(outcome)
        while verdict == "undecided" and len(self._controls) < self._bound(outcome) and self._more():
            verdict = self._decide(outcome)
        return verdict

    def _bound(self, outcome: Outcome) -> int:
        """Return how many random keys to try: more where all that is missing is a surer measure of how they scatter."""
        counts = [_failures(control, outcome.frames) for control in self._controls]
        promising = outcome.sound and all(counts)
        if promising and self.constant_iv and counts:
            promising = spared(counts, outcome.frames if self._units is None else self._units) < _NONE
        return _MOST_PROMISING if promising else _MOST

    def quickly(self, key: Secret[bytes] | None) -> bool:
        """Say whether a key may be right, by the first segment alone."""
        outcome = self._decode(key, Media(self.media.files[:2], self.media.stream))
        return outcome is not None and outcome.sound

    def _decide(self, outcome: Outcome) -> Judgement:
        if self.constant_iv and self._units is None and self._controls and not outcome.hopeless:
            self._units = self._count_units()
        return decide(outcome, self._controls, form=self.format, constant_iv=self.constant_iv, units=self._units)

    def _count_units(self) -> int:
        """Count the samples that are encrypted and begin with another block: under one IV, equal blocks fare alike."""
        # Fewer than there are is on the safe side, and keeps what is held in memory small.
        sizes = accumulate(path.stat().st_size for path in self.media.files[1:])
        count = max(1, sum(size <= _COUNTED for size in sizes))
        media = Media(self.media.files[: 1 + count], self.media.stream)
        stored = self.decoder.samples(media, {})
        other = self.decoder.samples(media, {**self.others, self.kid: Secret(self.random(_KEY_SIZE))})
        blocks = set()
        for sample, changed in zip(stored, other, strict=False):
            at = next((at for at, (a, b) in enumerate(zip(sample, changed, strict=False)) if a != b), None)
            if at is not None:
                blocks.add(sample[at : at + _BLOCK])
        return len(blocks)

    def _more(self) -> bool:
        """Try a few more random keys, and say whether the decoder came to an end with one of them."""
        tried = (self._decode(Secret(self.random(_KEY_SIZE)), self.media) for _ in range(_BATCH))
        ended = [outcome for outcome in tried if outcome is not None]
        self._controls += ended
        return bool(ended)

    def _decode(self, key: Secret[bytes] | None, media: Media) -> Outcome | None:
        return self.decoder.decode(media, {} if key is None else {**self.others, self.kid: key})
