"""What a signature must look like before anybody verifies it: ways to deceive are refused here, with the reason.

A signature can verify and still prove nothing about what is read: because it covers another element than the one that
counts (wrapping), because its transforms leave something out, or because its key is what the attacker wrote into it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from drmkit.cpix.schema import CPIX, DS
from drmkit.cpix.shape import child_order
from drmkit.cpix.values import decode_base64, line_of, text_of
from drmkit.errors import SignatureRefusedError

__all__ = ["C14N_1_1", "DIGESTS", "ENVELOPED", "METHODS", "Form", "refused", "vet", "vet_places"]

C14N_1_1: Final = "http://www.w3.org/2006/12/xml-c14n11"
ENVELOPED: Final = f"{DS}enveloped-signature"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_C14N: Final = ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", C14N_1_1, _EXCLUSIVE)
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
METHODS: Final = tuple(f"{_MORE}rsa-sha{bits}" for bits in (512, 384, 256))
DIGESTS: Final = (
    "http://www.w3.org/2001/04/xmlenc#sha512",
    f"{_MORE}sha384",
    "http://www.w3.org/2001/04/xmlenc#sha256",
)
_INCLUSIVE_NAMESPACES: Final = f"{{{_EXCLUSIVE}}}InclusiveNamespaces"
_NAME: Final = re.compile(r"[\w.\-]+")
_ID_NAMES: Final = frozenset({"id", "Id", "ID", "iD"})


@dataclass(frozen=True, slots=True)
class Form:
    """What a vetted signature says about itself.

    Args:
        signature: the `ds:Signature` element.
        target: the element that it covers; the root for the document as a whole.
        element_id: the ID by which it refers to the target, or None for the whole document.
        certificates: the certificates in its KeyInfo, in DER.
    """

    signature: etree._Element
    target: etree._Element
    element_id: str | None
    certificates: tuple[bytes, ...]


def refused(
    element: etree._Element, reason: str, hint: str = "ask the sender for a plain signature"
) -> SignatureRefusedError:
    """Return the error for a signature of a form that is not accepted."""
    return SignatureRefusedError(f"the signature in line {line_of(element)} is refused: {reason}", hint=hint)


def vet_places(root: etree._Element) -> list[etree._Element]:
    """Return the signatures of a document, which must stand directly in its root.

    Raises:
        SignatureRefusedError: one stands elsewhere, where it was moved or hidden.
    """
    found = list(root.iter(f"{{{DS}}}Signature"))
    for signature in found:
        if signature.getparent() is not root:
            raise refused(signature, "it does not stand directly in the CPIX element", "a signature may not be moved")
    return found


def vet(signature: etree._Element) -> Form:
    """Check the form of a signature and find the one element that it covers.

    Accepted is exactly: one reference, to the whole document (an empty URI, with the enveloped-signature transform) or
    to one element by its ID; no transform but that and one canonicalization (1.0, 1.1 or exclusive, without comments);
    RSA PKCS#1 v1.5 with SHA-256, SHA-384 or SHA-512; and the signer's X.509 certificate.

    Raises:
        SignatureRefusedError: anything else.
    """
    for node in signature.iter(etree.Comment, etree.ProcessingInstruction):
        raise refused(signature, f"a comment or processing instruction stands in it (line {line_of(node)})")
    info, value, key_info = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"))
    if len(value):
        raise refused(signature, "its SignatureValue has elements in it")
    canonicalization, method, reference = _children(info, ("CanonicalizationMethod", "SignatureMethod", "Reference"))
    _vet_c14n(signature, canonicalization)
    _vet_method(signature, method)
    target, element_id = _vet_reference(signature, reference)
    return Form(signature, target, element_id, _vet_key_info(signature, key_info))


def _children(parent: etree._Element, names: tuple[str, ...]) -> tuple[etree._Element, ...]:
    found = tuple(parent)
    if [child.tag for child in found] != [f"{{{DS}}}{name}" for name in names]:
        what = ", ".join(etree.QName(child).localname for child in found) or "nothing"
        owner = etree.QName(parent).localname
        raise refused(parent, f"{owner} must hold exactly {', '.join(names)}; it holds {what[:200]}")
    return found


def _vet_c14n(signature: etree._Element, method: etree._Element) -> None:
    name = method.get("Algorithm", "")
    if name.endswith("WithComments"):
        raise refused(signature, "it uses canonicalization with comments, which CPIX does not")
    if name not in _C14N:
        raise refused(signature, f"its canonicalization {name[:100]!r} is not Canonical XML 1.0, 1.1 or exclusive")
    allowed = [_INCLUSIVE_NAMESPACES] if name == _EXCLUSIVE else []
    if [child.tag for child in method] not in ([], allowed):
        raise refused(signature, "its canonicalization has parameters")


def _vet_method(signature: etree._Element, method: etree._Element) -> None:
    name = method.get("Algorithm", "")
    if "hmac" in name.lower():
        raise refused(signature, "it is an HMAC: whoever knows the public certificate could make it")
    if "sha1" in name.lower():
        raise refused(signature, "it uses SHA-1, for which forgeries exist")
    if name not in METHODS:
        raise refused(signature, f"its algorithm {name[:100]!r} is not RSA PKCS#1 v1.5 with SHA-256 or better")
    if len(method):
        raise refused(signature, "its SignatureMethod has parameters")


def _vet_reference(signature: etree._Element, reference: etree._Element) -> tuple[etree._Element, str | None]:
    uri = reference.get("URI")
    if uri is None or set(reference.attrib) - {"URI", "Id"}:
        raise refused(signature, "its Reference has no URI, or attributes of an unknown meaning")
    parts = list(reference)
    transforms = list(parts.pop(0)) if parts and parts[0].tag == f"{{{DS}}}Transforms" else []
    if [part.tag for part in parts] != [f"{{{DS}}}DigestMethod", f"{{{DS}}}DigestValue"] or any(map(len, parts)):
        raise refused(signature, "its Reference must hold Transforms, DigestMethod and DigestValue")
    digest = parts[0].get("Algorithm", "")
    if "sha1" in digest.lower():
        raise refused(signature, "its digest is SHA-1, for which collisions exist")
    if digest not in DIGESTS:
        raise refused(signature, f"its digest {digest[:100]!r} is not SHA-256 or better")
    target, element_id = _target(signature, uri)
    _vet_transforms(signature, transforms, enveloped=target is signature.getparent())
    return target, element_id


def _vet_transforms(signature: etree._Element, transforms: list[etree._Element], *, enveloped: bool) -> None:
    names = [transform.get("Algorithm", "") for transform in transforms]
    if any(transform.tag != f"{{{DS}}}Transform" for transform in transforms):
        raise refused(signature, "its Transforms hold something else than transforms")
    if enveloped:
        if names[:1] != [ENVELOPED]:
            raise refused(
                signature, "it covers the document, but does not begin with the enveloped-signature transform"
            )
        if len(transforms[0]):
            raise refused(signature, "its enveloped-signature transform has parameters")
        names, transforms = names[1:], transforms[1:]
    for name in names:
        if name not in _C14N and not name.endswith("WithComments"):
            raise refused(signature, f"the transform {name[:100]!r} can change what is signed")
    if len(names) > 1:
        raise refused(signature, "it canonicalizes more than once")
    for transform in transforms:
        _vet_c14n(signature, transform)


def _target(signature: etree._Element, uri: str) -> tuple[etree._Element, str | None]:
    root = signature.getparent()
    assert root is not None  # noqa: S101 (its place was vetted)
    if not uri:
        return root, None
    if not uri.startswith("#") or not _NAME.fullmatch(uri[1:]):
        raise refused(
            signature, f"its reference {uri[:100]!r} is neither empty nor #ID", "no reference leads elsewhere"
        )
    return _vetted_target(signature, root, uri[1:]), uri[1:]


def _vetted_target(signature: etree._Element, root: etree._Element, element_id: str) -> etree._Element:
    """Find the element with an ID, and make sure that it is the one which readers of the document will use."""
    holders: Any = root.xpath("descendant-or-self::*[@*[.=$wanted]]", wanted=element_id)
    found: list[tuple[etree._Element, str]] = [
        (element, name)
        for element in holders
        for name, value in element.attrib.items()
        if value == element_id and etree.QName(name).localname in _ID_NAMES
    ]
    if not found:
        raise refused(signature, f"there is no element with the ID {element_id!r}", "was what it covers taken out?")
    if len(found) > 1:
        raise refused(signature, f"{len(found)} elements have the ID {element_id!r}, so it covers any of them")
    element, name = found[0]
    if name != "id" or etree.QName(element).namespace != CPIX:
        raise refused(signature, f"the element with the ID {element_id!r} is not a part of CPIX")
    child: etree._Element = element
    parent = element.getparent()
    while parent is not None:
        if child.tag not in child_order().get(str(parent.tag), {}):
            raise refused(signature, f"the element with the ID {element_id!r} does not stand where CPIX has it")
        if parent is root and sum(1 for _ in root.iterchildren(str(child.tag))) > 1:
            what = etree.QName(child).localname
            raise refused(signature, f"there are two {what} elements, and it covers only one of them")
        child, parent = parent, parent.getparent()
    return element


def _vet_key_info(signature: etree._Element, key_info: etree._Element) -> tuple[bytes, ...]:
    # What else stands there, such as a KeyValue, plays no part: a signature is verified with the certificate alone.
    found = list(key_info.iterfind(f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"))
    if not found:
        raise refused(
            signature,
            "it carries no X.509 certificate; a bare key in it proves nothing",
            "the signer must put the certificate into KeyInfo",
        )
    try:
        return tuple(decode_base64(text_of(certificate)) for certificate in found)
    except ValueError:
        raise refused(signature, "its X.509 certificate is not base64") from None
