"""What the admin API says of a sandbox: tickets, keys, tasks, requests and faults as JSON, every secret left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from drmkit import __version__
from drmkit.identifiers import KeyId
from drmkit.sandbox.exchanges import Exchange, masked
from drmkit.sandbox.faultlist import FAULTS
from drmkit.sandbox.faultprofiles import PROFILES
from drmkit.sandbox.faults import FaultSetting
from drmkit.sandbox.keydocument import protected_by
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.media import Output
from drmkit.sandbox.mediafolder import bucket_of, media_url
from drmkit.sandbox.mps_task import ADAPTIVE, Subtask, Task
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.tickets import Ticket

__all__ = ["catalog", "exchange_whole", "faults_view", "state_view"]

_SHOWN = 100
_REQUESTS = 60


def state_view(state: SandboxState, tasks: TaskStore, *, player: bool) -> dict[str, Any]:
    """Return everything that the dashboard shows.

    Args:
        state: the sandbox's state.
        tasks: its media tasks.
        player: whether results can be played here.
    """
    now = state.clock.now()
    known = state.credentials
    logins, tickets = state.tickets.counts
    latest = tasks.latest(_SHOWN)
    protected = _tracks(task for task, _ in latest)
    return {
        "schema_version": 1,
        "version": __version__,
        "now": now,
        "advanced": state.clock.offset,
        "account": {
            "username": known.username,
            "organization": known.organization,
            "cpix_config": known.cpix_config,
            "secret_id": known.secret_id,
        },
        "counts": {
            "logins": logins,
            "tickets": tickets,
            "keys": len(state.keys),
            "tasks": tasks.count,
            "requests": state.exchanges.count,
        },
        "tickets": [_ticket(ticket, now) for ticket in state.tickets.latest(_SHOWN)],
        "keys": [_key(key, content, protected.get(key.kid, [])) for key, content in state.keys.latest(_SHOWN)],
        "tasks": [_task(task, detail, player=player) for task, detail in latest],
        "requests": [_exchange(exchange) for exchange in state.exchanges.latest(_REQUESTS)],
        "faults": faults_view(state),
    }


def faults_view(state: SandboxState) -> dict[str, Any]:
    """Return which faults are on, how often each has shown, and the seed that repeats them."""
    return {
        "seed": state.faults.seed,
        "active": [_setting(setting) for setting in state.faults.settings],
        "counts": state.faults.counts,
    }


def catalog() -> dict[str, Any]:
    """Return every fault and every profile that there is."""
    return {
        "schema_version": 1,
        "faults": [{"name": item.name, "role": item.role, "summary": item.summary} for item in FAULTS.values()],
        "profiles": [
            {"name": item.name, "summary": item.summary, "settings": list(item.settings)} for item in PROFILES.values()
        ],
    }


def exchange_whole(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange with its secrets: the whole target, headers and bodies."""
    return {
        "schema_version": 1,
        "target": exchange.target,
        "request": _message(exchange.request_headers, exchange.request_body, exchange.request_size),
        "response": _message(exchange.response_headers, exchange.response_body, exchange.response_size),
    }


def _ticket(ticket: Ticket, now: float) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "kind": ticket.kind,
        "status": ticket.status(now),
        "service": masked(ticket.service) or None,
        "login": ticket.login or None,
        "issued": ticket.issued,
        "ends": ticket.ends,
        "single_use": ticket.single_use,
        "uses": ticket.uses,
        "refusals": ticket.refusals,
    }


def _key(key: TrackKey, content: str, tracks: list[str]) -> dict[str, Any]:
    return {
        "kid": key.kid.uuid,
        "stream_type": key.stream_type or None,
        "content": masked(content) or None,
        "protects": protected_by(key.stream_type),
        "tracks": tracks,
    }


def _task(task: Task, detail: Mapping[str, Any], *, player: bool) -> dict[str, Any]:
    results = (detail.get("WorkflowTask") or {}).get("MediaProcessResultSet") or []
    adaptive = (result.get("AdaptiveDynamicStreamingTask") for result in results)
    left = (result["Output"] for result in adaptive if result is not None)
    outputs = [next(left, None) if subtask.kind == ADAPTIVE else None for subtask in task.subtasks]
    return {
        "id": task.task_id,
        "status": "ABORTED" if task.aborted else task.status,
        "created": task.created,
        "begun": task.begun,
        "finished": task.finished,
        "subtasks": [
            _subtask(subtask, output, task, player=player)
            for subtask, output in zip(task.subtasks, outputs, strict=True)
        ],
    }


def _subtask(subtask: Subtask, output: Mapping[str, Any] | None, task: Task, *, player: bool) -> dict[str, Any]:
    drm = subtask.spec.get("DrmInfo") or {}
    made: Output | None = subtask.result
    return {
        "kind": subtask.kind,
        "definition": subtask.spec.get("Definition"),
        "drm": drm.get("Type"),
        "status": "WAITING" if task.begun is None else subtask.status,
        "stage": subtask.stage,
        "percent": 100 if subtask.status != "PROCESSING" else subtask.percent,
        "error": subtask.error or None,
        "message": subtask.message or None,
        "bucket": bucket_of(output["Storage"]) if output else None,
        "path": output["Path"] if output else None,
        "play": _play(made) if made is not None and player else None,
    }


def _play(made: Output) -> str:
    return f"/player/?manifest={quote(quote(media_url(made.bucket, made.path)))}"


def _tracks(tasks: Iterable[Task]) -> dict[KeyId, list[str]]:
    """Return, for each key, the renditions that tasks encrypted with it."""
    found: dict[KeyId, list[str]] = {}
    made: Iterable[Output] = (part.result for task in tasks for part in task.subtasks if part.result is not None)
    for track in (track for output in made for track in output.stream.tracks):
        use, properties = track.planned.use, track.planned.properties
        if use is not None:
            size = f"{properties.width}x{properties.height}" if properties.width else f"{properties.channels} channels"
            name = f"{track.planned.track.kind} {size}"
            if name not in found.setdefault(use.kid, []):
                found[use.kid].append(name)
    return found


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "number": exchange.number,
        "at": exchange.at,
        "role": exchange.role,
        "method": exchange.method,
        "target": exchange.shown,
        "what": exchange.what or None,
        "outcome": exchange.outcome or None,
        "status": exchange.status,
        "seconds": exchange.seconds,
        "faults": list(exchange.faults),
        "dropped": exchange.dropped,
        "request_size": exchange.request_size,
        "response_size": exchange.response_size,
    }


def _setting(setting: FaultSetting) -> dict[str, Any]:
    return {"name": setting.name, "times": setting.times, "probability": setting.probability}


def _message(headers: list[tuple[str, str]], body: bytearray, size: int) -> dict[str, Any]:
    text = _readable(bytes(body))
    return {
        "headers": [list(pair) for pair in headers],
        "text": text,
        "hex": None if text is not None else body.hex(),
        "size": size,
        "complete": len(body) == size,
    }


def _readable(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if all(sign.isprintable() or sign in "\r\n\t" for sign in text) else None
