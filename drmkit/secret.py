"""Secret: a str or bytes that never prints, pickles, compares in variable time or lands in JSON by accident."""

from __future__ import annotations

import hmac
from typing import Any, Generic, NoReturn, TypeVar

__all__ = ["MASK", "Secret"]

MASK = "**********"
T = TypeVar("T", str, bytes)


class Secret(Generic[T]):
    """Hold a secret value; `reveal()` is the only way to it.

    `str`, `repr` and `format` show a mask of fixed length. Pickling raises TypeError, JSON encoders do not know the
    type, `==` takes constant time, and hashing is disabled so that a secret cannot become a dictionary key.

    Args:
        value: the secret text or bytes.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: T) -> None:
        if not isinstance(value, str | bytes):
            raise TypeError("a secret is str or bytes")
        self._value: T = value

    def reveal(self) -> T:
        """Return the secret value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_as_bytes(self._value), _as_bytes(other._value))

    def __copy__(self) -> Secret[T]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret[T]:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret does not pickle: call reveal() where the value is really meant to leave")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__reduce__()


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
