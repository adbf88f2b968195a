"""The samples are what their README says: jobs without an error, callbacks that are read, flagged or refused."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import InputError
from drmkit.mps import cosmoderation
from drmkit.mps.findings import errors_of
from drmkit.mps.jobfile import read_job, write_job
from drmkit.mps.notification import parse, verify_sign
from drmkit.mps.wire import to_builtins
from drmkit.secret import Secret

ROOT = Path(__file__).resolve().parents[2] / "docs/samples"
JOBS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("jobs/*"))
CALLBACKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("callbacks/*"))
BROKEN = "callbacks/live-cut-short.json"
SCHEMAS = {
    "ProcessMedia": "ProcessMediaRequest",
    "ProcessLiveStream": "ProcessLiveStreamRequest",
}


def action_of(name: str) -> str:
    """The action of a job, by its name."""
    return {"live": "ProcessLiveStream", "vod": "ProcessMediaByMPS"}.get(Path(name).name.split("-")[0], "ProcessMedia")


def product_of(name: str) -> str:
    """Whose callback one is, by its name."""
    return {"live": "live", "vod": "VOD", "cos": "COS"}.get(Path(name).name.split("-")[0], "MPS")


def test_every_line_says_whose_it_is() -> None:
    """README has a line for every file, which begins with its interface or its product."""
    lines = dict(
        re.findall(r"^\| \[[^\]]+\]\(([^)]+)\) \| ([^|:]+):", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    )
    assert {name: lines[name] for name in JOBS} == {name: action_of(name) for name in JOBS}
    told = {"live": "MPS, live"}
    assert {name: lines[name] for name in CALLBACKS} == {
        name: told.get(product_of(name), product_of(name)) for name in CALLBACKS
    }


@pytest.mark.parametrize("name", JOBS)
def test_jobs(name: str, oracle: Any) -> None:
    """Each job is of the interface that its name says, has nothing wrong, and its request passes the schema."""
    job = read_job(ROOT / name)
    assert job.action == action_of(name)
    assert job.check() == []
    if job.action in SCHEMAS:
        urls = ["https://fe.example.com/x?ticket=ST-1"] * len(job.key_requests)
        request = to_builtins(job.request(urls), reveal=True)
        assert oracle.check(SCHEMAS[job.action], request) == []
    assert errors_of(read_job(ROOT / name).check()) == []
    assert write_job(job, "toml" if name.endswith("toml") else "json") == (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in CALLBACKS if name != BROKEN])
def test_callbacks(name: str, oracle: Any) -> None:
    """Each callback is read by the product that its name says; those of MPS are signed, and pass the schema."""
    body = (ROOT / name).read_bytes()
    product = product_of(name)
    if product == "COS":
        version = "Detail" if "detail" in name else "Simple"
        found = cosmoderation.parse(body, version=version)
        assert (found.verdict, found.known) == ("suspected", True)
        return
    notification = parse(body)
    assert notification.known is ("unknown" not in name)
    assert (notification.product, notification.live) == ("vod" if product == "VOD" else "mps", product == "live")
    if product == "VOD":
        return
    verify_sign(notification, Secret("NotifyKeyExample"), now=time.time())
    if notification.known:
        kind = "ParseLiveStreamProcessNotificationResponse" if notification.live else "ParseNotificationResponse"
        assert oracle.check(kind, json.loads(body)) == []


def test_the_body_that_is_cut_short() -> None:
    """A callback that is not whole is refused in words."""
    with pytest.raises(InputError, match="the message is not JSON"):
        parse((ROOT / BROKEN).read_bytes())
