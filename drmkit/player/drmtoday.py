"""DRMtoday's license servers, the header that names a user, and the fields of its test player.

Sources: Tencent Cloud, "DRM integration" (https://www.tencentcloud.com/document/product/1041/68547), for the test
player; castLabs' sample players (https://github.com/castlabs/drmtoday-avplayer-demo) for URLs and headers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from drmkit.errors import ConfigurationError, InputError
from drmkit.keyserver.drmtoday import ENVIRONMENTS, DrmtodayHosts

__all__ = ["CUSTOM_DATA_HEADER", "TOKEN_HEADER", "LicenseServers", "custom_data", "environment_name"]

TOKEN_HEADER = "x-dt-auth-token"
CUSTOM_DATA_HEADER = "x-dt-custom-data"
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


def custom_data(merchant: str, user_id: str, session_id: str) -> str:
    """Return the value of `x-dt-custom-data`: Base64 of a JSON object; the license server asks the merchant about it.

    Raises:
        InputError: one of the three is empty.
    """
    if not (merchant and user_id and session_id):
        raise InputError("DRMtoday's custom data needs a merchant, a user ID and a session ID")
    fields = {"merchant": merchant, "userId": user_id, "sessionId": session_id}
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(text.encode()).decode("ascii")
