"""A key provider as somebody else would write it: of its own code, and with habits of its own.

It reads and writes with the standard library's XML, indents, comments, moves lists and elements to other places, wraps
base64 into lines, writes IDs in capital letters and times in another zone, and signals in its own words: Widevine
boxes of version 1 with a provider, PlayReady headers with license URLs and attributes in another order, license
servers in key URIs, `ContentProtection` with prefixes of its own. Its keys are hashes. Only which requests to refuse,
and how keys are encrypted, is left to drmkit.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import textwrap
from uuid import UUID
from xml.dom import minidom
from xml.etree import ElementTree as ET

import httpx

from drmkit import cpix
from drmkit.cpix.encryption import encrypt
from drmkit.errors import DrmkitError
from drmkit.speke.contract import Refusal, check_header, first_refusal
from drmkit.speke.reading import Reading

CPIX = "{urn:dashif:org:cpix}"
PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
WIDEVINE = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
PLAYREADY = "9a04f079-9840-4286-ab92-e65be0885f95"
FAIRPLAY = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2"
WRM = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"
XML = {"Content-Type": 'Application/XML; Charset="UTF-8"', "X-Speke-User-Agent": "Somebody else/0.1"}


def answer(request: httpx.Request) -> httpx.Response:
    """Answer one HTTP request."""
    stated = request.headers.get("X-Speke-Version")
    version = check_header(stated)
    if isinstance(version, Refusal):
        return _refuse(version.text)
    try:
        document = cpix.parse(request.content)
        refusal = first_refusal(Reading(document, version))
    except DrmkitError:
        return httpx.Response(400, text="cannot read this", headers=XML)
    if refusal is not None:
        return _refuse(refusal.text)
    root = ET.fromstring(request.content, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    schemes = _fill_keys(root)
    for system in root.iter(f"{CPIX}DRMSystem"):
        _fill_system(system, schemes[system.attrib["kid"].lower()])
    body = ET.tostring(root)
    filled = cpix.parse(body)
    if len(filled.recipients):
        body = encrypt(filled, allow_weak=True).to_xml()
    headers = {**XML, **({"X-Speke-Version": f" {stated} "} if stated else {})}
    return httpx.Response(200, content=_restyled(body), headers=headers)


def _refuse(text: str) -> httpx.Response:
    return httpx.Response(422, text=f"{text}\r\n", headers={"Content-Type": "text/plain"})


def key_of(kid: str) -> bytes:
    """The content key of a key ID."""
    return hashlib.sha256(b"somebody else's secret" + UUID(kid).bytes).digest()[:16]


def _fill_keys(root: ET.Element) -> dict[str, str]:
    schemes = {}
    for key in root.iter(f"{CPIX}ContentKey"):
        kid = key.attrib["kid"].lower()
        schemes[kid] = key.get("commonEncryptionScheme", "")
        if key.get("explicitIV") == "":
            key.set("explicitIV", _b64(key_of(kid)[::-1]))
        for hdcp in key.iter(f"{CPIX}HDCPData"):
            hdcp.set("HLSHDCPLevel", "TYPE-1")
        secret = ET.SubElement(ET.SubElement(key, f"{CPIX}Data"), f"{PSKC}Secret")
        ET.SubElement(secret, f"{PSKC}PlainValue").text = _b64(key_of(kid))
    return schemes


def _fill_system(system: ET.Element, scheme: str) -> None:
    kid, system_id = system.attrib["kid"].lower(), system.attrib["systemId"].lower()
    is_cbc = scheme in {"cbcs", "cbc1", "SAMPLE-AES"}
    made = {WIDEVINE: _widevine, PLAYREADY: _playready}.get(system_id)
    box = b"" if made is None else made(kid, is_cbc)
    for name in ("HLSAllowedCPC",):
        if system.get(name) == "":
            system.set(name, "com.example:HIGH")
    for child in system:
        if child.get("robustness") == "":
            child.set("robustness", "HW_SECURE_ALL")
        if (child.text or "").strip() or child.tag is ET.Comment:
            continue
        name = str(child.tag).removeprefix(CPIX)
        if name == "PSSH" and box:
            child.text = _b64(box)
        elif name == "ContentProtectionData":
            child.text = _b64(_dash(system_id, box).encode())
        elif name == "HLSSignalingData":
            child.text = _b64(_tag(kid, system_id, is_cbc, box, child.get("playlist") or "media").encode())
        elif name == "SmoothStreamingProtectionHeaderData":
            child.text = _b64(_data(box))


def _widevine(kid: str, is_cbc: bool) -> bytes:
    raw = UUID(kid).bytes
    fourcc = b"cbcs" if is_cbc else b"cenc"
    scheme = bytes(byte | 0x80 for byte in _sevens(int.from_bytes(fourcc, "big"))[:-1])
    last = _sevens(int.from_bytes(fourcc, "big"))[-1:]
    data = b"\x48" + scheme + last + b"\x12\x10" + raw + b"\x1a\x04else" + b"\x22\x02id" + b"\x7a\x01x"
    return _box(WIDEVINE, data, [raw])


def _sevens(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in range(0, 35, 7))


def _playready(kid: str, is_cbc: bool) -> bytes:
    guid = _b64(UUID(kid).bytes_le)
    algorithm = "AESCBC" if is_cbc else "AESCTR"
    header = (
        f"<WRMHEADER version='4.3.0.0' xmlns='{WRM}'>\n <DATA>\n  <LA_URL>https://else.example/rm?a=1&amp;b=2</LA_URL>"
        f"<CUSTOMATTRIBUTES xmlns=''><made>by hand</made></CUSTOMATTRIBUTES>\n  <PROTECTINFO><KIDS>"
        f"<KID VALUE='{guid}' ALGID='{algorithm}'/></KIDS></PROTECTINFO>\n </DATA>\n</WRMHEADER>"
    ).encode("utf-16-le")
    records = struct.pack("<HH", 1, len(header)) + header + struct.pack("<HH", 3, 64) + bytes(64)
    return _box(PLAYREADY, struct.pack("<IH", len(records) + 6, 2) + records, [])


def _box(system_id: str, data: bytes, kids: list[bytes]) -> bytes:
    listed = struct.pack(">I", len(kids)) + b"".join(kids) if kids else b""
    body = struct.pack(">I", bool(kids) << 24) + UUID(system_id).bytes + listed + struct.pack(">I", len(data)) + data
    return struct.pack(">I4s", len(body) + 8, b"pssh") + body


def _data(box: bytes) -> bytes:
    return box[32:]


def _dash(system_id: str, box: bytes) -> str:
    inner = f"<pssh xmlns='urn:mpeg:cenc:2013'>\n{_wrapped(box)}\n</pssh>"
    if system_id == PLAYREADY:
        inner += "<p:IsEncrypted xmlns:p='urn:microsoft:playready'>1</p:IsEncrypted>\n"
        inner += f"<p:pro xmlns:p='urn:microsoft:playready'>{_wrapped(_data(box))}</p:pro>"
    return f"<!-- somebody else -->{inner}"


def _tag(kid: str, system_id: str, is_cbc: bool, box: bytes, playlist: str) -> str:
    name = "EXT-X-KEY" if playlist == "media" else "EXT-X-SESSION-KEY"
    method = "SAMPLE-AES" if is_cbc else "SAMPLE-AES-CTR"
    if system_id == FAIRPLAY:
        uri, keyformat = f"SKD://else.example/fps?kid={kid.upper()}", "com.apple.streamingkeydelivery"
    elif system_id == WIDEVINE:
        uri, keyformat = f"data:application/octet-stream;BASE64,{_b64(box)}", f"URN:UUID:{WIDEVINE.upper()}"
    else:
        uri, keyformat = f"data:text/plain;charset=UTF-16;base64,{_b64(_data(box))}", "com.microsoft.playready"
    return f'#{name}:METHOD={method},KEYFORMAT="{keyformat}",KEYFORMATVERSIONS="1",URI="{uri}"\r\n'


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _wrapped(raw: bytes) -> str:
    return "\n".join(textwrap.wrap(_b64(raw), 64))


def _restyled(body: bytes) -> bytes:
    """Write a document with other prefixes, indented, commented, its lists turned round and its IDs in capitals."""
    root = ET.fromstring(body, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    root[:] = list(reversed(root))
    for element in root.iter():
        for name in ("kid", "systemId"):
            if name in element.attrib and isinstance(element.tag, str):
                element.attrib[name] = element.attrib[name].upper()
        if element.tag == f"{CPIX}DRMSystem":
            element[:] = list(reversed(element))
        for name in ("start", "end"):
            if element.tag == f"{CPIX}ContentKeyPeriod" and element.get(name, "").endswith("Z"):
                element.attrib[name] = element.attrib[name].removesuffix("Z") + "+00:00"
        if not len(element) and element.text and len(element.text) > 64 and isinstance(element.tag, str):
            element.text = "\n" + "\n".join(textwrap.wrap(element.text, 60)) + "\n"
    root.insert(0, ET.Comment(" made somewhere else "))
    text = minidom.parseString(ET.tostring(root)).toprettyxml(indent="   ", newl="\r\n")
    return text.replace('<?xml version="1.0" ?>', '<?xml version="1.0" standalone="yes"?>').encode()
