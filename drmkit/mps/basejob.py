"""What jobs of every kind have in common: a request that can rest in a file, its secrets and key sources beside it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

import msgspec

from drmkit.errors import JobError
from drmkit.mps.findings import Finding, raise_errors
from drmkit.mps.keysource import KeySource
from drmkit.mps.schema import members, walk
from drmkit.mps.wire import AbstractMeta, Model, to_builtins
from drmkit.secret import Secret

__all__ = ["SECRET_FILE", "BaseJob", "KeyRequest", "Revealable", "mapped", "with_secrets"]

SECRET_FILE = "file:"
"""What a secret in a job begins with whose value is in a file: the path, relative to the job file."""

_SESSION_PREFIX = "drmkit-"
_SESSION_DIGITS = 40
_NOT_CONTENT = frozenset({"SessionId", "S3SecretKey", "S3SecretId", "NotifyKey"})
B = TypeVar("B", bound=Model)
J = TypeVar("J", bound="BaseJob[Any]")


class Revealable(Protocol):
    """A URL that is a secret: a Secret, or drmkit's KeyServerUrl."""

    def reveal(self) -> str:
        """Return the URL itself."""
        ...


class KeyRequest(NamedTuple):
    """One DRM task that needs a key-server URL.

    Attributes:
        path: the path of its SpekeDrm.KeyServerUrl.
        source: where the URL comes from.
    """

    path: str
    source: KeySource


class BaseJob(msgspec.Struct, Generic[B], frozen=True, metaclass=AbstractMeta):
    """A request that can rest in a file.

    Attributes:
        body: the request.
        schema_findings: what was wrong with the text that it was read from.
    """

    action: ClassVar[str]
    """The action of the API that takes the request."""
    service: ClassVar[str] = "mps"
    """The service that has the action."""
    version: ClassVar[str] = "2019-06-12"
    """The version of its API."""

    body: B
    schema_findings: tuple[Finding, ...] = ()

    def to_builtins(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return the job as dictionaries and lists; secrets are masked unless revealed."""
        found: dict[str, Any] = to_builtins(self.body, reveal=reveal)
        return found

    @abstractmethod
    def check(self, templates: Mapping[int, Any] | None = None) -> list[Finding]:
        """Return everything that is wrong or doubtful.

        Args:
            templates: the adaptive-bitrate templates of the account by their Definition, to check the tasks
                against them too; None where they are not known.
        """

    def require_valid(self, templates: Mapping[int, Any] | None = None) -> None:
        """Raise one JobError that names every error that `check()` finds, if there is one."""
        raise_errors(self.check(templates), "the job")

    @abstractmethod
    def preview(self, *, attempt: int = 0) -> Model:
        """Return the request as it would be sent, with key sources where URLs are yet to be minted.

        Raises:
            JobError: the job has errors.
        """

    @abstractmethod
    def request(self, urls: Sequence[Revealable | str] = (), *, attempt: int = 0) -> Model:
        """Return the request to send.

        Args:
            urls: a key-server URL for each of `key_requests`, in their order.
            attempt: see `session_id`.

        Raises:
            JobError: the job has errors, a secret of it is still in its file, or the URLs are not as many as the
                DRM tasks that need one.
        """

    def request_fields(self, *, attempt: int = 0, reveal: bool = False) -> dict[str, Any]:
        """Return the request as dictionaries and lists, with key sources where URLs are yet to be minted.

        Args:
            attempt: see `session_id`.
            reveal: leave secrets as they are.

        Raises:
            JobError: the job has errors.
        """
        found: dict[str, Any] = to_builtins(self.preview(attempt=attempt), reveal=reveal)
        return found

    @property
    def definitions(self) -> frozenset[int]:
        """The adaptive-bitrate templates that the job names."""
        return frozenset()

    @property
    def key_requests(self) -> tuple[KeyRequest, ...]:
        """One entry for each DRM task that needs a key-server URL, in the order of the request."""
        return ()

    def session_id(self, attempt: int = 0) -> str:
        """Return the SessionId: the job's own, or one derived from its content.

        The same content gives the same ID, whatever ticket its URLs hold; so MPS refuses to do a job twice within
        the days that it remembers the ID for.

        Args:
            attempt: another number gives another ID, for a deliberate repetition.
        """
        own: str | None = getattr(self.body, "session_id", None)
        if own and not attempt:
            return own
        content = msgspec.json.encode([_identity(self.body), own, attempt], order="deterministic")
        return _SESSION_PREFIX + hashlib.sha256(content).hexdigest()[:_SESSION_DIGITS]

    @property
    def models(self) -> Iterator[tuple[str, Model]]:
        """Every object of the job with its path."""
        return walk(self.body)

    @property
    def secret_files(self) -> tuple[tuple[str, str], ...]:
        """The secrets that are still in their files: the path of each in the job, and the file's."""
        return tuple(_unread(self.models))

    @property
    def plain_secrets(self) -> tuple[str, ...]:
        """The paths of the secrets that stand in the job themselves."""
        return tuple(_plain(self.models))

    def sources(self, urls: Sequence[Revealable | str]) -> list[KeySource]:
        """Return the key-server URLs to send.

        Args:
            urls: one for each of `key_requests`, in their order.

        Raises:
            JobError: they are not as many, one is no URL, or a secret of the job is still in its file.
        """
        if len(urls) != len(self.key_requests):
            raise JobError(f"the job needs {len(self.key_requests)} key-server URLs, not {len(urls)}")
        for path, _ in self.secret_files:
            raise JobError(f"{path} names a file that has not been read", hint="call jobfile.read_secrets(job, folder)")
        sources = [KeySource(url if isinstance(url, str) else url.reveal()) for url in urls]
        if not all(source.is_url for source in sources):
            raise JobError("a minted key-server URL is no URL", hint="check the key source's account")
        return sources

    def with_secrets(self, read: Callable[[str], str]) -> Self:
        """Return the job with each secret of the form `file:PATH` replaced by what `read(PATH)` returns."""
        return msgspec.structs.replace(self, body=with_secrets(self.body, read))


def mapped(model: Model, kind: type[Model], change: Callable[[Any], Any]) -> Any:
    """Return a copy of a model with each object of one kind inside it changed, in the order of the fields."""
    if isinstance(model, kind):
        return change(model)
    changes: dict[str, Any] = {}
    for member in members(type(model)).values():
        value = getattr(model, member.attribute)
        if isinstance(value, Model):
            changes[member.attribute] = mapped(value, kind, change)
        elif isinstance(value, list) and value and isinstance(value[0], Model):
            changes[member.attribute] = [mapped(item, kind, change) for item in value]
    return msgspec.structs.replace(model, **changes) if changes else model


def _identity(value: Any) -> Any:
    """Return a job's content without what may change while the job stays the same: tickets and access keys."""
    if isinstance(value, Model):
        named = ((member.name, getattr(value, member.attribute)) for member in members(type(value)).values())
        return {name: _identity(item) for name, item in named if item is not None and name not in _NOT_CONTENT}
    if isinstance(value, list):
        return [_identity(item) for item in value]
    if isinstance(value, KeySource):
        return value.identity
    return value.reveal() if isinstance(value, Secret) else value


def _secrets(models: Iterator[tuple[str, Model]]) -> Iterator[tuple[str, str]]:
    for path, model in models:
        for name, member in members(type(model)).items():
            value = getattr(model, member.attribute)
            if isinstance(value, Secret) and not isinstance(value, KeySource):
                yield (f"{path}.{name}" if path else name), value.reveal()


def _unread(models: Iterator[tuple[str, Model]]) -> Iterator[tuple[str, str]]:
    for path, text in _secrets(models):
        if text.startswith(SECRET_FILE):
            yield path, text.removeprefix(SECRET_FILE)


def _plain(models: Iterator[tuple[str, Model]]) -> Iterator[str]:
    for path, text in _secrets(models):
        if not text.startswith(SECRET_FILE):
            yield path


def with_secrets(model: Model, read: Callable[[str], str]) -> Any:
    """Return a copy of a model with each secret of the form `file:PATH` replaced by what `read(PATH)` returns."""
    changes: dict[str, Any] = {}
    for member in members(type(model)).values():
        value = getattr(model, member.attribute)
        if isinstance(value, Model):
            changes[member.attribute] = with_secrets(value, read)
        elif isinstance(value, list):
            changes[member.attribute] = [with_secrets(v, read) if isinstance(v, Model) else v for v in value]
        elif isinstance(value, Secret) and not isinstance(value, KeySource) and value.reveal().startswith(SECRET_FILE):
            changes[member.attribute] = Secret(read(value.reveal().removeprefix(SECRET_FILE)).strip())
    return msgspec.structs.replace(model, **changes) if changes else model
