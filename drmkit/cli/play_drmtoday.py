"""Prints what DRMtoday's own test player asks for, and where its license servers are.

Source: Tencent Cloud, "DRM integration" (https://www.tencentcloud.com/document/product/1041/68547).
"""

from __future__ import annotations

from typing import Any

from drmkit.cli.output import App, emit

__all__ = ["print_fields"]


def print_fields(app: App, form: str, *, user_id: str | None, session_id: str | None, asset_id: str | None) -> None:
    """Print the fields of the test player, license URLs and headers, from the profile.

    Args:
        app: the command line.
        form: `text` or `json`.
        user_id: a member of the organization, or None.
        session_id: any text, or None.
        asset_id: the ResourceId of the job, or None.
    """
    from drmkit.keyserver.account import drmtoday_hosts  # noqa: PLC0415
    from drmkit.licensing import CUSTOM_DATA_HEADER, TOKEN_HEADER  # noqa: PLC0415
    from drmkit.licensing.customdata import CustomData  # noqa: PLC0415
    from drmkit.player.drmtoday import LicenseServers, environment_name  # noqa: PLC0415

    profile = app.profile()
    merchant = profile.require("organization")
    environment = environment_name(drmtoday_hosts(profile))
    servers = LicenseServers(environment, merchant)
    header = CustomData(merchant, user_id, session_id).header() if user_id and session_id else None
    player = {
        "drm_environment": f"DRMtoday {environment.upper()}",
        "merchant": merchant,
        "user_id": user_id,
        "session_id": session_id,
        "asset_id": asset_id or profile.get("asset_id"),
    }
    licenses = {
        "widevine": servers.widevine,
        "playready": servers.playready,
        "fairplay": servers.fairplay,
        "fairplay_certificate": servers.fairplay_certificate,
    }
    headers = {TOKEN_HEADER: None, CUSTOM_DATA_HEADER: header}
    data = {"environment": environment, "test_player": player, "license_servers": licenses, "headers": headers}
    emit(form, data, lambda: _text(player, licenses, header))


def _text(player: dict[str, Any], licenses: dict[str, str], header: str | None) -> str:
    from drmkit.licensing import CUSTOM_DATA_HEADER, TOKEN_HEADER  # noqa: PLC0415

    rows = [
        ("DRMtoday's test player", None),
        ("DRM environment", player["drm_environment"]),
        ("Merchant", player["merchant"]),
        ("User ID", player["user_id"] or "the ID of a member (dashboard, Members); --user-id states it"),
        ("Session ID", player["session_id"] or "any text; --session-id states it"),
        ("Asset ID", player["asset_id"] or "the ResourceId of the job; --asset-id states it"),
        ("License servers", None),
        ("Widevine", licenses["widevine"]),
        ("PlayReady", licenses["playready"]),
        ("FairPlay", licenses["fairplay"]),
        ("  its certificate", licenses["fairplay_certificate"]),
        ("Headers, one of the two", None),
        (TOKEN_HEADER, "a JWT that your own server signs with the shared secret of your organization"),
        (
            CUSTOM_DATA_HEADER,
            header or "Base64 of JSON with merchant, userId, sessionId; state --user-id and --session-id",
        ),
    ]
    return "\n".join(name if value is None else f"  {name:18}{value}" for name, value in rows)
