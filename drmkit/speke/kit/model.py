"""What a conformance run is made of: cases, their results, and the bench on which a case works."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from drmkit import cpix
from drmkit.cpix.document import Document
from drmkit.cpix.report import Finding, Severity
from drmkit.errors import CpixError, ProtocolError, XmlError
from drmkit.identifiers import DrmSystem
from drmkit.speke.answer import check_answer, check_headers
from drmkit.speke.client import Exchange, SpekeClient
from drmkit.speke.request import build_request

__all__ = ["Bench", "Case", "CaseResult", "KitOptions", "KitReport", "Outcome", "problem"]

Outcome = Literal["passed", "warned", "failed", "skipped"]
_OK: Final = 200
_AUTH: Final = frozenset({401, 403})
_SOURCE: Final = "https://docs.aws.amazon.com/speke/latest/documentation/speke-constraints-v2.html"
_SUITE: Final = (
    ("VIDEO-1", "AUDIO-1"),
    ("VIDEO-3", "AUDIO-2"),
    ("VIDEO-5", "AUDIO-3"),
    ("VIDEO-8", "AUDIO-2"),
    ("VIDEO-2", "UNENCRYPTED"),
    ("UNENCRYPTED", "AUDIO-2"),
)
"""The presets of AWS's verification suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KitOptions:
    """What a run covers.

    Attributes:
        systems: the DRM systems that the provider serves.
        groups: the groups to run; none for all.
        quick: only the presets of AWS's own suite.
        content_prefix: the beginning of every content ID; content IDs are letters and digits alone.
        random: makes that many random bytes, for content IDs and test certificates' names.
    """

    systems: tuple[DrmSystem, ...] = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY)
    groups: frozenset[str] = frozenset()
    quick: bool = False
    content_prefix: str = "drmkit"
    random: Callable[[int], bytes] = secrets.token_bytes

    @property
    def suite(self) -> Sequence[tuple[str, str]]:
        """The presets of AWS's verification suite."""
        return _SUITE


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended.

    Attributes:
        group: what it belongs to.
        name: what was tried.
        outcome: `failed` where a finding is an error, `warned` where one is a warning, `skipped` with its reason.
        findings: what was found; nothing in a case that passed.
        seconds: how long it took.
        reason: why it was skipped.
    """

    group: str
    name: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result with stable keys."""
        return {**asdict(self), "findings": [asdict(item) for item in self.findings]}


@dataclass(frozen=True, slots=True)
class KitReport:
    """All results of a run.

    Attributes:
        version: the version of SPEKE that was spoken.
        results: in the order of the cases.
    """

    version: str
    results: tuple[CaseResult, ...]

    @property
    def ok(self) -> bool:
        """Whether no case failed."""
        return not any(result.outcome == "failed" for result in self.results)

    def count(self, outcome: Outcome) -> int:
        """How many cases ended so."""
        return sum(result.outcome == outcome for result in self.results)

    @property
    def rules(self) -> frozenset[str]:
        """The IDs of all rules that something breaks."""
        return frozenset(item.rule for result in self.results for item in result.findings if item.severity == "error")

    def to_dict(self) -> dict[str, Any]:
        """Return the report with stable keys."""
        counts = {name: self.count(name) for name in ("passed", "warned", "failed", "skipped")}
        return {
            "speke_version": self.version,
            "ok": self.ok,
            "counts": counts,
            "results": [result.to_dict() for result in self.results],
        }


@dataclass(slots=True)
class Bench:
    """Where a case works: it sends requests, and judges what comes back.

    Attributes:
        client: talks to the provider.
        options: what the run covers.
        remembered: what cases share, such as the test certificate.
    """

    client: SpekeClient
    options: KitOptions
    remembered: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The version of SPEKE."""
        return self.client.version.name

    def content_id(self) -> str:
        """Return a content ID that was not used before, in letters of both cases: providers hand it back as it is."""
        token = self.options.random(8).hex().upper()
        return f"{self.options.content_prefix}X{token}"

    def build(self, **arguments: Any) -> Document:
        """Build a request of the version that is spoken, of a new content ID unless one is given."""
        content_id = arguments.pop("content_id", None) or self.content_id()
        arguments.setdefault("systems", self.options.systems)
        return build_request(content_id, version=self.version, **arguments)

    def send(self, request: Document | bytes, *, speke_version: str | None = None) -> Exchange:
        """Send a request as it is, and return whatever comes back."""
        body = request if isinstance(request, bytes) else request.to_xml()
        return self.client.send(body, speke_version=speke_version)

    def ask(self, request: Document) -> tuple[Document | None, list[Finding]]:
        """Send a request that must be answered; return the answer, if it is a document, and all that is wrong."""
        exchange = self.send(request)
        if exchange.status != _OK:
            said = f": {exchange.text}" if exchange.text else ""
            hint = "pass credentials: a header, HTTP Basic or a signature of AWS" if exchange.status in _AUTH else None
            return None, [problem("kit-refused", f"the request was refused (HTTP {exchange.status}){said}", hint)]
        try:
            answer = cpix.parse(exchange.response.body)
        except (XmlError, CpixError) as error:
            return None, [problem("kit-no-document", f"the answer is no CPIX document: {error.message}", error.hint)]
        found = [*check_headers(exchange.response.headers, self.client.version)]
        return answer, [*found, *check_answer(request, answer, self.client.version)]

    def answer(self, request: Document) -> Document:
        """Send a request that must be answered, where another case looks at what is wrong with the answer.

        Raises:
            ProtocolError: there is no document.
        """
        answer, found = self.ask(request)
        if answer is None:
            raise ProtocolError(found[0].message)
        return answer


Try: TypeAlias = Callable[[Bench], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to try.

    Attributes:
        group: what it belongs to.
        name: what is tried, in words.
        run: tries it and yields what is wrong.
    """

    group: str
    name: str
    run: Try


def problem(rule: str, message: str, hint: str | None = None, *, severity: Severity = "error") -> Finding:
    """Return a finding about an exchange as a whole."""
    return Finding(
        rule=rule,
        kind="semantics",
        severity=severity,
        line=0,
        path="HTTP",
        message=message,
        hint=hint or "see the contract of SPEKE",
        source=_SOURCE,
    )
