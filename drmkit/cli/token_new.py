"""`drmkit token new | custom-data`: tokens and custom data from typed options."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import read_bytes
from drmkit.cli.options import with_options
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.token_secrets import own_secret, secret_options
from drmkit.errors import InputError

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.licensing.rights import CustomerRights, OutputProtection, Purchase, Rental

__all__ = ["custom_data", "new"]


class Length(click.ParamType[timedelta]):
    """A length of time, as `90m` or in ISO 8601, `PT1H30M`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say what it may be."""
        from drmkit.licensing.durations import parse_duration  # noqa: PLC0415
        from drmkit.settings import parse_duration as parse_short  # noqa: PLC0415

        if isinstance(value, timedelta):
            return value
        found = parse_duration(str(value)) or parse_short(str(value))
        if not found:
            self.fail(f"{value!r} is no length of time above zero; write 90m, 7d, PT3H or P7D", param, ctx)
        return found


_SUBJECT = (
    click.option("--user-id", metavar="ID", required=True, help="The user, as you name users."),
    click.option("--merchant", metavar="ID", help="The organization; default: the profile's UUID."),
    click.option("--session-id", metavar="ID", help="The session; any text that you can find it by."),
)
_RIGHTS = (
    click.option("--asset-id", metavar="ID", help="The asset that is authorized: MPS's ResourceId."),
    click.option("--purchase", "kind", flag_value="purchase", help="A license without an end. [default]"),
    click.option("--rental", "kind", flag_value="rental", help="A license with an end."),
    click.option("--relative-expiration", type=Length(), metavar="TIME", help="Rental: how long it is good: 7d, P7D."),
    click.option("--play-duration", type=Length(), metavar="TIME", help="Rental: how long it plays: 3h, PT3H."),
    click.option("--template", "templates", multiple=True, metavar="ID", help="A CRT template of the dashboard."),
    click.option(
        "--store-license/--no-store-license", default=None, help="Whether devices may store it; say it either way."
    ),
    click.option(
        "--output-protection",
        metavar="LIST",
        help="digital, analogue, enforce, joined by commas, or none; enforce fails on software CDMs.",
    ),
    click.option(
        "--hdcp",
        multiple=True,
        metavar="STREAM[:SYSTEM]=LEVEL",
        help="Enhanced output protection: HD=HDCP_V1, UHD:WidevineM=HDCP_V2.",
    ),
    click.option("--rights", "more", metavar="FILE|-", help="JSON with further fields of the CRT."),
)


@click.command()
@with_options(_RIGHTS)
@with_options(_SUBJECT)
@click.option("--lifetime", type=Length(), metavar="TIME", help="Until exp; default: the profile's, else 5m.")
@click.option("--no-expiration", is_flag=True, help="Leave exp out: the token is good for as long as its secret.")
@click.option("--algorithm", metavar="NAME", help="HS256, HS384 or HS512; default: the profile's, else HS256.")
@secret_options
@click.option("--dry-run", is_flag=True, help="Show the claims, and sign nothing.")
@format_option
@pass_app
def new(app: App, /, *, form: str, no_expiration: bool, dry_run: bool, **given: Any) -> None:
    """Make an upfront token: the value of the header x-dt-auth-token.

    It is signed with the bytes that the shared secret's hexadecimal digits mean. Whoever holds the token gets the
    license until it expires: make one for each playback, and keep it out of logs.

      drmkit token new --asset-id movie-1 --user-id u-17 --rental --relative-expiration 7d --no-store-license
    """
    from drmkit.licensing import TOKEN_HEADER  # noqa: PLC0415 (help needs none of it)
    from drmkit.licensing.customdata import CustomData  # noqa: PLC0415
    from drmkit.licensing.explain import explain  # noqa: PLC0415
    from drmkit.licensing.token import make_token  # noqa: PLC0415

    if no_expiration and given["lifetime"] is not None:
        raise click.UsageError("--no-expiration and --lifetime exclude each other")
    profile = app.profile()
    rights = _rights(given)
    subject = CustomData(_merchant(profile, given["merchant"]), given["user_id"], given["session_id"])
    if dry_run:
        claims = {"optData": subject.to_json(), "crt": rights.to_json()}
        emit(form, {"dry_run": True, **claims}, json.dumps(claims, indent=2))
        return
    secret = own_secret(app, profile, kid=given["kid"], file=given["secret_file"])
    now = datetime.now(UTC)
    made = make_token(
        rights,
        subject,
        secret,
        now=now,
        lifetime=None if no_expiration else given["lifetime"] or profile.get("token.lifetime") or timedelta(minutes=5),
        algorithm=given["algorithm"] or profile.get("token.algorithm") or "HS256",
    )
    read = explain(made.reveal(), now=now)
    data = {"header": TOKEN_HEADER, "token": made.reveal(), "kid": secret.kid, "claims": dict(read.claims)}
    emit(form, data, made.reveal)
    for remark in read.remarks:
        app.talk(str(remark))
    if secret.warning:
        app.talk(f"warning: {secret.warning}")


@click.command("custom-data")
@with_options(_SUBJECT)
@click.option("--test-dummy", is_flag=True, help="Put rights into the session ID, for the mode Test dummy alone.")
@with_options(_RIGHTS)
@format_option
@pass_app
def custom_data(app: App, /, *, form: str, test_dummy: bool, **given: Any) -> None:
    """Make custom data: the value of the header x-dt-custom-data, the Base64 of merchant, user ID and session ID.

    It is not signed: anybody can make it. DRMtoday asks your backend about it (callback authorization), or nobody in
    its test modes; --test-dummy puts rights into it, which that mode takes as they are.
    """
    from drmkit.licensing import CUSTOM_DATA_HEADER  # noqa: PLC0415 (help needs none of it)
    from drmkit.licensing.customdata import CustomData  # noqa: PLC0415

    merchant = _merchant(app.profile(), given["merchant"])
    unused = [name for name, value in given.items() if value and name not in {"merchant", "user_id", "session_id"}]
    if test_dummy:
        if given["session_id"] is not None:
            raise click.UsageError("--test-dummy makes the session ID itself: leave --session-id out")
        made = CustomData.test_dummy(merchant, given["user_id"], _rights(given))
    elif unused:
        raise click.UsageError("rights stand in a token, or in custom data with --test-dummy")
    elif given["session_id"] is None:
        raise click.UsageError("name the session with --session-id")
    else:
        made = CustomData(merchant, given["user_id"], given["session_id"])
    emit(form, {"header": CUSTOM_DATA_HEADER, "custom_data": made.header(), "json": made.to_json()}, made.header())


def _merchant(profile: Profile, stated: str | None) -> str:
    found = stated or profile.get("organization") or profile.get("organization_name")
    return str(found) if found else str(profile.require("organization"))


def _rights(given: dict[str, Any]) -> CustomerRights:
    from drmkit.licensing.rights import CustomerRights  # noqa: PLC0415

    return CustomerRights(
        asset_id=given["asset_id"],
        profile=_profile(given),
        store_license=given["store_license"],
        templates=given["templates"],
        output_protection=_protection(given["output_protection"]),
        hdcp=_hdcp(given["hdcp"]),
        more={} if given["more"] is None else _more(given["more"]),
    )


def _profile(given: dict[str, Any]) -> Purchase | Rental | None:
    from drmkit.licensing.rights import Purchase, Rental  # noqa: PLC0415

    lengths = (given["relative_expiration"], given["play_duration"])
    if given["kind"] == "rental":
        return Rental(*lengths)
    if lengths != (None, None):
        raise click.UsageError("--relative-expiration and --play-duration go with --rental")
    return None if given["kind"] is None and given["templates"] else Purchase()


def _protection(text: str | None) -> OutputProtection | None:
    from drmkit.licensing.rights import OutputProtection  # noqa: PLC0415

    if text is None:
        return None
    named = {part.strip() for part in text.split(",")} - {"none"}
    if not named <= {"digital", "analogue", "enforce"}:
        raise click.BadParameter(
            "write digital, analogue, enforce, joined by commas, or none", param_hint="--output-protection"
        )
    return OutputProtection("digital" in named, "analogue" in named, "enforce" in named)


def _hdcp(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        place, equals, level = text.partition("=")
        stream, _, system = place.partition(":")
        if not (equals and stream and level):
            raise click.BadParameter(f"{text!r} is not STREAM[:SYSTEM]=LEVEL", param_hint="--hdcp")
        found.setdefault(stream, {})[system or "*"] = level
    return found


def _more(path: str) -> dict[str, Any]:
    try:
        document = json.loads(read_bytes(path, limit=2**20))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError("--rights is no JSON object", hint="give the further fields of a CRT")
    return document
