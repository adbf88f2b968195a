"""What the tests of CPIX share: the outside oracles, and a maker of mutants."""

from __future__ import annotations

import copy
import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, hls, playready, widevine

SHARED = Path(__file__).resolve().parents[3] / "shared"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
VALUES = (
    "", " ", "x", "0", "-1", "+7", "1.5", "true", "TRUE", "1", "AAAA", "AA==", "AAE=", "AAB=", "@@@@", "A A A A",
    "media", "master", "multiVariant", "variant", "2020-01-01T00:00:00Z", "2020-13-01T00:00:00Z", "24:00", "P1D",
    "P1Y2M",
    "PT", "-PT1.5S", "#x", "urn:x", "http://[", "a b", "1abc", "_id", "ContentKeyList", "cenc", "cbcsx", "2.4",
    "b4c3188b-eddd-453d-9bc2-1cbca7566239", "B4C3188B-EDDD-453D-9BC2-1CBCA7566239", "99999999999999999999999999",
    "Local", "OTP", "BASE64", "\u00e9\u4e2d", "2020-02-29T23:59:60Z", "%zz",
)  # fmt: skip
KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"
ROOT_KID = "a466cdfd-e556-4b1d-8098-c1a4aa78997a"
HEAD = """<cpix:CPIX xmlns:cpix="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc"
 xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:enc="http://www.w3.org/2001/04/xmlenc#" """
ENCRYPTED = """<pskc:EncryptedValue><enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>
<enc:CipherData><enc:CipherValue>AAAA</enc:CipherValue></enc:CipherData></pskc:EncryptedValue>"""
TAIL = """<cpix:ContentKeyPeriodList id="periods" updateVersion="1"><cpix:ContentKeyPeriod id="p1" index="1"{label}/>
<cpix:ContentKeyPeriod id="p2" start="2020-01-01T00:00:00Z" end="2020-01-02T00:00:00Z"/>{offsets}
</cpix:ContentKeyPeriodList>
<cpix:ContentKeyUsageRuleList id="rules" updateVersion="1"><cpix:ContentKeyUsageRule id="r1" kid="%s"
 intendedTrackType="HD"><cpix:KeyPeriodFilter periodId="p1"/><cpix:KeyPeriodFilter periodId="p2"/>
<cpix:LabelFilter label="x"/><cpix:VideoFilter minPixels="1" maxPixels="2" hdr="true" wcg="0" minFps="1" maxFps="60"/>
<cpix:BitrateFilter minBitrate="1" maxBitrate="2"/></cpix:ContentKeyUsageRule><cpix:ContentKeyUsageRule kid="%s">
<cpix:AudioFilter minChannels="1" maxChannels="2"/><o:other xmlns:o="urn:example:other"/></cpix:ContentKeyUsageRule>
</cpix:ContentKeyUsageRuleList><cpix:UpdateHistoryItemList id="history">
<cpix:UpdateHistoryItem id="u1" updateVersion="1"
 index="1" source="me" date="2020-01-01T00:00:00Z"/></cpix:UpdateHistoryItemList>
<ds:Signature Id="s1"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="urn:c"/>
<ds:SignatureMethod Algorithm="urn:s">
<ds:HMACOutputLength>5</ds:HMACOutputLength></ds:SignatureMethod><ds:Reference URI="#keys"><ds:Transforms>
<ds:Transform Algorithm="urn:t"><ds:XPath>x</ds:XPath></ds:Transform></ds:Transforms>
<ds:DigestMethod Algorithm="urn:d"/>
<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue>
<ds:KeyInfo>
<ds:KeyName>n</ds:KeyName><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AAAA</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>
</ds:RSAKeyValue></ds:KeyValue><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>i</ds:X509IssuerName>
<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data></ds:KeyInfo><ds:Object Id="o1">
<ds:Manifest><ds:Reference URI=""><ds:DigestMethod Algorithm="urn:d"/>
<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>
</ds:Manifest></ds:Object></ds:Signature></cpix:CPIX>""" % (KID, KID)  # noqa: UP031 (braces are used too)
FULL_24 = (
    HEAD
    + f"""id="doc" contentId="c" name="n" version="2.4"><cpix:DeliveryDataList id="recipients" updateVersion="1">
<cpix:DeliveryData id="d1" updateVersion="1" name="n"><cpix:DeliveryKey><ds:X509Data><ds:X509Certificate>AAAA
</ds:X509Certificate></ds:X509Data></cpix:DeliveryKey><cpix:DocumentKey id="dk1" encryptsKey="{KID}"><cpix:Data>
<pskc:Secret>{ENCRYPTED}</pskc:Secret></cpix:Data></cpix:DocumentKey><cpix:DocumentKey><cpix:Data/></cpix:DocumentKey>
<cpix:MACMethod Algorithm="urn:m"><pskc:MACKey><enc:EncryptionMethod Algorithm="urn:a"><enc:KeySize>1</enc:KeySize>
</enc:EncryptionMethod><enc:CipherData>
<enc:CipherReference URI="urn:x"/></enc:CipherData></pskc:MACKey></cpix:MACMethod>
<cpix:Description>d</cpix:Description><cpix:SendingEntity>s</cpix:SendingEntity><cpix:SenderPointOfContact>p
</cpix:SenderPointOfContact><cpix:ReceivingEntity>r</cpix:ReceivingEntity></cpix:DeliveryData></cpix:DeliveryDataList>
<cpix:ContentKeyList id="keys" updateVersion="1">
<cpix:ContentKey id="k1" kid="{KID}" explicitIV="AAAAAAAAAAAAAAAAAAAAAA=="
 dependsOnKey="{ROOT_KID}"><cpix:Data><pskc:Secret><pskc:PlainValue>AAECAwQFBgcICQoLDA0ODw==</pskc:PlainValue>
<pskc:ValueMAC>AAAA</pskc:ValueMAC></pskc:Secret><pskc:Counter><pskc:PlainValue>5</pskc:PlainValue></pskc:Counter>
<o:other xmlns:o="urn:example:other"/></cpix:Data></cpix:ContentKey><cpix:ContentKey kid="{ROOT_KID}" contentId="c2"
 commonEncryptionScheme="cbcs"><cpix:HDCPData HLSHDCPLevel="TYPE-1"><cpix:HDCPOutputProtectionData>PHgvPg==
</cpix:HDCPOutputProtectionData></cpix:HDCPData></cpix:ContentKey></cpix:ContentKeyList>
<cpix:DRMSystemList id="systems" updateVersion="1"><cpix:DRMSystem id="s" updateVersion="1" kid="{KID}" name="n"
 systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" HLSAllowedCPC="a:b"><cpix:PSSH>AAAA</cpix:PSSH>
<cpix:ContentProtectionData robustness="HW">PHgvPg==</cpix:ContentProtectionData><cpix:HLSSignalingData playlist="media"
 allowedCPC="a:b">I0VYVC1YLUtFWTo=</cpix:HLSSignalingData><cpix:HLSSignalingData playlist="multiVariant">AAAA
</cpix:HLSSignalingData><cpix:SmoothStreamingProtectionHeaderData>x</cpix:SmoothStreamingProtectionHeaderData>
<o:other xmlns:o="urn:example:other"/></cpix:DRMSystem></cpix:DRMSystemList>"""
    + TAIL.format(
        label=' label="l"',
        offsets='<cpix:ContentKeyPeriod startOffset="PT0S" endOffset="PT1H"/><cpix:ContentKeyPeriod startOffset="PT1H" '
        'duration="PT1H"/>',
    )
).encode()
FULL_231 = (
    HEAD
    + f"""id="doc" contentId="c" name="n" version="2.3.1"><cpix:DeliveryDataList id="recipients" updateVersion="1">
<cpix:DeliveryData><cpix:DeliveryKey><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>
</cpix:DeliveryKey><cpix:DocumentKey id="dk1" Algorithm="urn:a"><cpix:Data><pskc:Secret>{ENCRYPTED}</pskc:Secret>
</cpix:Data></cpix:DocumentKey><cpix:MACMethod Algorithm="urn:m"><pskc:MACKeyReference>r</pskc:MACKeyReference>
</cpix:MACMethod></cpix:DeliveryData></cpix:DeliveryDataList><cpix:ContentKeyList id="keys" updateVersion="1">
<cpix:ContentKey id="k1" Algorithm="urn:a" kid="{KID}" explicitIV="AAAAAAAAAAAAAAAAAAAAAA==" dependsOnKey="{ROOT_KID}">
<cpix:Issuer>i</cpix:Issuer><cpix:AlgorithmParameters><pskc:ChallengeFormat Encoding="BASE64" Min="1" Max="2"/>
</cpix:AlgorithmParameters><cpix:KeyProfileId>p</cpix:KeyProfileId><cpix:KeyReference>r</cpix:KeyReference>
<cpix:FriendlyName>f</cpix:FriendlyName><cpix:Data><pskc:Secret>
<pskc:PlainValue>AAECAwQFBgcICQoLDA0ODw==</pskc:PlainValue>
</pskc:Secret></cpix:Data><cpix:UserId>u</cpix:UserId><cpix:Policy><pskc:StartDate>2020-01-01T00:00:00Z</pskc:StartDate>
<pskc:PINPolicy PINUsageMode="Local" MinLength="4"/><pskc:KeyUsage>OTP</pskc:KeyUsage></cpix:Policy><cpix:Extensions
 definition="urn:x"><o:other xmlns:o="urn:example:other"/></cpix:Extensions></cpix:ContentKey>
<cpix:ContentKey kid="{ROOT_KID}"
 commonEncryptionScheme="SAMPLE-AES"/></cpix:ContentKeyList><cpix:DRMSystemList id="systems" updateVersion="1">
<cpix:DRMSystem kid="{KID}" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"><cpix:PSSH>AAAA</cpix:PSSH>
<cpix:ContentProtectionData>PHgvPg==</cpix:ContentProtectionData><cpix:URIExtXKey>AAAA</cpix:URIExtXKey>
<cpix:HLSSignalingData playlist="master">AAAA</cpix:HLSSignalingData><cpix:HDSSignalingData>AAAA</cpix:HDSSignalingData>
</cpix:DRMSystem></cpix:DRMSystemList>"""
    + TAIL.format(label="", offsets="")
).encode()
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
    "p:KeyType", "p:nothing", "d:SignatureType", "d:KeyInfoType", "d:CryptoBinary", "d:ObjectType",
    "e:EncryptedDataType",
    "e:EncryptedKeyType", "e:EncryptedType", "x:base64Binary", "x:string", "x:integer", "q:unbound",
)  # fmt: skip
NAMES = (
    "PSSH", "Data", "Secret", "PlainValue", "EncryptedValue", "ValueMAC", "KeyInfo", "X509Data", "CipherData",
    "Signature",
    "KeyPeriodFilter", "LabelFilter", "HDCPData", "Extensions", "Policy", "MACKey", "Object", "KeyName", "KeyContainer",
    "ContentKey", "DRMSystem", "EncryptionMethod", "Transforms", "URIExtXKey", "HDSSignalingData", "CPIX", "Counter",
    "Time",
)  # fmt: skip
ATTRIBUTES = (
    "id", "Id", "kid", "name", "version", "contentId", "explicitIV", "commonEncryptionScheme", "dependsOnKey",
    "Algorithm",
    "updateVersion", "index", "start", "end", "duration", "startOffset", "label", "periodId", "playlist", "allowedCPC",
    "robustness", "encryptsKey", "HLSAllowedCPC", "HLSHDCPLevel", "URI", "Encoding", "minPixels", "hdr", "xyz",
    "{urn:example:other}a", "{http://www.w3.org/XML/1998/namespace}lang", f"{{{XSI}}}nil",
)  # fmt: skip


@pytest.fixture(scope="session")
def plain_24() -> bytes:
    """A document as packagers get them: keys in the clear, several systems of one make for each, rules and periods."""
    builder = cpix.Builder(version="2.4", content_id="c").period(id="p1", index=1)
    kids = [KeyId(hashlib.sha256(bytes([number])).digest()[16:]) for number in range(4)]
    for kid in kids:
        builder.content_key(kid=kid, key=hashlib.sha256(kid.raw).digest()[:16], scheme="cenc")
    for kid in kids:
        for system, box in (
            (DrmSystem.WIDEVINE, widevine.pssh_box([kid], "cenc")),
            (DrmSystem.PLAYREADY, playready.pssh_box([kid], "cenc")),
            (DrmSystem.COMMON, common.pssh_box([kid])),
        ):
            media, master = hls.key_tag(system, kid, "cenc", uri="skd://a"), "#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,"
            builder.drm_system(kid=kid, system_id=system, pssh=box.to_bytes(), hls_media=media, hls_master=master)
        builder.usage_rule(kid=kid, labels=[str(kid)], periods=["p1"])
    return builder.build().to_xml()


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


@pytest.fixture(scope="session")
def full_24() -> bytes:
    """A document with every element and attribute that CPIX 2.4 has of its own."""
    return FULL_24


@pytest.fixture(scope="session")
def full_231() -> bytes:
    """A document with every element and attribute that CPIX 2.3.1 has of its own."""
    return FULL_231


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


_STEPS = (
    _drop,
    _duplicate,
    _move,
    _rename,
    _retype,
    _corrupt,
    _corrupt,
    _corrupt,
    _attribute,
    _attribute,
    _insert,
    _remark,
)
