"""Whether an answer keeps the contract: against its request, within itself, and in its HTTP headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from drmkit.cpix.document import Document
from drmkit.cpix.entities import ContentKey, DRMSystem
from drmkit.cpix.report import Finding, Severity
from drmkit.cpix.values import is_empty, text_of
from drmkit.errors import CpixError, DrmkitError
from drmkit.signaling import agreement
from drmkit.signaling.statements import Disagreement, Signaling, disagreements
from drmkit.speke.contract import findings
from drmkit.speke.echo import compare
from drmkit.speke.versions import MEDIA_TYPE, SPEKE_NAMESPACE, VERSION_HEADER, SpekeVersion

__all__ = ["check_answer", "check_headers"]

_DOCS: Final = "https://docs.aws.amazon.com/speke/latest/documentation/"
_FIRST_HEADER: Final = f"{{{SPEKE_NAMESPACE}}}ProtectionHeader"
_KEY_SIZE: Final = 16
_UTF8: Final = frozenset({"", "utf-8", "utf8"})


def check_answer(request: Document, answer: Document, version: SpekeVersion) -> list[Finding]:
    """Return everything that is wrong with an answer; lines are those of the answer.

    Args:
        request: what was sent.
        answer: what came back.
        version: the version of SPEKE that was spoken.
    """
    found = [*compare(request, answer), *findings(answer, version.name, answered=True)]
    found += _keys(answer)
    found += _encryption(request, answer)
    found += [*_readable(answer), *_signaling(answer)]
    return sorted(found, key=lambda finding: finding.line)


def check_headers(headers: Mapping[str, str], version: SpekeVersion) -> list[Finding]:
    """Return everything that is wrong with the HTTP headers of an answer.

    Args:
        headers: of the answer; names are looked up as the mapping does, which should be without regard to case.
        version: the version of SPEKE that was spoken.
    """
    found = []
    media_type, _, parameters = (headers.get("content-type") or "").partition(";")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip(' "')
    if media_type.strip().lower() != MEDIA_TYPE:
        shown = media_type.strip()[:60] or "missing"
        found.append(_finding("speke-content-type", f"Content-Type is {shown}, not {MEDIA_TYPE}", "answer in XML"))
    elif charset not in _UTF8:
        found.append(_finding("speke-content-type", f"the charset is {charset[:20]}, not UTF-8", "answer in UTF-8"))
    if version.is_first:
        return found
    echoed = headers.get(VERSION_HEADER)
    if echoed is None or echoed.strip() != version.name:
        shown = "missing" if echoed is None else repr(echoed[:20])
        found.append(_finding("speke-version-echo", f"{VERSION_HEADER} is {shown}, not {version.name}", "echo it"))
    if not (headers.get(version.user_agent) or "").strip():
        found.append(_finding("speke-user-agent", f"{version.user_agent} is missing", "name the key provider in it"))
    return found


def _keys(answer: Document) -> Iterator[Finding]:
    seen: set[bytes] = set()
    for key in answer.content_keys:
        try:
            value, iv, kid = key.key, key.iv, key.kid
        except DrmkitError as error:
            yield _finding("speke-key-unreadable", error.message, error.hint or "", key)
            continue
        if iv is not None and len(iv) != _KEY_SIZE:
            yield _finding("speke-iv-length", f"the IV of {kid} has {len(iv)} bytes", "16 bytes in base64", key)
        if value is None:
            continue
        raw = value.reveal()
        for bad, rule, message in (
            (len(raw) != _KEY_SIZE, "speke-key-length", f"the content key {kid} has {len(raw)} bytes"),
            (raw == kid.raw, "speke-key-is-kid", f"the content key {kid} is its own key ID"),
            (len(set(raw)) == 1, "speke-key-constant", f"the content key {kid} is one byte over and over"),
            (raw == iv, "speke-key-is-iv", f"the content key {kid} is its own IV"),
            (raw in seen, "speke-key-repeated", f"the content key {kid} is that of another key ID"),
        ):
            if bad:
                yield _finding(rule, message, "derive each key from a secret and its key ID", key)
        seen.add(raw)


def _encryption(request: Document, answer: Document) -> Iterator[Finding]:
    recipients = len(request.recipients)
    for key in answer.content_keys:
        if recipients and not key.is_encrypted:
            text = f"the content key {key.element.get('kid')} is not encrypted, though the request names recipients"
            yield _finding("speke-not-encrypted", text, "encrypt it for the certificates", key)
        elif key.is_encrypted and not recipients:
            text = f"the content key {key.element.get('kid')} is encrypted, though the request names no recipient"
            yield _finding("speke-encrypted", text, "answer in the clear", key)
        elif key.is_encrypted and not _has_mac(key):
            yield _finding("speke-mac", f"the content key {key.element.get('kid')} has no MAC", "add a ValueMAC", key)
    for recipient in answer.recipients if recipients else ():
        if not recipient.document_keys or all(k.encrypted_value is None for k in recipient.document_keys):
            yield _finding("speke-document-key", "a recipient has no document key", "encrypt one for it", recipient)
        if recipient.mac_method is None:
            yield _finding("speke-mac", "a recipient has no MACMethod", "encrypt a MAC key for it", recipient)


def _has_mac(key: ContentKey) -> bool:
    try:
        return bool(key.value_mac)
    except CpixError:
        return False


_READS: Final[tuple[Callable[[DRMSystem], object], ...]] = (
    lambda entry: entry.pssh,
    lambda entry: entry.content_protection_data,
    lambda entry: entry.hls_signaling("media"),
    lambda entry: entry.hls_signaling("master"),
    lambda entry: entry.uri_ext_x_key,
)


def _readable(answer: Document) -> Iterator[Finding]:
    for entry in answer.drm_systems:
        for read in _READS:
            try:
                read(entry)
            except CpixError as error:
                yield _finding("speke-base64", error.message, "base64 of the box, the XML or the UTF-8 text", entry)


def _signaling(answer: Document) -> Iterator[Finding]:
    for item in (*agreement.check(answer), *_first_version_headers(answer)):
        rule = f"speke-signaling-{item.code.replace('.', '-')}"
        yield Finding(
            rule=rule,
            kind="semantics",
            severity=item.severity,
            line=item.line,
            path="/CPIX/DRMSystemList/DRMSystem" + (f"/{item.part}" if item.part else ""),
            message=item.message,
            hint=item.hint or "make all signaling of one key from one box",
            source=f"{_DOCS}standard-payload-components-v2.html",
        )


def _first_version_headers(answer: Document) -> Iterator[Disagreement]:
    """Read version 1.0's protection headers as those of Smooth Streaming, whose place they had then."""
    for entry in answer.drm_systems:
        said = agreement.read(answer, entry)
        if said is None:
            continue
        for header in entry.element.iterchildren(_FIRST_HEADER):
            if not is_empty(header):
                alone = Signaling(kid=said.kid, system_id=said.system_id, smooth=text_of(header), key=said.key)
                yield from (replace(item, line=entry.line) for item in disagreements(alone))


def _finding(rule: str, message: str, hint: str, view: object = None, severity: Severity = "error") -> Finding:
    line = getattr(view, "line", 0)
    return Finding(
        rule=rule,
        kind="semantics",
        severity=severity,
        line=line,
        path="/CPIX" if view is not None else "HTTP",
        message=message,
        hint=hint,
        source=f"{_DOCS}speke-constraints-v2.html",
    )
