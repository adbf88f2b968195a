"""A Kubernetes Secret as the lasting place of a stored URL: pods come and go, and read it as a volume or a variable.

The Secret holds the file of the URL, its journal, and the bare URL under `url`. A run takes the two files from it,
renews, and writes them back, whatever became of the run: so waits and rejected passwords outlive their pod.
API: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drmkit.errors import ConfigurationError, DrmkitError, InputError, ProtocolError, RemoteUnavailableError
from drmkit.keyserver.files import write_atomically
from drmkit.keyserver.journal import JournalFile
from drmkit.keyserver.store import UrlStore
from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.http import HttpClient, Response

__all__ = ["Cluster", "SecretMirror"]

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_OK, _CONFLICT, _SERVER_ERROR = 200, 409, 500
_MERGE = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server, as a pod sees it.

    Attributes:
        url: its base URL.
        namespace: the pod's namespace.
        token: the service account's token.
        ca_file: the authority that signs the server's certificate.
    """

    url: str
    namespace: str
    token: Secret[str]
    ca_file: str | None

    @classmethod
    def of_this_pod(cls, environ: Mapping[str, str], account: Path | None = None) -> Cluster:
        """Return the cluster that this process runs in.

        Args:
            environ: the pod's environment.
            account: the folder of the service account; by default where `DRMKIT_SERVICE_ACCOUNT` says (for a token
                that is projected elsewhere), else where Kubernetes mounts it.

        Raises:
            ConfigurationError: this is no pod, or it has no service account.
        """
        account = account or Path(environ.get("DRMKIT_SERVICE_ACCOUNT") or _ACCOUNT)
        host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host:
            raise ConfigurationError(
                "this process does not run in a Kubernetes pod (KUBERNETES_SERVICE_HOST is not set)",
                hint="leave --kubernetes-secret out",
            )
        try:
            token = (account / "token").read_text(encoding="utf-8").strip()
            namespace = (account / "namespace").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(
                f"the pod's service account cannot be read ({error.strerror})",
                hint="set automountServiceAccountToken: true for this pod",
            ) from None
        authority = account / "ca.crt"
        where = f"[{host}]" if ":" in host else host
        return cls(f"https://{where}:{port}", namespace, Secret(token), str(authority) if authority.exists() else None)


@dataclass(slots=True)
class SecretMirror:
    """One Secret that holds the files of one stored URL.

    Attributes:
        name: the Secret's name; it must exist, so that nothing needs the right to make Secrets.
        cluster: where it is.
        http: makes the calls.
    """

    name: str
    cluster: Cluster
    http: HttpClient
    _version: str = field(default="", init=False)

    @contextmanager
    def around(self, store: UrlStore) -> Iterator[None]:
        """Take the files from the Secret, and write them back in the end, also after a failure.

        Raises:
            ConfigurationError: the Secret does not exist, or the service account may not use it.
            RemoteUnavailableError: the API server cannot be reached, or somebody else has changed the Secret.
        """
        before = self._restore(store)
        try:
            yield
        except DrmkitError:
            with suppress(DrmkitError):  # the run's own failure is what has to be told
                self._publish(store, before)
            raise
        self._publish(store, before)

    def _restore(self, store: UrlStore) -> dict[str, bytes]:
        secret = self._read(self._call("GET", None))
        self._version = str(secret.get("metadata", {}).get("resourceVersion", ""))
        held: dict[str, bytes] = {}
        for name, text in (secret.get("data") or {}).items():
            with suppress(binascii.Error, ValueError, TypeError):
                held[name] = base64.b64decode(text, validate=True)
        for path in _files(store):
            if path.name in held:
                write_atomically(path, held[path.name])
        return held

    def _publish(self, store: UrlStore, before: Mapping[str, bytes]) -> None:
        files = {path.name: path.read_bytes() for path in _files(store) if path.exists()}
        with suppress(InputError):
            stored = store.load()
            if stored is not None:
                files["url"] = stored.reveal().encode()
        if all(before.get(name) == content for name, content in files.items()):
            return
        data = {name: base64.b64encode(content).decode() for name, content in files.items()}
        body = {"metadata": {"resourceVersion": self._version}, "data": data}
        self._read(self._call("PATCH", json.dumps(body).encode()))

    def _call(self, method: str, body: bytes | None) -> Response:
        headers = {"Authorization": f"Bearer {self.cluster.token.reveal()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = _MERGE
        url = f"{self.cluster.url}/api/v1/namespaces/{self.cluster.namespace}/secrets/{self.name}"
        response = self.http.request(method, url, purpose=self._purpose, headers=headers, content=body)
        if response.status == _CONFLICT:
            raise RemoteUnavailableError(
                f"{self._purpose}: somebody else has changed it during this run",
                hint="set concurrencyPolicy: Forbid, so that there is one run at a time",
            )
        if response.status >= _SERVER_ERROR:
            raise RemoteUnavailableError(f"{self._purpose}: the API server failed (HTTP {response.status})")
        if response.status != _OK:
            raise ConfigurationError(
                f"{self._purpose}: the API server refused (HTTP {response.status})",
                hint="the Secret must exist, and a Role must let the service account get and patch it",
            )
        return response

    def _read(self, response: Response) -> dict[str, Any]:
        content = None
        with suppress(ValueError):  # told outside its handler: its text quotes the body
            content = json.loads(response.body)
        if not isinstance(content, dict):
            raise ProtocolError(f"{self._purpose}: the answer is no JSON object")
        return content

    @property
    def _purpose(self) -> str:
        return f"the Secret {self.cluster.namespace}/{self.name}"


def _files(store: UrlStore) -> tuple[Path, Path]:
    return store.path, JournalFile.beside(store.path).path
