"""Sign parts of a document or all of it, and verify who signed what."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from drmkit.cpix.certificates import (
    check_strength,
    describe,
    load_certificate,
    read_certificate,
    rsa_key,
    same_key,
    to_der,
    weaknesses,
)
from drmkit.cpix.collections import Collection
from drmkit.cpix.delivery import Signature
from drmkit.cpix.document import Document
from drmkit.cpix.libxmlsec import digest_of, load_xmlsec, sign_template, verifies
from drmkit.cpix.privatekey import PrivateKey, load_private_key
from drmkit.cpix.schema import DS
from drmkit.cpix.shape import add_child
from drmkit.cpix.signatureform import C14N_1_1, DIGESTS, ENVELOPED, METHODS, Form, vet, vet_places
from drmkit.cpix.signed import find_by_id
from drmkit.cpix.values import encode_base64, line_of, text_of
from drmkit.cpix.view import View
from drmkit.errors import BadSignatureError, CertificateError, CpixError, NotSignedError, UntrustedSignerError
from drmkit.secret import Secret

__all__ = ["VerifiedSignature", "sign", "verify"]

_SMALLEST_RSA: Final = 2048


def _ds(name: str) -> str:
    return f"{{{DS}}}{name}"


@dataclass(frozen=True, slots=True, eq=False)
class VerifiedSignature:
    """What one signature proves: this element, with everything in it, was signed by this signer.

    Args:
        element: the element that was signed: the root for the whole document.
        signer: the signer's certificate, one of those that the caller trusts.
        signature: the signature in the document.
        element_id: the ID by which the signature refers to the element, or None for the whole document.
    """

    element: etree._Element
    signer: x509.Certificate
    signature: Signature
    element_id: str | None

    def covers(self, part: View | Collection[Any] | etree._Element) -> bool:
        """Say whether a part of the document (a view, an element, a list as in `document.content_keys`) was signed."""
        element = _element_of(part)
        return element is not None and (
            element is self.element or any(ancestor is self.element for ancestor in element.iterancestors())
        )


def sign(
    document: Document,
    private_key: PrivateKey | rsa.RSAPrivateKey | bytes,
    certificate: x509.Certificate | bytes | None = None,
    *,
    part: str | View | Collection[Any] | None = None,
    passphrase: Secret[str] | Secret[bytes] | None = None,
    allow_weak: bool = False,
    now: datetime | None = None,
) -> Signature:
    """Add a signature to a document: RSASSA-PKCS1-v1_5 with SHA-512 over Canonical XML 1.1, certificate included.

    Several signers may sign one part, and one signer several parts. A signature over the whole document covers the
    signatures that are there, and any that comes later breaks it: make it last, and only one of it.

    Args:
        document: the document, which gets the signature.
        private_key: the signer's key: the bytes of a PEM, DER or PKCS#12 file, or a key that is read already.
        certificate: the signer's certificate, in DER or PEM; None takes the one that came with the private key.
        part: what is signed: the ID of an element, or a list of the document (such as `document.content_keys`) or
            another view, which gets an ID where it has none; None signs the whole document.
        passphrase: the passphrase of the private key's file, or None.
        allow_weak: sign with a certificate with an RSA key under 3072 bits, signed with SHA-1, or not valid at present.
        now: the time at which the certificate must be valid (aware); None means the present.

    Returns:
        The signature in the document.

    Raises:
        CpixError: there is no such part, its ID is not unique, or a signature over the whole document is there.
        WeakCertificateError: the certificate is weak, and `allow_weak` was not given.
        CertificateError: key or certificate cannot be read, or do not belong together.
        MissingExtraError: the extra `signing` is not installed.
    """
    load_xmlsec()
    private = load_private_key(private_key, passphrase)
    owner = _owner(private, certificate)
    if not allow_weak:
        check_strength(owner, now)
    document.changing(document.root)
    target = _part(document, part)
    signature = _template(document.root, owner, target)
    # libxmlsec works on a copy: it notes IDs in the tree that it signs, and nothing may remain where it fails.
    twin = copy.deepcopy(document.tree).getroot()
    draft = copy.deepcopy(signature)
    add_child(twin, draft)
    sign_template(draft, None if target is None else find_by_id(twin, str(target.get("id")))[0], private.rsa)
    for name in (f"{_ds('SignedInfo')}/{_ds('Reference')}/{_ds('DigestValue')}", _ds("SignatureValue")):
        _found(signature, name).text = _found(draft, name).text
    add_child(document.root, signature)
    document.touch()
    return Signature(document, signature)


def verify(
    document: Document,
    trusted: Iterable[x509.Certificate | bytes],
    *,
    ignore_untrusted: bool = False,
    at: datetime | None = None,
    allow_weak: bool = False,
) -> list[VerifiedSignature]:
    """Verify the signatures of a document and return exactly what was signed, and by whom.

    Every signature must hold: one that does not makes the whole document suspect. What is in no returned element was
    signed by nobody. `VerifiedSignature.covers` says whether a part was.

    Args:
        document: the document.
        trusted: the certificates of the signers that the caller trusts, in DER or PEM. They are the signers' own:
            a certificate is not trusted for who issued it.
        ignore_untrusted: leave signatures by others out of account, instead of refusing; their form must be right.
        at: the time at which the signers' certificates must be valid (aware); None means the present.
        allow_weak: accept signers' RSA keys under 2048 bits and certificates that are not valid at the time.

    Returns:
        One entry for each signature by a trusted signer, in document order; never an empty list.

    Raises:
        NotSignedError: there is no signature at all, or none by a trusted signer.
        SignatureRefusedError: a signature has a form, place or algorithm that can deceive.
        UntrustedSignerError: a signer is not among the trusted ones, or the certificate is not valid at the time.
        BadSignatureError: what a signature covers was changed, or it was not made with the signer's key.
        CertificateError: a trusted certificate cannot be read, or has no RSA key.
        MissingExtraError: the extra `signing` is not installed.
    """
    known = {to_der(found): found for found in _read_all(trusted)}
    twin = copy.deepcopy(document.tree).getroot()
    forms = [vet(signature) for signature in vet_places(twin)]
    if not forms:
        raise NotSignedError("the document has no signature", hint="refuse it, or take it from a trusted channel only")
    views = list(document.signatures)
    found = []
    for view, form in zip(views, forms, strict=True):
        signer = _signer(form, known, ignore_untrusted=ignore_untrusted)
        if signer is None:
            continue
        if not allow_weak:
            _check_signer(form, signer, at)
        if not verifies(form.signature, None if form.element_id is None else form.target, rsa_key(signer)):
            raise _explain(form)
        element = document.root if form.element_id is None else find_by_id(document.root, form.element_id)[0]
        found.append(VerifiedSignature(element, signer, view, form.element_id))
    if not found:
        raise NotSignedError("no signature of the document is by a trusted signer", hint="refuse the document")
    return found


def _read_all(trusted: Iterable[x509.Certificate | bytes]) -> Iterator[x509.Certificate]:
    sources = (trusted,) if isinstance(trusted, bytes | x509.Certificate) else trusted
    for source in sources:
        yield read_certificate(source, what="a trusted certificate")


def _signer(form: Form, known: dict[bytes, x509.Certificate], *, ignore_untrusted: bool) -> x509.Certificate | None:
    for der in form.certificates:
        if der in known:
            return known[der]
    if ignore_untrusted:
        return None
    certificate = load_certificate(form.certificates[0])
    who = "a certificate that cannot be read" if certificate is None else describe(certificate)
    raise UntrustedSignerError(
        f"the signature in line {line_of(form.signature)} is by {who}, who is not among the trusted signers",
        hint="if you trust this signer, name the certificate, received from the signer and not from the document",
    )


def _check_signer(form: Form, signer: x509.Certificate, at: datetime | None) -> None:
    found = [text for text in weaknesses(signer, at, bits=_SMALLEST_RSA) if "SHA-1" not in text]
    if found:
        # How a certificate was signed plays no part here: the caller trusts the certificate itself.
        raise UntrustedSignerError(
            f"the signature in line {line_of(form.signature)} is by {describe(signer)}, whose certificate {found[0]}",
            hint="give the time of signing, if that is known for sure, or ask the signer for a valid certificate",
        )


def _explain(form: Form) -> BadSignatureError:
    """Tell what of a signature that libxmlsec rejected is wrong. This decides nothing; it only words the refusal."""
    info = f"{_ds('SignedInfo')}/{_ds('Reference')}/{_ds('DigestValue')}"
    claimed = "".join(text_of(_found(form.signature, info)).split())
    name = etree.QName(form.target).localname
    what = "its SignatureValue was not made with the signer's key over what stands in it"
    if digest_of(form.signature, None if form.element_id is None else form.target) != claimed:
        what = f"{name} in line {line_of(form.target)} was changed after it was signed (its digest differs)"
    return BadSignatureError(
        f"the signature in line {line_of(form.signature)} does not verify: {what}",
        hint="refuse the document, and ask the sender for another",
    )


def _owner(private: PrivateKey, certificate: x509.Certificate | bytes | None) -> x509.Certificate:
    if certificate is None:
        owner = private.certificate
        if owner is None:
            raise CertificateError(
                "no certificate came with the private key", hint="give the signer's certificate: signatures carry it"
            )
        return owner
    owner = read_certificate(certificate, what="the signer's certificate")
    rsa_key(owner)
    if not same_key(owner, private.rsa.public_key()):
        raise CertificateError(
            f"the certificate of {describe(owner)} does not belong to the private key",
            hint="give the certificate of this key",
        )
    return owner


def _part(document: Document, part: str | View | Collection[Any] | None) -> etree._Element | None:
    """Return the element that is to be signed, with a unique ID; None for the whole document."""
    if part is None or part is document:
        return None
    if isinstance(part, str):
        found = find_by_id(document.root, part)
        if len(found) != 1:
            raise CpixError(
                f"{len(found) or 'no'} elements have the ID {part!r}",
                hint="a signature needs one element with a unique ID",
            )
        return found[0]
    element = _element_of(part)
    if element is None or (element is not document.root and document.root not in element.iterancestors()):
        raise CpixError("what is to be signed is not in the document", hint="add something to the list first")
    if element.get("id") is None:
        document.changing(element)
        element.set("id", _new_id(document, element))
    elif len(find_by_id(document.root, str(element.get("id")))) != 1:
        raise CpixError(f"the ID {element.get('id')!r} is not unique", hint="give the element another one")
    return element


def _element_of(part: View | Collection[Any] | etree._Element) -> etree._Element | None:
    if isinstance(part, Collection):
        return part.list_element
    return part.element if isinstance(part, View) else part


def _new_id(document: Document, element: etree._Element) -> str:
    name = etree.QName(element).localname
    number = 1
    while find_by_id(document.root, name if number == 1 else f"{name}{number}"):
        number += 1
    return name if number == 1 else f"{name}{number}"


def _template(root: etree._Element, owner: x509.Certificate, target: etree._Element | None) -> etree._Element:
    signature = root.makeelement(_ds("Signature"), nsmap={"ds": DS})
    info = etree.SubElement(signature, _ds("SignedInfo"))
    etree.SubElement(info, _ds("CanonicalizationMethod"), Algorithm=C14N_1_1)
    etree.SubElement(info, _ds("SignatureMethod"), Algorithm=METHODS[0])
    reference = etree.SubElement(info, _ds("Reference"), URI="" if target is None else f"#{target.get('id')}")
    transforms = etree.SubElement(reference, _ds("Transforms"))
    for name in (*((ENVELOPED,) if target in (None, root) else ()), C14N_1_1):
        etree.SubElement(transforms, _ds("Transform"), Algorithm=name)
    etree.SubElement(reference, _ds("DigestMethod"), Algorithm=DIGESTS[0])
    etree.SubElement(reference, _ds("DigestValue"))
    etree.SubElement(signature, _ds("SignatureValue"))
    data = etree.SubElement(etree.SubElement(signature, _ds("KeyInfo")), _ds("X509Data"))
    etree.SubElement(data, _ds("X509Certificate")).text = encode_base64(to_der(owner))
    return signature


def _found(parent: etree._Element, path: str) -> etree._Element:
    found = parent.find(path)
    assert found is not None  # noqa: S101 (it was made here, or vetted)
    return found
