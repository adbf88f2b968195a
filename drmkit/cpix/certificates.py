"""X.509 certificates as documents carry them, which are not always as strict as RFC 5280 wants them."""

from __future__ import annotations

import warnings

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

__all__ = ["load_certificate"]


def load_certificate(der: bytes) -> x509.Certificate | None:
    """Read a certificate in DER; None where it cannot be read.

    The certificates of the public test vectors have negative serial numbers, which RFC 5280 forbids and `cryptography`
    warns of; that says nothing about the document.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            return x509.load_der_x509_certificate(der)
        except ValueError:
            return None
