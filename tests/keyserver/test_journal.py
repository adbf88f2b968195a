"""The journal: what renewal remembers reads back, garbage counts as nothing, and no secret is in it."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import CredentialsRejectedError, RemoteUnavailableError
from drmkit.keyserver.journal import LONGEST_WAIT, Journal, JournalFile, fingerprint
from drmkit.secret import Secret

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
moments = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2105, 1, 1)).map(  # noqa: DTZ001 (naive bounds)
    lambda moment: moment.replace(tzinfo=UTC)
)
journals = st.builds(
    Journal,
    moments,
    moments,
    st.integers(0, 10**6),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(0, 255),
    moments,
    st.none() | st.just(f"{'00' * 16}:{'11' * 32}"),
    st.booleans(),
    st.integers(0, 10**6),
)


@given(journals)
def test_a_journal_reads_back(journal: Journal) -> None:
    """Whatever is remembered comes back whole."""
    import tempfile  # noqa: PLC0415 (Hypothesis and tmp_path do not mix)

    with tempfile.TemporaryDirectory() as folder:
        file = JournalFile(Path(folder) / "x.state")
        file.save(journal)
        assert file.read() == (journal, True)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def good(**changes: Any) -> str:
    """The JSON of a journal with changes."""
    return json.dumps({"schema_version": 1, "failures": 3, "last_error": "x", **changes})


BAD = {
    "nothing": "",
    "torn": good()[:-5],
    "a list": "[1]",
    "another version": good(schema_version=2),
    "no version": '{"failures": 1}',
    "a count in words": good(failures="three"),
    "a moment in words": good(not_before="soon"),
    "a moment without a zone": good(not_before="2026-11-21T12:00:00"),
    "a number as an error": good(last_error=7),
    "a fingerprint that is none": good(rejected="xyz"),
    "endless": '{"a":' * 100_000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=list(BAD))
def test_garbage_counts_as_nothing(tmp_path: Path, text: str) -> None:
    """A journal that cannot be understood is not guessed at, and says so; it can be set aside."""
    file = JournalFile(tmp_path / "x.state")
    file.path.write_text(text, encoding="utf-8")
    assert file.read() == (Journal(), False)
    assert file.load() == Journal()
    file.set_aside()
    assert (tmp_path / "x.state.bad").read_text(encoding="utf-8") == text
    assert file.read() == (Journal(), True)


def test_a_further_key_is_no_garbage(tmp_path: Path) -> None:
    """The benign twin: keys that a later drmkit may add are left alone."""
    file = JournalFile(tmp_path / "x.state")
    file.path.write_text(good(further=1), encoding="utf-8")
    assert file.read() == (Journal(failures=3, last_error="x"), True)
    (tmp_path / "folder.state").mkdir()
    assert JournalFile(tmp_path / "folder.state").read() == (Journal(), False)


def test_it_lies_beside_the_file_behind_a_link(tmp_path: Path) -> None:
    """Whoever reaches the URL through a link shares its journal."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "url.json")
    assert JournalFile.beside(link) == JournalFile.beside(tmp_path / "url.json")
    assert JournalFile.beside(Path("/a/b")).path == Path("/a/b.state")


def test_a_success_forgets_failures_and_waits() -> None:
    """After a URL was stored, nothing of earlier failures counts, and the count of renewals goes on."""
    error = RemoteUnavailableError("down")
    failed = Journal(renewals=4).attempted(NOW).failed(error, not_before=NOW, rejected="a:b")
    assert (failed.failures, failed.last_error, failed.last_exit_code) == (1, "down", 69)
    assert failed.failed(error, not_before=None, rejected=None).failures == 2
    assert failed.stored(NOW, hook=True) == Journal(NOW, NOW, hook_pending=True, renewals=5)


@pytest.mark.parametrize(
    ("ahead", "waits"),
    [
        (timedelta(0), False),
        (TICK, True),
        (LONGEST_WAIT, True),
        (LONGEST_WAIT + TICK, False),
        (timedelta(days=365), False),
        (-TICK, False),
    ],
)
def test_a_wait_holds_within_bounds(ahead: timedelta, waits: bool) -> None:
    """A wait that has passed, or is further ahead than any that is ever recorded (a clock was set), is none."""
    journal = Journal(not_before=NOW + ahead)
    assert (journal.waits_until(NOW) is not None) is waits
    assert Journal().waits_until(NOW) is None


def test_a_fingerprint_knows_its_credentials() -> None:
    """The same credentials give the known fingerprint; others, or the same with a new salt, do not."""
    known = fingerprint(Secret("user\ncAnArY"))
    assert fingerprint(Secret("user\ncAnArY"), known) == known
    assert fingerprint(Secret("user\ncAnArZ"), known) != known
    assert fingerprint(Secret("user\ncAnArY")) != known
    assert "cAnArY" not in known


def test_a_journal_that_cannot_be_written_hides_nothing(tmp_path: Path) -> None:
    """`try_to_save` is silent where `save` tells."""
    file = JournalFile(tmp_path / "no" / "x.state")
    file.try_to_save(Journal().failed(CredentialsRejectedError("no"), not_before=None, rejected=None))
    assert not file.path.exists()
    fine = JournalFile(tmp_path / "x.state")
    fine.try_to_save(replace(Journal(), failures=1))
    assert fine.load().failures == 1
