"""The report: masks what could identify or open an account, counts, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from drmkit.doctor.report import Check, Redactor, Report, guarded
from drmkit.errors import ConfigurationError

REDACTOR = Redactor("/home/jane", ("merchant::api", "AKIDexample", "api"))


def test_what_is_masked() -> None:
    """Account names, whole UUIDs, users in URLs, tickets, and the home folder's name."""
    text = REDACTOR.text(
        "merchant::api of 6F1C1BB8-3a0e-4a53-bd3c-2c5a4d8f7a10 at http://user:pw@proxy:3128/ in /home/jane/x "
        "AKIDexample https://h/x?ticket=ST-1%2B&a=b"
    )
    assert text == "me*** of 6F1C...7a10 at http://***@proxy:3128/ in ~/x AK*** https://h/x?ticket=**********&a=b"


def test_what_is_not_masked() -> None:
    """Short names would mask half of every word; a home of `/` would mask every path."""
    assert REDACTOR.text("the api at h") == "the api at h"
    assert Redactor("/").text("/etc/x") == "/etc/x"
    assert REDACTOR.check(Check("a", "b", "warn", "/home/jane", "/home/jane/y")) == Check("a", "b", "warn", "~", "~/y")
    assert "merchant" not in repr(REDACTOR)


def test_a_report_counts_and_explains() -> None:
    """A failed check is not healthy; a fix stands below what did not pass."""
    checks = (
        Check("one", "first", "pass", "fine", "not shown"),
        Check("one", "second", "warn", "odd", "look at it"),
        Check("two", "third", "fail", "broken", "mend it"),
        Check("two", "fourth", "skip", "left out"),
    )
    report = Report(checks)
    assert not report.healthy
    assert report.summary == "1 passed, 1 warned, 1 failed, 1 skipped"
    assert report.as_text().splitlines() == [
        "one",
        "  pass  first   fine",
        "  warn  second  odd",
        "                -> look at it",
        "two",
        "  fail  third   broken",
        "                -> mend it",
        "  skip  fourth  left out",
        "1 passed, 1 warned, 1 failed, 1 skipped",
    ]
    assert report.as_fields()["checks"][1] == {
        "area": "one",
        "name": "second",
        "state": "warn",
        "detail": "odd",
        "fix": "look at it",
    }
    assert Report(checks[:2]).healthy
    assert Report(()).as_text() == ""


def test_an_error_is_a_failed_check() -> None:
    """Its hint is the fix, and its notes are told."""

    def look() -> Iterator[Check]:
        error = ConfigurationError("wrong", hint="right it")
        error.add_note("twice")
        yield Check("a", "lost", "pass", "x")
        raise error

    assert guarded("a", "b", look) == [Check("a", "b", "fail", "wrong (twice)", "right it")]
    assert guarded("a", "b", lambda: [Check("a", "b", "pass", "x")]) == [Check("a", "b", "pass", "x")]
