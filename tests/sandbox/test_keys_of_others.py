"""What the media workers make of documents that other key servers could answer."""

from __future__ import annotations

from base64 import b64encode

import pytest

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox.mps_keys import KeyFaultError, check_keys
from drmkit.signaling import playready, widevine

KID = KeyId(bytes(range(16)))
KEY = bytes(range(100, 116))


def document(*, key: bytes | None = KEY, scheme: str = "cenc", **systems: bytes | None) -> cpix.Document:
    """A document with one key, right or wrong, for the systems that are named; written without any builder's help."""
    secret = f"<pskc:PlainValue>{b64encode(key).decode()}</pskc:PlainValue>" if key else ""
    entries = "".join(
        f'<DRMSystem kid="{KID}" systemId="{DrmSystem[name].system_id}">'
        + ("" if box is None else f"<PSSH>{b64encode(box).decode()}</PSSH>")
        + "</DRMSystem>"
        for name, box in systems.items()
    )
    return cpix.parse(
        f'<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc"><ContentKeyList>'
        f'<ContentKey kid="{KID}" commonEncryptionScheme="{scheme}"><Data><pskc:Secret>{secret}</pskc:Secret></Data>'
        f"</ContentKey></ContentKeyList><DRMSystemList>{entries}</DRMSystemList></CPIX>".encode()
    )


WIDEVINE = widevine.pssh_box([KID]).to_bytes()
PLAYREADY = playready.pssh_box([KID]).to_bytes()


def test_small_right_document_is_enough() -> None:
    """One key with the box of the system that is asked for serves; other systems may be there or not."""
    check_keys(document(WIDEVINE=WIDEVINE), ["widevine"], "cenc")
    check_keys(document(WIDEVINE=WIDEVINE, PLAYREADY=PLAYREADY), ["playready"], "cenc")


def test_several_boxes_and_a_box_without_key_ids_serve() -> None:
    """Boxes of other systems may stand before the right one, and a Widevine box may name a content ID only."""
    anonymous = widevine.pssh_box([], content_id=b"movie").to_bytes()
    check_keys(document(WIDEVINE=PLAYREADY + anonymous), ["widevine"], "cenc")


@pytest.mark.parametrize(("name", "method"), [("SAMPLE-AES", "cbcs"), ("SAMPLE-AES-CTR", "cenc")])
def test_hls_method_names_count_as_schemes(name: str, method: str) -> None:
    """A scheme may be an HLS method name, as CPIX 2.3.1 allows."""
    renamed = document(scheme=name, FAIRPLAY=None)
    check_keys(renamed, ["fairplay"], method)
    with pytest.raises(KeyFaultError, match="and the task encrypts with"):
        check_keys(renamed, ["fairplay"], "cenc" if method == "cbcs" else "cbcs")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (cpix.Document.new(), "holds no content key"),
        (document(key=None, WIDEVINE=WIDEVINE), "has no value in the clear"),
        (document(key=bytes(range(32)), WIDEVINE=WIDEVINE), "has 32 bytes instead of 16"),
        (document(), "has no Widevine entry"),
        (document(PLAYREADY=PLAYREADY), "has no Widevine entry"),
        (document(WIDEVINE=None), "has no Widevine PSSH box"),
        (document(WIDEVINE=b""), "has no Widevine PSSH box"),
        (document(WIDEVINE=PLAYREADY), "holds another system's PSSH box"),
        (document(WIDEVINE=WIDEVINE[:-1]), "cannot be read"),
        (document(WIDEVINE=widevine.pssh_box([KeyId(bytes(16))]).to_bytes()), "names another key"),
        (document(WIDEVINE=widevine.pssh_box([KID], "cbcs").to_bytes()), "is not for cenc"),
    ],
)
def test_documents_that_do_not_serve(found: cpix.Document, reason: str) -> None:
    """Each way in which a document does not serve a Widevine task is told apart, without any key in the words."""
    with pytest.raises(KeyFaultError, match=reason) as refused:
        check_keys(found, ["widevine"], "cenc")
    assert KEY.hex() not in str(refused.value)


def test_playready_header_is_looked_into() -> None:
    """A PlayReady header must name the key, and the algorithm of the method unless it leaves it open."""
    with pytest.raises(KeyFaultError, match="is not for cenc"):
        check_keys(document(PLAYREADY=playready.pssh_box([KID], "cbcs").to_bytes()), ["playready"], "cenc")
    other = playready.pssh_box([KeyId(bytes(16))]).to_bytes()
    with pytest.raises(KeyFaultError, match="names another key"):
        check_keys(document(PLAYREADY=other), ["playready"], "cenc")
