"""Key IDs as command-line parameters: the UUID form, or 32 hexadecimal digits."""

from __future__ import annotations

import click

from drmkit.errors import IdentifierError
from drmkit.identifiers import KeyId

__all__ = ["KEY_ID", "KeyIdType"]


class KeyIdType(click.ParamType[KeyId]):
    """A key ID, told by its dashes: 8-4-4-4-12 digits, or 32 digits without any."""

    name = "KID"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> KeyId:
        """Parse the key ID, or fail with what is wrong with it."""
        if isinstance(value, KeyId):
            return value
        text = str(value)
        try:
            return KeyId.from_uuid(text) if "-" in text else KeyId.from_hex(text)
        except IdentifierError as error:
            self.fail(error.message, param, ctx)


KEY_ID = KeyIdType()
