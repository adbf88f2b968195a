"""The table of DRMtoday's endpoints: the operations of Tencent's page, each with the name or the UUID as it wants."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drmkit.errors import ConfigurationError, InputError
from drmkit.keyserver.drmtoday import DrmtodayHosts
from drmkit.keyserver.endpoints import ENDPOINTS, Organization

DOCUMENTS = Path(__file__).parents[3] / "shared" / "documents"
UUID = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
CENC = "https://fe.drmtoday.com/frontend/rest/keys/v1/cenc/merchant/acme/key"
ORGANIZATION = Organization(DrmtodayHosts.named("production"), "acme", UUID, "510466cc")


@pytest.mark.parametrize(
    ("operation", "arguments", "url"),
    [
        ("ingest", {}, "https://fe.drmtoday.com/frontend/api/keys/v3/ingest/acme"),
        ("ingest-v2", {}, "https://fe.drmtoday.com/frontend/api/keys/v2/ingest/acme"),
        ("remove", {"kid": "0f"}, f"{CENC}/keyId/0f"),
        (
            "remove-asset",
            {"asset": "a b/c", "stream": "HD", "variant": "v"},
            f"{CENC}/assetId/a%20b%2Fc/streamType/HD/variantId/v",
        ),
        ("query", {}, f"https://fe.drmtoday.com/frontend/download-api/ingestion/query/v1/keys/{UUID}/query"),
        ("download", {}, f"https://fe.drmtoday.com/frontend/download-api/ingestion/query/v1/keys/{UUID}/download"),
        ("cpix-generate", {"asset": "m"}, f"https://fe.drmtoday.com/frontend/cpix/v1/{UUID}/ingest/510466cc/m"),
        ("cpix-process", {}, f"https://fe.drmtoday.com/frontend/cpix/v1/{UUID}/ingest/510466cc"),
    ],
)
def test_every_operation_has_its_address(operation: str, arguments: dict[str, str], url: str) -> None:
    """The path names the organization as the call wants it, and arguments are percent-encoded."""
    assert ORGANIZATION.service(operation, **arguments) == url
    assert ENDPOINTS[operation].identity == ("uuid" if UUID in url else "name")
    assert set(ENDPOINTS[operation].arguments) == set(arguments)


def test_the_printed_table_is_covered() -> None:
    """Each row of the page's key management and CPIX tables but Harmonic's has an operation of the same method.

    The one exception is removal: the table names v3's POST, whose body is not public, and drmkit calls v1's DELETE.
    """
    if not DOCUMENTS.exists():
        pytest.skip("../shared is absent")
    text = next(DOCUMENTS.glob("004_*.txt")).read_text("utf-8")
    rows = re.findall(
        r"^(\w+ (?:key|metadata|document))\t(GET|POST)\thttps://fe\.drmtoday\.com(\S+)", text, re.MULTILINE
    )
    named = {
        "Ingest key": "ingest",
        "Remove key": "remove",
        "Query metadata": "query",
        "Download metadata": "download",
        "Process document": "cpix-process",
        "Generate document": "cpix-generate",
    }
    assert {row[0] for row in rows} == set(named)
    for label, method, path in rows:
        endpoint = ENDPOINTS[named[label]]
        assert endpoint.method == ("DELETE" if label == "Remove key" else method)
        root = re.match(r"/frontend/[a-z-]+", path).group()
        assert endpoint.path.startswith("/frontend/rest" if label == "Remove key" else root)


@pytest.mark.parametrize(
    ("operation", "setting"),
    [("ingest", "organization_name"), ("query", "organization"), ("cpix-process", "cpix_config")],
)
def test_what_the_path_wants_is_named(operation: str, setting: str) -> None:
    """A setting that is missing is named by its own name, so that nobody sends the UUID where the name belongs."""
    bare = Organization(DrmtodayHosts.named("staging"), uuid=None if setting == "organization" else UUID)
    with pytest.raises(ConfigurationError, match=f"^{setting} is not set"):
        bare.service(operation)


def test_a_setting_that_is_no_path_segment_is_refused() -> None:
    """A name with a slash would call another endpoint."""
    crooked = Organization(DrmtodayHosts.named("staging"), name="../x")
    with pytest.raises(ConfigurationError, match="organization_name is not one path segment"):
        crooked.service("ingest")


@pytest.mark.parametrize("value", ["", " ", ".", ".."])
def test_empty_arguments_are_refused(value: str) -> None:
    """An empty asset or a dot would make another path of it."""
    with pytest.raises(InputError, match="asset is empty or a dot"):
        ORGANIZATION.service("cpix-generate", asset=value)


@pytest.mark.parametrize(
    "path", ["", "frontend", "//evil.example.com/x", "/x?ticket=1", "/x#y", "/a\\b", "/ü", "https://x/y"]
)
def test_a_path_of_ones_own_stays_on_the_host(path: str) -> None:
    """Whatever is no plain path is refused: a ticket would travel elsewhere."""
    with pytest.raises(InputError, match="begins with one slash"):
        ORGANIZATION.resolve(path)
    assert ORGANIZATION.resolve("/frontend/{uuid}/{name}") == f"https://fe.drmtoday.com/frontend/{UUID}/acme"
