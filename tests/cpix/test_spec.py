"""Documents from TOML: what is asked for is in the document, what is wrong is told with its place, no key is shown."""

from __future__ import annotations

import base64
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.cli.cpix_new import SKELETON
from drmkit.cpix import Document
from drmkit.cpix.spec import from_toml, load_spec
from drmkit.errors import ConfigurationError, CpixError, DrmkitError, InvalidDocumentError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys import seeds
from drmkit.secret import Secret

CERTIFICATES = Path(__file__).resolve().parents[2] / "cpix_samples" / "certificates"
KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"
KEY = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
SEED = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I"


def build(text: str, folder: Path = Path(), *, private: bool = True) -> Document:
    """Build from a text, and check that the result is valid as it is written."""
    document = from_toml(text.encode(), folder=folder, private=private)
    cpix.check(document.to_xml())
    return document


def test_the_skeleton_is_a_specification(tmp_path: Path) -> None:
    """What `--skeleton` prints builds a valid document with keys, rules and signaling for two systems."""
    document = build(SKELETON, tmp_path)
    assert document.version == "2.3"
    assert [rule.intended_track_type for rule in document.usage_rules] == ["SD", "HD", "AUDIO"]
    assert len(document.drm_systems) == 6
    assert all(key.key is not None and key.scheme == "cenc" for key in document.content_keys)
    assert all(system.pssh for system in document.drm_systems)


def test_every_remark_of_the_skeleton_is_a_setting(tmp_path: Path) -> None:
    """Each setting that the skeleton shows as a remark exists: with it switched on, no name is unknown."""
    for name in ("key.seed", "iv.seed"):
        (tmp_path / name).write_text(SEED[:-1] + ("I" if name == "key.seed" else "J"), encoding="ascii")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "packager.pem").write_bytes((CERTIFICATES / "recipient-1.pem").read_bytes())
    for line in SKELETON.splitlines():
        if not line.startswith("# ") or "=" not in line or "[" in line.split("=")[0]:
            continue
        setting = line.removeprefix("# ").partition("#")[0].strip()
        block = _block_of(line)
        with pytest.raises(DrmkitError) if "..." in setting else _Tolerant():
            from_toml(f"{block}\n{setting}\n".encode(), folder=tmp_path)


class _Tolerant:
    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Pass over what is incomplete; an unknown name is a failure."""
        if isinstance(error, DrmkitError):
            assert "no setting" not in error.message, error.message
            return True
        return False


def _block_of(line: str) -> str:
    """The table in which a remark of the skeleton stands."""
    before = SKELETON[: SKELETON.index(line)]
    heads = [head.removeprefix("# ") for head in before.splitlines() if head.removeprefix("# ").startswith("[")]
    return heads[-1].partition("#")[0] if heads else ""


def test_keys_can_be_given_generated_derived_or_left_out(tmp_path: Path) -> None:
    """A hexadecimal key is taken, "derive" follows the seeds, "generate" is fresh, "none" asks the key server."""
    (tmp_path / "key.seed").write_text(SEED, encoding="ascii")
    (tmp_path / "iv.seed").write_text(SEED[:-1] + "J", encoding="ascii")
    for name in ("key.seed", "iv.seed"):
        (tmp_path / name).chmod(0o600)
    document = build(
        f"""
        content_id = "movie"
        [derive]
        algorithm = "playready"
        seed_file = "key.seed"
        iv_seed_file = "iv.seed"
        [[key]]
        kid = "{KID}"
        key = "{KEY}"
        iv = "000102030405060708090a0b0c0d0e0f"
        [[key]]
        kid = "0dc3ec4f-7683-548b-81e7-3c64e582e136"
        key = "derive"
        iv = "derive"
        [[key]]
        iv = "generate"
        [[key]]
        key = "none"
        """,
        tmp_path,
    )
    given, derived, generated, absent = document.content_keys
    assert given.key == Secret(bytes.fromhex(KEY))
    assert given.iv == bytes(range(16))
    seed = Secret(base64.b64decode(SEED))
    assert derived.key == seeds.playready_key(seed, derived.kid)
    assert derived.iv not in (None, derived.key.reveal())
    assert generated.key not in (given.key, derived.key)
    assert len(generated.iv or b"") == 16
    assert absent.key is None


def test_randomness_is_injected() -> None:
    """Key IDs, keys and IVs come from the source that is given."""
    document = from_toml(b'[[key]]\niv = "generate"', folder=Path(), random=lambda size: bytes([7]) * size)
    (key,) = document.content_keys
    assert key.kid.raw[0] == 7
    assert key.key == Secret(bytes([7]) * 16)


def test_a_request_has_placeholders_and_no_keys() -> None:
    """With `request`, keys stay away and each system's elements are there, empty."""
    document = build(
        'request = true\nscheme = "cbcs"\nsystems = ["widevine", "fairplay"]\n[[key]]\ntrack = "VIDEO"\nvideo = [{}]'
    )
    widevine, fairplay = document.drm_systems
    assert document.content_keys[0].key is None
    assert widevine.placeholders == ("PSSH", "ContentProtectionData", "HLSSignalingData", "HLSSignalingData")
    assert fairplay.placeholders == ("HLSSignalingData", "HLSSignalingData")


def test_a_hierarchy_with_periods() -> None:
    """Leaf keys take neither scheme nor signaling of their own; rules refer to keys by label, to periods by ID."""
    document = build(
        """
        version = "2.4"
        scheme = "cenc"
        systems = ["widevine"]
        [[key]]
        label = "root"
        hdcp_level = "TYPE-1"
        hdcp_output_protection = "<x xmlns='urn:example'/>"
        [[key]]
        label = "leaf"
        depends_on = "root"
        periods = ["p1"]
        [[period]]
        id = "p1"
        start = 2026-01-31T20:00:00Z
        duration = "PT1H"
        [[update]]
        update_version = 1
        index = 1
        source = "me"
        date = 2026-01-31T20:00:00Z
        """
    )
    root, leaf = document.content_keys
    assert leaf.depends_on == root.kid
    assert leaf.scheme is None
    assert root.hdcp is not None
    assert document.drm_systems.for_key(leaf.kid)[0].content_protection_data is None
    assert document.periods[0].interval == (
        datetime(2026, 1, 31, 20, tzinfo=UTC),
        datetime(2026, 1, 31, 21, tzinfo=UTC),
    )
    found = document.key_for(cpix.VideoTrack(1, 1), at=datetime(2026, 1, 31, 20, 30, tzinfo=UTC))
    assert found is not None
    assert found.kid == leaf.kid


def test_rules_systems_and_recipients_of_their_own() -> None:
    """Further rules, DRM data as a key server gave it, offsets in seconds, and recipients of a request."""
    document = build(
        f"""
        version = "2.4"
        id = "doc"
        name = "A movie"
        request = true
        [[key]]
        label = "a"
        kid = "{KID}"
        content_id = "one"
        [[rule]]
        key = "a"
        track = "UHD"
        video = [{{ min_pixels = 1, hdr = true, max_fps = 60 }}]
        bitrate = [{{ max_bitrate = 9 }}]
        labels = ["x"]
        [[rule]]
        key = "{KID.upper()}"
        audio = [{{ min_channels = 2 }}]
        [[period]]
        id = "p"
        start_offset = 1.5
        end_offset = "PT2S"
        [[system]]
        key = "a"
        system = "{DrmSystem.FAIRPLAY.system_id}"
        hls_media = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\\"skd://x\\""
        hls_allowed_cpc = "com.example:A"
        [[recipient]]
        certificate_file = "recipient-1.pem"
        name = "packager"
        """,
        CERTIFICATES,
    )
    assert document.content_keys[0].content_id == "one"
    video, audio = document.usage_rules
    assert (video.video_filters[0].hdr, video.video_filters[0].max_fps, video.labels) == (True, 60, ("x",))
    assert audio.audio_filters[0].min_channels == 2
    assert document.periods[0].start_offset == timedelta(seconds=1.5)
    assert document.recipients[0].name == "packager"
    assert document.drm_systems[0].hls_signaling("media")


def test_signaling_takes_options() -> None:
    """[signaling] sets what services want: provider, license URL, the URIs of keys."""
    document = build(
        f"""
        scheme = "cbcs"
        systems = ["widevine", "playready", "fairplay", "clearkey-sample-aes"]
        [signaling]
        widevine_provider = "acme"
        widevine_content_id = "movie"
        playready_la_url = "https://license.example/rm"
        fairplay_uri = "skd://{{kid_hex}}/x"
        key_uri = "https://keys.example/{{kid}}"
        [[key]]
        kid = "{KID}"
        """
    )
    widevine, playready, fairplay, clear = document.drm_systems
    assert b"acme" in (widevine.pssh or b"")
    assert "https://license.example/rm".encode("utf-16-le") in (playready.pssh or b"")
    assert f"skd://{KID.replace('-', '')}/x" in (fairplay.hls_signaling("media") or "")
    assert f"https://keys.example/{KID}" in (clear.hls_signaling("media") or "")


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        ("version = 2.3", "version is not a text", None),
        ('version = "2.5"', "version '2.5' is not known", "did you mean '2."),
        ('contentid = "x"', "there is no setting 'contentid'", "content_id"),
        ("request = 1", "request is not true or false", None),
        ("systems = [1]", "systems is not a list of texts", "systems"),
        ('[[key]]\ntrak = "SD"', "key 1 has no setting 'trak'", "track"),
        ('[[key]]\nkid = "x"', "key 1: kid is no key ID", None),
        ('[[key]]\nkey = "abcd"', "key 1: key is neither 32 or 64", None),
        ('[[key]]\niv = "abcd"', "key 1: iv is neither 32", None),
        ('[[key]]\nkey = "derive"', "there is no [derive]", None),
        ('[[key]]\nsystems = ["widewine"]', "'widewine' is no DRM system", "widevine"),
        ("[[key]]\nvideo = [{ minPixels = 1 }]", "key 1, video 1 has no setting 'minPixels'", "min_pixels"),
        ("[[key]]\nvideo = 3", "key 1: video is not a list", None),
        ("[[key]]\nvideo = [3]", "key 1: video is not a list of tables", None),
        ("[[key]]\nvideo = [{ min_pixels = true }]", "min_pixels is not a number", None),
        ('[[key]]\nlabel = "a"\n[[key]]\nlabel = "a"', "label 'a' is there twice", None),
        ('[[key]]\ndepends_on = "root"', "'root' is the label or key ID of no key", None),
        ('[[rule]]\ntrack = "SD"', "rule 1: key is missing", None),
        ("[[period]]\nindex = 1", "period 1: id is missing", None),
        ('[[period]]\nid = "p"\nstart = 2026-01-31T20:00:00', "has no time zone", "2026"),
        ('[[period]]\nid = "p"\nstart_offset = "P1M"', "no duration of fixed length", "PT90S"),
        ('[[period]]\nid = "p"\nstart_offset = true', "start_offset is not a text", None),
        ('[[key]]\nlabel = "a"\n[[system]]\nkey = "a"', "system 1: system is missing", None),
        ('[[key]]\nlabel = "a"\n[[system]]\nkey = "a"\nsystem = "widevine"\npssh = "@"', "pssh is not base64", None),
        ("[[recipient]]", "certificate_file is missing", None),
        ('[[recipient]]\ncertificate_file = "no.pem"', "no.pem cannot be read", None),
        ("[[update]]\nindex = 1", "are all needed", None),
        ('[derive]\nalgorithm = "playready"', "algorithm and seed_file are both needed", None),
        ('[derive]\nalgorithm = "md5"', "algorithm 'md5' is not known", "playready"),
        ("[signaling]\nprovider = 1", "signaling has no setting 'provider'", "widevine_provider"),
        ("key = 3", "key is not a list", None),
        ("= 3", "is no TOML", "--skeleton"),
        ("a = " + "[" * 5000, "nested too deeply", None),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, words: str, hint: str | None) -> None:
    """A wrong name, kind or reference is an error that says in which table, and the nearest name."""
    with pytest.raises(CpixError) as caught:
        from_toml(text.encode(), folder=Path())
    assert words in caught.value.message
    assert hint is None or hint in (caught.value.hint or "")


def test_a_document_that_would_be_invalid_is_not_built() -> None:
    """Two rules that match one track, or FairPlay with cenc, are refused with the reason."""
    with pytest.raises(InvalidDocumentError, match="rule-overlap"):
        build('[[key]]\ntrack = "A"\nvideo = [{}]\n[[key]]\ntrack = "B"\nvideo = [{}]')
    with pytest.raises(InvalidDocumentError, match="FairPlay cannot play"):
        build('scheme = "cenc"\nsystems = ["fairplay"]\n[[key]]')
    with pytest.raises(SignalingError, match="needs the URI of the key"):
        build('scheme = "cbcs"\nsystems = ["clearkey-sample-aes"]\n[[key]]')


def test_keys_in_a_file_that_others_read_are_refused(tmp_path: Path) -> None:
    """A specification with a key in it must be private; without one it need not be."""
    path = tmp_path / "spec.toml"
    path.write_text(f'[[key]]\nkey = "{KEY}"\n', encoding="ascii")
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users") as caught:
        load_spec(path)
    assert "chmod 600" in (caught.value.hint or "")
    path.chmod(0o600)
    assert load_spec(path).content_keys[0].key == Secret(bytes.fromhex(KEY))
    path.write_text("[[key]]\n", encoding="ascii")
    path.chmod(0o644)
    assert len(load_spec(path).content_keys) == 1


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    """A missing file or a folder is an error with its reason."""
    with pytest.raises(CpixError, match="cannot be read"):
        load_spec(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [f'[[key]]\nkey = "{KEY}0"', f'[[key]]\nkey = "{KEY}"\nkid = 3', f'[[key]]\nkey = "{KEY}"\n= 3', f'key = "{KEY}"'],
)
def test_no_key_is_in_an_error(text: str) -> None:
    """Whatever is wrong, neither the message nor the traceback with its causes holds the key."""
    with pytest.raises(CpixError) as caught:
        from_toml(text.encode(), folder=Path())
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert KEY not in shown.replace(text, "")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or KEY not in repr(vars(caught.value.__context__))


def test_bytes_that_are_no_text_are_told() -> None:
    """UTF-8 with a byte order mark is read; other bytes, and far too many, are refused."""
    assert from_toml(b"\xef\xbb\xbf[[key]]", folder=Path()).content_keys
    with pytest.raises(CpixError, match="not UTF-8"):
        from_toml(b"\xff", folder=Path())
    with pytest.raises(CpixError, match="16 MiB"):
        from_toml(b"#" * (16 * 2**20 + 1), folder=Path())


@pytest.mark.parametrize("version", cpix.VERSIONS)
def test_every_version_can_be_built(version: str) -> None:
    """The same specification makes a document of each version in its own words."""
    document = build(f'version = "{version}"\nscheme = "cenc"\nsystems = ["widevine"]\n[[key]]\nkid = "{KID}"')
    assert cpix.validate(document, version).valid
    assert document.content_keys[0].kid == KeyId.from_uuid(KID)
    assert (document.content_keys[0].scheme is None) == (version in {"2.1", "2.2"})
