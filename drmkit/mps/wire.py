"""How MPS objects travel: PascalCase JSON, secrets revealed for the wire alone, lenient reading of answers."""

from __future__ import annotations

import threading
from abc import ABCMeta
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from drmkit.errors import ProtocolError
from drmkit.mps.keysource import KeySource
from drmkit.secret import MASK, Secret

__all__ = [
    "AbstractMeta",
    "Model",
    "Needed",
    "Unsigned",
    "decode",
    "encode",
    "masked",
    "moment",
    "to_builtins",
    "wire_name",
]

T = TypeVar("T")
_ACRONYMS = {
    "ai_dubbing_task": "AIDubbingTask",
    "aws_sqs": "AwsSQS",
    "key_pts_list": "KeyPTSList",
    "llm_detection_report": "LLMDetectionReport",
    "sqs_queue_name": "SQSQueueName",
    "sqs_region": "SQSRegion",
    "tehd_config": "TEHDConfig",
    "vod_input_info": "VODInputInfo",
    "vod_output_storage": "VODOutputStorage",
}


class AbstractMeta(msgspec.StructMeta, ABCMeta):
    """Makes structs that may have abstract methods."""


def wire_name(name: str) -> str:
    """Return the API's spelling of a field: `key_server_url` is `KeyServerUrl`, `aws_sqs` is `AwsSQS`."""
    return _ACRONYMS.get(name) or "".join(part[:1].upper() + part[1:] for part in name.split("_"))


class Model(msgspec.Struct, omit_defaults=True, rename=wire_name):
    """An object of the API.

    None means absent. Every field may be absent, since answers leave out what requests must have; what the API
    requires is marked with `Needed` and checked by `drmkit.mps.schema`.
    """


Needed = Annotated[T | None, msgspec.Meta(extra={"required": True})]
"""A field that the API's schema requires in a request."""

Unsigned = Annotated[int, msgspec.Meta(extra={"unsigned": True})]
"""A uint64 of the API's schema."""


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} cannot be written")


def _mask(value: Any) -> Any:
    if isinstance(value, KeySource):
        return value.redacted
    if isinstance(value, Secret):
        return MASK
    raise TypeError(f"{type(value).__name__} cannot be written")


def _wrap(kind: Any, value: Any) -> Any:
    origin = getattr(kind, "__origin__", kind)
    if isinstance(value, str) and issubclass(origin, Secret):
        return origin(value)
    raise TypeError("expected a string")


_ENCODER = msgspec.json.Encoder(enc_hook=_reveal)
_MASKED = msgspec.json.Encoder(enc_hook=_mask)
_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}
_MAKING = threading.Lock()


def encode(model: Model) -> bytes:
    """Return the JSON to send; secrets are in it."""
    return _ENCODER.encode(model)


def masked(model: Model) -> bytes:
    """Return the JSON to show: secrets masked, key sources reduced to their name or host."""
    return _MASKED.encode(model)


def to_builtins(model: Model, *, reveal: bool = False) -> Any:
    """Return the object as dictionaries and lists under the API's names; secrets are masked unless revealed."""
    hook: Callable[[Any], Any] = _reveal if reveal else _mask
    return msgspec.to_builtins(model, enc_hook=hook)


def decode(kind: type[T], data: bytes) -> T:
    """Read an answer: unknown fields are ignored, numbers may stand in strings.

    Raises:
        ProtocolError: not JSON, or a field that cannot be what the API documents.
    """
    try:
        return _decoder(kind).decode(data)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"the answer is no {kind.__name__}: {error}") from None
    except UnicodeDecodeError:
        raise ProtocolError(f"the answer is no {kind.__name__}: it is not UTF-8 text") from None


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type, made by one thread at a time.

    msgspec (0.22) resolves a Struct's fields when the first decoder for it is made, and crashes the process when
    another thread meets the Struct half-way.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        with _MAKING:
            decoder = _DECODERS.get(kind) or msgspec.json.Decoder(kind, dec_hook=_wrap, strict=False)
            _DECODERS[kind] = decoder
    return decoder


def convert(kind: type[T], value: Any) -> T:
    """Make an object from dictionaries and lists under the API's names.

    Raises:
        ProtocolError: a field that cannot be what the API documents.
    """
    _decoder(kind)
    try:
        return msgspec.convert(value, kind, dec_hook=_wrap, strict=False)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"not a {kind.__name__}: {error}") from None


def moment(text: str | None) -> datetime | None:
    """Return the moment (aware, UTC) of a time in an answer; None for one that has not come.

    MPS writes a moment that has not come as `0000-00-00T00:00:00Z`, which no calendar knows.
    """
    if not text or text.startswith("0000"):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
