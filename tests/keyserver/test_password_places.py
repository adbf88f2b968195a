"""Where passwords may live: systemd credentials, the keyring, and files that root hands to a service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drmkit.config import load_profile
from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.passwords import from_credential, from_keyring, is_handed_out

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "handed_out"),
    [
        (0o440, 0, 65532, True),
        (0o640, 0, 65532, True),
        (0o444, 0, 65532, False),
        (0o460, 0, 65532, False),
        (0o450, 0, 65532, False),
        (0o440, 0, 0, False),
        (0o440, 1000, 65532, False),
        (0o440, 65532, 65532, False),
    ],
)
def test_what_root_hands_to_a_service(mode: int, owner: int, reader: int, handed_out: bool) -> None:
    """Root's file, another user reads, through the group, and only reads: as Kubernetes and systemd do it."""
    assert is_handed_out(mode, owner=owner, reader=reader) is handed_out


AS_ANOTHER_USER = """
import encodings.utf_8_sig, os, sys  # later the interpreter may be out of reach
from drmkit.errors import ConfigurationError
from drmkit.passwords import from_file
os.setgroups([])
os.setgid(65532)
os.setuid(65532)
try:
    print(from_file(sys.argv[1]).reveal())
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root")
@pytest.mark.parametrize(("mode", "taken"), [(0o440, True), (0o444, False), (0o460, False)])
def test_what_kubernetes_mounts_is_read(memory_folder: Path, mode: int, taken: bool) -> None:
    """A file of root's that a group may read, read by a member of the group: what `fsGroup` makes of a volume."""
    file = memory_folder / "password"
    file.write_text("cAnArY", encoding="utf-8")
    os.chown(file, 0, 65532)
    file.chmod(mode)
    memory_folder.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
    )
    assert (done.stdout == "cAnArY\n") is taken
    assert ("open to other users" in done.stdout) is not taken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What systemd makes for a service."""
    credential = tmp_path / "drmtoday"
    credential.write_text("cAnArY\n", encoding="utf-8")
    credential.chmod(0o400)
    return tmp_path


def test_a_credential_of_systemd(folder: Path) -> None:
    """By its name, from the folder that the environment names."""
    assert from_credential("drmtoday", str(folder)).reveal() == "cAnArY"
    with pytest.raises(ConfigurationError, match="systemd handed no credentials to this process") as caught:
        from_credential("drmtoday", None)
    assert "LoadCredential=drmtoday:" in str(caught.value.hint)
    for path in ("/etc/passwd", "../x", ".."):
        with pytest.raises(ConfigurationError, match="password_credential is a name, not a path"):
            from_credential(path, str(folder))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        from_credential("other", str(folder))


def test_a_profile_with_a_credential(folder: Path, tmp_path: Path) -> None:
    """The setting is enough; it excludes the other sources of the same place."""
    file = tmp_path / "c.toml"
    file.write_text('[profile.p]\npassword_credential = "drmtoday"\n', encoding="utf-8")
    environ = {"CREDENTIALS_DIRECTORY": str(folder)}
    assert load_profile(path=file, environ=environ).secret("password").reveal() == "cAnArY"
    stronger = {**environ, "DRMTODAY_PASSWORD": "other"}
    assert load_profile(path=file, environ=stronger).secret("password").reveal() == "other"
    file.write_text('[profile.p]\npassword_credential = "a"\npassword_keyring = "b"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="password_credential and password_keyring are both set"):
        load_profile(path=file, environ={})


@pytest.fixture
def keyring_of_ours() -> Iterator[None]:
    """A keyring in memory, put in the place of the system's."""
    keyring = pytest.importorskip("keyring", reason="keyring is not installed (the extra keyring)")
    backend = pytest.importorskip("keyring.backend")

    class Ours(backend.KeyringBackend):  # type: ignore[misc, name-defined] # imported at run time
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            if username == "locked":
                raise keyring.errors.KeyringLocked("cAnArY")
            return "cAnArY" if (service, username) == ("drmtoday", "api") else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

        def delete_password(self, service: str, username: str) -> None:
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(Ours())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("keyring_of_ours")
def test_a_password_of_the_keyring(tmp_path: Path) -> None:
    """By service and user name; one that is not there, and a keyring that is locked, are told without a secret."""
    assert from_keyring("drmtoday", "api").reveal() == "cAnArY"
    file = tmp_path / "c.toml"
    file.write_text('[profile.p]\nusername = "api"\npassword_keyring = "drmtoday"\n', encoding="utf-8")
    assert load_profile(path=file, environ={}).secret("password").reveal() == "cAnArY"
    with pytest.raises(ConfigurationError, match="holds nothing under this name") as caught:
        from_keyring("drmtoday", "other")
    assert caught.value.hint == "store it: keyring set drmtoday other"
    with pytest.raises(ConfigurationError, match="it cannot be used: KeyringLocked") as caught:
        from_keyring("drmtoday", "locked")
    assert "cAnArY" not in str(caught.value)


def test_a_keyring_that_is_not_installed() -> None:
    """The extra is named."""
    code = "import sys; sys.modules['keyring'] = None\nfrom drmkit.passwords import from_keyring\n"
    code += "from drmkit.errors import MissingExtraError\n"
    code += "try: from_keyring('a', 'b')\nexcept MissingExtraError as error: print(error.exit_code, error, error.hint)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.startswith(f"{MissingExtraError.exit_code} password_keyring needs the package keyring")
    assert "drmkit[keyring]" in done.stdout
