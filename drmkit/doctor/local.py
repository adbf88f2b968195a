"""What can be checked without a network: settings and their origins, files and their rights, the stored URL."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from drmkit.config import Profile
from drmkit.doctor.report import Check, State
from drmkit.errors import DrmkitError, InputError
from drmkit.keyserver import account
from drmkit.keyserver.job import policy_of
from drmkit.keyserver.status import look
from drmkit.keyserver.store import UrlStore
from drmkit.passwords import is_handed_out

__all__ = ["check_password", "check_settings", "check_stored_url", "check_url_file"]

_SETTINGS = "configuration"
_FILES = "files"
_URL = "key-server URL"
_MANY_FAILURES = 3


def check_settings(profile: Profile) -> Iterator[Check]:
    """Tell each setting with its origin, and whether the account is whole.

    Raises:
        ConfigurationError: settings are missing or contradict each other.
    """
    for name, setting in sorted(profile.settings.items()):
        yield Check(_SETTINGS, name, "pass", f"{setting.shown}  ({setting.origin})")
    server = account.key_server(profile)
    profile.require("username")
    yield Check(_SETTINGS, "service", "pass", server.service)
    if profile.get("ticket_lifetime") is None and profile.get("renew_after") is None:
        yield Check(
            _SETTINGS,
            "when due",
            "warn",
            "neither ticket_lifetime nor renew_after is stated: every run logs in and renews",
            "state renew_after, such as 1h; or ticket_lifetime, if you have measured it",
        )


def check_password(profile: Profile) -> Iterator[Check]:
    """Tell where the password comes from, and whether it can be had.

    Raises:
        ConfigurationError: it cannot.
    """
    source = next((name for name in profile.settings if name.startswith("password")), None)
    if source is None:
        profile.require("password")
    profile.secret("password")
    yield Check(_FILES, "password", "pass", f"can be read from {source}")
    if source == "password" and profile.settings["password"].origin.startswith("environment"):
        yield Check(
            _FILES,
            "password's place",
            "warn",
            "the environment is inherited by every child and shown in /proc",
            "prefer password_file, password_command or a systemd credential",
        )


def check_url_file(store: UrlStore) -> Iterator[Check]:
    """Tell whether the URL's file and its folder have the rights that they need, and no more.

    Raises:
        DrmkitError: the file cannot be replaced.
    """
    try:
        store.check_folder()
    except InputError as error:
        if store.path.parent.is_dir():
            raise
        yield Check(_FILES, "folder of the URL", "warn", error.message, "the first refresh makes the state folder")
        return
    yield Check(_FILES, "folder of the URL", "pass", f"{store.path.parent} may be written")
    yield from _open_to_others(store.path, "file of the URL", store.mode)
    yield from _open_to_others(store.path.with_name(f"{store.path.name}.state"), "journal", 0o600)
    left = list(store.path.parent.glob(f".{store.path.name}.*.tmp"))
    if left:
        yield Check(
            _FILES, "leftovers", "warn", f"{len(left)} temporary files of killed runs", "the next refresh removes them"
        )


def _open_to_others(path: Path, name: str, wanted: int) -> Iterator[Check]:
    try:
        status = path.stat()
    except OSError:
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~wanted & 0o077 and not is_handed_out(mode, owner=status.st_uid, reader=os.geteuid()):
        yield Check(_FILES, name, "fail", f"{path} is open to others (mode {mode:04o})", f"chmod {wanted:o} {path}")
    else:
        yield Check(_FILES, name, "pass", f"{path} has mode {mode:04o}")


def check_stored_url(profile: Profile, store: UrlStore, now: datetime) -> Iterator[Check]:
    """Tell how old the stored URL is, when it ends, when it is due, and what became of the last runs.

    Raises:
        DrmkitError: the file may not be read.
    """
    service = None
    try:
        service = account.key_server(profile).service
        store.load()
    except InputError as error:
        yield Check(_URL, "stored", "fail", error.message, error.hint or "")
    except DrmkitError:
        pass  # told by the checks of the settings
    status = look(store, profile=profile.name, policy=policy_of(profile, store), now=now, service=service)
    journal = status.journal
    if status.url is None:
        yield Check(_URL, "stored", "warn", "nothing is stored", "run `drmkit key-url refresh`")
    elif not status.valid:
        yield Check(
            _URL, "stored", "fail", f"it expired at {status.url.expires_at:%FT%TZ}", "run `drmkit key-url refresh`"
        )
    elif status.url.issued_at > now:
        yield Check(_URL, "stored", "warn", "it claims to be from the future", "check this machine's clock")
    else:
        end = f"until {status.url.expires_at:%FT%TZ}" if status.url.expires_at else "its lifetime is not known"
        yield Check(_URL, "stored", "pass", f"{status.age_seconds} s old, valid ({end})")
    if journal.failures:
        state: State = "fail" if journal.failures >= _MANY_FAILURES else "warn"
        detail = f"{journal.failures} failed runs in a row; the last: {journal.last_error}"
        yield Check(_URL, "last runs", state, detail, f"see exit code {journal.last_exit_code} in the documentation")
    if journal.hook_pending:
        yield Check(_URL, "hook", "warn", "it has not been told of the stored URL", "the next run tells it")
