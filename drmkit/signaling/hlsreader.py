"""Reads HLS key tags, `EXT-X-KEY` and `EXT-X-SESSION-KEY` (RFC 8216, clauses 4.3.2.4 and 4.3.4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import encodings
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.pssh import parse as parse_boxes

__all__ = [
    "CLEARKEY",
    "IDENTITY",
    "KEY",
    "KEYFORMATS",
    "METHODS",
    "SESSION_KEY",
    "HlsKey",
    "parse",
    "parse_tag",
    "tag_lines",
]

KEY = "EXT-X-KEY"
SESSION_KEY = "EXT-X-SESSION-KEY"
METHODS = ("NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR")
IDENTITY = "identity"
KEYFORMATS = {
    DrmSystem.WIDEVINE: f"urn:uuid:{DrmSystem.WIDEVINE.system_id}",
    DrmSystem.PLAYREADY: "com.microsoft.playready",
    DrmSystem.FAIRPLAY: "com.apple.streamingkeydelivery",
    DrmSystem.COMMON: f"urn:uuid:{DrmSystem.COMMON.system_id}",
    DrmSystem.CLEARKEY_AES128: IDENTITY,
    DrmSystem.CLEARKEY_SAMPLE_AES: IDENTITY,
}
CLEARKEY = "org.w3.clearkey"
_WIDEVINE_OLD = "com.widevine"
_SYSTEMS = {keyformat.lower(): system for system, keyformat in KEYFORMATS.items() if keyformat != IDENTITY}
_SYSTEMS[_WIDEVINE_OLD] = DrmSystem.WIDEVINE
_SYSTEMS[CLEARKEY] = DrmSystem.CLEARKEY_DASH
_BOXED = frozenset({DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON})
_BOX = b"pssh"
_IDENTITY_SYSTEMS = {"AES-128": DrmSystem.CLEARKEY_AES128, "SAMPLE-AES": DrmSystem.CLEARKEY_SAMPLE_AES}
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(?:,|$)')
_TAG = re.compile(r"#(EXT-X-KEY|EXT-X-SESSION-KEY):(.*)", re.DOTALL)
_DATA_URI = re.compile(r"data:([^,]*),(.*)", re.DOTALL | re.IGNORECASE)
_HEX_NUMBER = re.compile(r"0[xX]([0-9A-Fa-f]{1,32})")
_HEX_DIGITS = 32


@dataclass(frozen=True, slots=True)
class HlsKey:
    """One key tag, its attributes kept in their order.

    Args:
        tag: EXT-X-KEY or EXT-X-SESSION-KEY.
        attributes: (name, value without quotes) in their order, unknown ones too.
        quoted: the names whose values stand in quotes.
    """

    tag: str
    attributes: tuple[tuple[str, str], ...]
    quoted: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """Return an attribute's value without quotes, or None."""
        return next((value for key, value in self.attributes if key == name), None)

    @property
    def method(self) -> str:
        """The encryption method."""
        return self.get("METHOD") or ""

    @property
    def uri(self) -> str | None:
        """The key's URI."""
        return self.get("URI")

    @property
    def keyformat(self) -> str:
        """The key format; a tag without one means "identity"."""
        return self.get("KEYFORMAT") or IDENTITY

    @property
    def system(self) -> DrmSystem | None:
        """The DRM system that the key format belongs to, or None for one not known here."""
        keyformat = self.keyformat.lower()
        if keyformat == IDENTITY:
            return _IDENTITY_SYSTEMS.get(self.method)
        if keyformat in _SYSTEMS:
            return _SYSTEMS[keyformat]
        return DrmSystem.find(keyformat.removeprefix("urn:uuid:"))

    @property
    def iv(self) -> bytes | None:
        """The initialization vector, 16 bytes, or None."""
        return self._sequence("IV")

    @property
    def key_id(self) -> KeyId | None:
        """The `KEYID` attribute that Widevine tags carry, or None."""
        raw = self._sequence("KEYID")
        return None if raw is None else KeyId(raw)

    def payload(self) -> bytes | None:
        """Return the bytes of a `data:` URI, or None for another URI.

        Raises:
            SignalingError: the URI is a `data:` URI, but not base64.
        """
        match = _DATA_URI.fullmatch(self.uri or "")
        if match is None:
            return None
        if not match[1].lower().endswith(";base64"):
            raise SignalingError(
                f"{self.tag}: the data: URI is not marked as base64", hint="data:text/plain;base64,..."
            )
        return encodings.from_base64(match[2], f"{self.tag}: the data: URI")

    def boxes(self) -> list[PsshBox]:
        """Return the PSSH boxes in the URI; a bare PlayReady Object counts as the data of a version 0 box.

        The URI of a system whose tags hold no boxes may hold anything, and so may `com.widevine`, whose JSON came
        before the boxes.

        Raises:
            SignalingError: the URI's bytes are neither, though the system's are.
        """
        if self.keyformat.lower() == IDENTITY:
            return []
        raw = self.payload()
        if raw is None:
            return []
        is_box = raw[4:8] == _BOX
        if self.system is DrmSystem.PLAYREADY and not is_box:
            PlayReadyObject.parse(raw)
            return [PsshBox(DrmSystem.PLAYREADY.system_id, data=raw)]
        old_form = self.keyformat.lower() == _WIDEVINE_OLD and raw.lstrip().startswith(b"{")
        return parse_boxes(raw) if is_box or (self.system in _BOXED and not old_form) else []

    def to_tag(self) -> str:
        """Return the tag as one line."""
        parts = [f'{name}="{value}"' if name in self.quoted else f"{name}={value}" for name, value in self.attributes]
        return f"#{self.tag}:{','.join(parts)}"

    def _sequence(self, name: str) -> bytes | None:
        text = self.get(name)
        if text is None:
            return None
        match = _HEX_NUMBER.fullmatch(text)
        if match is None:
            raise SignalingError(
                f"{self.tag}: {name} {text!r} is no hexadecimal sequence", hint="0x and up to 32 digits"
            )
        return bytes.fromhex(match[1].rjust(_HEX_DIGITS, "0"))


def parse_tag(line: str) -> HlsKey:
    """Parse one key tag.

    Args:
        line: the tag's whole line.

    Raises:
        SignalingError: it is no key tag, its attribute list is malformed, or it breaks a rule of RFC 8216.
    """
    match = _TAG.fullmatch(line.rstrip("\r\n"))
    if match is None:
        raise SignalingError(f"{line[:40]!r} is no HLS key tag", hint=f"it starts with #{KEY}: or #{SESSION_KEY}:")
    attributes, quoted = _attributes(match[1], match[2])
    key = HlsKey(match[1], attributes, quoted)
    problem = _problem(key)
    if problem:
        raise SignalingError(f"{key.tag}: {problem}")
    return key


def parse(text: str) -> list[HlsKey]:
    """Parse every key tag of a playlist, or of the text of a CPIX `HLSSignalingData`.

    Raises:
        SignalingError: a key tag is malformed; the message names its line.
    """
    keys = []
    for number, line in tag_lines(text):
        try:
            keys.append(parse_tag(line))
        except SignalingError as error:
            raise SignalingError(f"line {number}: {error.message}", hint=error.hint) from None
    return keys


def tag_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a playlist that are key tags, each with its number, counted from 1."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith((f"#{KEY}:", f"#{SESSION_KEY}:")):
            yield number, line


def _attributes(tag: str, text: str) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    found: dict[str, str] = {}
    quoted = set()
    at = 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None or (match.end() == len(text) and text.endswith(",")):
            # The text itself stays out of the message: a data: URI may hold a key.
            raise SignalingError(
                f"{tag}: the attribute list is malformed at character {at + 1}",
                hint='write NAME=value or NAME="value", with commas and no spaces between',
            )
        name, value = match[1], match[2]
        if name in found:
            raise SignalingError(f"{tag}: the attribute {name} occurs twice")
        if value.startswith('"'):
            quoted.add(name)
            value = value[1:-1]
        found[name] = value
        at = match.end()
    return tuple(found.items()), frozenset(quoted)


def _problem(key: HlsKey) -> str | None:
    if not key.method:
        return "METHOD is missing"
    if "METHOD" in key.quoted or not key.quoted.issuperset({"URI", "KEYFORMAT"} & dict(key.attributes).keys()):
        return "URI and KEYFORMAT stand in quotes, METHOD does not"
    if key.method == "NONE":
        if key.tag == SESSION_KEY:
            return "a session key has a method other than NONE"
        return "METHOD=NONE stands alone" if len(key.attributes) > 1 else None
    return "URI is missing" if not key.uri else None
