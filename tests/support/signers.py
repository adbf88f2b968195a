"""Key pairs for encrypting and signing in tests, made once for a run, and the public test vectors with theirs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from drmkit import cpix
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
SCHEMAS = Path(__file__).parents[3] / "shared" / "schemas"
KIDS = tuple(KeyId(bytes([number]) * 16) for number in (1, 2, 3))
KEYS = tuple(bytes(range(number, number + 16)) for number in (10, 40, 70))


@dataclass(frozen=True, eq=False)
class Pair:
    """A private key with a certificate of its own."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def private(self) -> cpix.PrivateKey:
        """The key with its certificate, as a file would give them."""
        return cpix.PrivateKey(self.key, (self.certificate,))


def certify(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, name: str, *, days: tuple[int, int] = (-9, 9)
) -> x509.Certificate:
    """Make a certificate that is signed with its own key, valid from and to so many days from now."""
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + dt.timedelta(days=days[0]))
    return builder.not_valid_after(now + dt.timedelta(days=days[1])).sign(key, hashes.SHA256())


def pair(name: str = "anna", *, bits: int = 3072) -> Pair:
    """A key pair under a name; the same one each time."""
    return _pair(name, bits)


@cache
def _pair(name: str, bits: int) -> Pair:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return Pair(key, certify(key, name))


def clear_document(version: str = "2.3") -> cpix.Document:
    """A document with three content keys in the clear, and usage rules."""
    builder = cpix.Builder(version=version, content_id="movie")
    for kid, key in zip(KIDS, KEYS, strict=True):
        builder.content_key(kid=kid, key=key, iv=bytes(16))
    for number, kid in enumerate(KIDS):
        builder.usage_rule(kid=kid, labels=[f"track {number}"])
    return builder.build()


def encrypted_document(*names: str, version: str = "2.3") -> cpix.Document:
    """That document, encrypted, written and read again."""
    sealed = cpix.encrypt(clear_document(version), [pair(name).der for name in names or ("anna",)])
    return cpix.parse(sealed.to_xml())


def vector(name: str) -> cpix.Document:
    """One of the official test vectors; the test is skipped where they are not at hand."""
    return cpix.parse(corpus_bytes(f"dashif-tv__{name}.xml"))


def vector_key(name: str) -> cpix.PrivateKey:
    """The private key of a party of the official test vectors."""
    return cpix.load_private_key(corpus_bytes(f"certs/dashif-tv__{name}.pfx"), Secret(name))


def vector_certificate(name: str) -> bytes:
    """The certificate of a party of the official test vectors."""
    return corpus_bytes(f"certs/dashif-tv__{name}.cer")


def corpus_bytes(name: str) -> bytes:
    """A file of the corpus, or a skip with its reason."""
    file = CORPUS / name
    if not file.exists():
        pytest.skip("../shared is absent")
    return file.read_bytes()
