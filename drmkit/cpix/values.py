"""How the values of CPIX are written: text, base64, UUIDs, numbers, dates and durations, in both directions."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lxml import etree

from drmkit.errors import CpixError

__all__ = [
    "as_bytes",
    "as_utf8",
    "decode_base64",
    "encode_base64",
    "format_boolean",
    "format_datetime",
    "format_duration",
    "is_empty",
    "line_of",
    "parse_boolean",
    "parse_datetime",
    "parse_duration",
    "parse_integer",
    "text_of",
]

_SPACE: Final = re.compile(r"[ \t\r\n]+")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,400}")
_DATETIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"(?P<sign>-)?P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_MAX_DURATION: Final = timedelta(days=366 * 1000)


def line_of(element: etree._Element) -> int:
    """Return the line of a start tag in the input; 0 for an element that was made here."""
    line: Any = element.sourceline
    return int(line or 0)


def text_of(element: etree._Element) -> str:
    """Return the text of an element as if the comments and processing instructions inside were not there."""
    text = element.text or ""
    if len(element):
        text += "".join(child.tail or "" for child in element)
    return text


def is_empty(element: etree._Element) -> bool:
    """Whether an element is a placeholder: no child, and no text but white space."""
    if not len(element):
        return not (element.text or "").strip()
    return next(element.iterchildren(etree.Element), None) is None and not text_of(element).strip()


def decode_base64(text: str) -> bytes:
    """Decode xs:base64Binary: standard alphabet, white space allowed, nothing else; ValueError otherwise."""
    dense = _SPACE.sub("", text)
    if len(dense) % 4:
        raise ValueError("base64 comes in groups of four characters")
    return binascii.a2b_base64(dense, strict_mode=True)


def encode_base64(value: bytes) -> str:
    """Write bytes as xs:base64Binary on one line."""
    return binascii.b2a_base64(as_bytes(value), newline=False).decode("ascii")


def as_bytes(value: bytes) -> bytes:
    """Take what Python counts as bytes; CpixError, without the value, for text or anything else."""
    if type(value) is bytes:
        return value
    try:
        return bytes(memoryview(value))
    except TypeError:
        raise CpixError(
            f"bytes are needed here, not {type(value).__name__}",
            hint="bytes.fromhex reads hexadecimal digits, base64.b64decode base64",
        ) from None


def as_utf8(text: str) -> bytes:
    """Encode text in UTF-8; CpixError for half a character (a lone surrogate)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise CpixError(
            "a text has half a character, which UTF-8 cannot hold", hint="was it decoded with surrogateescape?"
        ) from None


def parse_integer(text: str) -> int:
    """Read xs:integer (at most 400 digits)."""
    stripped = text.strip(" \t\r\n")
    if not _INTEGER.fullmatch(stripped):
        raise ValueError("not an integer")
    return int(stripped)


def parse_boolean(text: str) -> bool:
    """Read xs:boolean: true, false, 1 or 0."""
    return {"true": True, "1": True, "false": False, "0": False}[text.strip(" \t\r\n")]


def format_boolean(value: bool) -> str:
    """Write xs:boolean."""
    return "true" if value else "false"


def parse_datetime(text: str) -> datetime:
    """Read xs:dateTime as an aware time; one without a zone is taken as UTC. Finer than microseconds is cut off."""
    match = _DATETIME.fullmatch(text.strip(" \t\r\n"))
    if match is None:
        raise ValueError("not a date and time")
    midnight = match["hour"] == "24"
    if midnight and (match["minute"], match["second"], (match["fraction"] or "").strip("0")) != ("00", "00", ""):
        raise ValueError("hour 24 with minutes")
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    hour = "00" if midnight else match["hour"]
    value = datetime.fromisoformat(f"{match['date']}T{hour}:{match['minute']}:{match['second']}.{fraction}{zone}")
    return value + timedelta(days=1) if midnight else value


def format_datetime(value: datetime) -> str:
    """Write an aware time as xs:dateTime in UTC with `Z`."""
    if value.tzinfo is None:
        raise CpixError(
            "a time without a zone is ambiguous", hint="give an aware datetime, such as datetime.now(timezone.utc)"
        )
    try:
        text = value.astimezone(UTC).isoformat()
    except OverflowError:
        raise CpixError("a time outside of the years 1 to 9999 in UTC cannot be written") from None
    return text.removesuffix("+00:00") + "Z"


def parse_duration(text: str) -> timedelta:
    """Read xs:duration; years and months have no fixed length and raise ValueError unless they are zero."""
    match = _DURATION.fullmatch(text.strip(" \t\r\n"))
    if match is None or int(match["years"] or 0) or int(match["months"] or 0):
        raise ValueError("not a duration of fixed length")
    value = timedelta(
        days=int(match["days"] or 0),
        hours=int(match["hours"] or 0),
        minutes=int(match["minutes"] or 0),
        seconds=float(match["seconds"] or 0),
    )
    if value > _MAX_DURATION:
        raise ValueError("longer than a thousand years")
    return -value if match["sign"] else value


def format_duration(value: timedelta) -> str:
    """Write a duration as xs:duration in days and seconds."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    whole, micro = divmod(value.seconds * 10**6 + value.microseconds, 10**6)
    seconds = f"{whole}.{micro:06d}".rstrip("0") if micro else str(whole)
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}T{seconds}S"
