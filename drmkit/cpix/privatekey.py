"""Private keys for decrypting and signing, from PEM, DER or PKCS#12 bytes; nothing here ever shows one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from drmkit.cpix.certificates import describe, lenient, same_key
from drmkit.errors import CertificateError
from drmkit.secret import Secret

__all__ = ["PrivateKey", "load_private_key"]

_WRONG = "use the passphrase with which the key was exported"
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, eq=False)
class PrivateKey:
    """An RSA private key, with the certificates that came along with it.

    Args:
        rsa: the key of `cryptography`.
        certificates: certificates from the same file, the one for this key first.
    """

    rsa: rsa.RSAPrivateKey
    certificates: tuple[x509.Certificate, ...] = ()

    @property
    def certificate(self) -> x509.Certificate | None:
        """The certificate for this key that came along with it, or None."""
        public = self.rsa.public_key()
        return next((found for found in self.certificates if same_key(found, public)), None)

    def __repr__(self) -> str:
        owner = "no certificate" if self.certificate is None else describe(self.certificate)
        return f"<PrivateKey RSA {self.rsa.key_size} bits, {owner}>"


def load_private_key(
    source: PrivateKey | rsa.RSAPrivateKey | bytes, passphrase: Secret[str] | Secret[bytes] | None = None
) -> PrivateKey:
    """Read a private key.

    Args:
        source: the bytes of a PEM file (PKCS#1, PKCS#8, encrypted or not, with or without certificates), of a DER file
            or of a PKCS#12 file (PFX); or a key that is read already.
        passphrase: what the file is encrypted with, or None.

    Raises:
        CertificateError: it is none of these, the passphrase is missing or wrong, or the key is not RSA.
    """
    if isinstance(source, PrivateKey):
        return source
    if isinstance(source, rsa.RSAPrivateKey):
        return PrivateKey(source)
    if not isinstance(source, bytes):
        raise CertificateError(
            f"the private key is given as {type(source).__name__}", hint="give the bytes of its PEM, DER or PFX file"
        )
    password = _as_bytes(passphrase)
    if b"-----BEGIN" in source:
        return _from_pem(source, password)
    key = _attempt(load_der_private_key, source, password)
    return _from_pkcs12(source, password) if key is None else PrivateKey(_as_rsa(key))


def _from_pem(source: bytes, password: bytes | None) -> PrivateKey:
    key = _attempt(load_pem_private_key, source, password)
    if key is None and _OPENSSH in source:
        raise CertificateError(
            "the private key is in the format of OpenSSH, which is not PEM",
            hint="convert a copy of it: ssh-keygen -p -m PKCS8 -f COPY",
        )
    if key is None:
        encrypted = b"ENCRYPTED" in source
        raise CertificateError(
            "the private key in PEM does not open with this passphrase"
            if encrypted
            else "there is no private key in the PEM",
            hint=_WRONG if encrypted else "is it the certificate alone?",
        )
    certificates: list[x509.Certificate] = []
    if b"-----BEGIN CERTIFICATE-----" in source:
        with lenient():
            try:
                certificates = x509.load_pem_x509_certificates(source)
            except (ValueError, x509.InvalidVersion):
                raise CertificateError(
                    "a certificate beside the private key cannot be read", hint="keep the key in a file of its own"
                ) from None
    return PrivateKey(_as_rsa(key), tuple(certificates))


def _attempt(load: Callable[[bytes, bytes | None], Any], source: bytes, password: bytes | None) -> Any:
    """Load a key; None where it is of another form or the passphrase is wrong."""
    try:
        return load(source, password)
    except (ValueError, UnsupportedAlgorithm):
        return None
    except TypeError:
        # Either a passphrase for a key that has none, which is no reason to refuse, or none for a key that has one.
        if password is None:
            raise CertificateError(
                "the private key is encrypted, and no passphrase was given", hint="give its passphrase"
            ) from None
        return _attempt(load, source, None)


def _from_pkcs12(source: bytes, password: bytes | None) -> PrivateKey:
    # A PFX without a passphrase is encrypted with none or with an empty one, depending on who wrote it.
    for attempt in (password,) if password else (None, b""):
        with lenient():
            try:
                key, certificate, more = pkcs12.load_key_and_certificates(source, attempt)
            except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
                continue
        if key is None:
            raise CertificateError("the PKCS#12 file holds no private key", hint="export it with the private key")
        return PrivateKey(_as_rsa(key), tuple(found for found in (certificate, *more) if found is not None))
    raise CertificateError(
        "the private key is neither PEM nor DER nor a PKCS#12 file that opens with this passphrase"
        if password
        else "the private key is neither PEM nor DER nor a PKCS#12 file without a passphrase",
        hint=_WRONG,
    )


def _as_rsa(key: object) -> rsa.RSAPrivateKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CertificateError("the private key is not an RSA key", hint="CPIX decrypts and signs with RSA only")
    return key


def _as_bytes(passphrase: Secret[str] | Secret[bytes] | None) -> bytes | None:
    if passphrase is None:
        return None
    value = passphrase.reveal()
    return value.encode() if isinstance(value, str) else value
