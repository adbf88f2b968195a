"""CPIX documents (DASH-IF, versions 2.1 to 2.4): read, check, build, choose keys.

`parse` gives a `Document`: typed views over one XML tree, which keep everything that they do not know. `validate` gives
a `Report` of all findings, `check` raises. `Builder` writes documents that are valid. `Document.key_for` says which
content key is for a track. `encrypt` and `decrypt` work for recipients, `sign` and `verify` for signers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from drmkit.cpix.builder import Builder
from drmkit.cpix.delivery import DocumentKey, MACMethod, Recipient, Signature
from drmkit.cpix.document import Document, parse
from drmkit.cpix.entities import ContentKey, ContentKeyPeriod, DRMSystem, HDCPData, UpdateHistoryItem
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.report import Finding, Report
from drmkit.cpix.selection import AudioTrack, Track, VideoTrack
from drmkit.cpix.usage import AudioFilter, BitrateFilter, UsageRule, VideoFilter
from drmkit.cpix.validation import check, validate

if TYPE_CHECKING:
    from drmkit.cpix.decryption import decrypt, open_keys
    from drmkit.cpix.encryption import encrypt
    from drmkit.cpix.privatekey import PrivateKey, load_private_key
    from drmkit.cpix.signature import VerifiedSignature, sign, verify

__all__ = [
    "VERSIONS",
    "AudioFilter",
    "AudioTrack",
    "BitrateFilter",
    "Builder",
    "ContentKey",
    "ContentKeyPeriod",
    "DRMSystem",
    "Document",
    "DocumentKey",
    "Finding",
    "HDCPData",
    "MACMethod",
    "PrivateKey",
    "Recipient",
    "Report",
    "Signature",
    "Track",
    "UpdateHistoryItem",
    "UsageRule",
    "VerifiedSignature",
    "VideoFilter",
    "VideoTrack",
    "check",
    "decrypt",
    "encrypt",
    "load_private_key",
    "open_keys",
    "parse",
    "sign",
    "validate",
    "verify",
]

_LATER: Final = {
    "PrivateKey": "privatekey",
    "VerifiedSignature": "signature",
    "decrypt": "decryption",
    "encrypt": "encryption",
    "load_private_key": "privatekey",
    "open_keys": "decryption",
    "sign": "signature",
    "verify": "signature",
}


def __getattr__(name: str) -> Any:
    """Import what needs `cryptography` where it is first asked for: reading and writing documents does not."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
