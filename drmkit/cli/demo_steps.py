"""The steps of the demo: each shows one part of the road for real, and fails where its part is broken."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drmkit import cpix
from drmkit.cas import CasClient
from drmkit.cli.demo_proof import checked, proven
from drmkit.config import Profile, load_profile
from drmkit.errors import (
    ApiError,
    CredentialsRejectedError,
    DrmkitError,
    ProtocolError,
    TaskFailedError,
)
from drmkit.http import HttpClient
from drmkit.identifiers import system_name
from drmkit.keyserver.account import cas_client, key_server
from drmkit.keyserver.fetch import fetch_document
from drmkit.keyserver.url import KeyServerUrl
from drmkit.mps import drm
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.task import Poll
from drmkit.provisioning import run
from drmkit.sandbox import FaultSetting, Rendition, Sandbox, SandboxOptions, Template
from drmkit.secret import Secret
from drmkit.stream.clip import make_clip
from drmkit.stream.packager import PackagedStream, package
from drmkit.stream.tools import Tools, find_tools

__all__ = ["STEPS", "Demo", "Step", "run_steps"]

_OK = 200
_NO_ROOM = "make room in the temporary folder, or name another one in TMPDIR"
_ASSET = "demo-asset"
_LADDER = (Rendition(640, 360, 500_000), Rendition(320, 180, 200_000))
_TEMPLATES = {number: Template(renditions=_LADDER) for number in range(10, 15)}
_TEMPLATES[11] = Template("MPEG-DASH", "mp4-byterange", _LADDER)


@dataclass(frozen=True, slots=True)
class Step:
    """How one step ended.

    Attributes:
        name: the step.
        ok: whether its part did what it should.
        detail: what was shown, or what went wrong; without secrets.
        seconds: how long it took.
        hint: what to do about a failure.
    """

    name: str
    ok: bool
    detail: str
    seconds: float
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The step as JSON shows it."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "seconds": round(self.seconds, 3)}


@dataclass
class Demo:
    """What the steps hand on to each other, and the parts that a test can put in the place of the real ones.

    Attributes:
        options: how the vendors behave.
        folder: an empty folder for the video.
        stack: closes what the steps open.
        find_tools: finds the packager and ffmpeg.
        package: encrypts.
        http: makes the calls that are no client's.
        aes_key: the key of the task that needs no key server.
        tools: the packager and ffmpeg.
        sandbox: the vendors.
        account: the sandbox's account, read as drmkit reads any environment.
        cas: the CAS client.
        url: the key-server URL.
        document: the CPIX document behind it.
        streams: what was encrypted so far, each with a word on where it comes from.
    """

    options: SandboxOptions
    folder: Path
    stack: ExitStack
    find_tools: Callable[[], Tools] = find_tools
    package: Callable[..., PackagedStream] = package
    http: HttpClient = field(default_factory=HttpClient)
    aes_key: Secret[bytes] = field(default_factory=lambda: Secret(secrets.token_bytes(16)))
    tools: Tools = field(init=False)
    sandbox: Sandbox = field(init=False)
    account: Profile = field(init=False)
    cas: CasClient = field(init=False)
    url: KeyServerUrl = field(init=False)
    document: cpix.Document = field(init=False)
    streams: list[tuple[str, PackagedStream]] = field(default_factory=list)

    def mint(self, source: str) -> KeyServerUrl:  # noqa: ARG002 (the demo has one account)
        """Take a fresh URL for a DRM task: the task itself says which scheme it wants."""
        return key_server(self.account).mint(self.cas)

    def mps_client(self, secret_key: Secret[str] | None = None) -> MpsClient:
        """Return a client for the sandbox's MPS."""
        secret_key = secret_key or self.account.secret("mps.secret_key")
        key = Credentials(self.account.require("mps.secret_id"), secret_key)
        return MpsClient(self.account.require("mps.endpoint"), key, http=self.http)


def start(demo: Demo) -> str:
    """The vendors answer on loopback, and can encrypt."""
    demo.tools = demo.find_tools()
    demo.sandbox = Sandbox(replace(demo.options, encrypt=True, tools=demo.tools, templates=_TEMPLATES))
    demo.stack.enter_context(demo.sandbox)
    response = demo.http.request("GET", f"{demo.sandbox.url}/health", purpose="the sandbox's health")
    if response.status != _OK:
        raise ProtocolError(f"the sandbox's health URL answers HTTP {response.status}")
    demo.account = load_profile(environ={"HOME": str(demo.folder), **demo.sandbox.environment()})
    return f"CAS, CPIX key server and MPS answer at {demo.sandbox.url}, with random credentials"


def take_ticket(demo: Demo) -> str:
    """Log in, take a service ticket, build the URL."""
    demo.cas = demo.stack.enter_context(cas_client(demo.account))
    demo.url = replace(key_server(demo.account), query={"x-signaling-alg": "cenc"}).mint(demo.cas)
    username = demo.account.require("username")
    return f"logged in as {username}; ticket-granting ticket, service ticket, then the URL:\n{demo.url}"


def read_keys(demo: Demo) -> str:
    """Fetch the CPIX document, check it, and tell which key protects which track."""
    document = cpix.parse(fetch_document(demo.url, http=demo.http).reveal())
    report = cpix.check(document)
    demo.document = document
    rows = [
        f"{rule.intended_track_type:6} {key.scheme}  key {key.kid}"
        for rule in document.usage_rules
        if (key := document.content_keys.get(rule.kid))
    ]
    systems = sorted({system_name(entry.system_id) for entry in document.drm_systems})
    return (
        f"CPIX {document.version}: {len(document.content_keys)} content keys for {', '.join(systems)}; "
        f"{len(report.errors)} errors\n" + "\n".join(rows)
    )


def run_jobs(demo: Demo) -> str:
    """Submit one signed job with a task for each kind of DRM, and follow it to its end."""
    iv = secrets.token_bytes(16)
    known: dict[str, Any] = {"resource_id": _ASSET, "iv": iv, "key_source": "drmtoday:demo"}
    protections = [
        drm.Widevine(**known, method="cenc"),
        drm.WidevinePlayReady(**known, method="cenc", preset="preset1"),
        drm.FairPlay(**known, method="cbcs"),
        drm.WidevinePlayReadyFairPlay(**known, method="cbcs", preset="preset1"),
        drm.SimpleAes(uri="https://keys.example.com/demo", key=demo.aes_key, iv=iv),
    ]
    job = Job.build(
        input="https://media.example.com/demo.mp4",
        output="cos://demo-1250000000/ap-singapore/drm/",
        tasks=[StreamingTask(number, protection) for number, protection in enumerate(protections, 10)],
    )
    _refuses_a_wrong_key(demo)
    outcome = run(job, client=demo.mps_client(), mint=demo.mint, poll=Poll(first=0.1, longest=1.0, deadline=120.0))
    outcome.verdict.require_success()
    submission = outcome.submissions[-1]
    used = len(demo.sandbox.events("keyserver")) - 1
    outputs = demo.sandbox.outputs(submission.task_id)
    if len(outcome.verdict.subtasks) != len(protections) or used < submission.minted or None in outputs:
        raise TaskFailedError(
            f"{len(outputs)} tasks ended and {used} key-server URLs were used", hint="a part was skipped"
        )
    demo.streams += [
        (f"task {task.definition}", output.stream)
        for task, output in zip(outcome.verdict.subtasks, outputs, strict=True)
        if output
    ]
    rows = [
        f"{task.drm or '?':28}{getattr(protection, 'method', None) or '':6}{task.state}  {task.output}"
        for task, protection in zip(outcome.verdict.subtasks, protections, strict=True)
    ]
    return (
        f"signatures are verified (a wrong key is refused); {used} key-server URLs were used for one task, and a clip "
        "was encrypted into the bucket:\n" + "\n".join(rows)
    )


def _refuses_a_wrong_key(demo: Demo) -> None:
    try:
        demo.mps_client(Secret("not-the-secret-key")).describe_task_detail("none")
    except CredentialsRejectedError:
        return
    except ApiError:
        pass  # it looked for the task, so it took the signature
    raise ProtocolError("MPS takes a request that is signed with a wrong key")


def package_video(demo: Demo) -> str:
    """Encrypt a clip on this machine, each track with the key that the document's usage rules give it."""
    tracks = make_clip(demo.folder / "clip", tools=demo.tools)
    stream = demo.package(demo.document, tracks, demo.folder / "stream", tools=demo.tools)
    demo.streams.append(("local", stream))
    names = [path.name for path in (stream.mpd, stream.master) if path]
    rows = [
        f"{item.planned.track.name:10}  {use.scheme}  key {use.kid.hex[:8]}.."
        if (use := item.planned.use)
        else f"{item.planned.track.name:10}  in the clear"
        for item in stream.tracks
    ]
    return f"encrypted by Shaka Packager with the document's keys; {' and '.join(names)} for:\n" + "\n".join(rows)


def prove_streams(demo: Demo) -> str:
    """Decrypt every rendition with two tools, and with the keys that the vendor keeps."""
    rows = proven(demo.streams, find_key=demo.sandbox.stored_key, aes_key=demo.aes_key, tools=demo.tools)
    return (
        "every rendition, decrypted by two tools (ffmpeg and Shaka Packager, for AES-128 ffmpeg and cryptography) with "
        "the keys that the vendor keeps, has the packets (SHA-256) and frames of its input, and with a wrong key it "
        "has not; `schm`, `tenc` and PSSH are the document's:\n" + "\n".join(rows)
    )


def check_streams(demo: Demo) -> str:
    """Look at every manifest with all that it names, as `drmkit stream check` does."""
    return "every manifest and its segments agree with each other and with the keys:\n" + "\n".join(
        checked(demo.streams, find_key=demo.sandbox.stored_key, document=demo.document, tools=demo.tools)
    )


STEPS: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("sandbox", start),
    ("ticket", take_ticket),
    ("keys", read_keys),
    ("jobs", run_jobs),
    ("package", package_video),
    ("proof", prove_streams),
    ("check", check_streams),
)
"""The steps by name, in their order."""


def run_steps(
    *,
    faults: Sequence[str] = (),
    told: Callable[[Step], None] = lambda _: None,
    steps: Sequence[tuple[str, Callable[[Demo], str]]] = STEPS,
    options: SandboxOptions | None = None,
    **parts: Any,
) -> list[Step]:
    """Run the steps until one fails; nothing of them is left behind.

    Args:
        faults: parts of the sandbox to break, as `drmkit.sandbox.FAULTS` names them.
        told: is told each step as it ends.
        steps: the steps to run.
        options: how the sandbox behaves otherwise.
        parts: fields of `Demo` to put in the place of its own.

    Returns:
        The steps that were run, the last of which may have failed.
    """
    options = replace(options or SandboxOptions(), faults=tuple(FaultSetting.parse(fault) for fault in faults))
    done: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="drmkit-demo-") as folder, ExitStack() as stack:
        demo = Demo(options, Path(folder), stack, **parts)
        stack.enter_context(demo.http)
        for name, step in steps:
            done.append(_run_one(name, step, demo))
            told(done[-1])
            if not done[-1].ok:
                break
    return done


def _run_one(name: str, step: Callable[[Demo], str], demo: Demo) -> Step:
    started = time.monotonic()
    try:
        ok, detail, hint = True, step(demo), None
    except DrmkitError as error:
        ok, detail, hint = False, error.message, _NO_ROOM if "no space left" in error.message else error.hint
    return Step(name, ok, detail, time.monotonic() - started, hint)
