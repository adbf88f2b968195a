"""The one table of CPIX: every element, attribute and type of CPIX 2.1 to 2.4 and of the three formats inside it.

The table drives everything that depends on the shape of a document: the schema that libxml2 runs (`drmkit.cpix.xsd`),
the place where a new element goes, and what a version knows and what it does not. Its notation is explained in
`drmkit.cpix.notation`. Source: DASH-IF CPIX 2.1, 2.2, 2.3, 2.3.1 and 2.4 (https://github.com/Dash-Industry-Forum/CPIX).
"""

from __future__ import annotations

from typing import Final

from drmkit.cpix.embedded import EMBEDDED
from drmkit.cpix.notation import VERSIONS, Complex, Inline, Simple

__all__ = ["CPIX", "DS", "ENC", "ITEMS", "NAMESPACES", "PSKC", "TABLE", "VERSIONS"]

CPIX: Final = "urn:dashif:org:cpix"
PSKC: Final = "urn:ietf:params:xml:ns:keyprov:pskc"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
ENC: Final = "http://www.w3.org/2001/04/xmlenc#"
NAMESPACES: Final = {"cpix": CPIX, "pskc": PSKC, "ds": DS, "enc": ENC}

_UUID = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"


def _list(name: str, item: str, *, versioned: bool = True) -> Complex:
    update = ("updateVersion xs:integer",) if versioned else ()
    return Complex(f"{name}Type", (f"{item}* {item}Type ..2.3.1", f"{item}+ {item}Type 2.4.."), ("id xs:ID", *update))


_CPIX: tuple[Complex | Simple, ...] = (
    Simple("UUIDType", "xs:string", pattern=_UUID, versions="2.3.1.."),
    Simple("KeyIdType", "xs:string", pattern=_UUID, versions="2.3..2.3"),
    Simple("CencSchemeType", "xs:string", length=4, versions="2.3..2.3"),
    Simple("PlaylistType", "xs:string", values=("master", "variant"), versions="..2.1"),
    Simple("PlaylistType", "xs:string", values=("master", "media"), versions="2.2..2.3.1"),
    Simple("PlaylistType", "xs:string", values=("multiVariant", "media"), versions="2.4.."),
    Complex(
        "CpixType",
        (
            "DeliveryDataList? DeliveryDataListType",
            "ContentKeyList? ContentKeyListType",
            "DRMSystemList? DRMSystemListType",
            "ContentKeyPeriodList? ContentKeyPeriodListType",
            "ContentKeyUsageRuleList? ContentKeyUsageRuleListType",
            "UpdateHistoryItemList? UpdateHistoryItemListType",
            "ds:Signature*",
        ),
        ("id xs:ID", "contentId xs:string", "name xs:string", "version xs:string 2.3.."),
    ),
    _list("DeliveryDataList", "DeliveryData"),
    Complex(
        "DeliveryDataType",
        (
            "DeliveryKey ds:KeyInfoType",
            "DocumentKey KeyType ..2.3.1",
            "DocumentKey+ DocumentKeyType 2.4..",
            "MACMethod? pskc:MACMethodType",
            "Description? xs:string",
            "SendingEntity? xs:string",
            "SenderPointOfContact? xs:string",
            "ReceivingEntity? xs:string",
        ),
        ("id xs:ID", "updateVersion xs:integer", "name xs:string"),
    ),
    Complex(
        "KeyType",
        (
            "Issuer? xs:string",
            "AlgorithmParameters? pskc:AlgorithmParametersType",
            "KeyProfileId? xs:string",
            "KeyReference? xs:string",
            "FriendlyName? xs:string",
            "Data? pskc:KeyDataType",
            "UserId? xs:string",
            "Policy? pskc:PolicyType",
            "Extensions* pskc:ExtensionsType",
        ),
        ("id xs:ID", "Algorithm pskc:KeyAlgorithmType"),
        versions="..2.3.1",
    ),
    Complex("DocumentKeyType", ("Data pskc:KeyDataType",), ("id xs:ID", "encryptsKey UUIDType"), versions="2.4.."),
    _list("ContentKeyList", "ContentKey"),
    Complex(
        "ContentKeyType",
        (),
        (
            "kid! xs:string ..2.2",
            "kid! KeyIdType 2.3..2.3",
            "kid! UUIDType 2.3.1..",
            "explicitIV xs:base64Binary",
            "dependsOnKey xs:string ..2.3",
            "dependsOnKey UUIDType 2.3.1..",
            "commonEncryptionScheme CencSchemeType 2.3..2.3",
            "commonEncryptionScheme xs:string 2.3.1..",
        ),
        base="KeyType",
        versions="..2.3.1",
    ),
    Complex(
        "ContentKeyType",
        ("HDCPData? HDCPData", "Data? pskc:KeyDataType"),
        (
            "id xs:ID",
            "contentId xs:string",
            "kid! UUIDType",
            "explicitIV xs:base64Binary",
            "dependsOnKey UUIDType",
            "commonEncryptionScheme xs:string",
        ),
        versions="2.4..",
    ),
    Complex("HDCPData", ("HDCPOutputProtectionData? xs:base64Binary",), ("HLSHDCPLevel xs:string",), versions="2.4.."),
    _list("DRMSystemList", "DRMSystem"),
    Complex(
        "DRMSystemType",
        (
            "PSSH? xs:base64Binary",
            "ContentProtectionData? xs:base64Binary ..2.3.1",
            "ContentProtectionData? ContentProtectionDataType 2.4..",
            "URIExtXKey? xs:base64Binary ..2.3.1",
            "HLSSignalingData{0,2} HLSSignalingDataType",
            "SmoothStreamingProtectionHeaderData? xs:string",
            "HDSSignalingData? xs:base64Binary ..2.3.1",
            "any:##other:lax*",
        ),
        (
            "id xs:ID",
            "updateVersion xs:integer",
            "systemId! xs:string ..2.3",
            "systemId! UUIDType 2.3.1..",
            "kid! xs:string ..2.3",
            "kid! UUIDType 2.3.1..",
            "name xs:string",
            "HLSAllowedCPC xs:string 2.4..",
        ),
    ),
    Complex("ContentProtectionDataType", (), ("robustness xs:string",), simple="xs:base64Binary", versions="2.4.."),
    Complex(
        "HLSSignalingDataType",
        (),
        ("playlist PlaylistType", "allowedCPC xs:string 2.4.."),
        simple="xs:base64Binary",
    ),
    _list("ContentKeyPeriodList", "ContentKeyPeriod"),
    Complex(
        "ContentKeyPeriodType",
        (),
        (
            "id xs:ID",
            "index xs:integer",
            "label xs:string 2.4..",
            "start xs:dateTime",
            "end xs:dateTime",
            "startOffset xs:duration 2.4..",
            "endOffset xs:duration 2.4..",
            "duration xs:duration 2.4..",
        ),
    ),
    _list("ContentKeyUsageRuleList", "ContentKeyUsageRule"),
    Complex(
        "ContentKeyUsageRuleType",
        (
            "KeyPeriodFilter* KeyPeriodFilterType",
            "LabelFilter* LabelFilterType",
            "VideoFilter* VideoFilterType",
            "AudioFilter* AudioFilterType",
            "BitrateFilter* BitrateFilterType",
            "any:##other:lax*",
        ),
        ("id xs:ID", "kid! xs:string ..2.3", "kid! UUIDType 2.3.1..", "intendedTrackType xs:string"),
    ),
    Complex("KeyPeriodFilterType", (), ("periodId! xs:ID ..2.2", "periodId! xs:IDREF 2.3..")),
    Complex("LabelFilterType", (), ("label! xs:string",)),
    Complex(
        "VideoFilterType",
        (),
        (
            "minPixels xs:integer",
            "maxPixels xs:integer",
            "hdr xs:boolean",
            "wcg xs:boolean",
            "minFps xs:integer",
            "maxFps xs:integer",
        ),
    ),
    Complex("AudioFilterType", (), ("minChannels xs:integer", "maxChannels xs:integer")),
    Complex("BitrateFilterType", (), ("minBitrate xs:integer", "maxBitrate xs:integer")),
    _list("UpdateHistoryItemList", "UpdateHistoryItem", versioned=False),
    Complex(
        "UpdateHistoryItemType",
        (),
        ("id xs:ID", "updateVersion! xs:integer", "index! xs:string", "source! xs:string", "date! xs:dateTime"),
    ),
)

ITEMS: Final = (
    "DeliveryData DeliveryDataType",
    "ContentKey ContentKeyType",
    "DRMSystem DRMSystemType",
    "ContentKeyPeriod ContentKeyPeriodType",
    "ContentKeyUsageRule ContentKeyUsageRuleType",
    "UpdateHistoryItem UpdateHistoryItemType",
)
"""The entries of lists, as global elements."""

TABLE: Final[dict[str, tuple[tuple[Complex | Simple, ...], tuple[str | Inline, ...]]]] = {
    "cpix": (_CPIX, ("CPIX CpixType",)),
    **EMBEDDED,
}
"""For each prefix of `NAMESPACES`: its types, and its global elements."""
