"""Rules about security: keys in the clear, weak keys, weak certificates, and encryption that is not authenticated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lxml import etree

from drmkit.cpix.rows import PLAIN
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.survey import Survey

if TYPE_CHECKING:
    from cryptography import x509

__all__: list[str] = []

_KEYS: Final = "DASH-IF CPIX 2.4, Key Encryption and Authentication"
_ALGORITHMS: Final = "DASH-IF CPIX 2.4, Mandatory Algorithms: RSA of at least 3072 bits, no SHA-1"
_RSA_BITS: Final = 3072


@rule(
    "key-clear",
    kind="security",
    severity="warning",
    source=_KEYS,
    hint="encrypt the keys for their recipients, or send the document over a channel that you trust",
)
def key_clear(survey: Survey) -> Iterator[Hit]:
    """Content keys are in the clear."""
    rows = [row for row in survey.keys if row.plain]
    if rows:
        verb = "key is" if len(rows) == 1 else "keys are"
        yield Hit(rows[0].part(PLAIN), f"{len(rows)} content {verb} in the clear")


@rule(
    "key-repeated",
    kind="security",
    severity="warning",
    source=_KEYS,
    hint="give each key ID a key of its own: who gets one of them has both",
)
def key_repeated(survey: Survey) -> Iterator[Hit]:
    """Two content keys have the same value."""
    seen: dict[bytes, str] = {}
    for row in survey.keys:
        if row.plain:
            other = seen.setdefault(row.plain, row.kid)
            if other != row.kid:
                yield Hit(row.part(PLAIN), f"content keys {other} and {row.kid} have the same value")


@rule("key-is-kid", kind="security", severity="warning", source=_KEYS, hint="the key ID is public: make a random key")
def key_is_kid(survey: Survey) -> Iterator[Hit]:
    """A content key equals its own key ID."""
    for row in survey.keys:
        if row.plain and row.plain.hex() == row.kid.replace("-", ""):
            yield Hit(row.part(PLAIN), f"content key {row.kid} has its key ID as its value")


@rule(
    "key-is-iv",
    kind="security",
    severity="warning",
    source=_KEYS,
    hint="the IV is public in the content: make a random key",
)
def key_is_iv(survey: Survey) -> Iterator[Hit]:
    """A content key equals its own IV."""
    for row in survey.keys:
        if row.plain and row.plain == row.iv:
            yield Hit(row.part(PLAIN), f"content key {row.kid} has its IV as its value")


@rule(
    "key-constant",
    kind="security",
    severity="warning",
    source=_KEYS,
    hint="such a key can be guessed: make a random one",
)
def key_constant(survey: Survey) -> Iterator[Hit]:
    """A content key is one byte repeated, such as all zeros."""
    for row in survey.keys:
        if row.plain and len(set(row.plain)) == 1:
            what = "all zeros" if row.plain[0] == 0 else "one byte repeated"
            yield Hit(row.part(PLAIN), f"content key {row.kid} is {what}")


@rule(
    "mac-absent",
    kind="security",
    severity="warning",
    source=f"{_KEYS}, Authenticated Encryption",
    hint="add a MACMethod and a ValueMAC for each key, so that tampering is noticed before decryption",
)
def mac_absent(survey: Survey) -> Iterator[Hit]:
    """Encrypted content keys are not authenticated by a MAC."""
    rows = [row for row in survey.keys if row.encrypted is not None]
    if rows and all(row.mac is None for row in rows):
        recipients = survey.document.recipients
        if not any(recipient.mac_method is not None for recipient in recipients):
            yield Hit(rows[0].element, "the encrypted content keys have no MACs")


@rule(
    "certificate-malformed",
    kind="security",
    severity="warning",
    source="RFC 5280",
    hint="base64 of an X.509 certificate in DER",
)
def certificate_malformed(survey: Survey) -> Iterator[Hit]:
    """A certificate cannot be read."""
    for element, certificate in _certificates(survey):
        if certificate is None:
            yield Hit(element, "the X.509 certificate cannot be read")


@rule(
    "certificate-key",
    kind="security",
    severity="warning",
    source=_ALGORITHMS,
    hint="use a certificate with an RSA key of 3072 bits or more",
)
def certificate_key(survey: Survey) -> Iterator[Hit]:
    """A certificate has an RSA key of at least 3072 bits."""
    for element, certificate in _certificates(survey):
        bits = None if certificate is None else _rsa_bits(certificate)
        if bits is not None and bits < _RSA_BITS:
            yield Hit(element, f"the certificate has an RSA key of {bits} bits")


@rule(
    "certificate-sha1",
    kind="security",
    severity="warning",
    source=_ALGORITHMS,
    hint="use a certificate that is signed with SHA-256 or better",
)
def certificate_sha1(survey: Survey) -> Iterator[Hit]:
    """A certificate is not signed with SHA-1 (or MD5)."""
    for element, certificate in _certificates(survey):
        if certificate is not None and _is_weak_hash(certificate):
            yield Hit(element, "the certificate is signed with SHA-1 or weaker")


@rule(
    "certificate-expired",
    kind="security",
    severity="warning",
    source="RFC 5280, 4.1.2.5",
    hint="ask for a certificate that is valid now",
)
def certificate_expired(survey: Survey) -> Iterator[Hit]:
    """A certificate is valid at present."""
    for element, certificate in _certificates(survey):
        if certificate is None:
            continue
        if survey.now > certificate.not_valid_after_utc:
            yield Hit(element, f"the certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
        elif survey.now < certificate.not_valid_before_utc:
            yield Hit(element, f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")


def _certificates(survey: Survey) -> Iterator[tuple[etree._Element, x509.Certificate | None]]:
    for element in survey.certificate_elements:
        yield element, survey.certificate(element)


def _rsa_bits(certificate: x509.Certificate) -> int | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (documents without certificates need none)
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 (as above)

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else None


def _is_weak_hash(certificate: x509.Certificate) -> bool:
    if certificate.signature_algorithm_oid.dotted_string == "1.3.14.3.2.29":
        return True
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (documents without certificates need none)
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 (as above)

    try:
        return isinstance(certificate.signature_hash_algorithm, hashes.SHA1 | hashes.MD5)
    except (ValueError, UnsupportedAlgorithm):
        return False
