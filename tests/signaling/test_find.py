"""Boxes are found in whatever holds them, and described in words."""

from __future__ import annotations

import base64
import dataclasses
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, dash, hls, playready, protobuf, widevine
from drmkit.signaling.describe import describe
from drmkit.signaling.find import decode_text, find, find_in_stream, find_in_text, survey, survey_stream
from drmkit.signaling.mp4 import find_boxes
from drmkit.signaling.pssh import PsshBox, build
from drmkit.signaling.widevine import WidevineData

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
WIDEVINE = widevine.pssh_box([KID], "cbcs")
PLAYREADY = playready.pssh_box([KID], "cbcs")
COMMON = common.pssh_box([KID])


def _box(kind: bytes, *content: bytes, large: bool = False) -> bytes:
    body = b"".join(content)
    if large:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


MP4 = (
    _box(b"ftyp", b"isom")
    + _box(b"moov", _box(b"mvhd", bytes(100)), WIDEVINE.to_bytes(), PLAYREADY.to_bytes())
    + _box(b"moof", _box(b"mfhd", bytes(8)), COMMON.to_bytes())
    + _box(b"mdat", WIDEVINE.to_bytes(), large=True)
)


def _b64(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


CPIX = f"""<CPIX xmlns="urn:dashif:org:cpix"><DRMSystemList>
<DRMSystem><PSSH/><Other>AAAA</Other></DRMSystem>
<DRMSystem><PSSH>{WIDEVINE.to_base64()}</PSSH>
<ContentProtectionData>{_b64(dash.content_protection(PLAYREADY))}</ContentProtectionData>
<HLSSignalingData playlist="media">{_b64(hls.key_tag(DrmSystem.WIDEVINE, KID))}</HLSSignalingData>
<SmoothStreamingProtectionHeaderData>{_b64(PLAYREADY.data)}</SmoothStreamingProtectionHeaderData>
</DRMSystem></DRMSystemList></CPIX>"""
SMOOTH = f"<SmoothStreamingMedia><Protection><ProtectionHeader>{_b64(PLAYREADY.data)}</ProtectionHeader></Protection>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(build([WIDEVINE, COMMON]), [WIDEVINE, COMMON], id="boxes"),
        pytest.param(PLAYREADY.data, [PLAYREADY], id="PlayReady Object"),
        pytest.param(MP4, [WIDEVINE, PLAYREADY, COMMON], id="MP4"),
        pytest.param(build([COMMON]).hex().encode() + b"\n", [COMMON], id="hexadecimal file"),
        pytest.param(_b64(build([COMMON])).encode() + b"\n", [COMMON], id="base64 file"),
        pytest.param(f"#EXTM3U\n{hls.key_tag(DrmSystem.WIDEVINE, KID)}\n".encode(), [WIDEVINE], id="HLS"),
        pytest.param(
            b"\xef\xbb\xbf" + hls.session_key_tag(DrmSystem.PLAYREADY, KID).encode(), [PLAYREADY], id="HLS tag"
        ),
        pytest.param(
            f'<MPD xmlns="{dash.MPD}">{dash.element("x", dash.content_protection(PLAYREADY))}</MPD>'.encode(),
            [PLAYREADY],
            id="MPD",
        ),
        pytest.param(CPIX.encode(), [WIDEVINE, PLAYREADY, WIDEVINE, PLAYREADY], id="CPIX"),
        pytest.param(CPIX.encode("utf-16"), [WIDEVINE, PLAYREADY, WIDEVINE, PLAYREADY], id="CPIX in UTF-16"),
        pytest.param((SMOOTH + "</SmoothStreamingMedia>").encode(), [PLAYREADY], id="Smooth Streaming"),
    ],
)
def test_every_kind_of_input_gives_its_boxes(data: bytes, expected: list[PsshBox]) -> None:
    """What an input is follows from its own marks, from bytes and from a stream alike."""
    assert [item.box for item in find(data)] == expected
    assert [item.box for item in find_in_stream(io.BytesIO(data))] == expected


def test_places_are_named() -> None:
    """Each box comes with its place, so that a person finds it again."""
    places = ["moov/pssh at byte 128", "moov/pssh at byte 184", "moof/pssh at byte 686"]
    assert [item.where for item in find(MP4)] == places
    assert find(CPIX.encode())[0].where == "DRMSystem 2, PSSH in line 3"


def test_media_data_is_not_read() -> None:
    """What looks like a box inside media data is none, and media data of any size is skipped."""

    class Counting(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.read_bytes += len(found)
            return found

    stream = Counting(MP4 + _box(b"mdat", bytes(1_000_000)))
    assert len(find_in_stream(stream)) == 3
    assert stream.read_bytes < 2_000


def test_a_pssh_box_at_top_level_and_a_box_up_to_the_end_are_read() -> None:
    """A file may hold PSSH boxes beside others, and its last box may go up to its end (size 0)."""
    data = _box(b"free") + COMMON.to_bytes() + struct.pack(">I4s", 0, b"mdat") + b"media"
    assert [item.where for item in find(data)] == ["pssh at byte 8"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (MP4[:-1], "box mdat at byte .* claims .* bytes, .* are left"),
        (_box(b"free") + b"\0\0\0", "3 bytes at byte 8 are too few for a box"),
        (_box(b"free") + struct.pack(">I4s", 1, b"mdat"), "box mdat at byte 8 is cut short within its size"),
        (_box(b"free") + struct.pack(">I4s", 7, b"mdat"), "box mdat at byte 8 claims 7 bytes"),
        (_box(b"moov", struct.pack(">I4s", 99, b"trak")), "box trak at byte 8 claims 99 bytes, 8 are left"),
        (_box(b"moov", _box(b"pssh", bytes(3))), "moov/pssh at byte 8: .*version and flags needs 4 bytes"),
        (_box(b"moov", _box(b"pssh", bytes(17 * 1024 * 1024))), "are too many for a PSSH box"),
    ],
)
def test_broken_files_are_refused(data: bytes, reason: str) -> None:
    """A truncated file and a box that goes past its container are errors with their place."""
    with pytest.raises(SignalingError, match=reason):
        find_boxes(data)
    assert len(find_boxes(MP4)) == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there is nothing to read: the input is empty"),
        (b" \n", "there is nothing to read: the input is empty"),
        (b"hello world!", "neither hexadecimal nor base64"),
        (b"AAAA", "decodes, but not to a PSSH box"),
        (b"00112233", "decodes, but not to a PSSH box"),
        (b"\xff\x00\xff", "nothing here is known to hold PSSH boxes"),
        (b"<html/>", "the XML document 'html' is of no kind"),
        (b"<MPD", "not well-formed"),
        (build([COMMON])[:-1].hex().encode(), "past the end of the input"),
        (CPIX.replace("AAAAOHBz", "AAAAOHB").encode(), "DRMSystem 2, PSSH in line 3 is not base64"),
    ],
)
def test_other_inputs_are_refused(data: bytes, reason: str) -> None:
    """What is of no known kind, or broken, is an error that says so."""
    with pytest.raises(SignalingError, match=reason):
        find(data)


def test_a_large_file_that_is_no_mp4_is_refused() -> None:
    """A file of another kind is read only up to a limit."""

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b" " * (size or 0)

    with pytest.raises(SignalingError, match="too large for a document"):
        find_in_stream(Endless())


def test_text_is_never_guessed() -> None:
    """Hexadecimal digits are base64 characters too; only the reading that is a box counts."""
    box = COMMON.to_bytes()
    assert find_in_text(box.hex())[0].box == find_in_text(_b64(box))[0].box == COMMON
    assert find_in_text(PLAYREADY.data.hex().upper())[0].box == PLAYREADY


def test_lines_of_base64_are_boxes_each() -> None:
    """Boxes that stand in lines of their own are read in their order; a line that is no box is not passed over."""
    lines = [_b64(box.to_bytes()) for box in (COMMON, PLAYREADY, WIDEVINE)]
    assert [item.box for item in find_in_text("\n".join(lines) + "\r\n")] == [COMMON, PLAYREADY, WIDEVINE]
    assert decode_text(f"{lines[0]}\n{COMMON.to_bytes().hex()}") == build([COMMON, COMMON])
    for wrong in ("AAA=", "remark!", "# a remark"):
        with pytest.raises(SignalingError, match="neither hexadecimal nor base64"):
            find_in_text(f"{lines[0]}\n{wrong}\n{lines[2]}")


_BAD = PsshBox(DrmSystem.WIDEVINE.system_id, data=b"x").to_bytes()[:-1]
_TAG = hls.key_tag(DrmSystem.WIDEVINE, KID, box=WIDEVINE)


@pytest.mark.parametrize(
    ("data", "reason", "left"),
    [
        pytest.param(build([COMMON, WIDEVINE])[:-1], "PSSH box 2 at byte 52: box size", [COMMON], id="boxes"),
        pytest.param(
            _box(b"moov", COMMON.to_bytes(), _box(b"pssh", bytes(3)), WIDEVINE.to_bytes()),
            "moov/pssh at byte 60: ",
            [COMMON, WIDEVINE],
            id="MP4",
        ),
        pytest.param(
            _box(b"moov", COMMON.to_bytes(), _BAD), "box pssh at byte 60 claims 33 bytes", [COMMON], id="MP4 cut short"
        ),
        pytest.param(
            f"#EXTM3U\n{_TAG.replace('base64,', 'base64,@')}\n{_TAG}\n{_TAG.replace('URI', ' URI')}".encode(),
            "line 2: EXT-X-KEY: the data: URI is not base64",
            [WIDEVINE],
            id="HLS",
        ),
        pytest.param(
            b"<MPD><ContentProtection><pssh xmlns='urn:mpeg:cenc:2013'>AAAA</pssh></ContentProtection>\n"
            + dash.element(DrmSystem.WIDEVINE, dash.content_protection(WIDEVINE)).encode()
            + b"</MPD>",
            "line 1: PSSH box 1 at byte 0: the box header needs 8 bytes",
            [WIDEVINE],
            id="MPD",
        ),
        pytest.param(
            CPIX.replace("<PSSH>", f"<PSSH>{_b64(_BAD)}</PSSH><PSSH>").encode(),
            "DRMSystem 2, PSSH in line 3: PSSH box 1 at byte 0: box size",
            [WIDEVINE, PLAYREADY, WIDEVINE, PLAYREADY],
            id="CPIX",
        ),
    ],
)
def test_a_broken_box_hides_no_other(data: bytes, reason: str, left: list[PsshBox]) -> None:
    """What can be read is found in the order of the input, with an error for what cannot; `find` wants everything."""
    for items in (survey(data), survey_stream(io.BytesIO(data))):
        problems = [item for item in items if isinstance(item, SignalingError)]
        assert [item.box for item in items if not isinstance(item, SignalingError)] == left
        assert problems[0].message.startswith(reason)
    with pytest.raises(SignalingError) as caught:
        find(data)
    assert caught.value.message == problems[0].message


_COPIED = f"""<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" cenc:default_KID="{KID}"/>
<ContentProtection schemeIdUri="urn:uuid:{DrmSystem.PLAYREADY}">
<mspr:pro>{_b64(PLAYREADY.data)}</mspr:pro></ContentProtection>"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_COPIED, [PLAYREADY]),
        (f"<cenc:pssh>\n{WIDEVINE.to_base64()}\n</cenc:pssh>", [WIDEVINE]),
        (f"<mspr:pro>{_b64(PLAYREADY.data)}</mspr:pro>", [PLAYREADY]),
        (f'<x:pssh xmlns:x="{dash.CENC}">{WIDEVINE.to_base64()}</x:pssh>', [WIDEVINE]),
    ],
)
def test_elements_are_read_as_they_are_copied_out_of_a_manifest(text: str, expected: list[PsshBox]) -> None:
    """The prefixes that a manifest declares at its top are known, and several elements may stand in a row."""
    assert [item.box for item in find(text.encode())] == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<other:pssh>AAAA</other:pssh>", "line 1, column 12: Namespace prefix other on pssh is not defined"),
        ("<cenc:pssh>AAAA</cenc:psh>", "line 1, column 12: Namespace prefix cenc|tag mismatch"),
        ("<cenc:other/>", "Namespace prefix cenc on other is not defined"),
        ("<pssh>AAAA</pssh>", "the XML document 'pssh' is of no kind"),
    ],
)
def test_other_elements_are_no_signaling(text: str, reason: str) -> None:
    """An unknown prefix, an open element and an element of another namespace are told as the parser finds them."""
    with pytest.raises(SignalingError, match=reason):
        find(text.encode())


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=60), st.just(MP4)), st.data())
def test_any_bytes_give_boxes_or_an_error(raw: bytes, draw: st.DataObject) -> None:
    """Whatever bytes come, the answer is boxes or an error of drmkit's own."""
    at = draw.draw(st.integers(0, len(raw)))
    mutant = raw[:at] + draw.draw(st.binary(max_size=4)) + raw[at + draw.draw(st.integers(0, 4)) :]
    try:
        found = find(mutant)
    except SignalingError:
        return
    assert all(isinstance(item.box, PsshBox) for item in found)


def test_a_widevine_box_in_words() -> None:
    """Everything in a Widevine box is told, also what has no name."""
    data = WidevineData(
        key_ids=(KID,),
        algorithm=1,
        provider="acme",
        content_id=b"\xff\x00",
        track_type="HD",
        policy="gold",
        crypto_period_index=7,
        grouped_license=b"123",
        protection_scheme=5,
        crypto_period_seconds=60,
        unknown=((15, protobuf.encode_varint(15, 1)), (40, protobuf.encode_varint(40, 1))),
    )
    words = describe(PsshBox(DrmSystem.WIDEVINE.system_id, 1, (KID,), data.to_bytes()))
    assert (words.system, words.key_ids, words.scheme) == ("Widevine", (KID,), None)
    assert dict(words.details) == {
        "algorithm": "1",
        "content ID": "0xff00",
        "crypto period index": "7",
        "crypto period seconds": "60",
        "grouped license": "3 bytes",
        "policy": "gold",
        "protection scheme": "unknown (0x00000005)",
        "provider": "acme",
        "track type": "HD",
        "field 15 (video feature)": "7801",
        "unknown field 40": "c00201",
    }
    assert dict(describe(widevine.pssh_box([KID], content_id=b"a b")).details) == {"content ID": "'a b'"}


def test_a_playready_box_in_words() -> None:
    """A PlayReady box tells its header, its keys, its license store and what is wrong with it."""
    box = playready.pssh_box([KID], keys={KID: bytes(range(16))}, la_url="https://a.example/", license_store=b"1234")
    words = describe(box)
    assert (words.system, words.key_ids, words.scheme) == ("PlayReady", (KID,), "cenc")
    told = dict(words.details)
    assert "embedded license store" not in dict(describe(PLAYREADY).details)
    assert describe(playready.pssh_box([KID], keys={KID: bytes(16)}, version="4.1.0.0")).scheme == "cenc"
    assert told["license URL"] == "https://a.example/"
    assert told["embedded license store"] == "4 bytes"
    assert told[f"key {KID}"].startswith("AESCTR, checksum ")
    assert "license requested" not in told
    for asked, word in ((True, "yes"), (False, "no")):
        header = dataclasses.replace(playready.header([KID]), license_requested=asked)
        data = playready.playready_object(header).to_bytes()
        found = describe(PsshBox(DrmSystem.PLAYREADY.system_id, data=data))
        assert dict(found.details)["license requested"] == word
    large = describe(playready.pssh_box([KID], license_store=bytes(15_000)))
    assert "should have at most 15360" in dict(large.details)["problem"]
    assert describe(playready.pssh_box([KID], version="4.3.0.0")).details[0] == ("header version", "4.3.0.0")
    bad = box.data.replace("https://".encode("utf-16-le"), "wrongs//".encode("utf-16-le"))
    assert "LA_URL" in dict(describe(PsshBox(DrmSystem.PLAYREADY.system_id, data=bad)).details)["problem"]


def test_an_unknown_system_in_words() -> None:
    """A system without a name is called by its ID, and its data stays bytes."""
    words = describe(PsshBox("00000000-1111-2222-3333-444444444444", data=b"opaque"))
    assert (words.system, words.scheme, words.data) == ("00000000-1111-2222-3333-444444444444", None, b"opaque")
    assert words.details == ()
