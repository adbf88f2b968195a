"""Certificates and private keys: every form that files have, and refusals that name their reason."""

from __future__ import annotations

import datetime as dt
import pickle
import warnings
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from signers import certify, corpus_bytes, pair, vector_certificate

from drmkit import cpix
from drmkit.cpix import certificates
from drmkit.cpix.certificates import check_strength, describe, load_certificate, read_certificate, weaknesses
from drmkit.errors import CertificateError, WeakCertificateError
from drmkit.secret import Secret

PASSPHRASE = "cAnArY passphrase ü"
LOCKED = BestAvailableEncryption(PASSPHRASE.encode())
FORMS = {
    "PEM, PKCS#8": (Encoding.PEM, PrivateFormat.PKCS8),
    "PEM, PKCS#1": (Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
    "DER, PKCS#8": (Encoding.DER, PrivateFormat.PKCS8),
    "DER, PKCS#1": (Encoding.DER, PrivateFormat.TraditionalOpenSSL),
}


def pfx(lock: KeySerializationEncryption) -> bytes:
    """A PKCS#12 file with key and certificate."""
    anna = pair()
    return pkcs12.serialize_key_and_certificates(b"anna", anna.key, anna.certificate, None, lock)


def pem_bundle() -> bytes:
    """A PEM file with key and certificate."""
    anna = pair()
    key = anna.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key + pair("berta").certificate.public_bytes(Encoding.PEM) + anna.certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("passphrase", [None, Secret("not needed")], ids=["without", "superfluous"])
def test_open_keys_are_read_in_every_form(form: str, passphrase: Secret[str] | None) -> None:
    """A key that is not encrypted is read in PEM and DER, PKCS#1 and PKCS#8; a superfluous passphrase does no harm."""
    data = pair().key.private_bytes(*FORMS[form], NoEncryption())
    read = cpix.load_private_key(data, passphrase)
    assert read.rsa.private_numbers() == pair().key.private_numbers()
    assert read.certificate is None


@pytest.mark.parametrize("form", ["PEM, PKCS#8", "PEM, PKCS#1", "DER, PKCS#8"])
def test_encrypted_keys_need_their_passphrase(form: str) -> None:
    """An encrypted key opens with its passphrase, as text or bytes, and neither without one nor with another."""
    data = pair().key.private_bytes(*FORMS[form], LOCKED)
    for passphrase in (Secret(PASSPHRASE), Secret(PASSPHRASE.encode())):
        assert cpix.load_private_key(data, passphrase).rsa.private_numbers() == pair().key.private_numbers()
    with pytest.raises(CertificateError, match="encrypted, and no passphrase was given"):
        cpix.load_private_key(data)
    with pytest.raises(CertificateError, match="with this passphrase") as caught:
        cpix.load_private_key(data, Secret("cAnArY wrong"))
    assert "cAnArY" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("lock", "passphrase"),
    [(LOCKED, Secret(PASSPHRASE)), (NoEncryption(), None), (NoEncryption(), Secret(""))],
    ids=["locked", "open", "empty"],
)
def test_pkcs12_gives_key_and_certificate(lock: KeySerializationEncryption, passphrase: Secret[str] | None) -> None:
    """A PKCS#12 file gives the key and the certificate for it, with a passphrase, without one and with an empty one."""
    read = cpix.load_private_key(pfx(lock), passphrase)
    assert read.rsa.private_numbers() == pair().key.private_numbers()
    assert read.certificate == pair().certificate


def test_pkcs12_refuses_a_wrong_passphrase() -> None:
    """A PKCS#12 file does not open with a wrong passphrase, nor without its own."""
    for passphrase in (Secret("wrong"), None):
        with pytest.raises(CertificateError, match="neither PEM nor DER nor a PKCS#12 file"):
            cpix.load_private_key(pfx(LOCKED), passphrase)


def test_pkcs12_without_a_key_is_refused() -> None:
    """A PKCS#12 file that holds a certificate alone is no private key."""
    data = pkcs12.serialize_key_and_certificates(b"anna", None, pair().certificate, None, NoEncryption())
    with pytest.raises(CertificateError, match="holds no private key"):
        cpix.load_private_key(data)


def test_pem_bundle_gives_the_certificate_of_the_key() -> None:
    """Of several certificates beside a key in PEM, the one for that key counts."""
    assert cpix.load_private_key(pem_bundle()).certificate == pair().certificate


def test_a_broken_certificate_beside_a_key_is_refused() -> None:
    """A certificate that cannot be read beside the key is named as the reason."""
    with pytest.raises(CertificateError, match="a certificate beside the private key"):
        cpix.load_private_key(pem_bundle().replace(b"BEGIN CERTIFICATE-----\nMII", b"BEGIN CERTIFICATE-----\nAAA"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither PEM nor DER"),
        (b"not a key", "neither PEM nor DER"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in the PEM"),
        ("text", "given as str"),
    ],
)
def test_what_is_no_key_is_refused(data: bytes, reason: str) -> None:
    """Anything else is refused with a reason."""
    with pytest.raises(CertificateError, match=reason):
        cpix.load_private_key(data)


def test_a_certificate_is_no_private_key() -> None:
    """The certificate alone, given as the key, is told apart."""
    with pytest.raises(CertificateError, match="no private key in the PEM") as caught:
        cpix.load_private_key(pair().certificate.public_bytes(Encoding.PEM))
    assert caught.value.hint == "is it the certificate alone?"


def test_a_key_of_openssh_is_called_by_its_name() -> None:
    """The format that ssh-keygen writes looks like PEM and is not; the hint says how to convert it."""
    key = pair().key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with pytest.raises(CertificateError, match="in the format of OpenSSH") as caught:
        cpix.load_private_key(key)
    assert "ssh-keygen -p -m PKCS8" in str(caught.value.hint)


def test_only_rsa_keys_are_of_use() -> None:
    """CPIX knows RSA only: an elliptic-curve key or certificate is refused by name."""
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(CertificateError, match="private key is not an RSA key"):
        cpix.load_private_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CertificateError, match="CN=curve .* has no RSA key"):
        check_strength(certify(key, "curve"))


def test_a_private_key_shows_its_owner_and_nothing_else() -> None:
    """The representation names size and certificate; the key itself neither prints nor pickles."""
    shown = repr(pair().private)
    assert shown.startswith("<PrivateKey RSA 3072 bits, CN=anna (SHA-256 ")
    assert "no certificate" in repr(cpix.PrivateKey(pair().key))
    with pytest.raises(TypeError):
        pickle.dumps(pair().private)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_certificates_are_read_in_both_encodings(encoding: Encoding) -> None:
    """A certificate is read from PEM and DER; one that is read already stays itself."""
    anna = pair().certificate
    assert read_certificate(anna.public_bytes(encoding)) == anna
    assert read_certificate(anna) is anna


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the certificate is no X.509 certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "the certificate is no X.509 certificate"),
        ("text", "given as str"),
    ],
)
def test_what_is_no_certificate_is_refused(data: bytes, reason: str) -> None:
    """Anything else is refused with a reason."""
    with pytest.raises(CertificateError, match=reason):
        read_certificate(data)


def test_negative_serial_numbers_are_read_without_a_warning() -> None:
    """Two of the official vectors' certificates have negative serial numbers; no warning, no filter changed."""
    before = list(warnings.filters)
    for name in ("Cert1", "Cert2", "Cert3", "Cert4"):
        assert weaknesses(read_certificate(vector_certificate(name))) == ()
        assert cpix.load_private_key(corpus_bytes(f"certs/dashif-tv__{name}.pfx"), Secret(name)).certificate is not None
    assert warnings.filters == before


@pytest.mark.parametrize(
    ("name", "reason"), [("WeakCert_Sha1", "signed with SHA-1"), ("WeakCert_SmallKey", "RSA key of 2048 bits")]
)
def test_the_weak_vectors_are_weak(name: str, reason: str) -> None:
    """The official weak certificates are refused for the reason in their names."""
    with pytest.raises(WeakCertificateError, match=reason):
        check_strength(read_certificate(vector_certificate(name)))


def test_validity_counts_at_the_given_time() -> None:
    """A certificate is refused before and after its time, and accepted within it."""
    certificate = certify(pair().key, "short", days=(-2, 2))
    now = dt.datetime.now(dt.UTC)
    check_strength(certificate)
    with pytest.raises(WeakCertificateError, match="CN=short .* expired on"):
        check_strength(certificate, now + dt.timedelta(days=3))
    with pytest.raises(WeakCertificateError, match="is not valid before"):
        check_strength(certificate, now - dt.timedelta(days=3))


def test_all_weaknesses_are_told_at_once() -> None:
    """A small key in an expired certificate is told in one refusal."""
    with pytest.raises(WeakCertificateError, match="2048 bits, less than 3072 and expired"):
        check_strength(certify(pair("small", bits=2048).key, "small", days=(-9, -1)))


def test_a_subject_cannot_steer_a_terminal() -> None:
    """Control characters in a subject are replaced, and a long subject is cut."""
    shown = describe(certify(pair().key, "a\x1b[31mb\nc" + "x" * 20))
    assert shown.isprintable()
    assert "a?[31mb?cx" in shown


def test_unreadable_der_gives_none() -> None:
    """What documents carry may be anything: reading it never raises."""
    assert load_certificate(b"0\x03\x02\x01\x05") is None
    assert load_certificate(pair().der) == pair().certificate
    assert certificates.same_key(pair().certificate, pair().key.public_key())
    assert not certificates.same_key(pair().certificate, pair("berta").key.public_key())


@settings(max_examples=300)
@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_broken_certificates_give_errors_of_drmkit_alone(place: int, value: int) -> None:
    """Whatever byte of a certificate is overwritten: it is read, or refused, and nothing foreign comes through."""
    der = bytearray(pair().der)
    der[place] = value
    certificate = load_certificate(bytes(der))
    if certificate is None:
        with pytest.raises(CertificateError):
            read_certificate(bytes(der))
        return
    assert describe(certificate).isprintable()
    certificates.same_key(certificate, pair().key.public_key())
    with suppress(CertificateError):
        weaknesses(certificate)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x03"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x7f"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x7f"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", b"\x2b\x0e\x03\x02\x1d" + b"\x2a" * 4),
    ],
    ids=["an unknown version", "an unknown kind of key", "an unknown signature", "a broken signature"],
)
def test_unknown_parts_of_certificates_are_no_surprise(before: bytes, after: bytes) -> None:
    """A version, key or signature of an unknown kind makes a certificate unreadable, keyless or no weaker."""
    der = pair().der
    assert before in der
    certificate = load_certificate(der.replace(before, after))
    if certificate is not None:
        assert not certificates.has_weak_hash(certificate)
        with suppress(CertificateError):
            check_strength(certificate)


def test_the_other_name_of_sha1_with_rsa_is_weak() -> None:
    """SHA-1 with RSA has an OID of ISO beside that of PKCS#1."""
    der = pair().der
    old = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"
    new = b"\x30\x09\x06\x05\x2b\x0e\x03\x02\x1d\x05\x00"
    shorter = len(old) - len(new)
    assert (der[:2], der[4:6], der.count(old)) == (b"\x30\x82", b"\x30\x82", 2)
    outer = int.from_bytes(der[2:4], "big") - 2 * shorter
    inner = int.from_bytes(der[6:8], "big") - shorter
    head = b"\x30\x82" + outer.to_bytes(2, "big") + b"\x30\x82" + inner.to_bytes(2, "big")
    certificate = load_certificate(head + der[8:].replace(old, new))
    assert certificate is not None
    assert certificates.has_weak_hash(certificate)
