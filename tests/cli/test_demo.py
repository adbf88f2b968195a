"""The demo: it shows the whole road, and breaks where its parts break."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.cli.demo_proof import proven
from drmkit.cli.demo_steps import STEPS, Demo, Step, run_steps
from drmkit.errors import MissingExtraError, PackagingError
from drmkit.sandbox import Sandbox
from drmkit.secret import Secret
from drmkit.stream.aes128 import package_aes128
from drmkit.stream.clip import make_clip
from drmkit.stream.packager import PackagedStream, package
from drmkit.stream.plan import plan
from drmkit.stream.tools import Tools, find_tools

TASKS = [f"task {number}" for number in range(10, 15)]
Run = Callable[..., int]
NAMES = ["sandbox", "ticket", "keys", "jobs", "package", "proof", "check"]


def test_the_demo_shows_every_step_as_json(run: Run, capsys: Any) -> None:
    """`drmkit demo --format json` reports each step with its name, verdict and detail, and ends with 0."""
    assert run("demo", "--format", "json") == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert data["schema_version"] == 1
    assert data["ok"] is True
    assert [step["name"] for step in data["steps"]] == NAMES
    assert all(step["ok"] and step["detail"] for step in data["steps"])
    assert err == ""
    details = {step["name"]: step["detail"] for step in data["steps"]}
    assert "?ticket=**********" in details["ticket"]
    assert all(f"{track} " in details["keys"] for track in ("AUDIO", "SD", "HD", "UHD"))
    for kind, method in (
        ("widevine", "cenc"),
        ("widevine+playready", "cenc"),
        ("fairplay", "cbcs"),
        ("widevine+playready+fairplay", "cbcs"),
        ("simpleaes", ""),
    ):
        assert f"{kind:28}{method:6}succeeded" in details["jobs"]
    rows = [
        re.fullmatch(r"(task \d\d|local) +(\S+) +((?:\S+ [0-9a-f]{8}\.\. *)+)", row)
        for row in details["proof"].splitlines()
    ]
    proven = [match.groups() for match in rows if match]
    assert [(where, scheme, tracks.count("..")) for where, scheme, tracks in proven] == [
        ("task 10", "cenc", 3),
        ("task 11", "cenc", 3),
        ("task 12", "cbcs", 3),
        ("task 13", "cbcs", 3),
        ("task 14", "AES-128", 3),
        ("local", "cenc", 3),
    ]
    # Every task encrypts the same renditions.
    assert len({tracks for where, _, tracks in proven if where != "local"}) == 1
    checked = details["check"].splitlines()
    assert [sum(row.startswith(where) for row in checked) for where in (*TASKS, "local")] == [1] * 5 + [2]
    assert not any("error" in row for row in checked)


@pytest.mark.parametrize(
    ("fault", "step", "reason"),
    [
        ("cas-login-refused", "ticket", "rejected the user name or password"),
        ("cas-html-ticket", "ticket", "looks like HTML"),
        ("cas-location-elsewhere", "ticket", "ticket's Location is"),
        ("cas-early-expiry", "keys", "refused the ticket"),
        ("keyserver-truncated", "keys", "not well-formed XML"),
        ("keyserver-html", "keys", "an HTML page"),
        ("keyserver-duplicate-kid", "keys", "kid"),
        ("keyserver-kid-as-key", "proof", "does not decrypt to its source"),
        ("keyserver-wrong-key", "proof", "does not decrypt to its source"),
        ("keyserver-swapped-keys", "proof", "does not decrypt to its source"),
        ("mps-signature-refused", "jobs", "AuthFailure.SignatureFailure"),
        ("mps-signature-ignored", "jobs", "signed with a wrong key"),
        ("mps-task-fails", "jobs", "5 of 5 subtasks failed"),
    ],
)
def test_a_broken_vendor_fails_the_demo_at_its_step(fault: str, step: str, reason: str) -> None:
    """Each part of the vendors, broken once, fails the demo exactly there and with its own reason."""
    steps = run_steps(faults=[fault])
    assert [item.ok for item in steps] == [True] * (len(steps) - 1) + [False]
    assert steps[-1].name == step
    assert reason in steps[-1].detail


def test_a_missing_packager_fails_the_demo_at_once() -> None:
    """Without the extra, the demo says what to install."""

    def nothing() -> Tools:
        raise MissingExtraError("Shaka Packager is not installed", hint="pip install 'drmkit[packager]'")

    last = run_steps(find_tools=nothing)[-1]
    assert (last.name, last.ok, last.hint) == ("sandbox", False, "pip install 'drmkit[packager]'")


def with_other_keys(document: cpix.Document, tracks: Any, output: Path, *, tools: Tools) -> PackagedStream:
    """Package with keys that are not the document's."""
    made = plan(document, tracks, tools=tools)
    for key in document.content_keys:
        assert key.key is not None
        key.key = Secret(bytes(byte ^ 1 for byte in key.key.reveal()))
    assert made.tracks
    return package(document, tracks, output, tools=tools)


def in_the_clear(document: cpix.Document, tracks: Any, output: Path, *, tools: Tools) -> PackagedStream:
    """Claim that the sources are the encrypted files."""
    stream = package(document, tracks, output, tools=tools)
    clear = tuple(replace(item, files=(item.planned.track.path,)) for item in stream.tracks)
    return replace(stream, tracks=clear)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [(with_other_keys, "does not decrypt to its source"), (in_the_clear, "is clear, not encrypted")],
)
def test_a_packager_that_lies_fails_the_demo(broken: Callable[..., PackagedStream], reason: str) -> None:
    """Other keys, or no encryption at all, are seen by the hashes."""
    last = run_steps(package=broken)[-1]
    assert (last.name, last.ok) == ("proof", False)
    assert reason in last.detail


def test_whole_segments_are_proven_by_two_tools(tmp_path: Path) -> None:
    """AES-128 with another key, and segments that were never encrypted, fail the proof; the right key gives a row."""
    tools, key = find_tools(), Secret(bytes(range(16)))
    clip = make_clip(tmp_path / "clip", tools=tools, seconds=2)
    stream = package_aes128(clip, tmp_path / "out", key=key, iv=None, key_uri="k", container="mp4", tools=tools)

    def prove(aes_key: Secret[bytes]) -> list[str]:
        return proven([("here", stream)], find_key=lambda _: None, aes_key=aes_key, tools=tools)

    assert prove(key)[0].startswith("here     AES-128")
    with pytest.raises(PackagingError, match="does not decrypt with the key of its task by cryptography"):
        prove(Secret(bytes(16)))
    # What the library reads right and ffmpeg does not is seen as well: here the tag that says how it is encrypted.
    playlist = stream.tracks[0].playlist
    assert playlist is not None
    text = playlist.read_text(encoding="utf-8")
    playlist.write_text(re.sub(r"#EXT-X-KEY.*\n", "", text), encoding="utf-8")
    with pytest.raises(PackagingError, match="does not decrypt with the key of its task by ffmpeg"):
        prove(key)


def test_a_sandbox_that_is_not_well_fails_the_demo_at_once() -> None:
    """The first step asks the sandbox how it is."""

    def sick(demo: Demo) -> str:
        demo.sandbox = demo.stack.enter_context(Sandbox(demo.options))
        response = demo.http.request("GET", f"{demo.sandbox.url}/nowhere", purpose="the sandbox's health")
        assert response.status == 404
        return "answered"

    steps = run_steps(steps=[("sick", sick)])
    assert steps == [Step("sick", ok=True, detail="answered", seconds=steps[0].seconds)]


def test_the_demo_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the demo is gone when it has ended, well or badly."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_steps(steps=STEPS[:3])
    run_steps(steps=STEPS[:3], faults=["keyserver-html"])
    assert list(tmp_path.iterdir()) == []


def test_a_failing_demo_is_exit_code_1(run: Run, capsys: Any) -> None:
    """The command says where the demo failed, in both forms."""
    assert run("demo", "--fault", "cas-login-refused") == 1
    out, err = capsys.readouterr()
    assert "FAILED: the CAS at 127.0.0.1" in out
    assert "FAIL ticket" in err
    assert "error: the demo failed at its step ticket" in err
    assert run("demo", "--format", "json", "--fault", "cas-login-refused") == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_an_unknown_fault_names_the_nearest(run: Run, capsys: Any) -> None:
    """A fault that does not exist is a clear error."""
    assert run("demo", "--fault", "cas-login-refusd") == 3
    assert "did you mean 'cas-login-refused'" in capsys.readouterr().err
