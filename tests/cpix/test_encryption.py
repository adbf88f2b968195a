"""Encrypting documents: the shapes, the algorithms and the refusals."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signers import KEYS, KIDS, SCHEMAS, certify, clear_document, pair, vector_certificate

from drmkit import cpix
from drmkit.cpix.schema import DS, ENC, PSKC
from drmkit.cpix.shape import ensure_child
from drmkit.cpix.view import cpix as cpix_name
from drmkit.errors import CertificateError, CpixError, WeakCertificateError
from drmkit.identifiers import KeyId

NAMES = {"c": "urn:dashif:org:cpix", "p": PSKC, "e": ENC, "d": DS}
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


def canonical(document: cpix.Document) -> bytes:
    """The canonical form of a document."""
    return etree.tostring(document.tree, method="c14n")


def errors(document: cpix.Document, version: str) -> list[str]:
    """What validation has against a document."""
    return [f"{f.rule}: {f.message}" for f in cpix.validate(document, version).findings if f.severity == "error"]


def official_schema(version: str) -> etree.XMLSchema:
    """DASH-IF's schema of a version."""
    file = SCHEMAS / f"CPIX{version}" / "cpix.xsd"
    if not file.exists():
        pytest.skip("../shared is absent")
    return etree.XMLSchema(etree.parse(str(file)))


@pytest.mark.parametrize("version", cpix.VERSIONS)
@pytest.mark.parametrize("separate", [False, True], ids=["one document key", "separate keys"])
def test_every_version_is_written_in_its_shape(version: str, separate: bool) -> None:
    """The result is valid under the official schema and our rules, and opens to what it was made from."""
    document = clear_document(version)
    certificates = [pair("anna").der, pair("berta").der]
    if separate and version != "2.4":
        with pytest.raises(CpixError, match="has one document key for all content keys"):
            cpix.encrypt(document, certificates, version=version, separate_keys=True)
        return
    sealed = cpix.parse(cpix.encrypt(document, certificates, version=version, separate_keys=separate).to_xml())
    assert errors(sealed, version) == []
    schema = official_schema(version)
    assert schema.validate(sealed.tree), schema.error_log
    for name in ("anna", "berta"):
        assert canonical(cpix.decrypt(sealed, pair(name).key)) == canonical(document)


@pytest.mark.parametrize("version", cpix.VERSIONS)
def test_the_algorithm_of_a_document_key_is_named_up_to_2_3_1(version: str) -> None:
    """Readers of 2.1 to 2.3.1 look for DocumentKey/@Algorithm; the schema of 2.4 forbids it."""
    sealed = cpix.encrypt(clear_document(version), [pair().der], version=version)
    (key,) = sealed.recipients[0].document_keys
    assert key.algorithm == (None if version == "2.4" else f"{ENC}aes256-cbc")


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [({}, True), ({"playlist": "multiVariant"}, False)],
    ids=["fits every version", "fits 2.4 alone"],
)
def test_without_a_version_the_structure_decides(attribute: dict[str, str], expected: bool) -> None:
    """A document that says no version gets the shape of 2.3.1, unless only 2.4 knows what it uses."""
    builder = cpix.Builder(version="2.2").content_key(kid=KIDS[0], key=KEYS[0])
    document = builder.drm_system(kid=KIDS[0], system_id="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", hls_media="x").build()
    if attribute:
        document.root.find(".//{*}HLSSignalingData").set("playlist", "multiVariant")
    sealed = cpix.encrypt(document, [pair().der])
    assert (sealed.recipients[0].document_keys[0].algorithm is not None) is expected


def test_the_algorithms_are_the_mandatory_ones() -> None:
    """Another implementation of the mandatory algorithms, written here, opens what was encrypted."""
    sealed = cpix.encrypt(clear_document(), [pair().der])
    xpath = sealed.root.xpath
    (recipient,) = sealed.recipients
    document_key = pair().key.decrypt(recipient.document_keys[0].cipher_value, OAEP)
    mac_value = xpath("string(//c:MACMethod/c:Key/e:CipherData/e:CipherValue)", namespaces=NAMES)
    mac_key = pair().key.decrypt(base64.b64decode(mac_value), OAEP)
    assert (len(document_key), len(mac_key)) == (32, 64)
    methods = xpath("//e:EncryptionMethod/@Algorithm", namespaces=NAMES)
    assert set(methods) == {f"{ENC}aes256-cbc", f"{ENC}rsa-oaep-mgf1p"}
    assert recipient.mac_method.algorithm == "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
    ivs = set()
    for key, value in zip(sealed.content_keys, KEYS, strict=True):
        cipher = key.cipher_value
        assert hmac.new(mac_key, cipher, hashlib.sha512).digest() == key.value_mac
        ivs.add(cipher[:16])
        decryptor = Cipher(algorithms.AES(document_key), modes.CBC(cipher[:16])).decryptor()
        assert decryptor.update(cipher[16:]) + decryptor.finalize() == value + b"\x10" * 16
    assert len(ivs) == len(KEYS)


def test_the_document_that_is_given_stays_in_the_clear() -> None:
    """Encryption works on a copy: the given document changes in nothing."""
    document = clear_document()
    before = canonical(document)
    sealed = cpix.encrypt(document, [pair().der])
    assert canonical(document) == before
    assert all(key.is_encrypted and key.key is None for key in sealed.content_keys)


def test_no_key_in_the_clear_is_left() -> None:
    """Neither PlainValue nor any encoding of a key stands in the result."""
    xml = cpix.encrypt(clear_document(), [pair().der]).to_xml()
    assert b"PlainValue" not in xml
    for key in clear_document().content_keys:
        assert base64.b64encode(key.key.reveal()) not in xml


@pytest.mark.parametrize(
    "form",
    [
        lambda p: [p.certificate],
        lambda p: [p.der],
        lambda p: [p.certificate.public_bytes(Encoding.PEM)],
        lambda p: p.der,
        lambda p: [p.der, p.certificate],
    ],
    ids=["object", "DER", "PEM", "a single one", "the same twice"],
)
def test_certificates_are_taken_in_every_form(form: Callable[[object], list[x509.Certificate | bytes]]) -> None:
    """Certificates are given as objects, DER or PEM; one that is named twice is one recipient."""
    sealed = cpix.encrypt(clear_document(), form(pair()))
    assert [recipient.certificate for recipient in sealed.recipients] == [pair().der]


def test_a_request_is_encrypted_for_those_whom_it_names() -> None:
    """Delivery data that names recipients without any document key is filled, and its other elements stay in order."""
    builder = cpix.Builder(version="2.3")
    for name in ("anna", "berta"):
        builder.recipient(certificate=pair(name).der, name=name, description=f"for {name}")
    for kid in KIDS:
        builder.content_key(kid=kid)
    document = cpix.parse(builder.build().to_xml())
    for view, value in zip(document.content_keys, KEYS, strict=True):
        view.key = value
    sealed = cpix.encrypt(document)
    assert errors(sealed, "2.3") == []
    assert [(r.name, r.description) for r in sealed.recipients] == [("anna", "for anna"), ("berta", "for berta")]
    for name in ("anna", "berta"):
        assert [s.reveal() for s in cpix.open_keys(sealed, pair(name).key).values()] == list(KEYS)


def test_keys_without_a_value_stay_as_they_are() -> None:
    """A content key that the request wants filled elsewhere has nothing to encrypt; recipients alone are fine, too."""
    builder = cpix.Builder().content_key(kid=KIDS[0], key=KEYS[0]).content_key(kid=KIDS[1])
    sealed = cpix.encrypt(builder.build(), [pair().der])
    assert [key.is_encrypted for key in sealed.content_keys] == [True, False]
    assert list(cpix.open_keys(sealed, pair().key)) == [KIDS[0]]
    bare = cpix.encrypt(cpix.Builder().build(), [pair().der])
    assert cpix.open_keys(bare, pair().key) == {}


def test_nobody_is_encrypted_for_by_surprise() -> None:
    """A recipient in the document who was not asked for is a refusal, not a reader."""
    document = cpix.encrypt(cpix.Builder(version="2.3").build(), [pair("berta").der])
    with pytest.raises(CpixError, match="a recipient who was not asked for: CN=berta"):
        cpix.encrypt(document, [pair("anna").der])
    both = cpix.encrypt(document, [pair("anna").der, pair("berta").der])
    assert len(both.recipients) == 2


@pytest.mark.parametrize("recipients", [None, []])
def test_somebody_must_be_there_to_encrypt_for(recipients: list[bytes] | None) -> None:
    """Without any recipient there is nothing to do."""
    with pytest.raises(CpixError, match="no recipient to encrypt for"):
        cpix.encrypt(clear_document(), recipients)


def test_encrypted_keys_are_not_encrypted_again() -> None:
    """A key that is encrypted already is a refusal that names it."""
    sealed = cpix.encrypt(clear_document(), [pair().der])
    with pytest.raises(CpixError, match=f"{KIDS[0]} .* is encrypted already"):
        cpix.encrypt(sealed, [pair().der])


@pytest.mark.parametrize(
    ("stated", "asked", "said"),
    [("2.4", "2.3", "2.3"), ("2.3", "2.4", "2.4"), ("2.3.1", "2.2", "2.3.1"), ("2.4", "2.1", None)],
)
def test_a_document_says_the_version_whose_shape_it_has(stated: str, asked: str, said: str | None) -> None:
    """Where the shape of another version is asked for, the document no longer says the one that forbids it."""
    document = clear_document(stated)
    sealed = cpix.encrypt(document, [pair().der], version=asked)
    assert (sealed.version, document.version) == (said, stated)
    assert errors(sealed, "auto" if said else asked) == []


def test_an_unknown_version_is_refused() -> None:
    """A version that was never published is named."""
    with pytest.raises(CpixError, match="there is no CPIX version '2.5'"):
        cpix.encrypt(clear_document(), [pair().der], version="2.5")


@pytest.mark.parametrize(
    ("name", "reason"), [("WeakCert_Sha1", "SHA-1"), ("WeakCert_SmallKey", "2048 bits, less than 3072")]
)
def test_weak_certificates_need_a_word(name: str, reason: str) -> None:
    """The official weak certificates are refused, and accepted where the caller says so, as SPEKE must."""
    with pytest.raises(WeakCertificateError, match=reason):
        cpix.encrypt(clear_document(), [vector_certificate(name)])
    assert len(cpix.encrypt(clear_document(), [vector_certificate(name)], allow_weak=True).recipients) == 1


def test_expired_certificates_need_a_word() -> None:
    """A certificate counts at the given time: expired it is refused, in its time it is not."""
    expired = certify(pair().key, "old", days=(-9, -1))
    with pytest.raises(WeakCertificateError, match="CN=old .* expired"):
        cpix.encrypt(clear_document(), [expired])
    cpix.encrypt(clear_document(), [expired], now=dt.datetime.now(dt.UTC) - dt.timedelta(days=5))
    cpix.encrypt(clear_document(), [expired], allow_weak=True)


def test_a_recipient_without_a_readable_certificate_is_named() -> None:
    """Delivery data that nobody can be meant by is a refusal with its line."""
    document = cpix.encrypt(cpix.Builder(version="2.3").build(), [pair().der])
    document.root.find(".//{*}X509Certificate").text = "AAAA"
    with pytest.raises(CertificateError, match="the recipient in line 0 has no X.509 certificate"):
        cpix.encrypt(document)


def test_randomness_is_injected() -> None:
    """Keys and IVs come from the given source: 64 bytes for the MAC key, 32 for the document key, 16 for each IV."""
    asked = []

    def source(size: int) -> bytes:
        asked.append(size)
        return bytes([len(asked)]) * size

    sealed = cpix.encrypt(clear_document(), [pair().der], random=source)
    assert asked == [64, 32, 16, 16, 16]
    assert pair().key.decrypt(sealed.recipients[0].document_keys[0].cipher_value, OAEP) == b"\2" * 32


def test_white_space_stays_where_it_was() -> None:
    """An indented document keeps its layout around what is encrypted, and has it back after decryption."""
    tree = clear_document().tree
    etree.indent(tree)
    document = cpix.parse(etree.tostring(tree))
    sealed = cpix.encrypt(document, [pair().der])
    assert (
        canonical(cpix.decrypt(sealed, pair().key)).split(b"ContentKeyList", 1)[1]
        == (canonical(document).split(b"ContentKeyList", 1)[1])
    )


CONTENT_KEYS = st.lists(
    st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=1, max_size=64)),
    min_size=1,
    max_size=6,
    unique_by=lambda pair: pair[0],
)


@settings(max_examples=40, deadline=None)
@given(keys=CONTENT_KEYS, separate=st.booleans())
def test_encrypt_then_decrypt_is_identity(keys: list[tuple[bytes, bytes]], separate: bool) -> None:
    """Whatever keys of whatever length: what is opened is what was encrypted, and the document is as it was."""
    document = cpix.Document.new()
    document.version = "2.4"
    for kid, value in keys:
        element = etree.SubElement(ensure_child(document.root, cpix_name("ContentKeyList")), cpix_name("ContentKey"))
        element.set("kid", str(KeyId(kid)))
        cpix.ContentKey(document, element).key = value
    sealed = cpix.parse(cpix.encrypt(document, [pair().der], separate_keys=separate).to_xml())
    opened = cpix.open_keys(sealed, pair().key)
    assert [(kid.raw, value.reveal()) for kid, value in opened.items()] == keys
    assert canonical(cpix.decrypt(sealed, pair().key)) == canonical(document)
