"""`drmkit pssh`: boxes in words, as JSON, and built."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from drmkit.cli.output import App
from drmkit.cli.pssh import pssh as group
from drmkit.errors import InputError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, dash, hls, playready, pssh, widevine

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
WIDEVINE = widevine.pssh_box([KID], "cbcs", provider="acme")
UNKNOWN = "00000000-1111-2222-3333-444444444444"


def _run(*arguments: str) -> None:
    group.main(list(arguments), standalone_mode=False, obj=App(environ={}))


def _boxes(capsys: Any) -> list[dict[str, Any]]:
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 1
    found: list[dict[str, Any]] = data["boxes"]
    return found


@pytest.mark.parametrize("form", ["base64", "hex", "file"])
def test_show_reads_text_and_files(form: str, tmp_path: Path, capsys: Any) -> None:
    """Base64, hexadecimal and a file of boxes give the same JSON, system IDs and key IDs in lower case."""
    raw = pssh.build([WIDEVINE, pssh.PsshBox(UNKNOWN.upper(), data=b"x")])
    path = tmp_path / "boxes.bin"
    path.write_bytes(raw)
    source = {"base64": pssh.encodings.to_base64(raw), "hex": raw.hex().upper(), "file": str(path)}[form]
    _run("show", source, "--format", "json")
    mine, unknown = _boxes(capsys)
    assert {name: mine[name] for name in ("system", "system_id", "version", "key_ids", "scheme", "data")} == {
        "system": "Widevine",
        "system_id": "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
        "version": 0,
        "key_ids": ["b4c3188b-eddd-453d-9bc2-1cbca7566239"],
        "scheme": "cbcs",
        "data": pssh.encodings.to_base64(WIDEVINE.data),
    }
    assert mine["details"] == [["provider", "acme"]]
    assert (unknown["system"], unknown["scheme"], unknown["data"]) == (UNKNOWN, None, "eA==")


def test_show_says_it_in_words(capsys: Any) -> None:
    """The text form names the system, the key ID, the scheme and everything else of each box."""
    _run("show", pssh.build([WIDEVINE, common.pssh_box([KID])]).hex())
    text = capsys.readouterr().out
    assert text.startswith("1. Widevine, version 0 (box 1)\n")
    assert "\n\n2. W3C Common, version 1 (box 2)\n" in text
    assert [
        line.split() for line in text.splitlines() if line.strip().startswith(("key ID", "scheme", "provider"))
    ] == [
        ["key", "ID", str(KID)],
        ["scheme", "cbcs"],
        ["provider", "acme"],
        ["key", "ID", str(KID)],
    ]


def test_show_reads_standard_input() -> None:
    """A dash stands for standard input, text or bytes."""
    for given in (WIDEVINE.to_bytes(), WIDEVINE.to_base64()):
        arguments = ["show", "-", "--format", "json"]
        done = CliRunner().invoke(group, arguments, obj=App(environ={}), input=given, catch_exceptions=False)
        assert [box["system"] for box in json.loads(done.stdout)["boxes"]] == ["Widevine"]


def test_show_says_when_there_is_nothing(tmp_path: Path, capsys: Any) -> None:
    """A file without boxes is no error: the JSON list is empty, and people are told."""
    path = tmp_path / "empty.mpd"
    path.write_text("<MPD/>")
    _run("show", str(path), "--format", "json")
    out, err = capsys.readouterr()
    assert json.loads(out)["boxes"] == []
    assert "no PSSH boxes" in err
    _run("show", str(path))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_show_says_which_box_cannot_be_read_and_shows_the_others(form: str, capsys: Any) -> None:
    """A box whose data are broken is named by its place; it hides none of the boxes beside it."""
    broken = pssh.PsshBox(DrmSystem.PLAYREADY.system_id, data=b"\6\0\0")
    row = pssh.build([WIDEVINE, broken, common.pssh_box([KID])])
    with pytest.raises(SignalingError, match="^box 2: a PlayReady Object has at least 6 bytes, not 3$") as caught:
        _run("show", row.hex(), "--format", form)
    assert caught.value.exit_code == 2
    out = capsys.readouterr().out
    assert "Widevine" in out
    assert "W3C Common" in out


def test_show_tells_every_problem(capsys: Any) -> None:
    """All that cannot be read is told, not the first alone, and the rest is shown."""
    tags = [hls.key_tag(DrmSystem.WIDEVINE, KID, box=WIDEVINE)] * 3
    tags[0] = tags[0].replace("base64,", "base64,@")
    tags[2] = tags[2].replace("URI", " URI")
    with pytest.raises(SignalingError, match="^line 3: EXT-X-KEY: the attribute list is malformed at character"):
        _run("show", "\n".join(tags), "--format", "json")
    out, err = capsys.readouterr()
    assert [box["where"] for box in json.loads(out)["boxes"]] == ["EXT-X-KEY 2"]
    assert "line 1: EXT-X-KEY: the data: URI is not base64" in err


def test_show_names_no_file_where_the_text_is_a_box(capsys: Any) -> None:
    """A box as an argument that is cut short is told as a box, and nothing at all as nothing."""
    short = pssh.encodings.to_base64(common.pssh_box([KID]).to_bytes()[:-1])
    with pytest.raises(SignalingError, match="^PSSH box 1 at byte 0: box size 52 goes 1 bytes past the end"):
        _run("show", short)
    with pytest.raises(SignalingError, match="^there is nothing to read"):
        _run("show", " ")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "source",
    [
        f"data:text/plain;base64,{WIDEVINE.to_base64()}",
        f"DATA:;base64,{WIDEVINE.to_base64()}\n",
        hls.key_tag(DrmSystem.WIDEVINE, KID, "cbcs", box=WIDEVINE),
        dash.element(DrmSystem.WIDEVINE, dash.content_protection(WIDEVINE)),
    ],
    ids=["uri", "bare-uri", "tag", "element"],
)
def test_show_reads_what_was_copied_from_a_manifest(source: str, capsys: Any) -> None:
    """The URI of a key tag, the tag itself and an element of a manifest are read as arguments too."""
    _run("show", source, "--format", "json")
    assert [box["key_ids"] for box in _boxes(capsys)] == [[str(KID)]]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing.mp4", "there is no file missing.mp4"),
        ("~/nothing-here.bin", "there is no file ~/nothing-here.bin"),
        ("AAAA", "there is no file AAAA, and the text decodes, but not to a PSSH box"),
        ("init", "there is no file init, and the text decodes, but not to a PSSH box"),
        ("abc", "there is no file abc, and the text is neither hexadecimal nor base64"),
        ("A" * 10_000, "decodes, but not to a PSSH box"),
        ("\0", "there is no file"),
        (f"data:text/plain,{WIDEVINE.to_base64()}", "the data: URI is not marked as base64"),
        ("data:text/plain;base64,@@@@", "the data: URI is not base64"),
        ("<MPD", "the document is not well-formed XML"),
    ],
)
def test_show_refuses_what_it_cannot_read(source: str, reason: str) -> None:
    """A name without file, and text that is no box, are errors of input, exit code 2."""
    with pytest.raises(InputError, match=reason) as caught:
        _run("show", source)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("owner", "option"),
    [
        ("widevine", ("--provider", "acme")),
        ("widevine", ("--crypto-period-index", "0")),
        ("playready", ("--la-url", "https://a.example/")),
        ("playready", ("--on-demand",)),
        ("playready", ("--header-version", "4.2.0.0")),
    ],
)
def test_build_passes_over_no_option(owner: str, option: tuple[str, ...], capsys: Any) -> None:
    """What is for a system that is not asked for is usage; beside its own system it is taken."""
    with pytest.raises(click.UsageError, match=f"^{option[0]} belongs to --system {owner}$"):
        _run("build", "--system", "common", "--kid", str(KID), *option)
    assert capsys.readouterr().out == ""
    _run("build", "--system", "common", "--system", owner, "--kid", str(KID), *option)
    assert capsys.readouterr().out


def test_build_makes_boxes_in_a_row(capsys: Any) -> None:
    """Each system gets its box, in the order asked for, as base64, hexadecimal or JSON."""
    expected = pssh.build([widevine.pssh_box([KID], "cbcs"), common.pssh_box([KID])])
    arguments = ["build", "--system", "widevine", "--system", "common", "--kid", str(KID).upper(), "--scheme", "cbcs"]
    _run(*arguments)
    assert capsys.readouterr().out.strip() == pssh.encodings.to_base64(expected)
    _run(*arguments, "--as", "hex")
    assert capsys.readouterr().out.strip() == expected.hex()
    _run(*arguments, "--format", "json")
    assert [box["system"] for box in _boxes(capsys)] == ["Widevine", "W3C Common"]


def test_build_passes_every_option_on(tmp_path: Path, capsys: Any) -> None:
    """Widevine's and PlayReady's own fields stand in their boxes; keys for the checksum come from a private file."""
    options = ["--provider", "acme", "--content-id", "x y", "--policy", "gold", "--crypto-period-index", "7"]
    _run("build", "--system", "widevine", "--kid", KID.hex, "--box-version", "1", *options)
    made = widevine.pssh_box([KID], provider="acme", content_id=b"x y", policy="gold", crypto_period_index=7, version=1)
    assert capsys.readouterr().out.strip() == made.to_base64()
    keys = tmp_path / "keys"
    keys.write_text(f"{KID}:{KEY.hex()}\n")
    keys.chmod(0o600)
    _run(
        *("build", "--system", "playready", "--kid", KID.hex, "--la-url", "https://a/", "--lui-url", "https://b/"),
        *("--ds-id", UNKNOWN, "--custom-attributes", "<a/>", "--on-demand", "--header-version", "4.3.0.0"),
        *("--key-file", str(keys)),
    )
    box = pssh.from_base64(capsys.readouterr().out.strip())[0]
    header = playready.PlayReadyObject.parse(box.data).headers[0]
    assert (header.version, header.la_url, header.lui_url) == ("4.3.0.0", "https://a/", "https://b/")
    assert (str(header.ds_id), header.custom_attributes, header.on_demand) == (UNKNOWN, "<a></a>", True)
    assert header.keys[0].matches(KEY)


def test_a_broken_key_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    """An entry that is no KID:KEY is named by its number, never by its content."""
    keys = tmp_path / "keys"
    keys.write_text(f"{KID}:{KEY.hex()}\n{KID}:{KEY.hex()}00\n")
    keys.chmod(0o600)
    with pytest.raises(InputError, match="entry 2 is not KID:KEY") as caught:
        _run("build", "--system", "playready", "--kid", KID.hex, "--key-file", str(keys))
    assert KEY.hex() not in str(caught.value)


def test_build_refuses_what_players_would(capsys: Any) -> None:
    """An old header version for cbcs, and a key ID of the wrong form, are errors."""
    with pytest.raises(SignalingError, match=r"came with 4\.3\.0\.0"):
        _run(*("build", "--system", "playready", "--kid", KID.hex, "--scheme", "cbcs", "--header-version", "4.0.0.0"))
    with pytest.raises(click.BadParameter, match="32 digits"):
        _run("build", "--system", "common", "--kid", "12")
    assert capsys.readouterr().out == ""
