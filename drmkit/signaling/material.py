"""Everything that one DRM system needs for one content key: box, DASH fragment, HLS lines, Smooth Streaming header."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import common, dash, encodings, fairplay, hls, playready, widevine
from drmkit.signaling.hlsreader import KEY, SESSION_KEY
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import check_scheme, is_cbc

__all__ = ["SUPPORTED", "Material", "Options", "make", "protection_scheme"]

SUPPORTED = (
    DrmSystem.WIDEVINE,
    DrmSystem.PLAYREADY,
    DrmSystem.FAIRPLAY,
    DrmSystem.COMMON,
    DrmSystem.CLEARKEY_DASH,
    DrmSystem.CLEARKEY_AES128,
    DrmSystem.CLEARKEY_SAMPLE_AES,
)
_KEY_SIZE = 16
_HLS_SCHEMES = {"SAMPLE-AES": "cbcs", "SAMPLE-AES-CTR": "cenc", "AES-128": "cbc1", "NONE": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a service wants in its signaling, beyond key IDs.

    Args:
        widevine_provider: the content provider's name.
        widevine_content_id: the provider's own identifier of the content.
        widevine_policy: the name of a registered policy.
        playready_la_url: the license acquisition URL.
        playready_lui_url: the license acquisition page.
        fairplay_uri: makes FairPlay's key URI of a key ID; `skd://` and the UUID by default.
        clearkey_laurl: the license URL of ClearKey in DASH.
        key_uri: makes the URI of a clear key in HLS (AES-128, SAMPLE-AES with the identity key format).
    """

    widevine_provider: str | None = None
    widevine_content_id: bytes | None = None
    widevine_policy: str | None = None
    playready_la_url: str | None = None
    playready_lui_url: str | None = None
    fairplay_uri: Callable[[KeyId], str] = fairplay.uri
    clearkey_laurl: str | None = None
    key_uri: Callable[[KeyId], str] | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What a system needs for one key; None where the system has no such thing.

    Args:
        pssh: the PSSH box.
        content_protection: the fragment inside DASH's `ContentProtection`.
        hls_media: the `EXT-X-KEY` line of a media playlist.
        hls_master: the `EXT-X-SESSION-KEY` line of a multivariant playlist.
        smooth: the protection header of a Smooth Streaming manifest, base64.
        key_uri: the URI of the `EXT-X-KEY` line alone.
    """

    pssh: PsshBox | None = None
    content_protection: bytes | None = None
    hls_media: str | None = None
    hls_master: str | None = None
    smooth: str | None = None
    key_uri: str | None = None


def protection_scheme(name: str) -> str | None:
    """Return the protection scheme that a `commonEncryptionScheme` means: itself, or that of an HLS method.

    CPIX 2.3.1 and later allow the names of HLS methods there. NONE gives None.

    Raises:
        SignalingError: the name is neither.
    """
    return _HLS_SCHEMES[name] if name in _HLS_SCHEMES else check_scheme(name)


def make(
    system: DrmSystem,
    kid: KeyId,
    scheme: str,
    *,
    key: bytes | Secret[bytes] | None = None,
    iv: bytes | None = None,
    options: Options | None = None,
) -> Material:
    """Make everything that a system needs for one key.

    Args:
        system: one of `SUPPORTED`.
        kid: the key ID.
        scheme: cenc, cens, cbc1 or cbcs.
        key: the content key, for PlayReady's CHECKSUM; left out where it is not 16 bytes.
        iv: the initialization vector, for the key tags of the clear keys.
        options: what the service wants.

    Raises:
        SignalingError: the system is none of `SUPPORTED`, cannot play the scheme, or needs an option that is missing.
    """
    chosen = options or Options()
    if system in {DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON}:
        return _boxed(system, kid, scheme, _box(system, kid, scheme, key, chosen))
    if system is DrmSystem.FAIRPLAY:
        if scheme != "cbcs":
            raise SignalingError(f"FairPlay does not play {scheme}", hint="use cbcs")
        return _tags(system, kid, scheme, uri=chosen.fairplay_uri(kid))
    if system is DrmSystem.CLEARKEY_DASH:
        if chosen.clearkey_laurl is None:
            raise SignalingError("ClearKey in DASH needs its license URL", hint="set clearkey_laurl")
        return Material(content_protection=dash.content_protection(laurl=chosen.clearkey_laurl))
    if system in SUPPORTED:
        if chosen.key_uri is None:
            raise SignalingError(f"{system.label} needs the URI of the key", hint="set key_uri")
        return _tags(system, kid, scheme, uri=chosen.key_uri(kid), iv=iv)
    raise SignalingError(
        f"drmkit makes no signaling for {system.label}", hint="copy what that system's own key server gives"
    )


def _box(system: DrmSystem, kid: KeyId, scheme: str, key: bytes | Secret[bytes] | None, options: Options) -> PsshBox:
    if system is DrmSystem.COMMON:
        return common.pssh_box([kid])
    if system is DrmSystem.WIDEVINE:
        return widevine.pssh_box(
            [kid],
            scheme,
            provider=options.widevine_provider,
            content_id=options.widevine_content_id,
            policy=options.widevine_policy,
        )
    raw = key.reveal() if isinstance(key, Secret) else key
    known = {kid: raw} if raw is not None and len(raw) == _KEY_SIZE else {}
    la_url, lui_url = options.playready_la_url, options.playready_lui_url
    return playready.pssh_box([kid], scheme, keys=known, la_url=la_url, lui_url=lui_url)


def _boxed(system: DrmSystem, kid: KeyId, scheme: str, box: PsshBox) -> Material:
    tags = _tags(system, kid, scheme, uri=hls.key_uri(system, kid, scheme, box))
    # Smooth Streaming knows AES-CTR alone ([MS-SSTR], 2.2.2.2).
    smooth = encodings.to_base64(box.data) if system is DrmSystem.PLAYREADY and not is_cbc(scheme) else None
    return Material(box, dash.content_protection(box), tags.hls_media, tags.hls_master, smooth, tags.key_uri)


def _tags(system: DrmSystem, kid: KeyId, scheme: str, *, uri: str, iv: bytes | None = None) -> Material:
    media = hls.key_tag(system, kid, scheme, uri=uri, iv=iv)
    return Material(hls_media=media, hls_master=media.replace(KEY, SESSION_KEY, 1), key_uri=uri)
