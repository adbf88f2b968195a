"""The key providers whose interfaces are publicly known: their URLs, what authenticates, and what is not known of them.

Every entry says where it is from. What no public page states is listed as unknown, and never guessed at.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from drmkit.errors import ConfigurationError
from drmkit.secret import Secret
from drmkit.speke.auth import Auth, BasicAuth, SigV4Auth

__all__ = ["VENDORS", "Endpoint", "Vendor", "connect", "find", "spoken_version"]

_DOVERUNNER_IDS: Final = (r"[A-Za-z0-9]{1,200}", "at most 200 letters and digits")
_SAFE: Final = {"path": "/", "location": ":", "host": ":"}
"""What stays as it is in a field of a URL: parts of a path, and ports."""
_FIELD: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One key provider.

    Attributes:
        name: what it is called on the command line.
        title: what it is called in public.
        url: its address, with `{field}` for what is the customer's own; "" where no public page states it.
        fields: what the customer must give, beyond what the URL and the authentication name.
        secrets: those fields that must not be shown.
        auth: how it authenticates: in the URL, by HTTP Basic (fields username, password), by a header, by AWS's
            signatures, or by a ticket for DRMtoday.
        header: the header's template, as `Name: value with {field}`.
        version: the version of SPEKE, or None where it does not take SPEKE requests.
        bare: whether a DRM system without any places to fill is filled by its ID alone.
        content_type: of the request.
        strict: whether it says that it speaks SPEKE, so that its HTTP headers can be held to that.
        content_ids: which content IDs it takes: a regular expression, and the same in words; "" for any.
        unknown: what no public page states.
        source: where this is from.
    """

    name: str
    title: str
    url: str
    auth: Literal["url", "basic", "header", "sigv4", "drmtoday"]
    version: str | None
    source: str
    fields: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    header: str = ""
    bare: bool = False
    content_type: str = "application/xml"
    strict: bool = True
    content_ids: tuple[str, str] = ("", "")
    unknown: tuple[str, ...] = ()

    def doubt(self, content_id: str) -> str | None:
        """Return why the vendor may not take a content ID, in a sentence, or None."""
        pattern, words = self.content_ids
        if not pattern or re.fullmatch(pattern, content_id):
            return None
        return f"{self.title} takes content IDs of {words}, and may refuse {content_id[:80]!r}"

    @property
    def required(self) -> tuple[str, ...]:
        """All fields that the customer must give, in the order of their use."""
        named = [*_FIELD.findall(self.url), *_FIELD.findall(self.header), *self.fields]
        extra = {"basic": ("username", "password"), "sigv4": ("access_key", "secret_key", "region")}
        return tuple(dict.fromkeys([*named, *extra.get(self.auth, ())]))

    @property
    def not_known(self) -> str:
        """What no public page states, in words; "" where all is known that is needed."""
        return f"not publicly known: {'; '.join(self.unknown)}" if self.unknown else ""

    def is_secret(self, field: str) -> bool:
        """Say whether a field must not be shown."""
        return field in self.secrets or field in {"password", "secret_key", "session_token"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to send requests: the arguments of a `SpekeClient`.

    Attributes:
        url: the address.
        version: the version of SPEKE.
        auth: authenticates each request, or None.
        headers: further headers.
        hidden: secrets inside the URL.
        bare: see `Vendor.bare`.
        content_type: of the request.
        strict: see `Vendor.strict`.
    """

    url: Secret[str]
    version: str
    auth: Auth | None = None
    headers: Mapping[str, Secret[str]] | None = None
    hidden: tuple[Secret[str], ...] = ()
    bare: bool = False
    content_type: str = "application/xml"
    strict: bool = True


VENDORS: Final[dict[str, Vendor]] = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            name="drmtoday",
            title="castLabs DRMtoday",
            url="https://fe.drmtoday.com/frontend/cpix/v1/{organization}/ingest/{cpix_config}",
            auth="drmtoday",
            version="2.0",
            unknown=(
                "whether it answers POST at all: public examples send GET, and Tencent MPS does not say what it sends",
                "which SPEKE version it speaks; its documents are CPIX 2.3",
                "how long a ticket lives, and how often it can be used",
            ),
            source="https://www.tencentcloud.com/document/product/1041/68547",
        ),
        Vendor(
            name="doverunner",
            title="DoveRunner (PallyCon)",
            url="https://drm-kms.doverunner.com/v2/cpix/pallycon/getKey/{token}",
            auth="url",
            secrets=("token",),
            version="1.0",
            bare=True,
            content_ids=_DOVERUNNER_IDS,
            strict=False,
            unknown=("whether it checks anything of a request but its content ID",),
            source="https://github.com/doverunner/cpix-api-client",
        ),
        Vendor(
            name="pallycon",
            title="DoveRunner at its former host",
            url="https://kms.pallycon.com/v2/cpix/pallycon/getKey/{token}",
            auth="url",
            secrets=("token",),
            version="1.0",
            bare=True,
            content_ids=_DOVERUNNER_IDS,
            strict=False,
            unknown=("whether it checks anything of a request but its content ID",),
            source="https://docs.pallycon.com/en/multidrm/packaging/cpix-api/",
        ),
        Vendor(
            name="axinom",
            title="Axinom DRM",
            url="https://key-server-management.axprod.net/api/SpekeV2",
            auth="basic",
            version="2.0",
            unknown=("its limits on requests",),
            source="https://docs.unified-streaming.com/documentation/drm/axinom.html",
        ),
        Vendor(
            name="irdeto",
            title="Irdeto Control",
            url="https://{location}/tkm/v2/{path}/contents/{content_id}/copyProtectionData",
            auth="basic",
            version="2.0",
            content_type="text/xml",
            strict=False,
            unknown=(
                "how far its own version 2 is SPEKE 2.0: it takes cenc, cbc1, cens and cbcs",
                "its answers' headers",
            ),
            source="https://docs.unified-streaming.com/documentation/drm/irdeto.html",
        ),
        Vendor(
            name="vualto",
            title="VUDRM (JW Player) by SPEKE 1.0",
            url="https://speke.vudrm.tech/{client}/speke",
            auth="header",
            header="API-KEY: {api_key}",
            secrets=("api_key",),
            version="1.0",
            unknown=("how long it stays: JW Player recommends SPEKE 2.0, which is the vendor jwplayer here",),
            source="https://github.com/Vualto/vudrm-public-docs",
        ),
        Vendor(
            name="jwplayer",
            title="JW Player Studio DRM (VUDRM) by SPEKE 2.0",
            url="https://cpix.vudrm.tech/v2/speke/{client}",
            auth="header",
            header="API-KEY: {api_key}",
            secrets=("api_key",),
            version="2.0",
            content_ids=(r"[A-Za-z0-9_-]+", "letters, digits, underscores and hyphens"),
            unknown=("whether its limits for content IDs, stated for its CPIX API, hold for SPEKE",),
            source="https://docs.jwplayer.com/platform/reference/studio-drm-standalone-aws-media-services",
        ),
        Vendor(
            name="buydrm",
            title="BuyDRM KeyOS",
            url="https://cpix.keyos.com/api/v4/getKeysNoEncryption?auth-token={token}",
            auth="url",
            secrets=("token",),
            header="SOAPAction: http://tempuri.org/ISmoothPackager/RequestEncryptionInfo",
            version="1.0",
            bare=True,
            content_type="text/xml",
            strict=False,
            unknown=(
                "whether it speaks SPEKE: the public example sends what a request of version 1.0 without places is",
                "how the JWT is made from the certificate",
            ),
            source="https://docs.unified-streaming.com/documentation/drm/buydrm.html",
        ),
        Vendor(
            name="sigma",
            title="Sigma DRM",
            url="https://api.sigmadrm.com/assets/ingest/cpix/v2/{merchant_id}/{app_id}",
            auth="header",
            header="x-access-token: {token}",
            secrets=("token",),
            version="2.0",
            strict=False,
            unknown=("which version of CPIX and of SPEKE it speaks",),
            source="https://docs.sigmadrm.com/packa-cpix.html",
        ),
        Vendor(
            name="aws",
            title="A SPEKE server behind Amazon API Gateway",
            url="https://{api_id}.execute-api.{region}.amazonaws.com/{stage}/copyProtection",
            auth="sigv4",
            version="2.0",
            source="https://github.com/awslabs/speke-reference-server",
        ),
        Vendor(
            name="verimatrix",
            title="Verimatrix Multi-DRM",
            url="",
            auth="header",
            header="Authorization: Bearer {jwt}",
            secrets=("jwt",),
            version="2.0",
            strict=False,
            unknown=("its URL: take it from your account and give it as the field url", "whether it speaks SPEKE"),
            fields=("url",),
            source="https://docs.verimatrix.com/docs/cpix-claims",
        ),
        Vendor(
            name="insys",
            title="Insys Cloud DRM",
            url="https://{host}/kms/cpix?tenantId={tenant_id}",
            auth="basic",
            version="2.0",
            bare=True,
            strict=False,
            unknown=(
                "the host, which is that of your account, such as drm-demo-4.api.drm.cloud",
                "whether it checks X-Speke-Version and the filters of usage rules: the public example has neither",
                "its SPEKE API, which wants a bearer token and whose URL is shown in its console",
            ),
            source="https://docs.unified-streaming.com/documentation/drm/insys.html",
        ),
        Vendor(
            name="ezdrm",
            title="EZDRM",
            url="https://cpix.ezdrm.com/KeyGenerator/cpix2.aspx",
            auth="url",
            version=None,
            unknown=("whether it takes SPEKE requests at this URL: keys are asked for by GET, with query parameters",),
            source="https://docs.unified-streaming.com/documentation/drm/ezdrm.html",
        ),
        Vendor(
            name="sdmc",
            title="SDMC",
            url="https://uat.multidrm.tv/cpix/2.2/getcontentkey",
            auth="url",
            version=None,
            unknown=("how the token is made of Uid, SecretId and SecretKey", "the method and body of a request"),
            source="https://www.tencentcloud.com/document/product/1041/68547",
        ),
        Vendor(
            name="nagra",
            title="NAGRA",
            url="",
            auth="url",
            version=None,
            unknown=("its URL, method and version: only that a token or a user name and password is asked for",),
            source="https://docs.hybrik.com/job_json/tasks/package.encryption.cpix_key",
        ),
    )
}
"""The providers by name."""

_ALIASES: Final = {
    "castlabs": "drmtoday",
    "jw": "jwplayer",
    "keyos": "buydrm",
    "vudrm": "vualto",
}


def find(name: str) -> Vendor:
    """Return a vendor by its name.

    Raises:
        ConfigurationError: there is no such vendor.
    """
    try:
        return VENDORS[_ALIASES.get(name.lower(), name.lower())]
    except KeyError:
        close = difflib.get_close_matches(name.lower(), [*VENDORS, *_ALIASES], n=1)
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(VENDORS)}"
        raise ConfigurationError(f"there is no vendor {name!r}", hint=hint) from None


def spoken_version(vendor: Vendor) -> str:
    """Return the version of SPEKE that a vendor speaks.

    Raises:
        ConfigurationError: it takes no SPEKE requests, or only at URLs that are made for each of them.
    """
    if vendor.version is None or vendor.auth == "drmtoday":
        instead = (
            "use --key-source drmtoday:PROFILE, which gets a ticket first"
            if vendor.auth == "drmtoday"
            else f"see {vendor.source}"
        )
        why = (
            "needs a ticket for each URL" if vendor.auth == "drmtoday" else "takes no SPEKE requests that are known of"
        )
        raise ConfigurationError(f"{vendor.title} {why}", hint="; ".join(filter(None, (instead, vendor.not_known))))
    return vendor.version


def connect(vendor: Vendor, fields: Mapping[str, str | Secret[str]]) -> Endpoint:
    """Return where and how to send requests to a vendor.

    Args:
        vendor: the vendor.
        fields: what `Vendor.required` names; others are refused. `url` replaces the vendor's address.

    Raises:
        ConfigurationError: fields are missing or not known, or the vendor takes no SPEKE requests.
    """
    version = spoken_version(vendor)
    needed = [name for name in vendor.required if not ("url" in fields and name in _FIELD.findall(vendor.url))]
    missing = [name for name in needed if name not in fields]
    unknown = [name for name in fields if name not in {*vendor.required, "url", "session_token", "service"}]
    if missing or unknown:
        parts = [
            f"lacks {', '.join(missing)}" if missing else "",
            f"has no field {', '.join(unknown)}" if unknown else "",
        ]
        problem = " and ".join(part for part in parts if part)
        named = [f"{name} (secret)" if vendor.is_secret(name) else name for name in needed]
        hint = f"its fields: {', '.join(named) or 'none'}"
        raise ConfigurationError(f"{vendor.title} {problem}", hint="; ".join(filter(None, (hint, vendor.not_known))))
    values = {name: value if isinstance(value, Secret) else Secret(value) for name, value in fields.items()}
    template = values["url"].reveal() if "url" in values else vendor.url
    url = _FIELD.sub(lambda match: quote(values[match[1]].reveal(), safe=_SAFE.get(match[1], "")), template)
    name, _, value = vendor.header.partition(": ")
    filled = _FIELD.sub(lambda match: values[match[1]].reveal(), value)
    return Endpoint(
        Secret(url),
        version,
        _auth(vendor, values),
        {name: Secret(filled)} if name else None,
        tuple(secret for field, secret in values.items() if vendor.is_secret(field)),
        vendor.bare,
        vendor.content_type,
        vendor.strict,
    )


def _auth(vendor: Vendor, values: Mapping[str, Secret[str]]) -> Auth | None:
    if vendor.auth == "basic":
        return BasicAuth(values["username"].reveal(), values["password"])
    if vendor.auth == "sigv4":
        return SigV4Auth(
            access_key=values["access_key"].reveal(),
            secret_key=values["secret_key"],
            session_token=values.get("session_token"),
            region=values["region"].reveal(),
            service=values["service"].reveal() if "service" in values else "execute-api",
        )
    return None
