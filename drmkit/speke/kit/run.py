"""Runs the cases of a conformance kit one after the other and judges each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from drmkit.cpix.report import Finding
from drmkit.errors import ConfigurationError, DrmkitError, RemoteUnavailableError, TlsError
from drmkit.speke.client import SpekeClient
from drmkit.speke.kit.model import Bench, Case, CaseResult, KitOptions, KitReport, Outcome, problem
from drmkit.speke.kit.negative import negative_cases
from drmkit.speke.kit.positive import positive_cases

__all__ = ["GROUPS", "cases_for", "run_kit"]

GROUPS = ("basic", "determinism", "echo", "presets", "places", "periods", "encryption", "negative")
"""The groups of cases."""
_MOST_UNREACHABLE = 3


def cases_for(client: SpekeClient, options: KitOptions | None = None) -> list[Case]:
    """Return the cases of a run.

    Args:
        client: talks to the provider; its version decides about many cases.
        options: what the run covers.

    Raises:
        ConfigurationError: there is no such group.
    """
    chosen = options or KitOptions()
    unknown = chosen.groups - set(GROUPS)
    if unknown:
        raise ConfigurationError(
            f"there is no group {', '.join(sorted(unknown))}", hint=f"the groups: {', '.join(GROUPS)}"
        )
    return [case for case in _all(Bench(client, chosen)) if not chosen.groups or case.group in chosen.groups]


def run_kit(
    client: SpekeClient,
    options: KitOptions | None = None,
    *,
    on_result: Callable[[CaseResult], None] = lambda _: None,
    clock: Callable[[], float] = time.perf_counter,
) -> KitReport:
    """Try everything on a provider.

    A run asks for the keys of a few hundred content IDs of its own; a provider that remembers keys will remember those.

    Args:
        client: talks to the provider.
        options: what the run covers.
        on_result: called after each case.
        clock: seconds, for the durations.

    Raises:
        RemoteUnavailableError: the provider could not be reached from the start.
        ConfigurationError: there is no such group.
    """
    bench = Bench(client, options or KitOptions())
    results: list[CaseResult] = []
    unreachable = 0
    for case in cases_for(client, bench.options):
        start = clock()
        try:
            found = tuple(item for item in case.run(bench) if item.severity != "info")
        except (RemoteUnavailableError, TlsError) as error:
            unreachable += 1
            if unreachable == len(results) + 1 >= _MOST_UNREACHABLE:
                raise
            found = (problem("kit-unreachable", error.message, error.hint),)
        except DrmkitError as error:
            found = (problem("kit-no-answer", error.message, error.hint),)
        results.append(CaseResult(case.group, case.name, _outcome(found), found, clock() - start))
        on_result(results[-1])
    return KitReport(client.version.name, tuple(results))


def _all(bench: Bench) -> Iterator[Case]:
    yield from positive_cases(bench)
    yield from negative_cases(bench)


def _outcome(found: tuple[Finding, ...]) -> Outcome:
    severities = {item.severity for item in found}
    return "failed" if "error" in severities else "warned" if severities else "passed"
