"""FairPlay key URIs."""

from __future__ import annotations

import base64
import json

import pytest

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling import fairplay

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
OTHER = KeyId.from_uuid("c6294999-5f48-445f-bcce-f7e5f736d7c6")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("uuid", "skd://b4c3188b-eddd-453d-9bc2-1cbca7566239"),
        ("hex", "skd://b4c3188beddd453d9bc21cbca7566239"),
        ("base64", "skd://tMMYi+3dRT2bwhy8p1ZiOQ=="),
    ],
)
def test_each_form_names_its_key_and_no_other(form: fairplay.Form, expected: str) -> None:
    """The UUID, hexadecimal and base64 forms are written as asked, and recognized for this key ID alone."""
    assert fairplay.uri(KID, form) == expected
    assert fairplay.names(expected, KID)
    assert not fairplay.names(expected, OTHER)


def test_a_service_s_own_uri() -> None:
    """A template puts the key ID where the license service wants it."""
    made = fairplay.uri(KID, "hex", template="skd://lic.example/?keyId={kid}&v=1")
    assert made == f"skd://lic.example/?keyId={KID.hex}&v=1"
    assert fairplay.names(made.upper().replace("SKD", "skd"), KID)


def test_json_behind_base64_is_looked_into() -> None:
    """The base64 JSON form holds the content ID, the key ID and the IV in base64, in this order, and names its key."""
    made = fairplay.uri_with_json(KID, "movie 1", bytes(16))
    assert list(json.loads(base64.b64decode(made.removeprefix("skd://"))).items()) == [
        ("ContentId", "movie 1"),
        ("KeyId", KID.uuid),
        ("IV", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ]
    assert "IV" not in json.loads(base64.b64decode(fairplay.uri_with_json(KID, "m").removeprefix("skd://")))
    assert fairplay.names(made, KID)
    assert not fairplay.names(made, OTHER)
    assert not fairplay.names("skd://asset-17", KID)
    assert not fairplay.names("skd://////", KID)


@pytest.mark.parametrize("text", ["https://example.com/key", "skd://", "skd:/x", ""])
def test_other_uris_are_refused(text: str) -> None:
    """What does not start with skd://, or stops there, is no FairPlay key URI."""
    with pytest.raises(SignalingError, match="is no FairPlay key URI"):
        fairplay.identifier(text)
    assert fairplay.identifier("SKD://x") == "x"


@pytest.mark.parametrize(("form", "template"), [("base32", None), ("uuid", "skd://x"), ("uuid", "https://x/{kid}")])
def test_unknown_forms_and_useless_templates_are_refused(form: str, template: str | None) -> None:
    """A form that does not exist, a template without the key ID or of another scheme is refused."""
    with pytest.raises(SignalingError, match=r"not as 'base32'|must start with skd:// and hold \{kid\}"):
        fairplay.uri(KID, form, template=template)  # type: ignore[arg-type]  # wrong on purpose
