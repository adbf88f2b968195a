"""What can be set about a sandbox, checked before anything starts."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from drmkit.errors import ConfigurationError
from drmkit.loopback import is_loopback, leads_here
from drmkit.sandbox.faultprofiles import read_faults
from drmkit.sandbox.faults import FaultSetting
from drmkit.secret import Secret
from drmkit.stream.tools import Tools

__all__ = ["SEGMENT_TYPES", "STREAM_TYPES", "KeyAcquireMode", "Rendition", "SandboxOptions", "Template"]

STREAM_TYPES = ("AUDIO", "SD", "HD", "UHD")
SEGMENT_TYPES = ("mp4-segment", "mp4-byterange", "mp4-mp4-segment", "mp4-mp4-byterange", "ts-segment", "ts-byterange")
KeyAcquireMode = Literal["POST", "GET"]
_PATH_SEGMENT = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_TOKEN_SECRET = re.compile(r"(?:[0-9A-Fa-f]{2}){16,}")
_MAX_PORT = 65535
_MIN_SEED = 16


@dataclass(frozen=True, slots=True)
class Rendition:
    """A rung of a template's ladder: a size of the picture in even numbers of pixels, and bits per second."""

    width: int
    height: int
    bitrate: int


LADDER = (Rendition(1280, 720, 1_500_000), Rendition(640, 360, 600_000), Rendition(320, 180, 250_000))


@dataclass(frozen=True, slots=True)
class Template:
    """An adaptive-bitrate template of the sandbox's media processing account.

    Attributes:
        format: `HLS` or `MPEG-DASH`.
        segment_type: such as `mp4-segment`; the default fits every DRM type on HLS.
        renditions: its ladder of pictures; one rendition of the sound stands behind them.
    """

    format: str = "HLS"
    segment_type: str = "mp4-segment"
    renditions: tuple[Rendition, ...] = LADDER

    @property
    def extension(self) -> str:
        """What the name of its manifest ends in."""
        return "mpd" if self.format == "MPEG-DASH" else "m3u8"

    @property
    def single_file(self) -> bool:
        """Whether a substream is one file that players read in ranges of bytes."""
        return self.segment_type.endswith("-byterange")

    @property
    def container(self) -> Literal["ts", "mp4"]:
        """The container of its segments."""
        return "ts" if self.segment_type.startswith("ts-") else "mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox behaves; every secret that is left None is made at random when the sandbox starts.

    Attributes:
        host: a loopback address to bind; nothing else is accepted.
        port: the TCP port, 0 for one that is free.
        username: the API account of the ticket server.
        password: its password.
        organization: the organization's UUID, a part of every key-server URL.
        cpix_config: the CPIX config ID, likewise.
        secret_id: the media processing API's key ID.
        secret_key: the media processing API's signing key.
        token_kid: the ID of the secret that upfront tokens are signed with.
        token_secret: that secret, as hexadecimal digits, at least 32 of them.
        token_secrets_before: secrets that are being rotated out, by their IDs; they still verify.
        key_seed: at least 16 bytes from which content keys are derived.
        iv_seed: at least 16 bytes from which initialization vectors are derived.
        ticket_lifetime: seconds that a service ticket lives, None for as long as the sandbox.
        login_lifetime: seconds that a ticket-granting ticket lives, None for as long as the sandbox.
        single_use: whether a service ticket works only once.
        stream_types: the tracks that an ingest makes keys for, out of `STREAM_TYPES`.
        queue_delay: seconds that a media task waits before its worker takes it.
        processing_time: seconds that a media task then takes.
        templates: adaptive-bitrate templates by definition; every other definition counts as `Template()`.
        key_acquire_mode: how media tasks ask a KeyServerUrl for keys: `POST` of a SPEKE 2.0 request whose content ID is
            the ResourceId, or `GET` of whatever document the URL gives.
        encrypt: whether media tasks encrypt. None: where Shaka Packager and ffmpeg are installed; else they check
            their keys only.
        tools: the programs that encrypt; None takes those of the extra `packager`.
        storage: the folder that stands for all buckets, `STORAGE/BUCKET/KEY`; it stays. None makes one that goes when
            the sandbox stops.
        strict_inputs: whether an input that is neither an object of the storage nor a loopback URL fails its task; by
            default a generated clip takes its place.
        speke_auth: whether the SPEKE key provider asks for the API account by HTTP Basic authentication.
        player_js: Shaka Player's file; None looks for the nearest `node_modules` at or above the working folder.
        session_lifetime: seconds that a playback session lives, None for as long as the sandbox.
        license_origins: origins of other pages, such as `http://localhost:3000`, that may ask for ClearKey licenses.
        vod_notify_url: where VOD reports the ends of tasks, which an account states once; None reports none.
        sqs_endpoint: where Amazon SQS is played on loopback, such as moto's server: callbacks of jobs with NotifyType
            `AWS-SQS` go to their queue there (extra `aws`). None: the journal says that they went nowhere.
        faults: faults that are on from the start; texts are read as on the command line: `mps-html:3`, `flaky`.
        fault_seed: makes faults that come by chance reproducible.
        fault_delay: seconds by which `-slow` answers are late; `-dripping` ones send a byte each fiftieth of it.
        clock: seconds since the epoch.
        token_bytes: makes that many random bytes.
    """

    host: str = "127.0.0.1"
    port: int = 0
    username: str | None = None
    password: Secret[str] | None = None
    organization: str | None = None
    cpix_config: str | None = None
    secret_id: str | None = None
    secret_key: Secret[str] | None = None
    token_kid: str | None = None
    token_secret: Secret[str] | None = None
    token_secrets_before: Mapping[str, Secret[str]] = field(default_factory=dict)
    key_seed: Secret[bytes] | None = None
    iv_seed: Secret[bytes] | None = None
    ticket_lifetime: float | None = 3600.0
    login_lifetime: float | None = 28800.0
    single_use: bool = False
    stream_types: tuple[str, ...] = STREAM_TYPES
    queue_delay: float = 0.0
    processing_time: float = 0.0
    templates: Mapping[int, Template] = field(default_factory=dict)
    key_acquire_mode: KeyAcquireMode = "POST"
    encrypt: bool | None = None
    tools: Tools | None = None
    storage: Path | None = None
    strict_inputs: bool = False
    speke_auth: bool = False
    player_js: Path | None = None
    session_lifetime: float | None = 3600.0
    license_origins: tuple[str, ...] = ()
    vod_notify_url: str | None = None
    sqs_endpoint: str | None = None
    faults: tuple[FaultSetting | str, ...] = ()
    fault_seed: int = 0
    fault_delay: float = 5.0
    clock: Callable[[], float] = time.time
    token_bytes: Callable[[int], bytes] = secrets.token_bytes

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise ConfigurationError(
                f"the sandbox binds loopback addresses only, not {self.host!r}",
                hint="use 127.0.0.1, ::1 or localhost: it serves keys without protection and must not be reachable",
            )
        if not 0 <= self.port <= _MAX_PORT:
            raise ConfigurationError(f"a port is 0 to {_MAX_PORT}, not {self.port}", hint="0 picks a free one")
        _check_times(self)
        _check_identity(self)
        if self.sqs_endpoint is not None and not leads_here(self.sqs_endpoint):
            raise ConfigurationError(
                "`sqs_endpoint` is no http URL of this machine",
                hint="run a server that plays SQS (moto's, LocalStack) and write its address: http://127.0.0.1:5000",
            )
        read_faults(self.faults)
        if self.key_acquire_mode not in {"POST", "GET"}:
            raise ConfigurationError(f"`key_acquire_mode` is POST or GET, not {self.key_acquire_mode!r}")
        unknown = [name for name in self.stream_types if name not in STREAM_TYPES]
        if unknown or not self.stream_types or len(set(self.stream_types)) != len(self.stream_types):
            raise ConfigurationError(
                f"the stream types {', '.join(self.stream_types) or '(none)'} cannot be mapped to keys",
                hint=f"name each once, out of {', '.join(STREAM_TYPES)}",
            )


def _check_times(options: SandboxOptions) -> None:
    for name, value in (
        ("ticket_lifetime", options.ticket_lifetime),
        ("login_lifetime", options.login_lifetime),
        ("session_lifetime", options.session_lifetime),
    ):
        if value is not None and not value > 0:
            raise ConfigurationError(f"`{name}` is a positive number of seconds, not {value}", hint="None never ends")
    for name, value in (
        ("queue_delay", options.queue_delay),
        ("processing_time", options.processing_time),
        ("fault_delay", options.fault_delay),
    ):
        if not value >= 0:
            raise ConfigurationError(f"`{name}` is a number of seconds from 0, not {value}")


def _check_identity(options: SandboxOptions) -> None:
    for name, segment in (("organization", options.organization), ("cpix_config", options.cpix_config)):
        if segment is not None and not _PATH_SEGMENT.fullmatch(segment):
            raise ConfigurationError(
                f"`{name}` stands in a URL path and cannot be {segment!r}",
                hint="use letters, digits, `.`, `_`, `~` and `-`",
            )
    for name, text in (
        ("username", options.username),
        ("secret_id", options.secret_id),
        ("password", options.password and options.password.reveal()),
        ("secret_key", options.secret_key and options.secret_key.reveal()),
    ):
        if text is not None and not (text and text.isprintable()):
            raise ConfigurationError(f"`{name}` is empty or holds a character that does not print")
    for secret in (*options.token_secrets_before.values(), *filter(None, [options.token_secret])):
        if not _TOKEN_SECRET.fullmatch(secret.reveal()):
            raise ConfigurationError(
                "`token_secret` is not hexadecimal, or has fewer than 32 digits", hint="64 digits are 32 bytes"
            )
    for name, seed in (("key_seed", options.key_seed), ("iv_seed", options.iv_seed)):
        if seed is not None and len(seed.reveal()) < _MIN_SEED:
            raise ConfigurationError(f"`{name}` is shorter than {_MIN_SEED} bytes")
