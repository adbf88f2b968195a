"""`drmkit cpix encrypt`, `decrypt`, `sign` and `verify`: for recipients and signers, with their keys from files."""

from __future__ import annotations

from collections.abc import Sized
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import STDIN, deliver, file_argument, output_option, printable, read_bytes, read_document
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import CertificateError, ConfigurationError, InputError
from drmkit.passwords import check_private, from_file

if TYPE_CHECKING:
    from drmkit.cpix import Document, PrivateKey, VerifiedSignature
    from drmkit.secret import Secret

__all__ = ["decrypt", "encrypt", "read_private_key", "sign", "verify"]

_LARGEST_KEY = 1 << 20
_PARTS = {
    "delivery-data": "recipients",
    "content-keys": "content_keys",
    "drm-systems": "drm_systems",
    "periods": "periods",
    "usage-rules": "usage_rules",
    "update-history": "update_history",
}

_key_option = click.option(
    "--key",
    "key_file",
    metavar="FILE",
    required=True,
    help="The private key (PEM, DER or PKCS#12), in a file only you can read.",
)
_password_option = click.option(
    "--password-file",
    metavar="FILE|-",
    help="The passphrase of the private key, in a file only you can read; without it, you are asked on a terminal.",
)
_weak_option = click.option(
    "--allow-weak",
    is_flag=True,
    help="Accept RSA keys under 3072 bits, SHA-1 certificates, and certificates that are not valid at present.",
)


@click.command()
@file_argument
@click.option(
    "--recipient", "recipients", metavar="CERTIFICATE", multiple=True, help="A certificate (PEM or DER); repeatable."
)
@click.option("--cpix-version", metavar="VERSION", help="Write the shape of this version; default: the document's own.")
@click.option("--separate-keys", is_flag=True, help="Give each content key a document key of its own (2.4).")
@_weak_option
@output_option
@pass_app
def encrypt(
    app: App,
    /,
    *,
    path: str,
    recipients: tuple[str, ...],
    cpix_version: str | None,
    separate_keys: bool,
    allow_weak: bool,
    output: Path | None,
) -> None:
    """Encrypt the content keys of a document for its recipients.

    Without --recipient, for those whom the document itself names in its delivery data, as a request does.
    """
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)

    sealed = cpix.encrypt(
        read_document(path),
        [_certificate(name) for name in recipients] or None,
        version=cpix_version,
        separate_keys=separate_keys,
        allow_weak=allow_weak,
    )
    deliver(sealed.to_xml(), output, secret=False, reveal=False, what="the document")
    app.talk(f"encrypted {_count(sealed.content_keys, 'content key')} for {_count(sealed.recipients, 'recipient')}")


@click.command()
@file_argument
@_key_option
@_password_option
@click.option("--allow-missing-mac", is_flag=True, help="Accept a document without any MAC: it may have been changed.")
@click.option("--reveal", is_flag=True, help="Print the document to standard output, keys and all.")
@output_option
@pass_app
def decrypt(
    app: App,
    /,
    *,
    path: str,
    key_file: str,
    password_file: str | None,
    allow_missing_mac: bool,
    reveal: bool,
    output: Path | None,
) -> None:
    """Decrypt the content keys of a document with a recipient's private key.

    The result holds content keys: it goes to a private file (--output), or with --reveal to standard output. Signatures
    that covered what was encrypted are gone from it: verify the document as it came in.
    """
    from drmkit import cpix  # noqa: PLC0415

    if output is None and not reveal:
        raise click.UsageError("the result holds content keys: name a private file with --output, or say --reveal")
    _one_standard_input(path, password_file)
    key = _private_key(app, key_file, password_file)
    clear = cpix.decrypt(read_document(path), key, allow_missing_mac=allow_missing_mac)
    deliver(clear.to_xml(), output, secret=True, reveal=reveal, what="the result")
    if output is not None:
        app.talk(f"{_count(clear.content_keys, 'content key')} in the clear: {output}, which only you can read")


@click.command()
@file_argument
@_key_option
@_password_option
@click.option("--certificate", metavar="FILE", help="The signer's certificate; default: the one in the key's file.")
@click.option("--part", type=click.Choice(sorted(_PARTS)), help="Sign this list; default: the whole document.")
@click.option("--id", "element_id", metavar="ID", help="Sign the element with this ID instead.")
@_weak_option
@output_option
@pass_app
def sign(
    app: App,
    /,
    *,
    path: str,
    key_file: str,
    password_file: str | None,
    certificate: str | None,
    part: str | None,
    element_id: str | None,
    allow_weak: bool,
    output: Path | None,
) -> None:
    """Sign a list of a document, or all of it.

    Several signers can sign one after the other. A signature over the whole document comes last: it covers the others.
    The result is as secret as the document was: with --output it goes to a private file.
    """
    from drmkit import cpix  # noqa: PLC0415

    if part is not None and element_id is not None:
        raise click.UsageError("--part and --id exclude each other")
    _one_standard_input(path, password_file)
    document = read_document(path)
    _check_output(document, output)
    key = _private_key(app, key_file, password_file)
    cpix.sign(
        document,
        key,
        None if certificate is None else _certificate(certificate),
        part=element_id if part is None else getattr(document, _PARTS[part]),
        allow_weak=allow_weak,
    )
    deliver(document.to_xml(), output, secret=False, reveal=False, what="the document")
    app.talk(f"signed {part or element_id or 'the whole document'}: {_count(document.signatures, 'signature')} now")


@click.command()
@file_argument
@click.option(
    "--trusted",
    metavar="CERTIFICATE",
    multiple=True,
    required=True,
    help="The certificate of a signer whom you trust (PEM or DER); repeatable.",
)
@click.option("--ignore-untrusted", is_flag=True, help="Leave signatures by others out of account.")
@click.option(
    "--at", metavar="TIME", help="When the signers' certificates must be valid (2026-01-31T12:00:00Z); default: now."
)
@click.option("--allow-weak", is_flag=True, help="Accept RSA keys under 2048 bits, and certificates not valid then.")
@format_option
@pass_app
def verify(
    app: App,
    /,
    *,
    path: str,
    trusted: tuple[str, ...],
    ignore_untrusted: bool,
    at: str | None,
    allow_weak: bool,
    form: str,
) -> None:
    """Verify the signatures of a document against certificates that you trust, and say what was signed by whom.

    Exit code 0: every signature holds. 1: one does not, or there is none. What is not listed was signed by nobody.
    """
    from drmkit import cpix  # noqa: PLC0415

    del app
    found = cpix.verify(
        read_document(path),
        [_certificate(name) for name in trusted],
        ignore_untrusted=ignore_untrusted,
        at=None if at is None else _moment(at),
        allow_weak=allow_weak,
    )
    rows = [_fields(entry) for entry in found]
    emit(form, {"path": path, "signatures": rows}, lambda: "\n".join(_words(row) for row in rows))


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}" + ("" if len(things) == 1 else "s")


def _fields(entry: VerifiedSignature) -> dict[str, Any]:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from lxml import etree  # noqa: PLC0415

    from drmkit.cpix.certificates import subject_of  # noqa: PLC0415

    return {
        "element": etree.QName(entry.element).localname,
        "id": entry.element_id,
        "line": entry.signature.document.line_of(entry.element),
        "whole_document": entry.element is entry.signature.document.root,
        "signer": subject_of(entry.signer),
        "signer_sha256": entry.signer.fingerprint(SHA256()).hex(),
    }


def _words(row: dict[str, Any]) -> str:
    what = "the whole document" if row["whole_document"] else f"{row['element']} (id {row['id']}, line {row['line']})"
    return f"{what} is signed by {row['signer']} (SHA-256 {row['signer_sha256'][:16]})"


def _certificate(name: str) -> bytes:
    from drmkit.cpix.certificates import read_certificate, to_der  # noqa: PLC0415

    return to_der(read_certificate(read_bytes(name, limit=_LARGEST_KEY), what=f"the certificate {printable(name)}"))


def read_private_key(app: App, name: str, password_file: str | None) -> PrivateKey:
    """Read a private key from a file that only its owner can read; ask for its passphrase on a terminal."""
    return _private_key(app, name, password_file)


def _private_key(app: App, name: str, password_file: str | None) -> PrivateKey:
    from drmkit.cpix import load_private_key  # noqa: PLC0415

    data = _private_bytes(name)
    passphrase = None if password_file is None else from_file(password_file)
    prompt = app.prompt
    try:
        return load_private_key(data, passphrase)
    except CertificateError:
        if passphrase is not None or prompt is None:
            raise
    return load_private_key(data, _asked(prompt(f"Passphrase of {printable(name)}")))


def _asked(text: str) -> Secret[str]:
    from drmkit.secret import Secret  # noqa: PLC0415

    return Secret(text)


def _private_bytes(name: str) -> bytes:
    if name == STDIN:
        raise ConfigurationError(
            "the private key is not read from standard input", hint="name a file only you can read"
        )
    path = Path(name).expanduser()
    try:
        with path.open("rb") as stream:
            check_private(stream.fileno(), f"the private key {printable(name)}")
            return stream.read(_LARGEST_KEY)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise ConfigurationError(
            f"the private key {printable(name)} cannot be read ({reason})", hint="check the path and its permissions"
        ) from None


def _one_standard_input(path: str, password_file: str | None) -> None:
    if path == STDIN and password_file == STDIN:
        raise click.UsageError("the document and the passphrase cannot both come from standard input")


def _check_output(document: Document, output: Path | None) -> None:
    """Keep a document with keys in the clear from going to the terminal by the way."""
    if output is None and any(key.key is not None for key in document.content_keys):
        raise click.UsageError("the document holds content keys in the clear: name a private file with --output")


def _moment(text: str) -> datetime:
    from drmkit.cpix.values import parse_datetime  # noqa: PLC0415

    try:
        return parse_datetime(text)
    except ValueError:
        raise InputError(f"{printable(text)} is no time", hint="write it as 2026-01-31T12:00:00Z") from None
