"""The faults that the sandbox can show: each has a name that begins with its role, and a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a vendor misbehaves.

    Attributes:
        name: what it is called; it begins with the role that shows it.
        summary: what happens, for people.
    """

    name: str
    summary: str

    @property
    def role(self) -> str:
        """The role that shows the fault: `cas`, `keyserver`, `speke` or `mps`."""
        return self.name.partition("-")[0]


FAULTS: dict[str, Fault] = {
    name: Fault(name, summary)
    for name, summary in (
        ("cas-login-refused", "right credentials are answered like wrong ones"),
        ("cas-unavailable", "503 with an HTML page"),
        ("cas-rate-limited", "429 with Retry-After as an HTTP date one minute ahead"),
        ("cas-location-elsewhere", "the Location of the login names another host"),
        ("cas-no-location", "the login answers 201 without a Location"),
        ("cas-login-forgotten", "the ticket-granting ticket is gone at its next use"),
        ("cas-html-ticket", "200 with an HTML page instead of a service ticket"),
        ("cas-empty-ticket", "200 with an empty body instead of a service ticket"),
        ("cas-crlf", "the service ticket ends with CR LF"),
        ("cas-early-expiry", "a service ticket is expired as soon as it is issued"),
        ("cas-single-use", "a service ticket works once"),
        ("cas-clock-ahead", "the Date header is an hour ahead"),
        ("cas-slow", "the answer is late by the fault delay, 5 seconds unless set"),
        ("cas-dripping", "the body comes byte by byte, one each fiftieth of the fault delay"),
        ("cas-dropped", "the connection is accepted, and reset before anything was done or answered"),
        ("cas-cut", "everything was done, and the connection ends in the middle of the answer's body"),
        ("keyserver-unavailable", "503 with an HTML page"),
        ("keyserver-rate-limited", "429 with Retry-After: 30"),
        ("keyserver-html", "200 with an HTML page instead of a document"),
        ("keyserver-json-error", "200 with a JSON error instead of a document"),
        ("keyserver-truncated", "the document breaks off in the middle"),
        ("keyserver-wrong-key", "every content key is another one than the key store holds"),
        ("keyserver-swapped-keys", "the content keys of two tracks change places"),
        ("keyserver-kid-as-key", "every content key is its own key ID"),
        ("keyserver-duplicate-kid", "two tracks share one key ID"),
        ("keyserver-wrong-kid", "PSSH boxes and signaling name key IDs that are not in the document"),
        ("keyserver-swapped-pssh", "the PSSH boxes of Widevine and PlayReady change places"),
        ("keyserver-no-systems", "the document holds keys and no DRM systems"),
        ("keyserver-wrong-scheme", "the document is for the other protection scheme than asked for"),
        ("keyserver-content-type", "the document comes as text/html"),
        (
            "keyserver-clock-ahead",
            "the clock that judges tickets is an hour ahead, also in the Date header",
        ),
        ("keyserver-slow", "the answer is late by the fault delay, 5 seconds unless set"),
        (
            "keyserver-dripping",
            "the body comes byte by byte, one each fiftieth of the fault delay",
        ),
        ("keyserver-dropped", "the connection is accepted, and reset before anything was done or answered"),
        ("keyserver-cut", "everything was done, and the connection ends in the middle of the answer's body"),
        ("speke-unavailable", "503 with an HTML page"),
        ("speke-rate-limited", "429 with Retry-After: 30"),
        ("speke-html", "200 with an HTML page instead of a document"),
        ("speke-json-error", "200 with a JSON error instead of a document"),
        ("speke-truncated", "the document breaks off in the middle"),
        ("speke-content-type", "documents come as text/html"),
        ("speke-version-header-missing", "X-Speke-Version is not echoed"),
        ("speke-version-header-changed", "X-Speke-Version comes back as 9.9"),
        ("speke-no-user-agent", "X-Speke-User-Agent is missing"),
        ("speke-unchecked", "requests that break the contract are answered all the same"),
        ("speke-any-version", "an unknown X-Speke-Version is answered like 2.0"),
        ("speke-errors-as-200", "refusals come with status 200"),
        ("speke-error-text", "refusals do not say the prescribed text"),
        ("speke-strict-parts", "as many filters as parts are demanded of AWS's own presets too"),
        ("speke-random-keys", "the same request gets other keys each time"),
        ("speke-case-sensitive-kid", "upper and lower case of a key ID get different keys"),
        ("speke-order-dependent-keys", "keys depend on the place of a key in the list"),
        ("speke-same-key", "all key IDs get one key"),
        ("speke-kid-as-key", "every content key is its own key ID"),
        ("speke-zero-key", "every content key is 16 zero bytes"),
        ("speke-short-key", "every content key has 8 bytes"),
        ("speke-key-as-iv", "the IV is the content key"),
        ("speke-key-missing", "the last content key has no value"),
        ("speke-content-id-changed", "contentId comes back in capital letters"),
        ("speke-cpix-version-changed", "CPIX@version comes back as 2.0"),
        ("speke-scheme-changed", "commonEncryptionScheme comes back as another one"),
        ("speke-id-added", "a CPIX@id is added"),
        ("speke-rule-changed", "a filter of the first usage rule loses its bounds, or gets one"),
        ("speke-rule-dropped", "the last usage rule is missing"),
        ("speke-periods-dropped", "the key periods are missing"),
        ("speke-period-times-changed", "the times of key periods are an hour off"),
        ("speke-system-dropped", "the last DRM system is missing"),
        ("speke-element-dropped", "the key tags for master playlists are missing"),
        ("speke-name-dropped", "attributes that the provider does not know are missing"),
        ("speke-left-empty", "the first empty place stays empty"),
        ("speke-extra-key", "a key is there that nobody asked for"),
        ("speke-kid-half-renamed", "a key has a new ID in the key list alone"),
        ("speke-kid-in-pssh", "PSSH boxes name other key IDs"),
        ("speke-guid-order", "PlayReady's key ID is in network byte order"),
        ("speke-checksum", "PlayReady's CHECKSUM is that of another key"),
        ("speke-pssh-differs", "PSSH and ContentProtectionData hold different boxes"),
        ("speke-hls-differs", "the key tags for media and master playlists differ"),
        ("speke-hls-keyformat", "HLS key tags have the KEYFORMAT identity"),
        ("speke-not-base64", "HLS key tags are plain text instead of base64"),
        ("speke-not-encrypted", "recipients in the request are ignored"),
        ("speke-wrong-mac", "the MACs of encrypted keys do not fit"),
        ("speke-other-recipient", "keys are encrypted under a document key that the recipient does not get"),
        ("speke-mac-missing", "encrypted keys have no MAC"),
        ("speke-slow", "the answer is late by the fault delay, 5 seconds unless set"),
        ("speke-dripping", "the body comes byte by byte, one each fiftieth of the fault delay"),
        ("speke-dropped", "the connection is accepted, and reset before anything was done or answered"),
        ("speke-cut", "everything was done, and the connection ends in the middle of the answer's body"),
        ("mps-signature-ignored", "a wrong signature is taken for a right one"),
        ("mps-signature-refused", "a right signature is taken for a wrong one"),
        ("mps-clock-ahead", "the API's clock is an hour ahead, also in its Date header"),
        ("mps-rate-limited", "RequestLimitExceeded"),
        ("mps-internal-error", "InternalError before anything happened"),
        ("mps-answer-lost", "the task is created, and the answer is InternalError"),
        ("mps-html", "502 with an HTML page"),
        ("mps-task-fails", "every subtask fails with InternalError"),
        ("mps-task-stuck", "a task is never taken from the queue"),
        (
            "mps-content-type",
            "answers have a charset in their type, at which the official SDK sees no error",
        ),
        ("mps-callback-lost", "a callback is not sent"),
        ("mps-callback-repeated", "a callback is sent twice"),
        ("mps-callback-unsigned", "a callback has neither Timestamp nor Sign"),
        ("mps-slow", "the answer is late by the fault delay, 5 seconds unless set"),
        ("mps-dripping", "the body comes byte by byte, one each fiftieth of the fault delay"),
        ("mps-dropped", "the connection is accepted, and reset before anything was done or answered"),
        ("mps-cut", "everything was done, and the connection ends in the middle of the answer's body"),
    )
}
