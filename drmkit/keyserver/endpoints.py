"""DRMtoday's API endpoints: which call has which address, and whether its path wants the name or the UUID.

The dashboard's page *API endpoints*, as Tencent's *DRM integration* prints it, lists the operations; the forms of their
paths and bodies are known from public clients, since castLabs' own pages are behind a login. `Endpoint.known` says what
each rests on. Where the printed table and the clients differ, the clients' form stands here: they were run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from drmkit.errors import ConfigurationError, InputError
from drmkit.keyserver.drmtoday import DrmtodayHosts

__all__ = ["ENDPOINTS", "Endpoint", "Organization"]

_SEGMENT = re.compile(r"[A-Za-z0-9._~:@-]+")
_PLACE = re.compile(r"\{([a-z_]+)\}")
_SETTINGS = {"name": "organization_name", "uuid": "organization", "config": "cpix_config"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation of the API.

    Attributes:
        operation: what it does.
        method: the HTTP method.
        path: below the frontend host; `{name}` is the organization's API name, `{uuid}` its UUID, `{config}` the ID of
            the CPIX configuration, anything else an argument.
        known: what its form is known from.
    """

    operation: str
    method: str
    path: str
    known: str

    @property
    def identity(self) -> str:
        """How the path names the organization: `name` or `uuid`."""
        return "name" if "{name}" in self.path else "uuid"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the path takes beside what an account has."""
        return tuple(place for place in _PLACE.findall(self.path) if place not in _SETTINGS)


ENDPOINTS: Mapping[str, Endpoint] = {
    endpoint.operation: endpoint
    for endpoint in (
        Endpoint("ingest", "POST", "/frontend/api/keys/v3/ingest/{name}", "a client of 2025"),
        Endpoint("ingest-v2", "POST", "/frontend/api/keys/v2/ingest/{name}", "Tencent's StreamLive guide, clients"),
        Endpoint("remove", "DELETE", "/frontend/rest/keys/v1/cenc/merchant/{name}/key/keyId/{kid}", "a client"),
        Endpoint(
            "remove-asset",
            "DELETE",
            "/frontend/rest/keys/v1/cenc/merchant/{name}/key/assetId/{asset}/streamType/{stream}/variantId/{variant}",
            "a client",
        ),
        Endpoint("query", "POST", "/frontend/download-api/ingestion/query/v1/keys/{uuid}/query", "a client of 2025"),
        Endpoint(
            "download", "GET", "/frontend/download-api/ingestion/query/v1/keys/{uuid}/download", "a client of 2025"
        ),
        Endpoint(
            "cpix-generate",
            "GET",
            "/frontend/cpix/v1/{uuid}/ingest/{config}/{asset}",
            "Tencent's DRM integration, Shaka Packager's documentation",
        ),
        Endpoint(
            "cpix-process",
            "POST",
            "/frontend/cpix/v1/{uuid}/ingest/{config}",
            "the table names it; which requests it takes is not public",
        ),
    )
}
"""The operations that drmkit calls, by their names."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Whose keys they are: the two ways in which DRMtoday names an organization, and where its APIs are.

    Attributes:
        hosts: production, staging or custom.
        name: the organization's API name (dashboard, API endpoints); None where no call needs it.
        uuid: the organization's UUID (the same page, top right); likewise.
        cpix_config: the ID of the CPIX configuration; likewise.
    """

    hosts: DrmtodayHosts
    name: str | None = None
    uuid: str | None = None
    cpix_config: str | None = None

    def service(self, operation: str, /, **arguments: str) -> str:
        """Return the URL of an operation without its query: what its service ticket is asked for, to the letter.

        Args:
            operation: one of `ENDPOINTS`.
            arguments: what the path takes beside the account's own, percent-encoded here.

        Raises:
            ConfigurationError: the organization lacks what the path wants.
            InputError: an argument cannot stand in a path.
        """
        return self.resolve(ENDPOINTS[operation].path, **arguments)

    def resolve(self, path: str, /, **arguments: str) -> str:
        """Return the URL of a path whose places (`{name}`, `{uuid}`, `{config}`, arguments) are filled.

        Raises:
            ConfigurationError: the organization lacks what the path wants.
            InputError: an argument cannot stand in a path, or the path is none.
        """
        if not re.fullmatch(r"/[!-\[\]-~]*", path) or "?" in path or "#" in path or "//" in path:
            raise InputError(
                "an endpoint's path begins with one slash, and has no host, query or fragment",
                hint="write it like /frontend/rest/config/v1/{uuid}/account/list",
            )
        return self.hosts.frontend_url + _PLACE.sub(lambda place: self._filling(place[1], arguments), path)

    def _filling(self, place: str, arguments: Mapping[str, str]) -> str:
        if place in _SETTINGS:
            return self._own(place)
        value = arguments.get(place, "")
        if not value.strip() or value in {".", ".."}:
            raise InputError(f"the path's {place} is empty or a dot", hint=f"name the {place}")
        return quote(value, safe="")

    def _own(self, place: str) -> str:
        setting = _SETTINGS[place]
        value = {"name": self.name, "uuid": self.uuid, "config": self.cpix_config}[place]
        if value is None:
            what = {"name": "API name", "uuid": "UUID", "config": "CPIX configuration's ID"}[place]
            raise ConfigurationError(
                f"{setting} is not set, and this call's path wants the organization's {what}",
                hint=f"copy it from the dashboard's page API endpoints into the profile's {setting}",
            )
        if not _SEGMENT.fullmatch(value) or value in {".", ".."}:
            raise ConfigurationError(
                f"{setting} is not one path segment of a URL: {value!r}", hint="copy it from the dashboard"
            )
        return quote(value, safe="")
