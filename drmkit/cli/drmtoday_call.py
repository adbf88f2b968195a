"""`drmkit drmtoday endpoints | call`: the table of endpoints, and a way to those that have no command of their own."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import click

from drmkit.cli.cpix_files import read_bytes
from drmkit.cli.drmtoday_common import api_options, dry_run_option, open_keys, profile_of, show_call
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import ConfigurationError, InputError
from drmkit.secret import Secret

__all__ = ["call", "endpoints"]

_LARGEST = 16 * 2**20
_METHODS = ("GET", "POST", "PUT", "DELETE")


@click.command()
@api_options
@click.option("--cpix-config", metavar="ID", help="The CPIX configuration. [env: DRMTODAY_CPIX_CONFIG]")
@format_option
@pass_app
def endpoints(app: App, /, *, form: str, **given: Any) -> None:
    """List the endpoints that drmkit calls, with the account's own names in them; nothing is called.

    Where a setting is missing its place stays open. `known` says what an endpoint's form is known from.
    """
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.endpoints import ENDPOINTS  # noqa: PLC0415

    organization = account.organization(profile_of(app, given))
    rows = []
    for endpoint in ENDPOINTS.values():
        places = {name: "{" + name + "}" for name in endpoint.arguments}
        url = organization.hosts.frontend_url + endpoint.path
        with suppress(ConfigurationError):
            url = organization.service(endpoint.operation, **places).replace("%7B", "{").replace("%7D", "}")
        rows.append(
            {
                "operation": endpoint.operation,
                "method": endpoint.method,
                "url": url,
                "organization_by": endpoint.identity,
                "known": endpoint.known,
            }
        )
    lines = [f"{row['operation']:13}  {row['method']:6}  {row['url']}" for row in rows]
    emit(form, {"endpoints": rows}, "\n".join(lines))


@click.command()
@click.argument("method", type=click.Choice(_METHODS, case_sensitive=False))
@click.argument("path")
@click.option("--body", metavar="FILE|-", help="JSON to send; secrets in it stay out of the process list.")
@click.option("--repeat", is_flag=True, help="Send it again if the answer was lost: for calls that are safe to repeat.")
@click.option("--reveal", is_flag=True, help="Print the answer as it is; without it, what may be a key is masked.")
@api_options
@click.option("--cpix-config", metavar="ID", help="The CPIX configuration. [env: DRMTODAY_CPIX_CONFIG]")
@dry_run_option
@format_option
@pass_app
def call(app: App, /, *, method: str, path: str, body: str | None, form: str, dry_run: bool, **given: Any) -> None:
    """Call an endpoint that has no command of its own, with a ticket for its very URL; errors inside a 200 are errors.

    PATH stands below the frontend host; {name}, {uuid} and {config} are the organization's API name, its UUID and the
    CPIX configuration:

      drmkit drmtoday call GET '/frontend/rest/config/v1/{uuid}/account/list'

    What a call takes and answers is in DRMtoday's own documentation, behind its login.
    """
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.keyanswer import masked  # noqa: PLC0415

    content = None if body is None else _json(read_bytes(body, limit=_LARGEST))
    profile = profile_of(app, given)
    service = account.organization(profile).resolve(path)
    if dry_run:
        size = 0 if content is None else len(content.reveal())
        show_call(profile, form, method.upper(), service, details={"bytes": size})
        return
    with open_keys(app, profile) as client:
        answer = client.send(method.upper(), path, body=content, repeat=given["repeat"])
    document = _read(answer)
    if document is None and answer.strip() and not given["reveal"]:
        app.talk(f"the answer has {len(answer)} bytes that are no JSON: --reveal prints them")
        return
    shown = document if given["reveal"] else masked(document)
    text = answer.decode("utf-8", "replace") if document is None else json.dumps(shown, indent=2, ensure_ascii=False)
    emit(form, {"answer": shown if document is not None else text or None}, text)


def _read(answer: bytes) -> Any:
    """Return an answer's JSON, or the list that its lines are; None where it is neither."""
    for read in (lambda: json.loads(answer), lambda: [json.loads(line) for line in answer.splitlines()]):
        with suppress(ValueError, RecursionError):
            return read() if answer.strip() else None
    return None


def _json(data: bytes) -> Secret[bytes]:
    """Refuse a body that is no JSON, outside the handler: the exception holds the text."""
    good = False
    with suppress(ValueError, RecursionError):
        json.loads(data.decode("utf-8"))
        good = len(data) <= _LARGEST
    if not good:
        raise InputError(
            "--body is no JSON, or too large", hint="give the file that DRMtoday's documentation describes"
        )
    return Secret(data)
