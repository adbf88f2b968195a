"""The content keys that a license server answers from: those of a CPIX document, or of a key file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from drmkit.errors import CpixError, DrmkitError, IdentifierError, InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import clearkey

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["document_keys", "parse_keys"]

_KEY_LENGTH = 16
_HINT = "write KID:KEY a line, each in hexadecimal; or give a JSON Web Key Set"


def document_keys(document: Document) -> dict[KeyId, Secret[bytes]]:
    """Return the content keys of a CPIX document.

    Raises:
        CpixError: it holds no key in the clear, or one that Common Encryption cannot use.
    """
    keys: dict[KeyId, Secret[bytes]] = {}
    for entry in document.content_keys:
        if entry.is_encrypted:
            raise CpixError(
                f"key {entry.kid} is encrypted, so it opens nothing",
                hint="decrypt the document first: drmkit cpix decrypt --private-key FILE DOCUMENT --output FILE",
            )
        if entry.key is not None:
            keys[entry.kid] = _checked(entry.kid, entry.key.reveal())
    if not keys:
        raise CpixError("the document holds no content key", hint="give the key server's answer, not the request")
    return keys


def parse_keys(content: Secret[bytes]) -> dict[KeyId, Secret[bytes]]:
    """Return the keys of a key file: `KID:KEY` lines, a JSON Web Key Set, or the JSON that `drmkit keys` prints.

    Raises:
        InputError: it is none of these, or holds no key; the message holds no key.
    """
    raw = content.reveal().removeprefix(b"\xef\xbb\xbf").strip()
    keys = _json(raw) if raw.startswith(b"{") else _lines(raw)
    if not keys:
        raise InputError("the key file holds no key", hint=_HINT)
    return keys


def _json(raw: bytes) -> dict[KeyId, Secret[bytes]]:
    try:
        entries = json.loads(raw)["keys"]
        if any("kty" in entry for entry in entries):
            return {kid: _checked(kid, key.reveal()) for kid, key in clearkey.parse_license(raw).items()}
        return dict(_pair(str(entry["kid"]), str(entry["key"])) for entry in entries)
    except DrmkitError as error:
        told, hint = error.message, error.hint
    except (ValueError, KeyError, TypeError, RecursionError):
        told, hint = "the key file is JSON of another kind", _HINT
    # Raised outside the handlers: the errors there hold the file's text.
    raise InputError(told, hint=hint)


def _lines(raw: bytes) -> dict[KeyId, Secret[bytes]]:
    keys = {}
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        kid, colon, key = text.partition(":")
        if not colon:
            raise InputError(f"line {number} of the key file has no colon", hint=_HINT)
        try:
            found = _pair(kid.strip(), key.strip())
        except DrmkitError as error:
            raise InputError(f"line {number} of the key file: {error.message}", hint=_HINT) from None
        keys[found[0]] = found[1]
    return keys


def _pair(kid_text: str, key_text: str) -> tuple[KeyId, Secret[bytes]]:
    try:
        kid = KeyId.from_uuid(kid_text) if "-" in kid_text else KeyId.from_hex(kid_text)
    except IdentifierError:
        # What was given is not repeated: it may be a key in the wrong place.
        raise InputError("what stands for the key ID is not 32 hexadecimal digits, nor a UUID") from None
    try:
        key = bytes.fromhex(key_text)
    except ValueError:
        key = b""
    return kid, _checked(kid, key, "32 hexadecimal digits")


def _checked(kid: KeyId, key: bytes, wanted: str = "16 bytes") -> Secret[bytes]:
    if len(key) != _KEY_LENGTH:
        raise CpixError(f"the key of key ID {kid} is not {wanted}", hint="Common Encryption takes AES-128 keys")
    return Secret(key)
