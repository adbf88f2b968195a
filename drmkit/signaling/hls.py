"""HLS key tags, `EXT-X-KEY` and `EXT-X-SESSION-KEY`, of every system and method (RFC 8216, 4.3.2.4 and 4.3.4.5)."""

from __future__ import annotations

import re

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, encodings, fairplay, playready, widevine
from drmkit.signaling.hlsreader import (
    CLEARKEY,
    IDENTITY,
    KEY,
    KEYFORMATS,
    METHODS,
    SESSION_KEY,
    HlsKey,
    parse,
    parse_tag,
)
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import hls_method

__all__ = ["KEYFORMATS", "METHODS", "HlsKey", "key_tag", "key_uri", "parse", "parse_tag", "quotable", "session_key_tag"]

_IV_SIZE = 16
_UNQUOTABLE = re.compile(r'["\r\n]')
_UNQUOTED = frozenset({"METHOD", "IV", "KEYID"})


def key_tag(
    system: DrmSystem,
    kid: KeyId,
    scheme: str = "cbcs",
    *,
    uri: str | None = None,
    box: PsshBox | None = None,
    iv: bytes | None = None,
    session: bool = False,
) -> str:
    """Return an HLS key tag for one key of one system.

    Args:
        system: Widevine, PlayReady, FairPlay, the common system, one of the clear keys of HLS, or ClearKey.
        kid: the key ID.
        scheme: the protection scheme; SAMPLE-AES for AES-CBC, SAMPLE-AES-CTR for AES-CTR. The system
            `CLEARKEY_AES128` always gives AES-128.
        uri: the key's URI; required for the clear keys, `skd://` and the key ID's UUID by default for FairPlay, and
            the PSSH box or PlayReady Object as `data:` URI by default for the others.
        box: the PSSH box to signal instead of a plain one for this key.
        iv: the initialization vector, 16 bytes, where the tag shall state it.
        session: write `EXT-X-SESSION-KEY`, for a multivariant playlist.

    Raises:
        SignalingError: HLS does not know the system, or a part is missing or of the wrong size.
    """
    keyformat = CLEARKEY if system is DrmSystem.CLEARKEY_DASH else KEYFORMATS.get(system)
    if keyformat is None:
        raise SignalingError(f"there is no HLS key format for {system.label}")
    method = "AES-128" if system is DrmSystem.CLEARKEY_AES128 else hls_method(scheme)
    attributes = [
        ("METHOD", method),
        ("KEYFORMAT", keyformat),
        ("KEYFORMATVERSIONS", "1"),
        ("URI", quotable(uri) if uri else key_uri(system, kid, scheme, box)),
    ]
    if system is DrmSystem.WIDEVINE:
        attributes.append(("KEYID", f"0x{kid.hex.upper()}"))
    if iv is not None:
        if len(iv) != _IV_SIZE:
            raise SignalingError(f"an HLS initialization vector has {_IV_SIZE} bytes, not {len(iv)}")
        attributes.append(("IV", f"0x{iv.hex().upper()}"))
    quoted = frozenset(name for name, _ in attributes) - _UNQUOTED
    return HlsKey(SESSION_KEY if session else KEY, tuple(attributes), quoted).to_tag()


def session_key_tag(
    system: DrmSystem,
    kid: KeyId,
    scheme: str = "cbcs",
    *,
    uri: str | None = None,
    box: PsshBox | None = None,
    iv: bytes | None = None,
) -> str:
    """Return the `EXT-X-SESSION-KEY` tag of a multivariant playlist; the arguments are those of `key_tag`."""
    return key_tag(system, kid, scheme, uri=uri, box=box, iv=iv, session=True)


def key_uri(system: DrmSystem, kid: KeyId, scheme: str, box: PsshBox | None = None) -> str:
    """Return the URI that `key_tag` writes where none is given.

    Args:
        system: the DRM system.
        kid: the key ID.
        scheme: the protection scheme.
        box: the PSSH box to signal instead of a plain one for this key.

    Raises:
        SignalingError: the system is a clear key, whose URI nobody but the caller knows.
    """
    if system is DrmSystem.FAIRPLAY:
        return fairplay.uri(kid)
    if KEYFORMATS.get(system, IDENTITY) == IDENTITY:
        raise SignalingError(f"a key tag for {system.label} needs the URI of the key", hint="pass uri=")
    if system is DrmSystem.PLAYREADY:
        data = (box or playready.pssh_box([kid], scheme)).data
        return f"data:text/plain;charset=UTF-16;base64,{encodings.to_base64(data)}"
    if box is None:
        box = widevine.pssh_box([kid], scheme) if system is DrmSystem.WIDEVINE else common.pssh_box([kid])
    return f"data:text/plain;base64,{box.to_base64()}"


def quotable(uri: str) -> str:
    """Return a URI that can stand in a tag.

    Raises:
        SignalingError: it is empty, or holds what would end the quoted string.
    """
    if not uri:
        raise SignalingError("the URI of an HLS key tag is empty", hint="name the key")
    if _UNQUOTABLE.search(uri):
        raise SignalingError("the URI of an HLS key tag holds a double quote or a line break", hint="percent-encode it")
    return uri
