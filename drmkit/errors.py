"""Every error that drmkit raises, each with its exit code and what to do next.

The tree, with the exit code that the command line gives each (children inherit it):

    DrmkitError                     70  never raised itself
      InputError                     2  input that cannot be read or parsed
        IdentifierError                 a key ID, system ID or ticket of the wrong shape
        XmlError                        not well-formed, or refused as unsafe
        CpixError                       a CPIX document whose content cannot be used
        CertificateError                a certificate or private key that cannot be used
          WeakCertificateError          one that is too weak, or not valid at the time
        SignalingError                  a PSSH box, header or tag that does not parse
        JobError                        a job that contradicts itself or its schema
      VerdictError                   1  the answer is no
        InvalidDocumentError            a document has findings of error severity
        DecryptionError                 the content keys of a document do not open; nothing was decrypted
          WrongKeyError                 the private key, or the document key, does not open them
            NotRecipientError           the document has no delivery data for this private key
          WrongMacError                 a MAC does not fit: the document was changed
          MissingMacError               an encrypted content key has no MAC
          PlainKeyError                 a content key is in the clear among encrypted ones
          EncryptionStructureError      parts of the encryption are missing, double or of unknown kind
        SignatureError                  the signatures of a document do not prove what they should
          NotSignedError                there is no signature
          BadSignatureError             a signature does not verify
          SignatureRefusedError         a signature of a form that can deceive
          UntrustedSignerError          a signer whom the caller does not trust
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
    "BadSignatureError",
    "CertificateError",
    "ConfigurationError",
    "CpixError",
    "CredentialsRejectedError",
    "DecryptionError",
    "DrmkitError",
    "EncryptionStructureError",
    "IdentifierError",
    "InputError",
    "InvalidDocumentError",
    "JobError",
    "KeySelectionError",
    "LockHeldError",
    "MissingExtraError",
    "MissingMacError",
    "NoValidUrlError",
    "NotRecipientError",
    "NotSignedError",
    "PackagingError",
    "PlainKeyError",
    "ProtocolError",
    "RateLimitedError",
    "RemoteError",
    "RemoteUnavailableError",
    "ServiceRejectedError",
    "SignalingError",
    "SignatureError",
    "SignatureRefusedError",
    "StoreError",
    "TaskFailedError",
    "TemporaryError",
    "TlsError",
    "UntrustedSignerError",
    "VerdictError",
    "WeakCertificateError",
    "WrongKeyError",
    "WrongMacError",
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


class CertificateError(InputError):
    """A certificate or private key that cannot be read, or that does not fit its use."""


class WeakCertificateError(CertificateError):
    """A certificate whose key or signature is weaker than CPIX recommends, or that is not valid at the time."""


class SignalingError(InputError):
    """A PSSH box, DRM header, manifest tag or URI that does not parse."""


class JobError(InputError):
    """A job that contradicts itself, its template or the API's schema."""


class VerdictError(DrmkitError):
    """The question was answered, and the answer is no."""

    exit_code = 1


class InvalidDocumentError(VerdictError):
    """A document has findings of error severity."""


class DecryptionError(VerdictError):
    """The content keys of a document do not open; nothing of it was decrypted."""


class WrongKeyError(DecryptionError):
    """The private key does not open the document key, or the document key does not open a content key."""


class NotRecipientError(WrongKeyError):
    """The document has no delivery data for the holder of this private key."""


class WrongMacError(DecryptionError):
    """The MAC of an encrypted content key does not fit: the document was changed, or made with another MAC key."""


class MissingMacError(DecryptionError):
    """An encrypted content key has no MAC, so that a change of it could not be noticed."""


class PlainKeyError(DecryptionError):
    """A key is in the clear where the document's keys are encrypted."""


class EncryptionStructureError(DecryptionError):
    """Parts of the encryption are missing, double, contradictory or of an unknown kind."""


class SignatureError(VerdictError):
    """The signatures of a document do not prove what they should."""


class NotSignedError(SignatureError):
    """The document has no signature."""


class BadSignatureError(SignatureError):
    """A signature does not verify: what it covers was changed, or it was not made with the signer's key."""


class SignatureRefusedError(SignatureError):
    """A signature of a form, place or algorithm that can deceive whoever relies on it."""


class UntrustedSignerError(SignatureError):
    """A signature by a signer whom the caller does not trust."""


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
    """Something failed for now, and the last good value is still valid.

    Args:
        message: what happened, without secrets.
        hint: what to do next.
        retry_after: seconds that the server asked to wait, or None.
    """

    exit_code = 75

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
