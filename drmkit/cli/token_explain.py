"""`drmkit token explain | verify | secret`: read tokens back, check them, make what signs them."""

from __future__ import annotations

import json
import os
import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import file_argument, printable, read_bytes
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.token_secrets import known_secrets
from drmkit.errors import InputError

if TYPE_CHECKING:
    from drmkit.licensing.customdata import CustomData
    from drmkit.licensing.explain import Explanation

__all__ = ["explain", "explain_source", "secret", "verify"]

_LARGEST = 64 * 1024
_TOKEN = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*", re.ASCII)
_PREFIXES = ("bearer ", "x-dt-auth-token:", "x-dt-custom-data:")


@click.command()
@file_argument
@format_option
@pass_app
def explain(app: App, /, *, path: str, form: str) -> int:
    """Read a token or custom data back without a secret, and say everything that is wrong with it.

    Its signature stays unverified. If DRMtoday would refuse it, the exit code is 1. Tokens are credentials: - reads
    standard input, where the process list does not show them.
    """
    return explain_source(app, path, form)


@click.command()
@file_argument
@click.option(
    "--secret-file",
    "secret_files",
    multiple=True,
    metavar="KID=FILE",
    help="A shared secret in a private file; several while one is rotated out. Default: the profile's.",
)
@click.option("--at", "moment", type=float, metavar="SECONDS", help="Judge it at this UNIX time; default: now.")
@format_option
@pass_app
def verify(app: App, /, *, path: str, secret_files: tuple[str, ...], moment: float | None, form: str) -> int:
    """Check a token's signature against the shared secrets, and everything else that DRMtoday looks at."""
    from drmkit.licensing import explain as library  # noqa: PLC0415 (help needs none of it)

    known = known_secrets(app, app.profile(), secret_files)
    now = datetime.now(UTC) if moment is None else _instant(moment)
    found = library.explain(_read(app, path), now=now, secrets=known)
    emit(form, _fields(found), lambda: _text(found))
    return 1 if found.errors else 0


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="A new file, which only you can read.")
@format_option
@pass_app
def secret(app: App, /, *, output: Path, form: str) -> None:
    """Make a shared secret of 32 random bytes, written as 64 hexadecimal digits to a new private file.

    Add it in the dashboard or by the configuration API. To rotate: add the new one, let tokens name its kid, and
    remove the old one when the last token that it signed has expired.
    """
    from drmkit.keyserver.store import write_atomically  # noqa: PLC0415 (help needs none of it)
    from drmkit.licensing.token import new_secret  # noqa: PLC0415

    target = output.expanduser()
    if target.exists():
        raise InputError(f"{target} exists already", hint="name a new file: a secret that is in use must not be lost")
    kid = str(uuid.uuid4())
    write_atomically(target, f"{new_secret().reveal()}\n".encode())
    emit(form, {"secret_file": str(target), "suggested_kid": kid}, str(target))
    app.talk(f"32 random bytes are in {target}; if you may choose its kid, take a UUID such as {kid}")


def explain_source(app: App, path: str, form: str) -> int:
    """Explain what a file or standard input holds, and return the exit code."""
    from drmkit.licensing import explain as library  # noqa: PLC0415
    from drmkit.licensing.customdata import parse_custom_data  # noqa: PLC0415

    text = _read(app, path)
    if "." not in text:
        try:
            data = parse_custom_data(text)
        except InputError:
            raise InputError(
                "this is neither a token (header.payload.signature) nor custom data (the Base64 of a JSON object)",
                hint="`drmkit token new` makes tokens, `drmkit token custom-data` the other",
            ) from None
        emit(form, {"custom_data": _custom_fields(data)}, lambda: _custom_text(data))
        app.talk("custom data is not signed: anybody can make it")
        return 0
    found = library.explain(text, now=datetime.now(UTC))
    emit(form, _fields(found), lambda: _text(found))
    return 1 if found.errors else 0


def _instant(moment: float) -> datetime:
    try:
        return datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter("this is no UNIX time", param_hint="--at") from None


def _read(app: App, path: str) -> str:
    """Return a token from a file, from standard input, or where it was given itself in place of a file's name."""
    if _TOKEN.fullmatch(path) and not os.path.exists(path):  # noqa: PTH110 (Path.exists fails on names that are too long)
        app.talk("warning: a token on the command line can be seen by others on this machine; pipe it in, and write -")
        return path
    raw = read_bytes(path, limit=_LARGEST)
    if len(raw) > _LARGEST:
        raise InputError(f"a token has at most {_LARGEST} bytes")
    text = raw.decode("utf-8-sig", "replace").strip()
    for prefix in _PREFIXES:
        if text.lower().startswith(prefix):
            text = text[len(prefix) :].strip()
    text = "".join(text.strip("\"'").split())  # as it is copied out of JSON, or wrapped by a mail
    if not text:
        raise InputError("there is no token", hint="give a file that holds one, or - and pipe it in")
    return text


def _fields(found: Explanation) -> dict[str, Any]:
    return {
        "signature": found.signature,
        "good": not found.errors,
        "header": dict(found.header),
        "claims": dict(found.claims),
        "optData": found.opt_data,
        "crt": found.crt,
        "remarks": [
            {"severity": remark.severity, "place": remark.place, "message": remark.message, "fix": remark.fix}
            for remark in found.remarks
        ],
    }


def _text(found: Explanation) -> str:
    claims = found.claims
    lines = [
        f"signature: {found.signature}",
        f"header:    {json.dumps(dict(found.header), ensure_ascii=False)}",
        f"issued:    {_moment(claims.get('iat'))}",
        f"expires:   {_moment(claims.get('exp'))}",
        f"jti:       {claims.get('jti')}",
        f"optData:   {json.dumps(found.opt_data, ensure_ascii=False)}",
        f"crt:       {json.dumps(found.crt, ensure_ascii=False)}",
        *(str(remark) for remark in found.remarks),
    ]
    return "\n".join(map(printable, lines))


def _moment(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**11:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "never" if value is None else repr(value)[:40]


def _custom_fields(data: CustomData) -> dict[str, Any]:
    return {"merchant": data.merchant, "userId": data.user_id, "sessionId": data.session_id}


def _custom_text(data: CustomData) -> str:
    return "\n".join(printable(f"{name + ':':11}{value}") for name, value in _custom_fields(data).items())
