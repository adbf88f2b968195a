"""The catalog: every rule that a check of a stream can name, its severity, what to do, and the clause behind it."""

# ruff: noqa: E501 - a table is read by its columns: one rule a line

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drmkit.stream.check.model import Severity

__all__ = ["RULES", "StreamRule", "rules"]

_CENC: Final = "ISO/IEC 23001-7"
_BMFF: Final = "ISO/IEC 14496-12"
_HLS: Final = "RFC 8216"
_DASH: Final = "ISO/IEC 23009-1"
_IOP: Final = "DASH-IF IOP, Part 6 (Content Protection)"
_WRM: Final = "Microsoft, PlayReady Header Specification"
_CPIX: Final = "DASH-IF CPIX 2.4"
_SHAKA: Final = "Shaka Packager, widevine_pssh_data.proto"
_SAMPLE_AES: Final = "Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRule:
    """One rule: its ID, severity, what holds where it is kept, what to do, and the clause."""

    id: str
    severity: Severity
    summary: str
    hint: str
    source: str


_TABLE: Final[tuple[tuple[str, Severity, str, str, str], ...]] = (
    # What can be read.
    ("playlist-unreadable", "error", "Every playlist that the manifest names can be read.", "look at the named file", _HLS + ", 4"),
    ("playlist-nested", "error", "A multivariant playlist names media playlists, not itself or its like.", "name media playlists in it", _HLS + ", 4.3.4"),
    ("segment-unreadable", "error", "Every segment that was looked at is there.", "publish the file, or take it out of the manifest", "-"),
    ("segment-broken", "error", "The boxes of a segment fit its bytes.", "the file is cut short, or was written wrongly: package it again", _BMFF + ", 4.2"),
    ("init-missing", "error", "Segments of fragmented MP4 have an initialization segment.", "name it: EXT-X-MAP in HLS, Initialization in DASH", _BMFF + ", 8.16"),
    ("init-broken", "error", "The initialization segment can be read.", "package the track again", _BMFF + ", 8.5"),
    ("reference-refused", "error", "References stay within the stream's folder, or are http and https URLs.", "--root DIR names a wider folder that you trust", "-"),
    ("manifest-empty", "error", "The manifest names a track.", "is this the right manifest?", "-"),
    ("mpd-broken", "error", "The manifest gives each representation its segments in a form that can be followed.", "correct the manifest at the named line", _DASH + ", 5.3.9"),
    ("variable-undefined", "error", "Variables in a playlist are defined.", "define it with EXT-X-DEFINE, or give the URL with its query", "draft-pantos-hls-rfc8216bis, 4.4.2.3"),
    ("xlink-not-followed", "warning", "Everything stands in the manifest itself.", "resolve the xlink, and check the whole manifest", _DASH + ", 5.5"),
    ("limit-reached", "warning", "Everything that was to be looked at was within the limits.", "raise --max-bytes, or look at fewer segments", "-"),
    ("content-unchecked", "note", "All content is of a kind that can be looked into.", "what is named here was not checked", "-"),
    ("manifest-live", "note", "The manifest is complete.", "only what it lists at present was checked", "-"),
    # Key IDs, schemes, IVs in the media.
    ("kid-zero", "error", "No key ID is all zeros.", "package with the key ID of the key server", _CENC + ", 8.2"),
    ("kid-ascii", "error", "A key ID is 16 bytes, not its own text.", "decode the hexadecimal digits or the UUID before packaging", _CENC + ", 8.2"),
    ("kid-printable", "warning", "A key ID does not look like text.", "make sure that 16 bytes were meant, not 16 characters", _CENC + ", 8.2"),
    ("scheme-unknown", "error", "The scheme is cenc, cens, cbc1 or cbcs.", "package with cenc or cbcs", _CENC + ", 10"),
    ("scheme-mixed", "error", "All encrypted tracks of a stream have one scheme.", "package all tracks with one scheme", _IOP + ", 7"),
    ("cenc-constant-iv", "error", "In counter mode every sample has an IV of its own.", "package with per-sample IVs", _CENC + ", 9.1"),
    ("cbcs-iv-per-sample", "warning", "cbcs has one constant IV.", "Apple's players take constant IVs alone", _CENC + ", 10.4.1"),
    ("pattern-wrong", "error", "The pattern is one that the scheme allows.", "no pattern in cenc and cbc1; 1:9 for cbcs video", _CENC + ", 10"),
    ("pattern-unusual", "warning", "cbcs video has the pattern 1:9, cbcs audio none.", "players may refuse other patterns", _CENC + ", 10.4.2"),
    ("iv-reused", "warning", "In counter mode no IV is used twice with one key.", "use a key for each track, or let the packager choose the IVs", _CENC + ", 9.2"),
    ("samples-without-iv", "error", "Encrypted samples have their IVs.", "the box senc (or saiz and saio) is missing: package the track again", _CENC + ", 7.2"),
    ("senc-broken", "error", "Sample encryption information fits the samples.", "package the track again", _CENC + ", 7.2"),
    ("saio-missing", "warning", "Fragments with senc have saiz and saio too.", "some players find the information by these boxes alone", _CENC + ", 7.1"),
    ("saio-wrong", "error", "saio leads to the sample encryption information.", "package the track again", _BMFF + ", 8.7.9"),
    ("subsamples-missing", "warning", "Video of NAL units is encrypted by subsamples.", "players need the NAL headers in the clear", _CENC + ", 9.5.2"),
    ("encrypted-in-name-only", "error", "A track that is marked as encrypted has encrypted samples.", "everything that was looked at is in the clear: package it again", _CENC + ", 4"),
    ("clear-lead", "warning", "Encryption starts with the first segment.", "package with --clear_lead 0, unless a clear lead is meant", _CENC + ", 8.2"),
    ("clear-part", "warning", "All segments of an encrypted track are encrypted.", "make sure that this part is meant to be in the clear", _CENC + ", 8.2"),
    ("key-rotation", "note", "A track has one key.", "players must take keys that come with the media", _CENC + ", 6"),
    ("mixed-entries", "note", "A track has encrypted sample descriptions, or clear ones, not both.", "usual with a clear lead or clear parts", _BMFF + ", 8.5.2"),
    # Boxes.
    ("pssh-broken", "error", "PSSH boxes and what stands in them can be read.", "take the box from the key server as it is", _CENC + ", 8.1"),
    ("pssh-kid", "error", "A PSSH box names the key of its track.", "package each track with the box of its own key", _CENC + ", 8.1"),
    ("pssh-byte-order", "error", "Key IDs have the byte order of their system.", "PlayReady writes GUIDs little-endian, everyone else big-endian", _WRM + ", 5"),
    ("pssh-scheme", "error", "A Widevine box names the scheme of its track.", "ask the key server for signaling of this scheme", _SHAKA),
    ("playready-algorithm", "error", "A PlayReady header names the cipher of its track: AESCTR for cenc, AESCBC for cbcs.", "ask the key server for signaling of this scheme", _WRM + ", 3"),
    ("playready-checksum", "error", "The CHECKSUM of a PlayReady header is that of the content key.", "the header is of another key, or the key is wrong", _WRM + ", 5"),
    ("playready-header", "warning", "A PlayReady header keeps the rules of its version.", "take the header from the key server as it is", _WRM + ", 3"),
    ("playready-shared", "error", "Each track has the PlayReady Object of its own key.", "one track's object stands on all tracks: run the packager once for each key, or with --protection_systems PlayReady", _WRM + ", 2"),
    ("pssh-repeated", "warning", "There is one box of a system in one place.", "players take the first: give each track the box of its own key", _CENC + ", 8.1"),
    ("pssh-in-fragment", "note", "PSSH boxes stand in the initialization segment.", "those in fragments are for key rotation", _CENC + ", 8.1"),
    ("pssh-differs", "warning", "Manifest and initialization segment have the same box of a system.", "players take either: write the same box to both", _IOP + ", 8"),
    ("systems-uneven", "warning", "All encrypted tracks signal the same DRM systems.", "a player of the missing system cannot play this track", _IOP + ", 8"),
    ("signaling-missing", "warning", "Something tells a player which DRM system has the key.", "give the packager the PSSH boxes of the key server", _IOP + ", 8"),
    # HLS.
    ("hls-tag-broken", "error", "Key tags can be read.", "correct the tag", _HLS + ", 4.3.2.4"),
    ("hls-key-missing", "error", "Encrypted segments have a key tag in force.", "write EXT-X-KEY before the first encrypted segment", _HLS + ", 4.3.2.4"),
    ("hls-key-for-clear", "warning", "Segments in the clear have no key tag in force.", "write METHOD=NONE before them, or EXT-X-KEY behind them", _HLS + ", 4.3.2.4"),
    ("hls-method", "error", "METHOD is that of the scheme: SAMPLE-AES for cbcs, SAMPLE-AES-CTR for cenc.", "correct METHOD", "draft-pantos-hls-rfc8216bis, 4.4.4.4"),
    ("hls-method-unknown", "error", "METHOD is known.", "NONE, AES-128, SAMPLE-AES or SAMPLE-AES-CTR", _HLS + ", 4.3.2.4"),
    ("hls-keyformat", "warning", "KEYFORMAT is that of a known DRM system.", "check its spelling: players pass over a tag that they do not know", _HLS + ", 4.3.2.4"),
    ("hls-kid", "error", "A key tag names the key ID of its track.", "write the signaling of the track's own key", "draft-pantos-hls-rfc8216bis, 4.4.4.4"),
    ("hls-iv", "error", "The IV of a key tag is the constant IV of the media.", "write the same IV to both, or leave the attribute out", _HLS + ", 4.3.2.4"),
    ("hls-identity-line", "error", "No key tag of format identity holds data that is no key.", "take the line out: players take what is behind the URI as the key itself", _HLS + ", 4.3.2.4"),
    ("hls-key-inside", "error", "A playlist does not hold the key itself.", "put the key behind a URI that asks who wants it", _HLS + ", 4.3.2.4"),
    ("hls-key-over-http", "warning", "Keys are fetched over https.", "use an https URI", _HLS + ", 10"),
    ("sample-aes-stream-type", "error", "In MPEG-TS, streams under SAMPLE-AES have the stream types of encrypted streams.", "package again with SAMPLE-AES: 0xDB for H.264, 0xCF for AAC, 0xC1 for AC-3, 0xC2 for E-AC-3", _SAMPLE_AES + ", 3"),
    ("sample-aes-descriptor", "warning", "Encrypted streams are described: private data indicator and audio setup.", "Apple's players set up the decoder by these descriptors: package again with SAMPLE-AES", _SAMPLE_AES + ", 2.3.4 and 3"),
    ("hls-fairplay-scheme", "error", "FairPlay is signaled for cbcs alone.", "FairPlay plays no AES-CTR: package with cbcs, or take the line out", "Apple, HTTP Live Streaming authoring"),
    ("hls-version", "warning", "EXT-X-VERSION covers what the playlist uses.", "5 for KEYFORMAT and SAMPLE-AES, 6 for EXT-X-MAP", _HLS + ", 7"),
    ("hls-session-key", "warning", "Session keys are keys of the media playlists.", "write the lines of the media playlists", _HLS + ", 4.3.4.5"),
    # DASH.
    ("mpd-signaling-broken", "error", "ContentProtection elements can be read.", "correct the element", _DASH + ", 5.8.4"),
    ("mpd-protection-missing", "error", "Encrypted media has ContentProtection in the manifest.", "write the elements: mp4protection, and one for each system", _DASH + ", 5.8.4.1"),
    ("mpd-mp4protection", "error", "ContentProtection of mp4protection names scheme and key ID.", 'write schemeIdUri="urn:mpeg:dash:mp4protection:2011" with value and cenc:default_KID', _IOP + ", 8"),
    ("mpd-protection-on-clear", "warning", "Media in the clear has no ContentProtection.", "take the elements out, or encrypt the track", _DASH + ", 5.8.4.1"),
    ("mpd-scheme", "error", "The value of mp4protection is the scheme of the media.", "correct the value", _DASH + ", 5.8.5.2"),
    ("mpd-kid", "error", "cenc:default_KID is the key ID of the media.", "write the key ID of the track's tenc box", _CENC + ", 11.2"),
    ("mpd-kid-missing", "warning", "mp4protection states cenc:default_KID.", "players ask for the license before they have the media", _IOP + ", 8"),
    ("mpd-pro-differs", "error", "mspr:pro is the object of the PlayReady box beside it.", "write the same object to both", _WRM + ", 4"),
    ("mpd-ref", "error", "References between ContentProtection elements resolve.", "give the element that is meant the refId", _DASH + ", 5.8.4.1"),
    # Between tracks.
    ("key-shared-kinds", "advice", "Video and audio have keys of their own.", "robustness rules differ: license services want a key for each", "DASH-IF IOP, Part 6, 5"),
    ("key-shared-sizes", "advice", "SD, HD and UHD have keys of their own.", "one key gives a weak device the best picture", "DASH-IF IOP, Part 6, 5"),
    ("tracks-clear", "warning", "No track is in the clear beside encrypted ones.", "make sure that this track is meant to be in the clear", "-"),
    # Against a CPIX document.
    ("document-key-missing", "error", "The document has the key of every track.", "package with this document, or check with the one that was used", _CPIX + ", ContentKey"),
    ("document-usage", "error", "Each track has the key that the usage rules give it.", "package the track with that key", _CPIX + ", Usage Rules Filters"),
    ("document-clear", "error", "Tracks that the document has a key for are encrypted.", "package the track with that key", _CPIX + ", ContentKeyUsageRule"),
    ("document-rule-unusable", "note", "The usage rules can be applied.", "the track's key was not checked against the rules", _CPIX + ", Usage Rules Filters"),
    ("document-scheme", "error", "Tracks have the scheme of their content key.", "package with the document's scheme, or ask for another document", _CPIX + ", commonEncryptionScheme"),
    ("document-iv", "error", "Tracks start with the IV of their content key.", "package with the document's explicitIV", _CPIX + ", explicitIV"),
    ("document-system-missing", "warning", "Every DRM system of the document is signaled.", "give the packager the PSSH box of the document", _CPIX + ", DRMSystem"),
    ("document-system-extra", "warning", "No DRM system is signaled that the document does not have.", "the key server knows nothing of that system", _CPIX + ", DRMSystem"),
    ("document-pssh", "error", "PSSH boxes are those of the document, byte for byte.", "give the packager the document's own boxes", _CPIX + ", PSSH"),
    ("document-hls", "warning", "Key tags say what the document's HLS signaling says.", "write the document's lines to the playlist", _CPIX + ", HLSSignalingData"),
    ("document-mpd", "warning", "ContentProtection elements say what the document's say.", "write the document's elements to the manifest", _CPIX + ", ContentProtectionData"),
    ("document-contradicts-itself", "warning", "The document does not contradict itself.", "`drmkit cpix validate` says all about it", _CPIX + ", DRMSystem"),
    # Keys.
    ("key-is-key-id", "error", "The content key is not the key ID.", "the key ID is public, so the content is: ask the key server what it serves", _CENC + ", 4"),
    ("key-is-known", "error", "The content key is not one that everybody knows.", "package with a random key", _CENC + ", 4"),
    ("not-encrypted", "error", "What is marked as encrypted is encrypted.", "the samples decode without any key: package the track again", _CENC + ", 4"),
    ("key-wrong", "error", "The track decrypts with its key.", "the packager used another key than this one", _CENC + ", 9"),
    ("key-unknown", "warning", "The key of each encrypted track was given.", "give a document or a key file that has it", "-"),
    ("decryption-undecided", "warning", "Whether a track decrypts can be told.", "read more with --segments all; --source FILE compares with the clear media, which always tells", "-"),
    ("decryption-not-tried", "note", "Tracks were decrypted.", "give --cpix or --key-file, and install the extra `packager`", "-"),
    ("source-differs", "error", "The decrypted media is that of the source.", "the track was made of other media, or damaged", "-"),
)  # fmt: skip

RULES: Final = {
    name: StreamRule(id=name, severity=severity, summary=summary, hint=hint, source=source)
    for name, severity, summary, hint, source in _TABLE
}
"""The rules by ID, in the order in which a stream meets them."""


def rules() -> tuple[StreamRule, ...]:
    """Return every rule, in the order in which a stream meets them."""
    return tuple(RULES.values())
