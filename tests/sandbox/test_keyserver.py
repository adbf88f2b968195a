"""The sandbox's key server: who gets in, and what the documents say."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import hls, pssh
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.widevine import WidevineData

TRACKS = [
    (cpix.AudioTrack(2), "AUDIO"),
    (cpix.VideoTrack(640, 360), "SD"),
    (cpix.VideoTrack(1024, 576), "SD"),
    (cpix.VideoTrack(1280, 720), "HD"),
    (cpix.VideoTrack(1920, 1080), "HD"),
    (cpix.VideoTrack(3840, 2160), "UHD"),
]


def fetch(account: Any, asset: str | None = None, **query: str) -> cpix.Document:
    """Get a document and check it against every CPIX rule."""
    answer = account.client.get(account.key_url(asset, **query))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/xml"
    report = cpix.validate(answer.body)
    assert report.valid, report.findings
    return cpix.parse(answer.body)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs", None])
def test_document_gives_each_track_its_own_key(shared: Any, scheme: str | None) -> None:
    """A document is valid CPIX 2.3 with one 16-byte key and IV for each stream type, and rules that choose it."""
    document = fetch(shared, "movie-1", **({"x-signaling-alg": scheme} if scheme else {}))
    assert (document.version, document.content_id) == ("2.3", "movie-1")
    assert len(document.content_keys) == 4
    assert {key.scheme for key in document.content_keys} == {scheme}
    kinds = {rule.kid: rule.intended_track_type for rule in document.usage_rules}
    for track, kind in TRACKS:
        key = document.key_for(track)
        assert key is not None
        assert kinds[key.kid] == kind
        assert len(key.key.reveal()) == len(key.iv) == 16
        assert len({key.key.reveal(), key.iv, key.kid.raw}) == 3


@pytest.mark.parametrize(
    ("scheme", "systems"),
    [
        ("cenc", {DrmSystem.WIDEVINE, DrmSystem.PLAYREADY}),
        ("cbcs", {DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY}),
        (None, {DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY}),
    ],
)
def test_systems_and_boxes_fit_the_scheme(shared: Any, scheme: str | None, systems: set[DrmSystem]) -> None:
    """Every key has each system of its scheme, with a box that names this key and this scheme; FairPlay has none."""
    document = fetch(shared, "movie", **({"x-signaling-alg": scheme} if scheme else {}))
    for key in document.content_keys:
        entries = {DrmSystem.find(entry.system_id): entry for entry in document.drm_systems.for_key(key.kid)}
        assert set(entries) == systems
        (widevine,) = pssh.parse(entries[DrmSystem.WIDEVINE].pssh)
        data = WidevineData.parse(widevine.data)
        assert (data.key_ids, data.scheme) == ((key.kid,), scheme)
        (playready,) = pssh.parse(entries[DrmSystem.PLAYREADY].pssh)
        (header,) = PlayReadyObject.parse(playready.data).headers
        assert [(entry.kid, entry.algorithm) for entry in header.keys] == [
            (key.kid, {"cenc": "AESCTR", "cbcs": "AESCBC", None: None}[scheme])
        ]
        for entry in entries.values():
            for tag in hls.parse(entry.hls_signaling("media") or ""):
                assert tag.method == ("SAMPLE-AES-CTR" if scheme == "cenc" else "SAMPLE-AES")


def test_same_asset_same_keys(make: Any) -> None:
    """One asset gets one set of keys, also from another sandbox with the same seeds and whatever the scheme."""

    def keys(account: Any, asset: str | None, **query: str) -> set[tuple[str, bytes, bytes]]:
        found = fetch(account, asset, **query).content_keys
        return {(key.kid.uuid, key.key.reveal(), key.iv) for key in found}

    first, second = make(), make()
    other = make(key_seed=Secret(bytes(range(64, 96))))
    assert keys(first, "a") == keys(second, "a") == keys(first, "a", **{"x-signaling-alg": "cbcs"})
    assert not keys(first, "a") & keys(first, "b")
    assert {kid for kid, _, _ in keys(first, "a")}.isdisjoint(kid for kid, _, _ in keys(other, "a"))


def test_without_asset_every_ingest_is_new(account: Any) -> None:
    """Without an asset ID each ingest makes new key IDs, and the document names no content."""
    first, second = fetch(account), fetch(account)
    assert first.content_id is None
    assert {key.kid for key in first.content_keys}.isdisjoint(key.kid for key in second.content_keys)


def test_stream_types_decide_the_number_of_keys(make: Any) -> None:
    """The mapping can be narrowed: one key for sound and one for HD, say."""
    document = fetch(make(stream_types=("AUDIO", "HD")), "a")
    assert [rule.intended_track_type for rule in document.usage_rules] == ["AUDIO", "HD"]


def test_ticket_must_be_percent_encoded(account: Any) -> None:
    """A ticket put into the URL as it came, with its `+`, is invalid; the same ticket encoded is valid."""
    ticket = account.ticket()
    raw = account.client.get(f"{account.sandbox.service}?ticket={ticket}")
    assert (raw.status, raw.text) == (401, "Invalid CAS Ticket")
    assert account.client.get(f"{account.sandbox.service}?ticket={quote(ticket, safe='')}").status == 200


def test_requests_without_the_right_ticket_get_401(account: Any) -> None:
    """No ticket, an unknown one, two, or one for another asset: 401 with the vendor's words."""
    ticket = quote(account.ticket(), safe="")
    service = account.sandbox.service
    for url in (
        service,
        f"{service}?ticket=",
        f"{service}?ticket=ST-1-unknown",
        f"{service}?ticket={ticket}&ticket={ticket}",
        f"{service}/asset?ticket={ticket}",
        f"{service.replace('127.0.0.1', 'localhost')}?ticket={ticket}",
    ):
        answer = account.client.get(url)
        assert (answer.status, answer.text) == (401, "Invalid CAS Ticket")
    assert account.client.get(f"{service}?ticket={ticket}").status == 200


def test_ticket_with_query_or_slash_in_its_service_opens_nothing(account: Any) -> None:
    """A ticket asked for with a query or a last slash is issued, and bound to a URL that is never served."""
    for suffix in ("/", "?x-signaling-alg=cenc"):
        ticket = quote(account.ticket(account.sandbox.service + suffix), safe="")
        assert account.client.get(f"{account.sandbox.service}?x-signaling-alg=cenc&ticket={ticket}").status == 401


def test_unknown_organization_and_config_get_404(account: Any) -> None:
    """A URL with another organization or CPIX config is not found, whatever the ticket."""
    url = account.key_url()
    known = account.sandbox.credentials
    for part in (known.organization, known.cpix_config):
        assert account.client.get(url.replace(part, "other")).status == 404
    assert account.client.get(url).status == 200


@pytest.mark.parametrize(
    "query", ["x-signaling-alg=cens", "x-signaling-alg=", "x-signaling-alg=cenc&x-signaling-alg=cbcs"]
)
def test_bad_signaling_algorithm_gets_400(shared: Any, query: str) -> None:
    """Only cenc and cbcs can be asked for, and once."""
    answer = shared.client.get(f"{shared.key_url()}&{query}")
    assert (answer.status, answer.text) == (400, "x-signaling-alg is one of cenc, cbcs")


def test_other_methods_are_not_allowed(account: Any) -> None:
    """The ingest URL is read with GET, and takes SPEKE by POST; PUT gets 405, and nonsense by POST 400."""
    answers = [account.client.call("PUT", url, body=b"<x/>") for url in (account.key_url(), account.key_url("asset"))]
    assert [answer.status for answer in answers] == [405, 405]
    assert account.client.call("POST", account.key_url(), body=b"<x/>").status == 400


def test_ticket_expires_when_the_clock_moves(make: Any) -> None:
    """A ticket of 60 seconds opens the key server 59 seconds later, and not after 60."""
    account = make(ticket_lifetime=60.0, clock=lambda: 1_700_000_000.0)
    url = account.key_url()
    account.sandbox.advance(59)
    assert account.client.get(url).status == 200
    account.sandbox.advance(1)
    assert account.client.get(url).status == 401


def test_single_use_ticket_works_once(make: Any) -> None:
    """Where tickets are for single use the second request is refused."""
    account = make(single_use=True)
    url = account.key_url("a")
    assert [account.client.get(url).status for _ in range(2)] == [200, 401]


def test_keys_are_found_again_by_key_id(account: Any) -> None:
    """The key store knows every key that it handed out, and no other: what a license server needs."""
    document = fetch(account, "a")
    store = account.sandbox._running().state.keys
    assert len(store) == 4
    for key in document.content_keys:
        assert store.find(key.kid).key.reveal() == key.key.reveal()
    fetch(account, "a")
    assert len(store) == 4
    assert account.sandbox.stored_key(KeyId(bytes(16))) is None


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        ("keyserver-unavailable", 503, b"<!DOCTYPE html>"),
        ("keyserver-html", 200, b"<!DOCTYPE html>"),
        ("keyserver-json-error", 200, b'{"errorCode"'),
        ("keyserver-truncated", 200, b"<?xml"),
    ],
)
def test_faults_of_the_answer(shared: Any, fault: str, status: int, start: bytes) -> None:
    """Each fault of the answer as a whole shows once, and the next answer is right again."""
    shared.sandbox.faults.switch_on(f"{fault}:1")
    answer = shared.client.get(shared.key_url())
    assert (answer.status, answer.body[: len(start)]) == (status, start)
    assert b"</cpix:CPIX>" not in answer.body
    fetch(shared)


def test_faults_of_the_keys(account: Any) -> None:
    """Wrong, swapped and echoed keys differ from the key store's in exactly the way that their names say."""

    def keys(fault: str = "") -> dict[str, bytes]:
        if fault:
            account.sandbox.faults.switch_on(f"{fault}:1")
        answer = account.client.get(account.key_url("a"))
        return {key.kid.hex: key.key.reveal() for key in cpix.parse(answer.body).content_keys}

    right = keys()
    wrong, swapped = keys("keyserver-wrong-key"), keys("keyserver-swapped-keys")
    assert wrong.keys() == swapped.keys() == right.keys()
    assert not set(wrong.values()) & set(right.values())
    assert sorted(swapped.values()) == sorted(right.values())
    assert all(swapped[kid] != right[kid] for kid in right)
    assert {kid: key.hex() for kid, key in keys("keyserver-kid-as-key").items()} == {kid: kid for kid in right}
    assert keys() == right
    account.sandbox.faults.switch_on("keyserver-duplicate-kid:1")
    assert len(list(cpix.parse(account.client.get(account.key_url("a")).body).content_keys)) == 4
    assert len(keys("keyserver-duplicate-kid")) == 3


def test_two_faults_of_key_ids_at_once(account: Any) -> None:
    """Faults add up: two tracks with one key ID, and boxes that name neither."""
    right = [key.kid for key in fetch(account, "a").content_keys]
    for fault in ("keyserver-duplicate-kid:1", "keyserver-wrong-kid:1"):
        account.sandbox.faults.switch_on(fault)
    document = cpix.parse(account.client.get(account.key_url("a")).body)
    assert [key.kid for key in document.content_keys] == [right[0], right[0], *right[2:]]
    boxes = [pssh.parse(entry.pssh)[0] for entry in document.drm_systems if entry.pssh]
    named = {kid for box in boxes if box.system is DrmSystem.WIDEVINE for kid in WidevineData.parse(box.data).key_ids}
    assert named.isdisjoint(right)


def test_swapped_boxes_need_two_systems(account: Any) -> None:
    """A document without DRM systems has no boxes to swap, and is served as it is."""
    for fault in ("keyserver-no-systems:1", "keyserver-swapped-pssh:1"):
        account.sandbox.faults.switch_on(fault)
    document = fetch(account, "a")
    assert (len(document.content_keys), len(document.drm_systems)) == (4, 0)
