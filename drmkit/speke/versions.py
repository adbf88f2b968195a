"""The versions of SPEKE: which CPIX each speaks, and how a request tells them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drmkit.errors import ConfigurationError
from drmkit.identifiers import DrmSystem

__all__ = [
    "AES128_OF_FIRST_VERSION",
    "HLS_METHODS",
    "MEDIA_TYPE",
    "PLAYED_BY",
    "SCHEMES",
    "SPEKE_NAMESPACE",
    "USER_AGENT_HEADER",
    "VERSIONS",
    "VERSION_HEADER",
    "SpekeVersion",
    "named",
    "of_cpix",
]

MEDIA_TYPE: Final = "application/xml"
SPEKE_NAMESPACE: Final = "urn:aws:amazon:com:speke"
"""The namespace of version 1.0's own elements; versions 2.0 and later have none."""
VERSION_HEADER: Final = "X-Speke-Version"
USER_AGENT_HEADER: Final = "X-Speke-User-Agent"
SCHEMES: Final = frozenset({"cenc", "cens", "cbc1", "cbcs"})
"""The protection schemes."""
AES128_OF_FIRST_VERSION: Final = "81376844-f976-481e-a84e-cc25d39b0b33"
"""The system ID that AWS's encryptors send for AES-128 in version 1.0, whose documentation calls it an example."""
HLS_METHODS: Final = frozenset({"AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"})
"""The methods of HLS, which version 2.1 takes for schemes."""
PLAYED_BY: Final = {
    DrmSystem.FAIRPLAY.value: frozenset({"cbcs", "SAMPLE-AES"}),
    DrmSystem.WIDEVINE.value: frozenset({"cenc", "cbcs", "SAMPLE-AES", "SAMPLE-AES-CTR"}),
    DrmSystem.PLAYREADY.value: frozenset({"cenc", "cbcs", "SAMPLE-AES", "SAMPLE-AES-CTR"}),
    DrmSystem.CLEARKEY_AES128.value: frozenset({"cbc1", "AES-128"}),
}
"""The schemes that SPEKE allows for a DRM system, by its ID; systems that are not here take any."""


@dataclass(frozen=True, slots=True)
class SpekeVersion:
    """One version of SPEKE.

    Attributes:
        name: such as `2.0`.
        cpix: the CPIX version that its documents state; None for 1.0, whose documents state none.
        namespace_version: the CPIX version in whose terms its documents are written.
        user_agent: the response header in which the provider names itself.
    """

    name: str
    cpix: str | None
    namespace_version: str
    user_agent: str

    @property
    def is_first(self) -> bool:
        """Whether this is 1.0, which differs from the others in nearly everything."""
        return self.cpix is None

    @property
    def path(self) -> str:
        """The path that the specification shows; it is an example, and providers choose their own."""
        return f"/speke/v{self.name}/copyProtection"


VERSIONS: Final = {
    version.name: version
    for version in (
        SpekeVersion("1.0", None, "2.3", "Speke-User-Agent"),
        SpekeVersion("2.0", "2.3", "2.3", USER_AGENT_HEADER),
        SpekeVersion("2.1", "2.4", "2.4", USER_AGENT_HEADER),
    )
}


def named(name: str) -> SpekeVersion:
    """Return a version by its name.

    Raises:
        ConfigurationError: there is no such version.
    """
    try:
        return VERSIONS[name]
    except KeyError:
        raise ConfigurationError(f"there is no SPEKE version {name!r}", hint=f"one of {', '.join(VERSIONS)}") from None


def of_cpix(cpix: str | None) -> SpekeVersion:
    """Return the version that a document's `CPIX@version` belongs to; 1.0 where it states none or another one."""
    return next((version for version in VERSIONS.values() if version.cpix == cpix), VERSIONS["1.0"])
