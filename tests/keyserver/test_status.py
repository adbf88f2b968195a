"""What is seen of a renewal: fields, metrics that Prometheus reads, and no secret in either."""

from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drmkit.errors import InputError
from drmkit.keyserver.journal import Journal, JournalFile
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.status import Status, exposition, look, write_metrics
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAMPLE = re.compile(r'^([a-z_]+)\{profile="((?:[^"\\\n]|\\["\\n])*)"\} (-?[0-9.e+]+)$')


def url(lifetime: timedelta | None = 6 * HOUR) -> KeyServerUrl:
    """A URL issued at T0."""
    return KeyServerUrl("https://h/x", Secret("cAnArY"), T0, None if lifetime is None else T0 + lifetime)


@pytest.fixture
def store(tmp_path: Path) -> UrlStore:
    """A store in a folder of its own."""
    return UrlStore(tmp_path / "url.json")


def seen(store: UrlStore, now: datetime = T0 + HOUR, **options: object) -> Status:
    """Look with the usual policy."""
    return look(store, profile="acme", policy=RenewalPolicy(), now=now, **options)  # type: ignore[arg-type] # varies


def test_a_url_in_its_prime(store: UrlStore) -> None:
    """Age, end, next run; no failures; the ticket masked unless asked for."""
    store.save(url())
    fields = seen(store).as_fields()
    assert fields["age_seconds"] == 3600
    assert (fields["valid"], fields["due"]) == (True, False)
    assert (fields["expires_at"], fields["next_run"]) == ("2026-11-21T18:00:00Z", "2026-11-21T16:00:00Z")
    assert (fields["last_error"], fields["consecutive_failures"]) == (None, 0)
    assert "cAnArY" not in json.dumps(fields)
    assert "cAnArY" in json.dumps(seen(store).as_fields(reveal=True))


def test_nothing_stored_and_what_cannot_be_read(store: UrlStore) -> None:
    """Both are due and not valid; the fields are there and empty."""
    for text in (None, "{torn"):
        if text:
            store.path.write_text(text, encoding="utf-8")
        fields = seen(store).as_fields()
        assert (fields["url"], fields["age_seconds"], fields["valid"], fields["due"]) == (None, None, False, True)


def test_failures_and_waits(store: UrlStore) -> None:
    """The last error, how many in a row, and a next run that is not before the server's wish."""
    store.save(url())
    journal = Journal(
        last_attempt=T0 + 5 * HOUR, failures=7, last_error="down", last_exit_code=75, not_before=T0 + 6 * HOUR
    )
    JournalFile.beside(store.path).save(journal)
    fields = seen(store, T0 + 5 * HOUR).as_fields()
    assert (fields["consecutive_failures"], fields["last_error"], fields["last_exit_code"]) == (7, "down", 75)
    assert fields["next_run"] == fields["not_before"] == "2026-11-21T18:00:00Z"
    store.path.unlink()
    assert seen(store, T0 + 5 * HOUR).as_fields()["next_run"] == "2026-11-21T18:00:00Z"


def test_a_url_for_another_service_is_due(store: UrlStore) -> None:
    """What the profile names now is what counts."""
    store.save(url())
    assert seen(store, service="https://h/y").due
    assert seen(store, service="https://h/y").next_run is None
    assert not seen(store, service="https://h/x").due


def test_metrics_are_what_prometheus_reads(store: UrlStore) -> None:
    """HELP and TYPE once for each name, samples of the one form, labels escaped, what is not known left out."""
    store.save(url(None))
    status = seen(store)
    odd = Status('a"b\\c\nd', store.path, T0, None, Journal(failures=2), due=True, next_run=None)
    text = exposition([status, odd])
    assert text.endswith("\n")
    names: list[str] = []
    samples: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            names.append(line.split()[2])
        elif not line.startswith("# TYPE "):
            match = SAMPLE.match(line)
            assert match, line
            assert match[1] == names[-1], "samples stand below their own HELP"
            samples[match[1], match[2]] = float(match[3])
    assert len(names) == len(set(names))
    assert all(name.startswith("drmkit_key_url_") for name in names)
    assert samples["drmkit_key_url_valid", "acme"] == 1
    assert samples["drmkit_key_url_issued_timestamp_seconds", "acme"] == T0.timestamp()
    assert ("drmkit_key_url_expires_timestamp_seconds", "acme") not in samples
    assert samples["drmkit_key_url_consecutive_failures", 'a\\"b\\\\c\\nd'] == 2
    assert samples["drmkit_key_url_valid", 'a\\"b\\\\c\\nd'] == 0
    assert "cAnArY" not in text


def test_metrics_are_written_whole_and_for_everybody(store: UrlStore, tmp_path: Path) -> None:
    """node_exporter runs as another user; a folder that is missing is told."""
    target = tmp_path / "drmkit.prom"
    write_metrics(target, [seen(store)])
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert target.read_text(encoding="utf-8") == exposition([seen(store)])
    with pytest.raises(InputError, match="there is no folder"):
        write_metrics(tmp_path / "no" / "x.prom", [])
