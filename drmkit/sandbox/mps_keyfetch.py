"""Fetches the keys of a DRM task from its KeyServerUrl, as the encryption service does: a key for each track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from drmkit import cpix
from drmkit.errors import DrmkitError, KeySelectionError
from drmkit.http import HttpClient, Response
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.loopback import leads_here
from drmkit.sandbox.mps_drm import DRM_TYPES, method_of
from drmkit.sandbox.mps_keys import SYSTEMS, KeyFaultError, check_keys
from drmkit.sandbox.options import KeyAcquireMode, Template
from drmkit.speke.presets import SHARED, TrackRule, rules
from drmkit.speke.request import Places, build_request
from drmkit.speke.versions import MEDIA_TYPE, VERSION_HEADER

__all__ = ["MediaTrack", "TaskKeys", "fetch_keys", "tracks_of"]

_OK: Final = 200
_SPEKE: Final = "2.0"
_ONE_KEY: Final = "ALL"
_STEREO: Final = 2
_REFUSALS: Final = {
    401: "it refused the ticket: wrong, expired, already used, or issued for another URL",
    403: "it refused the ticket",
    404: "it does not know the organization or the CPIX config",
}


@dataclass(frozen=True, slots=True)
class MediaTrack:
    """A substream, as far as its key depends on it.

    Attributes:
        name: tells it from the others.
        track: what usage rules are asked about.
    """

    name: str
    track: cpix.VideoTrack | cpix.AudioTrack


@dataclass(frozen=True, slots=True)
class TaskKeys:
    """The keys of a DRM task.

    Attributes:
        document: what the key server answered, without the DRM systems that the task does not want.
        kids: the key ID of each track, by its name.
    """

    document: cpix.Document
    kids: Mapping[str, KeyId]


def tracks_of(template: Template) -> list[MediaTrack]:
    """Return the substreams that a template makes of an input with picture and sound."""
    rungs = enumerate(template.renditions)
    video = [MediaTrack(f"video-{number}", cpix.VideoTrack(rung.width, rung.height)) for number, rung in rungs]
    return [*video, MediaTrack(f"audio-{len(video)}", cpix.AudioTrack(_STEREO))]


def fetch_keys(
    drm: Mapping[str, Any], tracks: Sequence[MediaTrack], *, http: HttpClient, mode: KeyAcquireMode
) -> TaskKeys:
    """Ask a task's key server and return its keys, checked.

    With `preset0` one key serves all tracks, with `preset1` each has its own. Where a document is fetched by GET, its
    usage rules say which; with `preset0` it is then the key of the first video track.

    Args:
        drm: a checked DrmInfo that is not simpleaes.
        tracks: the substreams, video first.
        http: makes the call.
        mode: `POST` or `GET`.

    Raises:
        KeyFaultError: no keys came, or they do not serve the task.
    """
    speke = drm["SpekeDrm"]
    url, each = speke["KeyServerUrl"], speke.get("EncryptionPreset") == "preset1"
    if not leads_here(url):
        raise KeyFaultError("the sandbox calls key servers on loopback only")
    systems, method = DRM_TYPES[drm["Type"]].systems, method_of(drm)
    labels = {track.name: _label(track, number) if each else _ONE_KEY for number, track in enumerate(tracks)}
    body = _request(drm, tracks, labels).to_xml() if mode == "POST" else None
    headers = {"Content-Type": MEDIA_TYPE, VERSION_HEADER: _SPEKE} if body is not None else {}
    try:
        answer = http.request(mode, url, purpose="the key request", headers=headers, content=body)
    except DrmkitError as error:
        raise KeyFaultError(error.message) from None
    document = _document(answer)
    kids = _by_rules(document, tracks, each=each) if body is None else _by_label(document, labels)
    _keep_systems(document, systems)
    check_keys(document, systems, method)
    vector = bytes.fromhex(speke["Vector"])
    for key in document.content_keys:
        if key.iv is None:
            key.iv = vector
    return TaskKeys(document, kids)


def _label(track: MediaTrack, number: int) -> str:
    return f"{'V' if isinstance(track.track, cpix.VideoTrack) else 'A'}{number}"


def _request(drm: Mapping[str, Any], tracks: Sequence[MediaTrack], labels: Mapping[str, str]) -> cpix.Document:
    contract = rules(SHARED, SHARED)
    if _ONE_KEY not in labels.values():
        contract = tuple(_rule(track, labels[track.name]) for track in tracks)
    return build_request(
        drm["SpekeDrm"]["ResourceId"],
        version=_SPEKE,
        contract=contract,
        systems=[SYSTEMS[name] for name in DRM_TYPES[drm["Type"]].systems],
        scheme=method_of(drm),
        places=Places(iv=True),
    )


def _rule(item: MediaTrack, label: str) -> TrackRule:
    track = item.track
    if isinstance(track, cpix.VideoTrack):
        pixels = (track.width or 0) * (track.height or 0)
        return TrackRule(label, (cpix.VideoFilter(min_pixels=pixels, max_pixels=pixels),))
    return TrackRule(label, audio=(cpix.AudioFilter(),))


def _by_label(document: cpix.Document, labels: Mapping[str, str]) -> dict[str, KeyId]:
    kids = {rule.intended_track_type: rule.kid for rule in document.usage_rules}
    missing = sorted({label for label in labels.values() if label not in kids})
    if missing:
        raise KeyFaultError(f"the CPIX document has no usage rule for {', '.join(missing)}, which was asked for")
    return {name: kids[label] for name, label in labels.items()}


def _document(answer: Response) -> cpix.Document:
    # What breaks SPEKE's contract is taken all the same: wrong keys show in the player, as with the vendors.
    if answer.status != _OK:
        reason = _REFUSALS.get(answer.status, "no keys came")
        raise KeyFaultError(f"the key server answered HTTP {answer.status}; {reason}")
    if answer.looks_like_html:
        raise KeyFaultError("the key server answered an HTML page instead of a CPIX document")
    try:
        return cpix.parse(answer.body)
    except DrmkitError:
        # The parser's text may quote the document, and the document holds keys.
        raise KeyFaultError("the key server's answer is no CPIX document that can be read") from None


def _by_rules(document: cpix.Document, tracks: Sequence[MediaTrack], *, each: bool) -> dict[str, KeyId]:
    keys = document.content_keys
    first = next(iter(keys), None)
    if first is None:
        raise KeyFaultError("the CPIX document holds no content key")
    if not each or not len(document.usage_rules):
        leading = _chosen(document, tracks[0]) if len(document.usage_rules) else first.kid
        return dict.fromkeys([track.name for track in tracks], leading)
    return {track.name: _chosen(document, track) for track in tracks}


def _chosen(document: cpix.Document, track: MediaTrack) -> KeyId:
    try:
        key = document.key_for(track.track)
    except KeySelectionError as error:
        raise KeyFaultError(f"the CPIX document's usage rules fit {track.name} twice: {error.message}") from None
    if key is None:
        raise KeyFaultError(f"no usage rule of the CPIX document fits {track.name}")
    return key.kid


def _keep_systems(document: cpix.Document, names: Sequence[str]) -> None:
    wanted = {SYSTEMS[name] for name in names}
    for entry in list(document.drm_systems):
        if DrmSystem.find(entry.system_id) not in wanted:
            document.drm_systems.remove(entry)
