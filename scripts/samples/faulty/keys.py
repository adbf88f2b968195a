"""Faults in content keys: IDs, lengths, schemes, hierarchy, weak values."""

from __future__ import annotations

import base64

from drmkit.cpix import Document
from drmkit.cpix.view import cpix
from samples.faulty.entries import (
    FROM_23,
    KEY,
    PLAIN,
    SYSTEM,
    bare,
    breaks,
    hierarchy,
    put,
)
from samples.model import ALL, NEW, base, found, iv, key, kid, one

__all__: list[str] = []


@breaks(
    "kid-format",
    shows="2.3: a DRM system by its name, which the schemas up to 2.3 take for an ID",
    accepts=("2.3",),
    version="2.3",
    start=lambda: base("2.3"),
)
def _(document: Document) -> None:
    for system in found(document, SYSTEM):
        system.set("systemId", "widevine")
        system.remove(system[0])
        system.remove(system[0])


@breaks("kid-duplicate", shows="two content keys with one key ID, in upper and lower case", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    one(document, KEY, 1).set("kid", str(kid("SD")).upper())
    document.root.remove(one(document, "cpix:ContentKeyUsageRuleList"))


@breaks("depends-on-leaf", shows="a hierarchy of three levels", accepts=FROM_23, start=hierarchy)
def _(document: Document) -> None:
    one(document, KEY, 2).set("dependsOnKey", str(kid("leaf 1")))


@breaks("leaf-properties", shows="a leaf key with a protection scheme of its own", accepts=FROM_23, start=hierarchy)
def _(document: Document) -> None:
    one(document, KEY, 1).set("commonEncryptionScheme", "cenc")


@breaks("content-id-twice", shows="a contentId at the document and at a key", accepts=NEW, start=bare)
def _(document: Document) -> None:
    one(document, KEY).set("contentId", "movie")


@breaks("version-unknown", shows="a version that was never published", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    document.version = "2.5"


@breaks("iv-length", shows="an explicit IV of 8 bytes", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    one(document, KEY).set("explicitIV", base64.b64encode(iv("SD")[:8]).decode())


@breaks("scheme-unknown", shows="a scheme that does not exist", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    for element in found(document, KEY):
        element.set("commonEncryptionScheme", "cbcx")


@breaks("scheme-mixed", shows="one content in cenc and cbcs; it takes two documents", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    one(document, KEY).set("commonEncryptionScheme", "cbcs")


@breaks("key-length", shows="a content key of 15 bytes", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    put(one(document, PLAIN), key("SD", 15))


@breaks(
    "key-length-256", shows="a content key of 256 bits: valid, and unusual", accepts=FROM_23, valid=True, start=bare
)
def _(document: Document) -> None:
    put(one(document, PLAIN), key("SD", 32))


@breaks(
    "secret-namespace",
    shows="Secret and PlainValue in the namespace of CPIX: valid by the schema's wildcard, and most readers see no key",
    accepts=ALL,
    valid=True,
    start=bare,
)
def _(document: Document) -> None:
    del document.root.attrib["version"]
    for element in found(document, KEY):
        del element.attrib["commonEncryptionScheme"]
        secret = one(document, "cpix:ContentKeyList/cpix:ContentKey/cpix:Data/pskc:Secret")
        secret.tag = cpix("Secret")
        secret[0].tag = cpix("PlainValue")


@breaks("key-clear", shows="content keys in the clear", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    del document


@breaks("key-repeated", shows="two content keys with one value", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    one(document, PLAIN, 1).text = one(document, PLAIN).text


@breaks("key-is-kid", shows="a content key that is its own key ID", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    put(one(document, PLAIN), kid("SD").raw)


@breaks("key-is-iv", shows="a content key that is its own IV", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    put(one(document, PLAIN), iv("SD"))


@breaks("key-constant", shows="a content key of zeros", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    put(one(document, PLAIN), bytes(16))
