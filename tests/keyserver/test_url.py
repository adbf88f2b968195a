"""KeyServerUrl: the ticket is encoded whole, shown never, and its age is known."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import MASK, Secret

SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def url(
    ticket: str = "cAnArY", *, expires_at: datetime | None = None, query: tuple[tuple[str, str], ...] = ()
) -> KeyServerUrl:
    """A URL with this ticket, issued now."""
    return KeyServerUrl(SERVICE, Secret(ticket), NOW, expires_at, query)


@pytest.mark.parametrize(
    ("ticket", "encoded"),
    [
        ("ST-1-abc", "ST-1-abc"),
        ("a+b/c==", "a%2Bb%2Fc%3D%3D"),
        ("a&b=c#d?e", "a%26b%3Dc%23d%3Fe"),
        ("100%", "100%25"),
        ("a b", "a%20b"),
        ("~-._", "~-._"),
    ],
)
def test_the_ticket_is_encoded_with_nothing_left_as_it_is(ticket: str, encoded: str) -> None:
    """A ticket can be base64: plus, slash and equals signs are percent-encoded."""
    assert url(ticket).reveal() == f"{SERVICE}?ticket={encoded}"


@given(words, st.lists(st.tuples(words, st.text(st.characters(exclude_categories=["Cs"])))))
def test_every_ticket_and_query_reads_back(ticket: str, query: list[tuple[str, str]]) -> None:
    """What any server decodes from the URL is the ticket first, then the further parameters in order."""
    whole = urlsplit(url(ticket, query=tuple(query)).reveal())
    assert parse_qsl(whole.query, keep_blank_values=True) == [("ticket", ticket), *query]
    assert f"{whole.scheme}://{whole.netloc}{whole.path}" == SERVICE
    assert not whole.fragment


def test_further_parameters_follow_the_ticket() -> None:
    """Parameters stand in their order, encoded."""
    query = (("x-signaling-alg", "cenc"), ("a b", "c/d"))
    assert url("t", query=query).reveal() == f"{SERVICE}?ticket=t&x-signaling-alg=cenc&a%20b=c%2Fd"


def test_only_reveal_shows_the_ticket() -> None:
    """Text, repr, format and the redacted form hold the mask in the ticket's place, and pickling is refused."""
    one = url(query=(("x", "y"),))
    masked = f"{SERVICE}?ticket={MASK}&x=y"
    assert (str(one), one.redacted, f"{one}", repr(one)) == (masked, masked, masked, f"KeyServerUrl('{masked}')")
    assert "cAnArY" not in repr([one, {"url": one}])
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(one)
    assert "cAnArY" in one.reveal()


def test_urls_are_equal_by_all_they_hold() -> None:
    """The same service, ticket and ages make the same URL; another ticket makes another."""
    assert url() == url()
    assert url() != url("other")
    assert url() != url(expires_at=NOW)


@pytest.mark.parametrize(
    ("expires_at", "now", "valid"),
    [
        (None, NOW + timedelta(days=9999), True),
        (NOW, NOW - timedelta(microseconds=1), True),
        (NOW, NOW, False),
        (NOW, NOW + timedelta(microseconds=1), False),
    ],
)
def test_a_url_ends_when_its_stated_lifetime_does(expires_at: datetime | None, now: datetime, valid: bool) -> None:
    """Valid up to the end and not at it; without a stated lifetime nobody can say that it ended."""
    assert url(expires_at=expires_at).is_valid(now) is valid
