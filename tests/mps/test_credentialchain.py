"""Where API keys come from: each place, their order, and what half-filled or broken places lead to."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from drmkit.errors import ConfigurationError, ProtocolError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.mps.credentialchain import CvmRole, find_credentials

ENV = {"TENCENTCLOUD_SECRET_ID": "AKIDenv", "TENCENTCLOUD_SECRET_KEY": "key-env"}
INI = "[default]\nsecret_id = \"AKIDini\"\nsecret_key = 'key-ini'\n"
TCCLI = {"secretId": "AKIDtccli", "secretKey": "key-tccli", "token": "token-tccli"}


@pytest.fixture
def find(tmp_path: Any) -> Any:
    """A function that looks for a key below a temporary folder."""

    def look(environ: Any = None, **more: Any) -> Any:
        return find_credentials(environ=environ or {}, home=tmp_path / "home", etc=tmp_path / "etc", **more)

    look.root = tmp_path
    return look


def write(root: Any, name: Any, text: Any) -> None:
    """Write a file below a folder."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")


def everything(root: Any) -> None:
    """Fill in every place that is a file."""
    write(root, "home/.tencentcloud/credentials", INI)
    write(root, "etc/tencentcloud/credentials", INI.replace("ini", "etc"))
    write(root, "home/.tccli/default.credential", TCCLI)


def values(found: Any) -> Any:
    """The ID, key and token of what was found."""
    key = found.current()
    return key.secret_id, key.secret_key.reveal(), key.token.reveal() if key.token else None


def test_the_environment_comes_first(find: Any) -> None:
    """The environment wins over every file, its token and region included."""
    everything(find.root)
    found = find(ENV | {"TENCENTCLOUD_TOKEN": "t", "TENCENTCLOUD_REGION": "ap-seoul"})
    assert values(found) == ("AKIDenv", "key-env", "t")
    assert (found.source, found.region, found.endpoint) == ("environment", "ap-seoul", None)
    assert [(look.place, look.result) for look in found.looks] == [("environment", "used")]
    assert values(find(ENV))[2] is None


def test_then_the_sdk_file_of_the_user(find: Any) -> None:
    """Next is ~/.tencentcloud/credentials; quotes around values are none of the values."""
    everything(find.root)
    found = find({"TENCENTCLOUD_SECRET_ID": ""})
    assert values(found) == ("AKIDini", "key-ini", None)
    assert found.source.endswith("home/.tencentcloud/credentials")
    assert [look.result for look in found.looks] == ["has no key", "used"]


def test_then_the_sdk_file_of_the_system(find: Any) -> None:
    """Next is /etc/tencentcloud/credentials; a user's file without [default] is passed over."""
    everything(find.root)
    write(find.root, "home/.tencentcloud/credentials", "[other]\nsecret_id = x\n")
    found = find()
    assert values(found) == ("AKIDetc", "key-etc", None)
    assert found.looks[1].result == "has no [default] section"


def test_then_tccli(find: Any) -> None:
    """Next are tccli's files: the key and token, and the region and endpoint of its settings."""
    write(find.root, "home/.tccli/default.credential", TCCLI)
    settings = {"_sys_param": {"region": "ap-tokyo"}, "mps": {"endpoint": "mps.intl.tencentcloudapi.com"}}
    write(find.root, "home/.tccli/default.configure", settings)
    found = find()
    assert values(found) == ("AKIDtccli", "key-tccli", "token-tccli")
    assert (found.region, found.endpoint) == ("ap-tokyo", "mps.intl.tencentcloudapi.com")


@pytest.mark.parametrize("settings", [None, {}, {"_sys_param": [], "mps": "x"}])
def test_tccli_without_settings(find: Any, settings: Any) -> None:
    """Tccli's settings may be absent or empty."""
    write(find.root, "home/.tccli/default.credential", TCCLI)
    if settings is not None:
        write(find.root, "home/.tccli/default.configure", settings)
    found = find()
    assert (found.region, found.endpoint) == (None, None)


def test_profiles_of_tccli(find: Any) -> None:
    """Tccli's profile is the one that is asked for, else TCCLI_PROFILE."""
    write(find.root, "home/.tccli/work.credential", TCCLI | {"secretId": "AKIDwork"})
    assert values(find({"TCCLI_PROFILE": "work"}))[0] == "AKIDwork"
    assert values(find(profile="work"))[0] == "AKIDwork"


def test_files_without_a_section_header(find: Any) -> None:
    """A credentials file whose section header was forgotten is read as [default]; a token is kept."""
    write(find.root, "home/.tencentcloud/credentials", "secret_id=AKIDx\nsecret_key=100%key\ntoken=t\n")
    assert values(find()) == ("AKIDx", "100%key", "t")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("home/.tencentcloud/credentials", "[default]\nsecret_id = AKID\n", "has secret_id, but no secret_key"),
        ("home/.tencentcloud/credentials", "[default]\nsecret_key = canary\n", "has secret_key, but no secret_id"),
        ("home/.tencentcloud/credentials", "[default\nsecret_key = canary\n", "is no INI file"),
        ("home/.tencentcloud/credentials", "[default]\nsecret_id = A KID\nsecret_key = canary\n", "the secret ID"),
        ("home/.tccli/default.credential", "{", r"is no JSON \(line 1\)"),
        ("home/.tccli/default.credential", "[]", "is no JSON object"),
    ],
)
def test_places_that_are_half_filled_in(find: Any, name: Any, text: Any, message: Any) -> None:
    """A place that is half filled in or broken ends the search with its name: another account is not used instead."""
    write(find.root, "etc/tencentcloud/credentials", INI)
    (find.root / "etc/tencentcloud/credentials").unlink()
    write(find.root, name, text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        find()
    assert "canary" not in f"{caught.value} {caught.value.hint}"


def test_half_an_environment(find: Any) -> None:
    """An ID without its key in the environment is named, and no file is used instead."""
    everything(find.root)
    with pytest.raises(ConfigurationError, match="has TENCENTCLOUD_SECRET_ID, but no TENCENTCLOUD_SECRET_KEY"):
        find({"TENCENTCLOUD_SECRET_ID": "AKID"})


def test_files_that_cannot_be_read(find: Any) -> None:
    """A folder in a file's place is a reason to look on, told in the report; a binary file is broken."""
    (find.root / "home/.tencentcloud/credentials").mkdir(parents=True)
    write(find.root, "etc/tencentcloud/credentials", INI)
    assert find().looks[1].result == "cannot be read (Is a directory)"
    (find.root / "etc/tencentcloud/credentials").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        find()


def test_nothing_anywhere(find: Any) -> None:
    """Without any key, every place is named with its reason."""
    with pytest.raises(ConfigurationError, match="no API key of Tencent Cloud was found") as caught:
        find()
    for part in ("environment: has no key", "credentials: does not exist", "CVM role: not asked"):
        assert part in str(caught.value)
    assert caught.value.exit_code == 3


class Metadata:
    """The metadata service of a CVM instance."""

    def __init__(self, role: Any = "my-role", lifetime: Any = 7200, **changes: Any) -> None:
        self.role = role
        self.changes = changes
        self.lifetime = lifetime
        self.now = 1700000000.0
        self.asked = []

    def __call__(self, request: Any) -> Any:
        """Answer a question."""
        name = request.url.path.rpartition("/")[2]
        self.asked.append(name)
        if not name:
            return httpx.Response(200, text=self.role)
        answer = {"TmpSecretId": f"AKID{len(self.asked)}", "TmpSecretKey": "k", "Token": "t", "Code": "Success"}
        return httpx.Response(200, json=answer | {"ExpiredTime": self.now + self.lifetime} | self.changes)

    @property
    def http(self) -> Any:
        """A client that reaches this service."""
        return HttpClient(transport=httpx.MockTransport(self))


def test_at_last_the_role_of_the_instance(find: Any) -> None:
    """At last the role of the CVM instance is asked for a temporary key."""
    service = Metadata()
    found = find(http=service.http, clock=lambda: service.now)
    assert values(found) == ("AKID2", "k", "t")
    assert service.asked == ["", "my-role"]


def test_tccli_may_name_the_role(find: Any) -> None:
    """Tccli's file may say that the role of the instance is to be used."""
    write(find.root, "home/.tccli/default.credential", {"type": "cvm-role"})
    service = Metadata()
    found = find(http=service.http, clock=lambda: service.now)
    assert values(found)[0] == "AKID2"
    assert found.source.endswith("default.credential")


def test_no_metadata_service(find: Any) -> None:
    """Where there is no metadata service, that is the reason in the report."""

    def refuse(request: Any) -> None:
        raise httpx.ConnectError("no route")

    with pytest.raises(ConfigurationError, match="CVM role: the metadata service: no connection"):
        find(http=HttpClient(transport=httpx.MockTransport(refuse)))


def test_a_temporary_key_is_renewed_in_time() -> None:
    """A key is kept until five minutes are left, then asked for again."""
    service = Metadata(lifetime=1000)
    role = CvmRole(service.http, clock=lambda: service.now)
    first = role()
    service.now += 699
    assert role() is first
    service.now += 1
    assert role() is not first
    assert len(service.asked) == 4


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (Metadata(role=""), "has no role"),
        (Metadata(role="<html>"), "has no role"),
        (Metadata(Code="Failed"), "answered 'Failed' instead of a key"),
        (Metadata(ExpiredTime="never"), "answered no key"),
    ],
)
def test_metadata_that_is_no_key(service: Any, message: Any) -> None:
    """An answer that is no key is refused with the reason."""
    with pytest.raises(ProtocolError, match=message):
        CvmRole(service.http)()


def test_metadata_that_does_not_answer() -> None:
    """Another status is told; a broken connection is what it is."""
    missing = HttpClient(transport=httpx.MockTransport(lambda request: httpx.Response(404)))
    with pytest.raises(ProtocolError, match="HTTP 404"):
        CvmRole(missing)()

    def refuse(request: Any) -> None:
        raise httpx.ConnectError("no route")

    with pytest.raises(RemoteUnavailableError):
        CvmRole(HttpClient(transport=httpx.MockTransport(refuse)))()
