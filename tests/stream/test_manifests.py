"""One DASH manifest and one HLS playlist tree, whatever number of packager runs made the stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.cpix import AudioFilter, VideoFilter
from drmkit.errors import CpixError, PackagingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, dash, hls, playready, widevine
from drmkit.stream.manifests import read_drafts
from drmkit.stream.model import OutputFormat, Plan, Scheme, SystemSignaling, TrackInput
from drmkit.stream.mpd import Placed, merge
from drmkit.stream.naming import Naming, TrackNames
from drmkit.stream.packager import PackagedStream, package, package_plan
from drmkit.stream.plan import plan
from drmkit.stream.playlists import parse_media
from drmkit.stream.tools import Tools

KID = KeyId(bytes(range(1, 17)))
SD, HD, AUDIO = (KeyId(bytes([number]) * 16) for number in (1, 2, 3))
KIDS = {"video-180p": SD, "video-720p": HD, "audio-2ch": AUDIO}
COMMON = f"urn:uuid:{DrmSystem.COMMON.value}"
MPD = "{urn:mpeg:dash:schema:mpd:2011}"
SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"
FAIRPLAY = (
    '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset-7",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"'
)


def document(scheme: Scheme = "cbcs", *, own_boxes: bool = True) -> cpix.Document:
    """Return a document with a key for SD, HD and sound; Widevine has a box for each key, or one for all of them."""
    builder = cpix.Builder(content_id="clip")
    for kid in (SD, HD, AUDIO):
        builder.content_key(kid=kid, key=kid.raw[:8] + bytes(8), iv=bytes(15) + kid.raw[:1], scheme=scheme)
        box = widevine.pssh_box([kid] if own_boxes else [SD, HD, AUDIO], scheme)
        builder.drm_system(kid=kid, system_id=DrmSystem.WIDEVINE, pssh=box.to_bytes())
        if own_boxes:
            pro = playready.pssh_box([kid], scheme).to_bytes()
            builder.drm_system(kid=kid, system_id=DrmSystem.PLAYREADY, pssh=pro)
    builder.usage_rule(kid=SD, video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=HD, video=[VideoFilter(min_pixels=589_825)])
    return builder.usage_rule(kid=AUDIO, audio=[AudioFilter()]).build()


def sound(
    tools: Tools, clip: tuple[TrackInput, ...], folder: Path, scheme: Scheme, said: dict[DrmSystem, dict[str, Any]]
) -> PackagedStream:
    """Package the sound of the clip with one key and what the document states for some systems."""
    builder = cpix.Builder(content_id="sound", version="2.3.1")
    # Where the key states a scheme, the builder refuses key tags that are not for it.
    builder.content_key(kid=KID, key=bytes(range(16)), iv=bytes(range(16, 32)))
    for system, values in said.items():
        builder.drm_system(kid=KID, system_id=system, **values)
    return package(builder.build(), clip[2:], folder / "out", tools=tools, scheme=scheme)


def tags(made: PackagedStream, name: str = "audio-2ch") -> list[str]:
    """Return the key tags of a media playlist, as they stand."""
    return [line for line in (made.folder / f"{name}.m3u8").read_text().splitlines() if line.startswith("#EXT-X-KEY")]


def protection(made: PackagedStream) -> dict[str, list[dash.ContentProtection]]:
    """Return what each track's adaptation set says, by the track's name."""
    assert made.mpd is not None
    found = {}
    for item in etree.fromstring(made.mpd.read_bytes()).iter(f"{MPD}AdaptationSet"):
        text = etree.tostring(item, encoding="unicode")
        name = next(track for track in KIDS if f">{track}.mp4<" in text or f'"{track}/' in text)
        found[name] = dash.parse_mpd(text.encode())
    return found


def bare(made: PackagedStream) -> tuple[str, str]:
    """Return the two manifests without what they say about keys, and without what depends on the boxes' size."""
    assert made.mpd is not None
    assert made.master is not None
    root = etree.fromstring(made.mpd.read_bytes())
    for item in list(root.iter(f"{MPD}ContentProtection", f"{MPD}SegmentBase")):
        item.getparent().remove(item)  # type: ignore[union-attr] - it has one
    etree.cleanup_namespaces(root)
    return etree.tostring(root, method="c14n").decode(), made.master.read_text()


@pytest.mark.parametrize("form", [OutputFormat("file", 2), OutputFormat("segments", 2)], ids=lambda form: form.layout)
def test_several_runs_look_like_one(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, form: OutputFormat
) -> None:
    """Manifests of three runs are those of a single run, but for the keys."""
    asked = [plan(document(own_boxes=own), clip, tools=tools) for own in (True, False)]
    assert [len(made.runs) for made in asked] == [3, 1]
    many, one = (package_plan(made, tmp_path / f"{i}", tools=tools, form=form) for i, made in enumerate(asked))
    assert bare(many) == bare(one)
    names = sorted(path.relative_to(many.folder).as_posix() for path in many.folder.rglob("*"))
    assert names == sorted(path.relative_to(one.folder).as_posix() for path in one.folder.rglob("*"))
    assert not [name for name in names if name.startswith(".") or "/." in name]


def test_each_track_carries_its_own_objects_alone(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """One PlayReady object a key: every adaptation set and playlist has that of its key, and no other."""
    made = package(document(), clip, tmp_path / "out", tools=tools)
    for name, said in protection(made).items():
        kid = KIDS[name]
        assert [item.default_kids for item in said] == [(kid,), (), ()]
        assert said[0].value == "cbcs"
        assert list(said[1].boxes) == [widevine.pssh_box([kid], "cbcs")]
        assert list(said[2].boxes) == [playready.pssh_box([kid], "cbcs")]
        assert said[2].playready is not None
        assert said[2].playready.to_bytes() == playready.pssh_box([kid], "cbcs").data
        first, second = hls.parse((made.folder / f"{name}.m3u8").read_text())
        assert (first.system, first.key_id) == (DrmSystem.WIDEVINE, kid)
        assert [box.data for box in second.boxes()] == [playready.pssh_box([kid], "cbcs").data]


def test_videos_with_different_keys_are_switchable(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """IDs are unique; the two videos name each other for switching, the sound names nothing."""
    made = package(document(), clip, tmp_path / "out", tools=tools)
    assert made.mpd is not None
    root = etree.fromstring(made.mpd.read_bytes())
    assert len(root.findall(f"{MPD}Period")) == 1
    assert root.get("mediaPresentationDuration") == "PT4S"
    sets = list(root.iter(f"{MPD}AdaptationSet"))
    marks = [
        [
            item.get("value")
            for item in one.findall(f"{MPD}SupplementalProperty")
            if item.get("schemeIdUri") == SWITCHING
        ]
        for one in sets
    ]
    assert [(one.get("id"), one.get("contentType"), *mark) for one, mark in zip(sets, marks, strict=True)] == [
        ("0", "video", "1"),
        ("1", "video", "0"),
        ("2", "audio"),
    ]
    assert [item.get("id") for item in root.iter(f"{MPD}Representation")] == ["0", "1", "2"]


def test_variants_have_the_sound_of_another_run(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A variant names the audio group, its codec and its bandwidth, though another run packaged the sound."""
    made = package(document(), clip, tmp_path / "out", tools=tools)
    assert made.master is not None
    lines = made.master.read_text().splitlines()
    assert lines[:3] == ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
    (media,) = [line for line in lines if line.startswith("#EXT-X-MEDIA:")]
    assert 'URI="audio-2ch.m3u8",GROUP-ID="audio"' in media
    variants = [line for line in lines if line.startswith("#EXT-X-STREAM-INF:")]
    assert len(variants) == 2
    assert all('mp4a.40.2",RESOLUTION=' in line and 'AUDIO="audio"' in line for line in variants)
    playlists = {name: parse_media((made.folder / f"{name}.m3u8").read_text()) for name in KIDS}
    expected = [playlists[name].peak + playlists["audio-2ch"].peak for name in ("video-180p", "video-720p")]
    assert [int(line.split("BANDWIDTH=")[1].split(",")[0]) for line in variants] == expected
    assert 200_000 < expected[0] < expected[1]


def test_names_and_folders(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Files are called as asked, and manifests in other folders refer to them from where they stand."""
    names = Naming(
        mpd="dash/m.mpd",
        master="hls/top.m3u8",
        playlist="hls/{index:02d}/{track}.m3u8",
        init="media/t{index}/i.mp4",
        segment="media/t{index}/s$Number%05d$.m4s",
        file="media/{track}/all.mp4",
    )
    for layout in ("segments", "file"):
        form = OutputFormat(layout, 2, names=names)  # type: ignore[arg-type] - one of two words
        made = package(document(), clip, tmp_path / layout, tools=tools, form=form)
        assert made.mpd == made.folder / "dash/m.mpd"
        assert made.master == made.folder / "hls/top.m3u8"
        assert made.tracks[1].playlist == made.folder / "hls/01/video-720p.m3u8"
        text = made.tracks[1].playlist.read_text()
        root = etree.fromstring(made.mpd.read_bytes())
        if layout == "file":
            assert made.tracks[1].files == (made.folder / "media/video-720p/all.mp4",)
            assert '#EXT-X-MAP:URI="../../media/video-720p/all.mp4",BYTERANGE=' in text
            assert [item.text for item in root.iter(f"{MPD}BaseURL")] == [f"../media/{name}/all.mp4" for name in KIDS]
        else:
            assert made.tracks[1].files[1] == made.folder / "media/t1/s00001.m4s"
            assert "\n../../media/t1/s00002.m4s\n" in text
            template = list(root.iter(f"{MPD}SegmentTemplate"))[1]
            assert template.get("initialization") == "../media/t1/i.mp4"
            assert template.get("media") == "../media/t1/s$Number%05d$.m4s"
        assert "\n01/video-720p.m3u8\n" in made.master.read_text()
        for track in made.tracks:
            assert all(path.is_file() for path in track.files)


@pytest.mark.parametrize("manifests", [(), ("hls",), ("dash",)])
def test_only_what_is_asked_for_is_written(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, manifests: Any
) -> None:
    """Each kind of manifest is written if it was asked for, and the drafts of the packager are gone."""
    form = OutputFormat("file", manifests=manifests)
    made = package(document(), clip, tmp_path / "out", tools=tools, form=form)
    assert (made.mpd is not None) is ("dash" in manifests)
    assert (made.master is not None) is ("hls" in manifests)
    suffixes = {path.suffix for path in made.folder.iterdir()}
    assert suffixes == {".mp4"} | ({".mpd"} if "dash" in manifests else set()) | (
        {".m3u8"} if "hls" in manifests else set()
    )


def test_what_the_document_states_is_written(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Key tags, session keys and DASH data of the document are those of the manifests, in its order."""
    fragment = b'<x:thing xmlns:x="urn:example:thing">7</x:thing>'
    box = widevine.pssh_box([KID], "cbcs", content_id=b"seven")
    session = FAIRPLAY.replace("EXT-X-KEY", "EXT-X-SESSION-KEY")
    said = {
        DrmSystem.FAIRPLAY: {"hls_media": f"{FAIRPLAY}\n", "hls_master": f"{session}\n"},
        DrmSystem.WIDEVINE: {"pssh": box.to_bytes(), "content_protection_data": fragment},
    }
    made = sound(tools, clip, tmp_path, "cbcs", said)
    stated, derived = tags(made)
    assert stated == FAIRPLAY
    assert hls.parse_tag(derived).boxes() == [box]
    assert made.master is not None
    assert made.master.read_text().splitlines()[3] == session
    assert made.mpd is not None
    (scheme, system) = protection(made)["audio-2ch"]
    assert scheme.value == "cbcs"
    assert (system.system_id, system.boxes) == (DrmSystem.WIDEVINE.value, ())
    assert '<x:thing xmlns:x="urn:example:thing">7</x:thing>' in etree.canonicalize(made.mpd.read_text())
    assert made.notes == ()


def test_whole_elements_are_taken_as_they_are(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A document may hold the ContentProtection element itself; it is not put into another one."""
    whole = f'<ContentProtection schemeIdUri="urn:uuid:{DrmSystem.WIDEVINE.value}" value="mine"/>'.encode()
    said = {DrmSystem.WIDEVINE: {"content_protection_data": whole}}
    (_, system) = protection(sound(tools, clip, tmp_path, "cbcs", said))["audio-2ch"]
    assert (system.system_id, system.value) == (DrmSystem.WIDEVINE.value, "mine")


def test_fairplay_needs_cbcs(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """FairPlay cannot play cenc: its tag is left out there, with a word; in cbcs it is written."""
    made = sound(tools, clip, tmp_path / "a", "cenc", {DrmSystem.FAIRPLAY: {"hls_media": FAIRPLAY}})
    assert tags(made) == []
    assert any("FairPlay is left out" in note and "not cenc" in note for note in made.notes)
    made = sound(tools, clip, tmp_path / "b", "cbcs", {DrmSystem.FAIRPLAY: {"hls_media": FAIRPLAY}})
    assert tags(made) == [FAIRPLAY]


def test_fairplay_without_a_stated_uri(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """An older document states the URI alone; where there is none, the key ID stands in, with a word."""
    stated = sound(tools, clip, tmp_path / "a", "cbcs", {DrmSystem.FAIRPLAY: {"uri_ext_x_key": b"skd://old"}})
    assert [hls.parse_tag(tag).uri for tag in tags(stated)] == ["skd://old"]
    assert not any("skd" in note for note in stated.notes)
    made = sound(tools, clip, tmp_path / "b", "cbcs", {DrmSystem.FAIRPLAY: {}})
    (tag,) = [hls.parse_tag(tag) for tag in tags(made)]
    assert (tag.method, tag.uri, tag.iv) == ("SAMPLE-AES", f"skd://{KID}", bytes(range(16, 32)))
    assert any("states no FairPlay key URI" in note for note in made.notes)


def test_another_method_is_noted(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A key tag whose method is not that of the scheme is passed on as it is, with a word."""
    tag = hls.key_tag(DrmSystem.WIDEVINE, KID, "cbcs")
    said = {DrmSystem.WIDEVINE: {"hls_media": tag, "pssh": widevine.pssh_box([KID], "cenc").to_bytes()}}
    made = sound(tools, clip, tmp_path, "cenc", said)
    assert tags(made) == [tag]
    assert any("says METHOD=SAMPLE-AES, where cenc is SAMPLE-AES-CTR" in note for note in made.notes)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_boxes_of_the_packagers_own_are_taken_out(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, scheme: Scheme
) -> None:
    """A document without PSSH boxes gives manifests without them, and a note that HLS has no key tag."""
    made = sound(tools, clip, tmp_path, scheme, {})
    assert made.mpd is not None
    text = made.mpd.read_text()
    assert f'cenc:default_KID="{KID}"' in text
    assert "pssh" not in text.replace("xmlns", "")
    assert "EXT-X-KEY" not in (made.folder / "audio-2ch.m3u8").read_text()
    assert any("has no key tag" in note for note in made.notes)


def test_key_ids_are_not_offered_as_keys(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """An "identity" tag whose URI holds the key ID is never written, whether the packager or the document has it."""
    identity = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,{KID.base64}",KEYFORMAT="identity"'
    said = {
        DrmSystem.COMMON: {"pssh": common.pssh_box([KID]).to_bytes(), "hls_media": identity},
        DrmSystem.WIDEVINE: {"pssh": widevine.pssh_box([KID], "cbcs").to_bytes()},
    }
    made = sound(tools, clip, tmp_path, "cbcs", said)
    (tag,) = hls.parse((made.folder / "audio-2ch.m3u8").read_text())
    assert tag.system is DrmSystem.WIDEVINE
    assert KID.base64 not in (made.folder / "audio-2ch.m3u8").read_text()
    assert made.mpd is not None
    assert COMMON in made.mpd.read_text()
    assert made.notes == ()


def test_what_variants_ask_of_devices(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """The HDCP level and the content protection configurations of a key stand at the variants of its video."""
    made = plan(document(), clip[1:], tools=tools)
    large = made.tracks[0]
    assert large.use is not None

    def master(folder: str, level: str, *allowed: str) -> tuple[str, tuple[str, ...]]:
        said = tuple(replace(large.use.signaling[0], allowed_cpc=name) for name in allowed)  # type: ignore[union-attr]
        use = replace(large.use, hdcp_level=level, signaling=said)  # type: ignore[type-var]
        one = replace(made.runs[0], tracks=(replace(large, use=use),))
        stream = package_plan(replace(made, runs=(one, *made.runs[1:])), tmp_path / folder, tools=tools)
        assert stream.master is not None
        return stream.master.read_text(), stream.notes

    text, notes = master("a", "TYPE-1", "com.example:MAIN", "com.example:HW", "com.example:MAIN")
    assert 'HDCP-LEVEL=TYPE-1,ALLOWED-CPC="com.example:MAIN,com.example:HW",AUDIO="audio"' in text
    assert notes == ()
    text, notes = master("b", "TYPE-9", 'a"b')
    assert "HDCP-LEVEL" not in text
    assert "ALLOWED-CPC" not in text
    assert any("'TYPE-9' is none that it knows" in note for note in notes)
    assert any("holds a quotation mark" in note for note in notes)


def test_documents_state_levels(tools: Tools, clip: tuple[TrackInput, ...]) -> None:
    """CPIX 2.4 has places for both: HDCPData of the key, HLSAllowedCPC of the system."""
    builder = cpix.Builder(content_id="x", version="2.4").content_key(kid=KID, key=bytes(range(16)), scheme="cbcs")
    builder.drm_system(kid=KID, system_id=DrmSystem.FAIRPLAY, hls_media=FAIRPLAY, hls_allowed_cpc="com.example:MAIN")
    text = builder.build().to_xml().decode()
    text = text.replace("<cpix:Data>", '<cpix:HDCPData HLSHDCPLevel="TYPE-0"/><cpix:Data>', 1)
    (item,) = plan(cpix.parse(text.encode()), clip[2:], tools=tools).tracks
    assert item.use is not None
    assert item.use.hdcp_level == "TYPE-0"
    assert [said.allowed_cpc for said in item.use.signaling] == ["com.example:MAIN"]


def test_unreadable_signaling_is_refused(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Key tags or DASH data that cannot be read are refused with their place, and nothing stays behind."""
    made = plan(document(), clip[2:], tools=tools)
    (item,) = made.tracks
    assert item.use is not None
    for said, reason in (
        (SystemSignaling(DrmSystem.WIDEVINE.value, hls_media="#EXT-X-KEY:METHOD="), "line 1: EXT-X-KEY: the attribute"),
        (SystemSignaling(DrmSystem.WIDEVINE.value, content_protection=b"<open>"), "not well-formed XML"),
    ):
        use = replace(item.use, signaling=(said,))
        broken = Plan((replace(made.runs[0], tracks=(replace(item, use=use),)),))
        with pytest.raises(CpixError, match=f"states for Widevine and key {AUDIO} cannot be used: .*{reason}"):
            package_plan(broken, tmp_path / "out", tools=tools)
        assert list(tmp_path.iterdir()) == []


def test_missing_drafts_are_noticed(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A packager that ends well without a manifest is not believed."""
    made = plan(document(), clip[2:], tools=tools)
    names = {"audio-2ch": TrackNames("a.m3u8", "a.mp4", "i.mp4", "$Number$.m4s")}
    with pytest.raises(PackagingError, match=r"did not write run0\.mpd"):
        read_drafts(tmp_path, made, names)
    with pytest.raises(PackagingError, match="HLS playlist without segments"):
        parse_media("#EXTM3U\n#EXT-X-TARGETDURATION:2\n")


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("", "without a period"),
        ("<Period><AdaptationSet/></Period>", "an empty adaptation set"),
        ("<Period><AdaptationSet><Representation><BaseURL>x%2Fy.mp4</BaseURL></Representation></AdaptationSet></Period>",
         "unknown file, 'x/y.mp4'"),
        ("<Period><AdaptationSet><Representation><BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period>",
         "the duration 'P1D'"),
    ],
)  # fmt: skip
def test_strange_drafts_are_refused(tools: Tools, clip: tuple[TrackInput, ...], inner: str, reason: str) -> None:
    """A DASH manifest that is not as the packager writes it is refused, rather than merged into nonsense."""
    (item,) = plan(document(), clip[2:], tools=tools).tracks
    placed = Placed(item, TrackNames("a.m3u8", "a.mp4", "i.mp4", "$Number$.m4s"))
    text = f'<MPD xmlns="{dash.MPD}" minBufferTime="P1D">{inner}</MPD>'.encode()
    with pytest.raises(PackagingError, match=reason):
        merge([text, text], [placed], "m.mpd")
