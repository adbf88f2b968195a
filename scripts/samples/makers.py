"""The documents behind the valid samples, built with the library itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from drmkit import signaling
from drmkit.cpix import AudioFilter, BitrateFilter, Builder, Document, VideoFilter
from drmkit.identifiers import DrmSystem
from samples.model import OPTIONS, iv, key, kid

__all__: list[str] = []

THREE = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY)
TWO = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY)
_ROBUSTNESS = {
    DrmSystem.WIDEVINE.system_id: "HW_SECURE_ALL",
    DrmSystem.PLAYREADY.system_id: "3000",
    DrmSystem.FAIRPLAY.system_id: "main",
}
_START = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_SD = [VideoFilter(max_pixels=589_824)]
_HD = [VideoFilter(min_pixels=589_825)]
_HDCP = b'<hdcp xmlns="urn:example:output-protection" level="2.2"/>'


def fill(document: Document, *systems: DrmSystem, scheme: str = "cenc") -> Document:
    """Give a document its signaling."""
    signaling.fill(document, systems or None, options=OPTIONS, default_scheme=scheme)
    return document


def robust(document: Document) -> Document:
    """Return the document of robust."""
    for system in document.drm_systems:
        if system.content_protection_data is not None or system.system_id == DrmSystem.FAIRPLAY.system_id:
            system.robustness = _ROBUSTNESS.get(system.system_id)
    return document


def keys_only(version: str) -> Document:
    """Return the document of keys only."""
    builder = Builder(version=version, content_id="movie")
    for name in ("one", "two"):
        builder.content_key(kid=kid(name), key=key(name))
    return builder.build()


def one_of_each(version: str, scheme: str, systems: tuple[DrmSystem, ...]) -> Document:
    """Return the document of one of each."""
    named = None if version in {"2.1", "2.2"} else scheme
    builder = Builder(version=version, content_id="movie", name="A movie")
    for name in ("AUDIO", "SD", "HD"):
        builder.content_key(kid=kid(name), key=key(name), iv=iv(name), scheme=named)
    builder.usage_rule(kid=kid("AUDIO"), intended_track_type="AUDIO", audio=[AudioFilter()])
    builder.usage_rule(kid=kid("SD"), intended_track_type="SD", video=_SD)
    builder.usage_rule(kid=kid("HD"), intended_track_type="HD", video=_HD)
    return fill(builder.build(), *systems, scheme=scheme)


def request() -> Document:
    """Return the document of request."""
    builder = Builder(version="2.3", content_id="movie")
    for name in ("AUDIO", "VIDEO"):
        builder.content_key(kid=kid(name), scheme="cbcs")
        for system in TWO:
            builder.drm_system(
                kid=kid(name), system_id=system, pssh=b"", content_protection_data=b"", hls_media="", hls_master=""
            )
        builder.drm_system(kid=kid(name), system_id=DrmSystem.FAIRPLAY, hls_media="", hls_master="")
    builder.usage_rule(kid=kid("AUDIO"), intended_track_type="AUDIO", audio=[AudioFilter()])
    builder.usage_rule(kid=kid("VIDEO"), intended_track_type="VIDEO", video=[VideoFilter()])
    return builder.build()


def filters() -> Document:
    """Return the document of filters."""
    builder = Builder(version="2.3", content_id="movie")
    for name in ("SD", "HD at 30", "HD at 60", "UHD HDR", "UHD SDR", "stereo", "surround", "commentary"):
        builder.content_key(kid=kid(name), key=key(name))
    hd = {"min_pixels": 589_825, "max_pixels": 2_073_600}
    uhd = {"min_pixels": 2_073_601}
    builder.usage_rule(
        kid=kid("SD"), intended_track_type="SD", video=_SD, bitrate=[BitrateFilter(max_bitrate=4_000_000)]
    )
    builder.usage_rule(kid=kid("HD at 30"), intended_track_type="HD", video=[VideoFilter(**hd, max_fps=30)])
    builder.usage_rule(kid=kid("HD at 60"), intended_track_type="HD60", video=[VideoFilter(**hd, min_fps=30)])
    builder.usage_rule(
        kid=kid("UHD HDR"),
        intended_track_type="UHD",
        video=[VideoFilter(**uhd, hdr=True), VideoFilter(**uhd, wcg=True, hdr=False)],
    )
    builder.usage_rule(kid=kid("UHD SDR"), intended_track_type="UHD", video=[VideoFilter(**uhd, hdr=False, wcg=False)])
    builder.usage_rule(kid=kid("stereo"), intended_track_type="STEREO", audio=[AudioFilter(max_channels=2)])
    builder.usage_rule(
        kid=kid("surround"),
        intended_track_type="SURROUND",
        audio=[AudioFilter(min_channels=3, max_channels=6), AudioFilter(min_channels=8)],
    )
    builder.usage_rule(
        kid=kid("commentary"),
        intended_track_type="COMMENTARY",
        audio=[AudioFilter(min_channels=7, max_channels=7)],
        labels=["commentary", "description"],
    )
    return builder.build()


def history() -> Document:
    """Return the document of history."""
    builder = Builder(version="2.4", content_id="movie")
    builder.content_key(kid=kid("one"), key=key("one"), scheme="cenc")
    builder.update(update_version=1, index=1, source="key server", date=_START)
    builder.update(update_version=2, index=2, source="packager", date=_START + _HOUR)
    document = builder.build()
    fill(document, DrmSystem.WIDEVINE)
    document.content_keys.update_version = 1
    document.drm_systems.update_version = 2
    document.drm_systems[0].update_version = 2
    return document


def hdcp(*, scheme: str = "cbcs") -> Builder:
    """Return the document of hdcp."""
    builder = Builder(version="2.4", content_id="movie")
    return builder.content_key(
        kid=kid("one"), key=key("one"), scheme=scheme, hdcp_level="TYPE-1", hdcp_output_protection=_HDCP
    )


def several_contents() -> Document:
    """Return the document of several contents."""
    builder = Builder(version="2.4")
    for content, scheme in (("movie-1", "cenc"), ("movie-2", "cbcs")):
        for name in ("SD", "HD"):
            builder.content_key(
                kid=kid(f"{content} {name}"), key=key(f"{content} {name}"), scheme=scheme, content_id=content
            )
    return fill(builder.build(), *TWO)


def offsets() -> Document:
    """Return the document of offsets."""
    builder = Builder(version="2.4", content_id="movie")
    for number, name in enumerate(("part 1", "part 2")):
        builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
        builder.period(id=f"p{number + 1}", start_offset=number * _HOUR, end_offset=(number + 1) * _HOUR)
        builder.usage_rule(kid=kid(name), periods=[f"p{number + 1}"])
    return fill(builder.build(), *TWO)


def durations() -> Document:
    """Return the document of durations."""
    builder = Builder(version="2.4", content_id="channel")
    for number, name in enumerate(("first", "second")):
        builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
        builder.period(id=f"p{number + 1}", index=number, label=name, start=_START + number * _HOUR, duration=_HOUR)
        builder.usage_rule(kid=kid(name), periods=[f"p{number + 1}"])
    return builder.build()


def wrapping() -> Document:
    """Return the document of wrapping."""
    builder = Builder(version="2.3", content_id="channel")
    for number, index in enumerate((2**32 - 2, 2**32 - 1, 0, 1)):
        builder.content_key(kid=kid(f"crypto period {number}"), key=key(f"crypto period {number}"))
        builder.period(id=f"p{number}", index=index)
        builder.usage_rule(kid=kid(f"crypto period {number}"), periods=[f"p{number}"])
    return builder.build()


def rotation(*, dates: bool, tracks: tuple[str, ...] = ("",)) -> Document:
    """Return the document of rotation."""
    builder = Builder(version="2.4", content_id="channel")
    for number in range(2):
        times = (
            {"start": _START + number * _HOUR, "end": _START + (number + 1) * _HOUR} if dates else {"index": number + 1}
        )
        builder.period(id=f"p{number + 1}", **times)
        for track in tracks:
            name = f"{track or 'all'} in period {number + 1}"
            builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
            video = {"VIDEO": [VideoFilter()]}.get(track, [])
            audio = {"AUDIO": [AudioFilter()]}.get(track, [])
            builder.usage_rule(
                kid=kid(name),
                intended_track_type=track or None,
                periods=[f"p{number + 1}"],
                video=video,
                audio=audio,
            )
    return robust(fill(builder.build(), *TWO))


def hierarchy(tracks: tuple[str, ...] = ("",)) -> Document:
    """Return the document of hierarchy."""
    builder = Builder(version="2.4", content_id="channel")
    for track in tracks:
        root = f"root {track}"
        builder.content_key(
            kid=kid(root), key=key(root), scheme="cenc", hdcp_level="TYPE-0", hdcp_output_protection=_HDCP
        )
        for number in range(2):
            name = f"leaf {track} {number + 1}"
            builder.content_key(kid=kid(name), key=key(name), depends_on=kid(root))
    for number in range(2):
        builder.period(id=f"p{number + 1}", index=number + 1)
        for track in tracks:
            builder.usage_rule(
                kid=kid(f"leaf {track} {number + 1}"),
                intended_track_type=track or None,
                periods=[f"p{number + 1}"],
                video=[VideoFilter()] if track == "VIDEO" else [],
                audio=[AudioFilter()] if track == "AUDIO" else [],
            )
    return robust(fill(builder.build(), *TWO))


def leaves_only() -> Document:
    """Return the document of leaves only."""
    builder = Builder(version="2.4", content_id="channel")
    for number in range(2):
        name = f"leaf  {number + 1}"
        builder.content_key(kid=kid(name), key=key(name), depends_on=kid("root elsewhere"))
        builder.period(id=f"p{number + 1}", index=number + 1)
        builder.usage_rule(kid=kid(name), periods=[f"p{number + 1}"])
    return builder.build()


def one_content_key() -> Document:
    """Return the document of one content key."""
    return robust(fill(hdcp().build(), *THREE, scheme="cbcs"))


def key_per_track(*, labels: bool = False) -> Document:
    """Two keys, for the tracks of two kinds, told by their intended track types or by labels."""
    builder = Builder(version="2.4", content_id="movie")
    for name in ("SD", "HD"):
        builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
        if labels:
            builder.usage_rule(kid=kid(name), labels=[name])
        else:
            builder.usage_rule(kid=kid(name), intended_track_type=name)
    return robust(fill(builder.build(), *TWO))


def allowed_cpc() -> Document:
    """Return the document of allowed cpc."""
    builder = Builder(version="2.4", content_id="movie")
    builder.content_key(kid=kid("one"), key=key("one"), scheme="cbcs")
    builder.drm_system(
        kid=kid("one"),
        system_id=DrmSystem.FAIRPLAY,
        hls_media="",
        hls_master="",
        hls_media_allowed_cpc="com.apple.streamingkeydelivery:MAIN",
        hls_master_allowed_cpc="com.apple.streamingkeydelivery:MAIN",
        hls_allowed_cpc="com.apple.streamingkeydelivery:MAIN",
    )
    return fill(builder.build())


def old_elements() -> Document:
    """Return the document of old elements."""
    builder = Builder(version="2.3", content_id="movie")
    builder.content_key(kid=kid("one"), key=key("one"), iv=iv("one"), scheme="cbcs")
    builder.drm_system(
        kid=kid("one"), system_id=DrmSystem.FAIRPLAY, uri_ext_x_key=f"skd://{kid('one')}".encode(), name="FairPlay"
    )
    builder.drm_system(kid=kid("one"), system_id=DrmSystem.PRIMETIME, hds=b"<drmAdditionalHeader/>")
    return builder.build()


def aes128() -> Document:
    """Return the document of aes128."""
    builder = Builder(version="2.4", content_id="movie")
    builder.content_key(kid=kid("one"), key=key("one"), iv=iv("one"), scheme="AES-128")
    return fill(builder.build(), DrmSystem.CLEARKEY_AES128)


def custom() -> Document:
    """Return the document of custom."""
    document = keys_only("2.4")
    builder = Builder(version="2.4", content_id="movie").content_key(kid=kid("one"), key=key("one"))
    builder.drm_system(kid=kid("one"), system_id="6dd8b3c3-45f4-4a68-bf3a-64168d01a4a6", name="A system of its own")
    document = builder.build()
    element = document.drm_systems[0].element
    custom = element.makeelement("{urn:example:drm}Header", nsmap={"drm": "urn:example:drm"})
    custom.text = "what only this system understands"
    element.append(custom)
    document.touch()
    return document


def long_key() -> Document:
    """Return the document of long key."""
    return Builder(version="2.4", content_id="movie").content_key(kid=kid("one"), key=key("one", 32)).build()
