"""Gets the CPIX document for `drmkit package`: from a file, a DRMtoday account, or a SPEKE key provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from drmkit.cli.cpix_files import STDIN, read_document
from drmkit.cli.output import App
from drmkit.errors import DrmkitError, ProtocolError

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.cpix import Document

__all__ = ["SYSTEMS", "check_source", "describe_source", "get_document", "get_scheme"]

_DRMTODAY, _SPEKE = "drmtoday:", "speke:"
_SCHEME = "x-signaling-alg"
"""DRMtoday's parameter for the protection scheme; without it, what comes may state none."""
_USUAL = "cbcs"
"""What Widevine, PlayReady and FairPlay play."""
SYSTEMS: Final = ("widevine", "playready", "fairplay", "common", "clearkey_dash")


def check_source(given: Mapping[str, Any]) -> None:
    """Refuse options that do not go together, before anything is looked at.

    Raises:
        click.UsageError: the keys come from nowhere, from two places, or from one that is not known.
    """
    path, source = given["cpix"], given["key_source"]
    if (path is None) == (source is None):
        raise click.UsageError("say where the keys are: either --cpix FILE or --key-source drmtoday:PROFILE|speke:URL")
    if source is not None and not source.startswith((_DRMTODAY, _SPEKE)):
        raise click.UsageError("the key source is not known: write drmtoday:PROFILE or speke:URL")
    if source is not None and source.partition(":")[2] == "":
        raise click.UsageError("the key source names nothing behind its colon")
    if source is not None and source.startswith(_SPEKE) and not given["asset"]:
        raise click.UsageError("a SPEKE request names its content: say --asset ID")
    if path == STDIN == given["password_file"]:
        raise click.UsageError("the document and the passphrase cannot both come from standard input")
    for_speke = [
        f"--{name.replace('_', '-')}" for name in ("video_preset", "audio_preset", "speke_version") if given[name]
    ]
    if for_speke and not (source or "").startswith(_SPEKE):
        raise click.UsageError(f"{' and '.join(for_speke)} belong to --key-source speke:URL")


def get_scheme(app: App, given: Mapping[str, Any]) -> str | None:
    """Return the protection scheme for keys that state none: the one that DRMtoday is asked for, or the option's."""
    source = given["key_source"]
    if source is None or not source.startswith(_DRMTODAY):
        return str(given["scheme"]) if given["scheme"] else None
    asked = (_profile(app, given).get("query") or {})[_SCHEME]
    return asked if asked in {"cenc", "cbcs"} else None


def get_document(app: App, given: Mapping[str, Any]) -> Document:
    """Return the document, its content keys in the clear where a key to decrypt them was named.

    Args:
        app: the command line.
        given: the options of the command.
    """
    source = given["key_source"]
    if source is None:
        document = read_document(given["cpix"])
    elif source.startswith(_DRMTODAY):
        document = _from_drmtoday(app, given)
    else:
        document = _from_speke(app, given)
    if given["decrypt_key"] is None:
        return document
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)
    from drmkit.cli.cpix_crypto import read_private_key  # noqa: PLC0415

    key = read_private_key(app, given["decrypt_key"], given["password_file"])
    return cpix.decrypt(document, key, allow_missing_mac=given["allow_missing_mac"])


def describe_source(app: App, given: Mapping[str, Any]) -> str | None:
    """Say what would be called for the keys; None where nothing is."""
    source = given["key_source"]
    if source is None:
        return None
    if source.startswith(_DRMTODAY):
        from drmkit.keyserver import account  # noqa: PLC0415
        from drmkit.secret import MASK  # noqa: PLC0415

        server = account.key_server(_profile(app, given))
        return f"would log in, take a ticket and ingest: GET {server.service}?ticket={MASK}"
    return f"would ask the key provider at {_host(source)} for the keys of {given['asset']}"


def _host(source: str) -> str:
    target = source.removeprefix(_SPEKE)
    try:
        return urlsplit(target).netloc.rpartition("@")[2] if "://" in target else f"the URL in {target}"
    except ValueError:
        return "a URL that cannot be read"


def _profile(app: App, given: Mapping[str, Any]) -> Profile:
    named = replace(app, profile_name=given["key_source"].removeprefix(_DRMTODAY))
    options: dict[str, Any] = {"asset_id": given["asset"]} if given["asset"] else {}
    query = named.profile().get("query") or {}
    options["query"] = {**query, _SCHEME: given["scheme"] or query.get(_SCHEME) or _USUAL}
    profile = named.profile(**options)
    if not profile.get("asset_id"):
        raise click.UsageError("the keys are for an asset: say --asset ID, or set asset_id in the profile")
    return profile


def _from_drmtoday(app: App, given: Mapping[str, Any]) -> Document:
    from drmkit import cpix  # noqa: PLC0415 (help needs no network)
    from drmkit.http import HttpClient  # noqa: PLC0415
    from drmkit.keyserver import account  # noqa: PLC0415
    from drmkit.keyserver.fetch import fetch_document  # noqa: PLC0415

    profile = _profile(app, given)
    scheme = (profile.get("query") or {})[_SCHEME]
    app.talk(f"this is an ingest: the key server makes key IDs and registers content keys, signaled for {scheme}")
    url = account.mint(profile, prompt=app.prompt)
    ca_file = given["ca_file"] or profile.get("ca_file")
    with HttpClient(
        timeout=given["timeout"], ca_file=None if ca_file is None else str(Path(ca_file).expanduser())
    ) as http:
        content = fetch_document(url, http=http)
    try:
        return cpix.parse(content.reveal())
    except DrmkitError as error:
        raise ProtocolError(f"the key server's answer is no CPIX document: {error.message}", hint=error.hint) from None


def _from_speke(app: App, given: Mapping[str, Any]) -> Document:
    from drmkit.cli.speke_connection import client_for, endpoint_of, http_client  # noqa: PLC0415
    from drmkit.identifiers import DrmSystem  # noqa: PLC0415
    from drmkit.speke.request import build_request  # noqa: PLC0415

    target = given["key_source"].removeprefix(_SPEKE)
    where = {"url": target} if "://" in target else {"url_file": target}
    blank: dict[str, Any] = {"url": None, "url_file": None, "vendor": None, "fields": (), "secrets": ()}
    endpoint = endpoint_of(app, {**given, **blank, "key_source": None, **where})
    asked = build_request(
        given["asset"],
        version=endpoint.version or "2.0",
        video=given["video_preset"],
        audio=given["audio_preset"],
        systems=tuple(DrmSystem[name.upper()] for name in given["systems"] or _usual_systems(given["scheme"])),
        scheme=given["scheme"],
        certificates=_certificates(app, given),
    )
    with http_client(given) as http:
        return client_for(endpoint, http).request(asked)


def _usual_systems(scheme: str | None) -> tuple[str, ...]:
    # FairPlay does not play cenc.
    return SYSTEMS[:2] if scheme == "cenc" else SYSTEMS[:3]


def _certificates(app: App, given: Mapping[str, Any]) -> list[bytes]:
    """Ask for keys encrypted for the private key that will decrypt them, where its file holds the certificate."""
    if given["decrypt_key"] is None:
        return []
    from drmkit.cli.cpix_crypto import read_private_key  # noqa: PLC0415
    from drmkit.cpix.certificates import to_der  # noqa: PLC0415

    certificate = read_private_key(app, given["decrypt_key"], given["password_file"]).certificate
    return [] if certificate is None else [to_der(certificate)]
