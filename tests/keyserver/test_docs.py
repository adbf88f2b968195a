"""The page about key-server URLs tells what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from drmkit.config import FIELDS
from drmkit.keyserver.status import exposition

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "key-urls.md").read_text(encoding="utf-8")


def test_every_setting_of_renewal_is_described() -> None:
    """A setting that nobody can find is none."""
    renewal = {
        "ticket_lifetime",
        "renew_after",
        "jitter",
        "margin",
        "verify",
        "mode",
        "hook",
        "hook_timeout",
        "metrics",
    }
    places = {"password_file", "password_command", "password_credential", "password_keyring"}
    assert renewal | places <= set(FIELDS)
    assert {name for name in renewal | places if not re.search(rf"`{name}\b", PAGE)} == set()


def test_the_metrics_that_are_named_exist() -> None:
    """The alerts of the page are about what is written."""
    written = set(re.findall(r"^# HELP (\S+)", exposition([]), re.MULTILINE))
    named = set(re.findall(r"drmkit_key_url_[a-z]+[a-z_]*[a-z]", PAGE)) - {"drmkit_key_url"}
    assert named
    assert named <= written
