"""Job files: a ProcessMedia body in JSON or TOML, with key sources instead of tickets."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from drmkit.errors import JobError
from drmkit.mps.findings import Finding
from drmkit.mps.job import SECRET_FILE, Job
from drmkit.mps.keysource import KeySource
from drmkit.mps.schema import members, walk
from drmkit.mps.wire import Model
from drmkit.secret import Secret

__all__ = ["examine_secrets", "parse_job", "read_job", "read_secrets", "write_job"]

_LARGEST = 10 * 1024 * 1024
_LARGEST_SECRET = 4096
_BARE_KEY = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def read_job(path: Path) -> Job:
    """Read a job file; `Job.check` tells what is wrong with its content.

    Raises:
        JobError: it cannot be read, is too large, or is neither JSON nor TOML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise JobError(f"{path}: {error.strerror}", hint="check the path of the job file") from None
    return parse_job(data, name=str(path))


def parse_job(data: bytes, *, name: str = "the job") -> Job:
    """Make a job from the bytes of a job file: JSON where it begins with a brace, TOML otherwise.

    Raises:
        JobError: too large, not UTF-8, or neither JSON nor TOML; the place is named.
    """
    if len(data) > _LARGEST:
        raise JobError(f"{name} is larger than {_LARGEST} bytes", hint="MPS does not accept a larger request")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobError(f"{name} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from None
    value = _json(text, name) if text.lstrip().startswith(("{", "[")) else _toml(text, name)
    return Job.from_builtins(value)


def write_job(job: Job, layout: Literal["json", "toml"] = "json", *, reveal: bool = False) -> str:
    """Return the text of a job file.

    Args:
        job: the job.
        layout: `json` or `toml`.
        reveal: write secrets as they are.

    Raises:
        JobError: the job holds a secret or a ticket, and `reveal` is not set.
    """
    if not reveal:
        for path in _secrets(job.body):
            raise JobError(f"{path} is a secret, and job files hold none", hint=f"write {SECRET_FILE}PATH in its place")
        for key in job.key_requests:
            if key.source.holds_ticket:
                raise JobError(f"{key.path} holds a ticket, and job files hold none", hint="write drmtoday:PROFILE")
    value = job.to_builtins(reveal=True)
    if layout == "json":
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_toml_lines(value, ())).lstrip("\n") + "\n"


def read_secrets(job: Job, folder: Path) -> Job:
    """Return the job with each secret of the form `file:PATH` read from its file.

    Args:
        job: the job.
        folder: what relative paths start from: the folder of the job file.

    Raises:
        JobError: a file cannot be read, or holds no text.
    """
    return job.with_secrets(lambda name: _read_secret(folder / name))


def examine_secrets(job: Job, folder: Path) -> tuple[Job, list[Finding]]:
    """Return the job with its secret files read as far as they can be, and a finding for each that cannot.

    Args:
        job: the job.
        folder: what relative paths start from: the folder of the job file.
    """
    findings: list[Finding] = []
    texts: dict[str, str] = {}
    for path, name in job.secret_files:
        try:
            texts[name] = _read_secret(folder / name)
        except JobError as error:
            texts[name] = f"{SECRET_FILE}{name}"
            findings.append(Finding(path, error.message, error.hint or "check the file"))
    return job.with_secrets(texts.__getitem__), findings


def _read_secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_SECRET).decode("ascii").strip()
    except UnicodeDecodeError:
        raise JobError(
            f"the secret's file {path} holds no text", hint="write the key as 32 hexadecimal digits"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable path"
        raise JobError(f"the secret's file {str(path)!r}: {reason}", hint="check the path in the job file") from None


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, name))
    except json.JSONDecodeError as error:
        raise JobError(f"{name} is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise JobError(f"{name} is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise JobError(f"{name} has the field {twice} twice in one object", hint="keep one of them")
    return found


def _toml(text: str, name: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise JobError(f"{name} is neither JSON nor TOML: {error}", hint="`drmkit job new` prints a job file") from None
    except RecursionError:
        raise JobError(f"{name} is nested too deeply") from None


def _secrets(body: Model) -> Iterator[str]:
    for path, model in walk(body):
        for name, member in members(type(model)).items():
            value = getattr(model, member.attribute)
            plain = isinstance(value, Secret) and not isinstance(value, KeySource)
            if plain and not value.reveal().startswith(SECRET_FILE):
                yield f"{path}.{name}" if path else name


def _toml_lines(table: dict[str, Any], where: tuple[str, ...]) -> Iterator[str]:
    for key, value in table.items():
        if not _is_table(value) and not _is_tables(value):
            yield f"{_toml_key(key)} = {_toml_value(value)}"
    for key, value in table.items():
        path = (*where, _toml_key(key))
        if _is_table(value):
            yield from ("", f"[{'.'.join(path)}]")
            yield from _toml_lines(value, path)
        elif _is_tables(value):
            for item in value:
                yield from ("", f"[[{'.'.join(path)}]]")
                yield from _toml_lines(item, path)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _toml_key(key: str) -> str:
    return key if key and set(key) <= _BARE_KEY else _toml_value(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
