"""What a seed must have: enough bytes, and no pattern that could be guessed."""

from __future__ import annotations

from itertools import pairwise

from drmkit.errors import ConfigurationError
from drmkit.secret import Secret

__all__ = ["ALGORITHMS", "MINIMUM", "check_seed", "seed_warnings"]

MINIMUM = {"playready": 30, "hkdf-sha256": 16, "speke-pbkdf2": 16}
ALGORITHMS = tuple(MINIMUM)
_MIN_DISTINCT = 8
_PERIODS = range(1, 9)
_TEST_SEED = bytes.fromhex("5d5068bec9b384ff6044867159f16d6b755544fcd5116989b1acc4278e88")
_HINT = "make one with `drmkit keys generate --seed`, or 32 bytes of any cryptographic random generator"


def check_seed(seed: bytes | Secret[bytes], algorithm: str) -> Secret[bytes]:
    """Return the seed as a Secret when it is long enough and shows no simple pattern.

    Args:
        seed: the seed's bytes.
        algorithm: playready (at least 30 bytes), hkdf-sha256 or speke-pbkdf2 (at least 16).

    Raises:
        ConfigurationError: the seed is too short, has fewer than 8 different bytes, or repeats a short pattern. The
            message says nothing of its content.
    """
    raw = seed.reveal() if isinstance(seed, Secret) else seed
    if len(raw) < MINIMUM[algorithm]:
        raise ConfigurationError(
            f"the seed has {len(raw)} bytes, and {algorithm} needs at least {MINIMUM[algorithm]}", hint=_HINT
        )
    if len(set(raw)) < _MIN_DISTINCT:
        raise ConfigurationError("the seed is predictable: it is made of only a few different bytes", hint=_HINT)
    if any(raw[period:] == raw[:-period] for period in _PERIODS):
        raise ConfigurationError("the seed is predictable: it repeats a short pattern", hint=_HINT)
    return Secret(raw)


def seed_warnings(seed: bytes | Secret[bytes]) -> tuple[str, ...]:
    """Return what is doubtful about a seed that may still be used, in sentences; empty where nothing is.

    Args:
        seed: the seed's bytes.
    """
    raw = seed.reveal() if isinstance(seed, Secret) else seed
    found = []
    if raw.startswith(_TEST_SEED):
        found.append("this is PlayReady's public test seed: everyone can derive the keys")
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    if len(steps) == 1:
        found.append("the seed counts up or down in equal steps: it is no random number")
    if len(raw) > 1 and raw.isascii() and raw.decode("ascii").isprintable():
        found.append("the seed is printable text: was it encoded, and should be decoded first?")
    return tuple(found)
