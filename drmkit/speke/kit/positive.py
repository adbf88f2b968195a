"""The cases that a provider must answer: all presets and systems, echoes, determinism, places, periods, encryption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Final

from lxml import etree

from drmkit import cpix
from drmkit.cpix.document import Document
from drmkit.cpix.report import Finding
from drmkit.cpix.view import remove_element
from drmkit.errors import DrmkitError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.speke import presets
from drmkit.speke.kit.model import Bench, Case, problem
from drmkit.speke.kit.recipient import make_recipient, open_answer
from drmkit.speke.presets import SHARED, UNENCRYPTED
from drmkit.speke.reading import tag
from drmkit.speke.request import KeyPeriod, Places

__all__ = ["positive_cases"]

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_CBC_ONLY: Final = frozenset({DrmSystem.FAIRPLAY})


def positive_cases(bench: Bench) -> Iterator[Case]:
    """Yield the cases that fit the version and the systems of a bench."""
    first = bench.client.version.is_first
    yield Case("basic", "a request is answered, with its headers", _answered)
    yield from _determinism()
    yield from _echo()
    yield from _presets(bench)
    yield from _places(bench)
    yield from _periods(bench)
    yield Case("encryption", "keys for one recipient open with its private key", _encrypted)
    if not first:
        yield Case("encryption", "encrypted keys are those that come in the clear", _same_when_encrypted)
    if first:
        yield Case("basic", "the heartbeat is there", _heartbeat)


def _answered(bench: Bench) -> Iterator[Finding]:
    yield from bench.ask(bench.build())[1]


def _heartbeat(bench: Bench) -> Iterator[Finding]:
    try:
        bench.client.heartbeat()
    except DrmkitError as error:
        yield problem("kit-heartbeat", f"there is no heartbeat: {error.message}", severity="warning")


def _determinism() -> Iterator[Case]:
    yield Case("determinism", "the same request gets the same keys", _same_twice)
    yield Case("determinism", "upper and lower case of a key ID are one key", _same_in_any_case)
    yield Case("determinism", "the order of the keys changes nothing", _same_in_any_order)
    yield Case("determinism", "each key ID has a key of its own", _all_different)


def _same_twice(bench: Bench) -> Iterator[Finding]:
    request = bench.build()
    yield from _compare(bench.answer(request), bench.answer(request), "asked for again")


def _same_in_any_case(bench: Bench) -> Iterator[Finding]:
    request = bench.build()
    loud = _copy(request)
    for element in loud.root.iter(etree.Element):
        if element.get("kid") is not None:
            element.set("kid", element.get("kid", "").upper())
    loud.touch()
    yield from _compare(bench.answer(request), bench.answer(loud), "asked for in capital letters")


def _same_in_any_order(bench: Bench) -> Iterator[Finding]:
    request = bench.build(contract=presets.rules("VIDEO-2", "AUDIO-1"))
    turned = _copy(request)
    for parent in turned.root.iterchildren(tag("ContentKeyList"), tag("DRMSystemList")):
        parent[:] = list(reversed(parent))
    turned.touch()
    yield from _compare(bench.answer(request), bench.answer(turned), "asked for in another order")


def _all_different(bench: Bench) -> Iterator[Finding]:
    values = [keys for _ in range(2) for keys in _keys(bench.answer(bench.build())).values()]
    if len(set(values)) != len(values):
        yield problem("kit-same-key", "different key IDs got the same key", "derive each key from its key ID")


def _compare(first: Document, second: Document, when: str) -> Iterator[Finding]:
    keys = _keys(second)
    for kid, value in _keys(first).items():
        if keys.get(kid) != value:
            yield problem(
                "kit-other-key",
                f"the key {kid} is another one when {when}",
                "give the same key for the same key ID, always: encryptors and their standbys ask again",
            )
    ivs = _ivs(second)
    for kid, iv in _ivs(first).items():
        if ivs.get(kid) != iv:
            yield problem(
                "kit-other-iv",
                f"the IV of {kid} is another one when {when}",
                "keep the IV of a key: segments of two encryptors, or of one that was restarted, make one stream",
                severity="warning",
            )


def _keys(document: Document) -> dict[KeyId, bytes]:
    return {key.kid: key.key.reveal() for key in document.content_keys if key.key is not None}


def _ivs(document: Document) -> dict[KeyId, bytes | None]:
    return {key.kid: key.iv for key in document.content_keys}


def _echo() -> Iterator[Case]:
    def marked(bench: Bench) -> Iterator[Finding]:
        request = bench.build()
        for position, entry in enumerate(request.drm_systems):
            entry.name = f"system {position}"
        yield from bench.ask(request)[1]

    def formatted(bench: Bench) -> Iterator[Finding]:
        request = bench.build()
        request.root.insert(0, etree.Comment(" sent by drmkit "))
        etree.indent(request.root, "\t")
        request.touch()
        yield from bench.ask(request)[1]

    def own_iv(bench: Bench) -> Iterator[Finding]:
        request = bench.build()
        for key in request.content_keys:
            key.iv = bytes(range(16))
        yield from bench.ask(request)[1]

    def other_prefixes(bench: Bench) -> Iterator[Finding]:
        request = bench.build()
        body = request.to_xml().replace(b"cpix:", b"a:").replace(b"xmlns:cpix=", b"xmlns:a=")
        exchange = bench.send(body)
        if exchange.status != 200:  # noqa: PLR2004 (HTTP's OK)
            yield problem("kit-prefix", f"a request with another namespace prefix is refused (HTTP {exchange.status})")

    yield Case("echo", "names of DRM systems come back", marked)
    yield Case("echo", "comments and white space do no harm", formatted)
    yield Case("echo", "the encryptor's own IV is taken", own_iv)
    yield Case("echo", "any namespace prefix is read", other_prefixes)


def _presets(bench: Bench) -> Iterator[Case]:
    if bench.client.version.is_first:
        for systems in _system_sets(bench.options.systems):
            yield _preset_case(systems, {})
        return
    both = [(SHARED, SHARED)]
    every = [(video, audio) for video in (*presets.VIDEO, UNENCRYPTED) for audio in (*presets.AUDIO, UNENCRYPTED)]
    pairs = bench.options.suite if bench.options.quick else [*both, *(pair for pair in every if pair[0] != pair[1])]
    for video, audio in pairs:
        for systems in _system_sets(bench.options.systems):
            yield _preset_case(systems, {"video": video, "audio": audio})
    yield Case("presets", "VIDEO-8 as AWS's services write it, with one filter for SD+HD1", _video8_of_aws)


def _preset_case(systems: Sequence[DrmSystem], chosen: dict[str, str]) -> Case:
    names = "+".join(system.name.lower() for system in systems)
    label = " ".join([*chosen.values(), names])

    def run(bench: Bench) -> Iterator[Finding]:
        yield from bench.ask(bench.build(systems=systems, **chosen))[1]

    return Case("presets", label, run)


def _video8_of_aws(bench: Bench) -> Iterator[Finding]:
    request = bench.build(video="VIDEO-8", audio="AUDIO-2")
    for rule in request.usage_rules:
        if rule.intended_track_type == "SD+HD1":
            filters = list(rule.element.iterchildren(tag("VideoFilter")))
            filters[0].set("maxPixels", filters[-1].get("maxPixels", ""))
            remove_element(filters[-1])
    request.touch()
    yield from bench.ask(request)[1]


def _system_sets(systems: Sequence[DrmSystem]) -> Iterator[tuple[DrmSystem, ...]]:
    for size in range(1, len(systems) + 1):
        yield from combinations(systems, size)


def _places(bench: Bench) -> Iterator[Case]:
    boxed = tuple(system for system in bench.options.systems if system not in _CBC_ONLY)

    def case(name: str, **arguments: Any) -> Case:
        def run(bench: Bench) -> Iterator[Finding]:
            yield from bench.ask(bench.build(**arguments))[1]

        return Case("places", name, run)

    if bench.client.version.is_first:
        if DrmSystem.PLAYREADY in boxed:
            yield case("the protection header of Smooth Streaming", systems=boxed, places=Places(smooth=True))
        return
    if boxed:
        yield case("PSSH alone", systems=boxed, places=Places(dash=False, hls=False))
        yield case("PSSH and ContentProtectionData", systems=boxed, places=Places(hls=False))
        yield case("PSSH and HLSSignalingData", systems=boxed, places=Places(dash=False))
        for scheme in ("cenc", "cbcs"):
            yield case(f"scheme {scheme}", systems=boxed, scheme=scheme)
    yield case("HLSSignalingData alone", places=Places(pssh=False, dash=False))
    yield case("an IV for each key", places=Places(iv=True))
    if DrmSystem.PLAYREADY in boxed:
        smooth = Places(smooth=True, dash=False, hls=False)
        yield case("SmoothStreamingProtectionHeaderData", systems=(DrmSystem.PLAYREADY,), scheme="cenc", places=smooth)
    if bench.version == "2.1":
        yield case("robustness, ALLOWED-CPC and HDCP", places=Places(robustness=True, allowed_cpc=True, hdcp=True))
        yield case("an HLS method as scheme", scheme="SAMPLE-AES")


def _periods(bench: Bench) -> Iterator[Case]:
    def case(name: str, periods: Sequence[KeyPeriod]) -> Case:
        def run(bench: Bench) -> Iterator[Finding]:
            yield from bench.ask(bench.build(periods=periods))[1]

        return Case("periods", name, run)

    yield case("one key period by its index", [KeyPeriod(index=0)])
    yield case("two key periods with keys of their own", [KeyPeriod(index=7), KeyPeriod(index=8)])
    if bench.version == "2.1":
        hour = timedelta(hours=1)
        live = [KeyPeriod(index=i, start=_START + i * hour, end=_START + (i + 1) * hour) for i in (1, 2)]
        vod = [KeyPeriod(index=i, start_offset=i * hour, end_offset=(i + 1) * hour) for i in (1, 2)]
        yield case("key periods of live content come back with start and end", live)
        yield case("key periods of VOD content come back with startOffset and endOffset", vod)


def _encrypted(bench: Bench) -> Iterator[Finding]:
    recipient = make_recipient(bench)
    answer, found = bench.ask(bench.build(certificates=[recipient.der]))
    yield from found
    if answer is not None:
        opened = open_answer(answer, recipient)
        if isinstance(opened, Finding):
            yield opened
        elif len(opened) != len(answer.content_keys):
            yield problem("kit-encryption", "not every key could be opened")


def _same_when_encrypted(bench: Bench) -> Iterator[Finding]:
    recipient = make_recipient(bench)
    content_id = bench.content_id()
    clear = _keys(bench.answer(bench.build(content_id=content_id)))
    sealed = bench.answer(bench.build(content_id=content_id, certificates=[recipient.der]))
    opened = open_answer(sealed, recipient)
    if isinstance(opened, Finding):
        yield opened
    elif opened != clear:
        yield problem("kit-other-key", "a key is another one when it comes encrypted", "encrypt the same keys")


def _copy(document: Document) -> Document:
    return cpix.parse(document.to_xml())
