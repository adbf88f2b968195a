"""`drmkit cpix show` and `resolve`: tables at a glance, one page, which key is for a track, and why."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drmkit import cpix
from drmkit.cli.cpix import cpix as group
from drmkit.cli.output import App
from drmkit.errors import CpixError, InputError, KeySelectionError, XmlError
from drmkit.identifiers import KeyId

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
TRACKS = str(SAMPLES / "valid" / "tracks-cbcs-2.4.xml")
FILTERS = str(SAMPLES / "valid" / "filters-2.3.xml")
ROTATION = str(SAMPLES / "best-practice" / "KeyRotationDate.xml")


def run(*arguments: str, data: bytes | None = None, columns: int | None = None) -> Result:
    """Run `drmkit cpix` with arguments."""
    environment = {} if columns is None else {"COLUMNS": str(columns)}
    return CliRunner(env=environment).invoke(
        group, list(arguments), obj=App(environ={}), input=data, catch_exceptions=False
    )


def keys_of(path: str) -> list[str]:
    """The content keys of a document in hexadecimal."""
    return [key.key.reveal().hex() for key in cpix.parse(Path(path).read_bytes()).content_keys if key.key is not None]


def test_show_draws_keys_tracks_and_systems() -> None:
    """Tables with each key ID in full, its tracks and systems; the head has version, verdict and content ID."""
    text = run("show", TRACKS).stdout
    assert "CPIX 2.4, valid (1 warning" in text
    assert "content ID: movie" in text
    for key in cpix.parse(Path(TRACKS).read_bytes()).content_keys:
        assert str(key.kid) in text
    for words in ("content keys", "tracks", "DRM systems", "FairPlay", "video up to 1024x576", "cbcs", "**********"):
        assert words in text
    assert not any(key in text for key in keys_of(TRACKS))


def test_show_reveals_on_demand() -> None:
    """--reveal shows the keys, in text and in JSON."""
    for form in ("text", "json"):
        text = run("show", TRACKS, "--reveal", "--format", form).stdout.replace("\n", "")
        assert all(key in text for key in keys_of(TRACKS))
        assert not any(key in run("show", TRACKS, "--format", form).stdout for key in keys_of(TRACKS))


def test_show_has_everything_else_too() -> None:
    """Periods, IVs, root keys, HDCP, recipients, signatures and history appear where a document has them."""
    assert "key periods" in run("show", ROTATION).stdout
    tree = run("show", str(SAMPLES / "best-practice" / "KeyHierarchyAndKPT.xml")).stdout
    assert "root key" in tree
    assert "TYPE-0" in tree
    sealed = run("show", str(SAMPLES / "valid" / "encrypted-2.4.xml")).stdout
    assert "recipients" in sealed
    assert "encrypted" in sealed
    assert "signatures" in run("show", str(SAMPLES / "valid" / "signed-2.3.xml")).stdout
    assert "update history" in run("show", str(SAMPLES / "valid" / "update-history-2.4.xml")).stdout
    assert "asked for" in run("show", str(SAMPLES / "valid" / "request-2.3.xml")).stdout
    assert "NOT VALID (1 error" in run("show", str(SAMPLES / "invalid" / "kid-duplicate.xml")).stdout


def test_show_as_json() -> None:
    """JSON has stable names, and `-` reads standard input."""
    data = json.loads(run("show", "-", "--format", "json", data=Path(TRACKS).read_bytes()).stdout)
    assert data["schema_version"] == 1
    assert (data["cpix_version"], data["valid"], data["content_id"]) == ("2.4", True, "movie")
    assert set(data) >= {"keys", "tracks", "systems", "periods", "recipients", "signatures", "update_history"}
    assert data["keys"][1]["tracks"] == ["SD"]
    assert data["keys"][1]["key"] == "**********"


def test_show_shows_so_many_rows(tmp_path: Path) -> None:
    """Of a large document the first hundred keys are shown, and how many there are; --all shows all."""
    builder = cpix.Builder(version="2.4")
    for number in range(120):
        builder.content_key(kid=KeyId(number.to_bytes(16, "big")))
    path = tmp_path / "many.xml"
    path.write_bytes(builder.build().to_xml())
    text = run("show", str(path)).stdout
    assert "100 of 120 shown" in text
    assert text.count("asked for") == 100
    assert run("show", str(path), "--all").stdout.count("asked for") == 120


def test_show_writes_a_page(tmp_path: Path) -> None:
    """--html writes one file, private if it shows keys, and nothing to standard output."""
    page = tmp_path / "page.html"
    done = run("show", TRACKS, "--html", str(page))
    assert done.stdout == ""
    assert str(page) in done.stderr
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert not any(key in page.read_text(encoding="utf-8") for key in keys_of(TRACKS))
    run("show", TRACKS, "--html", str(page), "--reveal")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert all(key in page.read_text(encoding="utf-8") for key in keys_of(TRACKS))


@pytest.mark.parametrize(
    ("path", "error"), [("attacks/xxe-file.xml", XmlError), ("README.md", XmlError), ("no.xml", InputError)]
)
def test_show_refuses_what_is_no_document(path: str, error: type[InputError]) -> None:
    """What cannot be read ends with exit code 2, and the file's name is told."""
    with pytest.raises(error) as caught:
        run("show", str(SAMPLES / path))
    assert caught.value.exit_code == 2
    notes = getattr(caught.value, "__notes__", [])
    assert Path(path).name in caught.value.message + "".join(notes)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--video", "1024x576", "--fps", "25", "--bitrate", "3M", "--no-hdr", "--no-wcg"), "SD"),
        (("--video", "1920x1080", "--fps", "30000/1001", "--bitrate", "8000k", "--no-hdr", "--no-wcg"), "HD"),
        (("--video", "1920x1080", "--fps", "59.94", "--bitrate", "8M", "--no-hdr", "--no-wcg"), "HD60"),
        (("--video", "3840x2160", "--fps", "50", "--bitrate", "16000000", "--hdr", "--wcg"), "UHD"),
        (("--audio", "2"), "STEREO"),
        (("--audio", "6"), "SURROUND"),
        (("--audio", "7", "--label", "other", "--label", "commentary"), "COMMENTARY"),
    ],
)
def test_resolve_finds_the_key_and_says_why(options: tuple[str, ...], name: str) -> None:
    """The options are the track; the answer has key ID, masked key, and the rule in words; JSON likewise."""
    data = json.loads(run("resolve", FILTERS, *options, "--format", "json").stdout)
    assert data["track_type"] == name
    assert data["key"] == "**********"
    assert len(data["other_rules"]) == 7
    text = run("resolve", FILTERS, *options).stdout
    assert data["kid"] in text
    assert f"because:    the usage rule in line {data['rule']['line']} is for {data['rule']['tracks']}" in text
    assert not any(key in text for key in keys_of(FILTERS))
    assert any(key in run("resolve", FILTERS, *options, "--reveal").stdout for key in keys_of(FILTERS))


def test_resolve_says_no_where_nothing_or_too_much_matches() -> None:
    """No match, two matches, an unknown property and no rules at all end with exit code 1 and the reason."""
    for path, options, words in (
        (FILTERS, ("--audio", "7"), "none of the 8 usage rules"),
        (str(SAMPLES / "invalid" / "rule-overlap.xml"), ("--video", "589825x1"), "2 content keys match"),
        (FILTERS, ("--video", "1024x576"), "which is not known"),
        (str(SAMPLES / "valid" / "keys-2.3.xml"), ("--audio", "2"), "has no usage rules"),
    ):
        with pytest.raises(KeySelectionError, match=words) as caught:
            run("resolve", path, *options)
        assert caught.value.exit_code == 1


@pytest.mark.parametrize("at", ["2026-01-31T20:30:00Z", "2026-01-31T21:30:00+01:00"])
def test_resolve_takes_times(at: str) -> None:
    """A time chooses the period, whatever its zone; another time chooses another key."""
    first = json.loads(run("resolve", ROTATION, "--label", "any", "--at", at, "--format", "json").stdout)
    second = json.loads(
        run("resolve", ROTATION, "--label", "any", "--at", "2026-01-31T21:30:00Z", "--format", "json").stdout
    )
    assert first["rule"]["periods"] == ["p1"]
    assert second["rule"]["periods"] == ["p2"]
    assert "in period p1" in run("resolve", ROTATION, "--label", "any", "--at", at).stdout


def test_resolve_takes_indexes_offsets_and_labels() -> None:
    """--at is an index where it is digits, an offset where it is a duration, else the label of a period."""
    index = str(SAMPLES / "best-practice" / "KeyRotationIndex.xml")
    offsets = str(SAMPLES / "valid" / "period-offsets-2.4.xml")
    labels = str(SAMPLES / "valid" / "period-durations-2.4.xml")
    for path, at, period in (
        (index, "2", "p2"),
        (offsets, "PT90M", "p2"),
        (labels, "first", "p1"),
        (labels, "1", "p2"),
    ):
        data = json.loads(run("resolve", path, "--video", "1x1", "--at", at, "--format", "json").stdout)
        assert data["rule"]["periods"] == [period]
    with pytest.raises(KeySelectionError, match="is not known"):
        run("resolve", index, "--video", "1x1")


def test_resolve_by_label_alone() -> None:
    """A document that tells tracks by labels needs no kind of track; where the kind decides, it is asked for."""
    labels = str(SAMPLES / "best-practice" / "KPTLabelFilter.xml")
    assert (
        json.loads(run("resolve", labels, "--label", "HD", "--format", "json").stdout)["rule"]["tracks"] == "label 'HD'"
    )
    types = str(SAMPLES / "best-practice" / "KPTIntentedTrackType.xml")
    assert json.loads(run("resolve", types, "--track-type", "SD", "--format", "json").stdout)["track_type"] == "SD"
    done = run("resolve", str(SAMPLES / "best-practice" / "KeyRotationAndKPT.xml"), "--label", "x", "--at", "1")
    assert done.exit_code == 2
    assert "say --video or --audio" in done.stderr


def test_resolve_names_the_rule_that_decides() -> None:
    """Of several rules for one key, the one that matches the track is named."""
    builder = cpix.Builder(version="2.4")
    kid = cpix.parse(Path(TRACKS).read_bytes()).content_keys[0].kid
    builder.content_key(kid=kid)
    builder.usage_rule(kid=kid, intended_track_type="A", audio=[cpix.AudioFilter()])
    builder.usage_rule(kid=kid, intended_track_type="V", video=[cpix.VideoFilter()])
    data = builder.build().to_xml()
    done = run("resolve", "-", "--video", "1x1", "--format", "json", data=data)
    assert json.loads(done.stdout)["track_type"] == "V"
    assert json.loads(done.stdout)["key"] is None
    assert "not in the document" in run("resolve", "-", "--video", "1x1", data=data).stdout


def test_resolve_lives_with_an_unreadable_iv() -> None:
    """An IV that does not decode is called so, and does not hide which key is for the track."""
    data = Path(TRACKS).read_bytes().replace(b'explicitIV="', b'explicitIV="@')
    assert json.loads(run("resolve", "-", "--audio", "2", "--format", "json", data=data).stdout)["iv"] == "unreadable"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "say which track"),
        (("--video", "1x1", "--audio", "2"), "not both"),
        (("--video", "1920"), "WIDTHxHEIGHT"),
        (("--audio", "2", "--fps", "25"), "for video tracks"),
        (("--video", "1x1", "--fps", "x"), "frame rate"),
        (("--video", "1x1", "--fps", "25/0"), "frame rate"),
        (("--video", "1x1", "--bitrate", "5X"), "bitrate"),
        (("--audio", "two"), "two"),
    ],
)
def test_resolve_refuses_what_it_cannot_take(options: tuple[str, ...], words: str) -> None:
    """A wrong option is a usage error with what is expected."""
    done = run("resolve", FILTERS, *options)
    assert done.exit_code == 2
    assert words in done.stderr


def test_resolve_passes_on_what_is_broken() -> None:
    """A rule that refers to a key that is not there is an error, not a choice."""
    with pytest.raises(CpixError, match="not there"):
        run("resolve", str(SAMPLES / "invalid" / "rule-key.xml"), "--video", "1920x1080")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--video", "9" * 5000 + "x1"), "is no size"),
        (("--video", "1x1", "--bitrate", "9" * 5000), "is no bitrate"),
        (("--video", "1x1", "--fps", "9" * 5000), "is no frame rate"),
    ],
)
def test_resolve_refuses_numbers_of_any_length_in_words(options: tuple[str, ...], said: str) -> None:
    """A number that is far too long is refused as what it stands for, and is no bug of drmkit."""
    result = run("resolve", ROTATION, *options)
    assert result.exit_code == 2
    assert said in result.stderr
    with pytest.raises(KeySelectionError, match="is not known"):
        run("resolve", ROTATION, "--label", "any", "--at", "9" * 5000)
