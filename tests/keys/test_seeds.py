"""Keys derived from seeds: published answers, standards, and the quality of seeds."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import ConfigurationError
from drmkit.identifiers import KeyId
from drmkit.keys import seeds
from drmkit.keys.derivation import derive
from drmkit.keys.quality import check_seed, seed_warnings
from drmkit.secret import Secret
from drmkit.signaling.wrmheader import checksum

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "playready_seed.json"
TEST_SEED = base64.b64decode("XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I")
SEED = bytes.fromhex("b7c1e4f02d936a58107fbe2c45d8913ea6f7025b8cd14e93ba60175dc8e2f431")
OTHER_SEED = SEED[::-1]
KID = KeyId.from_uuid("8ba94ade-6eb9-449d-b44f-a5beefaf43b0")
key_ids = st.binary(min_size=16, max_size=16).map(KeyId)


def _vectors(*path: str) -> list[Any]:
    if not FILE.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="../shared is absent"))]
    found: Any = json.loads(FILE.read_text("utf-8"))
    for step in path:
        found = found[step]
    return list(found)


@pytest.mark.parametrize("vector", _vectors("vectors"))
def test_playready_s_published_answers(vector: dict[str, Any]) -> None:
    """Microsoft's test seed gives the keys and checksums that others published."""
    kid = KeyId.from_uuid(vector["kid"])
    key = seeds.playready_key(TEST_SEED, kid)
    assert key.reveal().hex() == vector["key_hex"]
    assert base64.b64encode(checksum(kid, key)).decode() == vector["checksum_b64"]


@pytest.mark.parametrize(
    ("kid", "key"),
    [
        ("a1b1c1d1-a2b2-a3b3-a4b4-a5b5c5d5e5f5", "2539fa84b987416009a7fbba11b239ab"),
        ("10000000-1000-1000-1000-100000000001", "3a2a1b68dd2bd9b2eeb25e84c4776668"),
        ("10000000-1000-1000-1000-100000000002", "07e4d653cfb45c66158d93ffce422907"),
    ],
)
def test_playready_s_answers_in_dash_js(kid: str, key: str) -> None:
    """The ClearKey table of dash.js 1.x holds keys that were derived from Microsoft's test seed."""
    assert seeds.playready_key(Secret(TEST_SEED), KeyId.from_uuid(kid)).reveal().hex() == key


def test_only_the_first_30_bytes_count_for_playready() -> None:
    """A longer seed gives the keys of its first 30 bytes, as the specification says."""
    assert seeds.playready_key(TEST_SEED + b"more", KID) == seeds.playready_key(TEST_SEED, KID)


@pytest.mark.parametrize("vector", _vectors("speke_reference", "vectors"))
def test_speke_s_pbkdf2(vector: dict[str, str]) -> None:
    """The key ID's text is the password and the secret's text the salt, 5000 rounds."""
    kid = KeyId.from_uuid(vector["kid"])
    assert seeds.speke_pbkdf2_key(vector["secret"], kid).reveal().hex() == vector["key_hex"]
    assert seeds.speke_pbkdf2_key(Secret(vector["secret"].encode()), kid).reveal().hex() == vector["key_hex"]


def test_speke_s_pbkdf2_can_repeat_the_server_s_case() -> None:
    """The reference server takes the key ID's text as sent: a KeyId stands for the lower-case text, text for itself."""
    secret = Secret("drmkit-test-secret")
    assert seeds.speke_pbkdf2_key(secret, KID) == seeds.speke_pbkdf2_key(secret, KID.uuid)
    assert seeds.speke_pbkdf2_key(secret, KID) != seeds.speke_pbkdf2_key(secret, KID.uuid.upper())


def _rfc5869(seed: bytes, info: bytes) -> bytes:
    extracted = hmac.digest(bytes(32), seed, hashlib.sha256)
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)[:16]


@settings(max_examples=50)
@given(key_ids)
def test_hkdf_is_that_of_the_rfc(kid: KeyId) -> None:
    """Keys and IVs are those of RFC 5869 with SHA-256, no salt and the documented info strings."""
    assert seeds.hkdf_key(SEED, kid).reveal() == _rfc5869(SEED, b"drmkit content key v1\0" + kid.raw)
    assert seeds.hkdf_iv(SEED, kid) == _rfc5869(SEED, b"drmkit content iv v1\0" + kid.raw)


@settings(max_examples=25)
@given(key_ids, st.sampled_from(["playready", "hkdf-sha256", "speke-pbkdf2"]))
def test_key_and_iv_are_never_equal(kid: KeyId, algorithm: str) -> None:
    """With a seed for each, key and IV differ; both come out the same every time."""
    first, second = (derive(algorithm, SEED, [kid], iv_seed=Secret(OTHER_SEED))[0] for _ in range(2))
    assert first.iv is not None
    assert first.iv != first.key.reveal()
    assert (first.key, first.iv) == (second.key, second.iv)


@pytest.mark.parametrize("algorithm", ["playready", "speke-pbkdf2"])
def test_one_seed_for_keys_and_ivs_is_refused_where_they_would_be_equal(algorithm: str) -> None:
    """PlayReady's and SPEKE's algorithms do not tell keys from IVs, so that one seed would make them equal."""
    with pytest.raises(ConfigurationError, match="the key and the IV of .* would be equal"):
        derive(algorithm, SEED, [KID], iv_seed=SEED)
    found = derive("hkdf-sha256", SEED, [KID], iv_seed=SEED)[0]
    assert found.iv not in {None, found.key.reveal()}
    assert derive(algorithm, SEED, [KID])[0].iv is None


def test_an_unknown_algorithm_is_refused() -> None:
    """Only the three named algorithms exist."""
    with pytest.raises(ConfigurationError, match="unknown algorithm 'drmtoday'"):
        derive("drmtoday", SEED, [KID])


@pytest.mark.parametrize(
    ("seed", "algorithm", "reason"),
    [
        (SEED[:29], "playready", "has 29 bytes, and playready needs at least 30"),
        (SEED[:15], "hkdf-sha256", "has 15 bytes, and hkdf-sha256 needs at least 16"),
        (b"", "speke-pbkdf2", "has 0 bytes"),
        (bytes(32), "playready", "only a few different bytes"),
        (b"\1\2\3\4\5\6\7" * 6, "playready", "only a few different bytes"),
        (b"abcdefgh" * 4, "hkdf-sha256", "repeats a short pattern"),
    ],
)
def test_unfit_seeds_are_refused_without_showing_them(seed: bytes, algorithm: str, reason: str) -> None:
    """A short, constant or repeating seed is refused for every algorithm; no byte of it is in the message."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        check_seed(seed, algorithm)
    assert "abcdefgh" not in str(caught.value)
    assert check_seed(SEED, algorithm) == Secret(SEED)


@pytest.mark.parametrize("derive_one", [seeds.playready_key, seeds.hkdf_key, seeds.hkdf_iv, seeds.speke_pbkdf2_key])
def test_every_derivation_checks_its_seed(derive_one: Any) -> None:
    """No way to a key or an IV leads past the check."""
    with pytest.raises(ConfigurationError, match="predictable"):
        derive_one(bytes(32), KID)
    assert derive_one(SEED, KID)


def test_doubtful_seeds_are_told_of() -> None:
    """The public test seed, a counting seed and printable text can be used, but are worth a warning."""
    assert "public test seed" in seed_warnings(TEST_SEED)[0]
    assert "equal steps" in seed_warnings(bytes(range(32)))[0]
    assert "printable text" in seed_warnings(Secret(base64.b64encode(SEED)))[0]
    assert seed_warnings(SEED) == seed_warnings(b"") == ()


def test_derived_keys_do_not_print() -> None:
    """A derived key is a Secret, also inside its record."""
    found = derive("hkdf-sha256", SEED, [KID])[0]
    assert found.key.reveal().hex() not in repr(found)
