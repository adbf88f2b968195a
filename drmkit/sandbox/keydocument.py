"""The CPIX documents that the sandbox's key server answers: keys, usage rules and DRM systems."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox.keyfaults import Tampering
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.state import SandboxState
from drmkit.signaling import dash, hls, playready, widevine
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.wrmheader import HeaderKey, WrmHeader

__all__ = ["SCHEMES", "ingest_document", "protected_by"]

SCHEMES = {"cenc": "cbcs", "cbcs": "cenc"}
_SD_PIXELS = 1024 * 576
_HD_PIXELS = 1920 * 1080
_PIXELS: dict[str, tuple[int | None, int | None]] = {
    "SD": (None, _SD_PIXELS),
    "HD": (_SD_PIXELS + 1, _HD_PIXELS),
    "UHD": (_HD_PIXELS + 1, None),
}


_PROTECTED = {
    "AUDIO": "for audio",
    "SD": "for video up to 1024x576",
    "HD": "for video above 1024x576, up to 1920x1080",
    "UHD": "for video above 1920x1080",
}


def protected_by(stream_type: str) -> str:
    """Say which tracks the key of a stream type is for; where a client chose the key ID, its request decides."""
    return _PROTECTED.get(stream_type, "for what the client asked for")


def ingest_document(state: SandboxState, keys: Sequence[TrackKey], asset: str | None, scheme: str | None) -> bytes:
    """Return the CPIX 2.3 document of an ingest.

    Without a scheme the document names none and serves both: Widevine's boxes state no scheme, PlayReady's header
    (4.3.0.0) no algorithm, and HLS signaling is left to FairPlay, whose method is the same for all content.

    Args:
        state: the sandbox's state.
        keys: one for each stream type.
        asset: the asset ID, which becomes the document's content ID.
        scheme: `cenc`, `cbcs` or None.
    """
    if scheme and state.faults.hit("keyserver-wrong-scheme"):
        scheme = SCHEMES[scheme]
    with_systems = not state.faults.hit("keyserver-no-systems")
    tampering = Tampering(state)
    builder = cpix.Builder(version="2.3", content_id=asset)
    for key in tampering.before(keys):
        builder.content_key(kid=key.kid, key=key.key, iv=key.iv, scheme=scheme)
        _add_rule(builder, key)
        if with_systems:
            _add_systems(builder, key, scheme)
    return tampering.after(builder.build())


def _add_rule(builder: cpix.Builder, key: TrackKey) -> None:
    if key.stream_type == "AUDIO":
        builder.usage_rule(kid=key.kid, intended_track_type="AUDIO", audio=[cpix.AudioFilter()])
        return
    low, high = _PIXELS[key.stream_type]
    video = [cpix.VideoFilter(min_pixels=low, max_pixels=high)]
    builder.usage_rule(kid=key.kid, intended_track_type=key.stream_type, video=video)


def _add_systems(builder: cpix.Builder, key: TrackKey, scheme: str | None) -> None:
    boxes = {DrmSystem.WIDEVINE: widevine.pssh_box([key.kid], scheme), DrmSystem.PLAYREADY: _playready_box(key, scheme)}
    for system, box in boxes.items():
        media, master = (None, None) if scheme is None else _hls_tags(system, key.kid, scheme, box)
        builder.drm_system(
            kid=key.kid,
            system_id=system,
            pssh=box.to_bytes(),
            content_protection_data=dash.content_protection(box),
            hls_media=media,
            hls_master=master,
        )
    if scheme != "cenc":
        media, master = _hls_tags(DrmSystem.FAIRPLAY, key.kid, "cbcs", None)
        builder.drm_system(kid=key.kid, system_id=DrmSystem.FAIRPLAY, hls_media=media, hls_master=master)


def _playready_box(key: TrackKey, scheme: str | None) -> PsshBox:
    if scheme is not None:
        return playready.pssh_box([key.kid], scheme, keys={key.kid: key.key})
    header = WrmHeader(keys=(HeaderKey(key.kid, None),))
    return PsshBox(DrmSystem.PLAYREADY.system_id, data=playready.playready_object(header).to_bytes())


def _hls_tags(system: DrmSystem, kid: KeyId, scheme: str, box: PsshBox | None) -> tuple[str, str]:
    return hls.key_tag(system, kid, scheme, box=box), hls.session_key_tag(system, kid, scheme, box=box)
