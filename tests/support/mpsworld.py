"""A sandbox for tests of the command line: its account as a profile, and an MPS that answers what a test scripts."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, Request

from drmkit.cli.main import main
from drmkit.sandbox import Sandbox

SHARED = Path(__file__).resolve().parents[3] / "shared"

IV = "00112233445566778899aabbccddeeff"
JOB = (
    *("job", "new", "--drm", "widevine", "--definition", "12", "--resource-id", "movie-1", "--iv", IV),
    *("--key-source", "drmtoday:sandbox", "--input", "https://media.example.com/movie.mp4"),
    *("--output", "cos://target-1250000000/ap-singapore/out/"),
)


def api(response: dict[str, Any], **answer: Any) -> Answer:
    """An answer of the API."""
    body = json.dumps({"Response": {"RequestId": "r-1", **response}}).encode()
    return Answer(**({"body": body, "headers": {"Content-Type": "application/json"}} | answer))


def api_fault(code: str, message: str = "refused") -> Answer:
    """An error of the API, which is HTTP 200."""
    return api({"Error": {"Code": code, "Message": message}})


def actions(requests: list[Request]) -> list[str]:
    """The actions that were called."""
    return [request.headers["x-tc-action"] for request in requests]


def runner(sandbox: Sandbox, home: Path) -> Callable[..., int]:
    """A function that runs a command line with the sandbox's profile, and further variables by name."""
    config = home / "sandbox.toml"
    config.write_text(sandbox.profile_toml(), encoding="utf-8")
    config.chmod(0o600)

    def run(*arguments: str, **environ: str) -> int:
        return main(arguments, environ={"HOME": str(home), "DRMKIT_CONFIG": str(config), **environ})

    return run


def load_oracle() -> Any:
    """Tencent's machine-readable schema; `check(name, body)` returns its findings."""
    path = SHARED / "oracles" / "check_mps.py"
    if not path.exists():
        pytest.skip("../shared is absent")
    spec = importlib.util.spec_from_file_location("check_mps", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
