"""How long decryption takes beside a bare loop of the same cryptography calls: medians of CPU time, one line a size.

scripts/bench crypto

Opening the keys is what the loop does; decrypting a document makes a copy of the whole document beside it. The ratios
are medians of those within single rounds.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import gc
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

ROUNDS = 11
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 (CPIX says SHA-1)


def main(arguments: list[str]) -> None:
    """Measure each size and print a line for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    print(f"{'keys':>7}{'bare loop':>11}{'open_keys':>11}{'ratio':>7}{'decrypt':>11}{'ratio':>7}   (ms)")
    for size in [int(argument) for argument in arguments] or [1, 10, 100, 1_000, 10_000]:
        document = encrypted(size, key)
        rounds = measure([bare_loop(document, key), opening(document, key), decryption(document, key)])
        bare, opened, decrypted = (statistics.median(times) * 1e3 for times in zip(*rounds, strict=True))
        first, second = (statistics.median(times[n] / times[0] for times in rounds) for n in (1, 2))
        print(f"{size:>7}{bare:>11.2f}{opened:>11.2f}{first:>7.2f}{decrypted:>11.2f}{second:>7.2f}")


def measure_opening(size: int) -> tuple[float, float]:
    """Return how many times a bare loop it takes to open so many keys, and to decrypt a document with them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    document = encrypted(size, key)
    rounds = measure([bare_loop(document, key), opening(document, key), decryption(document, key)])
    opened, decrypted = (statistics.median(times[n] / times[0] for times in rounds) for n in (1, 2))
    return opened, decrypted


def encrypted(size: int, key: rsa.RSAPrivateKey) -> cpix.Document:
    """Return an encrypted document as it comes in."""
    return cpix.parse(cpix.encrypt(clear(size), [certify(key)]).to_xml())


def opening(document: cpix.Document, key: rsa.RSAPrivateKey) -> Callable[[], object]:
    """Return the opening of all keys of a document."""
    return lambda: cpix.open_keys(document, key)


def decryption(document: cpix.Document, key: rsa.RSAPrivateKey) -> Callable[[], object]:
    """Return the decryption of a document."""
    return lambda: cpix.decrypt(document, key)


def measure(functions: list[Callable[[], object]]) -> list[list[float]]:
    """Return the CPU seconds of each function, round by round; they take turns, so that load hits all of them alike."""
    rounds = []
    for _ in range(ROUNDS):
        times = []
        for function in functions:
            gc.collect()
            trim()
            start = time.process_time()
            kept = function()
            times.append(time.process_time() - start)
            del kept
        rounds.append(times)
    return rounds


def trim() -> None:
    """Give free memory back, where the C library can: else one function tidies up what another one has freed."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


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
