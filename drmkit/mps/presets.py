"""Templates by name: a preset is looked up, a number is taken as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drmkit.errors import JobError
from drmkit.mps.findings import nearest

__all__ = ["find_preset", "template_number"]

_MOST_DIGITS = 20


def find_preset(name: str | int, presets: Mapping[str, int], *, what: str, offered: Iterable[str]) -> int:
    """Return the number of a template.

    Args:
        name: a number, or a preset's name in any case.
        presets: the number of each name.
        what: what kind of template it is, in words.
        offered: the names to offer where none is near.

    Raises:
        JobError: no such name.
    """
    text = str(name)
    number = template_number(text)
    if number is None:
        number = next((number for known, number in presets.items() if known.lower() == text.lower()), None)
    if number is None:
        wanted = nearest(text, presets) or f"{', '.join(offered)}, or a number"
        raise JobError(f"there is no {what} {text[:80]!r}", hint=f"write {wanted}")
    return number


def template_number(text: str) -> int | None:
    """Return the number of a template that a text is, or None: digits, no more than a number of 64 bits has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else None
