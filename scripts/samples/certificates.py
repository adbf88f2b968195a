"""The certificates of the samples: made once, kept in `cpix_samples/certificates`, and in use nowhere else.

Their private keys lie beside them, so that anybody can decrypt the samples and sign them anew.
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

__all__ = ["FOLDER", "certificate", "make_missing", "private_key"]

FOLDER = Path(__file__).resolve().parents[2] / "cpix_samples" / "certificates"
_LONG = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC))
_OVER = (datetime(2019, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
_MADE = {
    "recipient-1": (3072, _LONG),
    "recipient-2": (3072, _LONG),
    "signer": (3072, _LONG),
    "weak": (2048, _LONG),
    "expired": (3072, _OVER),
}
_SHA1 = "sha1"
_USED = ("recipient-1", "recipient-2", "signer")


def certificate(name: str) -> bytes:
    """The certificate with a name, in DER."""
    raw = (FOLDER / f"{name}.pem").read_bytes()
    return x509.load_pem_x509_certificate(raw).public_bytes(Encoding.DER)


def private_key(name: str) -> bytes:
    """The private key of a certificate, in PEM."""
    return (FOLDER / f"{name}.key").read_bytes()


def make_missing() -> None:
    """Make the certificates that are not there; those that are stay, or the samples would change."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number, (name, (bits, (start, end))) in enumerate(_MADE.items(), 1):
        if not (FOLDER / f"{name}.pem").exists():
            _make(name, number, bits, start, end)
    if not (FOLDER / f"{_SHA1}.pem").exists():
        # `cryptography` no longer signs with SHA-1; OpenSSL does when told to.
        command = ["openssl", "req", "-x509", "-new", "-key", str(FOLDER / "signer.key"), "-sha1", "-days", "36500"]
        command += ["-subj", f"/CN=drmkit sample {_SHA1}", "-out", str(FOLDER / f"{_SHA1}.pem")]
        subprocess.run(command, check=True, timeout=60)


def _make(name: str, number: int, bits: int, start: datetime, end: datetime) -> None:
    path = FOLDER / f"{name}.key"
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), None)
    else:
        key = rsa.generate_private_key(65537, bits)
        if name in _USED:
            path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"drmkit sample {name}")])
    builder = x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
    made = builder.serial_number(number).not_valid_before(start).not_valid_after(end).sign(key, hashes.SHA256())
    (FOLDER / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
