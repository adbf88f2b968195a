"""Secret: every way in which a value could get out by accident is shut, and the one meant is open."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.secret import MASK, Secret

CANARY = "cAnArY"

SHOWN: dict[str, Callable[[Secret[str]], str]] = {
    "str": str,
    "repr": repr,
    "f-string": lambda secret: f"{secret}",
    "f-string with repr": lambda secret: f"{secret!r}",
    "f-string with ascii": lambda secret: f"{secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 (the old way is a way too)
    "format": lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032 (likewise)
    "in a list": lambda secret: str([secret, {"key": secret}]),
    "json with default=str": lambda secret: json.dumps({"key": secret}, default=str),
    "in a dataclass": lambda secret: repr(Holder(secret)),
    "as a dictionary of a dataclass": lambda secret: repr(dataclasses.asdict(Holder(secret))),
    "a traceback": lambda secret: "".join(traceback.format_exception(ValueError(secret))),
}


@dataclasses.dataclass
class Holder:
    """Something with a secret in it."""

    key: Secret[str]


@pytest.mark.parametrize("show", SHOWN.values(), ids=list(SHOWN))
def test_no_way_of_showing_shows_it(show: Callable[[Secret[str]], str]) -> None:
    """Whatever turns a secret into text gives the mask; `reveal` gives the value."""
    secret = Secret(CANARY)
    assert CANARY not in show(secret)
    assert MASK in show(secret)
    assert secret.reveal() == CANARY


def test_the_mask_tells_nothing_of_the_length() -> None:
    """Secrets of any length look alike, and padding applies to the mask."""
    assert str(Secret("a")) == str(Secret("a" * 99)) == str(Secret(b"")) == MASK
    assert f"{Secret('a'):>12}" == f"{MASK:>12}"


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(lambda secret: pickle.dumps(secret, protocol=0), id="pickle protocol 0"),
        pytest.param(json.dumps, id="json"),
        pytest.param(msgspec.json.encode, id="msgspec"),
        pytest.param(hash, id="hash"),
        pytest.param(lambda secret: {secret: 1}, id="dictionary key"),
        pytest.param(lambda secret: secret + "x", id="concatenation"),
        pytest.param(lambda secret: "".join(iter([secret])), id="join"),
        pytest.param(list, id="iteration"),
        pytest.param(len, id="length"),
        pytest.param(vars, id="vars"),
        pytest.param(lambda secret: secret < secret, id="order"),  # noqa: PLR0124 (the comparison is the point)
    ],
)
def test_what_would_carry_it_away_is_a_type_error(leave: Callable[[Any], object]) -> None:
    """Pickling, encoding, hashing, joining and iterating are refused, without the value in the refusal."""
    with pytest.raises(TypeError) as caught:
        leave(Secret(CANARY))
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_pickling_says_what_to_do() -> None:
    """The refusal to pickle names `reveal`, which pickles."""
    with pytest.raises(TypeError, match=r"call reveal\(\)"):
        pickle.dumps(Secret(CANARY))
    assert pickle.loads(pickle.dumps(Secret(CANARY).reveal())) == CANARY


def test_a_log_record_holds_the_mask(caplog: pytest.LogCaptureFixture) -> None:
    """A secret that is logged by mistake shows its mask."""
    logging.getLogger("somewhere").error("key %s, %r", Secret(CANARY), Secret(b"cAnArY"))
    assert CANARY not in caplog.text
    assert MASK in caplog.text


@given(st.text(), st.text())
def test_equality_is_that_of_the_values(left: str, right: str) -> None:
    """Two secrets are equal exactly where their values are; lone surrogates included."""
    assert (Secret(left) == Secret(right)) == (left == right)
    assert Secret(left) == Secret(left)


@given(st.binary(), st.binary())
def test_equality_of_bytes(left: bytes, right: bytes) -> None:
    """Secret bytes compare by their bytes."""
    assert (Secret(left) == Secret(right)) == (left == right)


def test_a_secret_equals_no_plain_value() -> None:
    """A comparison with a plain value is never true: it would take variable time, and hide a missing reveal."""
    assert Secret("a") != "a"
    assert Secret(b"a") != b"a"
    assert Secret("\ud800") == Secret("\ud800")


def test_a_copy_is_the_secret_itself() -> None:
    """Copies make no second instance of the value."""
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"key": secret})["key"] is secret


def test_truth_is_that_of_the_value() -> None:
    """An empty secret is false, any other true."""
    assert not Secret("")
    assert not Secret(b"")
    assert Secret("x")


@pytest.mark.parametrize("value", [None, 7, bytearray(b"x"), ["x"]])
def test_only_text_and_bytes_are_secrets(value: Any) -> None:
    """Anything but str and bytes is refused without being shown; both of them are taken."""
    with pytest.raises(TypeError, match="a secret is str or bytes"):
        Secret(value)
    assert Secret(b"x").reveal() == b"x"


def test_the_generic_form_is_the_same_class() -> None:
    """`Secret[str](...)` makes a Secret, too."""
    assert Secret[str](CANARY) == Secret(CANARY)
