"""Builds requests: a content ID, presets, DRM systems and a scheme become a document with empty places to fill."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from lxml import etree

from drmkit import cpix
from drmkit.cpix.document import Document
from drmkit.cpix.entities import DRMSystem
from drmkit.cpix.view import remove_element
from drmkit.errors import ConfigurationError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.speke.presets import SHARED, TrackRule, rules
from drmkit.speke.reading import tag
from drmkit.speke.versions import HLS_METHODS, PLAYED_BY, SCHEMES, SPEKE_NAMESPACE, SpekeVersion, named

__all__ = ["KeyIds", "KeyPeriod", "Places", "build_request", "derived_key_id", "usual_scheme"]

KeyIds: TypeAlias = Callable[[str, int | None], KeyId]
"""Gives the key ID of a track type in a key period (its index; None where there are no periods)."""
_USUAL: Final = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY)
_HLS_ONLY: Final = frozenset({DrmSystem.FAIRPLAY, DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPeriod:
    """A key period: an index, and from SPEKE 2.1 on when it begins and ends.

    Attributes:
        index: the number of the period.
        start: when it begins, for live content (aware).
        end: when it ends, exclusive.
        start_offset: when it begins, from the start of VOD content.
        end_offset: when it ends, exclusive.
    """

    index: int
    start: datetime | None = None
    end: datetime | None = None
    start_offset: timedelta | None = None
    end_offset: timedelta | None = None

    @property
    def id(self) -> str:
        """The ID to which usage rules refer."""
        return f"keyPeriod_{self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which places of a request the provider shall fill.

    Attributes:
        pssh: the PSSH box.
        dash: the content protection data for DASH.
        hls: the key tags for both HLS playlists.
        smooth: PlayReady's header for Smooth Streaming, which has AES-CTR alone.
        iv: the initialization vector of each key.
        robustness: the robustness level for DASH (2.1).
        allowed_cpc: ALLOWED-CPC for HLS (2.1).
        hdcp: the HDCP demands of each key (2.1).
    """

    pssh: bool = True
    dash: bool = True
    hls: bool = True
    smooth: bool = False
    iv: bool = False
    robustness: bool = False
    allowed_cpc: bool = False
    hdcp: bool = False


def derived_key_id(content_id: str, track_type: str, period: int | None) -> KeyId:
    """Return the key ID that stays the same for a content ID, a track type and a key period, as SPEKE wants it.

    It is a version 5 UUID (RFC 9562): whoever knows the names can tell it, and nothing follows from it for the key.
    """
    name = json.dumps([content_id, track_type, period])
    return KeyId.from_uuid(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:drmkit:speke:{name}"))


def usual_scheme(systems: Iterable[DrmSystem]) -> str:
    """Return the scheme that all of some DRM systems play: cbcs where FairPlay is among them, else cenc."""
    wanted = set(systems)
    if DrmSystem.CLEARKEY_AES128 in wanted:
        return "cbc1"
    return "cbcs" if wanted & {DrmSystem.FAIRPLAY, DrmSystem.CLEARKEY_SAMPLE_AES} else "cenc"


def build_request(
    content_id: str,
    *,
    version: str = "2.0",
    video: str | None = None,
    audio: str | None = None,
    contract: Sequence[TrackRule] | None = None,
    systems: Sequence[DrmSystem] | None = None,
    scheme: str | None = None,
    periods: Sequence[KeyPeriod] = (),
    certificates: Iterable[bytes] = (),
    places: Places | None = None,
    bare: bool = False,
    key_ids: KeyIds | None = None,
) -> Document:
    """Build a request.

    Args:
        content_id: names the content.
        version: the version of SPEKE.
        video: a video preset, `VIDEO-1` by default; in version 1.0, where neither is given, one key serves everything.
        audio: an audio preset, `AUDIO-1` by default.
        contract: what each key is for, instead of presets.
        systems: the DRM systems; None takes Widevine, PlayReady and FairPlay, as far as they play the scheme.
        scheme: the protection scheme; None takes the one that all systems play. Version 1.0 states none by default.
        periods: key periods; each has keys of its own.
        certificates: X.509 certificates in DER, for which the keys shall be encrypted.
        places: which places shall be filled.
        bare: leave the places out: some providers fill a DRM system by its ID alone.
        key_ids: gives the key IDs; by default `derived_key_id`.

    Raises:
        ConfigurationError: the version, a preset or the scheme is unknown, there is no DRM system or one that does not
            play the scheme, or a part needs another version.
        InvalidDocumentError: what was given does not make a valid document.
    """
    speke = named(version)
    wanted = places or Places()
    if not content_id.strip():
        raise ConfigurationError("the content ID is empty", hint="name the content")
    systems = _usual_systems(scheme) if systems is None else systems
    _check(speke, systems, periods, wanted)
    _check_scheme(speke, scheme, systems)
    if contract is None:
        shared = speke.is_first and video is None and audio is None
        default = (SHARED, SHARED) if shared else ("VIDEO-1", "AUDIO-1")
        contract = rules(video or default[0], audio or default[1])
    ids = key_ids or (lambda track, period: derived_key_id(content_id, track, period))
    builder = cpix.Builder(version=speke.namespace_version, content_id=None if speke.is_first else content_id)
    for der in certificates:
        builder.recipient(certificate=der)
    for one in periods:
        times = {"start": one.start, "end": one.end, "start_offset": one.start_offset, "end_offset": one.end_offset}
        builder.period(id=one.id, index=one.index, **times)  # type: ignore[arg-type]  # each time has its own type
    used = scheme or (None if speke.is_first else usual_scheme(systems))
    for period in periods or (None,):
        for track in contract:
            kid = ids(track.intended_track_type, None if period is None else period.index)
            _add_key(builder, speke, kid, track, period, used, systems, wanted, bare=bare)
    document = builder.build()
    if speke.is_first:
        # CPIX allows names alone there; SPEKE 1.0 has any content ID in it, such as a UUID that begins with a digit.
        document.id = content_id
    _finish(document, speke, wanted, bare=bare)
    return document


def _usual_systems(scheme: str | None) -> tuple[DrmSystem, ...]:
    playing = tuple(system for system in _USUAL if scheme in PLAYED_BY[system.value])
    # A scheme that none of them plays is told as such, with all of them.
    return playing or _USUAL


def _check(speke: SpekeVersion, systems: Sequence[DrmSystem], periods: Sequence[KeyPeriod], places: Places) -> None:
    if not systems or len(set(systems)) != len(systems):
        raise ConfigurationError("a request names each DRM system once, and at least one", hint="such as widevine")
    if len({period.index for period in periods}) != len(periods):
        raise ConfigurationError("two key periods have one index", hint="give each its own")
    timed = any(period.start or period.start_offset is not None for period in periods)
    newer = timed or places.robustness or places.allowed_cpc or places.hdcp
    if newer and speke.name != "2.1":
        raise ConfigurationError(
            f"SPEKE {speke.name} has no times of key periods, robustness, ALLOWED-CPC and HDCP", hint="use version 2.1"
        )


def _check_scheme(speke: SpekeVersion, scheme: str | None, systems: Sequence[DrmSystem]) -> None:
    known = SCHEMES | HLS_METHODS if speke.name == "2.1" else SCHEMES
    if scheme is None:
        return
    if scheme not in known:
        raise ConfigurationError(
            f"SPEKE {speke.name} has no protection scheme {scheme!r}", hint=f"one of {', '.join(sorted(known))}"
        )
    for system in systems:
        plays = PLAYED_BY.get(system.value, known)
        if scheme not in plays:
            raise ConfigurationError(
                f"{system.label} does not play {scheme}", hint=f"it plays {' and '.join(sorted(plays & known))}"
            )


def _add_key(  # noqa: PLR0917 (private: what one key of a request is made of)
    builder: cpix.Builder,
    speke: SpekeVersion,
    kid: KeyId,
    track: TrackRule,
    period: KeyPeriod | None,
    scheme: str | None,
    systems: Sequence[DrmSystem],
    places: Places,
    *,
    bare: bool,
) -> None:
    builder.content_key(kid=kid, scheme=scheme)
    for system in systems:
        hls_only = system in _HLS_ONLY
        hls = "" if places.hls and not speke.is_first and not bare else None
        fills = not bare and not (speke.is_first and hls_only)
        builder.drm_system(
            kid=kid,
            system_id=system,
            pssh=b"" if places.pssh and fills and not hls_only else None,
            content_protection_data=b"" if places.dash and fills and not hls_only and not speke.is_first else None,
            hls_media=hls,
            hls_master=hls,
            smooth="" if places.smooth and fills and system is DrmSystem.PLAYREADY and not speke.is_first else None,
        )
    if not speke.is_first or period is not None or track.intended_track_type != "ALL":
        builder.usage_rule(
            kid=kid,
            intended_track_type=track.intended_track_type,
            periods=() if period is None else (period.id,),
            video=track.video,
            audio=track.audio,
        )


def _finish(document: Document, speke: SpekeVersion, places: Places, *, bare: bool) -> None:
    """Make a request of a valid document: its empty places, and nothing that it is the provider's to add."""
    if speke.is_first:
        document.version = None
    for recipient in document.recipients:
        # CPIX wants a DocumentKey; SPEKE asks with the certificate alone, and providers add theirs to what is there.
        for empty in recipient.document_keys:
            remove_element(empty.element)
    for key in document.content_keys:
        if places.iv:
            key.element.set("explicitIV", "")
        if places.hdcp:
            key.element.insert(0, key.element.makeelement(tag("HDCPData"), {"HLSHDCPLevel": ""}))
    for entry in document.drm_systems:
        if speke.name == "2.1":
            _finish_newest(entry, places)
        elif speke.is_first and not bare:
            _add_first_version_places(entry, places)
    document.touch()


def _finish_newest(entry: DRMSystem, places: Places) -> None:
    # SPEKE 2.1 is CPIX 2.4, whose schema says multiVariant here; AWS's services say master all the same.
    for child in entry.element.iterchildren(tag("HLSSignalingData")):
        child.set("playlist", "media" if child.get("playlist") == "media" else "master")
    if places.allowed_cpc:
        entry.element.set("HLSAllowedCPC", "")
    for child in entry.element.iterchildren(tag("ContentProtectionData")) if places.robustness else ():
        child.set("robustness", "")


def _add_first_version_places(entry: DRMSystem, places: Places) -> None:
    system = DrmSystem.find(entry.system_id)
    if places.hls and system in _HLS_ONLY:
        etree.SubElement(entry.element, tag("URIExtXKey"))
        for name in ("KeyFormat", "KeyFormatVersions"):
            etree.SubElement(entry.element, f"{{{SPEKE_NAMESPACE}}}{name}", nsmap={"speke": SPEKE_NAMESPACE})
    if places.smooth and system is DrmSystem.PLAYREADY:
        name = f"{{{SPEKE_NAMESPACE}}}ProtectionHeader"
        entry.element.insert(0, entry.element.makeelement(name, nsmap={"speke": SPEKE_NAMESPACE}))
