"""The one place that runs libxmlsec (the extra `signing`): fills templates, verifies signatures that were vetted."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from lxml import etree

from drmkit.cpix.schema import DS
from drmkit.errors import BadSignatureError, MissingExtraError

__all__ = ["digest_of", "load_xmlsec", "sign_template", "verifies"]

_HMAC: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
_HINT: Final = "pip install --upgrade 'drmkit[signing]' (xmlsec and lxml must be built with the same libxml2)"


def load_xmlsec(importer: Callable[[str], Any] = importlib.import_module) -> Any:
    """Import xmlsec, which is needed for signatures alone.

    Raises:
        MissingExtraError: it is not installed, or does not fit the installed lxml.
    """
    try:
        return importer("xmlsec")
    except ImportError:
        raise MissingExtraError("signatures need the Python package xmlsec", hint=_HINT) from None
    except Exception as error:  # noqa: BLE001 (the class of the refusal lives in the module that just failed to load)
        raise MissingExtraError(f"the Python package xmlsec does not load: {error}", hint=_HINT) from None


def sign_template(signature: etree._Element, target: etree._Element | None, key: rsa.RSAPrivateKey) -> None:
    """Fill DigestValue and SignatureValue of a signature that stands in its document.

    Args:
        signature: the `ds:Signature` element.
        target: the element that its reference means by its `id`; None for the whole document.
        key: the signer's key.
    """
    xmlsec = load_xmlsec()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = _context(xmlsec, pem, target)
    try:
        context.sign(signature)
    except xmlsec.Error as error:
        raise BadSignatureError(
            f"the signature cannot be made: {error}", hint="is every part of it in place?"
        ) from None


def verifies(signature: etree._Element, target: etree._Element | None, key: rsa.RSAPublicKey) -> bool:
    """Say whether a signature verifies with this key, and with no other; its form must have been vetted before.

    Args:
        signature: the `ds:Signature` element, in its document.
        target: the only element that its reference may mean by an ID; None for the whole document.
        key: the signer's key. Whatever stands in KeyInfo plays no part.
    """
    xmlsec = load_xmlsec()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    context = _context(xmlsec, pem, target)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def digest_of(signature: etree._Element, target: etree._Element | None) -> str:
    """Return the digest that a signature should hold, in base64; the signature is spoiled by it.

    libxmlsec gives a digest only to those who sign, so the signature is made anew, with a key that nobody has to know.
    Arguments are those of `verifies`.
    """
    xmlsec = load_xmlsec()
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, b"any key will do")
    if target is not None:
        context.register_id(target, "id")
    method = signature.find(f"{{{DS}}}SignedInfo/{{{DS}}}SignatureMethod")
    digest = signature.find(f"{{{DS}}}SignedInfo/{{{DS}}}Reference/{{{DS}}}DigestValue")
    assert method is not None and digest is not None  # noqa: S101, PT018 (the form was vetted)
    method.set("Algorithm", _HMAC)
    digest.text = None
    context.sign(signature)
    return "".join((digest.text or "").split())


def _context(xmlsec: Any, pem: bytes, target: etree._Element | None) -> Any:
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM)
    if target is not None:
        context.register_id(target, "id")
    return context
