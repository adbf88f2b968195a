"""Decrypting documents: what opens, what is refused for which reason, and that nothing leaves a document that fails."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signers import KEYS, KIDS, clear_document, encrypted_document, pair, vector, vector_key

from drmkit import cpix
from drmkit.cpix.ciphers import macs_of, open_keys_cbc, seal_key
from drmkit.cpix.schema import DS, ENC, PSKC
from drmkit.errors import (
    DecryptionError,
    DrmkitError,
    EncryptionStructureError,
    MissingMacError,
    NotRecipientError,
    PlainKeyError,
    WrongKeyError,
    WrongMacError,
)
from drmkit.secret import Secret

C = "{urn:dashif:org:cpix}"
P = f"{{{PSKC}}}"
E = f"{{{ENC}}}"
D = f"{{{DS}}}"
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
Change = Callable[[etree._Element], object]


def changed(change: Change, *, version: str = "2.3", separate: bool = False) -> cpix.Document:
    """An encrypted document after a change of its tree, written and read again."""
    document = cpix.encrypt(clear_document(version), [pair().der], separate_keys=separate)
    change(document.root)
    return cpix.parse(document.to_xml())


def values(document: cpix.Document, name: str = "anna") -> list[bytes]:
    """The content keys that a recipient reads from a document."""
    return [value.reveal() for value in cpix.open_keys(document, pair(name).key).values()]


def first(root: etree._Element, path: str) -> etree._Element:
    """The first element on a path; it must be there."""
    found = root.find(path)
    assert found is not None
    return found


def remove(path: str) -> Change:
    """A change that takes away the first element on a path."""
    return lambda root: first(root, path).getparent().remove(first(root, path))


def double(path: str) -> Change:
    """A change that repeats the first element on a path."""
    return lambda root: first(root, path).addnext(etree.fromstring(etree.tostring(first(root, path), with_tail=False)))


def put(path: str, name: str, value: str) -> Change:
    """A change that sets an attribute of the first element on a path."""
    return lambda root: first(root, path).set(name, value)


def text(path: str, value: str) -> Change:
    """A change that sets the text of the first element on a path."""
    return lambda root: setattr(first(root, path), "text", value)


def add_plain(root: etree._Element) -> None:
    """Put a key in the clear beside the encrypted value of the first content key."""
    etree.SubElement(first(root, f".//{C}ContentKey/{C}Data/{P}Secret"), f"{P}PlainValue").text = "AAAA"


def flip(element: etree._Element, place: int = 20) -> None:
    """Flip one bit of a base64 value."""
    raw = bytearray(base64.b64decode(element.text or ""))
    raw[place] ^= 1
    element.text = base64.b64encode(raw).decode()


SECRET = f".//{C}ContentKey/{C}Data/{P}Secret"
VALUE = f"{SECRET}/{P}EncryptedValue"
CIPHER = f"{VALUE}/{E}CipherData/{E}CipherValue"
DELIVERY = f".//{C}DeliveryData"
DOCUMENT_KEY = f"{DELIVERY}/{C}DocumentKey"
DOCUMENT_SECRET = f"{DOCUMENT_KEY}/{C}Data/{P}Secret"
METHOD = f"{DELIVERY}/{C}MACMethod"
MAC_KEY = f"{METHOD}/{C}Key"

REFUSALS: dict[str, tuple[Change, type[DecryptionError], str]] = {
    "a changed IV": (lambda r: flip(first(r, CIPHER), 0), WrongMacError, "ValueMAC of content key 0101.* does not fit"),
    "a changed ciphertext": (lambda r: flip(first(r, CIPHER)), WrongMacError, "does not fit"),
    "a changed MAC": (lambda r: flip(first(r, f"{SECRET}/{P}ValueMAC")), WrongMacError, "does not fit"),
    "a short MAC": (text(f"{SECRET}/{P}ValueMAC", "AAAA"), WrongMacError, "does not fit"),
    "no MAC": (remove(f"{SECRET}/{P}ValueMAC"), MissingMacError, "content key 0101.* has no ValueMAC"),
    "an empty MAC": (text(f"{SECRET}/{P}ValueMAC", ""), MissingMacError, "has no ValueMAC"),
    "no MAC method": (remove(METHOD), EncryptionStructureError, "the recipient has no MACMethod"),
    "a MAC method without a key": (remove(MAC_KEY), EncryptionStructureError, "no encrypted MAC key"),
    "another MAC algorithm": (
        put(METHOD, "Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        EncryptionStructureError,
        "not HMAC-SHA512",
    ),
    "a plain key beside": (add_plain, PlainKeyError, "content key 0101.* is in the clear"),
    "a plain document key": (
        lambda r: setattr(
            etree.SubElement(first(r, DOCUMENT_SECRET), f"{P}PlainValue"), "text", base64.b64encode(bytes(32)).decode()
        ),
        PlainKeyError,
        "the document key .* is in the clear",
    ),
    "no document key": (remove(DOCUMENT_KEY), EncryptionStructureError, "DeliveryData has no DocumentKey"),
    "an empty document key": (remove(f"{DOCUMENT_KEY}/{C}Data"), EncryptionStructureError, "in a request"),
    "two document keys without names": (double(DOCUMENT_KEY), EncryptionStructureError, "has no encryptsKey"),
    "a damaged document key": (
        lambda r: flip(first(r, f"{DOCUMENT_SECRET}//{E}CipherValue")),
        WrongKeyError,
        "the private key does not open the document key",
    ),
    "a damaged MAC key": (
        lambda r: flip(first(r, f"{MAC_KEY}//{E}CipherValue")),
        WrongKeyError,
        "the private key does not open the MAC key",
    ),
    "a short document key": (
        lambda r: seal(first(r, f"{DOCUMENT_SECRET}//{E}CipherValue"), bytes(16)),
        EncryptionStructureError,
        "the document key has 16 bytes, not 32",
    ),
    "an empty MAC key": (
        lambda r: seal(first(r, f"{MAC_KEY}//{E}CipherValue"), b""),
        EncryptionStructureError,
        "the MAC key is empty",
    ),
    "RSA PKCS#1 v1.5": (
        put(f"{DOCUMENT_SECRET}//{E}EncryptionMethod", "Algorithm", f"{ENC}rsa-1_5"),
        EncryptionStructureError,
        "not with RSA-OAEP-MGF1P",
    ),
    "OAEP parameters": (
        lambda r: etree.SubElement(first(r, f"{DOCUMENT_SECRET}//{E}EncryptionMethod"), f"{E}OAEPparams"),
        EncryptionStructureError,
        "OAEP parameters",
    ),
    "an unknown digest": (
        lambda r: etree.SubElement(
            first(r, f"{DOCUMENT_SECRET}//{E}EncryptionMethod"), f"{D}DigestMethod", Algorithm="urn:md5"
        ),
        EncryptionStructureError,
        "the unknown digest urn:md5",
    ),
    "another cipher": (
        put(f"{VALUE}/{E}EncryptionMethod", "Algorithm", f"{ENC}tripledes-cbc"),
        EncryptionStructureError,
        "tripledes-cbc, not with AES-256-CBC",
    ),
    "no cipher named": (remove(f"{VALUE}/{E}EncryptionMethod"), EncryptionStructureError, "no EncryptionMethod or"),
    "no cipher value": (remove(CIPHER), EncryptionStructureError, "no EncryptionMethod or no CipherData/CipherValue"),
    "an impossible length": (text(CIPHER, "AAAA"), EncryptionStructureError, "has 3 bytes, which no key gives"),
    "no base64": (text(CIPHER, "@@@@"), EncryptionStructureError, "CipherValue is not base64: 4 characters"),
    "two values of a key": (double(VALUE), EncryptionStructureError, "an unknown or a second part"),
    "two cipher values": (double(CIPHER), EncryptionStructureError, "CipherData has more than one CipherValue"),
    "two secrets": (double(SECRET), EncryptionStructureError, "Data has more than one Secret"),
    "two content key lists": (double(f"{C}ContentKeyList"), EncryptionStructureError, "more than one ContentKeyList"),
    "two delivery lists": (double(f"{C}DeliveryDataList"), EncryptionStructureError, "more than one DeliveryDataList"),
    "two MAC methods": (double(METHOD), EncryptionStructureError, "more than one MACMethod"),
    "no delivery data": (remove(f"{C}DeliveryDataList"), NotRecipientError, "names no recipient"),
    "no certificate": (
        remove(f"{DELIVERY}/{C}DeliveryKey/{D}X509Data"),
        NotRecipientError,
        "its recipients are one without a readable certificate",
    ),
}


def seal(element: etree._Element, value: bytes) -> None:
    """Encrypt a value for Anna into a CipherValue."""
    element.text = base64.b64encode(pair().key.public_key().encrypt(value, OAEP)).decode()


@pytest.mark.parametrize("name", REFUSALS)
def test_each_fault_has_its_own_error(name: str) -> None:
    """Each fault is refused with its class and reason, by `decrypt` as by `open_keys`; without it all is well."""
    change, kind, reason = REFUSALS[name]
    document = changed(change)
    for run in (cpix.open_keys, cpix.decrypt):
        with pytest.raises(DecryptionError, match=reason) as caught:
            run(document, pair().key)
        assert type(caught.value) is kind
        assert caught.value.hint
    assert values(changed(lambda _: None)) == list(KEYS)


def test_a_wrong_private_key_names_the_recipients() -> None:
    """The refusal of somebody else's key says for whom the document is."""
    document = encrypted_document("anna", "berta")
    with pytest.raises(NotRecipientError, match=r"its recipients are CN=anna \(SHA-256 .*; CN=berta"):
        cpix.open_keys(document, pair("carla").key)
    assert values(document, "berta") == list(KEYS)


def test_many_recipients_are_not_all_listed() -> None:
    """A message stays readable where a document has many recipients."""
    document = encrypted_document()
    element = document.recipients[0].element
    for _ in range(9):
        element.addnext(etree.fromstring(etree.tostring(element)))
    with pytest.raises(NotRecipientError, match="and 5 more$"):
        cpix.open_keys(document, pair("carla").key)


@pytest.mark.parametrize(
    "form",
    [
        lambda key: key,
        lambda key: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        lambda key: key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        cpix.PrivateKey,
    ],
    ids=["object", "PEM", "DER", "read"],
)
def test_private_keys_are_taken_in_every_form(form: Callable[[object], bytes]) -> None:
    """A private key is given as bytes of a file, or read already."""
    assert [v.reveal() for v in cpix.open_keys(encrypted_document(), form(pair().key)).values()] == list(KEYS)


def test_what_is_opened_is_secret() -> None:
    """Opened keys are Secrets under their key IDs."""
    opened = cpix.open_keys(encrypted_document(), pair().key)
    assert list(opened) == list(KIDS)
    assert all(isinstance(value, Secret) for value in opened.values())


def test_the_document_that_is_given_stays_encrypted() -> None:
    """Decryption works on a copy, and a failing one leaves no trace."""
    document = encrypted_document()
    before = document.to_xml()
    clear = cpix.decrypt(document, pair().key)
    assert [key.key.reveal() for key in clear.content_keys] == list(KEYS)
    assert (len(clear.recipients), clear.recipients.list_element) == (0, None)
    assert document.to_xml() == before


def test_one_bad_key_spoils_all() -> None:
    """Where the last MAC is wrong, no key is opened, and the message shows no value."""
    document = changed(lambda r: flip(r.findall(f".//{P}ValueMAC")[-1]))
    with pytest.raises(WrongMacError) as caught:
        cpix.decrypt(document, pair().key)
    assert str(KIDS[2]) in caught.value.message
    assert all(key.is_encrypted for key in document.content_keys)


@pytest.mark.parametrize("shape", ["Key", "EncryptedValue", "MACKey"])
def test_the_mac_key_is_read_in_its_three_shapes(shape: str) -> None:
    """The MAC key stands in cpix:Key, in a pskc:EncryptedValue of it, or in pskc:MACKey."""

    def change(root: etree._Element) -> None:
        key = first(root, MAC_KEY)
        if shape == "MACKey":
            key.tag = f"{P}MACKey"
        elif shape == "EncryptedValue":
            inner = etree.Element(f"{P}EncryptedValue")
            inner.extend(list(key))
            key.append(inner)
            etree.SubElement(key, f"{P}ValueMAC").text = "AAAA"

    assert values(changed(change)) == list(KEYS)


def rewrap(root: etree._Element) -> None:
    """Wrap the content keys as RFC 3394 does, with fresh MACs, in place of AES-256-CBC."""
    document_key = pair().key.decrypt(base64.b64decode(first(root, f"{DOCUMENT_SECRET}//{E}CipherValue").text), OAEP)
    mac_key = pair().key.decrypt(base64.b64decode(first(root, f"{MAC_KEY}//{E}CipherValue").text), OAEP)
    for secret, key in zip(root.findall(SECRET), KEYS, strict=True):
        wrapped = aes_key_wrap(document_key, key)
        first(secret, f".//{E}EncryptionMethod").set("Algorithm", f"{ENC}kw-aes256")
        first(secret, f".//{E}CipherValue").text = base64.b64encode(wrapped).decode()
        first(secret, f"{P}ValueMAC").text = base64.b64encode(next(macs_of(mac_key, [wrapped]))).decode()


def test_key_wrap_is_read() -> None:
    """Content keys that are wrapped as in RFC 3394 open, too."""
    assert values(changed(rewrap)) == list(KEYS)


def another_document_key(root: etree._Element) -> None:
    """Replace the document key by another one: MACs fit, but the content keys are under the old one."""
    seal(first(root, f"{DOCUMENT_SECRET}//{E}CipherValue"), b"\x55" * 32)


@pytest.mark.parametrize("wrapped", [False, True], ids=["AES-CBC", "key wrap"])
def test_a_document_key_of_another_document_does_not_open(wrapped: bool) -> None:
    """A document key under which the content keys are not gives one and the same refusal for both ciphers."""

    def change(root: etree._Element) -> None:
        if wrapped:
            rewrap(root)
        another_document_key(root)

    with pytest.raises(WrongKeyError, match="the document key does not open content key 0101") as caught:
        cpix.open_keys(changed(change), pair().key)
    assert "padding" not in f"{caught.value} {caught.value.hint}"


def test_a_digest_of_the_padding_is_obeyed() -> None:
    """RSA-OAEP-MGF1P with a DigestMethod of SHA-256 opens; MGF1 stays with SHA-1."""

    def change(root: etree._Element) -> None:
        secret = first(root, DOCUMENT_SECRET)
        value = pair().key.decrypt(base64.b64decode(first(secret, f".//{E}CipherValue").text), OAEP)
        other = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
        first(secret, f".//{E}CipherValue").text = base64.b64encode(
            pair().key.public_key().encrypt(value, other)
        ).decode()
        etree.SubElement(first(secret, f".//{E}EncryptionMethod"), f"{D}DigestMethod", Algorithm=f"{ENC}sha256")

    assert values(changed(change)) == list(KEYS)


def without_macs(root: etree._Element) -> None:
    """Take away every trace of authentication."""
    for element in [*root.findall(f".//{P}ValueMAC"), *root.findall(METHOD)]:
        element.getparent().remove(element)


def test_documents_without_macs_need_a_word() -> None:
    """A document without any MAC is refused, and opens where the caller accepts that."""
    document = changed(without_macs)
    with pytest.raises(MissingMacError):
        cpix.open_keys(document, pair().key)
    opened = cpix.open_keys(document, pair().key, allow_missing_mac=True)
    assert [value.reveal() for value in opened.values()] == list(KEYS)
    partly = changed(remove(f"{SECRET}/{P}ValueMAC"))
    with pytest.raises(MissingMacError):
        cpix.open_keys(partly, pair().key, allow_missing_mac=True)


def test_without_macs_every_failure_looks_the_same() -> None:
    """Where nothing is authenticated, no message tells bad padding from another fault."""
    messages = set()
    for place in range(16, 48):

        def change(root: etree._Element, place: int = place) -> None:
            without_macs(root)
            flip(first(root, CIPHER), place)

        try:
            cpix.open_keys(changed(change), pair().key, allow_missing_mac=True)
        except DrmkitError as error:
            messages.add((type(error), error.message, error.hint))
    assert len(messages) == 1


@pytest.mark.parametrize("listed", [False, True], ids=["one UUID each", "a list of the specification's text"])
def test_several_document_keys_open_what_they_name(listed: bool) -> None:
    """With several DocumentKeys, encryptsKey says which content keys each opens: one UUID, or several with spaces."""

    def change(root: etree._Element) -> None:
        if listed:
            share_a_document_key(root)
        first(root, DOCUMENT_KEY).set("encryptsKey", (first(root, DOCUMENT_KEY).get("encryptsKey") or "").upper())

    assert values(changed(change, version="2.4", separate=True)) == list(KEYS)


def share_a_document_key(root: etree._Element) -> None:
    """Put the first two content keys under the first document key, and name both in its encryptsKey."""
    one, two, _ = root.findall(DOCUMENT_KEY)
    one.set("encryptsKey", f"  {KIDS[0]}\n {KIDS[1]} ")
    two.getparent().remove(two)
    document_key = pair().key.decrypt(base64.b64decode(first(one, f".//{E}CipherValue").text), OAEP)
    mac_key = pair().key.decrypt(base64.b64decode(first(root, f"{MAC_KEY}//{E}CipherValue").text), OAEP)
    secret = root.findall(SECRET)[1]
    cipher = seal_key(document_key, b"\x77" * 16, KEYS[1])
    first(secret, f".//{E}CipherValue").text = base64.b64encode(cipher).decode()
    first(secret, f"{P}ValueMAC").text = base64.b64encode(next(macs_of(mac_key, [cipher]))).decode()


def test_a_content_key_that_no_document_key_opens_is_named() -> None:
    """Where the recipient may open some content keys only, the first of the others is the reason."""
    document = changed(remove(DOCUMENT_KEY), version="2.4", separate=True)
    with pytest.raises(NotRecipientError, match=f"no document key of this recipient encrypts content key {KIDS[0]}"):
        cpix.open_keys(document, pair().key)


def test_two_document_keys_for_one_content_key_contradict() -> None:
    """Two document keys that name one content key are refused."""
    document = changed(put(DOCUMENT_KEY, "encryptsKey", str(KIDS[1])), version="2.4", separate=True)
    with pytest.raises(EncryptionStructureError, match=f"two DocumentKey elements encrypt content key {KIDS[1]}"):
        cpix.open_keys(document, pair().key)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(str(KIDS[1]), f"two content keys with the key ID {KIDS[1]}"), ("no uuid", "no key ID in UUID form")],
)
def test_key_ids_must_tell_keys_apart(value: str, reason: str) -> None:
    """Keys by key ID need key IDs that are unique UUIDs; the document itself decrypts without."""
    document = changed(put(f".//{C}ContentKey", "kid", value))
    with pytest.raises(EncryptionStructureError, match=reason):
        cpix.open_keys(document, pair().key)
    assert len(cpix.decrypt(document, pair().key).content_keys) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda r: first(r, SECRET).insert(0, etree.Comment("a comment")),
        lambda r: first(r, CIPHER).append(etree.Comment("inside a value")),
        lambda r: first(r, f".//{C}ContentKey").append(etree.Element(f"{C}FriendlyName")),
        lambda r: setattr(first(r, CIPHER), "text", f"\n  {first(r, CIPHER).text}\n"),
    ],
    ids=["a comment", "a comment in a value", "another child", "white space"],
)
def test_unusual_documents_open_just_as_well(change: Change) -> None:
    """What is unusual but harmless takes the slower way and gives the same keys."""
    document = changed(change)
    assert values(document) == list(KEYS)
    assert [key.key.reveal() for key in cpix.decrypt(document, pair().key).content_keys] == list(KEYS)


@pytest.mark.parametrize("layout", ["dense", "lines", "comments", "wrapped", "gaps"])
def test_decrypting_changes_nothing_but_the_values(layout: str) -> None:
    """In every layout, the copy holds each key in the place of its own encrypted value, and comments stay."""
    clear = clear_document("2.3")
    document = cpix.encrypt(clear, [pair().der])
    if layout != "dense":
        etree.indent(document.root)
    secrets = list(document.root.iterfind(f".//{C}ContentKey/{C}Data/{P}Secret"))
    if layout == "comments":
        secrets[1].insert(1, etree.Comment("kept"))
    if layout == "wrapped":
        for value in document.root.iter(f"{E}CipherValue"):
            value.text = f"\n{value.text[:20]}\n\t{value.text[20:]} " if value.text else None
    if layout == "gaps":
        data = secrets[0].getparent()
        assert data is not None
        data.remove(secrets[0])
    document = cpix.parse(document.to_xml())
    before = document.to_xml()
    opened = cpix.decrypt(document, pair().key)
    assert document.to_xml() == before
    expected = {key.kid: key.key for key in clear.content_keys}
    if layout == "gaps":
        expected[clear.content_keys[0].kid] = None
    found = {key.kid: key.key for key in opened.content_keys}
    assert {kid: key and key.reveal() for kid, key in found.items()} == {
        kid: key and key.reveal() for kid, key in expected.items()
    }
    assert (b"<!--kept-->" in opened.to_xml()) == (layout == "comments")
    assert not list(opened.root.iter(f"{P}ValueMAC", f"{P}EncryptedValue"))
    if layout == "lines":
        text = opened.to_xml().decode()
        assert text.count("<pskc:PlainValue") == sum(
            line.strip().startswith("<pskc:PlainValue") for line in text.splitlines()
        )


def test_a_certificate_that_cannot_be_parsed_still_names_its_key() -> None:
    """A recipient whose certificate is stricter read than written is found by the public key that stands in it."""

    def change(root: etree._Element) -> None:
        element = first(root, f".//{D}X509Certificate")
        element.text = base64.b64encode(b"\x30" + base64.b64decode(element.text)).decode()

    assert values(changed(change)) == list(KEYS)


@pytest.mark.parametrize("apart", [False, True], ids=["in one X509Data", "in one each"])
def test_a_recipient_is_found_by_any_certificate_of_a_chain(apart: bool) -> None:
    """The certificate of the issuer may stand before that of the recipient, as XML Signature sets no order."""

    def chain(root: etree._Element) -> None:
        data = first(root, f"{DELIVERY}/{C}DeliveryKey/{D}X509Data")
        issuer = etree.Element(f"{D}X509Certificate")
        issuer.text = base64.b64encode(pair("berta").certificate.public_bytes(Encoding.DER)).decode()
        if apart:
            other = etree.Element(data.tag)
            other.append(issuer)
            data.addprevious(other)
        else:
            data.insert(0, issuer)

    document = changed(chain)
    assert len(document.recipients[0].certificates) == 2
    assert document.recipients[0].certificate == document.recipients[0].certificates[0]
    assert values(document) == list(KEYS)
    with pytest.raises(NotRecipientError):
        values(document, "carla")


def test_keys_of_any_length_share_one_stream() -> None:
    """Keys of several lengths under one document key come out of the one stream whole, and a bad one alone is None."""
    keys = [bytes([size]) * size for size in (1, 15, 16, 17, 31, 32, 64)]
    ciphers = [seal_key(b"k" * 32, bytes([size]) * 16, key) for size, key in enumerate(keys)]
    assert open_keys_cbc(b"k" * 32, ciphers) == keys
    ciphers[2] = ciphers[2][:32] + bytes(16)
    opened = open_keys_cbc(b"k" * 32, ciphers)
    assert (opened[2], opened[:2], opened[3:]) == (None, keys[:2], keys[3:])


def test_signatures_over_what_was_encrypted_go() -> None:
    """Decrypting takes away the signatures that would not hold any longer, and keeps those over other lists."""
    document = vector("Complex")
    clear = cpix.decrypt(document, vector_key("Cert1"))
    assert [signature.references for signature in clear.signatures] == (
        [("#DRMSystemList",)] * 2 + [("#ContentKeyUsageRuleList",)] * 2
    )
    assert len(document.signatures) == 9


VECTORS = {
    "Complex": ("Cert1", "Cert2"),
    "EncryptedContentKeys": ("Cert1",),
    "EncryptedContentKeysWithMultipleRecipients": ("Cert1", "Cert2", "Cert3", "Cert4"),
    "RecipientsWithoutContentKeys": ("Cert3", "Cert4"),
    "Invalid_BadDocumentSignature": ("Cert1",),
}


@pytest.mark.parametrize("name", VECTORS)
def test_official_vectors_open_for_their_recipients_alone(name: str) -> None:
    """Each official vector opens for those whom it is for, all with the same keys, and for nobody else."""
    document = vector(name)
    opened = {}
    for party in ("Cert1", "Cert2", "Cert3", "Cert4"):
        if party in VECTORS[name]:
            keys = cpix.open_keys(document, vector_key(party))
            opened[party] = [(kid, value.reveal()) for kid, value in keys.items()]
            assert len(keys) == len(document.content_keys)
            assert all(len(value.reveal()) == 16 for value in keys.values())
        else:
            with pytest.raises(NotRecipientError, match="its recipients are CN=CPIX Example Entity"):
                cpix.open_keys(document, vector_key(party))
    assert len({tuple(keys) for keys in opened.values()}) == 1
    clear = cpix.decrypt(document, vector_key(VECTORS[name][0]))
    assert [key.key.reveal() for key in clear.content_keys] == [value for _, value in opened[VECTORS[name][0]]]


def test_the_vector_with_a_wrong_mac_fails_for_that_reason() -> None:
    """Invalid_WrongMac fails when its recipient opens it, and reads without that."""
    document = vector("Invalid_WrongMac")
    assert [key.is_encrypted for key in document.content_keys] == [True]
    with pytest.raises(WrongMacError, match="5ad2b739-4f46-48df-9a44-aab8c35abf71"):
        cpix.open_keys(document, vector_key("Cert1"))


@pytest.mark.parametrize("name", ["ClearContentKeysOnly", "EmptyDocument", "KeyRotationMultiKeySinglePeriod"])
def test_documents_in_the_clear_are_not_taken_for_encrypted_ones(name: str) -> None:
    """A document without recipients is refused: an attacker could have put it in place of an encrypted one."""
    with pytest.raises(NotRecipientError, match="names no recipient") as caught:
        cpix.decrypt(vector(name), vector_key("Cert1"))
    assert "a channel that you trust" in str(caught.value.hint)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_mutated_documents_give_errors_of_drmkit_alone(seed: int) -> None:
    """Whatever is dropped, doubled, moved, renamed or overwritten: the right keys come out, or an error of drmkit."""
    chance = random.Random(seed)
    document = cpix.parse(SAMPLES[chance.randrange(len(SAMPLES))])
    for _ in range(chance.randint(1, 3)):
        mutate(document.root, chance)
    said = ""
    opened = {}
    try:
        reread = cpix.parse(document.to_xml())
        opened = cpix.open_keys(reread, pair().key)
        cpix.decrypt(reread, pair().key)
    except DrmkitError as error:
        said = str(error)
    assert {value.reveal() for value in opened.values()} <= set(KEYS)
    assert not any(base64.b64encode(key).decode() in said for key in KEYS)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10**6), value=st.binary(min_size=1, max_size=3))
def test_overwritten_bytes_give_errors_of_drmkit_alone(place: int, value: bytes) -> None:
    """Bytes that are overwritten anywhere in the file change no key without being noticed."""
    data = bytearray(SAMPLES[0])
    place %= len(data)
    data[place : place + len(value)] = value
    try:
        opened = cpix.open_keys(cpix.parse(bytes(data)), pair().key)
    except DrmkitError:
        return
    assert {value.reveal() for value in opened.values()} <= set(KEYS)


def mutate(root: etree._Element, chance: random.Random) -> None:
    """Change one thing in a tree."""
    elements = list(root.iter(etree.Element))[1:]
    if not elements:
        return
    element, other = chance.choice(elements), chance.choice(elements)
    kind = chance.randrange(7)
    if kind == 0:
        element.getparent().remove(element)
    elif kind == 1:
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))
    elif kind == 2 and element not in other.iterancestors() and element is not other:
        other.append(element)
    elif kind == 3:
        element.tag = other.tag
    elif kind == 4:
        element.text = chance.choice(["", "AAAA", "@", "=" * 9, other.text or "", "AAAA" * 16])
    elif kind == 5:
        for name in list(element.attrib):
            element.set(name, chance.choice(["", "x", "\u26bd", f"{ENC}kw-aes256", other.get(name) or ""]))
    else:
        element.insert(0, etree.Comment("x"))


SAMPLES = [
    cpix.encrypt(clear_document(), [pair().der]).to_xml(),
    cpix.encrypt(clear_document("2.4"), [pair().der], separate_keys=True).to_xml(),
]
