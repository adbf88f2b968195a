"""Signing and verifying: who signed what, several signers, the official vectors, and edits of what is signed."""

from __future__ import annotations

import base64
import datetime as dt
import random
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from signers import KEYS, KIDS, Pair, certify, clear_document, encrypted_document, pair, vector, vector_certificate

from drmkit import cpix
from drmkit.cpix.libxmlsec import load_xmlsec, sign_template
from drmkit.cpix.schema import DS
from drmkit.cpix.signed import remove_signatures_over, signatures_over
from drmkit.errors import (
    BadSignatureError,
    CertificateError,
    CpixError,
    DrmkitError,
    MissingExtraError,
    NotSignedError,
    UntrustedSignerError,
    WeakCertificateError,
)
from drmkit.secret import Secret

D = f"{{{DS}}}"


def signed(*names: str, part: str | None = "content_keys", document: cpix.Document | None = None) -> cpix.Document:
    """A document that these have signed, the same part each, written and read again."""
    document = document or clear_document()
    for name in names or ("anna",):
        cpix.sign(document, pair(name).private, part=None if part is None else getattr(document, part))
    return cpix.parse(document.to_xml())


def trusted(*names: str) -> list[x509.Certificate]:
    """The certificates of these."""
    return [pair(name).certificate for name in names or ("anna",)]


def test_a_list_is_signed_by_its_id() -> None:
    """A signature over a list covers that list and what is in it, and nothing else."""
    document = signed()
    (found,) = cpix.verify(document, trusted())
    assert (found.element, found.element_id) == (document.content_keys.list_element, "ContentKeyList")
    assert found.signer == pair().certificate
    assert found.signature == document.signatures[0]
    assert found.covers(document.content_keys)
    assert found.covers(document.content_keys[1])
    assert found.covers(document.content_keys[1].secret_element)
    assert not found.covers(document.usage_rules)
    assert not found.covers(document.drm_systems)
    assert not found.covers(document)


def test_the_whole_document_is_signed() -> None:
    """A signature over the document covers everything in it."""
    document = signed(part=None)
    (found,) = cpix.verify(document, trusted())
    assert (found.element, found.element_id) == (document.root, None)
    assert found.covers(document)
    assert found.covers(document.usage_rules)


def test_several_sign_several_parts() -> None:
    """Several signers sign lists, one list twice, and one of them all of it at the end."""
    document = clear_document()
    for name, part in (("anna", "content_keys"), ("berta", "content_keys"), ("berta", "usage_rules")):
        cpix.sign(document, pair(name).private, part=getattr(document, part))
    cpix.sign(document, pair("anna").private)
    found = cpix.verify(cpix.parse(document.to_xml()), trusted("anna", "berta"))
    assert [(entry.element_id, entry.signer) for entry in found] == [
        ("ContentKeyList", pair("anna").certificate),
        ("ContentKeyList", pair("berta").certificate),
        ("ContentKeyUsageRuleList", pair("berta").certificate),
        (None, pair("anna").certificate),
    ]


def test_nothing_comes_after_a_signature_over_the_whole() -> None:
    """A signature after that over the whole document would break it, and is refused."""
    document = signed(part=None)
    with pytest.raises(CpixError, match="CPIX in line .* is signed: a change breaks the signature"):
        cpix.sign(document, pair("berta").private)
    document.signatures.remove(document.signatures[0])
    cpix.sign(document, pair("berta").private)
    assert len(cpix.verify(document, trusted("berta"))) == 1


@pytest.mark.parametrize("version", cpix.VERSIONS)
def test_signed_documents_are_valid(version: str) -> None:
    """What is signed is valid in every version, encrypted or not."""
    document = encrypted_document(version=version)
    for part in (document.content_keys, document.recipients, None):
        cpix.sign(document, pair().private, part=part)
    findings = cpix.validate(document, version).findings
    assert [f.message for f in findings if f.severity == "error" or f.rule.startswith("signature")] == []
    assert len(cpix.verify(cpix.parse(document.to_xml()), trusted())) == 3


def test_the_algorithms_are_the_mandatory_ones() -> None:
    """RSASSA-PKCS1-v1_5 with SHA-512, Canonical XML 1.1, the certificate included and no key value."""
    document = signed()
    names = {element.get("Algorithm") for element in document.signatures[0].element.iter(etree.Element)} - {None}
    assert names == {
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
    assert document.signatures[0].certificates == (pair().der,)
    assert document.root.find(f".//{D}KeyValue") is None


def test_indented_documents_are_signed_where_they_stand() -> None:
    """White space around the signature counts in a signature over the whole document, and survives writing."""
    tree = clear_document().tree
    etree.indent(tree)
    document = cpix.parse(etree.tostring(tree))
    cpix.sign(document, pair().private, part=document.content_keys)
    cpix.sign(document, pair().private)
    for read in (document, cpix.parse(document.to_xml())):
        assert len(cpix.verify(read, trusted())) == 2


def test_comments_around_the_root_do_not_disturb() -> None:
    """Comments and processing instructions before and after the root stay, and the document verifies."""
    document = cpix.parse(b"<?a b?><!-- c -->" + etree.tostring(clear_document().root) + b"<!-- d --><?e f?>")
    cpix.sign(document, pair().private)
    assert len(cpix.verify(cpix.parse(document.to_xml()), trusted())) == 1


@pytest.mark.parametrize("inside", [False, True], ids=["around", "inside a value"])
def test_comments_prove_nothing_and_change_nothing(inside: bool) -> None:
    """A comment that is added after signing is no part of what was signed, and changes no value that is read."""
    document = signed()
    target = document.content_keys[0].secret_element
    (target[0] if inside else target).insert(0, etree.Comment("added later"))
    document = cpix.parse(document.to_xml())
    (found,) = cpix.verify(document, trusted())
    assert found.covers(document.content_keys)
    assert [key.key.reveal() for key in document.content_keys] == list(KEYS)


def by_id(document: cpix.Document) -> str:
    """Give an element an ID of its own and return that."""
    document.usage_rules[1].element.set("id", "rule-1")
    return "rule-1"


def root_id(document: cpix.Document) -> str:
    """Give the document an ID and return that."""
    document.id = "all"
    return "all"


@pytest.mark.parametrize(
    ("choose", "expected"),
    [
        (by_id, "rule-1"),
        (root_id, "all"),
        (lambda d: d.usage_rules[0], "ContentKeyUsageRule"),
        (lambda d: d.content_keys[2], "ContentKey"),
        (lambda d: d.usage_rules, "ContentKeyUsageRuleList"),
    ],
    ids=["an ID", "the ID of the root", "a rule", "a key", "a list"],
)
def test_any_element_may_be_signed(choose: Callable[[cpix.Document], object], expected: str) -> None:
    """An element is named by its ID, or as a view or list, which gets an ID where it has none."""
    document = clear_document()
    cpix.sign(document, pair().private, part=choose(document))
    (found,) = cpix.verify(cpix.parse(document.to_xml()), trusted())
    assert found.element_id == expected


def test_a_new_id_is_unique() -> None:
    """The ID that an element gets is not one that stands somewhere else."""
    document = clear_document()
    document.usage_rules[0].element.set("id", "ContentKeyList")
    cpix.sign(document, pair().private, part=document.content_keys)
    assert document.content_keys.id == "ContentKeyList2"
    cpix.sign(document, pair().private, part=document.content_keys)
    assert len(cpix.verify(document, trusted())) == 2


def twice(document: cpix.Document) -> str:
    """Give two elements one ID."""
    for rule in document.usage_rules:
        rule.element.set("id", "twin")
    return "twin"


@pytest.mark.parametrize(
    ("choose", "reason"),
    [
        (lambda _: "nowhere", "no elements have the ID 'nowhere'"),
        (twice, "3 elements have the ID 'twin'"),
        (lambda d: [twice(d), d.usage_rules[0]][1], "the ID 'twin' is not unique"),
        (lambda d: d.drm_systems, "not in the document"),
        (lambda _: clear_document().content_keys, "not in the document"),
    ],
    ids=["no such ID", "an ID twice", "a view with an ID twice", "an empty list", "another document"],
)
def test_what_cannot_be_signed_is_refused(choose: Callable[[cpix.Document], object], reason: str) -> None:
    """A part that is not there, or not the only one of its ID, is a refusal that leaves no signature behind."""
    document = clear_document()
    with pytest.raises(CpixError, match=reason):
        cpix.sign(document, pair().private, part=choose(document))
    assert len(document.signatures) == 0


def test_key_and_certificate_are_given_in_every_form() -> None:
    """The key comes as bytes with a passphrase or as an object, the certificate beside it or along with it."""
    anna = pair()
    pem = anna.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for key, certificate in ((anna.key, anna.der), (pem, anna.certificate), (anna.private, None)):
        document = clear_document()
        cpix.sign(document, key, certificate, passphrase=Secret("superfluous"))
        assert cpix.verify(document, [anna.certificate.public_bytes(Encoding.PEM)])[0].signer == anna.certificate
        assert cpix.verify(document, anna.der)


def test_key_and_certificate_must_belong_together() -> None:
    """A certificate for another key, or none at all, is refused."""
    with pytest.raises(CertificateError, match="CN=berta .* does not belong to the private key"):
        cpix.sign(clear_document(), pair("anna").key, pair("berta").der)
    with pytest.raises(CertificateError, match="no certificate came with the private key"):
        cpix.sign(clear_document(), pair("anna").key)


def test_weak_signers_need_a_word() -> None:
    """Signing with 2048 bits is refused, unless the caller says so; verifying takes them from a trusted signer."""
    small = pair("small", bits=2048)
    with pytest.raises(WeakCertificateError, match="2048 bits, less than 3072"):
        cpix.sign(clear_document(), small.private)
    document = clear_document()
    cpix.sign(document, small.private, allow_weak=True)
    assert cpix.verify(document, [small.certificate])


def tiny() -> Pair:
    """A key pair that nobody should rely on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return Pair(key, certify(key, "tiny"))


def test_tiny_signers_are_not_relied_on() -> None:
    """A signature with a key of 1024 bits is refused even from a trusted signer, unless the caller says so."""
    signer = tiny()
    document = clear_document()
    cpix.sign(document, signer.private, allow_weak=True)
    with pytest.raises(UntrustedSignerError, match="RSA key of 1024 bits, less than 2048"):
        cpix.verify(document, [signer.certificate])
    assert cpix.verify(document, [signer.certificate], allow_weak=True)


def test_signers_certificates_must_be_valid_at_the_time() -> None:
    """An expired signer is refused today, and accepted for a time at which the certificate was valid."""
    certificate = certify(pair().key, "old", days=(-9, -1))
    document = clear_document()
    cpix.sign(document, pair().key, certificate, now=dt.datetime.now(dt.UTC) - dt.timedelta(days=5))
    with pytest.raises(UntrustedSignerError, match="CN=old .* expired on"):
        cpix.verify(document, [certificate])
    assert cpix.verify(document, [certificate], at=dt.datetime.now(dt.UTC) - dt.timedelta(days=5))
    assert cpix.verify(document, [certificate], allow_weak=True)


def test_only_trusted_signers_count() -> None:
    """A signature by anybody else is refused, or left out where the caller says so; none that counts is a refusal."""
    document = signed("anna", "berta")
    with pytest.raises(UntrustedSignerError, match="by CN=berta .*, who is not among the trusted signers"):
        cpix.verify(document, trusted("anna"))
    (found,) = cpix.verify(document, trusted("anna"), ignore_untrusted=True)
    assert found.signer == pair("anna").certificate
    with pytest.raises(NotSignedError, match="no signature of the document is by a trusted signer"):
        cpix.verify(document, trusted("carla"), ignore_untrusted=True)
    with pytest.raises(UntrustedSignerError):
        cpix.verify(document, [])


def test_a_document_without_signature_is_refused() -> None:
    """No signature is not a verified document with an empty list, but a refusal."""
    with pytest.raises(NotSignedError, match="the document has no signature"):
        cpix.verify(clear_document(), trusted())


@pytest.mark.parametrize("part", ["content_keys", None], ids=["a list", "the document"])
def test_a_changed_part_is_named(part: str | None) -> None:
    """What was changed after signing is the reason of the refusal."""
    document = signed(part=part)
    document.content_keys[0].element.set("kid", str(KIDS[1]))
    with pytest.raises(BadSignatureError, match=r"(ContentKeyList|CPIX) in line \d was changed after it was signed"):
        cpix.verify(document, trusted())


def test_an_unsigned_part_may_change() -> None:
    """A signature over one list says nothing of another."""
    document = signed()
    document.usage_rules[0].intended_track_type = "SD"
    assert len(cpix.verify(document, trusted())) == 1


def test_a_signature_value_of_another_key_is_told() -> None:
    """A signature with a trusted certificate in it, but made with another key, is refused for that reason."""
    document = clear_document()
    document.content_keys.id = "keys"
    cpix.sign(document, pair("berta").private, part="keys")
    certificate = document.signatures[0].element.find(f".//{D}X509Certificate")
    certificate.text = base64.b64encode(pair("anna").der).decode()
    with pytest.raises(BadSignatureError, match="was not made with the signer's key"):
        cpix.verify(document, trusted("anna"))


def test_editing_what_is_signed_says_what_to_do() -> None:
    """The API refuses to change a signed part and says that the signature has to go; without it the change is made."""
    document = signed()
    with pytest.raises(CpixError, match="is signed: a change breaks the signature") as caught:
        document.content_keys[0].key = bytes(16)
    assert "document.signatures.remove(signature)" in str(caught.value.hint)
    (signature,) = signatures_over(document, [document.content_keys[0].element])
    assert signatures_over(document, [document.usage_rules[0].element]) == []
    assert remove_signatures_over(document, [document.content_keys[0].element]) == [signature]
    document.content_keys[0].key = bytes(16)


@pytest.mark.parametrize("part", ["content_keys", "recipients", None])
def test_encrypting_what_is_signed_is_refused(part: str | None) -> None:
    """Encryption would break a signature over keys, recipients or all, and says so; over other lists it is fine."""
    builder = cpix.Builder(version="2.3").recipient(certificate=pair().der).content_key(kid=KIDS[0])
    document = cpix.parse(builder.build().to_xml())
    document.content_keys[0].key = KEYS[0]
    cpix.sign(document, pair().private, part=None if part is None else getattr(document, part))
    with pytest.raises(CpixError, match="covers what encryption changes|is signed: a change"):
        cpix.encrypt(document)
    other = clear_document()
    cpix.sign(other, pair().private, part=other.usage_rules)
    assert len(cpix.verify(cpix.parse(cpix.encrypt(other, [pair().der]).to_xml()), trusted())) == 1


def test_signed_and_encrypted_documents_verify_and_open() -> None:
    """The usual order: encrypt, sign, send; verify, decrypt."""
    document = signed(document=encrypted_document("berta"))
    assert cpix.verify(document, trusted())[0].covers(document.content_keys)
    assert [value.reveal() for value in cpix.open_keys(document, pair("berta").key).values()] == list(KEYS)


def test_the_tree_of_the_caller_stays_as_it_was() -> None:
    """Verifying changes nothing, and a signature that cannot be made leaves nothing behind."""
    document = signed()
    before = document.to_xml()
    cpix.verify(document, trusted())
    assert document.to_xml() == before
    broken = etree.Element(f"{D}Signature")
    with pytest.raises(BadSignatureError, match="the signature cannot be made"):
        sign_template(broken, None, pair().key)


def test_a_missing_extra_is_named() -> None:
    """Without xmlsec, or with one that does not fit lxml, the refusal says what to install."""

    def missing(name: str) -> object:
        raise ModuleNotFoundError(name)

    def misfit(name: str) -> object:
        raise RuntimeError("lxml & xmlsec libxml2 library version mismatch")

    with pytest.raises(MissingExtraError, match="need the Python package xmlsec") as caught:
        load_xmlsec(missing)
    assert "drmkit[signing]" in str(caught.value.hint)
    with pytest.raises(MissingExtraError, match="does not load: lxml & xmlsec libxml2 library version mismatch"):
        load_xmlsec(misfit)
    assert load_xmlsec().SignatureContext


def test_all_nine_signatures_of_the_complex_vector_hold() -> None:
    """Complex: two signers over each of four lists, and one of them over the whole document."""
    document = vector("Complex")
    found = cpix.verify(document, [vector_certificate("Cert3"), vector_certificate("Cert4")])
    lists = ("DeliveryDataList", "ContentKeyList", "DRMSystemList", "ContentKeyUsageRuleList")
    signers = [entry.signer.subject.rfc4514_string()[-1] for entry in found]
    assert [entry.element_id for entry in found] == [name for name in lists for _ in "34"] + [None]
    assert signers == ["3", "4"] * 4 + ["4"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Invalid_BadContentKeysSignature", "ContentKeyList in line 1 was changed after it was signed"),
        ("Invalid_BadDocumentSignature", "CPIX in line 1 was changed after it was signed"),
    ],
)
def test_the_invalid_vectors_fail_for_their_reason(name: str, reason: str) -> None:
    """The vectors with bad signatures are refused for what is wrong with them."""
    with pytest.raises(BadSignatureError, match=reason):
        cpix.verify(vector(name), [vector_certificate(f"Cert{number}") for number in (1, 2, 3, 4)])


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_verifies_is_what_was_signed(seed: int) -> None:
    """Whatever is done to a signed document: it is refused, or what verifies is what was signed, in its place."""
    chance = random.Random(seed)
    source = SIGNED[chance.randrange(len(SIGNED))]
    document = cpix.parse(source)
    original = [canonical(entry.element) for entry in cpix.verify(document, trusted("anna", "berta"))]
    for _ in range(chance.randint(1, 2)):
        disturb(document.root, chance)
    try:
        document = cpix.parse(document.to_xml())
        found = cpix.verify(document, trusted("anna", "berta"))
    except DrmkitError:
        return
    for entry in found:
        assert canonical(entry.element) in original
        if entry.element_id is not None:
            assert entry.element in (document.content_keys.list_element, document.usage_rules.list_element)


def canonical(element: etree._Element) -> bytes:
    """The exclusive canonical form of an element, without signatures in it."""
    twin = etree.fromstring(etree.tostring(element, with_tail=False))
    for signature in twin.findall(f"{D}Signature"):
        twin.remove(signature)
    return etree.tostring(twin, method="c14n", exclusive=True, with_comments=False)


def disturb(root: etree._Element, chance: random.Random) -> None:
    """Change one thing in a tree."""
    elements = list(root.iter(etree.Element))[1:]
    element, other = chance.choice(elements), chance.choice(elements)
    kind = chance.randrange(6)
    if kind == 0:
        element.getparent().remove(element)
    elif kind == 1:
        element.addnext(etree.fromstring(etree.tostring(element, with_tail=False)))
    elif kind == 2 and element not in other.iterancestors() and element is not other:
        other.append(element)
    elif kind == 3:
        element.text = chance.choice(["", "AAAA", other.text or ""])
    elif kind == 4:
        element.set("id", chance.choice(["ContentKeyList", "ContentKeyUsageRuleList", "x"]))
    else:
        element.insert(0, etree.Comment("x"))


def _both() -> cpix.Document:
    document = clear_document()
    cpix.sign(document, pair("anna").private, part=document.content_keys)
    cpix.sign(document, pair("berta").private, part=document.usage_rules)
    return document


SIGNED = [_both().to_xml(), signed(part=None, document=_both()).to_xml()]
