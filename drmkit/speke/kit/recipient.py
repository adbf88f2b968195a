"""The encryptor's side of encrypted keys: a certificate made for one run, and the keys that it opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from drmkit.cpix.decryption import open_keys
from drmkit.cpix.document import Document
from drmkit.cpix.report import Finding
from drmkit.errors import DrmkitError
from drmkit.identifiers import KeyId
from drmkit.speke.kit.model import Bench, problem

__all__ = ["Recipient", "make_recipient", "open_answer"]

_BITS = 2048
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A certificate with an RSA key of 2048 bits, as SPEKE wants it, and the key itself."""

    der: bytes
    key: rsa.RSAPrivateKey = field(repr=False)


def make_recipient(bench: Bench) -> Recipient:
    """Return the recipient of a run; it is made at its first use."""
    found: Recipient | None = bench.remembered.get("recipient")
    if found is None:
        found = bench.remembered["recipient"] = _make()
    return found


def open_answer(answer: Document, recipient: Recipient) -> dict[KeyId, bytes] | Finding:
    """Return the keys of an answer, opened with the recipient's key, or why they do not open."""
    try:
        return {kid: value.reveal() for kid, value in open_keys(answer, recipient.key).items()}
    except DrmkitError as error:
        return problem("kit-encryption", f"the recipient cannot open the keys: {error.message}", error.hint)


def _make() -> Recipient:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "drmkit conformance kit")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .sign(key, SHA256())
    )
    return Recipient(certificate.public_bytes(Encoding.DER), key)
