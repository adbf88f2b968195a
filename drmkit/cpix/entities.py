"""Typed views over content keys, DRM systems, periods and the update history."""

from __future__ import annotations

from datetime import datetime, timedelta

from lxml import etree

from drmkit.cpix import values
from drmkit.cpix.schema import ENC, PSKC
from drmkit.cpix.shape import add_child, ensure_child, find_child
from drmkit.cpix.view import (
    BYTES,
    DATE,
    DURATION,
    INTEGER,
    KEY_ID,
    TEXT,
    Attribute,
    Content,
    Required,
    View,
    cpix,
    remove_attribute,
    remove_element,
    set_attribute,
    set_text,
)
from drmkit.errors import CpixError
from drmkit.identifiers import DrmSystem
from drmkit.secret import Secret

__all__ = [
    "ContentKey",
    "ContentKeyPeriod",
    "DRMSystem",
    "HDCPData",
    "UpdateHistoryItem",
    "playlist_kind",
    "playlist_name",
]

_SECRET = f"{{{PSKC}}}Secret"
_PLAIN = f"{{{PSKC}}}PlainValue"
_ENCRYPTED = f"{{{PSKC}}}EncryptedValue"
_MAC = f"{{{PSKC}}}ValueMAC"
_CIPHER = f"{{{ENC}}}CipherData/{{{ENC}}}CipherValue"
_NAMES = {"2.1": {"media": "variant"}, "2.4": {"master": "multiVariant"}}
_PLAYLISTS = {"master": "master", "multiVariant": "master", "media": "media", "variant": "media"}


def playlist_kind(name: str | None) -> str:
    """Return which playlist a name of any CPIX version means: `master` or `media`; absent means `media`.

    CPIX 2.1 says `master` and `variant`, 2.2 to 2.3.1 `master` and `media`, 2.4 `multiVariant` and `media`.
    """
    if name is None:
        return "media"
    try:
        return _PLAYLISTS[name]
    except KeyError:
        raise CpixError(f"no playlist is called {name!r}", hint="master (or multiVariant), or media") from None


def playlist_name(playlist: str, version: str | None) -> str:
    """Return what a CPIX version calls a playlist; the names of 2.2 to 2.3.1 where no version is given."""
    return _NAMES.get(version or "", {}).get(kind := playlist_kind(playlist), kind)


class SecretHolder(View):
    """An element with `Data/Secret`: a content key or a document key."""

    __slots__ = ()

    @property
    def secret_element(self) -> etree._Element | None:
        """The `pskc:Secret` element, or None in a request."""
        data = find_child(self.element, cpix("Data"))
        return None if data is None else find_child(data, _SECRET)

    @property
    def key(self) -> Secret[bytes] | None:
        """The key in the clear; None where it is encrypted or, as in a request, not there at all."""
        text = self._value(_PLAIN)
        return Secret(self.read_value(BYTES, text, "PlainValue")) if text else None

    @key.setter
    def key(self, value: Secret[bytes] | bytes | None) -> None:
        self.changing()
        data = find_child(self.element, cpix("Data"))
        if value is None:
            if data is not None:
                remove_element(data)
            return
        text = values.encode_base64(value.reveal() if isinstance(value, Secret) else value)
        secret = ensure_child(ensure_child(self.element, cpix("Data")), _SECRET)
        for tag in (_ENCRYPTED, _MAC):
            child = find_child(secret, tag)
            if child is not None:
                remove_element(child)
        set_text(ensure_child(secret, _PLAIN), text)

    @property
    def is_encrypted(self) -> bool:
        """Whether the key is there, but encrypted."""
        secret = self.secret_element
        return secret is not None and find_child(secret, _ENCRYPTED) is not None

    @property
    def encrypted_value(self) -> etree._Element | None:
        """The `pskc:EncryptedValue` element (an `enc:EncryptedDataType`), or None."""
        secret = self.secret_element
        return None if secret is None else find_child(secret, _ENCRYPTED)

    @property
    def cipher_value(self) -> bytes | None:
        """The encrypted key: for AES-256-CBC the IV, then the ciphertext (CPIX 2.4, Key Management)."""
        encrypted = self.encrypted_value
        value = None if encrypted is None else encrypted.find(_CIPHER)
        return None if value is None else self.read_value(BYTES, values.text_of(value), "CipherValue")

    @property
    def value_mac(self) -> bytes | None:
        """The MAC over the bytes of the cipher value, or None."""
        text = self._value(_MAC)
        return self.read_value(BYTES, text, "ValueMAC") if text else None

    def _value(self, tag: str) -> str:
        secret = self.secret_element
        child = None if secret is None else find_child(secret, tag)
        return "" if child is None else values.text_of(child).strip()


class HDCPData(View):
    """HDCP demands of a content key (CPIX 2.4, `HDCPData`)."""

    __slots__ = ()
    hls_level = Attribute("HLSHDCPLevel", TEXT)
    output_protection_data = Content("HDCPOutputProtectionData", BYTES)


class ContentKey(SecretHolder):
    """A content key (CPIX 2.4, `ContentKey`): its ID, the key itself, and what it is meant for."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    kid = Required("kid", KEY_ID)
    content_id = Attribute("contentId", TEXT)
    iv = Attribute("explicitIV", BYTES)
    depends_on = Attribute("dependsOnKey", KEY_ID)
    scheme = Attribute("commonEncryptionScheme", TEXT)
    algorithm = Attribute("Algorithm", TEXT)
    issuer = Content("Issuer", TEXT)
    key_profile_id = Content("KeyProfileId", TEXT)
    key_reference = Content("KeyReference", TEXT)
    friendly_name = Content("FriendlyName", TEXT)
    user_id = Content("UserId", TEXT)

    @property
    def hdcp(self) -> HDCPData | None:
        """The HDCP demands, or None."""
        child = find_child(self.element, cpix("HDCPData"))
        return None if child is None else HDCPData(self.document, child)

    @property
    def is_leaf(self) -> bool:
        """Whether the key depends on a root key (CPIX 2.4, key hierarchy)."""
        return self.element.get("dependsOnKey") is not None

    @property
    def algorithm_parameters(self) -> etree._Element | None:
        """The `AlgorithmParameters` element of CPIX up to 2.3.1, or None."""
        return find_child(self.element, cpix("AlgorithmParameters"))

    @property
    def policy(self) -> etree._Element | None:
        """The `Policy` element of CPIX up to 2.3.1, or None."""
        return find_child(self.element, cpix("Policy"))

    @property
    def extensions(self) -> list[etree._Element]:
        """The `Extensions` elements of CPIX up to 2.3.1."""
        return list(self.element.iterchildren(cpix("Extensions")))


class DRMSystem(View):
    """What one DRM system needs to know for one content key (CPIX 2.4, `DRMSystem`)."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    update_version = Attribute("updateVersion", INTEGER)
    kid = Required("kid", KEY_ID)
    name = Attribute("name", TEXT)
    hls_allowed_cpc = Attribute("HLSAllowedCPC", TEXT)
    pssh = Content("PSSH", BYTES)
    content_protection_data = Content("ContentProtectionData", BYTES)
    uri_ext_x_key = Content("URIExtXKey", BYTES)
    smooth_protection_header = Content("SmoothStreamingProtectionHeaderData", TEXT)
    hds_signaling = Content("HDSSignalingData", BYTES)

    @property
    def system_id(self) -> str:
        """The ID of the DRM system as a lower-case UUID."""
        text = self.element.get("systemId")
        if text is None:
            raise CpixError(f"DRMSystem in line {self.line} has no systemId", hint="the attribute is required")
        return text.lower()

    @system_id.setter
    def system_id(self, value: str | DrmSystem) -> None:
        self.changing()
        set_attribute(self.element, "systemId", value.system_id if isinstance(value, DrmSystem) else value)

    @property
    def robustness(self) -> str | None:
        """The robustness level that belongs to the content protection data (2.4), or None."""
        child = find_child(self.element, cpix("ContentProtectionData"))
        return None if child is None else child.get("robustness")

    @robustness.setter
    def robustness(self, value: str | None) -> None:
        self.changing()
        if value is not None:
            set_attribute(ensure_child(self.element, cpix("ContentProtectionData")), "robustness", value)
        elif (child := find_child(self.element, cpix("ContentProtectionData"))) is not None:
            remove_attribute(child, "robustness")

    def hls_signaling(self, playlist: str = "media") -> str | None:
        """Return the HLS lines for a playlist, `media` or `master` (in 2.4: `multiVariant`), or None.

        Raises:
            CpixError: the data is not base64 of UTF-8 text, or no playlist has that name.
        """
        element = self._hls(playlist)
        text = "" if element is None else values.text_of(element)
        if not text or text.isspace():
            return None
        try:
            return self.read_value(BYTES, text, "HLSSignalingData").decode("utf-8")
        except UnicodeDecodeError:
            raise CpixError(f"HLSSignalingData of the DRMSystem in line {self.line} is not UTF-8 text") from None

    def set_hls_signaling(self, playlist: str, text: str | None) -> None:
        """Set the HLS lines for a playlist, named as the version does; None removes, "" leaves a placeholder."""
        self.changing()
        element = self._hls(playlist)
        if text is None:
            if element is not None:
                remove_element(element)
            return
        encoded = values.encode_base64(values.as_utf8(text))
        if element is None:
            element = self.element.makeelement(cpix("HLSSignalingData"))
            element.set("playlist", playlist_name(playlist, self.document.names_version))
            add_child(self.element, element)
        set_text(element, encoded)

    def hls_allowed_cpc_of(self, playlist: str = "media") -> str | None:
        """Return the `allowedCPC` of the HLS data for a playlist (2.4), or None."""
        element = self._hls(playlist)
        return None if element is None else element.get("allowedCPC")

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the child elements that are there but empty, as in a request that wants them filled."""
        return tuple(
            etree.QName(child).localname
            for child in self.element.iterchildren(etree.Element)
            if not len(child) and not (child.text or "").strip()
        )

    @property
    def custom_elements(self) -> list[etree._Element]:
        """The signaling elements of other namespaces."""
        return [c for c in self.element.iterchildren(etree.Element) if not str(c.tag).startswith(cpix(""))]

    def _hls(self, playlist: str) -> etree._Element | None:
        wanted = playlist_kind(playlist)
        for element in self.element.iterchildren(cpix("HLSSignalingData")):
            if _PLAYLISTS.get(element.get("playlist", "media")) == wanted:
                return element
        return None


class ContentKeyPeriod(View):
    """A period of time in which a content key is used (CPIX 2.4, `ContentKeyPeriod`)."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    index = Attribute("index", INTEGER)
    label = Attribute("label", TEXT)
    start = Attribute("start", DATE)
    end = Attribute("end", DATE)
    start_offset = Attribute("startOffset", DURATION)
    end_offset = Attribute("endOffset", DURATION)
    duration = Attribute("duration", DURATION)

    @property
    def interval(self) -> tuple[datetime, datetime] | tuple[timedelta, timedelta] | None:
        """The half-open interval, start to before end, as two times or two offsets; None for an index or label only.

        Raises:
            CpixError: a value cannot be read, or the period ends after the year 9999.
        """
        if self.start is not None:
            try:
                end = self.start + self.duration if self.duration is not None else self.end
            except OverflowError:
                raise CpixError(
                    f"the period in line {self.line} ends after the year 9999", hint="give a shorter duration"
                ) from None
            return None if end is None else (self.start, end)
        if self.start_offset is not None:
            stop = self.start_offset + self.duration if self.duration is not None else self.end_offset
            return None if stop is None else (self.start_offset, stop)
        return None

    def contains(self, at: datetime | timedelta) -> bool | None:
        """Say whether a time (live) or an offset (VOD) lies in the period; None where the period does not tell."""
        interval = self.interval
        if interval is None or isinstance(at, datetime) != isinstance(interval[0], datetime):
            return None
        return interval[0] <= at < interval[1]  # type: ignore[operator]  # both are of one kind, checked above


class UpdateHistoryItem(View):
    """One update of the document (CPIX 2.4, `UpdateHistoryItem`)."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    update_version = Required("updateVersion", INTEGER)
    index = Required("index", TEXT)
    source = Required("source", TEXT)
    date = Required("date", DATE)
