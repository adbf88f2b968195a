"""What can be wrong with a token's header, times and claims, each remark with its place and its fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from drmkit.licensing.durations import parse_duration
from drmkit.licensing.rights import LONGEST_PLAY
from drmkit.licensing.token import ALGORITHMS

__all__ = ["Remark", "claim_remarks", "header_remarks", "rights_remarks", "time_remarks"]

_SKEW = timedelta(seconds=60)
_LATEST = 10**11
_MILLISECONDS = 10**11


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a token.

    Attributes:
        place: where, such as `header.kid` or `crt.profile`.
        message: what is wrong or doubtful, in a sentence.
        fix: what to do.
        severity: `error` for what DRMtoday refuses, `warning` for the rest.
    """

    place: str
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.message}; {self.fix}"


def header_remarks(header: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield what is wrong or doubtful about a JWT header."""
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        yield Remark("header.alg", f"is {_shown(algorithm)}", f"use {', '.join(ALGORITHMS)}; HS256 is recommended")
    if not isinstance(header.get("kid"), str) or not header["kid"]:
        yield Remark("header.kid", "is missing", "name the shared secret's ID, so that secrets can be rotated")
    if header.get("typ") != "JWT":
        yield Remark("header.typ", f"is {_shown(header.get('typ'))}", "write JWT", "warning")


def time_remarks(claims: Mapping[str, Any], now: datetime) -> Iterator[Remark]:
    """Yield what is wrong or doubtful about `iat`, `exp` and `jti`."""
    issued, end = _moment(claims.get("iat")), _moment(claims.get("exp"))
    if issued is None:
        yield Remark("iat", *_no_moment(claims.get("iat")))
    elif issued > now + _SKEW:
        yield Remark("iat", f"is {_length(issued - now)} ahead", "check the clock of the machine that makes tokens")
    if claims.get("exp") is None:
        yield Remark("exp", "is missing: the token is good for as long as its secret", "let it end", "warning")
    elif end is None:
        yield Remark("exp", *_no_moment(claims["exp"]))
    elif end <= now:
        yield Remark("exp", f"was {_length(now - end)} ago: the token has expired", "make a new one")
    if issued is not None and end is not None and end <= issued:
        yield Remark("exp", "is not after iat", "let the token live a while")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        yield Remark("jti", "is missing or no text", "write a UUID, another one in each token")


def claim_remarks(claims: Mapping[str, Any], opt_data: Any, crt: Any) -> Iterator[Remark]:
    """Yield what is wrong or doubtful about `optData` and `crt`.

    Args:
        claims: the payload.
        opt_data: what `optData` holds.
        crt: what `crt` holds.
    """
    for name, inner in (("optData", opt_data), ("crt", crt)):
        value = claims.get(name)
        if value is None:
            yield Remark(name, "is missing", f"{name} is required")
        elif not isinstance(value, str):
            yield Remark(name, "is JSON itself instead of a text that holds JSON", "serialize it: json.dumps(...)")
        elif inner is None:
            yield Remark(name, "is a text that is no JSON", "serialize it once, with json.dumps(...)")
        elif isinstance(inner, str):
            yield Remark(name, "is JSON that was serialized twice", "serialize it once")
    yield from _subject_remarks(opt_data)
    if isinstance(crt, dict):
        yield from rights_remarks(crt)
    elif isinstance(crt, list) and crt and all(isinstance(item, dict) for item in crt):
        fix = "write the one object, unless there are rights to several assets"
        yield Remark("crt", "is a list, which only older public clients send", fix, "warning")
        for number, item in enumerate(crt):
            yield from rights_remarks(item, f"crt[{number}]")
    elif crt is not None and not isinstance(crt, str):
        yield Remark("crt", "is no JSON object", 'write {"assetId": ..., "profile": ...}')


def _subject_remarks(opt_data: Any) -> Iterator[Remark]:
    if isinstance(opt_data, dict):
        for name in ("merchant", "userId"):
            if not isinstance(opt_data.get(name), str) or not opt_data[name]:
                yield Remark(f"optData.{name}", "is missing or no text", f"add {name}")
    elif opt_data is not None and not isinstance(opt_data, str):
        yield Remark("optData", "is no JSON object", 'write {"merchant": ..., "userId": ...}')


def rights_remarks(crt: Mapping[str, Any], place: str = "crt") -> Iterator[Remark]:
    """Yield what is wrong or doubtful about a CRT: what is missing, deprecated, or has no sense.

    Args:
        crt: the CRT.
        place: where it stands.
    """
    profile = crt.get("profile")
    if not crt.get("assetId") and not crt.get("ref"):
        yield Remark(place, "names neither an asset nor a template", "add assetId")
    if profile is None and not crt.get("ref"):
        yield Remark(f"{place}.profile", "is missing", 'write {"type": "purchase"}, or refer to a template')
    elif profile is not None and not isinstance(profile, dict):
        yield Remark(f"{place}.profile", "is no JSON object", 'write {"type": "purchase"}')
    elif isinstance(profile, dict):
        yield from _profile_remarks(profile, f"{place}.profile")
    if "storeLicense" not in crt and not crt.get("ref"):
        yield Remark(f"{place}.storeLicense", "is missing, and DRMtoday takes true", "say it", "warning")
    for name, fix in (("accountingId", "leave it out"), ("variantId", "write assetId|variantId as the assetId")):
        if name in crt:
            yield Remark(f"{place}.{name}", "is deprecated", fix, "warning")


def _profile_remarks(profile: Mapping[str, Any], place: str) -> Iterator[Remark]:
    kind, inner = profile.get("type"), profile
    if kind is None and len(profile) == 1 and next(iter(profile)) in {"purchase", "rental"}:
        kind = next(iter(profile))
        fix = f'write {{"type": "{kind}"}}, with its fields beside it'
        yield Remark(place, "has the deprecated structure", fix, "warning")
        inner = profile[kind] if isinstance(profile[kind], dict) else {}
    if kind not in ("purchase", "rental"):
        yield Remark(f"{place}.type", f"is {_shown(kind)}", "write purchase or rental")
    for name in ("relativeExpiration", "playDuration"):
        value = inner.get(name)
        length = parse_duration(value) if isinstance(value, str) else None
        older = name == "playDuration" and isinstance(value, int) and not isinstance(value, bool) and value > 0
        if older:
            message = "is a number, milliseconds in older public clients"
            yield Remark(f"{place}.{name}", message, "write it like PT3H or P7D", "warning")
        elif value is not None and length is None:
            yield Remark(f"{place}.{name}", "is no ISO 8601 duration", "write it like PT3H or P7D")
        elif length is not None and not timedelta() < length <= LONGEST_PLAY:
            yield Remark(f"{place}.{name}", "is zero or too long", f"{LONGEST_PLAY.total_seconds():.0f} s at most")
        if value is not None and kind == "purchase":
            yield Remark(f"{place}.{name}", "has no meaning for a purchase", "write rental", "warning")


def _moment(value: Any) -> datetime | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LATEST
    return datetime.fromtimestamp(value, UTC) if good else None


def _no_moment(value: Any) -> tuple[str, str]:
    if value is None:
        return "is missing", "write seconds since 1970"
    if isinstance(value, int | float) and value >= _MILLISECONDS:
        return "looks like milliseconds", "write seconds since 1970"
    return "is no number of seconds", "write seconds since 1970, as a number"


def _length(length: timedelta) -> str:
    return str(timedelta(seconds=int(length.total_seconds())))


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:40] if isinstance(value, str | int | float) else "no text"
