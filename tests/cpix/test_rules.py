"""Every rule of the catalog finds its fault, and leaves the benign twin alone."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from drmkit import cpix
from drmkit.cpix.rules import all_rules
from drmkit.cpix.usage import MAX_UINT32
from drmkit.errors import InvalidDocumentError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, dash, playready, widevine
from drmkit.signaling.pssh import PsshBox

A = "11111111-2222-3333-4444-555555555555"
B = "21111111-2222-3333-4444-555555555555"
C = "31111111-2222-3333-4444-555555555555"
WV, PR, FP = (s.system_id for s in (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
AES = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
HMAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
LONG = "9" * 320
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"


def b64(raw: bytes) -> str:
    """Write base64."""
    return base64.b64encode(raw).decode()


def plain(raw: bytes) -> str:
    """A key in the clear."""
    return f"<c:Data><p:Secret><p:PlainValue>{b64(raw)}</p:PlainValue></p:Secret></c:Data>"


def encrypted(size: int = 48, algorithm: str = AES, mac: int | None = 64) -> str:
    """An encrypted key."""
    value = "" if mac is None else f"<p:ValueMAC>{b64(bytes(mac))}</p:ValueMAC>"
    return (
        f'<c:Data><p:Secret><p:EncryptedValue><e:EncryptionMethod Algorithm="{algorithm}"/><e:CipherData>'
        f"<e:CipherValue>{b64(bytes(range(size)))}</e:CipherValue></e:CipherData></p:EncryptedValue>{value}</p:Secret></c:Data>"
    )


def key(kid: str = A, data: str = "", **attributes: str) -> str:
    """A content key."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<c:ContentKey kid="{kid}"{given}>{data}</c:ContentKey>'


def system(kid: str = A, system_id: str = WV, body: str = "", **attributes: str) -> str:
    """A DRM system."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<c:DRMSystem kid="{kid}" systemId="{system_id}"{given}>{body}</c:DRMSystem>'


def pssh(raw: bytes) -> str:
    """A PSSH element."""
    return f"<c:PSSH>{b64(raw)}</c:PSSH>"


def hls(text: bytes, playlist: str | None = "media") -> str:
    """An HLSSignalingData element."""
    given = "" if playlist is None else f' playlist="{playlist}"'
    return f"<c:HLSSignalingData{given}>{b64(text)}</c:HLSSignalingData>"


def cpd(raw: bytes) -> str:
    """A ContentProtectionData element."""
    return f"<c:ContentProtectionData>{b64(raw)}</c:ContentProtectionData>"


def rule(kid: str = A, body: str = "", **attributes: str) -> str:
    """A usage rule."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<c:ContentKeyUsageRule kid="{kid}"{given}>{body}</c:ContentKeyUsageRule>'


def period(**attributes: str) -> str:
    """A period."""
    return "<c:ContentKeyPeriod" + "".join(f' {name}="{value}"' for name, value in attributes.items()) + "/>"


def update(index: str, version: str = "1") -> str:
    """An item of the update history."""
    return f'<c:UpdateHistoryItem updateVersion="{version}" index="{index}" source="s" date="2020-01-01T00:00:00Z"/>'


def recipient(certificate: bytes | None = b"x", keys: str = "", mac: str | None = HMAC, mac_key: str = OAEP) -> str:
    """A recipient with one encrypted document key, or those given."""
    cert = "" if certificate is None else f"<d:X509Certificate>{b64(certificate)}</d:X509Certificate>"
    cert = cert or "<d:X509SKI>AAAA</d:X509SKI>"
    method = ""
    if mac is not None:
        cipher = "<e:CipherData><e:CipherValue>AAAA</e:CipherValue></e:CipherData>"
        inner = f'<e:EncryptionMethod Algorithm="{mac_key}"/>{cipher}'
        method = (
            f'<c:MACMethod Algorithm="{mac}">' + (f"<p:MACKey>{inner}</p:MACKey>" if mac_key else "") + "</c:MACMethod>"
        )
    return (
        f"<c:DeliveryData><c:DeliveryKey><d:X509Data>{cert}</d:X509Data></c:DeliveryKey>{keys or document_key()}"
        f"{method}</c:DeliveryData>"
    )


def document_key(encrypts: str = "", algorithm: str = OAEP, data: str = "") -> str:
    """A document key."""
    given = f' encryptsKey="{encrypts}"' if encrypts else ""
    return f"<c:DocumentKey{given}>{data or encrypted(48, algorithm, None)}</c:DocumentKey>"


def signature(
    uri: str = "", certificate: bool = True, method: str = RSA_SHA512, digest: str = SHA512, c14n: str = C14N11
) -> str:
    """A signature."""
    info = (
        "<d:KeyInfo><d:X509Data><d:X509Certificate>AAAA</d:X509Certificate></d:X509Data></d:KeyInfo>"
        if certificate
        else ""
    )
    return (
        f'<d:Signature><d:SignedInfo><d:CanonicalizationMethod Algorithm="{c14n}"/>'
        f'<d:SignatureMethod Algorithm="{method}"/>'
        f'<d:Reference URI="{uri}"><d:DigestMethod Algorithm="{digest}"/>'
        "<d:DigestValue>AAAA</d:DigestValue></d:Reference>"
        f"</d:SignedInfo><d:SignatureValue>AAAA</d:SignatureValue>{info}</d:Signature>"
    )


@dataclass(frozen=True)
class Doc:
    """A document, list by list."""

    keys: str = key()
    systems: str = ""
    rules: str = ""
    periods: str = ""
    recipients: str = ""
    history: str = ""
    signatures: str = ""
    root: str = ""
    version: str = "2.4"
    periods_attributes: str = ""

    def data(self) -> bytes:
        """The document's bytes."""
        lists = {
            "DeliveryDataList": self.recipients,
            "ContentKeyList": self.keys,
            "DRMSystemList": self.systems,
            "ContentKeyPeriodList": self.periods,
            "ContentKeyUsageRuleList": self.rules,
            "UpdateHistoryItemList": self.history,
        }
        body = "".join(f"<c:{name}>{items}</c:{name}>" for name, items in lists.items() if items)
        return (
            '<c:CPIX xmlns:c="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc"'
            ' xmlns:d="http://www.w3.org/2000/09/xmldsig#" xmlns:e="http://www.w3.org/2001/04/xmlenc#"'
            f' version="{self.version}" {self.root}>{body}{self.signatures}</c:CPIX>'
        ).encode()


def certificate(
    bits: int = 3072, days: int = 365, digest: hashes.HashAlgorithm | None = None, start: int = -10
) -> bytes:
    """A self-signed certificate in DER, valid around NOW."""
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    private = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = (
        builder.serial_number(1)
        .not_valid_before(NOW + timedelta(days=start))
        .not_valid_after(NOW + timedelta(days=days))
    )
    return builder.sign(private, digest or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


KID = KeyId.from_uuid(A)
WV_BOX = widevine.pssh_box([KID], "cenc").to_bytes()
PR_BOX = playready.pssh_box([KID], "cenc", keys={KID: bytes(range(16))})
EMPTY_PR_BOX = PsshBox(system_id=DrmSystem.PLAYREADY.system_id).to_bytes()
GOOD_CERT = certificate()
TAG = b'#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="skd://x"'
SESSION = b'#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES-CTR,URI="skd://x"'
MPD = dash.content_protection(widevine.pssh_box([KID], "cenc"))
RULE_A_HD = rule(A, '<c:VideoFilter minPixels="101"/>')
RULE_B_SD = rule(B, '<c:VideoFilter maxPixels="100"/>')
TWO = key(A) + key(B)

CASES: dict[str, list[tuple[Doc, Doc]]] = {
    "kid-format": [
        (Doc(keys=key("not-a-uuid"), version="2.2"), Doc(version="2.2")),
        (Doc(systems=system(system_id="widevine"), version="2.3"), Doc(systems=system(), version="2.3")),
        (Doc(rules=rule("x"), version="2.3"), Doc(rules=rule(), version="2.3")),
        (Doc(keys=key(dependsOnKey="root"), version="2.3"), Doc(keys=key(dependsOnKey=B), version="2.3")),
    ],
    "kid-duplicate": [(Doc(keys=key(A) + key(A.upper())), Doc(keys=TWO))],
    "depends-on-leaf": [
        (Doc(keys=key(A, dependsOnKey=B) + key(B, dependsOnKey=C) + key(C)), Doc(keys=key(A, dependsOnKey=B) + key(B))),
        (Doc(keys=key(A, dependsOnKey=A)), Doc(keys=key(A, dependsOnKey=B))),
    ],
    "leaf-properties": [
        (
            Doc(keys=key(A, dependsOnKey=B, commonEncryptionScheme="cbcs")),
            Doc(keys=key(A, commonEncryptionScheme="cbcs")),
        ),
        (Doc(keys=key(A, dependsOnKey=B, contentId="x")), Doc(keys=key(A, contentId="x"))),
        (Doc(keys=key(A, "<c:HDCPData/>", dependsOnKey=B)), Doc(keys=key(A, "<c:HDCPData/>"))),
    ],
    "content-id-twice": [(Doc(keys=key(contentId="x"), root='contentId="y"'), Doc(root='contentId="y"'))],
    "version-unknown": [(Doc(version="3.0"), Doc(version="2.3.1"))],
    "iv-length": [
        (Doc(keys=key(explicitIV=b64(bytes(8)))), Doc(keys=key(explicitIV=b64(bytes(16))))),
        (Doc(keys=key(explicitIV="")), Doc()),
    ],
    "scheme-unknown": [
        (Doc(keys=key(commonEncryptionScheme="aes1")), Doc(keys=key(commonEncryptionScheme="cens"))),
        (
            Doc(keys=key(commonEncryptionScheme="SAMPLE-AES"), version="2.3"),
            Doc(keys=key(commonEncryptionScheme="SAMPLE-AES"), version="2.3.1"),
        ),
    ],
    "scheme-mixed": [
        (
            Doc(keys=key(A, commonEncryptionScheme="cenc") + key(B, commonEncryptionScheme="cbcs")),
            Doc(
                keys=key(A, commonEncryptionScheme="cenc", contentId="x")
                + key(B, commonEncryptionScheme="cbcs", contentId="y")
            ),
        )
    ],
    "key-length": [(Doc(keys=key(data=plain(b"abc"))), Doc(keys=key(data=plain(bytes(range(16))))))],
    "key-length-256": [(Doc(keys=key(data=plain(bytes(range(32))))), Doc(keys=key(data=plain(bytes(range(16))))))],
    "secret-namespace": [
        (
            Doc(keys=key(data="<c:Data><c:Secret><c:PlainValue>AAAA</c:PlainValue></c:Secret></c:Data>")),
            Doc(keys=key(data=plain(bytes(range(16))))),
        )
    ],
    "drm-system-kid": [(Doc(systems=system(B)), Doc(systems=system(A.upper())))],
    "drm-system-duplicate": [(Doc(systems=system() + system()), Doc(systems=system() + system(system_id=PR)))],
    "hls-playlist": [
        (
            Doc(systems=system(body=hls(TAG) + hls(TAG, None))),
            Doc(systems=system(body=hls(TAG) + hls(SESSION, "multiVariant"))),
        ),
        (
            Doc(systems=system(body=hls(TAG) + hls(TAG, "variant")), version="2.3"),
            Doc(systems=system(body=hls(TAG, None))),
        ),
    ],
    "hls-text": [
        (Doc(systems=system(body=hls(b"\xef\xbb\xbf" + TAG))), Doc(systems=system(body=hls(TAG)))),
        (Doc(systems=system(body=hls(b"\xff\xfe"))), Doc(systems=system(body=hls("#ü".encode() + TAG)))),
        (
            Doc(systems=system(body="<c:HLSSignalingData>#EXT</c:HLSSignalingData>")),
            Doc(systems=system(body="<c:HLSSignalingData/>")),
        ),
    ],
    "hls-tag": [(Doc(systems=system(body=hls(SESSION))), Doc(systems=system(body=hls(SESSION, "multiVariant"))))],
    "hls-method": [
        (
            Doc(keys=key(commonEncryptionScheme="cbcs"), systems=system(body=hls(TAG))),
            Doc(keys=key(commonEncryptionScheme="cenc"), systems=system(body=hls(TAG))),
        ),
        (
            Doc(
                keys=key(commonEncryptionScheme="cenc"),
                systems=system(body=hls(TAG + b"\n#EXT-X-KEY:METHOD=SAMPLE-AES")),
            ),
            Doc(keys=key(commonEncryptionScheme="cbc1"), systems=system(body=hls(b"#EXT-X-KEY:URI=x,METHOD=AES-128"))),
        ),
    ],
    "protection-data-xml": [
        (Doc(systems=system(body=cpd(b"<open>"))), Doc(systems=system(body=cpd(b"<a/><b/>")))),
        (Doc(systems=system(body=cpd(b"\xef\xbb\xbf<a/>"))), Doc(systems=system(body=cpd(b"<a/>")))),
        (Doc(systems=system(body=cpd(b"<x:a/>"))), Doc(systems=system(body=cpd(b'<x:a xmlns:x="urn:x"/>')))),
        (Doc(systems=system(body=cpd(b"text"))), Doc(systems=system(body="<c:ContentProtectionData/>"))),
        (Doc(systems=system(body=cpd(b"\xff"))), Doc(systems=system(body=cpd("<a>ü</a>".encode())))),
        (Doc(systems=system(body="<c:ContentProtectionData>@</c:ContentProtectionData>")), Doc()),
        (
            Doc(
                keys=key(
                    data=f"<c:HDCPData><c:HDCPOutputProtectionData>{b64(b'<')}</c:HDCPOutputProtectionData></c:HDCPData>"
                )
            ),
            Doc(
                keys=key(
                    data=f"<c:HDCPData><c:HDCPOutputProtectionData>{b64(b'<a/>')}</c:HDCPOutputProtectionData></c:HDCPData>"
                )
            ),
        ),
    ],
    "leaf-signaling": [
        (Doc(keys=key(dependsOnKey=B), systems=system(body=hls(TAG))), Doc(systems=system(body=hls(TAG)))),
        (
            Doc(keys=key(dependsOnKey=B), systems=system(body=cpd(b"<a/>"))),
            Doc(keys=key(dependsOnKey=B), systems=system(body=pssh(WV_BOX))),
        ),
        (Doc(keys=key(dependsOnKey=B), systems=system(HLSAllowedCPC="a:b")), Doc(systems=system(HLSAllowedCPC="a:b"))),
        (
            Doc(keys=key(A, dependsOnKey=B), systems=system(body="<c:SmoothStreamingProtectionHeaderData/>")),
            Doc(
                keys=key(A, dependsOnKey=B) + key(B), systems=system(B, body="<c:SmoothStreamingProtectionHeaderData/>")
            ),
        ),
    ],
    "fairplay-scheme": [
        (
            Doc(keys=key(commonEncryptionScheme="cenc"), systems=system(system_id=FP)),
            Doc(keys=key(commonEncryptionScheme="cbcs"), systems=system(system_id=FP)),
        )
    ],
    "smooth-text": [
        (
            Doc(
                systems=system(
                    body=f"<c:SmoothStreamingProtectionHeaderData>{b64(b64(PR_BOX.data).encode())}</c:SmoothStreamingProtectionHeaderData>"
                )
            ),
            Doc(
                systems=system(
                    body=f"<c:SmoothStreamingProtectionHeaderData>{b64(PR_BOX.data)}</c:SmoothStreamingProtectionHeaderData>"
                )
            ),
        )
    ],
    "allowed-cpc": [
        (
            Doc(systems=system(HLSAllowedCPC="&quot;x&quot;")),
            Doc(systems=system(HLSAllowedCPC="com.example.drm:SMART/PC")),
        ),
        (
            Doc(systems=system(body='<c:HLSSignalingData allowedCPC="x"/>')),
            Doc(systems=system(body='<c:HLSSignalingData allowedCPC="x:y,z:"/>')),
        ),
    ],
    "pssh-malformed": [
        (Doc(systems=system(body=pssh(WV_BOX[:-1]))), Doc(systems=system(body=pssh(WV_BOX)))),
        (Doc(systems=system(body="<c:PSSH>@@</c:PSSH>")), Doc(systems=system(body="<c:PSSH/>"))),
        (
            Doc(systems=system(system_id=PR, body=pssh(PR_BOX.to_bytes()[:-2] + b"xx"))),
            Doc(systems=system(system_id=PR, body=pssh(PR_BOX.to_bytes()))),
        ),
    ],
    "pssh-system": [
        (Doc(systems=system(system_id=PR, body=pssh(WV_BOX))), Doc(systems=system(body=pssh(WV_BOX)))),
        (
            Doc(systems=system(body=pssh(EMPTY_PR_BOX))),
            Doc(systems=system(system_id=PR, body=pssh(EMPTY_PR_BOX))),
        ),
    ],
    "pssh-key": [
        (Doc(keys=TWO, systems=system(B, body=pssh(WV_BOX))), Doc(keys=TWO, systems=system(A, body=pssh(WV_BOX)))),
        (
            Doc(keys=TWO, systems=system(B, PR, pssh(PR_BOX.to_bytes()))),
            Doc(systems=system(A, PR, pssh(PR_BOX.to_bytes()))),
        ),
        (
            Doc(keys=key(C), systems=system(C, body=pssh(widevine.pssh_box([KID, KeyId.from_uuid(B)]).to_bytes()))),
            Doc(systems=system(A, body=pssh(widevine.pssh_box([KID, KeyId.from_uuid(B)]).to_bytes()))),
        ),
    ],
    "pssh-scheme": [
        (
            Doc(keys=key(commonEncryptionScheme="cbcs"), systems=system(body=pssh(WV_BOX))),
            Doc(keys=key(commonEncryptionScheme="cenc"), systems=system(body=pssh(WV_BOX))),
        ),
        (
            Doc(keys=key(commonEncryptionScheme="cbcs"), systems=system(system_id=PR, body=pssh(PR_BOX.to_bytes()))),
            Doc(keys=key(commonEncryptionScheme="cens"), systems=system(system_id=PR, body=pssh(PR_BOX.to_bytes()))),
        ),
        (
            Doc(keys=key(A, dependsOnKey=B) + key(B, commonEncryptionScheme="cbcs"), systems=system(body=pssh(WV_BOX))),
            Doc(keys=key(A, dependsOnKey=B) + key(B, commonEncryptionScheme="cenc"), systems=system(body=pssh(WV_BOX))),
        ),
        (
            Doc(keys=key(commonEncryptionScheme="SAMPLE-AES"), systems=system(body=pssh(WV_BOX))),
            Doc(keys=key(commonEncryptionScheme="SAMPLE-AES-CTR"), systems=system(body=pssh(WV_BOX))),
        ),
    ],
    "pssh-mpd": [
        (
            Doc(systems=system(body=pssh(widevine.pssh_box([KID], None).to_bytes()) + cpd(MPD))),
            Doc(systems=system(body=pssh(WV_BOX) + cpd(MPD))),
        ),
        (Doc(systems=system(system_id=FP, body=cpd(MPD))), Doc(systems=system(body=cpd(MPD)))),
        (
            Doc(systems=system(body=cpd(b'<pssh xmlns="urn:mpeg:cenc:2013">AAAA</pssh>'))),
            Doc(
                systems=system(
                    body=pssh(WV_BOX) + cpd(MPD.replace(b64(WV_BOX)[:20].encode(), b64(WV_BOX)[:20].encode() + b"\n "))
                )
            ),
        ),
    ],
    "period-attributes": [
        (
            Doc(periods=period(start="2020-01-01T00:00:00Z")),
            Doc(periods=period(start="2020-01-01T00:00:00Z", duration="PT1H")),
        ),
        (
            Doc(periods=period(startOffset="PT0S", end="2020-01-01T00:00:00Z")),
            Doc(periods=period(startOffset="PT0S", endOffset="PT1H")),
        ),
        (
            Doc(periods=period(index="1", start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z"), version="2.3"),
            Doc(periods=period(index="1", start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z")),
        ),
        (Doc(periods=period(id="p")), Doc(periods=period(label="p"))),
    ],
    "period-empty": [
        (
            Doc(periods=period(start="2020-01-02T00:00:00Z", end="2020-01-01T00:00:00Z")),
            Doc(periods=period(start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00+00:00")),
        ),
        (
            Doc(periods=period(startOffset="PT1H", endOffset="PT1H")),
            Doc(periods=period(startOffset="PT1H", duration="PT1S")),
        ),
    ],
    "period-index": [
        (Doc(periods=period(index="2") + period(index="2")), Doc(periods=period(index="2") + period(index="3"))),
        (Doc(periods=period(index="-1")), Doc(periods=period(index="0"))),
        (
            Doc(periods=period(index="5") + period(index="3")),
            Doc(periods=period(index=str(MAX_UINT32)) + period(index="0")),
        ),
    ],
    "period-overlap": [
        (
            Doc(
                periods=period(id="a", startOffset="PT0S", endOffset="PT2H")
                + period(id="b", startOffset="PT1H", endOffset="PT3H"),
                rules=rule(body='<c:KeyPeriodFilter periodId="a"/>') + rule(body='<c:KeyPeriodFilter periodId="b"/>'),
            ),
            Doc(
                keys=TWO,
                periods=period(id="a", startOffset="PT0S", endOffset="PT2H")
                + period(id="b", startOffset="PT2H", endOffset="PT3H"),
                rules=rule(A, '<c:KeyPeriodFilter periodId="a"/>') + rule(B, '<c:KeyPeriodFilter periodId="b"/>'),
            ),
        ),
        (
            # The last one starts after the one before it has ended, but not after the first.
            Doc(
                periods=period(id="a", startOffset="PT0S", endOffset="PT9H")
                + period(id="b", startOffset="PT9H", endOffset="PT9H")
                + period(id="c", startOffset="PT5H", endOffset="PT6H"),
                rules=rule(body='<c:KeyPeriodFilter periodId="a"/><c:KeyPeriodFilter periodId="c"/>'),
            ),
            Doc(
                periods=period(id="a", startOffset="PT0S", endOffset="PT9H")
                + period(id="c", start="2026-01-01T05:00:00Z", end="2026-01-01T06:00:00Z"),
                rules=rule(body='<c:KeyPeriodFilter periodId="a"/><c:KeyPeriodFilter periodId="c"/>'),
            ),
        ),
    ],
    "period-per-key": [
        (
            Doc(
                periods=period(id="a", index="1") + period(id="b", index="2"),
                rules=rule(body='<c:KeyPeriodFilter periodId="a"/><c:KeyPeriodFilter periodId="b"/>'),
            ),
            Doc(periods=period(id="a", index="1"), rules=rule(body='<c:KeyPeriodFilter periodId="a"/>')),
        )
    ],
    "rule-key": [(Doc(rules=rule(B)), Doc(rules=rule(A)))],
    "rule-root-key": [
        (
            Doc(keys=key(A, dependsOnKey=B) + key(B), rules=rule(B)),
            Doc(keys=key(A, dependsOnKey=B) + key(B), rules=rule(A)),
        )
    ],
    "period-unresolved": [
        (
            Doc(rules=rule(body='<c:KeyPeriodFilter periodId="p"/>')),
            Doc(periods=period(id="p", index="1"), rules=rule(body='<c:KeyPeriodFilter periodId=" p "/>')),
        )
    ],
    "filter-unknown": [
        (Doc(rules=rule(body='<o:x xmlns:o="urn:o"/>')), Doc(rules=rule(body="<!-- note --><c:AudioFilter/>")))
    ],
    "filter-bounds": [
        (
            Doc(rules=rule(body='<c:VideoFilter minPixels="2" maxPixels="1"/>')),
            Doc(rules=rule(body='<c:VideoFilter minPixels="1" maxPixels="1"/>')),
        ),
        (
            Doc(rules=rule(body='<c:VideoFilter minFps="30" maxFps="30"/>')),
            Doc(rules=rule(body='<c:VideoFilter minFps="29" maxFps="30"/>')),
        ),
        (
            Doc(rules=rule(body='<c:AudioFilter maxChannels="-1"/>')),
            Doc(rules=rule(body='<c:AudioFilter maxChannels="0"/>')),
        ),
    ],
    "bitrate-bounds": [
        (Doc(rules=rule(body="<c:BitrateFilter/>")), Doc(rules=rule(body='<c:BitrateFilter minBitrate="1"/>')))
    ],
    "rule-never-matches": [
        (Doc(rules=rule(body="<c:VideoFilter/><c:AudioFilter/>")), Doc(rules=rule(body="<c:VideoFilter/>")))
    ],
    "rule-overlap": [
        (
            Doc(
                keys=TWO,
                periods=period(id="a", startOffset="PT0S", endOffset="PT2H")
                + period(id="b", startOffset="PT1H", endOffset="PT3H"),
                rules=rule(A, '<c:KeyPeriodFilter periodId="a"/>') + rule(B, '<c:KeyPeriodFilter periodId="b"/>'),
            ),
            Doc(
                keys=TWO,
                periods=period(id="a", startOffset="PT0S", endOffset="PT2H")
                + period(id="b", startOffset="PT2H", endOffset="PT3H"),
                rules=rule(A, '<c:KeyPeriodFilter periodId="a"/>') + rule(B, '<c:KeyPeriodFilter periodId="b"/>'),
            ),
        ),
        (
            Doc(
                keys=TWO,
                rules=rule(A, f'<c:VideoFilter minFps="{LONG}" maxFps="{LONG}9"/>')
                + rule(B, f'<c:VideoFilter maxFps="{LONG}1"/>'),
            ),
            Doc(
                keys=TWO,
                rules=rule(A, f'<c:VideoFilter minFps="{LONG}" maxFps="{LONG}9"/>')
                + rule(B, f'<c:VideoFilter maxFps="{LONG}"/>'),
            ),
        ),
        (
            Doc(keys=TWO, rules=RULE_A_HD + rule(B, '<c:VideoFilter maxPixels="101"/>')),
            Doc(keys=TWO, rules=RULE_A_HD + RULE_B_SD),
        ),
        (
            Doc(keys=TWO, rules=rule(A) + rule(B)),
            Doc(keys=TWO, rules=rule(A, intendedTrackType="SD") + rule(B, intendedTrackType="HD")),
        ),
        (
            Doc(
                keys=TWO,
                rules=rule(A, '<c:LabelFilter label="x"/>')
                + rule(B, '<c:LabelFilter label="y"/><c:LabelFilter label="x"/>'),
            ),
            Doc(keys=TWO, rules=rule(A, '<c:LabelFilter label="x"/>') + rule(B, '<c:LabelFilter label="y"/>')),
        ),
        (
            Doc(
                keys=TWO,
                rules=rule(A, '<c:VideoFilter minFps="30"/>') + rule(B, '<c:VideoFilter minFps="10" maxFps="31"/>'),
            ),
            Doc(keys=TWO, rules=rule(A, '<c:VideoFilter minFps="30"/>') + rule(B, '<c:VideoFilter maxFps="30"/>')),
        ),
        (
            Doc(keys=TWO, rules=rule(A, "<c:AudioFilter/>") + rule(B, '<c:BitrateFilter minBitrate="5"/>')),
            Doc(
                keys=TWO,
                rules=rule(A, '<c:BitrateFilter maxBitrate="4"/>') + rule(B, '<c:BitrateFilter minBitrate="5"/>'),
            ),
        ),
        (
            Doc(keys=TWO, rules=rule(A, '<c:LabelFilter label="x"/>') + rule(B, "<c:VideoFilter/>")),
            Doc(keys=TWO, rules=rule(A, "<c:AudioFilter/>") + rule(B, '<c:VideoFilter hdr="true"/>')),
        ),
        (
            Doc(keys=TWO, rules=rule(B, "<c:VideoFilter/>") + rule(A, '<c:LabelFilter label="x"/>')),
            Doc(keys=TWO, rules=rule(A, '<c:VideoFilter hdr="false"/>') + rule(B, '<c:VideoFilter hdr="true"/>')),
        ),
        (
            Doc(
                keys=TWO,
                periods=period(id="p", index="1"),
                rules=rule(A, '<c:KeyPeriodFilter periodId="p"/>') + rule(B),
            ),
            Doc(
                keys=TWO,
                periods=period(id="p", index="1") + period(id="q", index="2"),
                rules=rule(A, '<c:KeyPeriodFilter periodId="p"/>') + rule(B, '<c:KeyPeriodFilter periodId="q"/>'),
            ),
        ),
    ],
    "recipient-certificate": [(Doc(recipients=recipient(None)), Doc(recipients=recipient()))],
    "key-clear-among-encrypted": [
        (
            Doc(keys=key(A, encrypted()) + key(B, plain(bytes(range(16)))), recipients=recipient()),
            Doc(keys=key(A, encrypted()) + key(B), recipients=recipient()),
        )
    ],
    "encrypted-without-recipient": [
        (Doc(keys=key(data=encrypted())), Doc(keys=key(data=encrypted()), recipients=recipient()))
    ],
    "document-key-missing": [
        (
            Doc(keys=key(data=encrypted()), recipients=recipient(keys="<c:DocumentKey><c:Data/></c:DocumentKey>")),
            Doc(recipients=recipient(keys="<c:DocumentKey><c:Data/></c:DocumentKey>")),
        )
    ],
    "document-key-clear": [
        (Doc(recipients=recipient(keys=document_key(data=plain(bytes(32))))), Doc(recipients=recipient()))
    ],
    "encrypts-key-missing": [
        (
            Doc(keys=TWO, recipients=recipient(keys=document_key(A) + document_key())),
            Doc(keys=TWO, recipients=recipient(keys=document_key(A) + document_key(B))),
        )
    ],
    "encrypts-key-unknown": [
        (Doc(recipients=recipient(keys=document_key(B))), Doc(recipients=recipient(keys=document_key(A.upper()))))
    ],
    "encrypts-key-twice": [
        (
            Doc(recipients=recipient(keys=document_key(A) + document_key(A))),
            Doc(recipients=recipient(keys=document_key(A)) + recipient(keys=document_key(A))),
        )
    ],
    "encryption-algorithm": [
        (
            Doc(keys=key(data=encrypted(algorithm="urn:x")), recipients=recipient()),
            Doc(keys=key(data=encrypted()), recipients=recipient()),
        ),
        (Doc(keys=key(data=encrypted(40, AES.replace("aes256-cbc", "kw-aes256"))), recipients=recipient()), Doc()),
        (Doc(recipients=recipient(keys=document_key(algorithm="urn:x"))), Doc(recipients=recipient())),
        (Doc(recipients=recipient(mac="urn:x")), Doc(recipients=recipient(mac=None))),
        (Doc(recipients=recipient(mac_key="urn:x")), Doc(recipients=recipient())),
    ],
    "mac-missing": [
        (
            Doc(keys=key(data=encrypted(mac=None)), recipients=recipient()),
            Doc(keys=key(data=encrypted()), recipients=recipient()),
        )
    ],
    "mac-method-missing": [
        (
            Doc(keys=key(data=encrypted()), recipients=recipient() + recipient(mac=None)),
            Doc(keys=key(data=encrypted()), recipients=recipient()),
        ),
        (Doc(keys=key(data=encrypted()), recipients=recipient(mac_key="")), Doc(recipients=recipient(mac_key=""))),
    ],
    "mac-length": [
        (
            Doc(keys=key(data=encrypted(mac=32)), recipients=recipient()),
            Doc(keys=key(data=encrypted()), recipients=recipient()),
        )
    ],
    "cipher-length": [
        (
            Doc(keys=key(data=encrypted(47)), recipients=recipient()),
            Doc(keys=key(data=encrypted(64)), recipients=recipient()),
        ),
        (Doc(keys=key(data=encrypted(32)), recipients=recipient()), Doc()),
    ],
    "signature-certificate": [(Doc(signatures=signature(certificate=False)), Doc(signatures=signature()))],
    "signature-reference": [
        (Doc(signatures=signature("#nothing")), Doc(root='id="doc"', signatures=signature("#doc")))
    ],
    "signature-algorithm": [
        (Doc(signatures=signature(method="urn:x")), Doc(signatures=signature())),
        (Doc(signatures=signature(digest="urn:x")), Doc(signatures=signature())),
    ],
    "signature-canonicalization": [(Doc(signatures=signature(c14n="urn:x")), Doc(signatures=signature()))],
    "update-version-unknown": [
        (
            Doc(systems=system(updateVersion="2"), history=update("1")),
            Doc(systems=system(updateVersion="1"), history=update("1")),
        ),
        (Doc(systems=system(updateVersion="1")), Doc(systems=system())),
    ],
    "update-index": [
        (Doc(history=update("2")), Doc(history=update("1") + update("2", "2"))),
        (Doc(history=update("1") + update("1", "2")), Doc(history=update("1") + update("5", "2"))),
        (Doc(history=update("first")), Doc(history=update(" 1 "))),
    ],
    "key-clear": [(Doc(keys=key(data=plain(bytes(range(16))))), Doc())],
    "key-repeated": [
        (
            Doc(keys=key(A, plain(bytes(range(16)))) + key(B, plain(bytes(range(16))))),
            Doc(keys=key(A, plain(bytes(range(16)))) + key(B, plain(bytes(range(1, 17))))),
        )
    ],
    "key-is-kid": [(Doc(keys=key(data=plain(KID.raw))), Doc(keys=key(data=plain(bytes(range(16))))))],
    "key-is-iv": [
        (
            Doc(keys=key(data=plain(bytes(range(16))), explicitIV=b64(bytes(range(16))))),
            Doc(keys=key(data=plain(bytes(range(16))), explicitIV=b64(bytes(16)))),
        )
    ],
    "key-constant": [
        (Doc(keys=key(data=plain(bytes(16)))), Doc(keys=key(data=plain(bytes(range(16)))))),
        (Doc(keys=key(data=plain(b"\xaa" * 16))), Doc()),
    ],
    "mac-absent": [
        (
            Doc(keys=key(data=encrypted(mac=None)), recipients=recipient(mac=None)),
            Doc(keys=key(data=encrypted()), recipients=recipient()),
        )
    ],
    "certificate-malformed": [(Doc(recipients=recipient(b"no certificate")), Doc(recipients=recipient(GOOD_CERT)))],
    "certificate-key": [
        (Doc(recipients=recipient(certificate(2048))), Doc(recipients=recipient(GOOD_CERT) + recipient(certificate(0))))
    ],
    "certificate-expired": [
        (Doc(recipients=recipient(certificate(0, days=-1))), Doc(recipients=recipient(GOOD_CERT))),
        (Doc(recipients=recipient(certificate(0, start=5))), Doc(recipients=recipient(GOOD_CERT))),
    ],
}
FLAT = [(name, number) for name, pairs in CASES.items() for number in range(len(pairs))]


@pytest.mark.parametrize(("name", "number"), FLAT)
def test_a_rule_finds_its_fault_and_leaves_the_twin_alone(name: str, number: int) -> None:
    """The faulty document has a finding of the rule, with its place, hint and clause; the benign twin has none."""
    faulty, benign = CASES[name][number]
    findings = [f for f in cpix.validate(faulty.data(), now=NOW).findings if f.rule == name]
    assert findings, [str(f) for f in cpix.validate(faulty.data(), now=NOW).findings]
    entry = next(r for r in all_rules() if r.id == name)
    for finding in findings:
        assert finding.kind == entry.kind
        assert finding.line >= 1
        assert finding.path.startswith("/CPIX")
        assert finding.message
        assert finding.hint
        assert finding.source
    assert name not in {f.rule for f in cpix.validate(benign.data(), now=NOW).findings}


def test_every_rule_of_the_catalog_has_a_sample() -> None:
    """No rule is without a faulty sample and a benign twin (certificate-sha1 has the vectors of DASH-IF)."""
    assert {rule.id for rule in all_rules()} == {*CASES, "certificate-sha1"}


def test_the_weak_certificates_of_the_vectors_are_named(shared: Path) -> None:
    """DASH-IF's weak certificates are found weak, and one of the others is not."""
    folder = shared / "corpus" / "certs"
    found = {}
    for name in ("WeakCert_Sha1", "WeakCert_SmallKey", "Cert1"):
        data = Doc(recipients=recipient((folder / f"dashif-tv__{name}.cer").read_bytes())).data()
        found[name] = {f.rule for f in cpix.validate(data, now=NOW).findings if f.kind == "security"}
    assert found == {"WeakCert_Sha1": {"certificate-sha1"}, "WeakCert_SmallKey": {"certificate-key"}, "Cert1": set()}


def test_certificates_with_strange_algorithms_are_no_obstacle() -> None:
    """A certificate whose key and signature algorithms nobody knows raises nothing, and its dates are still checked."""
    rsa_oid, sha256_oid = bytes.fromhex("2a864886f70d010101"), bytes.fromhex("2a864886f70d01010b")
    odd = (
        certificate(2048, days=-1)
        .replace(rsa_oid, rsa_oid[:-1] + b"\x7b")
        .replace(sha256_oid, sha256_oid[:-1] + b"\x7b")
    )
    found = {
        f.rule for f in cpix.validate(Doc(recipients=recipient(odd)).data(), now=NOW).findings if f.kind == "security"
    }
    assert found == {"certificate-expired"}


def test_errors_make_a_document_invalid_and_warnings_do_not() -> None:
    """A document with warnings only is valid; with one error it is not, and `check` raises, naming it."""
    warned = cpix.validate(Doc(keys=key(data=plain(bytes(range(16))))).data())
    assert [f.severity for f in warned.findings] == ["warning"]
    assert warned.valid
    refused = cpix.validate(Doc(systems=system(B)).data())
    assert not refused.valid
    with pytest.raises(InvalidDocumentError, match="drm-system-kid"):
        cpix.check(Doc(systems=system(B)).data())


def test_a_collision_by_label_only_is_a_warning() -> None:
    """Rules that only a track with a certain label would match together are warned of; sure collisions are errors."""
    docs = [doc for doc, _ in CASES["rule-overlap"]]
    severities = [[f.severity for f in cpix.validate(d.data()).findings if f.rule == "rule-overlap"] for d in docs]
    assert severities == [*[["error"]] * 7, ["warning"], ["warning"], ["error"]]


def test_findings_stand_in_the_order_of_lines() -> None:
    """Findings of all kinds are sorted by the line that they are about."""
    data = Doc(keys=f"\n{key(A, plain(bytes(16)))}\n{key(A)}\n", systems=f"\n{system(B)}\n").data()
    lines = [f.line for f in cpix.validate(data).findings]
    assert lines == sorted(lines)
    assert len(set(lines)) > 1


def test_no_finding_shows_a_secret() -> None:
    """Findings about keys never hold the key, in any encoding."""
    secret = bytes(range(0x41, 0x51))
    data = Doc(
        keys=key(A, plain(secret), explicitIV=b64(secret)) + key(B, plain(secret)) + key(C, plain(secret + b"x"))
    ).data()
    text = repr(cpix.validate(data))
    assert "key-repeated" in text
    assert not [form for form in (b64(secret), b64(secret + b"x"), secret.hex(), secret.decode()) if form in text]


def test_boxes_of_one_make_are_compared_one_by_one() -> None:
    """Among many boxes of the same make, the one with a wrong key is found, whatever stands before it."""
    kids = [KeyId(struct.pack(">QQ", 1, number)) for number in range(20)]
    boxes = {kid: playready.pssh_box([kid], "cenc", keys={kid: kid.raw}).to_bytes() for kid in kids}
    wrong = kids[7]
    systems = [system(str(k), PR, pssh(boxes[kids[3] if k == wrong else k])) for k in kids]
    systems += [system(str(k), DrmSystem.COMMON.system_id, pssh(common.pssh_box([k]).to_bytes())) for k in kids]
    data = Doc(keys="".join(key(str(k)) for k in kids), systems="".join(systems)).data()
    findings = [f for f in cpix.validate(data).findings if f.rule.startswith("pssh")]
    assert [(f.rule, str(wrong) in f.message) for f in findings] == [("pssh-key", True)]


def test_overlaps_of_many_rules_are_found_in_passing() -> None:
    """A thousand rules over periods and labels are compared without comparing each with each; the odd one is found."""
    kids = [str(KeyId(struct.pack(">QQ", 2, number))) for number in range(1000)]
    rules = [rule(k, f'<c:LabelFilter label="l{n}"/><c:VideoFilter/>') for n, k in enumerate(kids)]
    rules.append(rule(kids[5], '<c:LabelFilter label="l900"/>'))
    data = Doc(keys="".join(map(key, kids)), rules="".join(rules)).data()
    findings = [f for f in cpix.validate(data).findings if f.rule == "rule-overlap"]
    assert len(findings) == 1
    assert kids[900] in findings[0].message


def test_all_periods_that_one_long_period_covers_are_named() -> None:
    """Every period that starts while another one of its key runs is named, not only the next."""
    hours = {"long": ("00", "23"), "first": ("01", "02"), "second": ("05", "06")}
    periods = "".join(
        period(id=name, start=f"2026-01-01T{start}:00:00Z", end=f"2026-01-01T{end}:00:00Z")
        for name, (start, end) in hours.items()
    )
    filters = "".join(f'<c:KeyPeriodFilter periodId="{name}"/>' for name in hours)
    report = cpix.validate(Doc(periods=periods, rules=rule(body=filters)).data(), now=NOW)
    found = [finding.message for finding in report.findings if finding.rule == "period-overlap"]
    assert ["'first'" in found[0], "'second'" in found[1]] == [True, True]
    assert all("before 'long' has ended" in message for message in found)
