"""The protocol-buffer wire format, as far as a PSSH box needs it: strict, and keeping what it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drmkit.errors import SignalingError

__all__ = ["BYTES", "VARINT", "Field", "encode_bytes", "encode_varint", "fields"]

VARINT = 0
BYTES = 2
_FIXED = {1: 8, 5: 4}
_WIRE_NAMES = {0: "a number", 1: "64 fixed bits", 2: "bytes", 5: "32 fixed bits"}
_MAX_VARINT_BYTES = 10
_MAX_64 = 0xFFFFFFFFFFFFFFFF
_MAX_NUMBER = 0x1FFFFFFF
_CONTINUE = 0x80
_SEVEN = 0x7F


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it stands on the wire.

    Args:
        number: the field number.
        wire_type: 0 varint, 1 fixed 64, 2 length-delimited, 5 fixed 32.
        value: the number of a varint field, the bytes of any other.
        raw: the whole field, tag included, exactly as it was read.
        at: the offset of the field in the message.
    """

    number: int
    wire_type: int
    value: int | bytes
    raw: bytes
    at: int

    def integer(self, name: str) -> int:
        """Return the value of a varint field, or raise SignalingError naming the field."""
        if not isinstance(self.value, int):
            raise self._mismatch(name, VARINT)
        return self.value

    def octets(self, name: str) -> bytes:
        """Return the value of a length-delimited field, or raise SignalingError naming the field."""
        if self.wire_type != BYTES or not isinstance(self.value, bytes):
            raise self._mismatch(name, BYTES)
        return self.value

    def _mismatch(self, name: str, wanted: int) -> SignalingError:
        return SignalingError(
            f"field {self.number} ({name}) at byte {self.at} "
            f"is {_WIRE_NAMES[self.wire_type]}, not {_WIRE_NAMES[wanted]}"
        )


def fields(data: bytes) -> Iterator[Field]:
    """Walk through the fields of a message.

    Args:
        data: the whole message.

    Raises:
        SignalingError: a varint is too long, a field is truncated, or a wire type is not used any more.
    """
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at, "a field tag")
        number, wire_type = tag >> 3, tag & 7
        if not 1 <= number <= _MAX_NUMBER:
            raise SignalingError(f"byte {start}: {number} is no protocol-buffer field number")
        value, at = _value(data, at, wire_type, number)
        yield Field(number, wire_type, value, data[start:at], start)


def encode_varint(number: int, value: int) -> bytes:
    """Return a varint field with its tag."""
    return _encode(number << 3 | VARINT) + _encode(value)


def encode_bytes(number: int, value: bytes) -> bytes:
    """Return a length-delimited field with its tag."""
    return _encode(number << 3 | BYTES) + _encode(len(value)) + value


def _value(data: bytes, at: int, wire_type: int, number: int) -> tuple[int | bytes, int]:
    if wire_type == VARINT:
        return _varint(data, at, f"field {number}")
    if wire_type == BYTES:
        size, at = _varint(data, at, f"the length of field {number}")
    elif wire_type in _FIXED:
        size = _FIXED[wire_type]
    else:
        raise SignalingError(f"byte {at}: field {number} has wire type {wire_type}, which is not in use")
    if size > len(data) - at:
        raise SignalingError(
            f"byte {at}: field {number} needs {size} bytes, {len(data) - at} are left", hint="the message is truncated"
        )
    return data[at : at + size], at + size


def _varint(data: bytes, start: int, what: str) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[start : start + _MAX_VARINT_BYTES]):
        value |= (byte & _SEVEN) << (7 * index)
        if byte < _CONTINUE:
            if value > _MAX_64:
                raise SignalingError(f"byte {start}: {what} is a varint of more than 64 bits")
            return value, start + index + 1
    if len(data) - start < _MAX_VARINT_BYTES:
        raise SignalingError(f"byte {start}: {what} is a varint that does not end", hint="the message is truncated")
    raise SignalingError(f"byte {start}: {what} is a varint of more than {_MAX_VARINT_BYTES} bytes")


def _encode(value: int) -> bytes:
    out = bytearray()
    while value >= _CONTINUE:
        out.append(value & _SEVEN | _CONTINUE)
        value >>= 7
    out.append(value)
    return bytes(out)
