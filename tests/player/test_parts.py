"""The parts that need no server: manifests, keys from files, where Shaka Player is, DRMtoday's URLs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.errors import ConfigurationError, CpixError, InputError
from drmkit.identifiers import KeyId
from drmkit.keyserver.drmtoday import DrmtodayHosts
from drmkit.player.drmtoday import LicenseServers, environment_name
from drmkit.player.keys import document_keys, parse_keys
from drmkit.player.manifest import check_manifest
from drmkit.player.shaka import find_player_js, named_player_js
from drmkit.secret import Secret
from drmkit.signaling import clearkey

KID = KeyId.from_uuid("01020304-0506-0708-090a-0b0c0d0e0f10")
KEY = bytes(range(16, 32))
LINE = f"{KID.hex}:{KEY.hex()}"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.mpd", b'<?xml version="1.0"?>\n<!-- made --><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>', "DASH"),
        ("a.MPD", b"\xef\xbb\xbf<dash:MPD xmlns:dash='urn:mpeg:dash:schema:mpd:2011'/>", "DASH"),
        ("a.m3u8", b"#EXTM3U\n", "HLS"),
        ("a.m3u8", b"\xef\xbb\xbf#EXTM3U\r\n", "HLS"),
    ],
)
def test_manifests_are_known(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    """DASH and HLS are told by what stands in the file."""
    file = tmp_path / name
    file.write_bytes(content)
    assert check_manifest(file) == kind


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.mpd", b"", "is no DASH or HLS manifest"),
        ("a.mpd", b"<MPDX/>", "is no DASH or HLS manifest"),
        ("a.mp4", b"\0\0\0\x20ftypisom", "is no DASH or HLS manifest"),
        ("a.txt", b"#EXTM3U\n", "under another name"),
        ("a.mpd", b"#EXTM3U\n", "holds HLS under another name"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """What is no manifest is said to be none before a browser starts."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputError, match=words):
        check_manifest(file)


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    """The manifests in it are named."""
    with pytest.raises(InputError, match="is a folder") as caught:
        check_manifest(tmp_path)
    assert "no .mpd or .m3u8" in (caught.value.hint or "")
    (tmp_path / "b.mpd").write_bytes(b"<MPD/>")
    with pytest.raises(InputError) as caught:
        check_manifest(tmp_path)
    assert "b.mpd" in (caught.value.hint or "")
    with pytest.raises(InputError, match="cannot be read"):
        check_manifest(tmp_path / "missing.mpd")


@pytest.mark.parametrize(
    "content",
    [
        LINE,
        f"# a comment\n\n  {KID.uuid.upper()} : {KEY.hex().upper()}  # the key\r\n",
        json.dumps({"schema_version": 1, "keys": [{"kid": KID.uuid, "key": KEY.hex(), "iv": None}]}),
        clearkey.license_document({KID: KEY}).reveal().decode(),
    ],
    ids=["line", "commented", "drmkit keys", "license"],
)
def test_key_files_are_read(content: str) -> None:
    """KID:KEY lines, what `drmkit keys` prints, and a ClearKey license give the same key."""
    assert parse_keys(Secret(content.encode())) == {KID: Secret(KEY)}
    assert parse_keys(Secret(b"\xef\xbb\xbf" + content.encode())) == {KID: Secret(KEY)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no key"),
        ("# nothing", "no key"),
        ('{"keys": []}', "no key"),
        ("{}", "another kind"),
        ("[1]", "no colon"),
        ('{"keys": [7]}', "another kind"),
        ('{"keys": [{"kid": "x", "key": "y"}]}', "key ID"),
        (f"{LINE}\n{KEY.hex()}", "line 2 of the key file has no colon"),
        (f"{KID.hex}:{KEY.hex()}00", "is not 32 hexadecimal digits"),
        (f"{KID.hex}:zz", "is not 32 hexadecimal digits"),
        (f"{KEY.hex()}{KEY.hex()}:{KEY.hex()}", "line 1 of the key file"),
        ("{" * 100000, "another kind"),
    ],
)
def test_other_key_files_are_refused_without_a_key_in_the_words(content: str, words: str) -> None:
    """What is wrong is said with its line; no key, not even half of one, is repeated."""
    with pytest.raises(InputError, match=words) as caught:
        parse_keys(Secret(content.encode()))
    assert KEY.hex() not in str(caught.value)
    assert caught.value.__context__ is None or KEY.hex() not in str(caught.value.__context__)


def test_the_keys_of_a_document() -> None:
    """A document's content keys by key ID; a request has none to play with."""
    builder = cpix.Builder(version="2.3")
    builder.content_key(kid=KID, key=Secret(KEY), scheme="cenc")
    assert document_keys(builder.build()) == {KID: Secret(KEY)}
    request = cpix.Builder(version="2.3")
    request.content_key(kid=KID, scheme="cenc")
    with pytest.raises(CpixError, match="holds no content key") as caught:
        document_keys(request.build())
    assert "not the request" in (caught.value.hint or "")


def test_shaka_player_is_found_in_a_folder_above(tmp_path: Path) -> None:
    """The nearest node_modules wins, as Node.js finds packages."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_player_js(deep) is None or not find_player_js(deep).is_relative_to(tmp_path)  # type: ignore[union-attr]
    for place in (tmp_path, tmp_path / "a"):
        dist = place / "node_modules" / "shaka-player" / "dist"
        dist.mkdir(parents=True)
        (dist / "shaka-player.compiled.js").write_text("1", encoding="utf-8")
        assert find_player_js(deep) == dist / "shaka-player.compiled.js"


def test_shaka_player_can_be_named(tmp_path: Path) -> None:
    """The option wins over the environment; a folder of the package will do; what is not there is said."""
    dist = tmp_path / "shaka-player" / "dist"
    dist.mkdir(parents=True)
    script = dist / "shaka-player.compiled.js"
    script.write_text("1", encoding="utf-8")
    other = tmp_path / "other.js"
    other.write_text("1", encoding="utf-8")
    assert named_player_js(None, {}) is None
    assert named_player_js(None, {"DRMKIT_PLAYER_JS": ""}) is None
    assert named_player_js(None, {"DRMKIT_PLAYER_JS": str(tmp_path / "shaka-player")}) == script
    assert named_player_js(other, {"DRMKIT_PLAYER_JS": str(script)}) == other
    for option, environ, what in (
        (tmp_path / "no.js", {}, "--player-js"),
        (None, {"DRMKIT_PLAYER_JS": "/no"}, "DRMKIT"),
    ):
        with pytest.raises(ConfigurationError, match=what) as caught:
            named_player_js(option, environ)
        assert "npm install shaka-player" in (caught.value.hint or "")


def test_drmtodays_license_servers() -> None:
    """Production and staging have the same paths on hosts of their own (castLabs' sample players)."""
    staging = LicenseServers("staging", "6f1c/1")
    assert staging.widevine == "https://lic.staging.drmtoday.com/license-proxy-widevine/cenc/?specConform=true"
    assert staging.fairplay_certificate.endswith("/license-server-fairplay/cert/6f1c%2F1")
    production = LicenseServers("production", "m")
    assert production.playready == ("https://lic.drmtoday.com/license-proxy-headerauth/drmtoday/RightsManager.asmx")
    assert environment_name(DrmtodayHosts.named("staging")) == "staging"
    with pytest.raises(ConfigurationError, match="not DRMtoday"):
        environment_name(DrmtodayHosts.custom("http://127.0.0.1:1", "http://127.0.0.1:1"))


def test_without_the_extra_the_parts_that_serve_nothing_work() -> None:
    """Without starlette DRMtoday's fields still print, and playing says which extra is missing."""
    script = (
        "import sys; sys.modules['starlette'] = sys.modules['starlette.applications'] = None\n"
        "from drmkit.cli.main import main\n"
        "environ = {'DRMTODAY_ORGANIZATION': 'acme'}\n"
        "print(main(['play', '--print-drmtoday', '--format', 'json'], environ=environ))\n"
        "print(main(['play', 'a.mpd'], environ={}), main(['sandbox', '--port', '0'], environ={}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-2:] == ["0", "3 3"]
    assert "the player needs the package starlette.applications" in done.stderr
    assert "pip install 'drmkit[sandbox]'" in done.stderr
