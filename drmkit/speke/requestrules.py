"""The rules for what a request must hold: identifiers, versions, lists, keys, schemes, DRM systems, recipients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from drmkit.cpix.certificates import load_certificate, rsa_key
from drmkit.errors import DrmkitError
from drmkit.identifiers import system_name
from drmkit.speke.contract import MISSING_CONTRACT, Breach, rule
from drmkit.speke.reading import KEY_LIST, RULE_LIST, SYSTEM_LIST, Reading, local_name
from drmkit.speke.versions import HLS_METHODS, PLAYED_BY, SCHEMES, VERSIONS

__all__: list[str] = []

_CONSTRAINTS: Final = "speke-constraints-v2.html"
_COMPONENTS: Final = "standard-payload-components-v2.html"
_ENCRYPTION: Final = "content-key-encryption-v2.html"
_ALL: Final = tuple(VERSIONS)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RSA_BITS: Final = 2048


@rule(
    "speke-content-id",
    "Missing CPIX@contentId",
    page=_CONSTRAINTS,
    hint="name the content in contentId; it replaces version 1.0's id",
)
def content_id(reading: Reading) -> Iterator[Breach]:
    """CPIX@contentId names the content."""
    if not (reading.document.content_id or "").strip():
        yield Breach(reading.root, "the document has no contentId", attribute="contentId")


@rule(
    "speke-id",
    "Missing CPIX@id",
    page="speke-constraints.html",
    hint="name the content in id; from version 2.0 on it is contentId",
    versions=("1.0",),
)
def first_version_id(reading: Reading) -> Iterator[Breach]:
    """CPIX@id names the content in version 1.0."""
    if not (reading.document.id or "").strip():
        yield Breach(reading.root, "the document has no id", attribute="id")


@rule("speke-cpix-version", "Missing CPIX@version", page=_CONSTRAINTS, hint="SPEKE 2.0 is CPIX 2.3, SPEKE 2.1 CPIX 2.4")
def cpix_version(reading: Reading) -> Iterator[Breach]:
    """CPIX@version is there."""
    if not (reading.document.version or "").strip():
        yield Breach(reading.root, "the document has no version", attribute="version")


@rule(
    "speke-cpix-version-unsupported",
    "Unsupported CPIX@version",
    page=_CONSTRAINTS,
    hint="SPEKE 2.0 is CPIX 2.3, SPEKE 2.1 CPIX 2.4",
)
def cpix_version_unsupported(reading: Reading) -> Iterator[Breach]:
    """CPIX@version is the one that belongs to the version of SPEKE."""
    stated = (reading.document.version or "").strip()
    if stated and stated != reading.version.cpix:
        message = f"version {stated[:20]!r} is not the {reading.version.cpix} of SPEKE {reading.version.name}"
        yield Breach(reading.root, message, attribute="version")


@rule("speke-lists", "Missing {}", page=_COMPONENTS, hint="the list is mandatory", versions=_ALL)
def lists(reading: Reading) -> Iterator[Breach]:
    """The lists of content keys and of DRM systems are there, and not empty."""
    for name, list_tag, items in (
        ("ContentKey", KEY_LIST, reading.keys),
        ("DRMSystem", SYSTEM_LIST, reading.systems),
    ):
        found = reading.lists.get(list_tag, [])
        if not found:
            yield Breach(reading.root, f"there is no {name}List", f"CPIX.{name}List")
        elif not items:
            yield Breach(found[0], f"{name}List is empty", f"CPIX.{name}List.{name}")
        for double in found[1:]:
            yield Breach(double, f"there is a second {name}List", f"CPIX.{name}List", severity="warning")


@rule(
    "speke-contract-missing",
    MISSING_CONTRACT,
    page=_CONSTRAINTS,
    hint="say with video and audio filters which tracks each key is for",
)
def contract_missing(reading: Reading) -> Iterator[Breach]:
    """Usage rules with filters say which key is for which track."""
    if not any(row.video or row.audio for row in reading.rules):
        place = reading.lists.get(RULE_LIST, [reading.root])[0]
        yield Breach(place, "no ContentKeyUsageRule has a VideoFilter or an AudioFilter")


@rule("speke-attributes", "Missing {}", page=_COMPONENTS, hint="the attribute is mandatory", versions=_ALL)
def attributes(reading: Reading) -> Iterator[Breach]:
    """Content keys and DRM systems have their IDs."""
    for key in reading.keys:
        if not key.kid:
            yield Breach(key.element, "the ContentKey has no kid", "ContentKey@kid", attribute="kid")
    for system in reading.systems:
        for name, value in (("kid", system.kid), ("systemId", system.system_id)):
            if not value:
                yield Breach(system.element, f"the DRMSystem has no {name}", f"DRMSystem@{name}", attribute=name)


@rule(
    "speke-id-form",
    "Malformed {}",
    page=_COMPONENTS,
    hint="8-4-4-4-12 hexadecimal digits, in either case",
    versions=_ALL,
)
def id_form(reading: Reading) -> Iterator[Breach]:
    """Key IDs and system IDs are UUIDs."""
    for key in reading.keys:
        if key.kid and not _UUID.fullmatch(key.kid):
            yield Breach(key.element, f"kid {key.kid[:40]!r} is not a UUID", "ContentKey@kid", attribute="kid")
    for system in reading.systems:
        for name, value in (("kid", system.kid), ("systemId", system.system_id)):
            if value and not _UUID.fullmatch(value):
                message = f"{name} {value[:40]!r} is not a UUID"
                yield Breach(system.element, message, f"DRMSystem@{name}", attribute=name)


@rule("speke-kid-twice", "Duplicate ContentKey@kid {}", page=_COMPONENTS, hint="each key has its own ID", versions=_ALL)
def kid_twice(reading: Reading) -> Iterator[Breach]:
    """No two content keys have one ID; upper and lower case are the same."""
    seen: set[str] = set()
    for key in reading.keys:
        if key.kid in seen:
            yield Breach(key.element, f"a second ContentKey has the kid {key.kid}", key.kid, "kid")
        elif key.kid:
            seen.add(key.kid)


@rule(
    "speke-scheme",
    "Missing ContentKey@commonEncryptionScheme for KID {}",
    page=_CONSTRAINTS,
    hint="cenc, cens, cbc1 or cbcs (2.1: or an HLS method)",
)
def scheme(reading: Reading) -> Iterator[Breach]:
    """Each content key names its protection scheme."""
    for key in reading.keys:
        if not key.scheme:
            shown = (key.element.get("kid") or "").strip()
            message = f"content key {key.kid} names no protection scheme"
            yield Breach(key.element, message, shown, "commonEncryptionScheme")


@rule(
    "speke-scheme-unknown",
    "Unsupported ContentKey@commonEncryptionScheme for KID {}",
    page=_COMPONENTS,
    hint="cenc, cens, cbc1 or cbcs (2.1: or an HLS method)",
)
def scheme_unknown(reading: Reading) -> Iterator[Breach]:
    """The protection scheme is one of those that the version knows."""
    known = SCHEMES | HLS_METHODS if reading.version.name == "2.1" else SCHEMES
    for key in reading.keys:
        if key.scheme and key.scheme not in known:
            shown = (key.element.get("kid") or "").strip()
            message = f"{key.scheme[:20]!r} is no protection scheme of SPEKE {reading.version.name}"
            yield Breach(key.element, message, shown, "commonEncryptionScheme")


@rule(
    "speke-scheme-mixed",
    "Non compliant ContentKey@commonEncryptionScheme combination",
    page=_CONSTRAINTS,
    hint="send one request for each scheme",
)
def scheme_mixed(reading: Reading) -> Iterator[Breach]:
    """All content keys of a document have one protection scheme."""
    named = [key for key in reading.keys if key.scheme]
    for key in named[1:]:
        if key.scheme != named[0].scheme:
            message = (
                f"content key {key.kid} is for {key.scheme[:20]!r}, key {named[0].kid} for {named[0].scheme[:20]!r}"
            )
            yield Breach(key.element, message, attribute="commonEncryptionScheme")


@rule(
    "speke-scheme-system",
    "ContentKey@commonEncryptionScheme non compatible with DRMSystem {}",
    page=_CONSTRAINTS,
    hint="FairPlay plays cbcs; Widevine and PlayReady cenc and cbcs; AES-128 is cbc1",
)
def scheme_system(reading: Reading) -> Iterator[Breach]:
    """Each DRM system can play the protection scheme of its key."""
    for system in reading.systems:
        plays = PLAYED_BY.get(system.system_id)
        used = reading.schemes.get(system.kid)
        if plays is not None and used is not None and used not in plays:
            message = f"{system_name(system.system_id)} does not play {used[:20]}"
            yield Breach(system.element, message, (system.element.get("systemId") or "").strip(), "systemId")


@rule(
    "speke-system-key",
    "DRMSystem@kid {} without ContentKey",
    page=_COMPONENTS,
    hint="each DRMSystem belongs to a key of the list",
    versions=_ALL,
)
def system_key(reading: Reading) -> Iterator[Breach]:
    """Each DRM system belongs to a content key of the document."""
    for system in reading.systems:
        if system.kid and system.kid not in reading.kids:
            yield Breach(system.element, f"there is no ContentKey {system.kid[:40]}", system.kid, "kid")


@rule(
    "speke-system-twice",
    "Duplicate DRMSystem {}",
    page=_COMPONENTS,
    hint="one DRMSystem for each key and system",
    versions=_ALL,
)
def system_twice(reading: Reading) -> Iterator[Breach]:
    """Each key has one entry of a DRM system."""
    seen: set[tuple[str, str]] = set()
    for system in reading.systems:
        if (system.kid, system.system_id) in seen:
            message = f"key {system.kid} has a second entry of {system_name(system.system_id)}"
            yield Breach(system.element, message, system.system_id)
        seen.add((system.kid, system.system_id))


@rule(
    "speke-hls-pair",
    'Missing DRMSystem.HLSSignalingData@playlist="{}"',
    page=_CONSTRAINTS,
    hint="ask for media and for master, always both",
)
def hls_pair(reading: Reading) -> Iterator[Breach]:
    """HLS signaling is asked for twice: for the media and for the master playlist."""
    for system in reading.systems:
        if not system.hls:
            continue
        names = {"master" if name == "multiVariant" else name for name, _ in system.hls}
        for name in ("media", "master"):
            if name not in names:
                yield Breach(system.element, f"there is no HLSSignalingData for the {name} playlist", name)


@rule(
    "speke-certificate",
    "Unsupported DeliveryData certificate",
    page=_ENCRYPTION,
    hint="SPEKE wants X.509 certificates with RSA keys of 2048 bits",
    versions=_ALL,
)
def certificate(reading: Reading) -> Iterator[Breach]:
    """Each recipient has a certificate with an RSA key that can be used."""
    for recipient in reading.document.recipients:
        try:
            der = recipient.certificate
            found = None if der is None else load_certificate(der)
            bits = 0 if found is None else rsa_key(found).key_size
        except DrmkitError:
            bits = 0
        if not bits:
            yield Breach(recipient.element, "the recipient has no certificate with an RSA key")
        elif bits < _RSA_BITS:
            yield Breach(recipient.element, f"the recipient's RSA key has {bits} bits, fewer than {_RSA_BITS}")
        elif bits != _RSA_BITS:
            message = f"the recipient's RSA key has {bits} bits; SPEKE asks for {_RSA_BITS}"
            yield Breach(recipient.element, message, severity="info")


@rule(
    "speke-ignored",
    "",
    page=_CONSTRAINTS,
    hint="SPEKE leaves it out of its subset of CPIX and ignores it: remove it",
    versions=_ALL,
    severity="info",
)
def ignored(reading: Reading) -> Iterator[Breach]:
    """Nothing is there that SPEKE ignores: update history, key hierarchy, bitrate filters, wcg, signatures."""
    for history in [reading.document.update_history.list_element]:
        if history is not None:
            yield Breach(history, "SPEKE ignores the update history")
    for key in reading.keys:
        if key.element.get("dependsOnKey") is not None:
            yield Breach(key.element, "SPEKE ignores dependsOnKey", attribute="dependsOnKey")
    for row in reading.rules:
        yield from (Breach(element, "SPEKE ignores BitrateFilter") for element in row.ignored)
        yield from (Breach(e, "SPEKE ignores wcg", attribute="wcg") for e in row.video if e.get("wcg") is not None)
    for signature in reading.signatures:
        yield Breach(signature, "SPEKE does not verify XML signatures")


@rule(
    "speke-old-names",
    "",
    page="changes-from-v2-0-v2-1.html",
    hint="from version 2.0 on: contentId, HLSSignalingData and SmoothStreamingProtectionHeaderData",
    severity="warning",
)
def old_names(reading: Reading) -> Iterator[Breach]:
    """Names of version 1.0 are not used any more."""
    for element in reading.first_version_elements:
        yield Breach(element, f"{local_name(element)} belongs to version 1.0")
    if reading.root.get("id") is not None:
        yield Breach(reading.root, "CPIX@id is ignored from version 2.0 on", attribute="id", severity="info")
