"""The part of the table of CPIX that other standards own: PSKC (RFC 6030), XML Signature and XML Encryption (W3C)."""

from __future__ import annotations

from typing import Final

from drmkit.cpix.notation import Complex, Inline, Simple, choice, sequence

__all__ = ["EMBEDDED"]

_KEY_USES = "OTP CR Encrypt Integrity Verify Unlock Decrypt KeyWrap Unwrap Derive Generate"
_VALUE_MAC = "ValueMAC? xs:base64Binary"


def _value(name: str, plain: str) -> Complex:
    plain_or_encrypted = choice(f"PlainValue {plain}", "EncryptedValue enc:EncryptedDataType")
    return Complex(name, (plain_or_encrypted, _VALUE_MAC))


_PSKC: tuple[Complex | Simple, ...] = (
    Simple("VersionType", "xs:string", pattern=r"\d{1,2}\.\d{1,3}"),
    Simple("PINUsageModeType", "xs:string", values=("Local", "Prepend", "Append", "Algorithmic")),
    Simple("KeyUsageType", "xs:string", values=tuple(_KEY_USES.split())),
    Simple("KeyAlgorithmType", "xs:anyURI"),
    Simple("ValueFormatType", "xs:string", values=("DECIMAL", "HEXADECIMAL", "ALPHANUMERIC", "BASE64", "BINARY")),
    Complex(
        "KeyContainerType",
        (
            "EncryptionKey? ds:KeyInfoType",
            "MACMethod? MACMethodType",
            "KeyPackage+ KeyPackageType",
            "Signature? ds:SignatureType",
            "Extensions* ExtensionsType",
        ),
        ("Version! VersionType", "Id xs:ID"),
    ),
    Complex(
        "KeyType",
        (
            "Issuer? xs:string",
            "AlgorithmParameters? AlgorithmParametersType",
            "KeyProfileId? xs:string",
            "KeyReference? xs:string",
            "FriendlyName? xs:string",
            "Data? KeyDataType",
            "UserId? xs:string",
            "Policy? PolicyType",
            "Extensions* ExtensionsType",
        ),
        ("Id! xs:string", "Algorithm KeyAlgorithmType"),
    ),
    Complex(
        "PolicyType",
        (
            "StartDate? xs:dateTime",
            "ExpiryDate? xs:dateTime",
            "PINPolicy? PINPolicyType",
            "KeyUsage* KeyUsageType",
            "NumberOfTransactions? xs:nonNegativeInteger",
            "any:##other:strict*",
        ),
    ),
    Complex(
        "KeyDataType",
        (
            "Secret? binaryDataType",
            "Counter? longDataType",
            "Time? intDataType",
            "TimeInterval? intDataType",
            "TimeDrift? intDataType",
            "any:##other:lax*",
        ),
    ),
    _value("binaryDataType", "xs:base64Binary"),
    _value("intDataType", "xs:int"),
    _value("stringDataType", "xs:string"),
    _value("longDataType", "xs:long"),
    Complex(
        "PINPolicyType",
        (),
        (
            "PINKeyId xs:string",
            "PINUsageMode PINUsageModeType",
            "MaxFailedAttempts xs:unsignedInt",
            "MinLength xs:unsignedInt",
            "MaxLength xs:unsignedInt",
            "PINEncoding ValueFormatType",
        ),
        any_attribute="##other",
    ),
    Complex(
        "DeviceInfoType",
        (
            "Manufacturer? xs:string",
            "SerialNo? xs:string",
            "Model? xs:string",
            "IssueNo? xs:string",
            "DeviceBinding? xs:string",
            "StartDate? xs:dateTime",
            "ExpiryDate? xs:dateTime",
            "UserId? xs:string",
            "Extensions* ExtensionsType",
        ),
    ),
    Complex("CryptoModuleInfoType", ("Id xs:string", "Extensions* ExtensionsType")),
    Complex(
        "KeyPackageType",
        (
            "DeviceInfo? DeviceInfoType",
            "CryptoModuleInfo? CryptoModuleInfoType",
            "Key? KeyType",
            "Extensions* ExtensionsType",
        ),
    ),
    Complex(
        "AlgorithmParametersType",
        (
            "Suite? xs:string",
            Inline(
                "ChallengeFormat?",
                Complex(
                    "",
                    (),
                    (
                        "Encoding! ValueFormatType",
                        "Min! xs:unsignedInt",
                        "Max! xs:unsignedInt",
                        "CheckDigits xs:boolean",
                    ),
                ),
            ),
            Inline(
                "ResponseFormat?",
                Complex("", (), ("Encoding! ValueFormatType", "Length! xs:unsignedInt", "CheckDigits xs:boolean")),
            ),
            "Extensions* ExtensionsType",
        ),
        choice="",
    ),
    Complex("ExtensionsType", ("any:##other:lax+",), ("definition xs:anyURI",)),
    Complex(
        "MACMethodType",
        (choice("MACKey? enc:EncryptedDataType", "MACKeyReference? xs:string"), "any:##other:lax*"),
        ("Algorithm! xs:anyURI",),
    ),
)

_ALGORITHM = "Algorithm! xs:anyURI"

_DS: tuple[Complex | Simple, ...] = (
    Simple("CryptoBinary", "xs:base64Binary"),
    Simple("DigestValueType", "xs:base64Binary"),
    Simple("HMACOutputLengthType", "xs:integer"),
    Complex("SignatureType", ("ds:SignedInfo", "ds:SignatureValue", "ds:KeyInfo?", "ds:Object*"), ("Id xs:ID",)),
    Complex("SignatureValueType", (), ("Id xs:ID",), simple="xs:base64Binary"),
    Complex("SignedInfoType", ("ds:CanonicalizationMethod", "ds:SignatureMethod", "ds:Reference+"), ("Id xs:ID",)),
    Complex("CanonicalizationMethodType", ("any:##any:strict*",), (_ALGORITHM,), mixed=True),
    Complex(
        "SignatureMethodType",
        ("HMACOutputLength? HMACOutputLengthType", "any:##other:strict*"),
        (_ALGORITHM,),
        mixed=True,
    ),
    Complex(
        "ReferenceType",
        ("ds:Transforms?", "ds:DigestMethod", "ds:DigestValue"),
        ("Id xs:ID", "URI xs:anyURI", "Type xs:anyURI"),
    ),
    Complex("TransformsType", ("ds:Transform+",)),
    Complex("TransformType", ("any:##other:lax", "XPath xs:string"), (_ALGORITHM,), mixed=True, choice="*"),
    Complex("DigestMethodType", ("any:##other:lax*",), (_ALGORITHM,), mixed=True),
    Complex(
        "KeyInfoType",
        (
            "ds:KeyName",
            "ds:KeyValue",
            "ds:RetrievalMethod",
            "ds:X509Data",
            "ds:PGPData",
            "ds:SPKIData",
            "ds:MgmtData",
            "any:##other:lax",
        ),
        ("Id xs:ID",),
        mixed=True,
        choice="+",
    ),
    Complex("KeyValueType", ("ds:DSAKeyValue", "ds:RSAKeyValue", "any:##other:lax"), mixed=True, choice=""),
    Complex("RetrievalMethodType", ("ds:Transforms?",), ("URI xs:anyURI", "Type xs:anyURI")),
    Complex(
        "X509DataType",
        (
            sequence(
                choice(
                    "X509IssuerSerial X509IssuerSerialType",
                    "X509SKI xs:base64Binary",
                    "X509SubjectName xs:string",
                    "X509Certificate xs:base64Binary",
                    "X509CRL xs:base64Binary",
                    "any:##other:lax",
                ),
                occurs="+",
            ),
        ),
    ),
    Complex("X509IssuerSerialType", ("X509IssuerName xs:string", "X509SerialNumber xs:integer")),
    Complex(
        "PGPDataType",
        (
            sequence("PGPKeyID xs:base64Binary", "PGPKeyPacket? xs:base64Binary", "any:##other:lax*"),
            sequence("PGPKeyPacket xs:base64Binary", "any:##other:lax*"),
        ),
        choice="",
    ),
    Complex("SPKIDataType", (sequence("SPKISexp xs:base64Binary", "any:##other:lax?", occurs="+"),)),
    Complex(
        "ObjectType",
        (sequence("any:##any:lax", occurs="*"),),
        ("Id xs:ID", "MimeType xs:string", "Encoding xs:anyURI"),
        mixed=True,
    ),
    Complex("ManifestType", ("ds:Reference+",), ("Id xs:ID",)),
    Complex("SignaturePropertiesType", ("ds:SignatureProperty+",), ("Id xs:ID",)),
    Complex("SignaturePropertyType", ("any:##other:lax",), ("Target! xs:anyURI", "Id xs:ID"), mixed=True, choice="+"),
    Complex(
        "DSAKeyValueType",
        (
            sequence("P CryptoBinary", "Q CryptoBinary", occurs="?"),
            "G? CryptoBinary",
            "Y CryptoBinary",
            "J? CryptoBinary",
            sequence("Seed CryptoBinary", "PgenCounter CryptoBinary", occurs="?"),
        ),
    ),
    Complex("RSAKeyValueType", ("Modulus CryptoBinary", "Exponent CryptoBinary")),
)

_ENC: tuple[Complex | Simple, ...] = (
    Simple("KeySizeType", "xs:integer"),
    Complex(
        "EncryptedType",
        ("EncryptionMethod? EncryptionMethodType", "ds:KeyInfo?", "enc:CipherData", "enc:EncryptionProperties?"),
        ("Id xs:ID", "Type xs:anyURI", "MimeType xs:string", "Encoding xs:anyURI"),
        abstract=True,
    ),
    Complex(
        "EncryptionMethodType",
        ("KeySize? KeySizeType", "OAEPparams? xs:base64Binary", "any:##other:strict*"),
        (_ALGORITHM,),
        mixed=True,
    ),
    Complex("CipherDataType", ("CipherValue xs:base64Binary", "enc:CipherReference"), choice=""),
    Complex("CipherReferenceType", ("Transforms? TransformsType",), ("URI! xs:anyURI",), choice=""),
    Complex("TransformsType", ("ds:Transform+",)),
    Complex("EncryptedDataType", base="EncryptedType"),
    Complex(
        "EncryptedKeyType",
        ("enc:ReferenceList?", "CarriedKeyName? xs:string"),
        ("Recipient xs:string",),
        base="EncryptedType",
    ),
    Complex(
        "AgreementMethodType",
        (
            "KA-Nonce? xs:base64Binary",
            "any:##other:strict*",
            "OriginatorKeyInfo? ds:KeyInfoType",
            "RecipientKeyInfo? ds:KeyInfoType",
        ),
        (_ALGORITHM,),
        mixed=True,
    ),
    Complex("ReferenceType", ("any:##other:strict*",), ("URI! xs:anyURI",)),
    Complex("EncryptionPropertiesType", ("enc:EncryptionProperty+",), ("Id xs:ID",)),
    Complex(
        "EncryptionPropertyType",
        ("any:##other:lax",),
        ("Target xs:anyURI", "Id xs:ID"),
        mixed=True,
        choice="+",
        any_attribute="http://www.w3.org/XML/1998/namespace",
    ),
)

_DS_ELEMENTS = (
    "Signature SignatureValue SignedInfo CanonicalizationMethod SignatureMethod Reference Transforms Transform "
    "DigestMethod DigestValue KeyInfo KeyValue RetrievalMethod X509Data PGPData SPKIData Object Manifest "
    "SignatureProperties SignatureProperty DSAKeyValue RSAKeyValue"
)
_ENC_ELEMENTS = (
    "CipherData CipherReference EncryptedData EncryptedKey AgreementMethod EncryptionProperties EncryptionProperty"
)


def _globals(names: str) -> tuple[str, ...]:
    return tuple(f"{name} {name}Type" for name in names.split())


EMBEDDED: Final[dict[str, tuple[tuple[Complex | Simple, ...], tuple[str | Inline, ...]]]] = {
    "pskc": (_PSKC, ("KeyContainer KeyContainerType",)),
    "ds": (_DS, (*_globals(_DS_ELEMENTS), "KeyName xs:string", "MgmtData xs:string")),
    "enc": (
        _ENC,
        (
            *_globals(_ENC_ELEMENTS),
            Inline(
                "ReferenceList",
                Complex("", ("DataReference ReferenceType", "KeyReference ReferenceType"), choice="+"),
            ),
        ),
    ),
}
