"""Options that say where a key provider is and who asks, without any secret among the arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drmkit import passwords
from drmkit.cli.output import App
from drmkit.cli.usage import as_usage
from drmkit.errors import ConfigurationError
from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.http import HttpClient
    from drmkit.speke.client import SpekeClient
    from drmkit.speke.vendors import Endpoint, Vendor

__all__ = [
    "access_options",
    "client_for",
    "connection_options",
    "endpoint_of",
    "find_vendor",
    "http_client",
    "style_of",
    "tell_unknown",
]

F = TypeVar("F", bound=Callable[..., Any])
_VERSIONS = ("1.0", "2.0", "2.1")
_VERSIONED = re.compile(r"/speke/v(\d\.\d)/")
_FROM_ENVIRONMENT = "env:"
_DRMTODAY = "drmtoday:"


def connection_options(command: F) -> F:
    """Add what says where a provider is and how to prove who one is; no secret is ever an argument."""
    options = (
        click.option("--url-file", metavar="FILE", help="The provider's URL from a private file, if it holds a token."),
        click.option("--vendor", metavar="NAME", help="A known provider; `drmkit speke vendors` lists them."),
        click.option("--key-source", metavar="drmtoday:PROFILE", help="A DRMtoday URL with a fresh ticket."),
        click.option("--field", "fields", metavar="NAME=VALUE", multiple=True, help="What the vendor asks for."),
        click.option(
            "--secret",
            "secrets",
            metavar="NAME=FILE|env:VARIABLE",
            multiple=True,
            help="A secret that the vendor asks for, from a private file or the environment.",
        ),
    )
    return _add(options, access_options(command))


def access_options(command: F) -> F:
    """Add how to prove who one is to a provider, and how to call it."""
    options = (
        click.option(
            "--header",
            "headers",
            metavar="NAME=FILE|env:VARIABLE",
            multiple=True,
            help="A further header, its value from a private file or the environment.",
        ),
        click.option("--basic-user", metavar="NAME", help="Log in by HTTP Basic authentication."),
        click.option("--basic-password-file", metavar="FILE", help="Its password; default: ask."),
        click.option("--sigv4-region", metavar="REGION", help="Sign for AWS, with AWS_ACCESS_KEY_ID and so on."),
        click.option(
            "--speke-version",
            type=click.Choice(_VERSIONS),
            help="Default: the vendor's, or the one in the URL, else 2.0.",
        ),
        click.option("--timeout", type=float, default=30.0, show_default=True, help="Seconds for each request."),
        click.option("--ca-file", type=click.Path(path_type=Path), help="The certificate authorities to trust."),
    )
    return _add(options, command)


def _add(options: Sequence[Callable[[F], F]], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def endpoint_of(app: App, given: Mapping[str, Any], content_id: str | None = None) -> Endpoint:
    """Return where and how to send requests, from the options of a command; exactly one of them names the provider.

    Args:
        app: the application.
        given: the options.
        content_id: of the request, for vendors whose URL holds it; None where requests of many are sent.
    """
    from drmkit.speke.vendors import Endpoint, connect  # noqa: PLC0415 (help needs none of it)

    ways = [name for name in ("url", "url_file", "vendor", "key_source") if given.get(name)]
    if len(ways) != 1:
        raise click.UsageError("say where the provider is, in one way: a URL, --url-file, --vendor or --key-source")
    headers = {
        name: _secret(app, source, f"--header {name}")
        for name, source in _pairs(given["headers"], "--header", hide=True)
    }
    plain = dict(_pairs(given["fields"], "--field"))
    secret = {
        name: _secret(app, source, f"--secret {name}")
        for name, source in _pairs(given["secrets"], "--secret", hide=True)
    }
    if given["vendor"]:
        vendor = find_vendor(given["vendor"])
        _check_vendor(vendor, plain, given)
        fields: dict[str, str | Secret[str]] = {**plain, **secret}
        if content_id is not None and "content_id" in vendor.required:
            fields.setdefault("content_id", content_id)
        found = connect(vendor, fields)
        doubt = None if content_id is None else vendor.doubt(content_id)
        if doubt:
            app.talk(f"warning: {doubt}")
        version = given["speke_version"] or found.version
        merged = {**(found.headers or {}), **headers}
        return replace(found, version=version, headers=merged)
    if plain or secret:
        raise click.UsageError("--field and --secret belong to --vendor")
    url = _url(app, given)
    version = given["speke_version"] or _version_of(url) or "2.0"
    return Endpoint(url, version, _auth(app, given), headers)


def find_vendor(name: str) -> Vendor:
    """Return the vendor of a name that stands on the command line.

    Raises:
        InputError: there is no such vendor.
    """
    from drmkit.speke.vendors import find  # noqa: PLC0415 (help needs none of it)

    with as_usage():
        return find(name)


def style_of(given: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what a request would look like, without asking for any secret: its version, and whether it is bare."""
    from drmkit.speke.vendors import spoken_version  # noqa: PLC0415 (help needs none of it)

    if given["vendor"]:
        vendor = find_vendor(given["vendor"])
        return given["speke_version"] or spoken_version(vendor), vendor.bare
    named = _version_of(Secret(given["url"])) if given.get("url") else None
    return given["speke_version"] or named or "2.0", False


def tell_unknown(app: App, given: Mapping[str, Any]) -> None:
    """Say beside an error what is not known of the vendor: its preset may be what is wrong."""
    vendor = find_vendor(given["vendor"]) if given["vendor"] else None
    if vendor is not None and vendor.unknown:
        app.talk(f"note: of {vendor.title} it is {vendor.not_known}")


def _check_vendor(vendor: Vendor, plain: Mapping[str, str], given: Mapping[str, Any]) -> None:
    shown = [name for name in plain if vendor.is_secret(name)]
    if shown:
        raise click.UsageError(
            f"{', '.join(shown)} of {vendor.title} is secret: give it with --secret, not with --field"
        )
    own = [
        f"--{name.replace('_', '-')}" for name in ("basic_user", "basic_password_file", "sigv4_region") if given[name]
    ]
    if own:
        raise click.UsageError(
            f"{own[0]} belongs to a URL; {vendor.title} wants {', '.join(vendor.required) or 'nothing'}, "
            "each as --field or --secret"
        )


def _version_of(url: Secret[str]) -> str | None:
    """Return the version of SPEKE that a URL of the specification's own form names, such as `/speke/v2.1/...`."""
    match = _VERSIONED.search(url.reveal().partition("?")[0])
    return match[1] if match and match[1] in _VERSIONS else None


def _url(app: App, given: Mapping[str, Any]) -> Secret[str]:
    if given["url_file"]:
        return passwords.from_file(given["url_file"], what="--url-file")
    if given["key_source"]:
        source = str(given["key_source"])
        if not source.startswith(_DRMTODAY):
            raise click.UsageError(f"the key source {source!r} is not known: write drmtoday:PROFILE")
        from drmkit.keyserver import account  # noqa: PLC0415

        app.profile_name = source.removeprefix(_DRMTODAY) or app.profile_name
        return Secret(account.mint(app.profile(), prompt=app.prompt).reveal())
    return Secret(str(given["url"]))


def _auth(app: App, given: Mapping[str, Any]) -> Any:
    from drmkit.speke.auth import BasicAuth, SigV4Auth  # noqa: PLC0415

    if given["basic_user"] and given["sigv4_region"]:
        raise click.UsageError("--basic-user and --sigv4-region exclude each other")
    if given["basic_password_file"] and not given["basic_user"]:
        raise click.UsageError("--basic-password-file is the password of --basic-user: name the user, too")
    if given["basic_user"]:
        file = given["basic_password_file"]
        if file:
            return BasicAuth(given["basic_user"], passwords.from_file(file, what="--basic-password-file"))
        if app.prompt is None:
            raise ConfigurationError("there is no password for --basic-user", hint="name --basic-password-file")
        return BasicAuth(given["basic_user"], Secret(app.prompt(f"password for {given['basic_user']}")))
    if given["sigv4_region"]:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        missing = [name for name in names if not app.environ.get(name)]
        if missing:
            raise ConfigurationError(f"{' and '.join(missing)} are not set", hint="set them in the environment")
        token = app.environ.get("AWS_SESSION_TOKEN")
        return SigV4Auth(
            access_key=app.environ[names[0]],
            secret_key=Secret(app.environ[names[1]]),
            session_token=Secret(token) if token else None,
            region=given["sigv4_region"],
        )
    return None


def _pairs(texts: Iterable[str], option: str, *, hide: bool = False) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            said = "" if hide else f", not {name[:40]!r}"
            raise click.UsageError(f"{option}: write NAME={'FILE or NAME=env:VARIABLE' if hide else 'VALUE'}{said}")
        yield name, value


def _secret(app: App, source: str, what: str) -> Secret[str]:
    if not source.startswith(_FROM_ENVIRONMENT):
        if source != "-" and not _is_there(source):
            # It may be the secret itself, so that it is not shown.
            raise ConfigurationError(
                f"{what}: there is no file of that name",
                hint="a secret is never an argument: name the private file that holds it, or env:VARIABLE",
            )
        return passwords.from_file(source, what=what)
    variable = source.removeprefix(_FROM_ENVIRONMENT)
    value = app.environ.get(variable, "").strip("\r\n")
    if not value:
        raise ConfigurationError(f"{what}: the variable {variable} is not set", hint="set it in the environment")
    return Secret(value)


def _is_there(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def http_client(given: Mapping[str, Any]) -> HttpClient:
    """Return the HTTP client for the options of a command."""
    from drmkit.http import HttpClient  # noqa: PLC0415

    ca_file = given["ca_file"]
    return HttpClient(timeout=given["timeout"], ca_file=None if ca_file is None else str(ca_file))


def client_for(endpoint: Endpoint, http: HttpClient) -> SpekeClient:
    """Return a client for a provider."""
    from drmkit.speke.client import SpekeClient  # noqa: PLC0415

    return SpekeClient(
        endpoint.url,
        http=http,
        version=endpoint.version,
        auth=endpoint.auth,
        headers=endpoint.headers,
        hidden=endpoint.hidden,
        content_type=endpoint.content_type,
        strict=endpoint.strict,
    )
