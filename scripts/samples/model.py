"""What a sample is, and the fixed material that samples are made of: nothing in it is random, and no key is in use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from drmkit import signaling
from drmkit.cpix import Builder, Document, VideoFilter
from drmkit.cpix.schema import NAMESPACES
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling.material import Options

__all__ = ["ALL", "NEW", "OPTIONS", "Sample", "base", "finish", "found", "iv", "key", "kid", "one", "require", "write"]

ALL = ("2.1", "2.2", "2.3", "2.3.1", "2.4")
NEW = ("2.4",)
OPTIONS = Options(
    widevine_provider="sample",
    playready_la_url="https://license.example/rightsmanager.asmx",
    clearkey_laurl="https://license.example/clearkey",
    key_uri=lambda of: f"https://keys.example/{of}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A document and its label.

    Args:
        path: where it lies below `cpix_samples`.
        shows: what it shows, in one line.
        make: returns its bytes.
        accepts: the versions whose schema accepts it.
        version: the version that validation takes by itself; None for one that cannot be read.
        rules: exactly the rules that it breaks; key-clear, which many break, only where it is the point.
        valid: whether it is valid: no rule of error severity is broken.
        varies: the XPath expressions of texts that differ from run to run, since RSA-OAEP is random by nature.
        departs: why libxml2, run on DASH-IF's schema, judges otherwise than XML Schema; empty where it does not.
        proof: proves what validation cannot see, such as that it decrypts; raises where it does not hold.
    """

    path: str
    shows: str
    make: Callable[[], bytes]
    accepts: tuple[str, ...]
    version: str | None
    rules: tuple[str, ...] = ()
    valid: bool = True
    varies: tuple[str, ...] = ()
    departs: str = ""
    proof: Callable[[bytes], None] | None = field(default=None, repr=False)


def _octets(name: str, size: int = 16) -> bytes:
    return hashlib.sha256(f"drmkit sample: {name}".encode()).digest()[:size]


def kid(name: str) -> KeyId:
    """The key ID of a sample key: a UUID of version 8, made of its name."""
    raw = bytearray(_octets(f"key ID {name}"))
    raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
    return KeyId(bytes(raw))


def key(name: str, size: int = 16) -> bytes:
    """A sample content key."""
    return _octets(f"key {name}", size)


def iv(name: str) -> bytes:
    """A sample initialization vector."""
    return _octets(f"IV {name}")


def base(
    version: str = "2.4", *, scheme: str = "cenc", systems: tuple[DrmSystem, ...] = (DrmSystem.WIDEVINE,)
) -> Document:
    """A small valid document with two keys, SD and HD, for the faulty samples to spoil."""
    builder = Builder(version=version, content_id="sample")
    named = None if version in {"2.1", "2.2"} else scheme
    for name in ("SD", "HD"):
        builder.content_key(kid=kid(name), key=key(name), iv=iv(name), scheme=named)
    builder.usage_rule(kid=kid("SD"), intended_track_type="SD", video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=kid("HD"), intended_track_type="HD", video=[VideoFilter(min_pixels=589_825)])
    document = builder.build()
    if systems:
        signaling.fill(document, systems, options=OPTIONS, default_scheme=scheme)
    return document


def finish(document: Document, shows: str = "") -> bytes:
    """Indent a document, say above it what it shows, and return its bytes."""
    if shows and document.root.getprevious() is None:
        document.root.addprevious(etree.Comment(f" {shows} "))
    if not len(document.signatures):
        etree.indent(document.tree)
    return write(document)


def write(document: Document) -> bytes:
    """Return the bytes of a document, with a line of its own for what stands above the root."""
    return document.to_xml().replace(b"--><", b"-->\n<", 1) + b"\n"


def found(document: Document, path: str) -> list[etree._Element]:
    """The elements of a path such as `cpix:ContentKeyList/cpix:ContentKey`."""
    return document.root.findall(path, NAMESPACES)


def one(document: Document, path: str, number: int = 0) -> etree._Element:
    """The n-th element of a path."""
    return found(document, path)[number]


def require(condition: bool, otherwise: str) -> None:
    """Raise AssertionError unless something holds."""
    if not condition:
        raise AssertionError(otherwise)
