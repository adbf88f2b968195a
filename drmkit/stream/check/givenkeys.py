"""The keys and IVs that are known for a check: those of a CPIX document, and those that were given beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from drmkit.errors import CpixError, InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["all_ivs", "all_keys"]

_SIZE = 16
_IV_SIZES = (8, 16)


def all_keys(document: Document | None, keys: Mapping[KeyId, Secret[bytes]]) -> dict[KeyId, Secret[bytes]]:
    """Return the keys of a document that are in the clear, and those that were given, which count where both have one.

    Raises:
        InputError: a key has not 16 bytes.
    """
    found = {}
    for item in document.content_keys if document is not None else ():
        with contextlib.suppress(CpixError):
            if item.key is not None:
                found[item.kid] = item.key
    found.update(keys)
    for kid, key in found.items():
        if len(key.reveal()) != _SIZE:
            raise InputError(f"the key {kid} has {len(key.reveal())} bytes, not {_SIZE}")
    return found


def all_ivs(document: Document | None, ivs: Mapping[KeyId, bytes]) -> dict[KeyId, bytes]:
    """Return the IVs of a document, and those that were given, in 16 bytes each.

    Raises:
        InputError: a given IV has neither 8 nor 16 bytes.
    """
    found = {}
    for item in document.content_keys if document is not None else ():
        with contextlib.suppress(CpixError):
            if item.iv is not None:
                found[item.kid] = item.iv
    for kid, iv in ivs.items():
        if len(iv) not in _IV_SIZES:
            raise InputError(f"the IV of key {kid} has {len(iv)} bytes, not 8 or 16")
    return {kid: iv.ljust(_SIZE, b"\0") for kid, iv in {**found, **ivs}.items()}
