"""The hook: a program that is told of a new URL, run without a shell, for a limited time, with no secret at hand."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import ConfigurationError, TemporaryError
from drmkit.keyserver.url import KeyServerUrl

if TYPE_CHECKING:
    import subprocess

__all__ = ["Hook"]

_SECRETS = ("PASSWORD", "SECRET", "TOKEN", "CREDENTIAL")


@dataclass(frozen=True, slots=True)
class Hook:
    """A program to run after a new URL was stored.

    Its arguments are exactly the configured ones. Its environment is the caller's without the variables whose names
    speak of secrets, and with `DRMKIT_PROFILE`, `DRMKIT_OUTPUT` (the file to read the URL from), `DRMKIT_SERVICE`,
    `DRMKIT_ISSUED_AT` and, where it is known, `DRMKIT_EXPIRES_AT`.

    Attributes:
        command: the program and its arguments; a string is split as a shell would, but nothing is expanded.
        seconds: how long it may take; then it is killed, with the programs that it has started.
        profile: the profile's name.
        environ: the caller's environment.
    """

    command: str | Sequence[str]
    seconds: float = 60.0
    profile: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """Check that the command is one, before an account is used.

        Raises:
            ConfigurationError: it is empty, or its program does not exist.
        """
        program = self._arguments()[0]
        places = [program] if "/" in program else [f"{place}/{program}" for place in self._search_path()]
        if not any(os.access(place, os.X_OK) and not Path(place).is_dir() for place in places):
            raise ConfigurationError(
                f"hook: there is no program {program}", hint="give its whole path; shell syntax is not understood"
            )

    def run(self, url: KeyServerUrl, output: Path) -> None:
        """Run it.

        Raises:
            TemporaryError: it failed or took too long; the new URL is stored, and the next run runs the hook again.
            ConfigurationError: it cannot be run.
        """
        import subprocess  # noqa: PLC0415 (most runs have nothing to tell)

        arguments = self._arguments()
        program = arguments[0]
        try:
            process = subprocess.Popen(  # noqa: S603 (the user's own command, without a shell)
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self._environment(url, output),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be run"
            raise ConfigurationError(f"hook: {program}: {reason}", hint="check the path of the program") from None
        code = self._wait(process)
        if code != 0:
            reason = f"did not end within {self.seconds:g} seconds" if code is None else f"failed (exit code {code})"
            raise TemporaryError(
                f"the new URL is stored, but the hook {program} {reason}",
                hint="run it by hand to see why; the next run of drmkit runs it again",
            )

    def _wait(self, process: subprocess.Popen[bytes]) -> int | None:
        """Return the exit code, or None where the program had to be killed."""
        import subprocess  # noqa: PLC0415

        try:
            return process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _arguments(self) -> list[str]:
        try:
            arguments = shlex.split(self.command) if isinstance(self.command, str) else list(self.command)
        except ValueError:
            raise ConfigurationError("hook has an unclosed quote", hint="write it as a list of strings") from None
        if not arguments or not arguments[0]:
            raise ConfigurationError("hook is empty", hint="name a program and its arguments")
        return arguments

    def _search_path(self) -> list[str]:
        return self.environ.get("PATH", os.defpath).split(os.pathsep)

    def _environment(self, url: KeyServerUrl, output: Path) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if not any(word in name for word in _SECRETS)}
        told = {
            "DRMKIT_PROFILE": self.profile,
            "DRMKIT_OUTPUT": str(output),
            "DRMKIT_SERVICE": url.service,
            "DRMKIT_ISSUED_AT": _moment(url.issued_at),
        }
        if url.expires_at is not None:
            told["DRMKIT_EXPIRES_AT"] = _moment(url.expires_at)
        return kept | told


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
