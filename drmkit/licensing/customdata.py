"""Custom data: the header that says whose license is asked for where there is no token."""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from drmkit.errors import InputError
from drmkit.licensing.rights import CustomerRights

__all__ = ["TEST_DUMMY", "CustomData", "parse_custom_data"]

TEST_DUMMY = "crtjson:"
"""What a session ID begins with that holds a CRT, for DRMtoday's mode *Test dummy*."""

_LONGEST = 16 * 1024
_FIELDS = {"merchant": "merchant", "user_id": "userId", "session_id": "sessionId"}


@dataclass(frozen=True, slots=True)
class CustomData:
    """Whose license is asked for: `optData` of a token, or the header `x-dt-custom-data`.

    Attributes:
        merchant: the organization: its UUID, as in the test player, or its API name.
        user_id: the user, as the merchant names users.
        session_id: the session; custom data needs one, `optData` does not.
    """

    merchant: str
    user_id: str
    session_id: str | None = None

    def to_json(self) -> str:
        """Return the JSON text.

        Raises:
            InputError: a field is empty.
        """
        values = {name: getattr(self, attribute) for attribute, name in _FIELDS.items()}
        for name, value in values.items():
            if value is not None and not value.strip():
                raise InputError(f"{name} is empty")
        return json.dumps({name: value for name, value in values.items() if value is not None}, separators=(",", ":"))

    def header(self) -> str:
        """Return the value of `x-dt-custom-data`: the Base64 of the JSON.

        Raises:
            InputError: a field is empty, or the session ID is missing.
        """
        if self.session_id is None:
            raise InputError("custom data needs a session ID", hint="any text that you can find the session by")
        return base64.b64encode(self.to_json().encode()).decode("ascii")

    @classmethod
    def test_dummy(cls, merchant: str, user_id: str, rights: CustomerRights) -> CustomData:
        """Return custom data whose session ID is a CRT: DRMtoday's mode *Test dummy* alone reads it, unsigned."""
        return cls(merchant, user_id, TEST_DUMMY + rights.to_json())


def parse_custom_data(header: str) -> CustomData:
    """Read the value of `x-dt-custom-data`.

    Raises:
        InputError: it is not the Base64 of such a JSON object.
    """
    document: Any = None
    if len(header) <= _LONGEST:
        with suppress(binascii.Error, ValueError, RecursionError):
            document = json.loads(base64.b64decode(header.strip(), validate=True).decode("utf-8"))
    if not isinstance(document, dict):
        raise InputError(
            "the custom data is not the Base64 of a JSON object", hint="`drmkit token custom-data` makes it"
        )
    values = {attribute: document.get(name) for attribute, name in _FIELDS.items()}
    for attribute, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"the custom data's {_FIELDS[attribute]} is missing, empty or no text")
    return CustomData(**{name: str(value) for name, value in values.items()})
