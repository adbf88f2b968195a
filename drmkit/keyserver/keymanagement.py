"""DRMtoday's key management: bring keys in, remove, query and list them, each call with a service ticket of its own.

    keys = KeyManagement(organization, cas=cas, http=http)
    result = keys.ingest([IngestAsset("movie-1", (IngestKey("VIDEO", kid, key),))])

A status of 200 is no success yet: assets and keys carry `errors` of their own, which are raised here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Literal
from urllib.parse import quote, urlsplit

from drmkit.errors import (
    InputError,
    ProtocolError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient, Response
from drmkit.identifiers import KeyId
from drmkit.keyserver.drmtoday import TicketSource
from drmkit.keyserver.endpoints import ENDPOINTS, Organization
from drmkit.keyserver.fetch import refuse_failure
from drmkit.keyserver.ingest import IngestAsset, Kind, check_assets, v2_body, v3_body
from drmkit.keyserver.keyanswer import (
    IngestedKey,
    KeyRecord,
    KeysRefusedError,
    parsed,
    read_ingested,
    read_records,
    refusals,
)
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import Secret

__all__ = ["KeyManagement"]

_OK = frozenset({200, 201, 202, 204})
_REFUSED = frozenset({401, 403})
_INVALID = frozenset({400, 412, 415, 422})
_NOT_FOUND, _CONFLICT = 404, 409
_JSON = "application/json"
_LARGEST_LIST = 256 * 2**20
_LIST_SECONDS = 120.0


class KeyManagement:
    """The keys of one organization. Thread-safe.

    Args:
        organization: its names and hosts.
        cas: gives service tickets.
        http: makes the calls.
        retrier: repeats what is safe to repeat and may pass by itself: 423, 429, 5xx, timeouts, broken connections.
    """

    def __init__(
        self, organization: Organization, *, cas: TicketSource, http: HttpClient, retrier: Retrier | None = None
    ) -> None:
        self.organization = organization
        self._cas = cas
        self._http = http
        self._retrier = retrier or Retrier()

    def ingest(
        self,
        assets: Sequence[IngestAsset],
        *,
        api: Literal["v3", "v2"] = "v3",
        schemes: Sequence[str] = ("cenc",),
        kind: Kind = "CENC",
    ) -> tuple[IngestedKey, ...]:
        """Bring content keys in, and return them with the signaling that DRMtoday made for them.

        An ingest that does not overwrite is sent once: were it repeated after a lost answer, DRMtoday would refuse
        the keys that it has just taken.

        Args:
            assets: assets with their keys.
            api: `v3`, or `v2` as Tencent's StreamLive guide uses it.
            schemes: API v3: what to answer signaling for.
            kind: API v2: `CENC`, `FAIRPLAY` or `WIDEVINE`.

        Raises:
            InputError: `check_assets` finds something; nothing was sent.
            KeysRefusedError: DRMtoday refuses assets or keys, be it in a 200.
            ServiceRejectedError: the account, the organization's name or the ticket is not accepted.
            RemoteError: the server is unavailable, or answers something else.
        """
        problems = check_assets(assets, kind=kind if api == "v2" else "CENC")
        if problems:
            raise InputError("; ".join(problems), hint="nothing was sent: correct the keys")
        body = v3_body(assets, schemes=schemes) if api == "v3" else v2_body(assets, kind=kind)
        secrets = tuple(key.key for asset in assets for key in asset.keys)
        safe = api == "v3" and all(asset.overwrite for asset in assets)
        answer = self.call("ingest" if api == "v3" else "ingest-v2", body=body, secrets=secrets, repeat=safe)
        return read_ingested(answer, self._purpose())

    def remove(self, kid: KeyId) -> None:
        """Remove the key with this key ID.

        Raises:
            KeysRefusedError: there is no such key.
        """
        self.call("remove", kid=kid.hex)

    def remove_asset(self, asset_id: str, stream_type: str, variant_id: str) -> None:
        """Remove an asset's key for a stream type; the path of this call always names a variant.

        Raises:
            KeysRefusedError: there is no such key.
        """
        self.call("remove-asset", asset=asset_id, stream=stream_type, variant=variant_id)

    def query(self, kids: Iterable[KeyId]) -> tuple[KeyRecord, ...]:
        """Return what is known about keys, without the keys; a key ID that DRMtoday does not know has no record.

        Raises:
            InputError: there is no key ID.
        """
        wanted = [kid.hex for kid in kids]
        if not wanted:
            raise InputError("a query names at least one key ID")
        answer = self.call("query", body=Secret(json.dumps({"keyIds": wanted}).encode()))
        return read_records(answer, self._purpose())

    def download(self) -> tuple[KeyRecord, ...]:
        """Return what is known about all keys of the organization, without the keys."""
        return read_records(self.call("download"), self._purpose())

    def call(
        self,
        operation: str,
        /,
        *,
        body: Secret[bytes] | None = None,
        secrets: Sequence[Secret[bytes]] = (),
        repeat: bool = True,
        **arguments: str,
    ) -> bytes:
        """Make one call of the table and return the body of its answer, once it holds no errors.

        Args:
            operation: one of `ENDPOINTS`.
            body: JSON to send.
            secrets: what must not appear in an error, although the server may repeat it.
            repeat: whether it may be sent again where the answer was lost.
            arguments: what the path takes.

        Raises:
            DrmkitError: as for `ingest`.
        """
        endpoint = ENDPOINTS[operation]
        service = self.organization.service(operation, **arguments)
        return self._call(
            endpoint.method, service, body, secrets=secrets, repeat=repeat, identity=endpoint.identity, what=operation
        )

    def send(self, method: str, path: str, *, body: Secret[bytes] | None = None, repeat: bool = False) -> bytes:
        """Call any other endpoint of DRMtoday's with a ticket of its own, such as those of the configuration API.

        Args:
            method: the HTTP method.
            path: below the frontend host; `{name}`, `{uuid}` and `{config}` are filled in.
            body: JSON to send.
            repeat: whether it may be sent again where the answer was lost.

        Raises:
            DrmkitError: as for `ingest`.
        """
        service = self.organization.resolve(path)
        identity = next((known for known in ("name", "uuid") if f"{{{known}}}" in path), "")
        return self._call(method, service, body, secrets=(), repeat=repeat, identity=identity, what=path)

    def _call(
        self,
        method: str,
        service: str,
        body: Secret[bytes] | None,
        *,
        secrets: Sequence[Secret[bytes]],
        repeat: bool,
        identity: str,
        what: str,
    ) -> bytes:
        ticket = self._ticket(service, identity)
        retrier = self._retrier if repeat else Retrier(RetryPolicy(attempts=1))
        response = retrier.call(lambda: self._send(method, service, ticket, body))
        purpose = self._purpose()
        if response.status in _REFUSED:
            raise ServiceRejectedError(
                f"{purpose} refused the ticket for {what} (HTTP {response.status})",
                hint=f"check the account's permissions, and that the path names the {_named(identity)}",
            )
        if response.status == _CONFLICT:
            removal = method == "DELETE"
            state = "there is no such key" if removal else "a key is there already"
            raise KeysRefusedError(
                f"{purpose} refused {what}: {state} (HTTP 409)",
                hint="look with `drmkit drmtoday keys query`" if removal else "overwrite it on purpose, or remove it",
            )
        if response.status in _INVALID:
            raise KeysRefusedError(
                f"{purpose} refused {what} (HTTP {response.status})"
                + "".join(f"; {text}" for text in refusals(parsed(response.body), secrets)),
                hint="check what was sent; `--dry-run` shows it without the keys",
            )
        if response.status == _NOT_FOUND:
            raise ServiceRejectedError(
                f"{purpose} has nothing at the address of {what} (HTTP 404)",
                hint=f"its path wants the {_named(identity)}: check which of the two the profile holds",
            )
        if response.status not in _OK:
            raise ProtocolError(f"{purpose}: {what} was answered with HTTP {response.status}, which is not expected")
        _raise_inner(response, what, purpose, secrets)
        return response.body

    def _ticket(self, service: str, identity: str) -> Secret[str]:
        try:
            return self._cas.service_ticket(service)
        except ServiceRejectedError as error:
            raise ServiceRejectedError(
                error.message,
                hint=f"this call's path wants the {_named(identity)}: check it, and the account's permissions",
            ) from None

    def _send(self, method: str, service: str, ticket: Secret[str], body: Secret[bytes] | None) -> Response:
        purpose = self._purpose()
        headers = {"Accept": _JSON} | ({} if body is None else {"Content-Type": _JSON})
        response = self._http.request(
            method,
            f"{service}?ticket={quote(ticket.reveal(), safe='')}",
            purpose=purpose,
            headers=headers,
            content=None if body is None else body.reveal(),
            timeout=_LIST_SECONDS if method == "GET" else None,
            max_body=_LARGEST_LIST,
        )
        refuse_failure(response, purpose)
        return response

    def _purpose(self) -> str:
        return f"the key management at {urlsplit(self.organization.hosts.frontend_url).netloc}"


def _named(identity: str) -> str:
    if identity == "name":
        return "organization's API name (`organization_name`), not its UUID"
    if identity == "uuid":
        return "organization's UUID (`organization`), not its API name"
    return "organization's API name, its UUID or neither, as DRMtoday's documentation has it"


def _raise_inner(response: Response, what: str, purpose: str, secrets: Sequence[Secret[bytes]]) -> None:
    """Raise what a 200 holds instead of a success: a page, or errors of assets, keys or fields."""
    if response.looks_like_html:
        raise ProtocolError(
            f"{purpose} answered {response.status} with an HTML page",
            hint="something else may be answering: check the host and the proxy",
        )
    found = refusals(parsed(response.body), secrets)
    if found:
        raise KeysRefusedError(
            f"{purpose} refused {what}, inside HTTP {response.status}: {'; '.join(found)}",
            hint="the rest may have been taken: look with `drmkit drmtoday keys query`",
            problems=tuple(found),
        )
