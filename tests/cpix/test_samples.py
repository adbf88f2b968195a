"""The samples have the labels that they say, and the script that makes them makes these very files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.cpix import signature
from drmkit.cpix.catalog import catalog
from drmkit.errors import DrmkitError

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "cpix_samples"
INDEX = json.loads((SAMPLES / "index.json").read_text(encoding="utf-8"))
BEST = (
    *("OneContentKey", "KPTIntentedTrackType", "KPTLabelFilter", "KPTIntentedTrackTypeEncrypted"),
    *("KPTIntentedTrackTypeSigned", "KeyRotationIndex", "KeyRotationDate", "KeyHierarchy"),
    *("KeyRotationAndKPT", "KeyHierarchyAndKPT"),
)


def script(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the script that makes the samples."""
    command = [sys.executable, str(ROOT / "scripts" / "make_cpix_samples.py"), *options]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def test_made_anew_they_are_the_same(shared: Path) -> None:
    """Every label is proven, by DASH-IF's schemas too, and each file is what the script would write."""
    done = script("--check", "--schemas", str(shared / "schemas"))
    assert done.returncode == 0, done.stderr
    assert "0 problems" in done.stdout


def test_a_changed_sample_is_noticed(tmp_path: Path) -> None:
    """The check is no formality: on a copy of the tree with one byte changed it fails and names the file."""
    for name in ("cpix_samples", "scripts"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(tmp_path / name)], check=True)
    victim = tmp_path / "cpix_samples" / "valid" / "keys-2.3.xml"
    victim.write_bytes(victim.read_bytes().replace(b'contentId="movie"', b'contentId="mowie"'))
    command = [sys.executable, str(tmp_path / "scripts" / "make_cpix_samples.py"), "--check"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 1
    assert "valid/keys-2.3.xml differs" in done.stderr


@pytest.mark.parametrize("label", INDEX["samples"], ids=lambda label: label["path"])
def test_each_has_its_label(label: dict[str, Any]) -> None:
    """Validation says of each sample what the index says: valid or not, which version, exactly which rules."""
    report = cpix.validate((SAMPLES / label["path"]).read_bytes())
    rules = {finding.rule for finding in report.findings}
    if "key-clear" not in label["rules"]:
        rules.discard("key-clear")
    assert (report.valid, report.version, rules) == (label["valid"], label["version"], set(label["rules"]))


def test_every_rule_has_a_sample() -> None:
    """Each rule of the catalog is broken by a sample of its own, but for those that no document can show."""
    shown = {rule for label in INDEX["samples"] for rule in label["rules"]}
    assert {entry.id for entry in catalog()} - shown == set(INDEX["rules_without_sample"])


def test_the_ten_best_practice_cases_are_there() -> None:
    """The ten cases that the text of CPIX 2.4 names are there under these names, and valid 2.4."""
    labels = {Path(label["path"]).stem: label for label in INDEX["samples"] if "best-practice" in label["path"]}
    assert set(labels) == set(BEST)
    assert all(label["valid"] and label["accepted_by"] == ["2.4"] for label in labels.values())


@pytest.mark.parametrize("path", sorted((SAMPLES / "attacks").glob("signature-*.xml")), ids=lambda path: path.stem)
def test_no_forged_signature_is_believed(path: Path) -> None:
    """Each attack on a signature is refused by verification with an error of its own."""
    signer = (SAMPLES / "certificates" / "signer.pem").read_bytes()
    with pytest.raises(DrmkitError):
        signature.verify(cpix.parse(path.read_bytes()), [signer])
    real = cpix.parse((SAMPLES / "best-practice" / "KPTIntentedTrackTypeSigned.xml").read_bytes())
    assert len(signature.verify(real, [signer])) == 1


@pytest.mark.parametrize(
    ("track", "moment", "name"),
    [
        (cpix.VideoTrack(1024, 576, fps=50, bitrate=3_000_000, hdr=False, wcg=False), {}, "SD"),
        (cpix.VideoTrack(1920, 1080, fps=30, bitrate=8_000_000, hdr=False, wcg=False), {}, "HD"),
        (cpix.VideoTrack(1920, 1080, fps=60, bitrate=8_000_000, hdr=False, wcg=False), {}, "HD60"),
        (cpix.VideoTrack(3840, 2160, fps=60, bitrate=9_000_000, hdr=True, wcg=True), {}, "UHD"),
        (cpix.AudioTrack(2), {}, "STEREO"),
        (cpix.AudioTrack(6), {}, "SURROUND"),
        (cpix.AudioTrack(8), {}, "SURROUND"),
        (cpix.AudioTrack(7, labels=("commentary",)), {}, "COMMENTARY"),
        (cpix.AudioTrack(7), {}, None),
    ],
)
def test_the_filters_sample_resolves(track: cpix.Track, moment: dict[str, Any], name: str | None) -> None:
    """Each track gets the key that the sample of all filters means for it; one that it leaves out gets none."""
    document = cpix.parse((SAMPLES / "valid" / "filters-2.3.xml").read_bytes())
    key = document.key_for(track, **moment)
    found = None if key is None else document.usage_rules.for_key(key.kid)[0].intended_track_type
    assert found == name
