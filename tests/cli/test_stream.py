"""`drmkit stream check` and `drmkit stream rules`: what they print, and how they end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import KEYS, KIDS, document, edit, pack

from drmkit.stream.check.catalog import RULES
from drmkit.stream.clip import VideoRendition, make_clip
from drmkit.stream.tools import find_tools

Run = Callable[..., int]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound stream in cenc, made once."""
    folder = tmp_path_factory.mktemp("cli")
    tools = find_tools()
    clip = make_clip(folder / "clip", tools=tools, video=(VideoRendition(320, 180, bitrate=150_000),
                                                          VideoRendition(1280, 720, bitrate=900_000)))  # fmt: skip
    return pack(tools, clip, folder / "stream", "cenc")


@pytest.fixture
def keyfile(tmp_path: Path) -> Path:
    """The keys of the stream in a private file."""
    path = tmp_path / "keys"
    path.write_text("".join(f"{kid}:{key.reveal().hex()}\n" for kid, key in KEYS.items()))
    path.chmod(0o600)
    return path


def test_a_sound_stream_ends_well(
    run: Run, sound: Path, keyfile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With document or key file a sound stream ends with 0: each track decrypts, and no key is printed."""
    asked = tmp_path / "cpix.xml"
    asked.write_bytes(document("cenc").to_xml())
    for option in (["--cpix", str(asked)], ["--key-file", str(keyfile)]):
        assert run("stream", "check", str(sound / "master.m3u8"), *option) == 0
        out = capsys.readouterr().out
        assert out.count("decrypts") == 3
        assert "master.m3u8: fine, HLS, 3 tracks" in out
        assert not any(key.reveal().hex() in out for key in KEYS.values())


def test_a_faulty_stream_ends_with_1(run: Run, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finding of severity error ends with 1; text and JSON name rule, track, place, hint and clause."""
    folder = tmp_path / "stream"
    shutil.copytree(sound, folder)
    edit(folder / "manifest.mpd", 'default_KID="01010101', 'default_KID="01010102')
    assert run("stream", "check", str(folder / "manifest.mpd"), "--no-decode") == 1
    out = capsys.readouterr().out
    assert "error[mpd-kid]: 0: cenc:default_KID is 01010102-" in out
    assert "  at:     manifest.mpd line " in out
    assert "manifest.mpd: faulty, DASH, 3 tracks: 1 error" in out
    assert run("stream", "check", str(folder / "manifest.mpd"), "--no-decode", "--format", "json") == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["ok"], data["protocol"], len(data["tracks"])) == (1, False, "DASH", 3)
    assert data["tracks"][0]["kids"] == [str(KIDS["SD"])]
    (finding,) = data["findings"]
    assert set(finding) == {"rule", "severity", "track", "place", "message", "hint", "source"}
    assert finding["place"]["line"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nothere.mpd"], 2, "nothere.mpd does not exist"),
        (["ftp://media.example.com/m.mpd"], 2, "'ftp':// is not read"),
        (["http://[::1/m.mpd"], 2, "names no manifest"),
        (["http://127.0.0.1:9/m.mpd"], 69, "no connection"),
        (["x.mpd", "--segments", "none"], 2, "neither a number of segments nor `all`"),
        (["x.mpd", "--decrypt-key", "k"], 2, "name it with --cpix"),
        (["x.mpd", "--cpix", "gone.xml"], 2, "gone.xml cannot be read"),
        (["x.mpd", "--ffmpeg", "/nowhere/ffmpeg"], 3, "error: ffmpeg is not at /nowhere/ffmpeg"),
        (["x.mpd", "--ffmpeg", ""], 3, "ffmpeg is not at "),
    ],
)  # fmt: skip
def test_what_cannot_be_checked(
    run: Run, arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read ends with 2, an unavailable server with 69, a missing program with 3, each in words."""
    assert run("stream", "check", *arguments) == code
    assert words in capsys.readouterr().err


def test_a_key_file_that_others_can_read_is_refused(
    run: Run, sound: Path, keyfile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with keys is read only if nobody else can read it, and a bad line is not repeated."""
    keyfile.chmod(0o644)
    assert run("stream", "check", str(sound / "master.m3u8"), "--key-file", str(keyfile)) == 3
    assert "others" in capsys.readouterr().err
    keyfile.write_text("5ec2e7\n")
    keyfile.chmod(0o600)
    assert run("stream", "check", str(sound / "master.m3u8"), "--key-file", str(keyfile)) == 2
    err = capsys.readouterr().err
    assert "entry 1 is not KID:KEY" in err
    assert "5ec2e7" not in err


@pytest.mark.parametrize("iv", ["07" * 8, "07" * 16])
def test_a_line_of_a_key_file_can_have_an_iv(
    run: Run, sound: Path, keyfile: Path, capsys: pytest.CaptureFixture[str], iv: str
) -> None:
    """An IV of 8 or 16 bytes may stand behind a key; media that states its own IVs goes by those."""
    keyfile.write_text(keyfile.read_text().replace("\n", f":{iv}\n"))
    assert run("stream", "check", str(sound / "master.m3u8"), "--key-file", str(keyfile)) == 0
    assert capsys.readouterr().out.count("decrypts") == 3
    keyfile.write_text(keyfile.read_text().replace("\n", "07\n"))
    assert run("stream", "check", str(sound / "master.m3u8"), "--key-file", str(keyfile)) == 2
    assert "is not KID:KEY or KID:KEY:IV in hexadecimal" in capsys.readouterr().err


def test_rules_lists_the_catalog(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The catalog is listed whole, one by one, by severity, and a misspelled rule names the nearest."""
    assert run("stream", "rules") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(RULES)
    assert run("stream", "rules", "key-wrong", "--format", "json") == 0
    (rule,) = json.loads(capsys.readouterr().out)["rules"]
    assert rule["severity"] == "error"
    assert run("stream", "rules", "--severity", "advice") == 0
    assert capsys.readouterr().out.count("key-shared") == 2
    assert run("stream", "rules", "key-rong") == 2
    assert "Did you mean 'key-wrong'?" in capsys.readouterr().err


def test_every_rule_says_what_to_do() -> None:
    """Each rule has a summary that is a sentence, a hint, and a clause or a dash."""
    for rule in RULES.values():
        assert rule.summary.endswith(".")
        assert rule.hint
        assert rule.source


def test_the_page_shows_what_is_printed(
    run: Run, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outputs on the page are those of the command, and its table of rules is the catalog."""
    page = (ROOT / "docs" / "streams.md").read_text()
    (tmp_path / "cpix.xml").write_bytes(document("cenc").to_xml())
    shutil.copytree(sound, tmp_path / "stream")
    edit(tmp_path / "stream" / "video-180p.m3u8", "KEYID=0x01010101", "KEYID=0x01010102")
    monkeypatch.chdir(tmp_path)
    assert run("stream", "check", "stream/master.m3u8", "--cpix", "cpix.xml") == 1
    shown = capsys.readouterr().out.replace(f"{tmp_path}/", "")
    assert shown in page
    assert run("stream", "rules") == 0
    assert capsys.readouterr().out in page


def test_without_room_it_names_the_place(sound: Path, tmp_path: Path) -> None:
    """What is kept for decryption stands in the temporary folder; where that takes nothing, the message names it."""
    limit = "import resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, (500, 500)); from drmkit.cli.main import main"
    done = subprocess.run(
        [sys.executable, "-c", f"{limit}; sys.exit(main(sys.argv[1:]))", "stream", "check", str(sound / "master.m3u8")],
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"{tmp_path} cannot hold temporary files (File too large)" in done.stderr
    assert "TMPDIR" in done.stderr
    assert list(tmp_path.iterdir()) == []
