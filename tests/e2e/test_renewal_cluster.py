"""A CronJob's pods in a cluster: each starts with an empty folder, and the Secret carries on what the last one knew."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from scripted import Answer, Cas, Request, ScriptedServer

from drmkit.cli.main import main


class Api:
    """An API server with one Secret."""

    def __init__(self) -> None:
        self.data: dict[str, str] = {}
        self.tokens: set[str] = set()

    def respond(self, request: Request) -> Answer:
        """Answer a GET or a PATCH of the Secret."""
        self.tokens.add(request.headers["authorization"])
        if request.target != "/api/v1/namespaces/media/secrets/key-server-url":
            return Answer(404, b"{}")
        if request.method == "PATCH":
            self.data |= json.loads(request.body)["data"]
        body = {"kind": "Secret", "metadata": {"resourceVersion": "1"}, "data": self.data}
        return Answer(body=json.dumps(body).encode())

    def entry(self, name: str) -> str:
        """One entry, decoded."""
        return base64.b64decode(self.data[name]).decode()


@pytest.fixture
def api() -> Api:
    """A cluster."""
    return Api()


@pytest.fixture
def pod(api: Api, environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Run one pod with a folder of its own, and return its exit code."""
    account = tmp_path / "account"
    account.mkdir()
    authority = Authority(tmp_path)
    (account / "token").write_text("cAnArYtOkEn", encoding="utf-8")
    (account / "namespace").write_text("media", encoding="utf-8")
    (account / "ca.crt").write_bytes(authority.ca_file.read_bytes())
    pods = iter(range(9))

    with ScriptedServer(api.respond, context=authority.context("127.0.0.1")) as server:

        def run() -> int:
            state = tmp_path / f"pod{next(pods)}"
            state.mkdir()
            inside = {
                **environ,
                "HOME": str(state),
                "KUBERNETES_SERVICE_HOST": "127.0.0.1",
                "KUBERNETES_SERVICE_PORT": str(server.port),
                "DRMKIT_SERVICE_ACCOUNT": str(account),
            }
            command = ["key-url", "refresh", "--kubernetes-secret", "key-server-url", "--output", f"{state}/url.json"]
            return main(["-q", *command], environ=inside)

        yield run


def test_pods_carry_on(pod: Callable[[], int], api: Api, cas_server: ScriptedServer, capsys: Any) -> None:
    """The URL of the first pod is in the Secret, bare and whole; the second renews, and counts on."""
    assert pod() == 0
    assert api.entry("url").endswith("?ticket=ST-1-cAnArY%2B%2F%3D")
    assert json.loads(api.entry("url.json"))["url"] == api.entry("url")
    assert pod() == 0
    assert api.entry("url").endswith("?ticket=ST-2-cAnArY%2B%2F%3D")
    assert json.loads(api.entry("url.json.state"))["renewals"] == 2
    assert api.tokens == {"Bearer cAnArYtOkEn"}
    assert capsys.readouterr() == ("", "")
    assert len(cas_server.requests) == 4


def test_a_rejected_password_outlives_its_pod(
    pod: Callable[[], int], api: Api, cas_server: ScriptedServer, capsys: Any
) -> None:
    """However many pods the CronJob starts, a wrong password is sent once."""
    cas = Cas(login=lambda _: Answer(401))
    cas_server.respond = cas.respond
    assert [pod() for _ in range(3)] == [3, 3, 3]
    assert cas.logins == 1
    assert json.loads(api.entry("url.json.state"))["failures"] == 3
    assert "cAnArY" not in capsys.readouterr().err
