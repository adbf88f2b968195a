"""The four protection schemes of Common Encryption, and what each is called elsewhere (ISO/IEC 23001-7, clause 10)."""

from __future__ import annotations

from drmkit.errors import SignalingError

__all__ = ["SCHEMES", "check_scheme", "fourcc", "hls_method", "is_cbc", "scheme_of_fourcc"]

SCHEMES = ("cenc", "cens", "cbc1", "cbcs")
_CBC = frozenset({"cbc1", "cbcs"})
_FOURCC = {scheme: int.from_bytes(scheme.encode("ascii"), "big") for scheme in SCHEMES}
_BY_FOURCC = {code: scheme for scheme, code in _FOURCC.items()}


def check_scheme(scheme: str) -> str:
    """Return `scheme` when it is one of `SCHEMES`.

    Raises:
        SignalingError: it is another text.
    """
    if scheme not in _FOURCC:
        raise SignalingError(
            f"unknown protection scheme {scheme!r}", hint=f"use one of {', '.join(SCHEMES)}, in lower case"
        )
    return scheme


def fourcc(scheme: str) -> int:
    """Return the scheme's four-character code as a big-endian 32-bit number."""
    return _FOURCC[check_scheme(scheme)]


def scheme_of_fourcc(code: int) -> str | None:
    """Return the scheme with this four-character code, or None for a code that is no scheme."""
    return _BY_FOURCC.get(code)


def is_cbc(scheme: str) -> bool:
    """Say whether the scheme encrypts with AES-CBC (cbc1, cbcs) rather than AES-CTR (cenc, cens)."""
    return check_scheme(scheme) in _CBC


def hls_method(scheme: str) -> str:
    """Return the `METHOD` of an HLS key tag for segments protected with this scheme."""
    return "SAMPLE-AES" if is_cbc(scheme) else "SAMPLE-AES-CTR"
