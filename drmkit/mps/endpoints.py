"""Where MPS is: the mainland and the international site, their regions, and custom addresses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from drmkit.errors import ConfigurationError
from drmkit.loopback import is_loopback
from drmkit.mps.findings import nearest

__all__ = ["INTERNATIONAL", "MAINLAND", "REGIONS", "Endpoint", "check_region", "vod_endpoint"]

REGIONS = (
    "ap-guangzhou",
    "ap-shanghai",
    "ap-nanjing",
    "ap-beijing",
    "ap-chengdu",
    "ap-chongqing",
    "ap-hongkong",
    "ap-singapore",
    "ap-jakarta",
    "ap-bangkok",
    "ap-seoul",
    "ap-tokyo",
    "na-ashburn",
    "na-siliconvalley",
    "sa-saopaulo",
    "eu-frankfurt",
)
"""The regions with an endpoint of their own (https://www.tencentcloud.com/document/product/1041/33627)."""

_MAINLAND = r"mps(?:\.[a-z0-9-]+)?\.tencentcloudapi\.com"
_INTERNATIONAL = "mps.intl.tencentcloudapi.com"


class Endpoint(msgspec.Struct, frozen=True):
    """The address of the API; tasks and templates are found only at the site that made them.

    Attributes:
        url: scheme, host and perhaps port.
    """

    url: str

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read an endpoint: `https://host[:port]`, or a host alone; plain http is accepted on loopback alone.

        Raises:
            ConfigurationError: anything else.
        """
        url = text if "://" in text else f"https://{text}"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ConfigurationError("the MPS endpoint is no URL", hint=f"write {MAINLAND.url}") from None
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
            raise ConfigurationError("the MPS endpoint is no http or https URL", hint=f"write {MAINLAND.url}")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ConfigurationError("the MPS endpoint has a path or a query", hint="keep the scheme, host and port")
        if parts.scheme == "http" and not is_loopback(host):
            raise ConfigurationError(
                "the MPS endpoint is plain http, which would show keys and tickets to the network",
                hint="write https; http is for a sandbox on this machine",
            )
        name = f"[{host}]" if ":" in host else host
        return cls(f"{parts.scheme}://{name}{f':{port}' if port else ''}")

    @classmethod
    def regional(cls, region: str) -> Endpoint:
        """Return the mainland site's endpoint in a region.

        Raises:
            ConfigurationError: no such region.
        """
        check_region(region)
        return cls(f"https://mps.{region}.tencentcloudapi.com")

    @property
    def host(self) -> str:
        """The Host header."""
        return self.url.partition("://")[2]

    @property
    def site(self) -> str:
        """`mainland`, `international`, `loopback` or `custom`: tasks are found only at their own site."""
        name = urlsplit(self.url).hostname or ""
        if name == _INTERNATIONAL:
            return "international"
        if re.fullmatch(_MAINLAND, name):
            return "mainland"
        return "loopback" if is_loopback(name) else "custom"


MAINLAND = Endpoint("https://mps.tencentcloudapi.com")
"""The mainland site, nearest region."""
INTERNATIONAL = Endpoint("https://mps.intl.tencentcloudapi.com")
"""The international site."""


def vod_endpoint(endpoint: Endpoint) -> Endpoint:
    """Return where Video on Demand is at the site of an endpoint of MPS: tasks never mix sites.

    A regional endpoint of MPS stands for its site, since VOD's has no regions; an address of one's own (a sandbox, a
    gateway) is taken as it is.
    """
    if endpoint.site == "international":
        return Endpoint("https://vod.intl.tencentcloudapi.com")
    return Endpoint("https://vod.tencentcloudapi.com") if endpoint.site == "mainland" else endpoint


def check_region(region: str) -> str:
    """Return a region of MPS.

    Raises:
        ConfigurationError: no such region.
    """
    if region in REGIONS:
        return region
    close = nearest(region, REGIONS)
    hint = f"did you mean {close}?" if close else f"the regions are {', '.join(REGIONS)}"
    raise ConfigurationError(f"MPS has no region {region!r}", hint=hint)
