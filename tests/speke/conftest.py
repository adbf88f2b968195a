"""A sandbox with known seeds, and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from speke_requests import sandbox_options

from drmkit.http import HttpClient
from drmkit.retry import Retrier, RetryPolicy
from drmkit.sandbox import Sandbox
from drmkit.speke.client import SpekeClient


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """One sandbox for all tests that leave no fault behind."""
    with Sandbox(sandbox_options()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, without faults before and after."""
    running.faults.clear()
    yield running
    running.faults.clear()


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """An HTTP client."""
    with HttpClient(trust_env=False) as client:
        yield client


@pytest.fixture
def connect(sandbox: Sandbox, http: HttpClient) -> Callable[..., SpekeClient]:
    """Make a client for the shared sandbox that tries once."""

    def make(version: str = "2.0", **arguments: Any) -> SpekeClient:
        url = f"{sandbox.url}/speke/v{version}/copyProtection"
        once = Retrier(RetryPolicy(attempts=1))
        return SpekeClient(url, http=http, version=version, retrier=once, **arguments)

    return make
