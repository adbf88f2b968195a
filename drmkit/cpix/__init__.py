"""CPIX documents (DASH-IF, versions 2.1 to 2.4): read, check, build, choose keys.

`parse` gives a `Document`: typed views over one XML tree, which keep everything that they do not know. `validate` gives
a `Report` of all findings, `check` raises. `Builder` writes documents that are valid. `Document.key_for` says which
content key is for a track.
"""

from drmkit.cpix.builder import Builder
from drmkit.cpix.delivery import DocumentKey, MACMethod, Recipient, Signature
from drmkit.cpix.document import Document, parse
from drmkit.cpix.entities import ContentKey, ContentKeyPeriod, DRMSystem, HDCPData, UpdateHistoryItem
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.report import Finding, Report
from drmkit.cpix.selection import AudioTrack, Track, VideoTrack
from drmkit.cpix.usage import AudioFilter, BitrateFilter, UsageRule, VideoFilter
from drmkit.cpix.validation import check, validate

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
    "Recipient",
    "Report",
    "Signature",
    "Track",
    "UpdateHistoryItem",
    "UsageRule",
    "VideoFilter",
    "VideoTrack",
    "check",
    "parse",
    "validate",
]
