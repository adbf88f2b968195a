"""Authentication: Basic as RFC 7617 writes it, and AWS's signatures by botocore, which may be missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.secret import Secret
from drmkit.speke.auth import BasicAuth, SigV4Auth


def test_basic_is_that_of_the_rfc() -> None:
    """RFC 7617, section 2: Aladdin and `open sesame`; section 2.1: test and 123£ in UTF-8."""
    assert BasicAuth("Aladdin", Secret("open sesame")).headers("POST", "", {}, b"") == {
        "Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    }
    assert BasicAuth("test", Secret("123\u00a3")).headers("POST", "", {}, b"") == {
        "Authorization": "Basic dGVzdDoxMjPCow=="
    }


def test_a_colon_in_a_user_name_is_refused() -> None:
    """A user name with a colon would be read as a part of the password."""
    with pytest.raises(ConfigurationError, match="no colon"):
        BasicAuth("a:b", Secret("c"))


class Botocore:
    """Botocore's interface as `SigV4Auth` uses it, with a signature that shows what went into it."""

    def load(self, name: str) -> Any:
        """Stand for a module of botocore."""
        return SimpleNamespace(
            AWSRequest=SimpleNamespace,
            Credentials=lambda *given: given,
            SigV4Auth=self.signer,
        )

    def signer(self, credentials: tuple[str, str, str | None], service: str, region: str) -> Any:
        """Make a signer."""

        def add_auth(request: Any) -> None:
            request.headers["Authorization"] = f"{credentials[0]} {region}/{service} {len(request.data)}"
            request.headers["X-Amz-Date"] = "20260101T000000Z"
            if credentials[2]:
                request.headers["X-Amz-Security-Token"] = credentials[2]

        return SimpleNamespace(add_auth=add_auth)


@pytest.mark.parametrize("token", [None, "token"])
def test_signatures_are_botocores(token: str | None) -> None:
    """What botocore adds is what is sent in addition; what was there already is not repeated."""
    auth = SigV4Auth(
        access_key="AKID",
        secret_key=Secret("cAnArY"),
        session_token=Secret(token) if token else None,
        region="eu-central-1",
        load=Botocore().load,
    )
    headers = auth.headers("POST", "https://x.example.com/", {"Content-Type": "application/xml"}, b"body")
    assert headers["Authorization"] == "AKID eu-central-1/execute-api 4"
    assert "Content-Type" not in headers
    assert headers.get("X-Amz-Security-Token") == token
    assert "cAnArY" not in repr(auth)
    assert len(auth.secrets) == (2 if token else 1)


def test_a_missing_signer_is_named() -> None:
    """Without botocore the error says what to install."""

    def nothing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    auth = SigV4Auth(access_key="AKID", secret_key=Secret("s"), region="eu-central-1", load=nothing)
    with pytest.raises(MissingExtraError, match="needs the package botocore") as caught:
        auth.headers("POST", "https://x.example.com/", {}, b"")
    assert "drmkit[aws]" in (caught.value.hint or "")
