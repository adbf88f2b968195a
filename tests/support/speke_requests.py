"""Requests that AWS's own generator wrote, requests of our own, and a certificate for encrypted answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from drmkit import cpix
from drmkit.identifiers import DrmSystem
from drmkit.sandbox import SandboxOptions
from drmkit.secret import Secret
from drmkit.speke.request import build_request

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
ALL = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY)
BOXED = ALL[:2]
PASSWORD = "cAnArYp&ss"


def sandbox_options(**changed: Any) -> SandboxOptions:
    """Options with known credentials and seeds."""
    known: dict[str, Any] = {
        "username": "api-user",
        "password": Secret(PASSWORD),
        "organization": "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10",
        "cpix_config": "510466cc",
        "key_seed": Secret(bytes(range(32))),
        "iv_seed": Secret(bytes(range(32, 64))),
    }
    return SandboxOptions(**(known | changed))


def aws_requests() -> list[Path]:
    """The requests of AWS's verification suite."""
    return sorted(CORPUS.glob("aws-speke-gen__*.xml"))


def request(version: str = "2.0", systems: Sequence[DrmSystem] = ALL, **arguments: Any) -> cpix.Document:
    """A request for VIDEO-1 and AUDIO-1, or in version 1.0 for one key."""
    return build_request("my-content", version=version, systems=systems, **arguments)


def copy(document: cpix.Document) -> cpix.Document:
    """Another document that says the same."""
    return cpix.parse(document.to_xml())


@cache
def private_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key for a recipient."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def certificate(bits: int = 2048) -> bytes:
    """The certificate of `private_key`, in DER; 0 bits give one with an elliptic curve."""
    key: Any = private_key(bits) if bits else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "encryptor")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.DER)
