"""Which key each track gets, and which runs of the packager that takes."""

from __future__ import annotations

import base64
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.cpix import AudioFilter, BitrateFilter, VideoFilter
from drmkit.errors import CpixError, DrmkitError, InputError, KeySelectionError, PackagingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import playready, widevine
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.model import Plan, TrackInput
from drmkit.stream.plan import plan
from drmkit.stream.probe import Kind, TrackProperties
from drmkit.stream.tools import Tools

SD, HD, AUDIO = (KeyId(bytes([number]) * 16) for number in (1, 2, 3))
WIDEVINE, PLAYREADY = DrmSystem.WIDEVINE, DrmSystem.PLAYREADY
TOOLS = Tools(Path("packager"), Path("ffmpeg"), Path("ffprobe"))
TRACKS = (
    TrackInput(Path("sd.mp4"), "video", "sd"),
    TrackInput(Path("hd.mp4"), "video", "hd"),
    TrackInput(Path("sound.mp4"), "audio", "sound"),
)
PROPERTIES = {
    "sd.mp4": TrackProperties("video", "h264", width=320, height=180, fps=Fraction(25), bitrate=200_000),
    "hd.mp4": TrackProperties("video", "h264", width=1280, height=720, fps=Fraction(25), bitrate=900_000),
    "sound.mp4": TrackProperties("audio", "aac", channels=2, bitrate=96_000),
}


def read(path: Path, kind: Kind) -> TrackProperties:
    """Stand for ffprobe."""
    found = PROPERTIES[path.name]
    assert found.kind == kind
    return found


def make(document: cpix.Document, tracks: tuple[TrackInput, ...] = TRACKS, **options: Any) -> Plan:
    """Plan with the stand-in for ffprobe."""
    return plan(document, tracks, tools=TOOLS, read=read, **options)


def box(system: DrmSystem, data: bytes = b"all") -> bytes:
    """Return a PSSH box."""
    return PsshBox(system.system_id, data=data).to_bytes()


def keys(scheme: str | None = "cenc", **ivs: bytes) -> cpix.Builder:
    """Begin a document with three keys."""
    builder = cpix.Builder(content_id="test")
    for kid in (SD, HD, AUDIO):
        builder.content_key(kid=kid, key=bytes([0xA0]) + kid.raw[1:], iv=bytes(15) + kid.raw[:1], scheme=scheme)
    return builder


def rules(builder: cpix.Builder) -> cpix.Document:
    """Finish a document with a rule for each key."""
    builder.usage_rule(kid=SD, intended_track_type="SD", video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=HD, intended_track_type="HD", video=[VideoFilter(min_pixels=589_825)])
    return builder.usage_rule(kid=AUDIO, intended_track_type="AUDIO", audio=[AudioFilter()]).build()


def with_boxes(document: cpix.Document, *boxes: tuple[KeyId, DrmSystem, bytes]) -> cpix.Document:
    """Put PSSH boxes with any data into a document: what the builder, which reads them, would refuse."""
    for entry in document.drm_systems:
        for kid, system, raw in boxes:
            if (entry.kid, entry.system_id) == (kid, system.system_id):
                entry.pssh = raw
    return document


def kids(made: Plan) -> dict[str, KeyId | None]:
    """Return the key ID of each track."""
    return {item.track.name: item.use.kid if item.use else None for item in made.tracks}


def test_rules_choose_the_keys() -> None:
    """Each track gets the key that the usage rules give to its size or channels, with value, IV and scheme."""
    made = make(rules(keys()))
    assert kids(made) == {"sd": SD, "hd": HD, "sound": AUDIO}
    use = made.tracks[1].use
    assert use is not None
    assert (use.key.reveal(), use.iv, use.scheme) == (b"\xa0" + HD.raw[1:], bytes(15) + b"\2", "cenc")


def test_rates_reach_the_rules() -> None:
    """Frame rate, bitrate and labels decide too, in the units of the document."""
    builder = keys()
    builder.usage_rule(
        kid=SD, video=[VideoFilter(min_fps=24, max_fps=25)], bitrate=[BitrateFilter(max_bitrate=200_000)]
    )
    builder.usage_rule(
        kid=HD, video=[VideoFilter(min_fps=24, max_fps=25)], bitrate=[BitrateFilter(min_bitrate=200_001)]
    )
    builder.usage_rule(kid=AUDIO, audio=[AudioFilter(min_channels=2, max_channels=2)], labels=["commentary"])
    document = builder.build()
    sound = TrackInput(Path("sound.mp4"), "audio", "sound", labels=("commentary",))
    assert kids(make(document, (*TRACKS[:2], sound))) == {"sd": SD, "hd": HD, "sound": AUDIO}
    with pytest.raises(KeySelectionError, match=r"gives track sound a key \(audio, 2 channels\)"):
        make(document)


def test_intended_track_type_narrows_the_rules() -> None:
    """A track that says what it is meant as looks at the rules with that name alone."""
    builder = keys()
    for kid, name in ((SD, "SD"), (HD, "HD"), (AUDIO, "AUDIO")):
        builder.usage_rule(kid=kid, intended_track_type=name, labels=[name])
    document = builder.build()
    for rule in document.usage_rules:
        rule.add_labels(["all"])  # the builder would refuse rules that overlap
    track = TrackInput(Path("hd.mp4"), "video", "hd", labels=("all",), intended_track_type="HD")
    assert kids(make(document, (track,))) == {"hd": HD}
    with pytest.raises(KeySelectionError, match="3 content keys match"):
        make(document, (TrackInput(Path("hd.mp4"), "video", "hd", labels=("all",)),))


def test_a_named_key_wins() -> None:
    """A track that names a key gets it, whatever the rules say; a key that is not there is an error."""
    document = rules(keys())
    assert kids(make(document, (TrackInput(Path("hd.mp4"), "video", "hd", kid=AUDIO),))) == {"hd": AUDIO}
    other = KeyId(bytes(15) + b"\7")
    with pytest.raises(KeySelectionError, match=f"no key {other}, which track hd names"):
        make(document, (TrackInput(Path("hd.mp4"), "video", "hd", kid=other),))


def test_single_key_without_rules() -> None:
    """A document with one key and no rules is for all tracks; with several keys nothing can be chosen."""
    document = cpix.Builder(content_id="test").content_key(kid=SD, key=bytes(range(16)), scheme="cbcs").build()
    assert set(kids(make(document)).values()) == {SD}
    with pytest.raises(
        KeySelectionError, match="3 content keys and no usage rule, so which key is for track sd is not"
    ):
        make(keys().build())


def test_clear_tracks_need_permission() -> None:
    """A track that no rule matches is refused, and stays in the clear only if that is allowed."""
    builder = keys()
    builder.usage_rule(kid=HD, video=[VideoFilter(min_pixels=589_825)])
    document = builder.build()
    with pytest.raises(KeySelectionError, match="gives track sd a key") as caught:
        make(document)
    assert "allow clear tracks" in str(caught.value.hint)
    made = make(document, allow_clear=True)
    assert kids(made) == {"hd": HD, "sd": None, "sound": None}
    assert len(made.runs) == 1


def test_all_clear_is_one_run() -> None:
    """If no track has a key at all, one run without a scheme packages them."""
    builder = keys()
    builder.usage_rule(kid=HD, video=[VideoFilter(min_pixels=10_000_000)])
    (run,) = make(builder.build(), allow_clear=True).runs
    assert (run.scheme, run.pssh, len(run.tracks)) == (None, (), 3)


def test_same_boxes_share_a_run() -> None:
    """Keys with the same PSSH boxes go through one run."""
    builder = keys()
    for kid in (SD, HD, AUDIO):
        builder.drm_system(kid=kid, system_id=WIDEVINE)
    document = with_boxes(rules(builder), *((kid, WIDEVINE, box(WIDEVINE)) for kid in (SD, HD, AUDIO)))
    (run,) = make(document).runs
    assert run.pssh == (PsshBox(WIDEVINE.system_id, data=b"all"),)


def test_boxes_by_key_take_runs_of_their_own() -> None:
    """Keys with boxes of their own, as PlayReady has, go through a run each; equal ones share."""
    builder = keys()
    boxes = []
    for kid, data in ((SD, b"video"), (HD, b"video"), (AUDIO, b"sound")):
        builder.drm_system(kid=kid, system_id=WIDEVINE).drm_system(kid=kid, system_id=PLAYREADY)
        boxes += [(kid, WIDEVINE, box(WIDEVINE)), (kid, PLAYREADY, box(PLAYREADY, data))]
    made = make(with_boxes(rules(builder), *boxes))
    assert [[item.track.name for item in run.tracks] for run in made.runs] == [["sd", "hd"], ["sound"]]
    assert [[one.data for one in run.pssh] for run in made.runs] == [[b"all", b"video"], [b"all", b"sound"]]


def test_several_boxes_in_one_element() -> None:
    """A PSSH element may hold boxes one behind the other; placeholders are no boxes."""
    builder = keys()
    builder.drm_system(kid=SD, system_id=WIDEVINE).drm_system(kid=SD, system_id=PLAYREADY)
    both = box(WIDEVINE) + box(WIDEVINE, b"second")
    document = with_boxes(rules(builder), (SD, WIDEVINE, both), (SD, PLAYREADY, b""))
    run = make(document, TRACKS[:1]).runs[0]
    assert [one.data for one in run.pssh] == [b"all", b"second"]


def document_with(key: str = "", system: str = "", *, attributes: str = "", kid: KeyId = SD) -> cpix.Document:
    """Read a document that a builder would refuse."""
    value = base64.b64encode(bytes(range(16))).decode()
    plain = key or f"<cpix:Data><p:Secret><p:PlainValue>{value}</p:PlainValue></p:Secret></cpix:Data>"
    return cpix.parse(
        f"""<cpix:CPIX xmlns:cpix="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc">
        <cpix:ContentKeyList><cpix:ContentKey kid="{kid}" {attributes}>{plain}</cpix:ContentKey></cpix:ContentKeyList>
        <cpix:DRMSystemList>{system}</cpix:DRMSystemList></cpix:CPIX>""".encode()
    )


def secret(content: str) -> str:
    """Return the content of a key."""
    return f"<cpix:Data><p:Secret>{content}</p:Secret></cpix:Data>"


def with_one_key(kid: KeyId, key: bytes, iv: bytes) -> cpix.Document:
    """Return a document with one key of any value."""
    value, vector = (base64.b64encode(raw).decode() for raw in (key, iv))
    content = secret(f"<p:PlainValue>{value}</p:PlainValue>")
    return document_with(content, attributes=f'commonEncryptionScheme="cbcs" explicitIV="{vector}"', kid=kid)


SCHEME = 'commonEncryptionScheme="cenc"'
SHORT = base64.b64encode(bytes(15)).decode()


@pytest.mark.parametrize(
    ("document", "kind", "reason"),
    [
        (document_with("<!-- none -->", attributes=SCHEME), CpixError, f"key {SD} has no value"),
        (document_with(secret("<p:EncryptedValue/>"), attributes=SCHEME), CpixError, f"key {SD} is encrypted"),
        (document_with(secret(f"<p:PlainValue>{SHORT}</p:PlainValue>"), attributes=SCHEME), CpixError, "has 15 bytes"),
        (document_with(attributes=f'{SCHEME} explicitIV="AAAA"'), CpixError, "has 3 bytes; cenc takes 8 or 16"),
        (
            document_with(attributes='commonEncryptionScheme="cbcs" explicitIV="AAAAAAAAAAA="'),
            CpixError,
            "has 8 bytes; cbcs takes 16",
        ),
        (document_with(attributes=f'{SCHEME} dependsOnKey="{HD}"'), PackagingError, f"depends on key {HD}"),
        (
            document_with(attributes=f'{SCHEME}/><cpix:ContentKey kid="{SD}" {SCHEME}'),
            CpixError,
            f"has content key {SD} twice",
        ),
        (document_with(), PackagingError, "states no protection scheme"),
        (document_with(attributes='commonEncryptionScheme="cens"'), PackagingError, "cenc and cbcs are supported"),
        (
            document_with(
                system=f'<cpix:DRMSystem kid="{SD}" systemId="{WIDEVINE.value}">'
                "<cpix:PSSH>AAAA</cpix:PSSH></cpix:DRMSystem>"
            ),
            CpixError,
            f"the PSSH of Widevine for key {SD} cannot be used",
        ),
        (
            document_with(
                system=f'<cpix:DRMSystem kid="{SD}" systemId="{WIDEVINE.value}">'
                f"<cpix:PSSH>{base64.b64encode(box(PLAYREADY)).decode()}</cpix:PSSH></cpix:DRMSystem>"
            ),
            CpixError,
            f"the PSSH of Widevine for key {SD} is a box of PlayReady",
        ),
    ],
)
def test_unusable_documents_are_refused(document: cpix.Document, kind: type[DrmkitError], reason: str) -> None:
    """A key, IV, scheme or box that cannot be packaged with is refused with the reason."""
    with pytest.raises(kind, match=reason):
        make(document, TRACKS[:1])


def test_an_iv_of_eight_bytes_suits_cenc() -> None:
    """The twin of the refusals: a good key, with the short IV that only cenc takes."""
    (item,) = make(document_with(attributes=f'{SCHEME} explicitIV="AAAAAAAAAAA="'), TRACKS[:1]).tracks
    assert item.use is not None
    assert item.use.iv == bytes(8)


def test_schemes_may_have_the_names_of_hls_methods() -> None:
    """A document may call cbcs SAMPLE-AES, and cenc SAMPLE-AES-CTR; whole-segment AES-128 is another thing."""
    for name, scheme in (("SAMPLE-AES", "cbcs"), ("SAMPLE-AES-CTR", "cenc")):
        document = document_with(attributes=f'commonEncryptionScheme="{name}"')
        assert make(document, TRACKS[:1]).runs[0].scheme == scheme
    with pytest.raises(PackagingError, match="is for scheme AES-128; cenc and cbcs are supported"):
        make(document_with(attributes='commonEncryptionScheme="AES-128"'), TRACKS[:1])


def test_boxes_tell_the_scheme_that_keys_do_not_state() -> None:
    """Where all PSSH boxes of a key name one scheme, that is taken; a contradiction is noted, not mended."""
    builder = keys(None)
    builder.drm_system(kid=SD, system_id=WIDEVINE, pssh=widevine.pssh_box([SD], "cbcs").to_bytes())
    builder.drm_system(kid=SD, system_id=PLAYREADY, pssh=playready.pssh_box([SD], "cbcs").to_bytes())
    document = rules(builder)
    made = make(document, TRACKS[:1])
    assert (made.runs[0].scheme, made.notes) == ("cbcs", ())
    (note,) = make(document, TRACKS[:1], scheme="cenc").notes
    assert note.startswith("track sd is encrypted in cenc, but PSSH boxes of its key say cbcs")
    mixed = with_boxes(document, (SD, PLAYREADY, playready.pssh_box([SD], "cenc").to_bytes()))
    with pytest.raises(PackagingError, match="states no protection scheme"):
        make(mixed, TRACKS[:1])


def test_scheme_fills_gaps_only() -> None:
    """A scheme that the caller names is for keys that state none, and contradicts no other."""
    assert make(document_with(), TRACKS[:1], scheme="cbcs").runs[0].scheme == "cbcs"
    document = document_with(attributes=SCHEME)
    assert make(document, TRACKS[:1], scheme="cenc").runs[0].scheme == "cenc"
    with pytest.raises(PackagingError, match=f"key {SD} is for scheme cenc, not cbcs"):
        make(document, TRACKS[:1], scheme="cbcs")


def test_key_rotation_is_refused() -> None:
    """A document with key periods is refused with the reason, rather than packaged with one of its keys."""
    builder = keys().period(id="p1", index=1)
    with pytest.raises(PackagingError, match="rotates its keys over 1 key period"):
        make(rules(builder))


def test_tracks_are_told_apart() -> None:
    """No track, or two whose names differ in case only, are refused."""
    document = rules(keys())
    with pytest.raises(InputError, match="no track to package"):
        make(document, ())
    with pytest.raises(InputError, match="two tracks are called 'SD'"):
        make(document, (*TRACKS, TrackInput(Path("sd.mp4"), "video", "SD")))


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a,b", "-a", "master", "Manifest", "a" * 65, "a.b", "é"])
def test_unsafe_names_are_refused(name: str) -> None:
    """A track's name becomes a file name and part of a stream descriptor, so it has plain characters only."""
    with pytest.raises(InputError, match="cannot name a track"):
        TrackInput(Path("a.mp4"), "video", name)
    assert TrackInput(Path("a.mp4"), "video", "video-720p_1").name == "video-720p_1"


def test_kind_and_language_are_checked() -> None:
    """A track is video or audio, and its language is a BCP 47 tag."""
    with pytest.raises(InputError, match="not 'text'"):
        TrackInput(Path("a.mp4"), "text", "a")  # type: ignore[arg-type] - the refusal is the point
    with pytest.raises(InputError, match="'en,x=y' is no language tag"):
        TrackInput(Path("a.mp4"), "audio", "a", language="en,x=y")
    assert TrackInput(Path("a.mp4"), "audio", "a", language="pt-BR").language == "pt-BR"


@pytest.mark.parametrize(
    ("kid", "key", "iv", "note"),
    [
        (SD, SD.raw, HD.raw, f"key {SD} is its own key ID, which anyone can read in the stream"),
        (SD, HD.raw, HD.raw, f"key {SD} is its own IV, which anyone can read in the stream"),
        (SD, bytes(16), HD.raw, f"key {SD} is one byte over and over: it protects nothing"),
        (KeyId(bytes(16)), bytes(range(16)), HD.raw, f"the key ID {KeyId(bytes(16))} is all zeros"),
    ],
)
def test_keys_that_cannot_be_right_are_noted(kid: KeyId, key: bytes, iv: bytes, note: str) -> None:
    """Packagers take weak keys without a word, and what comes out looks encrypted."""
    document = with_one_key(kid, key, iv)
    assert [said for said in make(document, TRACKS[:1]).notes if said.startswith(note)]
    fine = make(with_one_key(SD, bytes(range(16)), HD.raw), TRACKS[:1]).notes
    assert fine == (f"key {SD} of track sd has no PSSH box in the document",)


def test_one_value_under_two_key_ids_is_noted() -> None:
    """Whoever has a license for the one track can read the other."""
    builder = cpix.Builder(content_id="test")
    for kid in (SD, HD, AUDIO):
        builder.content_key(kid=kid, key=bytes(range(16)), scheme="cbcs")
    notes = make(rules(builder)).notes
    assert f"keys {SD} and {HD} have the same value: whoever has the one has the other" in notes
    assert not [note for note in make(rules(keys())).notes if "the same value" in note]


def test_shared_counters_are_noted() -> None:
    """Two tracks with one key and one IV share a key stream in cenc; in cbcs, or with two keys, nothing is said."""
    one = document_with(attributes=f'{SCHEME} explicitIV="{base64.b64encode(bytes(16)).decode()}"')
    notes = make(one).notes
    assert [note for note in notes if note.startswith("tracks sd, hd, sound share key")]
    cbcs = document_with(attributes='commonEncryptionScheme="cbcs"')
    assert not [note for note in make(cbcs).notes if "share" in note]
    assert not [note for note in make(rules(keys())).notes if "share" in note]


def test_a_turned_picture_is_noted() -> None:
    """The packager drops what turns the picture of a file, so that is said; an upright one gets no word."""

    def turned(path: Path, kind: Kind) -> TrackProperties:
        found = read(path, kind)
        return replace(found, rotation=90) if path.name == "hd.mp4" else found

    notes = plan(rules(keys()), TRACKS, tools=TOOLS, read=turned).notes
    assert [note for note in notes if "turn the picture of track hd by 90 degrees" in note]
    assert not [note for note in notes if "turn the picture of track sd" in note]


def test_missing_boxes_are_noted() -> None:
    """A key without PSSH boxes is legal, and worth a word."""
    assert make(rules(keys()), TRACKS[:1]).notes == (f"key {SD} of track sd has no PSSH box in the document",)
    builder = keys()
    builder.drm_system(kid=SD, system_id=WIDEVINE)
    assert make(with_boxes(rules(builder), (SD, WIDEVINE, box(WIDEVINE))), TRACKS[:1]).notes == ()


def test_keys_do_not_show() -> None:
    """A plan can be printed without showing a key."""
    assert (b"\xa0" + SD.raw[1:]).hex() not in repr(make(rules(keys())))
    assert "\\xa0" not in repr(make(rules(keys())))
