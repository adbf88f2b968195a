"""Build a CPIX document in the words of the domain; what leaves the builder is valid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, Self

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.entities import ContentKeyPeriod, playlist_name
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.records import KeyRow
from drmkit.cpix.rows import Noted
from drmkit.cpix.schema import DS, PSKC
from drmkit.cpix.shape import ensure_child, find_child
from drmkit.cpix.survey import Survey
from drmkit.cpix.usage import AudioFilter, BitrateFilter, VideoFilter
from drmkit.cpix.validation import report_on
from drmkit.cpix.values import as_bytes, as_utf8, encode_base64, format_datetime
from drmkit.cpix.view import add_element, add_value, cpix, set_attribute, set_text, write_key_id
from drmkit.errors import CpixError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret

__all__ = ["Builder"]

_CONTENT_KEY: Final = cpix("ContentKey")
_DRM_SYSTEM: Final = cpix("DRMSystem")
_DATA: Final = cpix("Data")
_PSSH: Final = cpix("PSSH")
_PROTECTION: Final = cpix("ContentProtectionData")
_URI: Final = cpix("URIExtXKey")
_HLS: Final = cpix("HLSSignalingData")
_SECRET: Final = f"{{{PSKC}}}Secret"
_PLAIN: Final = f"{{{PSKC}}}PlainValue"
_NOTHING: Final = (None, None, None, None)
_child: Final = etree.SubElement


class Builder:
    """Builds one document, list by list.

    Every method returns the builder, so that calls chain. An argument that is None is left out; an empty text or empty
    bytes leave an empty element, the placeholder with which a request asks for a value.

    Args:
        version: the CPIX version to write, one of 2.1, 2.2, 2.3, 2.3.1, 2.4; from 2.3 on it stands in the document.
        content_id: the ID of the content.
        id: the XML ID of the document.
        name: the name of the presentation.
    """

    def __init__(
        self,
        *,
        version: str = "2.3",
        content_id: str | None = None,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
        name: str | None = None,
    ) -> None:
        self._start(Document.new(), _known_version(version), Noted())
        root = self._open().root
        for attribute, value in (("id", id), ("contentId", content_id), ("name", name)):
            if value is not None:
                set_attribute(root, attribute, value)
        if version not in ("2.1", "2.2"):
            root.set("version", version)

    @classmethod
    def extending(cls, document: Document, *, version: str | None = None) -> Self:
        """Return a builder that adds to a document that is there; what the document has already stays as it is.

        Args:
            document: the document, which is changed in place.
            version: the CPIX version of the result; None takes the one that the document names.

        Raises:
            CpixError: there is no such version, or the document names none.
        """
        builder = cls.__new__(cls)
        builder._start(document, _known_version(version or document.version or ""))  # noqa: SLF001 (its own class)
        return builder

    def _start(self, document: Document, version: str, noted: Noted | None = None) -> None:
        self._version = version
        self._document: Document | None = document
        self._lists: dict[str, etree._Element] = {}
        self._noted = noted
        self._uuids: dict[bytes, str] = {}
        self._systems: dict[str, str] = {}
        self._playlists = {kind: playlist_name(kind, version) for kind in ("media", "master")}

    def content_key(
        self,
        *,
        kid: KeyId,
        key: Secret[bytes] | bytes | None = None,
        iv: bytes | None = None,
        scheme: str | None = None,
        content_id: str | None = None,
        depends_on: KeyId | None = None,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
        hdcp_level: str | None = None,
        hdcp_output_protection: bytes | None = None,
    ) -> Self:
        """Add a content key.

        Args:
            kid: the key ID.
            key: the key, 16 or 32 bytes; None in a request, where the key server decides.
            iv: the explicit IV, 16 bytes.
            scheme: the protection scheme: cenc, cens, cbc1 or cbcs, or an HLS method name from 2.3.1 on.
            content_id: the content of this key, where the document has none (2.4).
            depends_on: the root key on which this leaf key depends.
            id: the XML ID.
            hdcp_level: the HDCP-LEVEL of HLS (2.4).
            hdcp_output_protection: the XML fragment for the MPD, in UTF-8 (2.4).
        """
        attributes: dict[str, str | None] = {"kid": (text := self._kid(kid)), "commonEncryptionScheme": scheme}
        root = None if depends_on is None else self._kid(depends_on)
        if (id, content_id, iv, root) != _NOTHING:
            own = None if iv is None else encode_base64(iv := as_bytes(iv))
            attributes = {"id": id, "kid": text, "contentId": content_id, "explicitIV": own, "dependsOnKey": root}
            attributes["commonEncryptionScheme"] = scheme
        element = self._add("ContentKeyList", _CONTENT_KEY, attributes)
        hdcp = raw = None
        if hdcp_level is not None or hdcp_output_protection is not None:
            hdcp = add_element(element, cpix("HDCPData"), {"HLSHDCPLevel": hdcp_level})
            if hdcp_output_protection is not None:
                add_value(hdcp, cpix("HDCPOutputProtectionData"), hdcp_output_protection)
        if key is not None:
            raw = as_bytes(key.reveal() if isinstance(key, Secret) else key)
            secret = _child(_child(element, _DATA), _SECRET)
            _child(secret, _PLAIN).text = encode_base64(raw)
        if self._noted is not None:
            self._noted.keys.append(KeyRow(element, text, root, content_id, scheme, iv, hdcp, raw))
            self._noted.unusual |= hdcp is not None
        return self

    def drm_system(
        self,
        *,
        kid: KeyId,
        system_id: str | DrmSystem,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
        update_version: int | None = None,
        pssh: bytes | None = None,
        content_protection_data: bytes | None = None,
        robustness: str | None = None,
        uri_ext_x_key: bytes | None = None,
        hls_media: str | None = None,
        hls_master: str | None = None,
        hls_media_allowed_cpc: str | None = None,
        hls_master_allowed_cpc: str | None = None,
        hls_allowed_cpc: str | None = None,
        smooth: str | None = None,
        hds: bytes | None = None,
    ) -> Self:
        """Add what a DRM system needs for a content key.

        Args:
            kid: the content key.
            system_id: the ID of the DRM system, as a UUID or a `DrmSystem`.
            name: a name for people.
            id: the XML ID.
            update_version: matches an item of the update history.
            pssh: the whole PSSH box or boxes.
            content_protection_data: the XML fragment for the MPD, in UTF-8.
            robustness: the robustness level that goes with it (2.4).
            uri_ext_x_key: the URI of EXT-X-KEY (up to 2.3.1, deprecated).
            hls_media: the HLS lines for the media playlist.
            hls_master: the HLS lines for the master (multivariant) playlist.
            hls_media_allowed_cpc: the allowedCPC of `hls_media` (2.4).
            hls_master_allowed_cpc: the allowedCPC of `hls_master` (2.4).
            hls_allowed_cpc: the ALLOWED-CPC of HLS for this system (2.4).
            smooth: the text of the ProtectionHeader of Smooth Streaming.
            hds: the drmAdditionalHeader of HDS (up to 2.3.1).
        """
        system = system_id.system_id if isinstance(system_id, DrmSystem) else system_id
        attributes: dict[str, str | None] = {"systemId": system, "kid": (text := self._kid(kid))}
        if (id, name, update_version, hls_allowed_cpc) != _NOTHING:
            attributes |= {"id": id, "name": name, "HLSAllowedCPC": hls_allowed_cpc}
            attributes["updateVersion"] = None if update_version is None else str(update_version)
        element = self._add("DRMSystemList", _DRM_SYSTEM, attributes)
        box = protection = None
        hls: tuple[tuple[str | None, str], ...] = ()
        if pssh is not None:
            box = add_value(element, _PSSH, pssh)
        if content_protection_data is not None:
            protection = add_value(element, _PROTECTION, content_protection_data, {"robustness": robustness})
        if uri_ext_x_key is not None:
            add_value(element, _URI, uri_ext_x_key)
        if hls_media is not None:
            hls = (self._add_hls(element, "media", hls_media, hls_media_allowed_cpc),)
        if hls_master is not None:
            hls = (*hls, self._add_hls(element, "master", hls_master, hls_master_allowed_cpc))
        if smooth is not None:
            set_text(etree.SubElement(element, cpix("SmoothStreamingProtectionHeaderData")), smooth)
        if hds is not None:
            add_value(element, cpix("HDSSignalingData"), hds)
        if self._noted is not None:
            shared = system.lower()
            shared = self._systems.setdefault(shared, shared)
            self._noted.systems.append((text, shared, box, protection, hls, smooth is not None))
            self._noted.unusual |= (uri_ext_x_key, hds) != (None, None)
        return self

    def period(
        self,
        *,
        id: str,  # noqa: A002 (the attribute's own name)
        index: int | None = None,
        label: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        start_offset: timedelta | None = None,
        end_offset: timedelta | None = None,
        duration: timedelta | None = None,
    ) -> Self:
        """Add a content key period.

        Args:
            id: the XML ID, to which usage rules refer.
            index: the number of the period.
            label: the label of the period (2.4).
            start: when it starts, for live content (aware).
            end: when it ends, exclusive.
            start_offset: when it starts, from the start of VOD content (2.4).
            end_offset: when it ends, exclusive (2.4).
            duration: how long it lasts, instead of an end (2.4).
        """
        element = self._add("ContentKeyPeriodList", cpix("ContentKeyPeriod"), {"id": id, "label": label})
        view = ContentKeyPeriod(self._open(), element)
        times: dict[str, Any] = {"index": index, "start": start, "end": end, "start_offset": start_offset}
        times |= {"end_offset": end_offset, "duration": duration}
        for field, value in times.items():
            if value is not None:
                setattr(view, field, value)
        return self

    def usage_rule(
        self,
        *,
        kid: KeyId,
        intended_track_type: str | None = None,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
        periods: Iterable[str] = (),
        labels: Iterable[str] = (),
        video: Iterable[VideoFilter] = (),
        audio: Iterable[AudioFilter] = (),
        bitrate: Iterable[BitrateFilter] = (),
    ) -> Self:
        """Add a usage rule; filters of one kind are alternatives, different kinds must all match.

        Args:
            kid: the content key that the rule gives.
            intended_track_type: a name for the tracks, such as SD; it decides nothing.
            id: the XML ID.
            periods: the IDs of key periods.
            labels: labels of tracks.
            video: video filters.
            audio: audio filters.
            bitrate: bitrate filters.
        """
        attributes = {"id": id, "kid": self._kid(kid), "intendedTrackType": intended_track_type}
        element = self._add("ContentKeyUsageRuleList", cpix("ContentKeyUsageRule"), attributes)
        for local, attribute, texts in (("KeyPeriodFilter", "periodId", periods), ("LabelFilter", "label", labels)):
            if isinstance(texts, str):
                raise CpixError(f"{attribute} takes several texts, not the single text {texts!r}", hint=f"({texts!r},)")
            for text in texts:
                add_element(element, cpix(local), {attribute: text})
        for item in (*video, *audio, *bitrate):
            element.append(item.to_element(element))
        return self

    def recipient(
        self,
        *,
        certificate: bytes,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
        description: str | None = None,
        sending_entity: str | None = None,
        sender_point_of_contact: str | None = None,
        receiving_entity: str | None = None,
    ) -> Self:
        """Add a recipient by certificate, with an empty document key, as a request for encrypted keys names them.

        Args:
            certificate: the X.509 certificate, in DER.
            name: a name for the delivery data.
            id: the XML ID.
            description: a description.
            sending_entity: who makes the document.
            sender_point_of_contact: how to reach them.
            receiving_entity: who can decrypt it.
        """
        element = self._add("DeliveryDataList", cpix("DeliveryData"), {"id": id, "name": name})
        data = etree.SubElement(etree.SubElement(element, cpix("DeliveryKey")), f"{{{DS}}}X509Data", nsmap={"ds": DS})
        etree.SubElement(data, f"{{{DS}}}X509Certificate").text = encode_base64(certificate)
        document_key = etree.SubElement(element, cpix("DocumentKey"))
        if self._version == "2.4":
            etree.SubElement(document_key, cpix("Data"))
        texts = {"Description": description, "SendingEntity": sending_entity}
        texts |= {"SenderPointOfContact": sender_point_of_contact, "ReceivingEntity": receiving_entity}
        for local, text in texts.items():
            if text is not None:
                set_text(etree.SubElement(element, cpix(local)), text)
        return self

    def update(
        self,
        *,
        update_version: int,
        index: int,
        source: str,
        date: datetime,
        id: str | None = None,  # noqa: A002 (the attribute's own name)
    ) -> Self:
        """Add an item of the update history.

        Args:
            update_version: the number that other elements refer to.
            index: 1 for the first update, growing.
            source: who updated the document.
            date: when (aware).
            id: the XML ID.
        """
        attributes = {"id": id, "updateVersion": str(update_version), "index": str(index), "source": source}
        attributes["date"] = format_datetime(date)
        self._add("UpdateHistoryItemList", cpix("UpdateHistoryItem"), attributes)
        return self

    def build(self) -> Document:
        """Return the document; the builder is done then.

        Raises:
            InvalidDocumentError: what was given does not make a valid document of this version; nothing is returned.
        """
        document = self._open()
        document.touch()
        rows = None if self._noted is None else self._noted.rows(document)
        survey = Survey(document, rows=rows)
        report_on(survey, self._version, kinds=frozenset({"semantics"})).raise_for_errors()
        self._document = self._noted = None
        self._lists, self._uuids, self._systems = {}, {}, {}
        document.made_here = False
        document.names_version = self._version
        return document

    def _add_hls(
        self, element: etree._Element, kind: str, lines: str, allowed_cpc: str | None
    ) -> tuple[str | None, str]:
        name = self._playlists[kind]
        attributes: dict[str, str | None] = {"playlist": name}
        if allowed_cpc is not None:
            attributes["allowedCPC"] = allowed_cpc
        add_value(element, _HLS, as_utf8(lines), attributes)
        return name, lines

    def _open(self) -> Document:
        if self._document is None:
            raise CpixError("this builder has built its document", hint="start a new Builder for another document")
        return self._document

    def _add(self, list_name: str, tag: str, attributes: dict[str, str | None]) -> etree._Element:
        parent = self._lists.get(list_name)
        if parent is None:
            document = self._open()
            found = find_child(document.root, cpix(list_name))
            document.changing(found)
            document.touch()
            parent = self._lists[list_name] = ensure_child(document.root, cpix(list_name))
        return add_element(parent, tag, attributes)

    def _kid(self, kid: KeyId) -> str:
        """Write a key ID, with one text for all that refer to it."""
        text = self._uuids.get(kid.raw) if isinstance(kid, KeyId) else None
        if text is None:
            text = write_key_id(kid)
            self._uuids[kid.raw] = text
        return text


def _known_version(version: str) -> str:
    if version not in VERSIONS:
        near = get_close_matches(str(version), VERSIONS, n=1, cutoff=0.5)
        raise CpixError(
            f"there is no CPIX version {version!r}; published are {', '.join(VERSIONS)}",
            hint=f"did you mean {near[0]}?" if near else "state the version",
        )
    return version
