"""Fresh keys from a random generator that the test holds."""

from __future__ import annotations

import pytest

from drmkit.errors import ConfigurationError
from drmkit.keys import generation


def _ones(size: int) -> bytes:
    return b"\xff" * size


def test_a_key_id_is_a_random_uuid() -> None:
    """A fresh key ID is a UUID of version 4 and variant 1, all other bits random."""
    assert generation.key_id(_ones).uuid == "ffffffff-ffff-4fff-bfff-ffffffffffff"
    assert generation.key_id() != generation.key_id()


def test_keys_and_seeds_have_their_sizes_and_do_not_print() -> None:
    """A key has 16 bytes, a seed 30 or as many as asked; both are Secrets."""
    assert generation.content_key(_ones).reveal() == _ones(16)
    assert generation.seed(random=_ones).reveal() == _ones(30)
    assert len(generation.seed(64).reveal()) == 64
    assert "f" not in repr(generation.content_key(_ones)).replace("Secret", "")
    with pytest.raises(ConfigurationError, match="at least 30 bytes, not 29"):
        generation.seed(29)


@pytest.mark.parametrize("size", [8, 16])
def test_an_iv_has_8_or_16_bytes(size: int) -> None:
    """Common Encryption knows two sizes of initialization vectors."""
    assert generation.content_iv(size, _ones) == _ones(size)
    with pytest.raises(ConfigurationError, match="8 or 16 bytes, not 12"):
        generation.content_iv(12)
