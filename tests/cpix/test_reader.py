"""Reading is tolerant in form and refuses what could do harm, each refusal for its stated reason."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit import cpix
from drmkit.errors import CpixError, DrmkitError, InputError, XmlError

EMPTY = '<CPIX xmlns="urn:dashif:org:cpix"/>'
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "windows-1252"])
def test_any_encoding_is_read(encoding: str) -> None:
    """The declared encoding counts, with and without a byte order mark."""
    name = encoding.replace("-sig", "")
    declared = f'<?xml version="1.0" encoding="{name}"?><x:CPIX xmlns:x="urn:dashif:org:cpix" contentId="café"/>'
    raw = declared.encode(encoding)
    if encoding == "utf-16-le":
        raw = b"\xff\xfe" + raw
    assert cpix.parse(raw).content_id == "café"


ATTACKS = {
    "external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "internal entity": '<!DOCTYPE a [<!ENTITY x "y">]><CPIX xmlns="urn:dashif:org:cpix" contentId="&x;"/>',
    "entity bomb": "<!DOCTYPE a [<!ENTITY a '" + "x" * 100 + "'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 20}'>" for n in range(10))
    + ']><CPIX xmlns="urn:dashif:org:cpix">&k;</CPIX>',
    "external subset": f'<!DOCTYPE CPIX SYSTEM "http://127.0.0.1:1/x.dtd">{EMPTY}',
    "parameter entity": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///dev/zero">%p;]>{EMPTY}',
    "bare declaration": f"<!DOCTYPE CPIX>{EMPTY}",
    "after other things": f'<?xml version="1.0"?><!-- <a> --><?pi <!x> ?>\n<!DOCTYPE CPIX>{EMPTY}',
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_document_type_declaration_is_refused(attack: str, encoding: str) -> None:
    """Entities and document types are refused for being there, before anything is expanded or loaded."""
    text = ATTACKS[attack].replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
    with pytest.raises(XmlError, match="DOCTYPE"):
        cpix.parse(text.encode(encoding))
    report = cpix.validate(text.encode(encoding))
    assert [f.rule for f in report.findings] == ["xml-doctype"]
    assert not report.readable


def test_the_word_alone_is_no_declaration() -> None:
    """A comment that mentions a document type is no document type."""
    assert len(cpix.parse(f"<!-- <!DOCTYPE a> -->{EMPTY}".encode()).content_keys) == 0


def test_depth_is_bounded() -> None:
    """Nesting beyond 256 levels is refused as such; what CPIX needs passes."""
    with pytest.raises(XmlError, match="deeper than 256"):
        cpix.parse(b'<CPIX xmlns="urn:dashif:org:cpix">' + b"<a>" * 100_000)
    inner = "<a>" * 200 + "</a>" * 200
    assert cpix.parse(f'<CPIX xmlns="urn:dashif:org:cpix">{inner}</CPIX>'.encode())


def test_the_size_cap_can_be_set() -> None:
    """One byte above the cap is refused, the cap itself is not."""
    data = EMPTY.encode()
    assert cpix.parse(data, max_bytes=len(data))
    with pytest.raises(XmlError, match="more than the"):
        cpix.parse(data, max_bytes=len(data) - 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<CPIX", "not well-formed XML, line 1"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not well-formed|unknown"),
        (b"<a>&undefined;</a>", "undefined"),
        (b'<CPIX xmlns="\xe2\x9a\xbd"/>', "not a valid URI, |not a valid URI"),
    ],
)
def test_malformed_input_is_refused_with_its_place(data: bytes, reason: str) -> None:
    """What is not well-formed says so, with line and column."""
    with pytest.raises(XmlError, match=reason):
        cpix.parse(data)


@pytest.mark.parametrize("warned", ['<a xml:space="en"/>', '<a xmlns:z="relative"/>', ""], ids=["space", "URI", "no"])
@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("<e:E:x/>", "Failed to parse QName 'e:E:x'"),
        ("<q:x/>", "Namespace prefix q on x is not defined"),
        ('<e:x q:y="z"/>', "Namespace prefix q for y on x is not defined"),
    ],
)
def test_names_that_are_none_are_refused_whatever_follows(element: str, reason: str, warned: str) -> None:
    """An error of namespaces counts also where libxml2 warns of something harmless after it; a warning does not."""
    head = '<CPIX xmlns="urn:dashif:org:cpix" xmlns:e="urn:e">\n'
    with pytest.raises(XmlError, match=rf"not well-formed XML, line 2, column \d+: {reason}"):
        cpix.parse(f"{head}{element}{warned}</CPIX>".encode())
    assert cpix.parse(f"{head}<e:x/>{warned}</CPIX>".encode())


KEY = "cAnArYcAnArYcAnArYcAnA=="


@pytest.mark.parametrize(
    "body",
    [
        f"<Data><![CDATA[ <PlainValue>{KEY}</PlainValue>",
        f"<Data><![CDATA[ \n<PlainValue>{KEY}</PlainValue>\n",
        f"<!-- {KEY} -- {KEY}",
        f"<?{KEY}",
        f"<PlainValue>{KEY}<",
        f"<PlainValue>{KEY}</Plain>",
        f"<PlainValue>&{KEY};</PlainValue>",
        f"<a x={KEY}/>",
        f'<a x="{KEY}',
        f"<{KEY}",
        f"<PlainValue>{KEY}\x01</PlainValue>",
        f"{KEY}]]>",
    ],
)
def test_what_is_refused_is_not_quoted(body: str) -> None:
    """libxml2 quotes the content around a fault; a content key there reaches neither the message nor a traceback."""
    with pytest.raises(XmlError) as caught:
        cpix.parse(f'<CPIX xmlns="urn:dashif:org:cpix">{body}'.encode())
    assert "not well-formed XML, line" in str(caught.value)
    assert "cAnArY" not in "".join(traceback.format_exception(caught.value))


def test_the_vector_without_a_uri_is_refused_with_its_place(corpus: dict[str, bytes]) -> None:
    """DASH-IF's EvenMoreComplex, whose namespace is no URI, is refused at line 2, column 19."""
    with pytest.raises(XmlError, match="line 2, column 19.*not a valid URI"):
        cpix.parse(corpus["dashif-tv__EvenMoreComplex.xml"])


@pytest.mark.parametrize(
    "root", ["<MPD/>", '<CPIX xmlns="urn:other"/>', '<cpix xmlns="urn:dashif:org:cpix"/>', "<CPIX/>"]
)
def test_another_root_is_no_cpix(root: str) -> None:
    """The root is CPIX in the namespace of CPIX; anything else says what it is."""
    with pytest.raises(CpixError, match="the root element is"):
        cpix.parse(root.encode())
    assert [f.rule for f in cpix.validate(root.encode()).findings] == ["xml-root"]


def test_text_is_no_bytes() -> None:
    """Text is refused, since its encoding declaration would lie; buffers of bytes are fine."""
    with pytest.raises(InputError, match="not from str"):
        cpix.parse(EMPTY)  # type: ignore[arg-type]
    assert cpix.parse(bytearray(EMPTY.encode())).source == EMPTY.encode()


@pytest.mark.parametrize("intruder", ["<!-- x -->", "<?x y?>", "<![CDATA[]]>"])
def test_a_remark_inside_a_value_changes_nothing(intruder: str) -> None:
    """Comments, processing instructions and CDATA inside a value neither truncate nor change it."""
    whole = "AAECAwQFBgcICQoLDA0ODw=="
    split = whole[:8] + intruder + whole[8:]
    data = (
        f'<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="{PSKC}"><ContentKeyList><ContentKey kid="{KID}">'
        f"<Data><p:Secret><p:PlainValue>{split}</p:PlainValue></p:Secret></Data></ContentKey></ContentKeyList></CPIX>"
    ).encode()
    document = cpix.parse(data)
    key = document.content_keys[0].key
    assert key is not None
    assert key.reveal() == bytes(range(16))
    assert cpix.validate(data).valid
    assert intruder.encode() in document.to_xml() or "CDATA" in intruder


def test_nothing_outside_is_touched(tmp_path: Path) -> None:
    """XInclude and stylesheet instructions are inert."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    data = (
        f'<?xml-stylesheet href="{canary}"?><CPIX xmlns="urn:dashif:org:cpix" xmlns:i="http://www.w3.org/2001/XInclude">'
        f'<i:include href="{canary}" parse="text"/></CPIX>'
    )
    assert b"CANARY" not in cpix.parse(data.encode()).to_xml()


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_random_input_raises_nothing_foreign(data: bytes) -> None:
    """Whatever the bytes are, only drmkit's own errors come out, and `validate` reports instead of raising."""
    with contextlib.suppress(DrmkitError):
        cpix.parse(data)
    assert cpix.validate(data).findings
