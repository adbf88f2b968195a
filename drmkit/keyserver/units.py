"""Texts that make an operating system run renewals: systemd units, hardened, and crontab lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from zlib import crc32

from drmkit.errors import ConfigurationError

__all__ = ["Installation", "crontab_line", "service_unit", "timer_unit", "unit_name"]

_CREDENTIAL = "drmtoday-password"
_EVERY_MINUTES = 15
_UNIT_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_HARDENING = """\
# What it may do: read its configuration, talk to the network, write its own folders. See systemd.exec(5).
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
RemoveIPC=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """What the operating system is to run.

    Attributes:
        program: the words that start drmkit, such as `("/usr/local/bin/drmkit",)`.
        profile: the profile's name.
        config: the configuration file, or None for the usual one.
        output: the file that the profile names, or None for a state file of its own.
        password_file: the file with the account's password, or None where the profile names its source.
        user: the user to run as, or None for one that systemd makes up.
        group: the group to run as, or None.
    """

    program: Sequence[str]
    profile: str
    config: str | None = None
    output: str | None = None
    password_file: str | None = None
    user: str | None = None
    group: str | None = None

    def words(self, *command: str, config: str | None = None) -> list[str]:
        """Return the command line of a `key-url` command."""
        file = config or self.config
        named = ["--config", file] if file else []
        return [*self.program, "-q", *named, "--profile", self.profile, "key-url", *command]


def unit_name(installation: Installation) -> str:
    """Return the name of the units, without their endings.

    Raises:
        ConfigurationError: the profile's name cannot be part of a unit's name.
    """
    if not _UNIT_NAME.fullmatch(installation.profile):
        raise ConfigurationError(
            f"the profile {installation.profile!r} cannot name a systemd unit",
            hint="name it with letters, digits, dots, dashes and underscores",
        )
    return f"drmkit-key-url-{installation.profile}"


def service_unit(installation: Installation) -> str:
    """Return the service: it asks whether the URL is due, and renews it; systemd hands it configuration and password.

    Raises:
        ConfigurationError: a path or name cannot stand in a unit.
    """
    config = None
    lines = [
        "# Renews the key-server URL of one drmkit profile. Made by `drmkit key-url install --systemd`.",
        "[Unit]",
        f"Description=Renew the key-server URL of the drmkit profile {installation.profile}",
        "Documentation=https://www.tencentcloud.com/document/product/1041/68547",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
    ]
    if installation.config:
        lines.append(f"LoadCredential=config.toml:{_path(installation.config)}")
        config = "%d/config.toml"
    if installation.password_file:
        lines += [
            f"LoadCredential={_CREDENTIAL}:{_path(installation.password_file)}",
            f"Environment=DRMTODAY_PASSWORD_FILE=%d/{_CREDENTIAL}",
        ]
    lines += [
        "# 0: due, go on; 1: not due, skip quietly; 255: anything else, a failure to be seen.",
        f"ExecCondition={_words(installation.words('due', config=config))}",
        f"ExecStart={_words(installation.words('refresh', config=config))}",
        "# Another run at work on the same file is no failure.",
        "SuccessExitStatus=4",
        "TimeoutStartSec=5min",
        *_identity(installation),
        *_folders(installation.output),
        "",
        _HARDENING,
    ]
    return "\n".join(lines)


def timer_unit(installation: Installation) -> str:
    """Return the timer: often, since asking is cheap and renewing rare; spread, and made up for after a sleep."""
    return f"""\
# Made by `drmkit key-url install --systemd`.
[Unit]
Description=Look often whether the key-server URL of the drmkit profile {installation.profile} is due

[Timer]
OnCalendar=*:0/{_EVERY_MINUTES}
OnBootSec=1min
RandomizedDelaySec=3min
AccuracySec=1min
Persistent=yes
Unit={unit_name(installation)}.service

[Install]
WantedBy=timers.target
"""


def crontab_line(installation: Installation, *, user: str | None = None) -> str:
    """Return a crontab's line; its minutes follow from the profile's name, so that not everybody calls at :00.

    Args:
        installation: what to run.
        user: the user to run as, for files of /etc/cron.d; None for a user's own crontab.
    """
    first = 1 + crc32(installation.profile.encode()) % (_EVERY_MINUTES - 1)
    minutes = ",".join(str(minute) for minute in range(first, 60, _EVERY_MINUTES))
    # A percent sign means a line break to cron.
    command = shlex.join(installation.words("refresh")).replace("%", r"\%")
    return f"{minutes} * * * *  {f'{user}  ' if user else ''}{command}\n"


def _identity(installation: Installation) -> list[str]:
    lines = [f"User={_name(installation.user)}"] if installation.user else ["DynamicUser=yes"]
    return lines + ([f"Group={_name(installation.group)}"] if installation.group else [])


def _folders(output: str | None) -> list[str]:
    """Let the service write where its files lie: its state, and the folder of the URL."""
    lines = ["StateDirectory=drmkit", "StateDirectoryMode=0700", "Environment=XDG_STATE_HOME=%S"]
    if output is None:
        return lines
    folder = PurePosixPath(_path(output)).parent
    if folder.parent == PurePosixPath("/run"):
        return [
            *lines,
            f"RuntimeDirectory={folder.name}",
            "RuntimeDirectoryMode=0755",
            "RuntimeDirectoryPreserve=yes",
        ]
    if folder == PurePosixPath("/var/lib/drmkit"):
        return lines
    return [*lines, f"ReadWritePaths={folder}"]


def _words(words: Sequence[str]) -> str:
    """Quote a command line as systemd reads it (systemd.service(5), "Command lines")."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("$", "$$")
    if not escaped.startswith("%d/"):
        escaped = escaped.replace("%", "%%")
    if "\n" in word or "\r" in word:
        raise ConfigurationError(f"{word!r} cannot stand in a systemd unit", hint="use names without line breaks")
    plain = re.fullmatch(r"[^\s\"';]+", escaped)
    return escaped if plain else '"' + escaped.replace('"', '\\"') + '"'


def _path(path: str) -> str:
    if not re.fullmatch(r"/[^\s:%\"'\\]*", path):
        raise ConfigurationError(
            f"the path {path!r} cannot stand in a systemd unit",
            hint="use an absolute path without spaces, colons, quotes and percent signs",
        )
    return path


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        raise ConfigurationError(f"{name!r} is no name of a user or group", hint="name one that exists")
    return name
