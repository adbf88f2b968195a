"""Rules about signatures, as far as they can be judged without verifying them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.schema import DS
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import text_of

__all__: list[str] = []

_SIGNATURES: Final = "DASH-IF CPIX 2.4, Digital Signature"
_ALGORITHMS: Final = "DASH-IF CPIX 2.4, Mandatory Algorithms"
_INFO: Final = f"{{{DS}}}SignedInfo"
_REFERENCE: Final = f"{_INFO}/{{{DS}}}Reference"
_CERTIFICATE: Final = f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_RSA: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
_SHA: Final = "http://www.w3.org/2001/04/xmlenc#sha512"
_C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"


@rule(
    "signature-certificate",
    source="DASH-IF CPIX 2.4, CPIX element, Signature",
    hint="put the signer's X.509 certificate into KeyInfo/X509Data",
)
def signature_certificate(survey: Survey) -> Iterator[Hit]:
    """Each signature carries the signer's X.509 certificate."""
    for element in survey.document.signatures.elements():
        found = element.find(_CERTIFICATE)
        if found is None or not text_of(found).strip():
            yield Hit(element, "the signature has no X.509 certificate")


@rule("signature-reference", source=_SIGNATURES, hint="the URI is empty, for the whole document, or #ID of one element")
def signature_reference(survey: Survey) -> Iterator[Hit]:
    """A signature refers to the document, or to an element of it by its ID."""
    signatures = list(survey.document.signatures.elements())
    ids = {element.get("id") for element in survey.document.root.iter(etree.Element)} if signatures else set()
    for element in signatures:
        for reference in element.iterfind(_REFERENCE):
            uri = reference.get("URI", "")
            if uri and uri.removeprefix("#") not in ids:
                yield Hit(reference, f"the signature refers to {uri[:60]!r}, which is not in the document", "URI")


@rule("signature-algorithm", source=_ALGORITHMS, hint="sign with RSASSA-PKCS1-v1_5 and SHA-512")
def signature_algorithm(survey: Survey) -> Iterator[Hit]:
    """A signature uses RSA PKCS#1 v1.5 with SHA-512."""
    for element in survey.document.signatures.elements():
        method = element.find(f"{_INFO}/{{{DS}}}SignatureMethod")
        if method is not None and method.get("Algorithm") != _RSA:
            yield Hit(method, f"the signature algorithm is {method.get('Algorithm')!r}", "Algorithm")
        for digest in element.iterfind(f"{_REFERENCE}/{{{DS}}}DigestMethod"):
            if digest.get("Algorithm") != _SHA:
                yield Hit(digest, f"the digest algorithm is {digest.get('Algorithm')!r}", "Algorithm")


@rule(
    "signature-canonicalization",
    kind="advice",
    severity="info",
    source=_ALGORITHMS,
    hint="readers accept Canonical XML 1.0 too, since nearly all documents use it; write 1.1",
)
def signature_canonicalization(survey: Survey) -> Iterator[Hit]:
    """A signature uses Canonical XML 1.1."""
    for element in survey.document.signatures.elements():
        method = element.find(f"{_INFO}/{{{DS}}}CanonicalizationMethod")
        if method is not None and method.get("Algorithm") != _C14N:
            yield Hit(
                method, f"the canonicalization is {method.get('Algorithm')!r}, not Canonical XML 1.1", "Algorithm"
            )
