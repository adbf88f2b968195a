"""Faults of the sandbox's SPEKE provider: keys, headers and documents that a careful encryptor must not take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from lxml import etree

from drmkit import cpix
from drmkit.cpix.schema import PSKC
from drmkit.cpix.values import encode_base64
from drmkit.cpix.view import remove_element
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.sandbox.state import SandboxState
from drmkit.secret import Secret
from drmkit.signaling import dash, hls, playready, widevine
from drmkit.signaling.material import protection_scheme
from drmkit.speke.contract import MALFORMED, STATUS
from drmkit.speke.provider import ProviderAnswer
from drmkit.speke.reading import is_empty, tag
from drmkit.speke.versions import USER_AGENT_HEADER, VERSION_HEADER

__all__ = ["Tampering", "change_scheme", "foreign_boxes"]

_OK: Final = 200
_LENGTH: Final = 16
_SHORT: Final = 8
_OTHER_SCHEME: Final = {"cenc": "cbcs", "cbcs": "cenc"}
_WIDEVINE: Final = DrmSystem.WIDEVINE.system_id
_PLAYREADY: Final = DrmSystem.PLAYREADY.system_id
_FOREIGN: Final = ("name", "id")

Spoil = Callable[[cpix.Document, "Tampering"], None]


class Tampering:
    """The faults that show in one answer.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._faults = state.faults
        self._on = frozenset(state.faults.active)
        self.token_bytes = state.options.token_bytes
        self._place = 0
        self.checked = not self._hit("speke-unchecked")

    def _hit(self, name: str) -> bool:
        # Most answers are honest: with nothing switched on, no key, header or document is asked about.
        return name in self._on and self._faults.hit(name)

    def version(self, stated: str | None, speaks: str) -> str | None:
        """Return the `X-Speke-Version` that the provider is told."""
        known = {None if speaks == "1.0" else speaks, speaks}
        if stated not in known and self._hit("speke-any-version"):
            return None if speaks == "1.0" else speaks
        return stated

    def before(self, body: bytes) -> bytes:
        """Return the request as the provider reads it."""
        if b"DeliveryDataList" in body and self._hit("speke-not-encrypted"):
            document = cpix.parse(body)
            for element in list(document.root.iterchildren(tag("DeliveryDataList"))):
                remove_element(element)
            return document.to_xml()
        return body

    def key(self, found: DerivedKey) -> DerivedKey:
        """Return the key that is given instead of the right one."""
        self._place += 1
        for name, make in _KEYS.items():
            if self._hit(name):
                found = dataclasses.replace(found, key=Secret(make(self, found)))
        if self._hit("speke-key-as-iv"):
            found = dataclasses.replace(found, iv=found.key.reveal())
        return found

    @property
    def place(self) -> int:
        """How many keys were asked for so far."""
        return self._place

    def after(self, answer: ProviderAnswer, request: bytes, stated: str | None) -> ProviderAnswer:
        """Return the answer as it goes out."""
        strict = "speke-strict-parts"
        if answer.status == _OK and strict in self._on and self._is_too_lax(request) and self._hit(strict):
            answer = dataclasses.replace(answer, status=STATUS, body=MALFORMED.encode())
        if answer.status != _OK:
            return self._refusal(answer)
        body = self._document(answer.body)
        if self._hit("speke-truncated"):
            body = body[: len(body) // 2]
        return dataclasses.replace(answer, body=body, headers=self._headers(answer.headers, stated))

    def _refusal(self, answer: ProviderAnswer) -> ProviderAnswer:
        if self._hit("speke-error-text"):
            answer = dataclasses.replace(answer, body=b"Something went wrong")
        if self._hit("speke-errors-as-200"):
            answer = dataclasses.replace(answer, status=_OK)
        return answer

    def _headers(self, headers: Mapping[str, str], stated: str | None) -> dict[str, str]:
        changed = dict(headers)
        if self._hit("speke-content-type"):
            changed["Content-Type"] = "text/html"
        if stated is not None and self._hit("speke-version-header-missing"):
            changed.pop(VERSION_HEADER, None)
        if stated is not None and self._hit("speke-version-header-changed"):
            changed[VERSION_HEADER] = "9.9"
        if self._hit("speke-no-user-agent"):
            changed.pop(USER_AGENT_HEADER, None)
        return changed

    def _document(self, body: bytes) -> bytes:
        names = [name for name in _DOCUMENTS if self._hit(name)]
        if not names:
            return body
        document = cpix.parse(body)
        for name in names:
            _DOCUMENTS[name](document, self)
        return document.to_xml()

    @staticmethod
    def _is_too_lax(request: bytes) -> bool:
        rules = cpix.parse(request).usage_rules
        return any(
            "+" in (rule.intended_track_type or "")
            and len(rule.video_filters) != len((rule.intended_track_type or "").split("+"))
            for rule in rules
        )


_KEYS: Final[dict[str, Callable[[Tampering, DerivedKey], bytes]]] = {
    "speke-random-keys": lambda faults, _: faults.token_bytes(_LENGTH),
    "speke-order-dependent-keys": lambda faults, found: _turned(found.key.reveal(), faults.place),
    "speke-same-key": lambda *_: bytes(range(_LENGTH)),
    "speke-kid-as-key": lambda _, found: found.kid.raw,
    "speke-zero-key": lambda *_: bytes(_LENGTH),
    "speke-short-key": lambda _, found: found.key.reveal()[:_SHORT],
}


def _turned(key: bytes, by: int) -> bytes:
    return bytes(byte ^ by for byte in key)


def _plain(document: cpix.Document) -> list[etree._Element]:
    return list(document.root.iter(f"{{{PSKC}}}PlainValue"))


def _by_case(document: cpix.Document, _: Tampering) -> None:
    for key in document.content_keys:
        if key.key is not None and any(c.isupper() for c in key.element.get("kid") or ""):
            key.key = Secret(_turned(key.key.reveal(), 1))


def _drop_last_key(document: cpix.Document, _: Tampering) -> None:
    for element in _plain(document)[-1:]:
        element.text = None


def _set_root(name: str, make: Callable[[str], str]) -> Spoil:
    def spoil(document: cpix.Document, _: Tampering) -> None:
        document.root.set(name, make(document.root.get(name) or ""))

    return spoil


def change_scheme(document: cpix.Document) -> None:
    """Let every key of a document be for the other protection scheme."""
    for key in document.content_keys:
        if key.scheme is not None:
            key.scheme = _OTHER_SCHEME.get(key.scheme, "cenc")


def _change_rule(document: cpix.Document, _: Tampering) -> None:
    for element in document.root.iter(tag("VideoFilter"), tag("AudioFilter")):
        name = "maxPixels" if element.tag == tag("VideoFilter") else "maxChannels"
        element.set(name, str(int(element.get(name, "1")) + 1))
        return


def _drop_last(list_name: str) -> Spoil:
    def spoil(document: cpix.Document, _: Tampering) -> None:
        for parent in document.root.iterchildren(tag(list_name)):
            for element in list(parent.iterchildren(etree.Element))[-1:]:
                remove_element(element)

    return spoil


def _drop_list(list_name: str) -> Spoil:
    def spoil(document: cpix.Document, _: Tampering) -> None:
        for element in list(document.root.iterchildren(tag(list_name))):
            remove_element(element)

    return spoil


def _shift_periods(document: cpix.Document, _: Tampering) -> None:
    for period in document.periods:
        if period.start is not None:
            period.start -= timedelta(hours=1)
        if period.start_offset is not None:
            period.start_offset += timedelta(hours=1)


def _drop_master(document: cpix.Document, _: Tampering) -> None:
    for element in list(document.root.iter(tag("HLSSignalingData"))):
        if element.get("playlist") != "media":
            remove_element(element)


def _drop_names(document: cpix.Document, _: Tampering) -> None:
    for element in document.root.iter(tag("ContentKey"), tag("DRMSystem")):
        for name in _FOREIGN:
            if name in element.attrib:
                del element.attrib[name]


def _empty_first(document: cpix.Document, _: Tampering) -> None:
    for entry in document.drm_systems:
        for child in entry.element.iterchildren(etree.Element):
            if not is_empty(child) and entry.system_id != DrmSystem.FAIRPLAY.system_id:
                child.text = None
                return
            if not is_empty(child) and child.tag != tag("PSSH"):
                child.text = None
                return


def _add_key(document: cpix.Document, faults: Tampering) -> None:
    for parent in document.root.iterchildren(tag("ContentKeyList")):
        first = next(parent.iterchildren(tag("ContentKey")), None)
        if first is not None:
            extra = etree.SubElement(parent, first.tag)
            for name, value in first.attrib.items():
                extra.set(name, value)
            extra.set("kid", KeyId(faults.token_bytes(_LENGTH)).uuid)
            data = etree.SubElement(extra, tag("Data"))
            secret = etree.SubElement(data, f"{{{PSKC}}}Secret")
            etree.SubElement(secret, f"{{{PSKC}}}PlainValue").text = encode_base64(faults.token_bytes(_LENGTH))


def _rename_half(document: cpix.Document, faults: Tampering) -> None:
    for key in document.content_keys:
        key.kid = KeyId(faults.token_bytes(_LENGTH))
        return


def _scheme_of(key: cpix.ContentKey | None) -> str:
    return (protection_scheme(key.scheme) if key is not None and key.scheme else None) or "cenc"


def foreign_boxes(document: cpix.Document, token_bytes: Callable[[int], bytes]) -> None:
    """Let the PSSH boxes of a document name a key that it does not have."""
    other = KeyId(token_bytes(_LENGTH))
    for entry in document.drm_systems:
        if entry.pssh is not None and entry.system_id in {_WIDEVINE, _PLAYREADY}:
            make = widevine.pssh_box if entry.system_id == _WIDEVINE else playready.pssh_box
            key = document.content_keys.get(entry.kid)
            box = make([other], _scheme_of(key))
            entry.pssh = box.to_bytes()
            if entry.content_protection_data is not None:
                entry.content_protection_data = dash.content_protection(box)


def _guid_order(document: cpix.Document, _: Tampering) -> None:
    _replace_playready(document, lambda kid: KeyId(kid.guid_le), None)


def _checksum(document: cpix.Document, _: Tampering) -> None:
    _replace_playready(document, lambda kid: kid, bytes(range(_LENGTH)))


def _replace_playready(document: cpix.Document, turn: Callable[[KeyId], KeyId], key: bytes | None) -> None:
    for entry in document.drm_systems:
        if entry.system_id == _PLAYREADY:
            kid = turn(entry.kid)
            found = document.content_keys.get(entry.kid)
            cbc = _scheme_of(found) == "cbcs"
            # AESCBC has no checksum, so that a wrong one shows in AESCTR alone.
            scheme = "cbcs" if cbc and key is None else "cenc"
            box = playready.pssh_box([kid], scheme, keys={kid: key} if key else None)
            tags = [
                hls.key_tag(DrmSystem.PLAYREADY, kid, scheme, box=box, session=session) for session in (False, True)
            ]
            entry.pssh = None if entry.pssh is None else box.to_bytes()
            if entry.content_protection_data is not None:
                entry.content_protection_data = dash.content_protection(box)
            for playlist, line in zip(("media", "master"), tags, strict=True):
                if entry.hls_signaling(playlist) is not None:
                    entry.set_hls_signaling(playlist, line)


def _other_dash(document: cpix.Document, _: Tampering) -> None:
    for entry in document.drm_systems:
        if entry.content_protection_data is not None and entry.system_id == _WIDEVINE:
            box = widevine.pssh_box([entry.kid], None, provider="another")
            entry.content_protection_data = dash.content_protection(box)


def _edit_tags(playlist: str, old: str, new: str) -> Spoil:
    def spoil(document: cpix.Document, _: Tampering) -> None:
        for entry in document.drm_systems:
            line = entry.hls_signaling(playlist)
            if line is not None:
                entry.set_hls_signaling(playlist, line.replace(old, new))

    return spoil


def _wrong_keyformat(document: cpix.Document, _: Tampering) -> None:
    for entry in document.drm_systems:
        system = DrmSystem.find(entry.system_id)
        wanted = hls.KEYFORMATS.get(system) if system else None
        for playlist in ("media", "master"):
            line = entry.hls_signaling(playlist)
            if line is not None and wanted is not None:
                entry.set_hls_signaling(playlist, line.replace(wanted, "identity"))


def _plain_tags(document: cpix.Document, _: Tampering) -> None:
    for entry in document.drm_systems:
        for child in entry.element.iterchildren(tag("HLSSignalingData")):
            child.text = entry.hls_signaling(child.get("playlist") or "media")


def _other_macs(document: cpix.Document, _: Tampering) -> None:
    for element in document.root.iter(f"{{{PSKC}}}ValueMAC"):
        element.text = encode_base64(bytes(64))


def _no_macs(document: cpix.Document, _: Tampering) -> None:
    for element in list(document.root.iter(f"{{{PSKC}}}ValueMAC")):
        remove_element(element)


def _other_document_key(document: cpix.Document, faults: Tampering) -> None:
    for recipient in document.recipients:
        for key in recipient.document_keys:
            for element in key.element.iter("{http://www.w3.org/2001/04/xmlenc#}CipherValue"):
                element.text = encode_base64(faults.token_bytes(256))


_DOCUMENTS: Final[dict[str, Spoil]] = {
    "speke-case-sensitive-kid": _by_case,
    "speke-key-missing": _drop_last_key,
    "speke-content-id-changed": _set_root("contentId", str.swapcase),
    "speke-cpix-version-changed": _set_root("version", lambda _: "2.0"),
    "speke-scheme-changed": lambda document, _: change_scheme(document),
    "speke-id-added": _set_root("id", lambda _: "added"),
    "speke-rule-changed": _change_rule,
    "speke-rule-dropped": _drop_last("ContentKeyUsageRuleList"),
    "speke-periods-dropped": _drop_list("ContentKeyPeriodList"),
    "speke-period-times-changed": _shift_periods,
    "speke-system-dropped": _drop_last("DRMSystemList"),
    "speke-element-dropped": _drop_master,
    "speke-name-dropped": _drop_names,
    "speke-left-empty": _empty_first,
    "speke-extra-key": _add_key,
    "speke-kid-half-renamed": _rename_half,
    "speke-kid-in-pssh": lambda document, faults: foreign_boxes(document, faults.token_bytes),
    "speke-guid-order": _guid_order,
    "speke-checksum": _checksum,
    "speke-pssh-differs": _other_dash,
    "speke-hls-differs": _edit_tags("master", 'KEYFORMATVERSIONS="1"', 'KEYFORMATVERSIONS="2"'),
    "speke-hls-keyformat": _wrong_keyformat,
    "speke-not-base64": _plain_tags,
    "speke-wrong-mac": _other_macs,
    "speke-mac-missing": _no_macs,
    "speke-other-recipient": _other_document_key,
}
