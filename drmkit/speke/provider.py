"""A key provider: fills a request from a key source, and loses nothing of it.

    provider = Provider(from_seeds("hkdf-sha256", seed, iv_seed=iv_seed))
    answer = provider.respond(body, speke_version=headers.get("X-Speke-Version"))   # status, headers, body

The same request always gets the same keys, as long as the source keeps that promise. Upper and lower case of a key ID
are the same key. What is not a placeholder stays as it came, comments and unknown elements included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from drmkit import __version__, cpix
from drmkit.cpix.document import Document
from drmkit.cpix.encryption import encrypt
from drmkit.errors import CertificateError, InputError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.signaling.fairplay import uri_with_json
from drmkit.signaling.material import Options
from drmkit.signaling.schemes import is_cbc
from drmkit.speke.contract import NOT_SUPPORTED, Refusal, check_header, first_refusal
from drmkit.speke.placeholders import Demands, FairplayUri, UnfillableError, fill_key, fill_system, usual_scheme
from drmkit.speke.reading import Reading
from drmkit.speke.sources import KeySource
from drmkit.speke.versions import MEDIA_TYPE, VERSION_HEADER, VERSIONS, SpekeVersion

__all__ = ["Provider", "ProviderAnswer"]

_OK: Final = 200
_BAD_REQUEST: Final = 400
_MAX_BYTES: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What goes back to the encryptor.

    Attributes:
        status: the HTTP status: 200, or 4xx with an error text.
        headers: the HTTP headers.
        body: the document, with keys that may be in the clear, or the error text; kept out of the repr.
        kids: the keys that were given, none for an error.
        rule: the ID of the rule that the request breaks, or None.
    """

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    kids: tuple[KeyId, ...] = ()
    rule: str | None = None


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Provider:
    """Answers requests. Thread-safe where the key source is.

    Args:
        keys: gives the key of a key ID.
        options: what the license services want in the signaling, such as license URLs.
        demands: what is demanded of devices (SPEKE 2.1).
        fairplay_uri: makes FairPlay's key URI; MediaPackage's form by default.
        versions: the versions of SPEKE that are spoken.
        supports: says whether a contract is within the security levels that the licenses allow; a request for which
            it returns False is refused with `Requested CPIX encryption contract not supported`.
        checked: whether requests that break the contract are refused; False fills whatever it can.
        user_agent: names the provider in every answer.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        options: Options | None = None,
        demands: Demands | None = None,
        fairplay_uri: FairplayUri = uri_with_json,
        versions: Iterable[str] = tuple(VERSIONS),
        supports: Callable[[Document], bool] = lambda _: True,
        checked: bool = True,
        user_agent: str = f"drmkit/{__version__}",
    ) -> None:
        self._keys = keys
        self._options = options or Options()
        self._demands = demands or Demands()
        self._fairplay_uri = fairplay_uri
        self._versions = frozenset(versions)
        self._supports = supports
        self._checked = checked
        self._user_agent = user_agent

    def respond(self, body: bytes, *, speke_version: str | None) -> ProviderAnswer:
        """Answer one request; every fault of the request becomes an answer, not an exception.

        Args:
            body: the request's body.
            speke_version: its `X-Speke-Version` header, or None.
        """
        version = check_header(speke_version, self._versions)
        if isinstance(version, Refusal):
            return self._refuse(version, VERSIONS["2.0"], speke_version)
        try:
            request = cpix.parse(body, max_bytes=_MAX_BYTES)
            document, kids = self._fill(request, version)
        except InputError as error:
            refusal = Refusal("speke-unreadable", f"Malformed CPIX document: {error.message}", _BAD_REQUEST)
            return self._refuse(refusal, version, speke_version)
        except _RefusedError as error:
            return self._refuse(error.refusal, version, speke_version)
        return ProviderAnswer(
            _OK, self._headers(version, speke_version, f"{MEDIA_TYPE}; charset=utf-8"), document.to_xml(), kids
        )

    def fill(self, document: Document, version: SpekeVersion) -> Document | Refusal:
        """Fill a request.

        Args:
            document: the request; it is changed in place, also where it is refused half way.
            version: the version of SPEKE that it is of.

        Returns:
            The answer, which is another document where its keys are encrypted; or why there is none.
        """
        try:
            return self._fill(document, version)[0]
        except _RefusedError as error:
            return error.refusal

    def _fill(self, document: Document, version: SpekeVersion) -> tuple[Document, tuple[KeyId, ...]]:
        reading = Reading(document, version)
        if self._checked:
            refusal = first_refusal(reading)
            if refusal is not None:
                raise _RefusedError(refusal)
        if not self._supports(document):
            raise _RefusedError(Refusal("speke-security-level", NOT_SUPPORTED))
        for signature in list(document.signatures):
            # It covers what is filled here, so that it could not hold; SPEKE has no signatures.
            document.signatures.remove(signature)
        document.touch()
        try:
            kids = self._fill_places(reading)
            if len(document.recipients):
                document = encrypt(document, allow_weak=True)
        except UnfillableError as error:
            raise _RefusedError(Refusal("speke-not-supported", error.text)) from None
        except SignalingError as error:
            raise _RefusedError(Refusal("speke-not-supported", error.message)) from None
        except CertificateError as error:
            raise _RefusedError(Refusal("speke-certificate", error.message)) from None
        return document, kids

    def _fill_places(self, reading: Reading) -> tuple[KeyId, ...]:
        document = reading.document
        content_id = (document.id if reading.version.is_first else document.content_id) or ""
        keys: dict[str, DerivedKey] = {}
        schemes = reading.schemes
        # Version 1.0 states no scheme: whether a key needs an IV shows in its systems.
        hls = {row.kid for row in reading.systems if row.kid not in schemes and _wants_iv(usual_scheme(row))}
        for view in document.content_keys:
            found = self._key(view, content_id, with_iv=view.kid.uuid in hls or _wants_iv(view.scheme))
            keys[found.kid.uuid] = found
            fill_key(view.element, self._demands)
        for row in reading.systems:
            if row.kid in keys:
                fill_system(
                    row,
                    keys[row.kid],
                    scheme=schemes.get(row.kid),
                    content_id=content_id,
                    options=self._options,
                    demands=self._demands,
                    fairplay_uri=self._fairplay_uri,
                    every_place=not reading.version.is_first,
                )
        return tuple(found.kid for found in keys.values())

    def _key(self, view: cpix.ContentKey, content_id: str, *, with_iv: bool) -> DerivedKey:
        found = self._keys(view.kid, content_id)
        if found is None:
            raise _RefusedError(Refusal("speke-key-unknown", f"No key for KID {view.kid}"))
        if self._checked and len(view.element) and _has_other_key(view, found):
            # The encryptor would lose its own key without a word, or use one that the licenses do not have.
            raise _RefusedError(Refusal("speke-key-given", f"ContentKey for KID {view.kid} has another value already"))
        asked = view.element.get("explicitIV")
        if asked:
            # The encryptor's own IV stays, and the signaling names that one.
            found = DerivedKey(found.kid, found.key, view.iv)
        elif found.iv is not None and (asked is not None or with_iv):
            view.iv = found.iv
        elif asked is not None:
            raise _RefusedError(Refusal("speke-not-supported", "Unsupported ContentKey@explicitIV"))
        view.key = found.key
        return found

    def _refuse(self, refusal: Refusal, version: SpekeVersion, header: str | None) -> ProviderAnswer:
        headers = self._headers(version, header, "text/plain; charset=utf-8")
        return ProviderAnswer(refusal.status, headers, refusal.text.encode(), rule=refusal.rule)

    def _headers(self, version: SpekeVersion, header: str | None, media_type: str) -> dict[str, str]:
        headers = {"Content-Type": media_type, version.user_agent: self._user_agent}
        if header is not None and header.isascii() and header.isprintable():
            headers[VERSION_HEADER] = header.strip()
        return headers


def _has_other_key(view: cpix.ContentKey, found: DerivedKey) -> bool:
    given = view.key
    return view.is_encrypted or (given is not None and given != found.key)


def _wants_iv(scheme: str | None) -> bool:
    """Say whether a scheme encrypts with one IV for everything, which the encryptor then has to be told."""
    return scheme in {"AES-128", "SAMPLE-AES"} or (scheme in {"cbc1", "cbcs"} and is_cbc(scheme))
