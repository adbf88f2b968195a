"""The conformance kit: all green against a good provider, and red for each fault of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from lxml import etree

from drmkit.cpix.report import Finding
from drmkit.errors import ConfigurationError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.identifiers import DrmSystem
from drmkit.sandbox import FAULTS, Sandbox
from drmkit.speke.client import SpekeClient
from drmkit.speke.kit import CaseResult, KitOptions, KitReport, cases_for, run_kit, to_junit, to_table
from drmkit.speke.kit.run import GROUPS

Connect = Callable[..., SpekeClient]
FOUND_BY = {
    "speke-unavailable": ("basic", "kit-refused"),
    "speke-html": ("basic", "kit-no-document"),
    "speke-json-error": ("basic", "kit-no-document"),
    "speke-truncated": ("basic", "kit-no-document"),
    "speke-content-type": ("basic", "speke-content-type"),
    "speke-version-header-missing": ("basic", "speke-version-echo"),
    "speke-version-header-changed": ("basic", "speke-version-echo"),
    "speke-no-user-agent": ("basic", "speke-user-agent"),
    "speke-unchecked": ("negative", "kit-not-refused"),
    "speke-any-version": ("negative", "kit-not-refused"),
    "speke-errors-as-200": ("negative", "kit-not-refused"),
    "speke-error-text": ("negative", "kit-error-text"),
    "speke-strict-parts": ("presets", "kit-refused"),
    "speke-random-keys": ("determinism", "kit-other-key"),
    "speke-case-sensitive-kid": ("determinism", "kit-other-key"),
    "speke-order-dependent-keys": ("determinism", "kit-other-key"),
    "speke-same-key": ("determinism", "kit-same-key"),
    "speke-kid-as-key": ("basic", "speke-key-is-kid"),
    "speke-zero-key": ("basic", "speke-key-constant"),
    "speke-short-key": ("basic", "speke-key-length"),
    "speke-key-as-iv": ("basic", "speke-key-is-iv"),
    "speke-key-missing": ("basic", "speke-key-missing"),
    "speke-content-id-changed": ("basic", "speke-echo-content-id"),
    "speke-cpix-version-changed": ("basic", "speke-echo-version"),
    "speke-scheme-changed": ("basic", "speke-echo-scheme"),
    "speke-id-added": ("basic", "speke-echo-id"),
    "speke-rule-changed": ("basic", "speke-echo-rule"),
    "speke-rule-dropped": ("basic", "speke-echo-rule"),
    "speke-periods-dropped": ("periods", "speke-echo-missing"),
    "speke-period-times-changed": ("periods", "speke-echo-period"),
    "speke-system-dropped": ("basic", "speke-echo-missing"),
    "speke-element-dropped": ("basic", "speke-echo-missing"),
    "speke-name-dropped": ("echo", "speke-echo-changed"),
    "speke-left-empty": ("basic", "speke-empty"),
    "speke-extra-key": ("basic", "speke-echo-extra"),
    "speke-kid-half-renamed": ("basic", "speke-echo-kid-half"),
    "speke-kid-in-pssh": ("basic", "speke-signaling-pssh-key-id"),
    "speke-guid-order": ("basic", "speke-signaling-pssh-key-id"),
    "speke-checksum": ("places", "speke-signaling-pssh-checksum"),
    "speke-pssh-differs": ("basic", "speke-signaling-mpd-pssh"),
    "speke-hls-differs": ("basic", "speke-hls-same"),
    "speke-hls-keyformat": ("basic", "speke-signaling-hls-keyformat"),
    "speke-not-base64": ("basic", "speke-base64"),
    "speke-not-encrypted": ("encryption", "speke-not-encrypted"),
    "speke-wrong-mac": ("encryption", "kit-encryption"),
    "speke-other-recipient": ("encryption", "kit-encryption"),
    "speke-mac-missing": ("encryption", "speke-mac"),
    "speke-rate-limited": ("basic", "kit-refused"),
    "speke-dropped": ("basic", "kit-unreachable"),
    "speke-cut": ("basic", "kit-unreachable"),
}
LATE = {"speke-slow", "speke-dripping"}


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_a_good_provider_passes_everything(connect: Connect, version: str) -> None:
    """Against the sandbox, nothing fails and nothing is warned of, in any version."""
    report = run_kit(connect(version), KitOptions(quick=True))
    assert [result for result in report.results if result.outcome != "passed"] == []
    assert report.ok
    assert {result.group for result in report.results} == set(GROUPS)


def test_every_preset_and_system_is_tried(connect: Connect) -> None:
    """8 video and 3 audio presets, each alone too, and SHARED: 36 contracts, with each of 7 sets of systems."""
    cases = cases_for(connect(), KitOptions(groups=frozenset({"presets"})))
    assert len(cases) == 36 * 7 + 1
    assert len({case.name for case in cases}) == len(cases)
    report = run_kit(connect(), KitOptions(groups=frozenset({"presets"}), systems=(DrmSystem.WIDEVINE,)))
    assert report.ok
    assert len(report.results) == 36 + 1


def test_every_fault_of_the_sandbox_has_its_rule() -> None:
    """The list of what finds which fault is complete but for answers that are merely late, and longer than twenty."""
    assert set(FOUND_BY) | LATE == {name for name, fault in FAULTS.items() if fault.role == "speke"}
    assert len(FOUND_BY) >= 20


@pytest.mark.parametrize("fault", FOUND_BY)
def test_each_fault_is_found(connect: Connect, sandbox: Sandbox, fault: str) -> None:
    """A provider that misbehaves in one way is found out, in the group that is about it and by the rule for that."""
    sandbox.faults.switch_on(fault)
    group, rule = FOUND_BY[fault]
    report = run_kit(connect("2.1"), KitOptions(quick=True, groups=frozenset({group})))
    assert not report.ok
    assert rule in report.rules
    assert sandbox.faults.counts[fault] > 0


@pytest.mark.parametrize("systems", [(DrmSystem.FAIRPLAY,), (DrmSystem.PLAYREADY,), (DrmSystem.CLEARKEY_AES128,)])
def test_a_provider_of_one_system_is_checked_for_that_one(connect: Connect, systems: tuple[DrmSystem, ...]) -> None:
    """Who serves one DRM system is not asked for others."""
    options = KitOptions(systems=systems, groups=frozenset(GROUPS) - {"presets", "places"})
    assert [r for r in run_kit(connect(), options).results if r.outcome == "failed"] == []


def test_progress_is_told_case_by_case(connect: Connect) -> None:
    """The callback sees each result as it comes."""
    seen: list[CaseResult] = []
    ticks = iter(range(100))
    options = KitOptions(groups=frozenset({"basic", "determinism"}))
    report = run_kit(connect(), options, on_result=seen.append, clock=lambda: float(next(ticks)))
    assert tuple(seen) == report.results
    assert {result.seconds for result in seen} == {1.0}


def test_unknown_groups_are_refused(connect: Connect) -> None:
    """A group that does not exist is an error before anything is sent."""
    with pytest.raises(ConfigurationError, match="no group nonsense"):
        run_kit(connect(), KitOptions(groups=frozenset({"nonsense"})))


def test_a_provider_that_is_not_there_ends_the_run() -> None:
    """Where nothing can be reached from the start, three tries are enough."""

    def nobody(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    http = HttpClient(transport=httpx.MockTransport(nobody))
    seen: list[CaseResult] = []
    with pytest.raises(RemoteUnavailableError):
        run_kit(SpekeClient("https://gone.example.com/", http=http), on_result=seen.append)
    assert [result.outcome for result in seen] == ["failed", "failed"]


def _patched(status: int, text: str) -> SpekeClient:
    http = HttpClient(transport=httpx.MockTransport(lambda _: httpx.Response(status, text=text)))
    return SpekeClient("https://keys.example.com/", http=http)


def test_a_text_inside_json_is_a_warning() -> None:
    """The prescribed text within something else is told, and weighs less than another text."""
    report = run_kit(_patched(422, '{"message": "Missing CPIX@contentId"}'), KitOptions(groups=frozenset({"negative"})))
    outcomes = {result.name: result.outcome for result in report.results}
    assert outcomes["no contentId"] == "warned"
    assert outcomes["no CPIX version"] == "failed"
    assert outcomes["an empty body"] == "passed"


def test_a_locked_door_is_no_refusal_of_a_request() -> None:
    """401 does not show that a provider checks its requests."""
    report = run_kit(_patched(401, "no"), KitOptions(groups=frozenset({"negative"})))
    assert report.rules == {"kit-unauthorized"}


@pytest.mark.parametrize(("status", "told"), [(401, True), (403, True), (422, False)])
def test_who_is_locked_out_is_told_to_log_in(status: int, *, told: bool) -> None:
    """What helps against 401 and 403 are credentials, not the contract."""
    (result,) = run_kit(_patched(status, "no"), KitOptions(groups=frozenset({"basic"}))).results
    assert result.findings[0].rule == "kit-refused"
    assert ("pass credentials" in result.findings[0].hint) is told


def test_answering_a_doctype_is_a_warning() -> None:
    """A provider that answers a request with a DOCTYPE is warned of, more so if it expands entities."""

    def answer(text: str) -> list[str]:
        http = HttpClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=text)))
        client = SpekeClient("https://keys.example.com/", http=http)
        results = run_kit(client, KitOptions(groups=frozenset({"negative"}))).results
        return [f.message for result in results for f in result.findings if f.rule == "kit-doctype"]

    assert "and its entity was expanded" in answer("<a>drmkitEntityWasExpanded</a>")[0]
    assert "was not expanded" in answer("<a/>")[0]


def test_a_provider_without_heartbeat_is_warned_of(connect: Connect) -> None:
    """Version 1.0 has a heartbeat; keys come without it too."""

    def answer(got: httpx.Request) -> httpx.Response:
        return httpx.Response(404)

    http = HttpClient(transport=httpx.MockTransport(answer))
    client = SpekeClient("https://keys.example.com/speke", http=http, version="1.0")
    report = run_kit(client, KitOptions(groups=frozenset({"basic"})))
    assert {result.name: result.outcome for result in report.results}["the heartbeat is there"] == "warned"


FINDING = Finding(
    rule="speke-empty",
    kind="semantics",
    severity="error",
    line=3,
    path="/CPIX",
    message="PSSH is empty \x01",
    hint="fill it",
    source="https://example.com",
)


def sample() -> KitReport:
    """A report with one of everything."""
    from dataclasses import replace  # noqa: PLC0415

    others = [replace(FINDING, message=f"m{i}", line=0) for i in range(6)]
    return KitReport(
        "2.0",
        (
            CaseResult("basic", "fine", "passed"),
            CaseResult("basic", "broken", "failed", (FINDING, FINDING, *others), 0.5),
            CaseResult("echo", "odd", "warned", (replace(FINDING, severity="warning"),)),
            CaseResult("echo", "left out", "skipped", reason="no such system"),
        ),
    )


def test_the_table_says_what_failed_and_what_to_do() -> None:
    """A line a group, then each case that did not pass, repeated findings once with their number."""
    text = to_table(sample())
    assert "basic              2     1     0     1" in text
    assert "FAIL basic: broken" in text
    assert "line 3: PSSH is empty \x01 (2 times) [speke-empty]" in text
    assert "-> fill it" in text
    assert "and 2 more" in text
    assert "fine" not in text
    assert text.endswith("SPEKE 2.0: 1 of 4 cases passed, 1 warned, 1 failed, 1 skipped")
    assert "ok   basic: fine" in to_table(sample(), verbose=True)


def test_junit_is_xml_with_a_case_each() -> None:
    """Failures, warnings and skipped cases stand where continuous integration looks for them."""
    root = etree.fromstring(to_junit(sample()))
    assert dict(root.attrib) == {"tests": "4", "failures": "1", "errors": "0", "skipped": "1", "time": "0.500"}
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "PSSH is empty ?"
    assert "[speke-empty]" in (failure.text or "")
    assert root.find(".//system-out") is not None
    assert root.find(".//skipped") is not None
    assert len(root.findall(".//testcase")) == 4


def test_json_has_stable_keys() -> None:
    """The report as values of JSON: version, verdict, counts, and each case with its findings."""
    data = json.loads(json.dumps(sample().to_dict()))
    assert (data["speke_version"], data["ok"]) == ("2.0", False)
    assert data["counts"] == {"passed": 1, "warned": 1, "failed": 1, "skipped": 1}
    assert data["results"][1]["findings"][0]["rule"] == "speke-empty"
    assert set(data["results"][0]) == {"group", "name", "outcome", "findings", "seconds", "reason"}
