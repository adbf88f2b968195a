"""The media files over HTTP: whole and by Range, with their types, and nothing that is no media or lies elsewhere."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

BODY = bytes(range(256)) * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with media, things that are none, and ways out of it."""
    root = tmp_path / "root"
    (root / "sub" / ".hidden").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    for path in ("a.mp4", "a.mpd", "a.m3u8", "a.m4s", "a.ts", "a.key", "sub/a b+ü.mp4", ".b.mp4", "sub/.hidden/a.mp4"):
        (root / path).write_bytes(BODY)
    for path in ("cpix.xml", "notes.txt", "keys.json", "a"):
        (root / path).write_bytes(b"secret")
    (outside / "a.mp4").write_bytes(b"outside")
    (root / "link.mp4").symlink_to(outside / "a.mp4")
    (root / "out").symlink_to(outside)
    (root / "inner.mp4").symlink_to(root / "a.mp4")
    (root / "sneak.mp4").symlink_to(root / "cpix.xml")
    (root / "loop.mp4").symlink_to(root / "loop.mp4")
    (root / "empty.mp4").write_bytes(b"")
    return root


@pytest.fixture
def site(serve: Callable[..., Any], folder: Path) -> Any:
    """A server for the folder."""
    return serve(folder)


def get(site: Any, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send one request, its path byte for byte."""
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.putrequest(method, f"/media/{path}", skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.mpd", "application/dash+xml"),
        ("a.m3u8", "application/vnd.apple.mpegurl"),
        ("a.m4s", "video/iso.segment"),
        ("a.mp4", "video/mp4"),
        ("a.ts", "video/mp2t"),
        ("a.key", "application/octet-stream"),
        ("sub/a%20b+%C3%BC.mp4", "video/mp4"),
        ("inner.mp4", "video/mp4"),
    ],
)
def test_media_have_their_types(site: Any, path: str, kind: str) -> None:
    """Each file comes whole, with the type that players look for."""
    status, headers, body = get(site, path)
    assert (status, headers["content-type"], body) == (200, kind, BODY)
    assert headers["accept-ranges"] == "bytes"
    status, headers, body = get(site, path, "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(BODY)), b"")


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, 1023),
        ("bytes=-10", 1014, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=1000-5000", 1000, 1023),
    ],
)
def test_a_range_is_answered_with_it(site: Any, wanted: str, first: int, last: int) -> None:
    """One satisfiable range gives 206 and exactly its bytes (RFC 9110, 14.4)."""
    status, headers, body = get(site, "a.mp4", Range=wanted)
    assert (status, body) == (206, BODY[first : last + 1])
    assert headers["content-range"] == f"bytes {first}-{last}/1024"
    assert headers["content-length"] == str(last - first + 1)


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_behind_the_end_is_416(site: Any, wanted: str) -> None:
    """What cannot be satisfied is said so, with the length (RFC 9110, 15.5.17)."""
    status, headers, body = get(site, "a.mp4", Range=wanted)
    assert (status, headers["content-range"], body) == (416, "bytes */1024", b"")


@pytest.mark.parametrize(
    "wanted", ["bytes=5-2", "items=0-5", "bytes=", "bytes=a-b", "bytes=0-1,5-6", "bytes=0-1," * 9999, "0-5"]
)
def test_other_ranges_give_the_whole_file(site: Any, wanted: str) -> None:
    """Several ranges, another unit or a broken one: a server may ignore the header, and that always helps."""
    status, _, body = get(site, "a.mp4", Range=wanted[:30000])
    assert (status, body) == (200, BODY)


def test_an_empty_file(site: Any) -> None:
    """Nothing of nothing can be had by range; whole, it is nothing."""
    assert get(site, "empty.mp4")[::2] == (200, b"")
    assert get(site, "empty.mp4", Range="bytes=0-")[0] == 416


@pytest.mark.parametrize(
    "path",
    [
        *("cpix.xml", "notes.txt", "keys.json", "a", "sneak.mp4"),
        *(".b.mp4", "sub/.hidden/a.mp4", "", "sub", "sub/", "nothing.mp4", "loop.mp4", "a.mp4/", "a.mp4/a.mp4"),
        *("link.mp4", "out/a.mp4"),
        *("../outside/a.mp4", "..%2foutside%2fa.mp4", "sub/../../outside/a.mp4", "%2e%2e/outside/a.mp4"),
        *("..%5coutside%5ca.mp4", "a.mp4%00.mp4", "//a.mp4", "%2fa.mp4", "x" * 5000 + ".mp4"),
    ],
)
def test_what_is_no_media_or_elsewhere_is_not_there(site: Any, path: str) -> None:
    """Documents with keys, hidden files, folders, links out and every kind of traversal: 404, and no word more."""
    status, _, body = get(site, path)
    assert (status, body) == (404, b"there is no such media file\n")


def test_other_pages_may_read_media_but_no_keys(site: Any) -> None:
    """Media are there for any player (CORS), key files for the page alone."""
    for name in ("a.mp4", "a.mpd"):
        _, headers, _ = get(site, name, Origin="http://localhost:3000")
        assert headers["access-control-allow-origin"] == "*"
        assert "Content-Range" in headers["access-control-expose-headers"]
    _, headers, _ = get(site, "a.key", Origin="http://localhost:3000")
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    status, headers, _ = get(site, "a.mp4", "OPTIONS", Origin="http://x", Access_Control_Request_Headers="range")
    assert (status, headers["access-control-allow-headers"]) == (204, "Range")


def test_private_media_are_for_the_page_alone(serve: Callable[..., Any], folder: Path) -> None:
    """A page of another origin cannot read what somebody plays from their own disk."""
    _, headers, body = get(serve(folder, public_media=False), "a.mp4", Origin="http://localhost:3000")
    assert body == BODY
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_without_a_folder_there_is_nothing(serve: Callable[..., Any]) -> None:
    """A player for streams elsewhere serves no file."""
    assert get(serve(), "a.mp4")[0] == 404
