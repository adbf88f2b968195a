"""X.509 certificates as documents carry them, which are not always as strict as RFC 5280 wants them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from drmkit.errors import CertificateError, WeakCertificateError

__all__ = [
    "RSA_BITS",
    "check_strength",
    "describe",
    "has_weak_hash",
    "lenient",
    "load_certificate",
    "read_certificate",
    "rsa_key",
    "same_key",
    "subject_of",
    "to_der",
    "weaknesses",
]

RSA_BITS: Final = 3072
"""The size in bits that CPIX recommends for RSA keys, at least (CPIX 2.4, Mandatory Algorithms)."""

_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What `cryptography` raises where a certificate, or a part of one that it has read, makes no sense to it."""

_LOCK: Final = threading.Lock()


@contextmanager
def lenient() -> Iterator[None]:
    """Read certificates without a warning about what their issuers did.

    The certificates of the public test vectors have negative serial numbers, which RFC 5280 forbids and `cryptography`
    warns of; that says nothing about the document. The lock keeps threads from restoring each other's filters.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def load_certificate(der: bytes) -> x509.Certificate | None:
    """Read a certificate in DER; None where it cannot be read."""
    with lenient():
        try:
            return x509.load_der_x509_certificate(der)
        except _UNREADABLE:
            return None


def read_certificate(source: x509.Certificate | bytes, *, what: str = "the certificate") -> x509.Certificate:
    """Return a certificate that is given as itself, in PEM (the first one of it) or in DER.

    Raises:
        CertificateError: it is none of these; the message calls it `what`.
    """
    if isinstance(source, x509.Certificate):
        return source
    if not isinstance(source, bytes):
        raise CertificateError(
            f"{what} is given as {type(source).__name__}", hint="give its bytes in PEM or DER, or an x509.Certificate"
        )
    certificate = _from_pem(source) if b"-----BEGIN" in source else load_certificate(source)
    if certificate is None:
        raise CertificateError(f"{what} is no X.509 certificate in PEM or DER", hint="is it a private key, or a PFX?")
    return certificate


def _from_pem(source: bytes) -> x509.Certificate | None:
    with lenient():
        try:
            return x509.load_pem_x509_certificate(source)
        except _UNREADABLE:
            return None


def rsa_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    """Return the RSA key of a certificate, the only kind that CPIX knows.

    Raises:
        CertificateError: the certificate has a key of another kind.
    """
    key = _public_key(certificate)
    if not isinstance(key, rsa.RSAPublicKey):
        raise CertificateError(
            f"the certificate of {describe(certificate)} has no RSA key",
            hint="CPIX encrypts with RSA-OAEP and signs with RSASSA-PKCS1-v1_5 only",
        )
    return key


def same_key(certificate: x509.Certificate, key: rsa.RSAPublicKey) -> bool:
    """Say whether a certificate is for this public key."""
    return _public_key(certificate) == key


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except _UNREADABLE:
        return None


def has_weak_hash(certificate: x509.Certificate) -> bool:
    """Say whether a certificate is signed with SHA-1 or MD5."""
    try:
        return isinstance(certificate.signature_hash_algorithm, hashes.SHA1 | hashes.MD5)
    except _UNREADABLE:
        return False


def weaknesses(certificate: x509.Certificate, now: datetime | None = None, *, bits: int = RSA_BITS) -> tuple[str, ...]:
    """Return what speaks against relying on a certificate, in words that follow "the certificate"; empty if nothing.

    Args:
        certificate: the certificate, with an RSA key.
        now: the time at which it must be valid (aware); None means the present.
        bits: how large its RSA key must be.
    """
    moment = now or datetime.now(UTC)
    size = rsa_key(certificate).key_size
    found = [
        (size < bits, f"has an RSA key of {size} bits, less than {bits}"),
        (has_weak_hash(certificate), "is signed with SHA-1 or weaker"),
        (moment < certificate.not_valid_before_utc, f"is not valid before {certificate.not_valid_before_utc:%F %TZ}"),
        (moment > certificate.not_valid_after_utc, f"expired on {certificate.not_valid_after_utc:%F %TZ}"),
    ]
    return tuple(text for holds, text in found if holds)


def check_strength(certificate: x509.Certificate, now: datetime | None = None) -> None:
    """Refuse a certificate that CPIX advises against (2.4, Mandatory Algorithms), or that is not valid at the time.

    Raises:
        WeakCertificateError: for any of `weaknesses`.
        CertificateError: it has no RSA key.
    """
    found = weaknesses(certificate, now)
    if found:
        raise WeakCertificateError(
            f"the certificate of {describe(certificate)} {' and '.join(found)}",
            hint="use a stronger, valid one; or allow weak certificates, as SPEKE with its RSA keys of 2048 bits needs",
        )


def describe(certificate: x509.Certificate) -> str:
    """Name a certificate for people: its subject and the start of its SHA-256 fingerprint."""
    return f"{subject_of(certificate)} (SHA-256 {certificate.fingerprint(hashes.SHA256()).hex()[:16]})"


def subject_of(certificate: x509.Certificate) -> str:
    """Return the subject of a certificate so that it can stand in a message: clipped, and on one line.

    Whoever made the certificate chose the subject: a line break or control code in it must not reach a terminal.
    """
    try:
        subject = certificate.subject.rfc4514_string() or "no subject"
    except _UNREADABLE:
        subject = "an unreadable subject"
    return "".join(character if character.isprintable() else "?" for character in subject)[:200]


def to_der(certificate: x509.Certificate) -> bytes:
    """Return a certificate in DER."""
    return certificate.public_bytes(Encoding.DER)
