"""What the tests of CPIX share: the outside oracles, and a maker of mutants."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

SHARED = Path(__file__).resolve().parents[3] / "shared"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VALUES = (
    "", " ", "x", "0", "-1", "+7", "1.5", "true", "TRUE", "1", "AAAA", "AA==", "AAE=", "AAB=", "@@@@", "A A A A",
    "media", "master", "multiVariant", "variant", "2020-01-01T00:00:00Z", "2020-13-01T00:00:00Z", "24:00", "P1D", "P1Y2M",
    "PT", "-PT1.5S", "#x", "urn:x", "http://[", "a b", "1abc", "_id", "ContentKeyList", "cenc", "cbcsx", "2.4",
    "b4c3188b-eddd-453d-9bc2-1cbca7566239", "B4C3188B-EDDD-453D-9BC2-1CBCA7566239", "99999999999999999999999999",
    "Local", "OTP", "BASE64", "\u00e9\u4e2d", "2020-02-29T23:59:60Z", "%zz",
)  # fmt: skip
NAMESPACES = (
    "urn:dashif:org:cpix",
    "urn:ietf:params:xml:ns:keyprov:pskc",
    "http://www.w3.org/2000/09/xmldsig#",
    "http://www.w3.org/2001/04/xmlenc#",
    "urn:example:other",
    "",
)
TYPES = (
    "c:ContentKeyType", "c:KeyType", "c:DocumentKeyType", "c:HLSSignalingDataType", "c:UUIDType", "c:VideoFilterType",
    "p:KeyDataType", "p:binaryDataType", "p:intDataType", "p:PolicyType", "p:ExtensionsType", "p:MACMethodType",
    "p:KeyType", "p:nothing", "d:SignatureType", "d:KeyInfoType", "d:CryptoBinary", "d:ObjectType", "e:EncryptedDataType",
    "e:EncryptedKeyType", "e:EncryptedType", "x:base64Binary", "x:string", "x:integer", "q:unbound",
)  # fmt: skip
NAMES = (
    "PSSH", "Data", "Secret", "PlainValue", "EncryptedValue", "ValueMAC", "KeyInfo", "X509Data", "CipherData", "Signature",
    "KeyPeriodFilter", "LabelFilter", "HDCPData", "Extensions", "Policy", "MACKey", "Object", "KeyName", "KeyContainer",
    "ContentKey", "DRMSystem", "EncryptionMethod", "Transforms", "URIExtXKey", "HDSSignalingData", "CPIX", "Counter", "Time",
)  # fmt: skip
ATTRIBUTES = (
    "id", "Id", "kid", "name", "version", "contentId", "explicitIV", "commonEncryptionScheme", "dependsOnKey", "Algorithm",
    "updateVersion", "index", "start", "end", "duration", "startOffset", "label", "periodId", "playlist", "allowedCPC",
    "robustness", "encryptsKey", "HLSAllowedCPC", "HLSHDCPLevel", "URI", "Encoding", "minPixels", "hdr", "xyz",
    "{urn:example:other}a", "{http://www.w3.org/XML/1998/namespace}lang", f"{{{XSI}}}nil",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Declare nothing; the hook is here so that the file reads as the folder's setup."""
    del config


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of outside oracles."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: no outside oracles here")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> dict[str, bytes]:
    """The documents that nobody here wrote, by file name."""
    return {path.name: path.read_bytes() for path in sorted((shared / "corpus").glob("*.xml"))}


@pytest.fixture(scope="session")
def mutate() -> Callable[[bytes, int], bytes]:
    """A function that makes one mutant of a document, the same for the same seed."""
    return _mutate


def _mutate(data: bytes, seed: int) -> bytes:
    chance = random.Random(seed)
    root = etree.fromstring(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        elements = list(root.iter(etree.Element))
        chance.choice(_STEPS)(chance, root, elements)
    return etree.tostring(root, encoding=chance.choice(("UTF-8", "UTF-8", "UTF-16", "ISO-8859-1")))


def _drop(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _duplicate(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    parent = element.getparent()
    if parent is not None:
        parent.insert(chance.randint(0, len(parent)), copy.deepcopy(element))


def _move(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element, target = chance.choice(elements), chance.choice(elements)
    if element is not root and target not in set(element.iter()):
        target.insert(chance.randint(0, len(target)), element)


def _rename(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    name = etree.QName(element)
    if element is root:
        return
    namespace = chance.choice((name.namespace, chance.choice(NAMESPACES)))
    local = chance.choice((name.localname, chance.choice(NAMES), "Unknown"))
    element.tag = f"{{{namespace}}}{local}" if namespace else local


def _retype(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    prefix, local = chance.choice(TYPES).split(":")
    uris = {"c": NAMESPACES[0], "p": NAMESPACES[1], "d": NAMESPACES[2], "e": NAMESPACES[3]}
    uris["x"] = "http://www.w3.org/2001/XMLSchema"
    name = next((p for p, uri in element.nsmap.items() if uri == uris.get(prefix)), None)
    element.set(f"{{{XSI}}}type", f"{name}:{local}" if name else local if prefix != "q" else f"q:{local}")


def _corrupt(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    leaves = [e for e in elements if e.attrib or (e.text and e.text.strip())]
    if not leaves:
        return
    element = chance.choice(leaves)
    if element.attrib and chance.random() < 0.6:
        element.set(chance.choice(list(element.attrib)), chance.choice(VALUES))
    elif element.text and chance.random() < 0.5:
        place = chance.randrange(len(element.text))
        element.text = element.text[:place] + chance.choice("A=+/ -_@\n") + element.text[place + 1 :]
    else:
        element.text = chance.choice(VALUES)


def _attribute(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    if element.attrib and chance.random() < 0.4:
        del element.attrib[chance.choice(list(element.attrib))]
    else:
        element.set(chance.choice(ATTRIBUTES), chance.choice(VALUES))


def _insert(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    parent = chance.choice(elements)
    namespace, local = chance.choice(NAMESPACES), chance.choice((*NAMES, "Unknown"))
    child = parent.makeelement(f"{{{namespace}}}{local}" if namespace else local)
    child.text = chance.choice((None, chance.choice(VALUES)))
    parent.insert(chance.randint(0, len(parent)), child)


def _remark(chance: random.Random, root: etree._Element, elements: list[etree._Element]) -> None:
    element = chance.choice(elements)
    node = chance.choice((etree.Comment("note"), etree.ProcessingInstruction("note", "x")))
    if element.text and not len(element):
        place = chance.randint(0, len(element.text))
        element.text, node.tail = element.text[:place], element.text[place:]
    element.insert(0, node)


_STEPS = (_drop, _duplicate, _move, _rename, _retype, _corrupt, _corrupt, _corrupt, _attribute, _attribute, _insert, _remark)
