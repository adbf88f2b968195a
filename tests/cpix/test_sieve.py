"""The sieve spares rules what they would find nothing in, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.cpix.report import Finding
from drmkit.cpix.rows import read_rows
from drmkit.cpix.survey import Survey
from drmkit.cpix.validation import report_on
from drmkit.errors import DrmkitError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, pssh, widevine

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
KIDS = [KeyId(hashlib.sha256(bytes([number])).digest()[16:]) for number in range(4)]
PSSH_PATH = "{urn:dashif:org:cpix}PSSH"
HLS_PATH = "{urn:dashif:org:cpix}HLSSignalingData"


def both(data: bytes) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings with the sieve, and those without it."""
    document = cpix.parse(data)
    sieved = report_on(Survey(document))
    return sieved.findings, report_on(Survey(document, rows=read_rows(document, all_notable=True))).findings


def edited(data: bytes, path: str, position: int, change: Callable[[bytes], bytes]) -> bytes:
    """The document with one binary value changed."""
    root = etree.fromstring(data)
    element = list(root.iter(path))[position]
    element.text = base64.b64encode(change(base64.b64decode(element.text or ""))).decode()
    return etree.tostring(root)


def test_of_one_make_only_the_first_is_examined(plain_24: bytes) -> None:
    """In an ordinary document no DRM system is notable, and there is nothing that a rule would find."""
    rows = read_rows(cpix.parse(plain_24))
    assert (len(rows.kids), rows.notable) == (12, [])
    assert both(plain_24)[0] == both(plain_24)[1]


def test_the_corpus_and_the_samples_get_the_same_findings(corpus: dict[str, bytes]) -> None:
    """Every document gets the findings that it would get if no DRM system were spared."""
    documents = [*corpus.values(), *(path.read_bytes() for path in sorted(SAMPLES.rglob("*.xml")))]
    compared = 0
    for data in documents:
        try:
            sieved, all_of_them = both(data)
        except DrmkitError:
            continue
        assert sieved == all_of_them
        compared += 1
    assert compared > 50


BOX_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "another key ID": lambda box: box.replace(KIDS[2].raw, KIDS[3].raw),
    "one bit": lambda box: box[:-1] + bytes([box[-1] ^ 1]),
    "cut off": lambda box: box[:-1],
    "something behind it": lambda box: box + b"\0",
    "another system": lambda box: box[:12] + DrmSystem.FAIRPLAY.system_id_bytes + box[28:],
    "nothing but the key ID": lambda _: KIDS[2].raw,
    "empty": lambda _: b"",
    "another box": lambda _: widevine.pssh_box([KIDS[2]], "cbcs").to_bytes(),
}


@pytest.mark.parametrize("name", BOX_CHANGES)
@pytest.mark.parametrize("position", [6, 7, 8])
def test_a_changed_box_is_found(name: str, position: int, plain_24: bytes) -> None:
    """A box that differs from those of its make in any byte is left to the rules."""
    sieved, all_of_them = both(edited(plain_24, PSSH_PATH, position, BOX_CHANGES[name]))
    assert sieved == all_of_them


HLS_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "another method": lambda line: line.replace(b"SAMPLE-AES-CTR", b"SAMPLE-AES"),
    "a second line with another method": lambda line: line + b"\n#EXT-X-KEY:METHOD=NONE,",
    "another tag": lambda line: line.replace(b"#EXT-X-KEY", b"#EXT-X-FOO"),
    "no UTF-8": lambda line: line + b"\xff",
    "a byte order mark": lambda line: b"\xef\xbb\xbf" + line,
    "text before it": lambda line: b"#EXTM3U\n" + line,
}


@pytest.mark.parametrize("name", HLS_CHANGES)
@pytest.mark.parametrize("position", [6, 12])
def test_changed_hls_data_is_found(name: str, position: int, plain_24: bytes) -> None:
    """HLS data that is not plainly one key tag of its playlist and scheme is left to the rules."""
    sieved, all_of_them = both(edited(plain_24, HLS_PATH, position, HLS_CHANGES[name]))
    assert sieved == all_of_them
    assert name == "text before it" or len(sieved) > len(both(plain_24)[0])


def test_mutants_get_the_same_findings(plain_24: bytes, mutate: Callable[[bytes, int], bytes]) -> None:
    """Random changes of an ordinary document are found as if no DRM system were spared; the seeds are printed."""
    wrong = []
    for seed in range(150):
        sieved, all_of_them = both(mutate(plain_24, seed))
        if sieved != all_of_them:
            wrong.append(seed)
    assert wrong == []


def test_a_box_that_names_its_key_in_an_odd_place_stands_for_no_other(plain_24: bytes) -> None:
    """A PlayReady box that names the key in its own header only is no model for the same box under another key."""
    empty_object = bytes.fromhex("060000000000")
    odd = pssh.build([pssh.PsshBox(DrmSystem.PLAYREADY.system_id, 1, (KIDS[0],), empty_object)])
    text = base64.b64encode(odd)
    playready = DrmSystem.PLAYREADY.system_id.encode()
    pattern = rb'(systemId="' + playready + rb'" kid="[^"]*"><cpix:PSSH>)[^<]*'
    data = re.sub(pattern, rb"\g<1>" + text, plain_24)
    sieved, all_of_them = both(data)
    assert sieved == all_of_them
    assert sieved != both(plain_24)[0]


def test_a_key_id_that_could_stand_at_two_places_is_no_model() -> None:
    """Behind the count of key IDs, 1, sixteen bytes of 1 could start a byte too early: the box is left to the rules."""
    ones, other = KeyId(b"\1" * 16), KIDS[0]
    builder = cpix.Builder()
    for kid in (ones, other):
        builder.content_key(kid=kid, key=bytes(range(16)))
    first = common.pssh_box([ones]).to_bytes()
    shifted = first.replace(b"\0\0\0" + b"\1" * 17, b"\0\0\0" + other.raw + b"\1")
    assert len(shifted) == len(first)
    builder.drm_system(kid=ones, system_id=DrmSystem.COMMON, pssh=first)
    builder.drm_system(kid=other, system_id=DrmSystem.COMMON, pssh=common.pssh_box([other]).to_bytes())
    good = base64.b64encode(common.pssh_box([other]).to_bytes())
    data = builder.build().to_xml().replace(good, base64.b64encode(shifted))
    sieved, all_of_them = both(data)
    assert sieved == all_of_them
    assert "pssh-malformed" in {finding.rule for finding in sieved}


def test_no_row_shows_a_key(plain_24: bytes) -> None:
    """Rows hold content keys in the clear, and do not show them."""
    document = cpix.parse(plain_24)
    key = document.content_keys[0].key
    assert key is not None
    shown = repr(read_rows(document, all_notable=True))
    assert "KeyRow(" in shown
    assert repr(key.reveal()) not in shown
