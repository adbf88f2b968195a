"""Decides whether a key is the one that a track was encrypted with.

The verdict is a comparison: the track is decoded strictly under the key, and under random keys. A right key gives no
error where random keys give many. How many they give depends on the codec and on how much was read, so they are what
tells when a clean result means something.
"""

from __future__ import annotations

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
_PLENTY, _MANY = 6, 20
_SOME, _ENOUGH = 4, 12
_SIGMAS = 3.0
_SHARE, _FEW = 0.4, 0.2
# Formats whose decoders were seen to give up on noise and never on sound media.
_PROVEN = frozenset({"avc1", "avc3", "hvc1", "hev1", "vp09", "mp4a", "ac-3", "ec-3", "Opus", "fLaC"})


def is_telling(controls: list[Outcome]) -> bool:
    """Say whether random keys fail so surely that a key without any error cannot be one of them.

    Args:
        controls: what the decoder made of the track under random keys.
    """
    if len(controls) < _SOME:
        return False
    if all(control.hopeless for control in controls):
        return True
    counts = [control.errors for control in controls]
    mean, spread = statistics.fmean(counts), statistics.pstdev(counts)
    if min(counts) < 1:
        return False
    if len(counts) >= _ENOUGH and min(counts) > 1 and mean > _PLENTY:
        return True
    # A spread that happens to be small in few runs must not pass for certainty: at least that of half a Poisson's.
    return mean >= _PLENTY and mean - _SIGMAS * max(spread, (mean / 2) ** 0.5) > 0


def decide(outcome: Outcome, controls: list[Outcome], *, proven: bool = True) -> Judgement:
    """Compare what a key gave with what random keys gave.

    Args:
        outcome: what the decoder made of the track under the key.
        controls: what it made of it under random keys.
        proven: whether the decoder is known to work at all.
    """
    if outcome.sound:
        return "right" if is_telling(controls) else "undecided"
    if outcome.hopeless:
        # Nothing came out: noise, or a decoder that cannot do it.
        return "wrong" if proven or any(not control.hopeless for control in controls) else "undecided"
    mean = statistics.fmean(control.errors for control in controls) if controls else 0.0
    if any(control.hopeless for control in controls):
        # Random keys give nothing at all, so what gives frames is no random key, though some frames are damaged.
        return "right" if outcome.frames > outcome.errors else "wrong" if proven else "undecided"
    if outcome.errors >= max(2.0, _SHARE * mean):
        return "wrong"
    # Media with a few damaged frames under the right key.
    return "right" if is_telling(controls) and mean >= _MANY and outcome.errors <= _FEW * mean else "undecided"


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
        proven = self.format in _PROVEN
        verdict: Judgement = decide(outcome, self._controls, proven=proven) if self._controls else "undecided"
        while verdict == "undecided" and self._more():
            verdict = decide(outcome, self._controls, proven=proven)
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
