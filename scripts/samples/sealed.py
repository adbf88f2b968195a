"""The samples that are encrypted or signed for real, and the attacks on signatures."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable, Iterator

from lxml import etree

from drmkit import cpix
from drmkit.cpix import Builder, Document, decryption, encryption, signature
from drmkit.cpix.schema import DS, ENC
from drmkit.cpix.view import cpix as tag
from drmkit.errors import SignatureError
from drmkit.identifiers import DrmSystem
from samples.certificates import certificate, private_key
from samples.makers import fill, key_per_track
from samples.model import NEW, Sample, finish, key, kid, one, require, write

__all__ = ["samples"]

_WRAPPED = (f"//*[local-name()='EncryptionMethod'][@Algorithm='{ENC}rsa-oaep-mgf1p']/following-sibling::*/*",)
_FROM_23 = ("2.3", "2.3.1", "2.4")
_ATTACKERS = base64.b64encode(key("of an attacker")).decode()
_REFERENCE = "ds:Signature/ds:SignedInfo/ds:Reference"


def samples() -> Iterator[Sample]:
    """Return every encrypted or signed sample, and the attacks on signatures."""
    yield from _encrypted()
    yield from _signed()
    yield from _attacks()


def _random(name: str) -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    count = 0

    def octets(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"drmkit sample: {name} {count}".encode()).digest(size)

    return octets


def _clear(version: str = "2.4") -> Document:
    builder = Builder(version=version, content_id="movie")
    for name in ("SD", "HD"):
        builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
    return fill(builder.build(), DrmSystem.WIDEVINE)


def _encrypt(document: Document, shows: str, *names: str, separate: bool = False) -> bytes:
    document.root.addprevious(etree.Comment(f" {shows} "))
    sealed = encryption.encrypt(
        document, [certificate(name) for name in names], separate_keys=separate, random=_random(shows)
    )
    etree.indent(sealed.tree)
    return write(sealed)


def _opens(*names: str) -> Callable[[bytes], None]:
    def proof(data: bytes) -> None:
        for name in names:
            opened = decryption.open_keys(cpix.parse(data), private_key(name))
            values = {of: value.reveal() for of, value in opened.items()}
            require(values == {kid(n): key(n) for n in ("SD", "HD")}, f"other keys come out for {name}")

    return proof


def _encrypted() -> Iterator[Sample]:
    entries = (
        ("valid/encrypted-2.3.xml", "CPIX 2.3: keys encrypted for two recipients, with MACs", "2.3", False),
        ("valid/encrypted-2.4.xml", "CPIX 2.4: keys encrypted for two recipients, with MACs", "2.4", False),
        (
            "valid/encrypts-key-2.4.xml",
            "CPIX 2.4: a document key for each content key, named by encryptsKey",
            "2.4",
            True,
        ),
    )
    both = ("recipient-1", "recipient-2")
    for path, shows, version, separate in entries:
        yield Sample(
            path=path,
            shows=shows,
            make=lambda v=version, s=shows, sep=separate: _encrypt(_clear(v), s, *both, separate=sep),
            accepts=NEW if version == "2.4" else ("2.3", "2.3.1"),
            version=version,
            varies=_WRAPPED,
            proof=_opens(*both),
        )
    shows = "CPIX 2.4, best practice: a key for each kind of track, encrypted for one recipient"
    yield Sample(
        path="best-practice/KPTIntentedTrackTypeEncrypted.xml",
        shows=shows,
        make=lambda: _encrypt(key_per_track(), shows, "recipient-1"),
        accepts=NEW,
        version="2.4",
        varies=_WRAPPED,
        proof=_opens("recipient-1"),
    )


def _sign(document: Document, shows: str, *parts: str) -> Document:
    """Sign lists of a document, or (for an empty part) all of it, as it will stand in its file."""
    ready = cpix.parse(finish(document, shows))
    for part in parts:
        target = {"keys": ready.content_keys, "systems": ready.drm_systems, "": None}[part]
        signature.sign(ready, private_key("signer"), certificate("signer"), part=target)
    return ready


def _verified(*lists: str) -> Callable[[bytes], None]:
    def proof(data: bytes) -> None:
        found = signature.verify(cpix.parse(data), [certificate("signer")])
        require([etree.QName(entry.element).localname for entry in found] == list(lists), "other parts are signed")

    return proof


def _signed() -> Iterator[Sample]:
    entries: tuple[tuple[str, str, Callable[[], Document], tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
        (
            "best-practice/KPTIntentedTrackTypeSigned.xml",
            "CPIX 2.4, best practice: a key for each kind of track; the list of content keys is signed",
            key_per_track,
            ("keys",),
            ("ContentKeyList",),
            NEW,
        ),
        (
            "valid/signed-2.3.xml",
            "CPIX 2.3: two lists and then the whole document signed",
            lambda: _clear("2.3"),
            ("keys", "systems", ""),
            ("ContentKeyList", "DRMSystemList", "CPIX"),
            ("2.3", "2.3.1"),
        ),
    )
    for path, shows, make, parts, lists, accepts in entries:
        yield Sample(
            path=path,
            shows=shows,
            make=lambda m=make, s=shows, p=parts: write(_sign(m(), s, *p)),
            accepts=accepts,
            version="2.3" if "2.3" in path else "2.4",
            proof=_verified(*lists),
        )


# Attacks on signatures --------------------------------------------------------------------------------------------


def _refused(data: bytes) -> None:
    try:
        signature.verify(cpix.parse(data), [certificate("signer")])
    except SignatureError:
        return
    raise AssertionError("the forged signature was accepted")


def _forge(shows: str, spoil: Callable[[Document], None]) -> bytes:
    bare = Builder(version="2.4", content_id="movie").content_key(kid=kid("SD"), key=key("SD")).build()
    document = _sign(bare, shows, "keys")
    spoil(document)
    return write(document)


def _forged_list(document: Document) -> tuple[etree._Element, etree._Element]:
    """The signed list, and a copy of it with a key of the attacker's."""
    real = one(document, "cpix:ContentKeyList")
    forged = copy.deepcopy(real)
    value = next(forged.iter("{*}PlainValue"))
    value.text = _ATTACKERS
    return real, forged


def _wrap_in_object(document: Document) -> None:
    real, forged = _forged_list(document)
    del forged.attrib["id"]
    real.addprevious(forged)
    etree.SubElement(one(document, "ds:Signature"), f"{{{DS}}}Object").append(real)


def _wrap_in_custom(document: Document) -> None:
    real, forged = _forged_list(document)
    del forged.attrib["id"]
    real.addprevious(forged)
    systems = document.root.makeelement(tag("DRMSystemList"))
    system = etree.SubElement(systems, tag("DRMSystem"), systemId=DrmSystem.WIDEVINE.system_id, kid=str(kid("SD")))
    etree.SubElement(system, "{urn:example:wrap}Wrapper", nsmap={"w": "urn:example:wrap"}).append(real)
    forged.addnext(systems)


def _same_id(document: Document) -> None:
    real, forged = _forged_list(document)
    etree.SubElement(one(document, "ds:Signature"), f"{{{DS}}}Object").append(real)
    document.root.insert(0, forged)


def _second_reference(document: Document) -> None:
    first = one(document, _REFERENCE)
    first.addnext(copy.deepcopy(first))


def _xslt(document: Document) -> None:
    transforms = one(document, f"{_REFERENCE}/ds:Transforms")
    etree.SubElement(transforms, f"{{{DS}}}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")


def _hmac(document: Document) -> None:
    one(document, "ds:Signature/ds:SignedInfo/ds:SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
    )


def _key_value(document: Document) -> None:
    info = one(document, "ds:Signature/ds:KeyInfo")
    for child in list(info):
        info.remove(child)
    value = etree.SubElement(etree.SubElement(info, f"{{{DS}}}KeyValue"), f"{{{DS}}}RSAKeyValue")
    etree.SubElement(value, f"{{{DS}}}Modulus").text = "AQAB"
    etree.SubElement(value, f"{{{DS}}}Exponent").text = "AQAB"


def _external(document: Document) -> None:
    one(document, _REFERENCE).set("URI", "http://attacker.example/keys.xml")


def _changed(document: Document) -> None:
    next(document.root.iter("{*}PlainValue")).text = _ATTACKERS


def _attacks() -> Iterator[Sample]:
    entries: tuple[tuple[str, str, Callable[[Document], None], tuple[str, ...], tuple[str, ...]], ...] = (
        ("changed", "a signed list whose key was changed", _changed, (), _FROM_23),
        ("wrapped-object", "the signed list hidden in ds:Object, another in its place", _wrap_in_object, (), _FROM_23),
        ("wrapped-custom", "the signed list hidden in an element of another namespace", _wrap_in_custom, (), _FROM_23),
        ("same-id", "two lists with the ID that is signed", _same_id, (), _FROM_23),
        ("second-reference", "a second Reference in the signature", _second_reference, (), _FROM_23),
        ("xslt", "an XSLT transform in the signature", _xslt, (), _FROM_23),
        (
            "hmac",
            "an HMAC in place of RSA, keyed with the public certificate",
            _hmac,
            ("signature-algorithm",),
            _FROM_23,
        ),
        ("key-value", "a bare public key in place of a certificate", _key_value, ("signature-certificate",), _FROM_23),
        ("external", "a Reference to another server", _external, ("signature-reference",), _FROM_23),
    )
    for name, shows, spoil, rules, accepts in entries:
        yield Sample(
            path=f"attacks/signature-{name}.xml",
            shows=shows,
            make=lambda s=spoil, w=shows: _forge(w, s),
            accepts=accepts,
            version="2.4",
            rules=rules,
            valid=not rules,
            proof=_refused,
        )
