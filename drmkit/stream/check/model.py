"""What a check of a stream found: its tracks, and every finding with its rule, its place and what to do."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from drmkit.errors import VerdictError

__all__ = ["SEVERITIES", "Finding", "Place", "Severity", "StreamReport", "TrackReport", "Verdict"]

Severity = Literal["error", "warning", "advice", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice", "note")
Verdict = Literal["clear", "decrypts", "does not decrypt", "cannot tell", "not tried"]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and in it a line of text, or a box and its offset in bytes.

    Attributes:
        file: the file's name, seen from the manifest; query strings, which can hold tokens, are left out.
        line: the line, counted from 1, or 0.
        box: the box's path, such as `moov/pssh`, or "".
        byte: the box's offset in the file (for a byte range: in the range's file), or None.
    """

    file: str = ""
    line: int = 0
    box: str = ""
    byte: int | None = None

    def __str__(self) -> str:
        words = self.file or "the stream"
        if self.line:
            words += f" line {self.line}"
        if self.box:
            words += f", box {self.box}"
        return words if self.byte is None else f"{words} at byte {self.byte}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes:
        rule: the stable ID of the rule.
        severity: `error` where players fail or the protection does; `warning` where some may; `advice` for what could
            be better; `note` for what was not, or could not be, looked at.
        track: the track's name, or "" for the stream as a whole.
        place: where it stands.
        message: what is wrong, in words, without any secret value.
        hint: what to do about it.
        source: the clause that says so.
    """

    rule: str
    severity: Severity
    track: str
    place: Place
    message: str
    hint: str
    source: str

    def __str__(self) -> str:
        return f"{f'{self.track}: ' if self.track else ''}{self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackReport:
    """One track as it was found.

    Attributes:
        name: its name: the ID of a DASH representation, or the name of an HLS playlist.
        kind: "video", "audio", "text", "muxed" or "unknown".
        codec: the format of the clear samples, such as "avc1", or "" where it was not read.
        details: size or channels, for people.
        scheme: the protection scheme, "sample-aes", "aes-128", or "" where the track is clear.
        kids: the key IDs, as UUIDs.
        iv: how IVs are given, such as "8 bytes each" or "constant 0x...".
        pattern: encrypted and skipped blocks, such as "1:9", or "".
        systems: the DRM systems that manifest or media signal, by name.
        segments: how many segments the track has, as far as is known.
        examined: how many of them were read.
        verdict: whether it decrypts.
        reason: why that verdict, in words.
    """

    name: str
    kind: str
    codec: str = ""
    details: str = ""
    scheme: str = ""
    kids: tuple[str, ...] = ()
    iv: str = ""
    pattern: str = ""
    systems: tuple[str, ...] = ()
    segments: int = 0
    examined: int = 0
    verdict: Verdict = "not tried"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """All that was found over one stream.

    Attributes:
        manifest: the manifest's name, without query string.
        protocol: "HLS" or "DASH".
        tracks: the tracks.
        findings: the findings, the worst first; within a severity in the order in which they were met.
    """

    manifest: str
    protocol: Literal["HLS", "DASH"]
    tracks: tuple[TrackReport, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of severity error."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return dict(Counter(finding.severity for finding in self.findings))

    def of_rule(self, rule: str) -> tuple[Finding, ...]:
        """Return the findings of one rule."""
        return tuple(finding for finding in self.findings if finding.rule == rule)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the values of the JSON output."""
        return {
            "manifest": self.manifest,
            "protocol": self.protocol,
            "ok": self.ok,
            "tracks": [asdict(track) for track in self.tracks],
            "findings": [asdict(finding) for finding in self.findings],
        }

    def raise_for_errors(self) -> None:
        """Raise VerdictError, naming the first errors, unless there is none."""
        errors = self.errors
        if errors:
            first = "; ".join(str(finding) for finding in errors[:_SHOWN])
            more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
            raise VerdictError(f"{self.manifest} has faults: {first}{more}", hint=errors[0].hint)
