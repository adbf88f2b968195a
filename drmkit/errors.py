"""Every error that drmkit raises, each with its exit code and what to do next.

The tree, with the exit code that the command line gives each (children inherit it):

    DrmkitError                     70  never raised itself
      InputError                     2  input that cannot be read or parsed
        IdentifierError                 a key ID, system ID or ticket of the wrong shape
        XmlError                        not well-formed, or refused as unsafe
        CpixError                       a CPIX document whose content cannot be used
        SignalingError                  a PSSH box, header or tag that does not parse
        JobError                        a job that contradicts itself or its schema
      VerdictError                   1  the answer is no
        InvalidDocumentError            a document has findings of error severity
        KeySelectionError               no content key, or more than one, for a track
        PackagingError                  a packager or decryptor failed
        TaskFailedError                 a cloud task ended without success
        NoValidUrlError                 no key-server URL is at hand that is still valid
      ConfigurationError             3  configuration rejected: do not retry
        CredentialsRejectedError        wrong user name, password or secret key
        ServiceRejectedError            the account may not use this service, or it does not exist
        MissingExtraError               an optional part of drmkit is not installed
      LockHeldError                  4  another run holds the lock
      RemoteError                   69  a remote side is unavailable, or is not what it should be
        RemoteUnavailableError          refused, timed out, 5xx: worth another try
          RateLimitedError              429 or 423: worth another try, later
        TlsError                        the certificate cannot be trusted
        ProtocolError                   an answer that the protocol does not allow
        ApiError                        a cloud API answered with an error of its own
      StoreError                     1  a result could not be written
      TemporaryError                75  failed for now; the last good value is still valid
"""

from __future__ import annotations

import copyreg
from typing import Any

__all__ = [
    "ApiError",
    "ConfigurationError",
    "CpixError",
    "CredentialsRejectedError",
    "DrmkitError",
    "IdentifierError",
    "InputError",
    "InvalidDocumentError",
    "JobError",
    "KeySelectionError",
    "LockHeldError",
    "MissingExtraError",
    "NoValidUrlError",
    "PackagingError",
    "ProtocolError",
    "RateLimitedError",
    "RemoteError",
    "RemoteUnavailableError",
    "ServiceRejectedError",
    "SignalingError",
    "StoreError",
    "TaskFailedError",
    "TemporaryError",
    "TlsError",
    "VerdictError",
    "XmlError",
]


class DrmkitError(Exception):
    """The root of every error of drmkit.

    Args:
        message: what is wrong and where, in one sentence without secrets.
        hint: what to do next, or None where nothing helpful can be said.
    """

    exit_code = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls the constructor with the message alone, which errors with further required
        # arguments do not survive; process pools pickle what their workers raise.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined] # typeshed lacks it


class InputError(DrmkitError):
    """Input that cannot be read or parsed."""

    exit_code = 2


class IdentifierError(InputError):
    """A key ID, system ID or ticket does not have the shape that it must have."""


class XmlError(InputError):
    """XML that is not well-formed, or that is refused because it could do harm."""


class CpixError(InputError):
    """A CPIX document whose content cannot be used as asked."""


class SignalingError(InputError):
    """A PSSH box, DRM header, manifest tag or URI that does not parse."""


class JobError(InputError):
    """A job that contradicts itself, its template or the API's schema."""


class VerdictError(DrmkitError):
    """The question was answered, and the answer is no."""

    exit_code = 1


class InvalidDocumentError(VerdictError):
    """A document has findings of error severity."""


class KeySelectionError(VerdictError):
    """No content key, or more than one, matches a track."""


class PackagingError(VerdictError):
    """A packager or a decryptor failed, or its output is not what was asked for."""


class TaskFailedError(VerdictError):
    """A cloud task ended without success."""


class NoValidUrlError(VerdictError):
    """No key-server URL is at hand that is still valid."""


class ConfigurationError(DrmkitError):
    """A setting is missing, unknown, contradictory or unsafe."""

    exit_code = 3


class CredentialsRejectedError(ConfigurationError):
    """The remote side rejected a user name, password or secret key: trying again can lock the account."""


class ServiceRejectedError(ConfigurationError):
    """The account is fine, but it may not use this service, or the service does not exist."""


class MissingExtraError(ConfigurationError):
    """An optional part of drmkit, or a program that it needs, is not installed."""


class LockHeldError(DrmkitError):
    """Another run holds the lock."""

    exit_code = 4


class RemoteError(DrmkitError):
    """A remote side is unavailable, or does not behave as it should."""

    exit_code = 69


class RemoteUnavailableError(RemoteError):
    """A refused or broken connection, a timeout or a 5xx answer: worth another try.

    Args:
        message: what happened, without secrets.
        hint: what to do next.
        retry_after: seconds that the server asked to wait, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class RateLimitedError(RemoteUnavailableError):
    """The server asked to slow down (429) or has locked the account for a while (423)."""


class TlsError(RemoteError):
    """The server's certificate cannot be trusted."""


class ProtocolError(RemoteError):
    """The remote side answered something that its protocol does not allow."""


class ApiError(RemoteError):
    """A cloud API answered with an error of its own.

    Args:
        message: the API's message, without secrets.
        code: the API's error code, such as `InvalidParameterValue.SessionId`.
        request_id: the API's request ID, for its support.
        hint: what to do next.
    """

    def __init__(self, message: str, *, code: str, request_id: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.request_id = request_id


class StoreError(DrmkitError):
    """A result could not be written; what was stored before is untouched."""

    exit_code = 1


class TemporaryError(DrmkitError):
    """Something failed for now, and the last good value is still valid."""

    exit_code = 75
