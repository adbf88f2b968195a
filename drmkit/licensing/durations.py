"""ISO 8601 durations of rights, such as `P7D` or `PT1H30M`, and lengths of time such as `90m`."""

from __future__ import annotations

import re
from datetime import timedelta

__all__ = ["format_duration", "parse_duration"]

_ISO = re.compile(
    r"P(?=.)(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,10})S)?)?"
)
_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def parse_duration(text: str) -> timedelta | None:
    """Return the length of an ISO 8601 duration in weeks, days, hours, minutes and whole seconds.

    Years and months have no fixed length, so that a duration with them is None, as is any other text.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    return timedelta(**{name: int(value) for name, value in match.groupdict().items() if value is not None})


def format_duration(length: timedelta) -> str:
    """Return a length of time from 0, in whole seconds, as an ISO 8601 duration: `P7D`, `PT3H`, `PT0S`."""
    days, rest = divmod(int(length.total_seconds()), _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, seconds = divmod(rest, _MINUTE)
    date = f"{days}D" if days else ""
    time = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    if not date and not time:
        time = "0S"
    return f"P{date}{f'T{time}' if time else ''}"
