"""A Secret as the place of a URL: taken before a run, written back after it; a manifest that a cluster accepts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from drmkit.errors import ConfigurationError, ProtocolError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.keyserver.kubernetes import Cluster, SecretMirror
from drmkit.keyserver.store import UrlStore
from drmkit.secret import Secret

MANIFEST = Path(__file__).resolve().parents[2] / "scripts" / "kubernetes" / "key-url.yaml"
STORED = '{"url": "https://h/x?ticket=cAnArY", "issued_at": "2026-11-21T12:00:00Z"}'


class Api:
    """The API server's one Secret."""

    def __init__(self) -> None:
        self.data: dict[str, str] = {}
        self.version = 7
        self.status = 200
        self.body: bytes | None = None
        self.requests: list[httpx.Request] = []

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer as an API server does."""
        self.requests.append(request)
        if self.status != 200 or self.body is not None:
            return httpx.Response(self.status, content=self.body or b'{"kind": "Status"}')
        if request.method == "PATCH":
            change = json.loads(request.content)
            if change["metadata"]["resourceVersion"] != str(self.version):
                return httpx.Response(409, json={"kind": "Status"})
            self.data |= change["data"]
            self.version += 1
        return httpx.Response(200, json={"metadata": {"resourceVersion": str(self.version)}, "data": self.data or None})


@pytest.fixture
def api() -> Api:
    """A cluster."""
    return Api()


@pytest.fixture
def mirror(api: Api) -> Iterator[SecretMirror]:
    """The Secret as a pod reaches it."""
    cluster = Cluster("https://10.0.0.1:443", "media", Secret("cAnArY-token"), None)
    with HttpClient(transport=httpx.MockTransport(api.respond)) as http:
        yield SecretMirror("key-server-url", cluster, http)


@pytest.fixture
def store(tmp_path: Path) -> UrlStore:
    """A pod's empty folder."""
    return UrlStore(tmp_path / "url.json")


def held(api: Api) -> dict[str, str]:
    """What the Secret holds, decoded."""
    return {name: base64.b64decode(text).decode() for name, text in api.data.items()}


def test_files_outlive_their_pod(api: Api, mirror: SecretMirror, store: UrlStore, tmp_path: Path) -> None:
    """What a run has left is there for the next pod; the bare URL stands beside it for those who need no more."""
    with mirror.around(store):
        assert not store.path.exists()
        store.path.write_text(STORED, encoding="utf-8")
        store.path.with_name("url.json.state").write_text("state", encoding="utf-8")
    assert held(api) == {"url.json": STORED, "url.json.state": "state", "url": "https://h/x?ticket=cAnArY"}
    get, patch = api.requests
    assert get.headers["authorization"] == "Bearer cAnArY-token"
    assert str(patch.url) == "https://10.0.0.1/api/v1/namespaces/media/secrets/key-server-url"
    assert patch.headers["content-type"] == "application/merge-patch+json"
    other = UrlStore(tmp_path / "other" / "url.json")
    other.create_folder()
    with mirror.around(other):
        assert other.path.read_text(encoding="utf-8") == STORED
        assert other.path.with_name("url.json.state").read_text(encoding="utf-8") == "state"
    assert len(api.requests) == 3, "nothing has changed, so nothing was written"


def test_a_failed_run_is_remembered_too(api: Api, mirror: SecretMirror, store: UrlStore) -> None:
    """Waits and rejected passwords are in the journal: it is written back whatever became of the run."""

    def rejected() -> None:
        with mirror.around(store):
            store.path.with_name("url.json.state").write_text("rejected", encoding="utf-8")
            raise ConfigurationError("rejected")

    with pytest.raises(ConfigurationError, match="rejected"):
        rejected()
    assert held(api) == {"url.json.state": "rejected"}

    def gone() -> None:
        with mirror.around(store):
            store.path.with_name("url.json.state").write_text("again", encoding="utf-8")
            api.status = 500
            raise ConfigurationError("rejected")

    with pytest.raises(ConfigurationError, match="rejected"):
        gone()


def test_two_runs_at_once_are_told(api: Api, mirror: SecretMirror, store: UrlStore) -> None:
    """Somebody who has changed the Secret meanwhile is not overwritten."""

    def late() -> None:
        with mirror.around(store):
            api.version += 1
            store.path.write_text(STORED, encoding="utf-8")

    with pytest.raises(RemoteUnavailableError, match="somebody else has changed it"):
        late()
    assert api.data == {}


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (404, None, ConfigurationError, r"refused \(HTTP 404\)"),
        (403, None, ConfigurationError, r"refused \(HTTP 403\)"),
        (503, None, RemoteUnavailableError, r"failed \(HTTP 503\)"),
        (200, b"<html>", ProtocolError, "no JSON object"),
        (200, b"[]", ProtocolError, "no JSON object"),
    ],
)
def test_an_api_server_that_refuses(
    api: Api, mirror: SecretMirror, store: UrlStore, status: int, body: bytes | None, kind: type[Exception], reason: str
) -> None:
    """The Secret is named, the run does not begin, and no token is in the text."""
    api.status, api.body = status, body
    with pytest.raises(kind, match=f"the Secret media/key-server-url.*{reason}") as caught, mirror.around(store):
        pytest.fail("the run has begun")
    assert "cAnArY" not in str(caught.value)


def test_an_entry_that_is_no_base64_is_left_alone(api: Api, mirror: SecretMirror, store: UrlStore) -> None:
    """What somebody else has put there is no reason to fail."""
    api.data = {"url.json": "@@@"}
    with mirror.around(store):
        assert not store.path.exists()


def test_the_cluster_of_this_pod(tmp_path: Path) -> None:
    """Address from the variables, namespace, token and authority from the service account's folder."""
    (tmp_path / "token").write_text("cAnArY\n", encoding="utf-8")
    (tmp_path / "namespace").write_text("media", encoding="utf-8")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    cluster = Cluster.of_this_pod(environ, tmp_path)
    assert (cluster.url, cluster.namespace, cluster.ca_file) == ("https://[fd00::1]:6443", "media", None)
    assert cluster.token == Secret("cAnArY")
    assert "cAnArY" not in repr(cluster)
    (tmp_path / "ca.crt").touch()
    assert Cluster.of_this_pod(environ, tmp_path).ca_file == str(tmp_path / "ca.crt")
    with pytest.raises(ConfigurationError, match="does not run in a Kubernetes pod"):
        Cluster.of_this_pod({}, tmp_path)
    with pytest.raises(ConfigurationError, match="service account cannot be read"):
        Cluster.of_this_pod(environ, tmp_path / "no")


def documents() -> list[dict[str, Any]]:
    """The manifest's documents."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed (the extra dev)")
    return list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))


def test_the_manifest_fits_the_schemas_of_kubernetes() -> None:
    """Every document validates strictly against the published schemas of two versions."""
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed (extra dev)")
    found = documents()
    assert {one["kind"] for one in found} >= {"CronJob", "Secret", "Role", "RoleBinding", "ServiceAccount"}
    for version in ("1.28", "1.31"):
        for one in found:
            validator.validate(one, version, strict=True)
    broken = next(one for one in found if one["kind"] == "CronJob")
    broken["spec"]["jobTemplate"]["spec"]["template"]["spec"]["container"] = []
    with pytest.raises(validator.ValidationError):
        validator.validate(broken, "1.31", strict=True)


def test_the_manifest_says_what_its_parts_need() -> None:
    """One run at a time, no repetition that could lock an account, no root, and rights to one Secret alone."""
    by_kind = {one["kind"]: one for one in documents()}
    spec = by_kind["CronJob"]["spec"]
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    assert (spec["concurrencyPolicy"], spec["jobTemplate"]["spec"]["backoffLimit"]) == ("Forbid", 0)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    name = by_kind["Secret"]["metadata"]["name"]
    assert by_kind["Role"]["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get", "patch"]}
    ]
    assert f"--kubernetes-secret={name}" in pod["containers"][0]["args"]
    assert "data" not in by_kind["Secret"]
