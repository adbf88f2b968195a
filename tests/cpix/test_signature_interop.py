"""The program xmlsec1 verifies what drmkit signs, and drmkit verifies what xmlsec1 signs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signers import KIDS, Pair, clear_document, encrypted_document, pair

from drmkit import cpix
from drmkit.cpix.schema import CPIX, DS
from drmkit.errors import BadSignatureError

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ENC = "http://www.w3.org/2001/04/xmlenc#"
C14N = {
    "1.0": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "1.1": "http://www.w3.org/2006/12/xml-c14n11",
    "exclusive": "http://www.w3.org/2001/10/xml-exc-c14n#",
}
HASHES = {"256": f"{ENC}sha256", "384": f"{MORE}sha384", "512": f"{ENC}sha512"}


def xmlsec1(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    program = shutil.which("xmlsec1")
    if program is None:
        pytest.skip("the program xmlsec1 is not installed")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


def files(folder: Path, owner: Pair, name: str) -> tuple[Path, Path]:
    """Write key and certificate as PEM files."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    key.write_bytes(owner.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(owner.certificate.public_bytes(Encoding.PEM))
    return key, certificate


def id_arguments() -> list[str]:
    """What tells the program which attributes are IDs."""
    names = ("CPIX", "ContentKeyList", "ContentKeyUsageRuleList", "DeliveryDataList", "ContentKey")
    return [argument for name in names for argument in ("--id-attr:id", f"{CPIX}:{name}")]


def verified_by_xmlsec1(folder: Path, document: cpix.Document, *names: str) -> list[int]:
    """The program's exit codes for the signatures of a document."""
    file = folder / "signed.xml"
    file.write_bytes(document.to_xml())
    trusted = [a for name in names for a in ("--trusted-pem", files(folder, pair(name), name)[1])]
    codes = []
    for number in range(1, len(document.signatures) + 1):
        place = f"(//*[local-name()='Signature'])[{number}]"
        codes.append(xmlsec1("--verify", *trusted, *id_arguments(), "--node-xpath", place, file).returncode)
    return codes


def test_xmlsec1_verifies_the_root_signed_by_its_id(tmp_path: Path) -> None:
    """The root is signed by its ID as other elements are; the signature in it is left out of account."""
    document = clear_document()
    document.id = "all"
    cpix.sign(document, pair("anna").private, part="all")
    assert verified_by_xmlsec1(tmp_path, document, "anna") == [0]


@pytest.mark.parametrize("indented", [False, True], ids=["on one line", "indented"])
@pytest.mark.parametrize("encrypted", [False, True], ids=["in the clear", "encrypted"])
def test_xmlsec1_verifies_what_drmkit_signs(tmp_path: Path, indented: bool, encrypted: bool) -> None:
    """Lists by ID, one of them by two signers, a single key, and the document as a whole."""
    document = encrypted_document() if encrypted else clear_document()
    if indented:
        etree.indent(document.tree)
    document = cpix.parse(document.to_xml())
    cpix.sign(document, pair("anna").private, part=document.content_keys[1])
    cpix.sign(document, pair("anna").private, part=document.content_keys)
    cpix.sign(document, pair("berta").private, part=document.content_keys)
    cpix.sign(document, pair("berta").private, part=document.usage_rules)
    cpix.sign(document, pair("anna").private)
    assert verified_by_xmlsec1(tmp_path, document, "anna", "berta") == [0] * 5
    document.content_keys[1].element.set("kid", str(KIDS[0]))
    assert [code == 0 for code in verified_by_xmlsec1(tmp_path, document, "anna", "berta")] == [
        False,
        False,
        False,
        True,
        False,
    ]


def template(document: cpix.Document, uri: str, canonical: str, bits: str, *, named: bool) -> None:
    """Add a signature that xmlsec1 is to fill."""
    enveloped = "" if uri else f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
    transform = f'<ds:Transform Algorithm="{canonical}"/>' if named else ""
    inner = f"<ds:Transforms>{enveloped}{transform}</ds:Transforms>" if enveloped or transform else ""
    document.root.append(
        etree.fromstring(
            f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{canonical}"/>'
            f'<ds:SignatureMethod Algorithm="{MORE}rsa-sha{bits}"/><ds:Reference URI="{uri}">{inner}'
            f'<ds:DigestMethod Algorithm="{HASHES[bits]}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
            "<ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
        )
    )


@pytest.mark.parametrize("uri", ["#keys", ""], ids=["by ID", "enveloped"])
@pytest.mark.parametrize(("canonical", "bits"), [("1.0", "512"), ("1.1", "512"), ("exclusive", "256"), ("1.0", "384")])
@pytest.mark.parametrize("named", [True, False], ids=["named transform", "implied transform"])
def test_drmkit_verifies_what_xmlsec1_signs(tmp_path: Path, uri: str, canonical: str, bits: str, named: bool) -> None:
    """Every canonicalization that drmkit reads, by ID and enveloped; a change after signing is found."""
    key, certificate = files(tmp_path, pair(), "anna")
    document = clear_document()
    document.content_keys.id = "keys"
    document.root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    template(document, uri, C14N[canonical], bits, named=named)
    source, signed = tmp_path / "template.xml", tmp_path / "out.xml"
    source.write_bytes(document.to_xml())
    done = xmlsec1("--sign", "--privkey-pem", f"{key},{certificate}", *id_arguments(), "--output", signed, source)
    assert done.returncode == 0, done.stderr
    document = cpix.parse(signed.read_bytes())
    (found,) = cpix.verify(document, [certificate.read_bytes()])
    assert found.element is (document.content_keys.list_element if uri else document.root)
    document.content_keys[0].element.set("kid", str(KIDS[2]))
    with pytest.raises(BadSignatureError, match="was changed after it was signed"):
        cpix.verify(document, [certificate.read_bytes()])
