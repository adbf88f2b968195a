"""DRMtoday's license servers, and which environment of it an account belongs to.

Source: castLabs' sample players (https://github.com/castlabs/drmtoday-avplayer-demo).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from drmkit.errors import ConfigurationError
from drmkit.keyserver.drmtoday import ENVIRONMENTS, DrmtodayHosts

__all__ = ["LicenseServers", "environment_name"]

_HOSTS: Mapping[str, str] = {
    "production": "https://lic.drmtoday.com",
    "staging": "https://lic.staging.drmtoday.com",
}


@dataclass(frozen=True, slots=True)
class LicenseServers:
    """The license URLs of one DRMtoday environment.

    Attributes:
        environment: `production` or `staging`.
        merchant: the organization, which FairPlay's certificate belongs to.
    """

    environment: str
    merchant: str

    @property
    def widevine(self) -> str:
        """Widevine's license URL; the answer is the license alone, not JSON around it."""
        return f"{_HOSTS[self.environment]}/license-proxy-widevine/cenc/?specConform=true"

    @property
    def playready(self) -> str:
        """PlayReady's license URL."""
        return f"{_HOSTS[self.environment]}/license-proxy-headerauth/drmtoday/RightsManager.asmx"

    @property
    def fairplay(self) -> str:
        """FairPlay's license URL."""
        return f"{_HOSTS[self.environment]}/license-server-fairplay/"

    @property
    def fairplay_certificate(self) -> str:
        """The URL of the merchant's FairPlay certificate."""
        return f"{_HOSTS[self.environment]}/license-server-fairplay/cert/{quote(self.merchant, safe='')}"


def environment_name(hosts: DrmtodayHosts) -> str:
    """Return the name of the environment that hosts belong to.

    Raises:
        ConfigurationError: they are not DRMtoday's.
    """
    for name, known in ENVIRONMENTS.items():
        if hosts.frontend_url == known.frontend_url:
            return name
    raise ConfigurationError(
        f"the profile points at {hosts.frontend_url}, which is not DRMtoday",
        hint='use a profile with environment = "production" or "staging"',
    )
