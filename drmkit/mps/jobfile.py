"""Job files: a request in JSON or TOML, with key sources instead of tickets.

It is one of ProcessMedia, ProcessLiveStream or ProcessMediaByMPS: the one that `Action` names, which a file may have as
the samples of the API do; else the one that has its fields: `FileId` is VOD's, `Url` a live stream's.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from drmkit.errors import JobError
from drmkit.mps.basejob import SECRET_FILE, BaseJob
from drmkit.mps.findings import Finding, nearest

__all__ = ["AnyJob", "examine_secrets", "parse_job", "read_job", "read_secrets", "write_job"]

AnyJob = BaseJob[Any]
"""A job of any kind: `Job`, `LiveJob` or `VodJob`."""

_LARGEST = 10 * 1024 * 1024
_LARGEST_SECRET = 4096
_VERSIONS = {"ProcessMedia": "2019-06-12", "ProcessLiveStream": "2019-06-12", "ProcessMediaByMPS": "2018-07-17"}
_TELLING = {"FileId": "ProcessMediaByMPS", "Url": "ProcessLiveStream"}
_BARE_KEY = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def read_job(path: Path) -> AnyJob:
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


def parse_job(data: bytes, *, name: str = "the job") -> AnyJob:
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
    return _job(value, name)


def _job(value: Any, name: str) -> AnyJob:
    """Make the kind of job that `Action`, or else a field that only one kind has, names."""
    action, body = _action(value, name)
    if action == "ProcessLiveStream":
        from drmkit.mps.livejob import LiveJob  # noqa: PLC0415 (a kind of job loads its own models alone)

        return LiveJob.from_builtins(body)
    if action == "ProcessMediaByMPS":
        from drmkit.mps.vodjob import VodJob  # noqa: PLC0415

        return VodJob.from_builtins(body)
    from drmkit.mps.job import Job  # noqa: PLC0415

    return Job.from_builtins(body)


def _action(value: Any, name: str) -> tuple[str, Any]:
    if not isinstance(value, dict):
        return "ProcessMedia", value
    body = {key: item for key, item in value.items() if key not in {"Action", "Version"}}
    action = value.get("Action")
    if action is None:
        own = (kind for field, kind in _TELLING.items() if field in body and "InputInfo" not in body)
        action = next(own, "ProcessMedia")
    if action not in _VERSIONS:
        close = nearest(str(action), _VERSIONS)
        raise JobError(
            f"{name}: Action {str(action)[:80]!r} makes no job", hint=f"write {close or ', '.join(_VERSIONS)}"
        )
    version = value.get("Version", _VERSIONS[action])
    if version != _VERSIONS[action]:
        raise JobError(
            f"{name}: {action} is of version {_VERSIONS[action]}, not {str(version)[:80]!r}", hint="leave it out"
        )
    return action, body


def write_job(job: AnyJob, layout: Literal["json", "toml"] = "json", *, reveal: bool = False) -> str:
    """Return the text of a job file.

    Args:
        job: the job.
        layout: `json` or `toml`.
        reveal: write secrets as they are.

    Raises:
        JobError: the job holds a secret or a ticket, and `reveal` is not set.
    """
    if not reveal:
        for path in job.plain_secrets:
            raise JobError(f"{path} is a secret, and job files hold none", hint=f"write {SECRET_FILE}PATH in its place")
        for key in job.key_requests:
            if key.source.holds_ticket:
                raise JobError(f"{key.path} holds a ticket, and job files hold none", hint="write drmtoday:PROFILE")
    value = job.to_builtins(reveal=True)
    if layout == "json":
        return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_toml_lines(value, ())).lstrip("\n") + "\n"


def read_secrets(job: AnyJob, folder: Path) -> AnyJob:
    """Return the job with each secret of the form `file:PATH` read from its file.

    Args:
        job: the job.
        folder: what relative paths start from: the folder of the job file.

    Raises:
        JobError: a file cannot be read, or holds no text.
    """
    return job.with_secrets(lambda name: _read_secret(folder / name))


def examine_secrets(job: AnyJob, folder: Path) -> tuple[AnyJob, list[Finding]]:
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
        value = json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, name))
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
        return value  # noqa: TRY300 (what follows are the ways in which it can fail)
    except UnicodeEncodeError:
        raise JobError(f"{name} holds half a character (a lone \\u escape)", hint="write the whole character") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        comment = text[error.pos :].lstrip(", \t").startswith(("//", "/*", "#"))
        hint = "JSON has no comments: remove them, or write TOML, which has them (#)" if comment else None
        raise JobError(f"{name} is no JSON: {error.msg} ({place})", hint=hint) from None
    except RecursionError:
        raise JobError(f"{name} is nested too deeply") from None
    except ValueError:
        raise JobError(f"{name} holds a number of too many digits") from None


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
        hint = "`drmkit job new` prints a job file"
        if text.startswith(("POST ", "GET ")):
            hint = "this is a whole HTTP request: give its body alone"
        raise JobError(f"{name} is neither JSON nor TOML: {error}", hint=hint) from None
    except RecursionError:
        raise JobError(f"{name} is nested too deeply") from None
    except ValueError:
        raise JobError(f"{name} holds a number of too many digits") from None


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
