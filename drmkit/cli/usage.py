"""What the words of a command line get wrong is usage, whatever the library calls it where a configuration says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from drmkit.errors import ConfigurationError, InputError, InvalidDocumentError

__all__ = ["as_usage"]


@contextmanager
def as_usage() -> Iterator[None]:
    """Turn a rejected configuration, or what makes no valid document, into unreadable input: exit code 2.

    For calls that are given nothing but what stands on the command line; credentials and missing extras stay what they
    are.

    Raises:
        InputError: in place of either.
    """
    try:
        yield
    except (ConfigurationError, InvalidDocumentError) as error:
        if type(error) not in {ConfigurationError, InvalidDocumentError}:
            raise
        raise InputError(error.message, hint=error.hint) from None
