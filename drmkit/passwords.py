"""Where passwords come from: a private file, a command, the system's keyring. Nothing here ever shows one."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.secret import Secret

__all__ = ["check_private", "from_command", "from_credential", "from_file", "from_keyring", "is_handed_out"]

_COMMAND_SECONDS = 30
_LARGEST = 64 * 1024


def from_file(path: str, *, what: str = "password_file") -> Secret[str]:
    """Read a secret from a file that only its owner can read; `-` reads standard input.

    One line break at the end is not part of the secret, nor is a byte order mark at the start.

    Args:
        path: the file, `~` expanded, or `-`.
        what: the setting that named it, for the error.

    Raises:
        ConfigurationError: the file is missing, unreadable, open to others, empty, not UTF-8, or more than one line.
    """
    if path == "-":
        return _clean(sys.stdin.buffer.read(_LARGEST + 1), f"{what}: standard input")
    try:
        file = Path(path).expanduser()
        with file.open("rb") as stream:
            check_private(stream.fileno(), f"{what} {file}")
            raw = stream.read(_LARGEST + 1)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise ConfigurationError(
            f"{what} {path} cannot be read ({reason})", hint="check the path and its permissions"
        ) from None
    return _clean(raw, f"{what} {file}")


def check_private(target: int | Path, what: str) -> None:
    """Refuse a file (an open descriptor or a path) that anyone but its owner may read or write.

    One exception: a file of root's that a service without root's rights may read through its group. That is how
    Kubernetes (`fsGroup`, mode 0440) and systemd (`LoadCredential=`) hand secrets to a service.

    Raises:
        ConfigurationError: group or others have access.
    """
    status = os.stat(target)  # noqa: PTH116 (takes a descriptor too)
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077 and not is_handed_out(mode, owner=status.st_uid, reader=os.geteuid()):
        raise ConfigurationError(
            f"{what} is open to other users (mode {mode:04o})",
            hint="chmod 600 it, and change the secret if others may have read it",
        )


def is_handed_out(mode: int, *, owner: int, reader: int) -> bool:
    """Tell whether root has given a file to a service: its group may read it, and nobody but root may change it."""
    return owner == 0 and reader != 0 and mode & 0o037 == 0


def from_credential(name: str, folder: str | None, *, what: str = "password_credential") -> Secret[str]:
    """Read a secret that systemd hands to a service (`LoadCredential=NAME:...`).

    Args:
        name: the credential's name.
        folder: where the service finds its credentials: the variable `CREDENTIALS_DIRECTORY`.
        what: the setting that named it, for the error.

    Raises:
        ConfigurationError: there are no credentials here, or the file is not what a password file must be.
    """
    if "/" in name or name in {".", ".."}:
        raise ConfigurationError(f"{what} is a name, not a path: {name!r}", hint="use password_file for a path")
    if not folder:
        raise ConfigurationError(
            f"{what} = {name!r} is set, but systemd handed no credentials to this process",
            hint=f"run it as a service with LoadCredential={name}:/path/to/file",
        )
    return from_file(f"{folder}/{name}", what=what)


def from_keyring(service: str, username: str, *, what: str = "password_keyring") -> Secret[str]:
    """Read a secret from the system's keyring.

    Args:
        service: the name under which it is kept.
        username: whose it is.
        what: the setting that named it, for the error.

    Raises:
        MissingExtraError: the extra `keyring` is not installed.
        ConfigurationError: the keyring cannot be used, or holds nothing under this name.
    """
    try:
        import keyring  # noqa: PLC0415 (an extra)
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ModuleNotFoundError:
        raise MissingExtraError(
            f"{what} needs the package keyring", hint="install it: pip install 'drmkit[keyring]'"
        ) from None
    reason, found = "it holds nothing under this name", None
    try:
        found = keyring.get_password(service, username)
    except (KeyringError, OSError, RuntimeError) as error:
        reason = f"it cannot be used: {type(error).__name__}"
    if not found:
        raise ConfigurationError(
            f"{what}: the keyring has no password of {username} for {service} ({reason})",
            hint=f"store it: keyring set {service} {username}",
        )
    return Secret(found)


def from_command(
    command: str | Sequence[str], *, what: str = "password_command", seconds: float = _COMMAND_SECONDS
) -> Secret[str]:
    """Run a command without a shell and take its standard output as the secret.

    Args:
        command: the program and its arguments; a string is split as a shell would, but nothing is expanded.
        what: the setting that named it, for the error.
        seconds: how long it may take.

    Raises:
        ConfigurationError: the command is missing, fails, takes too long, or does not print one line.
    """
    import subprocess  # noqa: PLC0415 (most passwords come from a file)

    try:
        arguments = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError:
        raise ConfigurationError(f"{what} has an unclosed quote", hint="write it as a list of strings") from None
    if not arguments:
        raise ConfigurationError(f"{what} is empty", hint="name a program that prints the password")
    program = arguments[0]
    done = None
    try:
        # A time-out is told below, outside its handler: its exception holds what the command has printed so far.
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(  # noqa: S603 (the user's own command, without a shell)
                arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be run"
        raise ConfigurationError(f"{what}: {program}: {reason}", hint="check the path of the program") from None
    if done is None:
        raise ConfigurationError(
            f"{what}: {program} did not end within {seconds:g} seconds", hint="it must not ask for input"
        )
    if done.returncode != 0:
        raise ConfigurationError(
            f"{what}: {program} failed (exit code {done.returncode})",
            hint="run it by hand to see why; its output is not shown here, since it may hold secrets",
        )
    return _clean(done.stdout, f"{what}: the output of {program}")


def _clean(raw: bytes, where: str) -> Secret[str]:
    if len(raw) > _LARGEST:
        raise ConfigurationError(f"{where} is larger than {_LARGEST} bytes", hint="store the password alone")
    text = None
    with suppress(UnicodeDecodeError):  # told outside its handler: the exception holds the secret
        text = raw.decode("utf-8-sig")
    if text is None or "\0" in text:
        raise ConfigurationError(f"{where} is not UTF-8 text", hint="store the password as plain text")
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ConfigurationError(f"{where} is empty", hint="store the password there")
    if "\n" in text or "\r" in text:
        raise ConfigurationError(f"{where} holds more than one line", hint="store the password alone")
    return Secret(text)
