"""Key IDs and DRM systems: every written form round-trips, and none is guessed."""

from __future__ import annotations

import base64
import copy
import pickle
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import IdentifierError
from drmkit.identifiers import DrmSystem, KeyId, system_name

sixteen = st.binary(min_size=16, max_size=16)
TEXT = "0DC3EC4F-7683-548B-81E7-3C64E582E136"


@given(sixteen)
def test_every_form_round_trips(raw: bytes) -> None:
    """Bytes, hexadecimal, UUID (text, either case, object), base64 and the GUID order all lead back to the key ID."""
    kid = KeyId(raw)
    assert KeyId.from_bytes(raw) == kid
    assert KeyId.from_hex(kid.hex) == KeyId.from_hex(kid.hex.upper()) == kid
    assert KeyId.from_uuid(kid.uuid) == KeyId.from_uuid(kid.uuid.upper()) == kid
    assert KeyId.from_uuid(uuid.UUID(bytes=raw)) == kid
    assert KeyId.from_base64(kid.base64) == kid
    assert KeyId.from_guid_le(kid.guid_le) == kid


@given(sixteen)
def test_forms_agree_with_the_standard_library(raw: bytes) -> None:
    """Each form is what `uuid` and `base64` make of the same bytes."""
    kid, other = KeyId(raw), uuid.UUID(bytes=raw)
    assert (kid.hex, kid.uuid, kid.guid_le) == (other.hex, str(other), other.bytes_le)
    assert kid.base64 == base64.b64encode(raw).decode()
    assert (str(kid), repr(kid)) == (str(other), f"KeyId('{other}')")


@given(sixteen, sixteen)
def test_order_equality_and_hash_are_those_of_the_bytes(left: bytes, right: bytes) -> None:
    """Key IDs compare and hash by their bytes."""
    assert (KeyId(left) == KeyId(right)) == (left == right)
    assert (KeyId(left) < KeyId(right)) == (left < right)
    assert (KeyId(left) >= KeyId(right)) == (left >= right)
    assert len({KeyId(left), KeyId(bytes(left))}) == 1


def test_a_key_id_equals_nothing_else() -> None:
    """A key ID is not its text, and has no order among other things."""
    kid = KeyId(bytes(16))
    assert kid != kid.uuid
    assert kid != bytes(16)
    with pytest.raises(TypeError):
        _ = kid < bytes(16)  # type: ignore[operator] # the refusal is the point


@given(sixteen)
def test_copies_and_pickles_are_equal(raw: bytes) -> None:
    """A key ID survives copying and pickling."""
    kid = KeyId(raw)
    assert copy.deepcopy(kid) == copy.copy(kid) == pickle.loads(pickle.dumps(kid)) == kid


def test_a_key_id_does_not_change() -> None:
    """Neither setting nor deleting works, so a key ID is a safe dictionary key."""
    kid = KeyId(bytes(16))
    with pytest.raises(AttributeError, match="does not change"):
        kid.raw = bytes(16)
    with pytest.raises(AttributeError, match="does not change"):
        del kid.raw
    assert kid.raw == bytes(16)


@pytest.mark.parametrize(
    ("make", "value", "reason"),
    [
        (KeyId, b"", "16 bytes, not 0"),
        (KeyId, bytes(15), "16 bytes, not 15"),
        (KeyId, bytes(17), "16 bytes, not 17"),
        (KeyId, bytearray(16), "16 bytes, not bytearray"),
        (KeyId, TEXT, "16 bytes, not str"),
        (KeyId.from_bytes, b"0dc3ec4f7683548b81e73c64e582e136", "16 bytes, not 32"),
        (KeyId.from_guid_le, bytes(15), "16 bytes, not 15"),
        (KeyId.from_hex, TEXT, "32 digits without dashes"),
        (KeyId.from_hex, "0dc3ec4f7683548b81e73c64e582e13", "32 digits"),
        (KeyId.from_hex, "0x0dc3ec4f7683548b81e73c64e582e1", "32 digits"),
        (KeyId.from_hex, "0dc3ec4f7683548b81e73c64e582e136\n", "32 digits"),
        (KeyId.from_hex, "\u0660dc3ec4f7683548b81e73c64e582e136", "32 digits"),
        (KeyId.from_uuid, TEXT.replace("-", ""), "8-4-4-4-12"),
        (KeyId.from_uuid, f"{{{TEXT}}}", "8-4-4-4-12"),
        (KeyId.from_uuid, f"urn:uuid:{TEXT}", "8-4-4-4-12"),
        (KeyId.from_uuid, f" {TEXT}", "8-4-4-4-12"),
        (KeyId.from_uuid, "", "8-4-4-4-12"),
        (KeyId.from_base64, "", "16 bytes, not 0"),
        (KeyId.from_base64, "DcPsT3aDVIuB5zxk5YLhNg", "24 characters of the standard alphabet"),
        (KeyId.from_base64, "DcPsT3aDVIuB5zxk5YLhN_==", "24 characters of the standard alphabet"),
        (KeyId.from_base64, "DcPsT3aDVIuB5zxk5YLhNg==\n", "24 characters of the standard alphabet"),
        (KeyId.from_base64, "DcPsT3aDVIuB5zxk5YLhÑg==", "24 characters of the standard alphabet"),
        (KeyId.from_base64, "DcPsT3aDVIuB5zxk5YLh", "16 bytes, not 15"),
    ],
)
def test_a_wrong_form_is_refused_with_the_right_one(make: Callable[[Any], KeyId], value: Any, reason: str) -> None:
    """Each constructor takes its own form alone, and its refusal names that form."""
    with pytest.raises(IdentifierError, match=reason) as caught:
        make(value)
    assert caught.value.exit_code == 2


def test_the_same_key_id_in_its_right_forms_is_accepted() -> None:
    """The benign twins of the refused forms."""
    assert KeyId.from_base64("DcPsT3aDVIuB5zxk5YLhNg==") == KeyId.from_uuid(TEXT)
    assert KeyId.from_hex("0dc3ec4f7683548b81e73c64e582e136") == KeyId.from_uuid(TEXT)


@pytest.mark.parametrize("make", [KeyId.from_hex, KeyId.from_uuid, KeyId.from_base64])
def test_a_refusal_never_shows_the_key_of_a_pair(make: Callable[[str], KeyId]) -> None:
    """Who passes a whole `KID:KEY` pair reads back the KID, not the key; long input is cut."""
    pair = "0dc3ec4f7683548b81e73c64e582e136:cAnArY0123456789cAnArY0123456789"
    with pytest.raises(IdentifierError, match="0dc3ec4f7683548b81e73c64e582e136") as caught:
        make(pair)
    assert "cAnArY" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("system", DrmSystem)
def test_a_system_is_found_by_its_id_in_every_form(system: DrmSystem) -> None:
    """Text in either case and the 16 bytes find the system, which has a label."""
    assert DrmSystem.find(system.system_id) is system
    assert DrmSystem.find(system.system_id.upper()) is system
    assert DrmSystem.find(system.system_id_bytes) is system
    assert system_name(system.system_id.upper()) == system.label


def test_system_ids_are_those_registered() -> None:
    """The IDs that everybody uses, and no ID or label twice."""
    assert DrmSystem.WIDEVINE.system_id == "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
    assert DrmSystem.PLAYREADY.system_id_bytes.hex() == "9a04f07998404286ab92e65be0885f95"
    assert DrmSystem.FAIRPLAY.label == "FairPlay"
    assert len({system.system_id for system in DrmSystem}) == len({system.label for system in DrmSystem})
    assert all(str(uuid.UUID(system.system_id)) == system.system_id for system in DrmSystem)


@pytest.mark.parametrize("unknown", ["", "widevine", "00000000-0000-0000-0000-000000000000", b"", bytes(15), bytes(16)])
def test_an_unknown_system_is_none(unknown: str | bytes) -> None:
    """What is no known system ID, of whatever length, is not found; it is no error."""
    assert DrmSystem.find(unknown) is None


def test_an_unknown_system_goes_by_its_id() -> None:
    """A system without a name is shown by its ID, in lower case."""
    assert system_name("ABCDEF00-0000-0000-0000-000000000000") == "abcdef00-0000-0000-0000-000000000000"
