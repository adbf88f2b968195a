"""Key sources, inputs and outputs as people write them, and what of them may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from drmkit.errors import JobError
from drmkit.mps.keysource import KeySource
from drmkit.mps.locations import parse_input, parse_output
from drmkit.secret import MASK, Secret


@pytest.mark.parametrize(
    ("text", "is_name", "is_url", "shown"),
    [
        ("drmtoday:prod", True, False, "drmtoday:prod"),
        ("https://user:pw@kms.example.com/v2/getKey/TOKEN?t=1", False, True, f"https://kms.example.com/{MASK}"),
        ("HTTPS://fe.drmtoday.com/x?ticket=1", False, True, f"https://fe.drmtoday.com/{MASK}"),
        ("https://[::1/x", False, True, MASK),
        ("TOKEN-without-scheme", False, False, MASK),
        ("ftp://host/x", False, False, MASK),
        ("https://", False, False, MASK),
    ],
)
def test_key_sources_show_no_credentials(text: Any, is_name: Any, is_url: Any, shown: Any) -> None:
    """A name is shown whole; of a URL only its host is, since credentials stand in paths as well as in queries."""
    source = KeySource(text)
    assert (source.is_name, source.is_url) == (is_name, is_url)
    assert source.redacted == str(source) == f"{source}" == shown
    assert repr(source) == f"KeySource('{shown}')"
    assert source.reveal() == text


@pytest.mark.parametrize(
    ("text", "holds", "identity"),
    [
        ("https://a.example.com/x?ticket=ST-1", True, "https://a.example.com/x"),
        ("https://a.example.com/x?v=1&TICKET=2&w=3#f", True, "https://a.example.com/x?v=1&w=3"),
        ("https://a.example.com/x?tickets=1", False, "https://a.example.com/x?tickets=1"),
        ("drmtoday:ticket=1", False, "drmtoday:ticket=1"),
    ],
)
def test_tickets_are_no_part_of_the_identity(text: Any, holds: Any, identity: Any) -> None:
    """A URL with a ticket is known as such, and stays itself when the ticket is renewed."""
    assert KeySource(text).holds_ticket is holds
    assert KeySource(text).identity == identity


def test_inputs() -> None:
    """Each form of an input gives the API's object for it; paths stand as they are."""
    assert parse_input("https://a.example.com/b c.mp4?x=1").url_input_info.url == "https://a.example.com/b c.mp4?x=1"
    cos = parse_input("cos://b-1/ap-nanjing/in/a b%20c.mp4").cos_input_info
    assert (cos.bucket, cos.region, cos.object) == ("b-1", "ap-nanjing", "/in/a b%20c.mp4")
    s3 = parse_input("s3://b/us-east-1/x.mp4", secret_id="i", secret_key=Secret("k")).s3_input_info
    assert (s3.s3_bucket, s3.s3_region, s3.s3_object, s3.s3_secret_id) == ("b", "us-east-1", "/x.mp4", "i")
    assert s3.s3_secret_key == Secret("k")
    vod = parse_input("vod://15/528").vod_input_info
    assert (vod.sub_app_id, vod.vod_basic, vod.file_id) == (15, 1, "528")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("movie.mp4", "names no input"),
        ("vod://15", "names no input"),
        ("https://", "names no input"),
        ("cos://bucket", "names no input"),
        ("cos://b/ap-nanjing", "names a folder, not a file"),
        ("cos://b/ap-nanjing/in/", "names a folder, not a file"),
    ],
)
def test_inputs_that_are_none(text: Any, message: Any) -> None:
    """Another form is refused with the forms in the hint."""
    with pytest.raises(JobError, match=message):
        parse_input(text)


def test_outputs() -> None:
    """Each form of an output gives the storage and the folder, with a slash at both ends."""
    assert parse_output("cos://b-1/ap-nanjing/out/a").directory == "/out/a/"
    assert parse_output("cos://b-1/ap-nanjing/").directory == "/"
    assert parse_output("cos://b-1/ap-nanjing").directory is None
    assert parse_output("s3://b/us-east-1/o/", secret_id="i").storage.s3_output_storage.s3_secret_id == "i"
    vod = parse_output("vod://15")
    assert (vod.storage.vod_output_storage.sub_app_id, vod.directory) == (15, None)


@pytest.mark.parametrize("text", ["/out/", "https://a.example.com/", "vod://15/528", "cos://"])
def test_outputs_that_are_none(text: Any) -> None:
    """Another form is refused; a URL is no place to write to."""
    with pytest.raises(JobError, match="names no output"):
        parse_output(text)


def test_a_wrong_place_shows_no_credentials() -> None:
    """The message about a wrong place shows neither its user information nor its query."""
    with pytest.raises(JobError) as caught:
        parse_output("https://me:pw-canary@a.example.com/x?token=canary")
    assert "canary" not in str(caught.value)
