"""What an MP4 file says about its encryption, and whether that is what it should be."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import InputError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.entries import SampleEntry
from drmkit.stream.inspect import inspect_bytes, inspect_file
from drmkit.stream.model import KeyUse
from drmkit.stream.verify import differences

KID = KeyId.from_uuid("00112233-4455-6677-8899-aabbccddeeff")
IV = bytes(range(16))
PSSH = PsshBox(DrmSystem.WIDEVINE.system_id, data=b"abc")
CBCS_TENC = bytes([1, 0, 0, 0, 0, 0x19, 1, 0]) + KID.raw + bytes([16]) + IV
CENC_TENC = bytes([0, 0, 0, 0, 0, 0, 1, 8]) + KID.raw


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box with a 32-bit size."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a full box."""
    return box(kind, struct.pack(">I", version << 24 | flags), body)


def sinf(tenc: bytes, scheme: bytes = b"cenc", original: bytes = b"avc1") -> bytes:
    """Return a protection scheme information box."""
    return box(
        b"sinf",
        box(b"frma", original),
        full(b"schm", scheme + struct.pack(">I", 0x10000)),
        box(b"schi", box(b"tenc", tenc)),
    )


def entry(kind: bytes, *inner: bytes, fields: int = 78, version: int = 0) -> bytes:
    """Return a sample entry with fields before its boxes."""
    start = bytes(8) + struct.pack(">H", version) + bytes(fields - 10)
    return box(kind, start, *inner)


def trak(*entries: bytes, track_id: int = 1, handler: bytes = b"vide", version: int = 0) -> bytes:
    """Return a track with sample entries."""
    times = 16 if version else 8
    return box(
        b"trak",
        full(b"tkhd", bytes(times) + struct.pack(">I", track_id) + bytes(60), version),
        box(
            b"mdia",
            full(b"hdlr", bytes(4) + handler + bytes(13)),
            box(b"minf", box(b"stbl", full(b"stsd", struct.pack(">I", len(entries)) + b"".join(entries)))),
        ),
    )


def moof(iv: bytes, track_id: int = 1, *inner: bytes) -> bytes:
    """Return a movie fragment whose first sample has an IV."""
    senc = full(b"senc", struct.pack(">I", 1) + iv)
    return box(b"moof", box(b"traf", full(b"tfhd", struct.pack(">I", track_id)), senc), *inner)


def movie(*parts: bytes) -> bytes:
    """Return a file with a movie box."""
    return box(b"ftyp", b"iso6\0\0\0\0") + box(b"moov", *parts)


CBCS = movie(trak(entry(b"encv", sinf(CBCS_TENC, b"cbcs"))), PSSH.to_bytes())
CENC = movie(trak(entry(b"encv", sinf(CENC_TENC)))) + moof(IV[:8]) + box(b"mdat", b"x")


def test_cbcs() -> None:
    """A track in cbcs states its key ID, its constant IV and its pattern."""
    found = inspect_bytes(CBCS)
    assert found.entries == (SampleEntry(1, "vide", "avc1", "cbcs", KID, 0, IV, (1, 9)),)
    assert found.pssh == (PSSH,)


def test_cenc() -> None:
    """A track in cenc states the size of its IVs; the first one stands in the first fragment."""
    found = inspect_bytes(CENC)
    assert found.entries == (SampleEntry(1, "vide", "avc1", "cenc", KID, 8, None, (0, 0), IV[:8]),)
    assert found.pssh == ()


def test_clear() -> None:
    """A clear track has a format and nothing else, and one file may hold clear and encrypted entries."""
    found = inspect_bytes(movie(trak(entry(b"avc1"), entry(b"encv", sinf(CENC_TENC)), version=1, track_id=7)))
    assert found.entries[0] == SampleEntry(7, "vide", "avc1")
    assert found.entries[1].kid == KID


@pytest.mark.parametrize(("version", "extra"), [(0, 0), (1, 16), (2, 36)])
def test_sound_descriptions(version: int, extra: int) -> None:
    """Sound descriptions of QuickTime are longer, by version."""
    sound = entry(b"enca", sinf(CENC_TENC, original=b"mp4a"), fields=28 + extra, version=version)
    (found,) = inspect_bytes(movie(trak(sound, handler=b"soun"))).entries
    assert (found.kind, found.format, found.kid) == ("soun", "mp4a", KID)


def test_text_entries() -> None:
    """Encrypted subtitles have only the fields that every sample entry has."""
    text = box(b"enct", bytes(8), sinf(CENC_TENC, original=b"wvtt"))
    (found,) = inspect_bytes(movie(trak(text, handler=b"text"))).entries
    assert found.format == "wvtt"


def test_boxes_of_the_fragment() -> None:
    """PSSH boxes of the first fragment are told apart from those of the movie."""
    found = inspect_bytes(CBCS + moof(b"", 1, PSSH.to_bytes()))
    assert found.pssh == found.fragment_pssh == (PSSH,)
    assert inspect_bytes(CENC).fragment_pssh == ()


def test_iv_of_another_track_is_not_taken() -> None:
    """The first IV belongs to the track of its fragment; a fragment without samples or IVs gives none."""
    base = movie(trak(entry(b"encv", sinf(CENC_TENC))))
    empty = box(b"moof", box(b"traf", full(b"tfhd", struct.pack(">I", 1)), full(b"senc", bytes(4))))
    bare = box(b"moof", box(b"traf", full(b"tfhd", struct.pack(">I", 1))))
    for fragment in (moof(IV[:8], 2), empty, bare):
        assert inspect_bytes(base + fragment).entries[0].first_iv is None
    with pytest.raises(SignalingError, match="box senc at byte .* is too short for its first IV"):
        inspect_bytes(base + moof(IV[:7]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there is no box moov"),
        (box(b"moof") + box(b"mdat"), "there is no box moov"),
        (movie() + box(b"moov"), "a second box moov stands at byte 24"),
        (movie(box(b"trak")), "lacks a box tkhd, hdlr or stsd"),
        (movie(trak(entry(b"encv"))), "the sample entry encv at byte .* lacks a box frma, schm or tenc"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC) * 2))), "holds 2 boxes sinf, where one is allowed"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC, original=b"avc")))), "lacks a box frma"),
        (movie(trak(box(b"encv", bytes(77)))), "encv at byte .* is too short: 77 bytes"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC[:-1])))), "box tenc at byte .* is too short"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC + b"x")))), r"breaks its format \(isProtected 1, IV size 8, 1 bytes"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC.replace(b"\1\x08", b"\1\7"))))), "IV size 7"),
        (movie(trak(entry(b"encv", sinf(CENC_TENC.replace(b"\1\x08", b"\2\x08"))))), "isProtected 2"),
        (movie(trak(entry(b"encv", sinf(CBCS_TENC[:24])))), "constant IV of 0 bytes"),
        (movie(trak(entry(b"encv", sinf(CBCS_TENC[:-1])))), "constant IV of 15 bytes"),
        (movie(PSSH.to_bytes()[:-1] + b""), "claims 35 bytes, 34 are left"),
    ],
)
def test_broken_files_are_refused(data: bytes, reason: str) -> None:
    """A file that breaks the format is refused with the reason and the place."""
    with pytest.raises(SignalingError, match=reason):
        inspect_bytes(data)


def test_protection_may_be_off() -> None:
    """A default that says "not protected" states a key ID and no IV."""
    (found,) = inspect_bytes(movie(trak(entry(b"encv", sinf(bytes(8) + KID.raw))))).entries
    assert (found.kid, found.iv_size, found.constant_iv) == (KID, 0, None)


@given(data=st.data())
def test_mutants_give_our_error_or_an_answer(data: st.DataObject) -> None:
    """Whatever is changed in a file, the reader answers or refuses with SignalingError."""
    sample = bytearray(data.draw(st.sampled_from([CBCS, CENC])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(sample) - 1))
        sample[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sample)))
    try:
        found = inspect_bytes(bytes(sample[: cut or None]))
    except SignalingError:
        return
    assert all(len(one.kid.raw) == 16 for one in found.entries if one.kid)


def test_files_are_named(tmp_path: Path) -> None:
    """Errors about a file begin with its path; a good one is read like its bytes."""
    path = tmp_path / "a.mp4"
    with pytest.raises(InputError, match=r"a\.mp4 cannot be read \(No such file"):
        inspect_file(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(SignalingError, match=r"a\.mp4: box ense at byte 0"):
        inspect_file(path)
    path.write_bytes(CBCS)
    assert inspect_file(path) == inspect_bytes(CBCS)


CBCS_USE = KeyUse(KID, Secret(bytes(16)), IV, "cbcs", (PSSH,))
CENC_USE = KeyUse(KID, Secret(bytes(16)), IV[:8], "cenc", ())


def test_agreement_is_silent() -> None:
    """A file that is as the document asks for has no differences, with or without an IV in the document."""
    assert differences(inspect_bytes(CBCS), CBCS_USE) == []
    assert differences(inspect_bytes(CENC), CENC_USE) == []
    assert differences(inspect_bytes(CENC), replace(CENC_USE, iv=None)) == []
    assert differences(inspect_bytes(movie(trak(entry(b"avc1")))), None) == []


@pytest.mark.parametrize(
    ("data", "use", "reasons"),
    [
        (CBCS, replace(CBCS_USE, kid=KeyId(IV)), [f"the key ID is {KID}, not {KeyId(IV)}"]),
        (CBCS, replace(CBCS_USE, iv=IV[::-1]), [f"the constant IV is {IV.hex()}, not {IV[::-1].hex()}"]),
        (CENC, replace(CENC_USE, iv=IV[1:9]), [f"the first IV is {IV[:8].hex()}, not {IV[1:9].hex()}"]),
        (CENC, replace(CENC_USE, iv=IV), ["an IV has 8 bytes, not 16"]),
        (
            CENC,
            replace(CBCS_USE, pssh=()),
            ["the scheme is cenc, not cbcs", f"each sample has an IV of its own, not the constant {IV.hex()}"],
        ),
        (
            CBCS,
            None,
            ["track 1 is encrypted (cbcs), not clear", "there is a PSSH box of Widevine that is not the document's"],
        ),
        (movie(trak(entry(b"avc1"))), CENC_USE, ["track 1 is clear, not encrypted"]),
        (movie(), CENC_USE, ["the file has no track"]),
        (
            CBCS,
            replace(CBCS_USE, pssh=(replace(PSSH, data=b"abd"),)),
            [
                "the PSSH box of Widevine is missing, or is another",
                "there is a PSSH box of Widevine that is not the document's",
            ],
        ),
    ],
)
def test_disagreements_are_told(data: bytes, use: KeyUse | None, reasons: list[str]) -> None:
    """Each disagreement between file and document is told in words, all at once."""
    assert differences(inspect_bytes(data), use) == reasons
