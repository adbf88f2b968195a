"""Customer rights tokens (CRT): what a license allows, typed, and the JSON that DRMtoday reads.

    rights = CustomerRights(asset_id="movie-1", profile=Rental(relative=timedelta(days=7), play=timedelta(hours=3)))
    rights.to_json()

Fields whose form is public have a name here; others go through `more`, as DRMtoday's documentation has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from drmkit.errors import InputError
from drmkit.licensing.durations import format_duration

__all__ = ["HDCP_LEVELS", "LONGEST_PLAY", "MODULES", "CustomerRights", "OutputProtection", "Purchase", "Rental"]

LONGEST_PLAY = timedelta(seconds=2**31 - 1)
"""The longest `playDuration` that DRMtoday takes."""

HDCP_LEVELS = ("HDCP_NONE", "HDCP_V1", "HDCP_V2")
"""Levels of `requireHDCP` that public examples use."""

MODULES = ("*", "WidevineM", "PlayReadyM", "FairPlayM")
"""The DRM systems of enhanced output protection, as public examples name them; `*` is any."""

_RESERVED = frozenset({"assetId", "profile", "storeLicense", "ref", "outputProtection", "op"})


@dataclass(frozen=True, slots=True)
class Purchase:
    """A license without an end."""

    def to_builtins(self) -> dict[str, Any]:
        """Return the profile as JSON has it."""
        return {"type": "purchase"}


@dataclass(frozen=True, slots=True)
class Rental:
    """A license with an end.

    Attributes:
        relative: how long it is good after it was issued; None leaves that to a template.
        play: how long it plays after playback began; None likewise.
    """

    relative: timedelta | None = None
    play: timedelta | None = None

    def to_builtins(self) -> dict[str, Any]:
        """Return the profile as JSON has it.

        Raises:
            InputError: a length is not above zero, or too long.
        """
        fields: dict[str, Any] = {"type": "rental"}
        for name, length in (("relativeExpiration", self.relative), ("playDuration", self.play)):
            if length is not None:
                if not timedelta(seconds=1) <= length <= LONGEST_PLAY:
                    raise InputError(f"{name} is not between one second and {int(LONGEST_PLAY.total_seconds())}")
                fields[name] = format_duration(length)
        return fields


@dataclass(frozen=True, slots=True)
class OutputProtection:
    """Standard output protection.

    Attributes:
        digital: protect digital outputs.
        analogue: protect analog outputs.
        enforce: refuse to play where that cannot be done; software CDMs cannot.
    """

    digital: bool = True
    analogue: bool = True
    enforce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRights:
    """What a license allows.

    Attributes:
        asset_id: the asset that is authorized; None where a template names it.
        profile: purchase or rental; None leaves it to a template.
        store_license: whether the license may be stored; DRMtoday asks to say it, and takes true where it is missing.
        templates: the IDs of CRT templates of the dashboard, with or without the colon that they are referred to by.
        output_protection: standard output protection.
        hdcp: enhanced output protection: stream type (`UHD`, `HD`, `SD`, `AUDIO`) to DRM system (`MODULES`) to level.
        more: further fields, as DRMtoday's documentation names them.
    """

    asset_id: str | None = None
    profile: Purchase | Rental | None = None
    store_license: bool | None = None
    templates: tuple[str, ...] = ()
    output_protection: OutputProtection | None = None
    hdcp: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_builtins(self) -> dict[str, Any]:
        """Return the CRT as dictionaries and lists.

        Raises:
            InputError: it authorizes nothing, an HDCP level or DRM system is not known, or `more` repeats a field.
        """
        self._check()
        fields: dict[str, Any] = {}
        if self.templates:
            fields["ref"] = [_reference(template) for template in self.templates]
        if self.asset_id is not None:
            fields["assetId"] = self.asset_id
        if self.profile is not None:
            fields["profile"] = self.profile.to_builtins()
        if self.output_protection is not None:
            kept = self.output_protection
            fields["outputProtection"] = {
                "digital": kept.digital,
                "analogue": kept.analogue,
                "enforce": kept.enforce,
            }
        if self.hdcp:
            fields["op"] = {"config": _enhanced(self.hdcp)}
        if self.store_license is not None:
            fields["storeLicense"] = self.store_license
        return fields | dict(self.more)

    def _check(self) -> None:
        if self.asset_id is None and not self.templates:
            raise InputError("the rights name neither an asset nor a template", hint="name the asset that they are for")
        if self.asset_id is not None and not self.asset_id.strip():
            raise InputError("the rights' asset ID is empty")
        if self.profile is None and not self.templates:
            raise InputError("the rights have no profile", hint="say purchase or rental, or refer to a template")
        twice = sorted(_RESERVED & self.more.keys())
        if twice:
            raise InputError(f"further fields repeat {', '.join(twice)}", hint="use the field's own option")

    def to_json(self) -> str:
        """Return the CRT as the JSON text that the claim `crt` holds.

        Raises:
            InputError: as for `to_builtins`; or `more` holds what JSON cannot.
        """
        fields = self.to_builtins()
        try:
            return json.dumps(fields, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise InputError("further fields of the rights hold what JSON cannot") from None


def _reference(template: str) -> str:
    name = template.removeprefix(":")
    if not name.strip() or ":" in name:
        raise InputError(f"{template!r} is no ID of a CRT template", hint="copy it from the dashboard")
    return f":{name}"


def _enhanced(hdcp: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    for stream, systems in hdcp.items():
        for system, level in systems.items():
            if system not in MODULES or level not in HDCP_LEVELS:
                raise InputError(
                    f"{stream}: {system} = {level} is no HDCP setting that is known",
                    hint=f"DRM systems are {', '.join(MODULES)}, levels are {', '.join(HDCP_LEVELS)}",
                )
    return {
        stream: {system: {"requireHDCP": level} for system, level in systems.items()}
        for stream, systems in hdcp.items()
    }
