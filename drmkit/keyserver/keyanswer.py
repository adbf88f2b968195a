"""What DRMtoday's key management answers: ingested keys, records of keys, and errors inside a success."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from drmkit.errors import IdentifierError, ProtocolError, VerdictError
from drmkit.identifiers import KeyId, system_name
from drmkit.secret import MASK, Secret

__all__ = [
    "IngestedKey",
    "KeyRecord",
    "KeysRefusedError",
    "masked",
    "parsed",
    "read_ingested",
    "read_json",
    "read_records",
    "refusals",
    "unnamed",
]

_LONGEST = 200
_MOST = 20
_SECRET_NAME = re.compile(r".*(key|secret|seed|password|token)|iv|value", re.IGNORECASE | re.DOTALL)
_DEEPEST = 20
_ERRORS = ("errors", "error")
_LISTS = ("keys", "records", "items", "results", "content", "data")


class KeysRefusedError(VerdictError):
    """DRMtoday refuses assets or keys, or there is no such key.

    Args:
        message: what it refuses, without keys.
        hint: what to do next.
        problems: each refusal, as a sentence.
    """

    def __init__(self, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class IngestedKey:
    """A key that was brought in.

    Attributes:
        asset_id: its asset.
        stream_type: its stream type.
        kid: its key ID; None where the answer does not name one.
        pssh_content: the data of its PSSH boxes, without the boxes' headers, by system ID.
    """

    asset_id: str
    stream_type: str
    kid: KeyId | None
    pssh_content: Mapping[str, bytes]

    @property
    def systems(self) -> tuple[str, ...]:
        """The names of the DRM systems that there is signaling for."""
        return tuple(system_name(system_id) for system_id in self.pssh_content)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known about a key.

    Attributes:
        kid: its key ID, as it was answered.
        asset_id: its asset.
        stream_type: its stream type.
        variant_id: its variant.
        channel: the way it came, such as `CPIX`.
        more: every other field of the record.
    """

    kid: str
    asset_id: str
    stream_type: str
    variant_id: str
    channel: str
    more: Mapping[str, Any]


def read_ingested(body: bytes, purpose: str) -> tuple[IngestedKey, ...]:
    """Read the answer to an ingest.

    Raises:
        ProtocolError: it does not have the form of one.
    """
    document = read_json(body, purpose)
    assets = document.get("assets") if isinstance(document, dict) else None
    if not isinstance(assets, list) or not assets:
        raise ProtocolError(
            f"{purpose} took the keys, but its answer names no assets",
            hint="look with `drmkit drmtoday keys query` whether they are there",
        )
    return tuple(
        _ingested(asset, key)
        for asset in assets
        if isinstance(asset, dict)
        for key in asset.get("keys") or []
        if isinstance(key, dict)
    )


def _ingested(asset: Mapping[str, Any], key: Mapping[str, Any]) -> IngestedKey:
    kid = None
    with suppress(IdentifierError):
        kid = KeyId.from_base64(str(key.get("keyId", "")))
    response = key.get("cencResponse")
    systems = response.get("systemId") if isinstance(response, dict) else None
    contents = {}
    for system_id, entry in systems.items() if isinstance(systems, dict) else ():
        text = entry.get("psshBoxContent") if isinstance(entry, dict) else None
        with suppress(ValueError):
            contents[str(system_id).lower()] = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    return IngestedKey(str(asset.get("assetId", "")), str(key.get("streamType", "")), kid, contents)


def unnamed(sent: Iterable[KeyId], taken: Sequence[IngestedKey]) -> tuple[KeyId, ...]:
    """Return the keys that were sent and that the answer does not name, where it names keys by their IDs at all."""
    named = {key.kid for key in taken}
    return () if not named or None in named else tuple(kid for kid in sent if kid not in named)


def read_records(body: bytes, purpose: str) -> tuple[KeyRecord, ...]:
    """Read the answer to a query or a download: a JSON list, an object that holds one, or one object a line.

    Raises:
        ProtocolError: it is none of these.
    """
    text = body.strip()
    if not text:
        return ()
    document = parsed(text)
    if isinstance(document, dict):
        lists = [document[name] for name in _LISTS if isinstance(document.get(name), list)]
        document = lists[0] if lists else [document]
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        raise ProtocolError(
            f"{purpose} answered something that is no list of keys",
            hint="something else may be answering: check the host and the proxy",
        )
    return tuple(_record(entry) for entry in document)


def _record(entry: Mapping[str, Any]) -> KeyRecord:
    named = {"keyId", "assetId", "streamType", "variantId", "ingestChannel"}
    known = {name: str(entry[name]) if entry.get(name) is not None else "" for name in named & entry.keys()}
    more = {name: value for name, value in entry.items() if name not in named}
    return KeyRecord(
        known.get("keyId", ""),
        known.get("assetId", ""),
        known.get("streamType", ""),
        known.get("variantId", ""),
        known.get("ingestChannel", ""),
        masked(more),
    )


def parsed(body: bytes) -> Any:
    """Return the JSON of a body, a list where it has one value a line; None where it is neither."""
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    with suppress(ValueError, RecursionError):
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    return None


def read_json(body: bytes, purpose: str) -> Any:
    """Return the JSON of a body.

    Raises:
        ProtocolError: it is none.
    """
    document = None
    with suppress(ValueError, RecursionError):  # told outside its handler: the exception holds the text
        document = json.loads(body)
    if document is None:
        raise ProtocolError(
            f"{purpose} answered something that is not JSON",
            hint="something else may be answering: check the host and the proxy",
        )
    return document


def masked(value: Any) -> Any:
    """Return an answer with every value masked whose name says that it may be a key or another secret."""
    if isinstance(value, Mapping):
        return {
            name: MASK if _SECRET_NAME.fullmatch(str(name)) and not isinstance(item, bool | None) else masked(item)
            for name, item in value.items()
        }
    return [masked(item) for item in value] if isinstance(value, list) else value


def refusals(document: Any, secrets: Sequence[Secret[bytes]] = ()) -> list[str]:
    """Return the errors inside an answer, each as a sentence that says where; without what was sent as a secret.

    They stand in `errors` lists: of the answer (`{"path", "message"}`), of an asset, and of a key. Wherever else an
    `errors` or `error` stands that is not empty, it is taken for one too: a success has none.
    """
    found = [
        f"{', '.join(where)}: {_shown(error, secrets)}" if where else _shown(error, secrets)
        for where, error in _errors(document, ())
    ]
    return found[:_MOST] + ([f"and {len(found) - _MOST} more"] if len(found) > _MOST else [])


def _errors(node: Any, where: tuple[str, ...], depth: int = 0) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not isinstance(node, dict):
        node = {"": node}
    for name, value in node.items():
        if name.lower() in _ERRORS:
            yield from ((where, error) for error in _list(value))
        elif depth < _DEEPEST:
            for index, item in enumerate(_list(value)):
                if isinstance(item, dict | list):
                    yield from _errors(item, (*where, *_place(name, item, index)), depth + 1)


def _place(name: str, item: Any, index: int) -> tuple[str, ...]:
    """Return what to call an item of a list: an asset or a key by its ID, anything else not at all."""
    if not isinstance(item, dict):
        return ()
    if name == "assets":
        return (f"asset {_plain(item.get('assetId')) or index}",)
    if name in {"keys", "ingestKeys"}:
        return (f"key {_named(item.get('keyId')) or index} ({_plain(item.get('streamType'))})",)
    return ()


def _list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [value] if value else []


def _named(value: Any) -> str:
    with suppress(IdentifierError):
        return KeyId.from_base64(str(value)).uuid
    return _plain(value)


def _plain(value: Any) -> str:
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else "?" for character in text)[:64]


def _shown(error: Any, secrets: Sequence[Secret[bytes]]) -> str:
    if isinstance(error, dict):
        parts = [str(error[name]) for name in ("path", "code", "error", "message", "detail") if error.get(name)]
        text = ": ".join(parts) or "an error without a text"
    else:
        text = str(error)
    for secret in secrets:
        raw = secret.reveal()
        for form in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode(), raw.hex()):
            text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    return "".join(character if character.isprintable() else "?" for character in text)[:_LONGEST]
