"""Attacks on signatures: each one is refused for its reason, and the harmless twin of each is accepted."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from signers import KEYS, KIDS, clear_document, pair

from drmkit import cpix
from drmkit.cpix.libxmlsec import sign_template, verifies
from drmkit.cpix.schema import CPIX, DS
from drmkit.errors import BadSignatureError, SignatureRefusedError, UntrustedSignerError

C = f"{{{CPIX}}}"
D = f"{{{DS}}}"
X = "{urn:example:attack}"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
Change = Callable[[etree._Element], object]


def keys_signed() -> cpix.Document:
    """A document whose content keys Anna has signed, under the ID `keys`."""
    document = clear_document()
    document.content_keys.id = "keys"
    cpix.sign(document, pair().private, part="keys")
    return document


def all_signed() -> cpix.Document:
    """A document that Anna has signed as a whole."""
    document = clear_document()
    cpix.sign(document, pair().private)
    return document


def forged_list(root: etree._Element, *, with_id: bool = False) -> etree._Element:
    """A content key list of the attacker's own."""
    forged = etree.fromstring(etree.tostring(root.find(f"{C}ContentKeyList"), with_tail=False))
    for value in forged.iter("{*}PlainValue"):
        value.text = base64.b64encode(b"attackerattacker").decode()
    if not with_id:
        del forged.attrib["id"]
    return forged


def signature(root: etree._Element) -> etree._Element:
    """The signature of a document."""
    return root.find(f"{D}Signature")


def at(path: str) -> Callable[[etree._Element], etree._Element]:
    """The first element on a path within the signature; `ds` names are meant."""
    return lambda root: signature(root).find("/".join(f"{D}{name}" for name in path.split("/")))


def reread(document: cpix.Document) -> cpix.Document:
    """The document as a receiver gets it."""
    return cpix.parse(document.to_xml())


def wrap(into: Callable[[etree._Element], etree._Element], *, with_id: bool = False) -> Change:
    """Move the signed list to another place and put a forged one where readers look."""

    def change(root: etree._Element) -> None:
        good = root.find(f"{C}ContentKeyList")
        forged = forged_list(root, with_id=with_id)
        good.addprevious(forged)
        into(root).append(good)

    return change


def in_foreign_element(root: etree._Element) -> etree._Element:
    """An element of another namespace in a usage rule, where the schema allows one."""
    return etree.SubElement(root.find(f".//{C}ContentKeyUsageRule"), f"{X}Wrapper")


def in_object(root: etree._Element) -> etree._Element:
    """An Object in the signature."""
    return etree.SubElement(signature(root), f"{D}Object")


WRAPPING: dict[str, tuple[Change, str]] = {
    "into a foreign element": (wrap(in_foreign_element), "does not stand where CPIX has it"),
    "into a usage rule": (wrap(lambda r: r.find(f".//{C}ContentKeyUsageRule")), "does not stand where CPIX has it"),
    "into an Object": (wrap(in_object), "it holds SignedInfo, SignatureValue, KeyInfo, Object"),
    "with the same ID": (wrap(in_foreign_element, with_id=True), "2 elements have the ID 'keys'"),
    "a second list before": (
        lambda r: r.find(f"{C}ContentKeyList").addprevious(forged_list(r)),
        "there are two ContentKeyList elements",
    ),
    "a second list behind": (
        lambda r: r.find(f"{C}ContentKeyList").addnext(forged_list(r)),
        "there are two ContentKeyList elements",
    ),
    "a double with the same ID": (
        lambda r: r.find(f"{C}ContentKeyList").addprevious(forged_list(r, with_id=True)),
        "2 elements have the ID 'keys'",
    ),
    "an Id of another case": (
        lambda r: r.find(f"{C}ContentKeyUsageRuleList").set("Id", "keys"),
        "2 elements have the ID 'keys'",
    ),
    "an xml:id": (
        lambda r: r.set("{http://www.w3.org/XML/1998/namespace}id", "keys"),
        "2 elements have the ID 'keys'",
    ),
}


@pytest.mark.parametrize("name", WRAPPING)
def test_wrapping_is_refused(name: str) -> None:
    """A signed list that was moved or doubled, so that readers use another one, is refused."""
    change, reason = WRAPPING[name]
    document = keys_signed()
    assert cpix.verify(reread(document), [pair().certificate])
    change(document.root)
    with pytest.raises(SignatureRefusedError, match=reason):
        cpix.verify(reread(document), [pair().certificate])


@pytest.mark.parametrize("name", ["into a usage rule", "a second list before"])
def test_the_attacks_are_real(name: str) -> None:
    """Libxmlsec alone, given the element with the ID, finds the signatures of wrapped documents correct."""
    document = keys_signed()
    WRAPPING[name][0](document.root)
    document = reread(document)
    (target,) = document.root.xpath("//*[@id='keys']")
    assert verifies(signature(document.root), target, pair().key.public_key())
    assert document.content_keys[0].key.reveal() == b"attackerattacker"


def test_a_signature_outside_the_root_is_refused() -> None:
    """A signature that was moved away from the root is refused, not overlooked."""
    document = keys_signed()
    in_foreign_element(document.root).append(signature(document.root))
    with pytest.raises(SignatureRefusedError, match="it does not stand directly in the CPIX element"):
        cpix.verify(reread(document), [pair().certificate])


def test_what_was_signed_must_be_there() -> None:
    """A signature over an element that was taken out is refused."""
    document = keys_signed()
    document.root.remove(document.content_keys.list_element)
    with pytest.raises(SignatureRefusedError, match="there is no element with the ID 'keys'"):
        cpix.verify(reread(document), [pair().certificate])


def add_reference(root: etree._Element) -> None:
    """Add a second reference."""
    twin = etree.fromstring(etree.tostring(at("SignedInfo/Reference")(root)))
    at("SignedInfo/Reference")(root).addnext(twin)


def set_of(path: str, name: str, value: str) -> Change:
    """A change that sets an attribute."""
    return lambda root: at(path)(root).set(name, value)


def child_of(path: str, name: str, text: str | None = None, **attributes: str) -> Change:
    """A change that adds a child."""
    return lambda root: setattr(etree.SubElement(at(path)(root), name, **attributes), "text", text)


def without(path: str) -> Change:
    """A change that takes an element away."""
    return lambda root: at(path)(root).getparent().remove(at(path)(root))


def key_value(root: etree._Element) -> None:
    """Put a bare key in place of the certificate."""
    info = at("KeyInfo")(root)
    del info[:]
    value = etree.SubElement(etree.SubElement(info, f"{D}KeyValue"), f"{D}RSAKeyValue")
    numbers = pair("mallory").key.public_key().public_numbers()
    for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        etree.SubElement(value, f"{D}{name}").text = base64.b64encode(raw).decode()


TRANSFORM = "SignedInfo/Reference/Transforms/Transform"
FORMS: dict[str, tuple[Change, str]] = {
    "two references": (add_reference, "SignedInfo must hold exactly .* it holds .*Reference, Reference"),
    "no reference": (without("SignedInfo/Reference"), "SignedInfo must hold exactly"),
    "an HMAC": (set_of("SignedInfo/SignatureMethod", "Algorithm", f"{MORE}hmac-sha512"), "it is an HMAC"),
    "RSA with SHA-1": (set_of("SignedInfo/SignatureMethod", "Algorithm", f"{DS}rsa-sha1"), "it uses SHA-1"),
    "an unknown method": (set_of("SignedInfo/SignatureMethod", "Algorithm", "urn:none"), "its algorithm 'urn:none' is"),
    "a truncated method": (child_of("SignedInfo/SignatureMethod", f"{D}HMACOutputLength", "1"), "has parameters"),
    "a digest with SHA-1": (
        set_of("SignedInfo/Reference/DigestMethod", "Algorithm", f"{DS}sha1"),
        "its digest is SHA-1",
    ),
    "an unknown digest": (
        set_of("SignedInfo/Reference/DigestMethod", "Algorithm", "urn:none"),
        "its digest 'urn:none'",
    ),
    "no digest": (without("SignedInfo/Reference/DigestValue"), "must hold Transforms, DigestMethod and DigestValue"),
    "an XSLT": (set_of(TRANSFORM, "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116"), "can change what is"),
    "an XPath": (set_of(TRANSFORM, "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116"), "can change what is"),
    "base64": (set_of(TRANSFORM, "Algorithm", f"{DS}base64"), "can change what is signed"),
    "an enveloped transform for a list": (
        set_of(TRANSFORM, "Algorithm", f"{DS}enveloped-signature"),
        "can change what",
    ),
    "two canonicalizations": (
        child_of("SignedInfo/Reference/Transforms", f"{D}Transform", Algorithm=EXC),
        "it canonicalizes more than once",
    ),
    "no transform at all": (child_of("SignedInfo/Reference/Transforms", f"{X}Transform"), "something else than"),
    "comments in the transform": (
        set_of(TRANSFORM, "Algorithm", f"{EXC}WithComments"),
        "canonicalization with comments",
    ),
    "comments in SignedInfo": (
        set_of("SignedInfo/CanonicalizationMethod", "Algorithm", f"{EXC}WithComments"),
        "canonicalization with comments",
    ),
    "an unknown canonicalization": (
        set_of("SignedInfo/CanonicalizationMethod", "Algorithm", "urn:none"),
        "its canonicalization 'urn:none'",
    ),
    "parameters of the canonicalization": (
        child_of("SignedInfo/CanonicalizationMethod", f"{{{EXC}}}InclusiveNamespaces", PrefixList="x"),
        "its canonicalization has parameters",
    ),
    "a file": (set_of("SignedInfo/Reference", "URI", "file:///etc/passwd"), "is neither empty nor #ID"),
    "a web address": (set_of("SignedInfo/Reference", "URI", "http://127.0.0.1/keys"), "is neither empty nor #ID"),
    "an XPointer": (set_of("SignedInfo/Reference", "URI", "#xpointer(/)"), "is neither empty nor #ID"),
    "an XPointer to an ID": (
        set_of("SignedInfo/Reference", "URI", "#xpointer(id('keys'))"),
        "is neither empty nor #ID",
    ),
    "an escaped ID": (set_of("SignedInfo/Reference", "URI", "#k%65ys"), "is neither empty nor #ID"),
    "no URI": (lambda r: at("SignedInfo/Reference")(r).attrib.clear(), "its Reference has no URI"),
    "a manifest": (set_of("SignedInfo/Reference", "Type", f"{DS}Manifest"), "attributes of an unknown meaning"),
    "the document without the enveloped transform": (
        set_of("SignedInfo/Reference", "URI", ""),
        "does not begin with the enveloped-signature transform",
    ),
    "a bare key": (key_value, "it carries no X.509 certificate; a bare key in it proves nothing"),
    "no key at all": (lambda r: at("KeyInfo")(r).clear(), "it carries no X.509 certificate"),
    "no KeyInfo": (without("KeyInfo"), "Signature must hold exactly"),
    "a broken certificate": (
        lambda r: setattr(at("KeyInfo/X509Data/X509Certificate")(r), "text", "@"),
        "its X.509 certificate is not base64",
    ),
    "a comment in the digest": (
        lambda r: at("SignedInfo/Reference/DigestValue")(r).append(etree.Comment("x")),
        "a comment or processing instruction stands in it",
    ),
    "a processing instruction": (lambda r: at("SignedInfo")(r).append(etree.PI("x")), "a comment or processing"),
    "an element in the value": (child_of("SignatureValue", f"{X}Y"), "its SignatureValue has elements in it"),
    "an Object": (in_object, "Signature must hold exactly"),
    "the ID of something foreign": (
        lambda r: [
            etree.SubElement(in_foreign_element(r), f"{X}E", id="other"),
            set_of("SignedInfo/Reference", "URI", "#other")(r),
        ],
        "the element with the ID 'other' is not a part of CPIX",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_that_can_deceive_are_refused(name: str) -> None:
    """Every form beside the plain one is refused for its reason, before any verification."""
    change, reason = FORMS[name]
    document = keys_signed()
    change(document.root)
    with pytest.raises(SignatureRefusedError, match=reason) as caught:
        cpix.verify(reread(document), [pair().certificate])
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without(TRANSFORM), "does not begin with the enveloped-signature transform"),
        (child_of(TRANSFORM, f"{X}P"), "enveloped-signature transform has parameters"),
    ],
)
def test_the_enveloped_transform_is_plain(change: Change, reason: str) -> None:
    """A signature over the document needs the enveloped-signature transform, first and without parameters."""
    document = all_signed()
    assert cpix.verify(reread(document), [pair().certificate])
    change(document.root)
    with pytest.raises(SignatureRefusedError, match=reason):
        cpix.verify(reread(document), [pair().certificate])


def test_form_counts_for_untrusted_signatures_too() -> None:
    """Leaving others' signatures out of account does not let deceiving forms pass."""
    document = keys_signed()
    cpix.sign(document, pair("mallory").private, part="keys")
    assert cpix.verify(document, [pair().certificate], ignore_untrusted=True)
    document.signatures[1].element.find(f".//{D}SignatureMethod").set("Algorithm", f"{DS}hmac-sha1")
    with pytest.raises(SignatureRefusedError, match="it is an HMAC"):
        cpix.verify(document, [pair().certificate], ignore_untrusted=True)


def test_key_confusion_does_not_work() -> None:
    """An HMAC under the signer's public key, in each of its encodings, is refused."""
    public = pair().key.public_key()
    for encoding in (Encoding.PEM, Encoding.DER):
        document = keys_signed()
        set_of("SignedInfo/SignatureMethod", "Algorithm", f"{MORE}hmac-sha512")(document.root)
        info = at("SignedInfo")(document.root)
        key = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        value = hmac.digest(key, etree.tostring(info, method="c14n"), "sha512")
        at("SignatureValue")(document.root).text = base64.b64encode(value).decode()
        with pytest.raises(SignatureRefusedError, match="it is an HMAC"):
            cpix.verify(reread(document), [pair().certificate])


def test_a_foreign_signature_with_a_trusted_certificate_beside_fails() -> None:
    """Adding a trusted certificate to one's own signature makes nobody trusted."""
    document = clear_document()
    cpix.sign(document, pair("mallory").private)
    data = at("KeyInfo/X509Data")(document.root)
    etree.SubElement(data, f"{D}X509Certificate").text = base64.b64encode(pair().der).decode()
    with pytest.raises(BadSignatureError, match="was not made with the signer's key"):
        cpix.verify(reread(document), [pair().certificate])
    with pytest.raises(UntrustedSignerError, match="CN=mallory"):
        cpix.verify(reread(document), [pair("anna two").certificate])


def test_a_chain_beside_the_signer_is_harmless() -> None:
    """More certificates, a key name and a key value beside the signer's certificate play no part."""
    document = keys_signed()
    data = at("KeyInfo/X509Data")(document.root)
    etree.SubElement(data, f"{D}X509Certificate").text = base64.b64encode(pair("mallory").der).decode()
    etree.SubElement(at("KeyInfo")(document.root), f"{D}KeyName").text = "anna"
    (found,) = cpix.verify(reread(document), [pair().certificate])
    assert found.signer == pair().certificate


def resigned(change: Change, document: cpix.Document) -> cpix.Document:
    """Let Anna herself sign a changed template."""
    change(document.root)
    element = signature(document.root)
    for name in ("SignedInfo/Reference/DigestValue", "SignatureValue"):
        at(name)(document.root).text = None
    uri = at("SignedInfo/Reference")(document.root).get("URI")
    target = document.root.xpath("//*[@id=$i]", i=uri[1:])[0] if uri else None
    sign_template(element, target, pair().key)
    return reread(document)


C14N = ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11", EXC)


@pytest.mark.parametrize("whole", [False, True], ids=["a list", "the document"])
@pytest.mark.parametrize("outer", C14N)
@pytest.mark.parametrize("inner", [*C14N, None])
def test_all_three_canonicalizations_are_read(whole: bool, outer: str, inner: str | None) -> None:
    """Canonical XML 1.0, 1.1 and exclusive verify, for SignedInfo and for what is signed; 1.0 where none is named."""

    def change(root: etree._Element) -> None:
        at("SignedInfo/CanonicalizationMethod")(root).set("Algorithm", outer)
        transforms = at("SignedInfo/Reference/Transforms")(root)
        if inner is None:
            transforms.remove(transforms[-1])
            if not len(transforms):
                transforms.getparent().remove(transforms)
        else:
            transforms[-1].set("Algorithm", inner)

    document = resigned(change, all_signed() if whole else keys_signed())
    assert cpix.verify(document, [pair().certificate])[0].covers(document.content_keys)
    document.content_keys[0].element.set("kid", str(KIDS[2]))
    with pytest.raises(BadSignatureError, match="was changed after it was signed"):
        cpix.verify(document, [pair().certificate])


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_stronger_hashes_are_read(bits: int) -> None:
    """RSA with SHA-256, SHA-384 and SHA-512 verify."""
    digest = f"{MORE}sha384" if bits == 384 else f"http://www.w3.org/2001/04/xmlenc#sha{bits}"

    def change(root: etree._Element) -> None:
        at("SignedInfo/SignatureMethod")(root).set("Algorithm", f"{MORE}rsa-sha{bits}")
        at("SignedInfo/Reference/DigestMethod")(root).set("Algorithm", digest)

    assert cpix.verify(resigned(change, keys_signed()), [pair().certificate])


def test_inclusive_namespaces_of_exclusive_canonicalization_are_read() -> None:
    """Exclusive canonicalization may list prefixes."""

    def change(root: etree._Element) -> None:
        method = at("SignedInfo/CanonicalizationMethod")(root)
        method.set("Algorithm", EXC)
        etree.SubElement(method, f"{{{EXC}}}InclusiveNamespaces", PrefixList="cpix")

    assert cpix.verify(resigned(change, keys_signed()), [pair().certificate])


def test_inherited_xml_attributes_count_as_the_standard_says() -> None:
    """Canonical XML of a part takes xml:lang from above: adding one afterwards breaks the signature, before it not."""
    name = "{http://www.w3.org/XML/1998/namespace}lang"
    document = keys_signed()
    document.root.set(name, "en")
    with pytest.raises(BadSignatureError):
        cpix.verify(reread(document), [pair().certificate])
    assert cpix.verify(resigned(lambda root: root.set(name, "en"), keys_signed()), [pair().certificate])


def test_the_root_may_be_signed_by_its_id() -> None:
    """The root is an element with an ID like others; its signature stands in it and needs the enveloped transform."""

    def change(root: etree._Element) -> None:
        root.set("id", "all")
        at("SignedInfo/Reference")(root).set("URI", "#all")

    document = resigned(change, all_signed())
    (found,) = cpix.verify(document, [pair().certificate])
    assert (found.element, found.element_id) == (document.root, "all")
    assert found.covers(document.usage_rules)
    assert [key.key.reveal() for key in document.content_keys] == list(KEYS)
