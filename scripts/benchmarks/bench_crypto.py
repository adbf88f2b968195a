"""How long decryption takes beside a bare loop of the same cryptography calls: medians of CPU time, one line a size.

scripts/bench crypto
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

from drmkit import cpix
from drmkit.cpix.ciphers import CIPHER_VALUE
from drmkit.cpix.values import decode_base64, text_of
from drmkit.identifiers import DrmSystem, KeyId

ROUNDS = 7
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 (CPIX says SHA-1)


def main(arguments: list[str]) -> None:
    """Measure each size and print a line for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    certificate = certify(key)
    print(f"{'keys':>7}{'bare loop':>11}{'open_keys':>11}{'ratio':>7}{'decrypt':>11}{'ratio':>7}   (ms)")
    for size in [int(argument) for argument in arguments] or [1, 10, 100, 1_000, 10_000]:
        document = cpix.parse(cpix.encrypt(clear(size), [certificate]).to_xml())
        bare, opened, decrypted = measure(
            [
                bare_loop(document, key),
                lambda d=document: cpix.open_keys(d, key),
                lambda d=document: cpix.decrypt(d, key),
            ]
        )
        row = f"{size:>7}{bare:>11.2f}{opened:>11.2f}{opened / bare:>7.2f}{decrypted:>11.2f}{decrypted / bare:>7.2f}"
        print(row)


def measure(functions: list[Callable[[], object]]) -> list[float]:
    """Return the median CPU milliseconds of each function; they take turns, so that load hits all of them alike."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, found in zip(functions, times, strict=True):
            start = time.process_time()
            function()
            found.append((time.process_time() - start) * 1e3)
    return [statistics.median(found) for found in times]


def bare_loop(document: cpix.Document, key: rsa.RSAPrivateKey) -> Callable[[], object]:
    """Return the cryptography calls alone: no XML, no base64, values at hand."""
    recipient = document.recipients[0]
    sealed = recipient.document_keys[0].cipher_value or b""
    method = recipient.mac_method
    holder: etree._Element | None = None if method is None else method.key_element
    value = None if holder is None else holder.find(f".//{CIPHER_VALUE}")
    sealed_mac = b"" if value is None else decode_base64(text_of(value))
    pairs = [(entry.cipher_value or b"", entry.value_mac or b"") for entry in document.content_keys]

    def run() -> list[bytes]:
        document_key, mac_key = key.decrypt(sealed, OAEP), key.decrypt(sealed_mac, OAEP)
        found = []
        for cipher, mac in pairs:
            check = hmac.HMAC(mac_key, hashes.SHA512())
            check.update(cipher)
            check.verify(mac)
            decryptor = Cipher(algorithms.AES256(document_key), modes.CBC(cipher[:16])).decryptor()
            padded = decryptor.update(cipher[16:]) + decryptor.finalize()
            unpadder = padding.PKCS7(128).unpadder()
            found.append(unpadder.update(padded) + unpadder.finalize())
        return found

    return run


def clear(size: int) -> cpix.Document:
    """Return a document with so many content keys and three DRM systems for each."""
    builder = cpix.Builder(version="2.3", content_id="bench")
    for number in range(size):
        kid = KeyId((number + 1).to_bytes(16, "big"))
        builder.content_key(kid=kid, key=os.urandom(16))
        for system in (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY):
            builder.drm_system(kid=kid, system_id=system)
    return builder.build()


def certify(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Return a certificate for the key."""
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


if __name__ == "__main__":
    main(sys.argv[1:])
