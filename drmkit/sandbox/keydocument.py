"""The CPIX documents that the sandbox's key server answers: keys, usage rules, DRM systems, and faults in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox.faults import Faults
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.state import SandboxState
from drmkit.secret import Secret
from drmkit.signaling import dash, hls, playready, widevine
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.wrmheader import HeaderKey, WrmHeader

__all__ = ["SCHEMES", "ingest_document"]

SCHEMES = {"cenc": "cbcs", "cbcs": "cenc"}
_SD_PIXELS = 1024 * 576
_HD_PIXELS = 1920 * 1080
_PIXELS: dict[str, tuple[int | None, int | None]] = {
    "SD": (None, _SD_PIXELS),
    "HD": (_SD_PIXELS + 1, _HD_PIXELS),
    "UHD": (_HD_PIXELS + 1, None),
}


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
    faults = state.faults
    keys = _with_wrong_keys(keys, state)
    if scheme and faults.hit("keyserver-wrong-scheme"):
        scheme = SCHEMES[scheme]
    with_systems = not faults.hit("keyserver-no-systems")
    strangers = faults.hit("keyserver-wrong-kid")
    swapped = faults.hit("keyserver-swapped-pssh")
    builder = cpix.Builder(version="2.3", content_id=asset)
    for key in keys:
        builder.content_key(kid=key.kid, key=key.key, iv=key.iv, scheme=scheme)
        _add_rule(builder, key)
        if with_systems:
            named = KeyId(state.options.token_bytes(16)) if strangers else key.kid
            _add_systems(builder, key, named, scheme, swapped=swapped)
    document = builder.build().to_xml()
    if len(keys) > 1 and faults.hit("keyserver-duplicate-kid"):
        document = document.replace(keys[1].kid.uuid.encode(), keys[0].kid.uuid.encode())
    return document


def _with_wrong_keys(keys: Sequence[TrackKey], state: SandboxState) -> Sequence[TrackKey]:
    faults: Faults = state.faults
    if faults.hit("keyserver-kid-as-key"):
        keys = [dataclasses.replace(key, key=Secret(key.kid.raw)) for key in keys]
    if faults.hit("keyserver-wrong-key"):
        keys = [dataclasses.replace(key, key=Secret(state.options.token_bytes(16))) for key in keys]
    if faults.hit("keyserver-swapped-keys"):
        shifted = [*keys[1:], keys[0]]
        keys = [dataclasses.replace(key, key=other.key) for key, other in zip(keys, shifted, strict=True)]
    return keys


def _add_rule(builder: cpix.Builder, key: TrackKey) -> None:
    if key.stream_type == "AUDIO":
        builder.usage_rule(kid=key.kid, intended_track_type="AUDIO", audio=[cpix.AudioFilter()])
        return
    low, high = _PIXELS[key.stream_type]
    video = [cpix.VideoFilter(min_pixels=low, max_pixels=high)]
    builder.usage_rule(kid=key.kid, intended_track_type=key.stream_type, video=video)


def _add_systems(builder: cpix.Builder, key: TrackKey, named: KeyId, scheme: str | None, *, swapped: bool) -> None:
    boxes = {
        DrmSystem.WIDEVINE: widevine.pssh_box([named], scheme),
        DrmSystem.PLAYREADY: _playready_box(key, named, scheme),
    }
    if swapped:
        boxes = dict(zip(boxes, reversed(boxes.values()), strict=True))
    for system, box in boxes.items():
        media, master = (None, None) if scheme is None or swapped else _hls_tags(system, named, scheme, box)
        builder.drm_system(
            kid=key.kid,
            system_id=system.system_id,
            pssh=box.to_bytes(),
            content_protection_data=dash.content_protection(box),
            hls_media=media,
            hls_master=master,
        )
    if scheme != "cenc":
        media, master = _hls_tags(DrmSystem.FAIRPLAY, named, "cbcs", None)
        builder.drm_system(kid=key.kid, system_id=DrmSystem.FAIRPLAY.system_id, hls_media=media, hls_master=master)


def _playready_box(key: TrackKey, named: KeyId, scheme: str | None) -> PsshBox:
    if scheme is not None:
        return playready.pssh_box([named], scheme, keys={key.kid: key.key})
    header = WrmHeader(keys=(HeaderKey(named, None),))
    return PsshBox(DrmSystem.PLAYREADY.system_id, data=playready.playready_object(header).to_bytes())


def _hls_tags(system: DrmSystem, kid: KeyId, scheme: str, box: PsshBox | None) -> tuple[str, str]:
    return hls.key_tag(system, kid, scheme, box=box), hls.session_key_tag(system, kid, scheme, box=box)
