"""`drmkit cpix encrypt`, `decrypt`, `sign` and `verify` as a person runs them."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, pkcs12
from signers import KEYS, KIDS, clear_document, encrypted_document, pair

from drmkit import cpix
from drmkit.cli import cpix_crypto
from drmkit.cli.output import App
from drmkit.errors import CertificateError

PASSPHRASE = "cAnArY-passphrase"
Run = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a document, certificates, and the private keys of Anna (PEM) and Berta (PKCS#12)."""
    (tmp_path / "clear.xml").write_bytes(clear_document().to_xml())
    for name in ("anna", "berta"):
        (tmp_path / f"{name}.cer").write_bytes(pair(name).der)
    lock = BestAvailableEncryption(PASSPHRASE.encode())
    private(tmp_path / "anna.key", pair().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    berta = pair("berta")
    private(
        tmp_path / "berta.pfx", pkcs12.serialize_key_and_certificates(b"b", berta.key, berta.certificate, None, lock)
    )
    private(tmp_path / "passphrase", PASSPHRASE.encode())
    return tmp_path


def private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    file.write_bytes(content)
    file.chmod(0o600)


def test_encrypt_then_decrypt(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """A document is encrypted for two, and each opens it, with PEM and with PKCS#12; the result is a private file."""
    sealed, clear = str(folder / "sealed.xml"), folder / "open.xml"
    people = ("--recipient", str(folder / "anna.cer"), "--recipient", str(folder / "berta.cer"))
    assert run("cpix", "encrypt", str(folder / "clear.xml"), *people, "--output", sealed) == 0
    assert "encrypted 3 content keys for 2 recipients" in capfd.readouterr().err
    for key in ("anna.key", "berta.pfx"):
        secret = ("--key", str(folder / key), "--password-file", str(folder / "passphrase"))
        assert run("cpix", "decrypt", sealed, *secret, "--output", str(clear)) == 0
        assert [k.key.reveal() for k in cpix.parse(clear.read_bytes()).content_keys] == list(KEYS)
        assert stat.S_IMODE(clear.stat().st_mode) == 0o600
        shown = capfd.readouterr()
        assert shown.out == ""
        assert PASSPHRASE not in shown.err
        clear.unlink()


def test_encrypt_prints_what_holds_no_secret(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Without --output the encrypted document goes to standard output, and nothing else does."""
    assert run("-q", "cpix", "encrypt", str(folder / "clear.xml"), "--recipient", str(folder / "anna.cer")) == 0
    shown = capfd.readouterr()
    assert [key.is_encrypted for key in cpix.parse(shown.out.encode()).content_keys] == [True] * 3
    assert shown.err == ""


def test_encrypt_takes_a_version_and_separate_keys(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """The shape of another version, and document keys of their own, are options."""
    options = ("--recipient", str(folder / "anna.cer"), "--cpix-version", "2.4", "--separate-keys")
    assert run("cpix", "encrypt", str(folder / "clear.xml"), *options) == 0
    document = cpix.parse(capfd.readouterr().out.encode())
    assert [key.encrypts_kids for key in document.recipients[0].document_keys] == [(kid,) for kid in KIDS]


def test_decrypted_keys_print_only_when_asked(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Keys in the clear need --output or --reveal."""
    (folder / "sealed.xml").write_bytes(encrypted_document().to_xml())
    command = ("cpix", "decrypt", str(folder / "sealed.xml"), "--key", str(folder / "anna.key"))
    command += ("--password-file", str(folder / "passphrase"))
    assert run(*command) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "name a private file with --output, or say --reveal" in shown.err
    assert run(*command, "--reveal") == 0
    assert [k.key.reveal() for k in cpix.parse(capfd.readouterr().out.encode()).content_keys] == list(KEYS)


def test_a_wrong_key_is_an_answer_of_no(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody else's key ends with 1, and the message says for whom the document is."""
    (folder / "sealed.xml").write_bytes(encrypted_document("carla").to_xml())
    command = ("cpix", "decrypt", str(folder / "sealed.xml"), "--password-file", str(folder / "passphrase"), "--reveal")
    assert run(*command, "--key", str(folder / "anna.key")) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "its recipients are CN=carla" in shown.err


@pytest.mark.parametrize(
    ("spoil", "code", "reason"),
    [
        (lambda f: (f / "anna.key").chmod(0o644), 3, "is open to other users"),
        (lambda f: (f / "anna.key").unlink(), 3, "cannot be read"),
        (lambda f: private(f / "passphrase", b"wrong"), 2, "does not open with this passphrase"),
        (lambda f: (f / "passphrase").chmod(0o640), 3, "is open to other users"),
        (lambda f: private(f / "anna.key", b"no key"), 2, "neither PEM nor DER"),
    ],
    ids=["a public key file", "no key file", "a wrong passphrase", "a public passphrase", "no key in it"],
)
def test_private_files_must_be_private_and_right(
    folder: Path,
    run: Run,
    capfd: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    code: int,
    reason: str,
) -> None:
    """A key or passphrase that others can read, that is missing or wrong, is refused with its reason."""
    (folder / "sealed.xml").write_bytes(encrypted_document().to_xml())
    spoil(folder)
    command = ("cpix", "decrypt", str(folder / "sealed.xml"), "--key", str(folder / "anna.key"), "--reveal")
    assert run(*command, "--password-file", str(folder / "passphrase")) == code
    assert reason in capfd.readouterr().err


def test_without_a_terminal_nobody_is_asked(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """An encrypted key without --password-file is refused where nobody can be asked."""
    (folder / "sealed.xml").write_bytes(encrypted_document().to_xml())
    assert run("cpix", "decrypt", str(folder / "sealed.xml"), "--key", str(folder / "anna.key"), "--reveal") == 2
    assert "the private key is encrypted, and no passphrase was given" in capfd.readouterr().err


class Terminal(App):
    """An application with somebody at the terminal."""

    @property
    def prompt(self) -> Callable[[str], str]:
        """Answer with the passphrase."""
        return lambda _: PASSPHRASE


def test_at_a_terminal_the_passphrase_is_asked_for(folder: Path) -> None:
    """The passphrase is asked for where it is needed; one that was given and is wrong is not asked for again."""
    app = Terminal(environ={})
    assert cpix_crypto._private_key(app, str(folder / "anna.key"), None).rsa.key_size == 3072
    private(folder / "wrong", b"wrong")
    with pytest.raises(CertificateError, match="with this passphrase"):
        cpix_crypto._private_key(app, str(folder / "anna.key"), str(folder / "wrong"))


def sign(run: Run, folder: Path, *options: str) -> int:
    """Sign the file `work.xml` in place with Berta's key."""
    secret = ("--key", str(folder / "berta.pfx"), "--password-file", str(folder / "passphrase"))
    return run("cpix", "sign", str(folder / "work.xml"), *secret, "--output", str(folder / "work.xml"), *options)


def test_sign_then_verify(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Lists and the whole are signed one after the other; verify says what is signed and by whom."""
    (folder / "work.xml").write_bytes(clear_document().to_xml())
    assert sign(run, folder, "--part", "content-keys") == 0
    assert sign(run, folder, "--id", "ContentKeyList") == 0
    assert sign(run, folder) == 0
    assert "signed the whole document: 3 signatures now" in capfd.readouterr().err
    command = ("cpix", "verify", str(folder / "work.xml"), "--trusted", str(folder / "berta.cer"))
    assert run(*command) == 0
    rows = capfd.readouterr().out.splitlines()
    assert rows[0].startswith("ContentKeyList (id ContentKeyList, line 2) is signed by CN=berta (SHA-256 ")
    assert rows[2].startswith("the whole document is signed by CN=berta")
    assert run(*command, "--format", "json") == 0
    found = json.loads(capfd.readouterr().out)
    assert found["schema_version"] == 1
    assert [(row["element"], row["id"], row["whole_document"]) for row in found["signatures"]] == [
        ("ContentKeyList", "ContentKeyList", False),
        ("ContentKeyList", "ContentKeyList", False),
        ("CPIX", None, True),
    ]
    assert {row["signer"] for row in found["signatures"]} == {"CN=berta"}


def test_verify_says_no(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """An untrusted signer, a changed document and an unsigned one end with 1; nothing is printed as signed."""
    (folder / "work.xml").write_bytes(clear_document().to_xml())
    assert sign(run, folder, "--part", "content-keys") == 0
    command = ("cpix", "verify", str(folder / "work.xml"), "--trusted")
    assert run(*command, str(folder / "anna.cer")) == 1
    assert "by CN=berta" in capfd.readouterr().err
    changed = (folder / "work.xml").read_bytes().replace(str(KIDS[0]).encode(), str(KIDS[1]).encode())
    (folder / "work.xml").write_bytes(changed)
    assert run(*command, str(folder / "berta.cer")) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "was changed after it was signed" in shown.err
    assert run("cpix", "verify", str(folder / "clear.xml"), "--trusted", str(folder / "berta.cer")) == 1
    assert "the document has no signature" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("at", "code", "reason"),
    [
        ("2001-01-01T00:00:00Z", 1, "is not valid before"),
        ("yesterday", 2, "yesterday is no time"),
    ],
)
def test_verify_takes_a_time(
    folder: Path, run: Run, capfd: pytest.CaptureFixture[str], at: str, code: int, reason: str
) -> None:
    """The signer's certificate must be valid at the time that is given."""
    (folder / "work.xml").write_bytes(clear_document().to_xml())
    assert sign(run, folder) == 0
    command = ("cpix", "verify", str(folder / "work.xml"), "--trusted", str(folder / "berta.cer"))
    assert run(*command, "--at", at) == code
    assert reason in capfd.readouterr().err


def test_sign_refuses_what_it_cannot_do(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """Two parts at once, keys in the clear to the terminal, and a certificate of somebody else are refused."""
    (folder / "work.xml").write_bytes(clear_document().to_xml())
    assert sign(run, folder, "--part", "content-keys", "--id", "x") == 2
    assert "exclude each other" in capfd.readouterr().err
    assert sign(run, folder, "--certificate", str(folder / "anna.cer")) == 2
    assert "does not belong to the private key" in capfd.readouterr().err
    secret = ("--key", str(folder / "berta.pfx"), "--password-file", str(folder / "passphrase"))
    assert run("cpix", "sign", str(folder / "work.xml"), *secret) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert "content keys in the clear: name a private file" in shown.err
    (folder / "work.xml").write_bytes(encrypted_document().to_xml())
    assert run("cpix", "sign", str(folder / "work.xml"), *secret) == 0
    assert len(cpix.parse(capfd.readouterr().out.encode()).signatures) == 1


@pytest.mark.parametrize("command", ["decrypt", "sign"])
def test_standard_input_serves_one_purpose(
    folder: Path, run: Run, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Document and passphrase cannot both come from standard input, and the key never does."""
    output = ("--output", str(folder / "x.xml"))
    key = ("--key", str(folder / "anna.key"))
    assert run("cpix", command, "-", *key, "--password-file", "-", *output) == 2
    assert "cannot both come from standard input" in capfd.readouterr().err
    (folder / "sealed.xml").write_bytes(encrypted_document().to_xml())
    assert run("cpix", command, str(folder / "sealed.xml"), "--key", "-", *output) == 3
    assert "the private key is not read from standard input" in capfd.readouterr().err


def test_weak_certificates_need_a_word(folder: Path, run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    """A small key is refused with 2 and accepted with --allow-weak."""
    (folder / "small.cer").write_bytes(pair("small", bits=2048).der)
    command = ("cpix", "encrypt", str(folder / "clear.xml"), "--recipient", str(folder / "small.cer"))
    assert run(*command) == 2
    assert "RSA key of 2048 bits" in capfd.readouterr().err
    assert run(*command, "--allow-weak") == 0
    assert run("cpix", "encrypt", str(folder / "clear.xml"), "--recipient", str(folder / "clear.xml")) == 2
    assert f"the certificate {folder / 'clear.xml'} is no X.509 certificate" in capfd.readouterr().err
