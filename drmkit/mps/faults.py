"""What the API's own errors mean: which are a matter of credentials, account, load, outage or input."""

from __future__ import annotations

import re
from typing import Any

from drmkit.errors import (
    ApiError,
    CredentialsRejectedError,
    DrmkitError,
    JobError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.secret import MASK

__all__ = [
    "DUPLICATE_SESSION",
    "SIGNATURE_EXPIRED",
    "ApiBusyError",
    "ApiCredentialsError",
    "ApiInputError",
    "ApiServiceError",
    "ApiUnavailableError",
    "api_error",
    "clean",
    "clean_messages",
]

DUPLICATE_SESSION = "InvalidParameterValue.SessionId"
SIGNATURE_EXPIRED = "AuthFailure.SignatureExpire"

_MESSAGES = frozenset({"Message", "ErrMsg"})
_URL = r"(?i)(https?://)(?:[^\s/@\"'<>]*@)?([^\s/?#\"'<>]+)[^\s\"'<>]*"
_TICKET = r"(?i)\b((?:T?GT|ST)-)[\w.+/=%-]+|\b((?:ticket|token|key)=)[^\s&\"'<>]+"


class _CodedError(DrmkitError):
    """The constructor that the errors of the API share."""

    def __init__(self, message: str, *, code: str, request_id: str = "", hint: str | None = None) -> None:
        DrmkitError.__init__(self, message, hint=hint)
        self.code = code
        self.request_id = request_id
        self.retry_after: float | None = None


class ApiCredentialsError(_CodedError, CredentialsRejectedError, ApiError):
    """The API rejected the secret ID, the signature, the token or the clock (exit code 3)."""


class ApiServiceError(_CodedError, ServiceRejectedError, ApiError):
    """The account is known, but may not use the service: arrears, no permission, not activated (exit code 3)."""


class ApiBusyError(_CodedError, RateLimitedError, ApiError):
    """The API's rate limit was exceeded; the request was rejected before any work began (exit code 69)."""


class ApiUnavailableError(_CodedError, RemoteUnavailableError, ApiError):
    """The API failed by itself; whether the request took effect is unknown (exit code 69)."""


class ApiInputError(_CodedError, JobError, ApiError):
    """The API does not accept what it was asked for (exit code 2)."""


_KINDS: tuple[tuple[str, type[ApiError]], ...] = (
    ("AuthFailure.UnauthorizedOperation", ApiServiceError),
    ("AuthFailure", ApiCredentialsError),
    ("UnauthorizedOperation", ApiServiceError),
    ("IpInBlacklist", ApiServiceError),
    ("IpNotInWhitelist", ApiServiceError),
    ("FailedOperation.InvalidMpsUser", ApiServiceError),
    ("FailedOperation.InvalidUser", ApiServiceError),
    ("FailedOperation.UserArrears", ApiServiceError),
    ("InvalidParameterValue.UserUnRegister", ApiServiceError),
    ("ResourceNotFound.UserUnregister", ApiServiceError),
    ("UnsupportedRegion", ApiServiceError),
    ("RequestLimitExceeded", ApiBusyError),
    ("LimitExceeded.CreateTask", ApiBusyError),
    ("InternalError", ApiUnavailableError),
    ("ServiceUnavailable", ApiUnavailableError),
    ("InvalidParameter", ApiInputError),
    ("InvalidParameterValue", ApiInputError),
    ("InvalidRequest", ApiInputError),
    ("MissingParameter", ApiInputError),
    ("UnknownParameter", ApiInputError),
    ("RequestSizeLimitExceeded", ApiInputError),
    ("ResourceNotFound", ApiInputError),
)
_HINTS: tuple[tuple[str, str], ...] = (
    (
        "AuthFailure.SignatureExpire",
        "set this machine's clock: it may differ from the server's by five minutes at most",
    ),
    ("AuthFailure.SignatureFailure", "check the secret key; a stray blank or quote around it is enough"),
    ("AuthFailure.SecretIdNotFound", "check the secret ID, and that it is enabled in the console (CAM > API keys)"),
    (
        "AuthFailure.InvalidSecretId",
        "check the secret ID: it must be an API key of Tencent Cloud, which begins with AKID",
    ),
    ("AuthFailure.TokenFailure", "the temporary credentials have ended or do not belong together: get new ones"),
    ("AuthFailure", "check the secret ID, the secret key and the token"),
    ("FailedOperation.UserArrears", "settle the account's bill in the Tencent Cloud console, then submit again"),
    ("FailedOperation.InvalidVodUser", "activate Video on Demand for this account in the console"),
    (
        "InvalidParameterValue.FileId",
        "check FileId and SubAppId: a file is found in its own application, at its own site",
    ),
    ("InvalidParameterValue.SubAppId", "check SubAppId: the ID of the VOD application that the file is in"),
    ("FailedOperation.InvalidMpsUser", "activate Media Processing Service for this account in the console"),
    ("UnauthorizedOperation", "grant this sub-account the action in CAM (policy QcloudMPSFullAccess, or narrower)"),
    (
        DUPLICATE_SESSION,
        "a job with this SessionId was submitted before: look for its task, or choose another SessionId",
    ),
    (
        "ResourceNotFound.TemplateNotExist",
        "check Definition: the template must exist in this account, at this endpoint",
    ),
    ("InvalidParameterValue.Definition", "check Definition: the template must exist in this account, at this endpoint"),
    ("ResourceNotFound", "tasks, templates and buckets are found only by the account and the site that made them"),
    ("InvalidParameterValue.TaskId", "a task is found for a few days, and only at the site that it was submitted to"),
    ("UnsupportedRegion", "choose a region of MPS, or leave the region out"),
    ("RequestLimitExceeded", "submit more slowly"),
    ("LimitExceeded.CreateTask", "wait until earlier tasks have ended"),
)


def api_error(code: str, message: str, request_id: str = "", *, service: str = "MPS") -> ApiError:
    """Return the error for what the API answered.

    Args:
        code: such as `InvalidParameterValue.SessionId`.
        message: the API's own text; URLs and tickets in it are masked.
        request_id: the API's request ID.
        service: whose API it is.
    """
    kind = next((kind for prefix, kind in _KINDS if _matches(code, prefix)), ApiError)
    hint = next((hint for prefix, hint in _HINTS if _matches(code, prefix)), None)
    number = f" (request {request_id})" if request_id else ""
    return kind(f"{service} answered {code}: {clean(message)}{number}", code=code, request_id=request_id, hint=hint)


def clean(text: str) -> str:
    """Return a text of the API without what it may quote from a request: queries and paths of URLs, tickets."""
    text = re.sub(_URL, rf"\1\2/{MASK}", text)
    return re.sub(_TICKET, lambda found: f"{found[1] or found[2]}{MASK}", text)


def clean_messages(value: Any, name: str = "") -> Any:
    """Return an answer or a callback in dictionaries and lists, fit to be shown: messages cleaned, its Sign masked."""
    if isinstance(value, dict):
        return {key: clean_messages(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [clean_messages(item) for item in value]
    if isinstance(value, str) and name in _MESSAGES:
        return clean(value)
    return MASK if name == "Sign" and value else value


def _matches(code: str, prefix: str) -> bool:
    return code == prefix or code.startswith(f"{prefix}.")
