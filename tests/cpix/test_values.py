"""Values are read as XML Schema writes them, and written so that they read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.cpix import values
from drmkit.errors import CpixError


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_base64_reads_back(raw: bytes) -> None:
    """What is encoded decodes to the same bytes, also with white space inside."""
    text = values.encode_base64(raw)
    assert values.decode_base64(text) == raw
    assert values.decode_base64(f" {text[:3]}\n\t{text[3:]} ") == raw


@pytest.mark.parametrize("text", ["@@@@", "A", "AA=", "AAA", "AA==AA==", "a-b_", "AAAA=", "é"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    """Foreign characters, wrong padding and text behind the padding are no base64."""
    with pytest.raises(ValueError, match=r"."):
        values.decode_base64(text)


@settings(max_examples=80, deadline=None)
@given(
    st.datetimes(
        min_value=datetime(1, 1, 3),  # noqa: DTZ001 (Hypothesis adds the zones)
        max_value=datetime(9999, 12, 29),  # noqa: DTZ001 (Hypothesis adds the zones)
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=30))]),
    )
)
def test_times_read_back(moment: datetime) -> None:
    """An aware time reads back as the same moment."""
    assert values.parse_datetime(values.format_datetime(moment)) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-01T24:00:00Z", datetime(2020, 1, 2, tzinfo=UTC)),
        ("2020-01-01T00:00:00", datetime(2020, 1, 1, tzinfo=UTC)),
        (" 2020-01-01T00:00:00.1234567+02:00\n", datetime(2019, 12, 31, 22, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_times_of_all_forms_are_read(text: str, moment: datetime) -> None:
    """Midnight as 24, missing zones, fine fractions and offsets are read."""
    assert values.parse_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    ["2020-01-01", "2020-13-01T00:00:00Z", "2020-01-01T24:00:01Z", "\u0662\u0660\u0662\u0660-01-01T00:00:00Z", "now"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """Dates alone, impossible dates and other digits are refused."""
    with pytest.raises(ValueError, match=r"."):
        values.parse_datetime(text)


@settings(max_examples=80, deadline=None)
@given(st.timedeltas(min_value=timedelta(days=-3000), max_value=timedelta(days=3000)))
def test_durations_read_back(span: timedelta) -> None:
    """A duration reads back to the microsecond."""
    assert abs(values.parse_duration(values.format_duration(span)) - span) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("PT0S", timedelta(0)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("-PT1M", timedelta(minutes=-1)),
        ("P0Y0M1D", timedelta(days=1)),
    ],
)
def test_durations_of_all_forms_are_read(text: str, span: timedelta) -> None:
    """Days, hours, minutes and seconds are read, with a sign and with empty years."""
    assert values.parse_duration(text) == span


@pytest.mark.parametrize("text", ["P", "PT", "P1Y", "P1M", "1H", "PT1.S", "P99999999D", ""])
def test_durations_without_a_fixed_length_are_refused(text: str) -> None:
    """Years and months have no fixed length; empty and endless durations are refused too."""
    with pytest.raises(ValueError, match=r"."):
        values.parse_duration(text)


def test_integers_and_booleans_are_strict() -> None:
    """Only the forms of XML Schema are read."""
    assert [values.parse_integer(text) for text in ("1", " -2 ", "+3", "0" * 300)] == [1, -2, 3, 0]
    assert [values.parse_boolean(text) for text in ("true", "1", "false", " 0 ")] == [True, True, False, False]
    for text in ("1.0", "", "0x1", "\u0661"):
        with pytest.raises(ValueError, match="integer"):
            values.parse_integer(text)
    with pytest.raises(KeyError):
        values.parse_boolean("yes")


def test_a_time_before_the_calendar_in_utc_is_refused() -> None:
    """A time that has no year in UTC cannot be written; the first that has one can."""
    zone = timezone(timedelta(hours=14))
    with pytest.raises(CpixError, match="years 1 to 9999"):
        values.format_datetime(datetime(1, 1, 1, 13, tzinfo=zone))
    assert values.format_datetime(datetime(1, 1, 1, 14, tzinfo=zone)) == "0001-01-01T00:00:00Z"
