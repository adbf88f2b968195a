"""Reads what a manifest refers to: local files below one folder, http and https URLs, never more than was allowed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from drmkit.errors import InputError, ProtocolError, RemoteUnavailableError
from drmkit.http import HttpClient

__all__ = ["Access", "Location", "Reference", "UnreadableError"]

_MANIFEST = 8 * 2**20
_LARGEST = 64 * 2**20
# What a server may send that does not know ranges and sends the whole file.
_LARGEST_WHOLE = 256 * 2**20
_NO_RANGES = "a range of bytes was asked for: a server that knows none sends the whole file, which may be too large"
_CACHED = 1 << 20
_CACHE = 16 * 2**20
_OK, _PARTIAL = 200, 206
_REDIRECTS = range(300, 400)
_SERVER_FAULT = 500


class UnreadableError(InputError):
    """Something that a manifest refers to cannot be read, or may not be.

    Args:
        message: what and why.
        rule: the rule that a finding about it has.
        hint: what to do.
    """

    def __init__(self, message: str, *, rule: str = "segment-unreadable", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Location:
    """A file or a URL.

    Attributes:
        address: an absolute path, or an http or https URL.
        remote: whether it is a URL.
    """

    address: str
    remote: bool

    @property
    def shown(self) -> str:
        """The address for people: without user name, query and fragment, which can hold tokens."""
        if not self.remote:
            return self.address
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A location, or a range of bytes of it.

    Attributes:
        location: the file or URL.
        start: offset of the range's first byte; None for the whole.
        length: bytes of the range; None up to the end.
    """

    location: Location
    start: int | None = None
    length: int | None = None


class Access:
    """Reads for one check.

    Args:
        manifest: a path, or an http or https URL.
        http: makes the calls.
        root: the folder that a local manifest may refer into; by default the manifest's own.
        max_bytes: how much may be read in all.
    """

    def __init__(self, manifest: str, *, http: HttpClient, root: Path | None = None, max_bytes: int) -> None:
        self._http = http
        self._left = self._allowed = max_bytes
        self._cache: dict[Reference, bytes] = {}
        # The last file of which a server sent the whole instead of a range: the next range is of it as a rule.
        self._whole: tuple[Location, bytes] | None = None
        self.manifest = _manifest(manifest)
        self._root = (root or Path(self.manifest.address).parent).resolve() if not self.manifest.remote else Path()

    def name(self, location: Location) -> str:
        """Return a location's name as it is seen from the manifest."""
        folder, shown = self.manifest.shown.rpartition("/")[0] + "/", location.shown
        if shown.startswith(folder) and shown != folder:
            return shown[len(folder) :]
        return os.path.relpath(shown, folder) if not location.remote and not self.manifest.remote else shown

    def resolve(self, base: Location, uri: str) -> Location:
        """Return what a URI in a manifest means.

        Raises:
            UnreadableError: it is of a scheme that is not followed, or leads out of the folder that may be read.
        """
        try:
            return self._resolve(base, uri.strip())
        except ValueError as error:
            raise UnreadableError(f"{_clip(uri)} is no usable reference ({error})", rule="reference-refused") from None

    def _resolve(self, base: Location, uri: str) -> Location:
        parts = urlsplit(uri)
        if parts.scheme in {"http", "https"} and parts.netloc:
            return Location(uri, remote=True)
        if parts.scheme:
            raise UnreadableError(
                f"a reference of the scheme {_clip(parts.scheme)}: is not followed", rule="reference-refused"
            )
        if base.remote:
            return Location(urljoin(base.address, uri), remote=True)
        return self._local(base, uri, unquote(parts.path) if not parts.netloc else "")

    def _local(self, base: Location, uri: str, path: str) -> Location:
        if not path or "\0" in path:
            raise UnreadableError(f"{_clip(uri)} is no reference to a local file", rule="reference-refused")
        target = os.path.normpath(os.path.join(os.path.dirname(base.address), path))  # noqa: PTH118, PTH120 - keeps `/.`
        # Links are followed before the comparison: one that leads out would else be a way out.
        real = Path(os.path.realpath(target))
        if not real.is_relative_to(self._root):
            raise UnreadableError(
                f"{_clip(uri)} leads out of {self._root}, which is not followed", rule="reference-refused"
            )
        return Location(target, remote=False)

    def read_manifest(self, location: Location) -> bytes:
        """Read a manifest or playlist.

        Raises:
            UnreadableError: it is not there, or too large.
            RemoteUnavailableError: the server is unavailable.
        """
        return self.read(Reference(location), most=_MANIFEST, what="the manifest")

    def read(self, reference: Reference, *, most: int = _LARGEST, what: str = "it", cut: bool = False) -> bytes:
        """Read a location or a range of it.

        Args:
            reference: what to read.
            most: the largest size that is read, in bytes.
            what: what it is, for messages.
            cut: return the first `most` bytes of what is larger, instead of refusing it.

        Raises:
            UnreadableError: it is not there, is too large, ends too early, or more was read than is allowed.
            RemoteUnavailableError: the server is unavailable.
        """
        if reference in self._cache:
            return self._cache[reference]
        if reference.length is not None and reference.length > most and not cut:
            raise UnreadableError(f"{what} has {reference.length} bytes; at most {most} are read", rule="limit-reached")
        cap = min(most, self._left)
        data = self._remote(reference, cap, what, cut) if reference.location.remote else _file(reference, cap, cut)
        if len(data) > cap:
            if cap < most:
                raise UnreadableError(
                    f"the check has read the {self._allowed} bytes that it may read", rule="limit-reached"
                )
            raise UnreadableError(f"{what} is larger than {most} bytes", rule="limit-reached")
        if reference.length is not None and len(data) < min(reference.length, cap if cut else reference.length):
            raise UnreadableError(f"{what} ends after {len(data)} of {reference.length} bytes")
        self._left -= len(data)
        if len(data) <= _CACHED and sum(map(len, self._cache.values())) < _CACHE:
            self._cache[reference] = data
        return data

    def size(self, location: Location) -> int | None:
        """Return the size of a local file in bytes, or None where it is not known.

        Raises:
            UnreadableError: the file is not there.
        """
        try:
            return None if location.remote else Path(location.address).stat().st_size
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no usable path"
            raise UnreadableError(f"{self.name(location)} cannot be read ({reason})") from None

    def _remote(self, reference: Reference, cap: int, what: str, cut: bool) -> bytes:
        wanted = reference.length if reference.length is not None else None
        ranged = reference.start is not None or cut
        first = reference.start or 0
        if ranged and self._whole is not None and self._whole[0] == reference.location:
            return _part(self._whole[1], first, wanted, cap)
        headers = {}
        if ranged:
            size = min(wanted if wanted is not None else cap, cap)
            headers["Range"] = f"bytes={first}-{first + size - 1}" if size else f"bytes={first}-"
        try:
            answer = self._http.request(
                "GET", reference.location.address, purpose=f"{what} at {_host(reference.location)}",
                headers=headers, max_body=min(first + self._left, _LARGEST_WHOLE) + 1 if ranged else cap + 1,
            )  # fmt: skip
        except ProtocolError as error:
            raise UnreadableError(error.message, hint=_NO_RANGES if ranged else error.hint) from None
        if answer.status == _PARTIAL and ranged:
            return answer.body
        if answer.status == _OK:
            if not ranged:
                return answer.body
            self._whole = reference.location, answer.body
            return _part(answer.body, first, wanted, cap)
        self._refused(answer.status, what)
        raise AssertionError  # pragma: no cover - _refused always raises

    @staticmethod
    def _refused(status: int, what: str) -> None:
        if status in _REDIRECTS:
            raise UnreadableError(
                f"{what} is answered with a redirect (HTTP {status}), which is not followed",
                hint="give the URL that it leads to",
            )
        if status >= _SERVER_FAULT:
            raise RemoteUnavailableError(f"{what} is answered with HTTP {status}", hint="try again later")
        raise UnreadableError(f"{what} is answered with HTTP {status}", hint="check the URL, and access to it")


def _manifest(text: str) -> Location:
    try:
        parts = urlsplit(text)
        path = Path(text).expanduser()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{_clip(text)} names no manifest ({error})") from None
    if parts.scheme in {"http", "https"}:
        return Location(text, remote=True)
    if "://" in text:
        raise InputError(f"{_clip(parts.scheme)}:// is not read", hint="give a local file, or an http or https URL")
    return Location(str(path.absolute()), remote=False)


def _file(reference: Reference, cap: int, cut: bool) -> bytes:
    path = Path(reference.location.address)
    try:
        if not path.is_file():
            raise UnreadableError(f"{path.name} is not a file" if path.exists() else f"{path.name} does not exist")
        with path.open("rb") as file:
            file.seek(reference.start or 0)
            wanted = cap if cut else cap + 1
            return file.read(wanted if reference.length is None else min(reference.length, wanted))
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise UnreadableError(f"{path.name} cannot be read ({reason})", hint="check its permissions") from None


def _part(body: bytes, first: int, wanted: int | None, cap: int) -> bytes:
    return body[first : first + (cap if wanted is None else min(wanted, cap))]


def _host(location: Location) -> str:
    return urlsplit(location.address).netloc.rpartition("@")[2] or "no host"


def _clip(text: str) -> str:
    path = text.partition("?")[0]
    return repr(path if len(path) <= 60 else path[:60] + "...")  # noqa: PLR2004 - what fits on a line
