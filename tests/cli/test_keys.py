"""`drmkit keys`: derived and generated keys, masked unless asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from drmkit.cli.keys import keys as group
from drmkit.cli.output import App
from drmkit.errors import ConfigurationError, InputError

KID = "8ba94ade-6eb9-449d-b44f-a5beefaf43b0"
KEY = "dbfd6922c321c4bb486f4a1c44097ed6"
TEST_SEED = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I\n"


def _run(*arguments: str) -> None:
    group.main(list(arguments), standalone_mode=False, obj=App(environ={}))


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """PlayReady's public test seed in a private file."""
    path = tmp_path / "seed"
    path.write_text(TEST_SEED)
    path.chmod(0o600)
    return path


def test_keys_print_only_with_reveal(seed: Path, capsys: Any) -> None:
    """Without --reveal the key is masked in text and JSON; with it, it is the published one."""
    arguments = ["derive", "--algorithm", "playready", "--seed-file", str(seed), "--kid", KID]
    for extra in ([], ["--format", "json"]):
        _run(*arguments, *extra)
        out, err = capsys.readouterr()
        assert KEY not in out + err
        assert "**********" in out
        assert "public test seed" in err
    _run(*arguments, "--reveal")
    assert capsys.readouterr().out == f"{KID} {KEY}\n"
    _run(*arguments, "--kid", KID.replace("-", "").upper(), "--reveal", "--format", "json")
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 1
    assert data["keys"] == [{"kid": KID, "key": KEY, "iv": None}] * 2


def test_ivs_come_with_an_iv_seed(seed: Path, tmp_path: Path, capsys: Any) -> None:
    """An IV seed gives IVs; the same seed for both is refused where key and IV would be equal."""
    other = tmp_path / "iv"
    other.write_text("ab" * 15 + "0123456789abcdef" * 2)
    other.chmod(0o600)
    both = tmp_path / "hex"
    both.write_bytes(b"5d5068bec9b384ff6044867159f16d6b755544fcd5116989b1acc4278e88")
    both.chmod(0o600)
    arguments = ["derive", "--algorithm", "playready", "--kid", KID, "--seed-encoding", "hex"]
    _run(*arguments, "--seed-file", str(both), "--iv-seed-file", str(other), "--reveal")
    kid, key, iv = capsys.readouterr().out.split()
    assert (kid, key, len(iv)) == (KID, KEY, 32)
    assert iv != key
    with pytest.raises(ConfigurationError, match="would be equal"):
        _run(*arguments, "--seed-file", str(both), "--iv-seed-file", str(both))


def test_an_open_seed_file_is_refused(seed: Path) -> None:
    """A seed that others can read is refused with exit code 3."""
    seed.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users") as caught:
        _run("derive", "--algorithm", "playready", "--seed-file", str(seed), "--kid", KID)
    assert caught.value.exit_code == 3


def test_speke_s_text_secrets(tmp_path: Path, capsys: Any) -> None:
    """With --seed-encoding text, the file's text is the reference server's secret."""
    path = tmp_path / "secret"
    path.write_text("drmkit-test-secret\n")
    path.chmod(0o600)
    kid = "98ee5596-cd3e-a20d-163a-e382420c6eff"
    encoding = ["--seed-encoding", "text"]
    _run("derive", "--algorithm", "speke-pbkdf2", "--seed-file", str(path), "--kid", kid, *encoding, "--reveal")
    assert capsys.readouterr() == (f"{kid} 13a71a202279a487df5ce0c39d1828c3\n", "")


def test_generate_makes_fresh_keys(capsys: Any) -> None:
    """Each run gives other key IDs and keys; given key IDs are kept; masked keys are told to be lost."""
    seen = set()
    for _ in range(2):
        _run("generate", "--count", "3", "--iv", "--reveal", "--format", "json")
        rows = json.loads(capsys.readouterr().out)["keys"]
        assert [len(row["key"]) for row in rows] == [len(row["iv"]) for row in rows] == [32] * 3
        seen.update(row["key"] for row in rows)
    assert len(seen) == 6
    _run("generate", "--kid", KID)
    out, err = capsys.readouterr()
    assert out == f"{KID} **********\n"
    assert "not stored" in err


def test_generate_makes_one_key_for_a_key_id(capsys: Any) -> None:
    """A key ID that is named twice gets one key; how many keys there are is said by key IDs or by --count."""
    _run("generate", "--kid", KID, "--kid", KID.upper().replace("-", ""))
    assert capsys.readouterr().out == f"{KID} **********\n"
    with pytest.raises(click.UsageError, match="give one of the two"):
        _run("generate", "--kid", KID, "--count", "2")
    _run("generate")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_generate_writes_a_seed_once(tmp_path: Path, capsys: Any) -> None:
    """A seed goes to a new private file and derives keys; an existing file is never written over."""
    path = tmp_path / "new-seed"
    _run("generate", "--seed", str(path))
    assert capsys.readouterr().out == f"{path}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    _run("derive", "--algorithm", "hkdf-sha256", "--seed-file", str(path), "--kid", KID)
    with pytest.raises(InputError, match="exists already"):
        _run("generate", "--seed", str(path))
