"""Decides whether a key is the one that a track was encrypted with.

The verdict is a comparison: the track is decoded strictly under the key, and under random keys. A right key gives no
error where random keys give many. How many they give depends on the codec and on how much was read, so they are what
tells when a clean result means something.
"""

from __future__ import annotations

import math
import secrets
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.decoding import Decoder, Media, Outcome

__all__ = ["Judge", "Judgement", "decide", "is_telling"]

Judgement = Literal["right", "wrong", "undecided"]
_KEY_SIZE = 16
_BATCH, _MOST = 4, 16
_PLENTY = 5
_ENOUGH = 12
_SIGMAS, _SURE = 3.0, 6.0
_SHARE = 0.15
# Formats whose decoders were seen to complain of noise and never of sound media.
_PICTURES = frozenset({"avc1", "avc3", "hvc1", "hev1", "vp09"})
_PROVEN = _PICTURES | {"mp4a", "ac-3", "ec-3", "Opus", "fLaC"}


def _surplus(errors: int, controls: list[Outcome]) -> float:
    """Return by how many standard deviations random keys give more errors than these."""
    counts = [control.errors for control in controls]
    mean = statistics.fmean(counts)
    # A spread that happens to be small in few runs must not pass for certainty.
    return (mean - errors) / max(statistics.pstdev(counts), math.sqrt(mean / 2), 0.5)


def is_telling(controls: list[Outcome], *, pictures: bool = True) -> bool:
    """Say whether random keys fail so surely that a key without any error cannot be one of them.

    Args:
        controls: what the decoder made of the track under random keys.
        pictures: whether it is video, whose frames fail independently of each other. Of audio with a constant IV, all
            frames may fare alike.
    """
    if len(controls) < _BATCH:
        return False
    if all(control.hopeless for control in controls):
        return True
    counts = [control.errors for control in controls]
    if min(counts) < 1:
        return False
    if pictures and len(counts) >= _ENOUGH and statistics.fmean(counts) >= _PLENTY:
        return True
    return statistics.fmean(counts) >= _PLENTY and _surplus(0, controls) > _SIGMAS


def decide(outcome: Outcome, controls: list[Outcome], *, form: str = "avc1") -> Judgement:
    """Compare what a key gave with what random keys gave.

    Args:
        outcome: what the decoder made of the track under the key.
        controls: what it made of it under random keys.
        form: the format of the clear samples.
    """
    pictures, proven = form in _PICTURES, form in _PROVEN
    if outcome.sound:
        return "right" if is_telling(controls, pictures=pictures) else "undecided"
    if outcome.hopeless:
        # Nothing came out: noise, or a decoder that cannot do it.
        return "wrong" if proven or any(not control.hopeless for control in controls) else "undecided"
    if not proven or not controls:
        return "undecided"
    # Media with a few damaged frames under the right key.
    if pictures and is_telling(controls) and _surplus(outcome.errors, controls) > _SURE:
        return "right"
    mean = statistics.fmean(control.errors for control in controls)
    return "wrong" if outcome.errors >= max(1.0, _SHARE * mean) else "undecided"


@dataclass(slots=True)
class Judge:
    """Judges keys of one track.

    Attributes:
        decoder: decodes.
        media: the track.
        kid: the key ID in question.
        others: keys for the other key IDs of the files, right or not: ffmpeg stops at a key ID without one.
        format: the format of the clear samples.
        random: returns so many random bytes.
    """

    decoder: Decoder
    media: Media
    kid: KeyId
    others: Mapping[KeyId, Secret[bytes]]
    format: str
    random: Callable[[int], bytes] = secrets.token_bytes
    _controls: list[Outcome] = field(default_factory=list)

    def judge(self, key: Secret[bytes] | None) -> Judgement:
        """Judge a key; None judges the samples as they are, without decryption."""
        outcome = self._decode(key, self.media)
        if outcome is None:
            return "undecided"
        verdict: Judgement = decide(outcome, self._controls, form=self.format) if self._controls else "undecided"
        while verdict == "undecided" and self._more():
            verdict = decide(outcome, self._controls, form=self.format)
        return verdict

    def quickly(self, key: Secret[bytes] | None) -> bool:
        """Say whether a key may be right, by the first segment alone."""
        outcome = self._decode(key, Media(self.media.files[:2], self.media.stream))
        return outcome is not None and outcome.sound

    def _more(self) -> bool:
        """Take random keys: a few at first, then more, up to a bound."""
        if len(self._controls) >= _MOST:
            return False
        for _ in range(_BATCH):
            outcome = self._decode(Secret(self.random(_KEY_SIZE)), self.media)
            if outcome is None:
                return False
            self._controls.append(outcome)
        return True

    def _decode(self, key: Secret[bytes] | None, media: Media) -> Outcome | None:
        return self.decoder.decode(media, {} if key is None else {**self.others, self.kid: key})
