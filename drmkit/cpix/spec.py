"""Build a document from a TOML file: what it shall say, with keys given, generated or derived from seeds."""

from __future__ import annotations

import secrets
import stat
import tomllib
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from lxml import etree

from drmkit import signaling
from drmkit.cpix.builder import Builder
from drmkit.cpix.certificates import read_certificate, to_der
from drmkit.cpix.document import Document
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.spectable import Table
from drmkit.cpix.usage import AudioFilter, BitrateFilter, Filter, VideoFilter
from drmkit.cpix.validation import validate
from drmkit.cpix.view import cpix
from drmkit.errors import ConfigurationError, CpixError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys import derivation, generation
from drmkit.keys.seedfile import ENCODINGS, Encoding, read_seed
from drmkit.secret import Secret
from drmkit.signaling.material import Options

__all__ = ["from_toml", "load_spec"]

F = TypeVar("F", bound=Filter)
_LARGEST: Final = 16 * 2**20
_BYTES_PER_KEY: Final = (16, 32)
_NAMES: Final = {system.name.lower().replace("_", "-"): system for system in DrmSystem}
_PSSH_ONLY: Final = (DrmSystem.COMMON,)
_HLS_ONLY: Final = (DrmSystem.FAIRPLAY, DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES)
_OPTION_TEXTS: Final = (
    "widevine_provider",
    "widevine_policy",
    "playready_la_url",
    "playready_lui_url",
    "clearkey_laurl",
)


def load_spec(path: Path, *, random: generation.Random = secrets.token_bytes) -> Document:
    """Build the document that a TOML file describes.

    Args:
        path: the file; relative paths in it start from its folder.
        random: gives as many random bytes as it is asked for.

    Raises:
        CpixError: the file cannot be read or used; the message says where.
        ConfigurationError: it holds content keys, and others than its owner can read it; or a seed is unfit.
        SignalingError: a DRM system does not go with the protection scheme.
        InvalidDocumentError: what it describes is no valid document of that version.
    """
    try:
        with path.expanduser().open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
            mode = stat.S_IMODE(path.expanduser().stat().st_mode)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise CpixError(f"{path} cannot be read ({reason})", hint="check the path and its permissions") from None
    return from_toml(raw, folder=path.expanduser().parent, random=random, private=not mode & 0o077)


def from_toml(
    raw: bytes, *, folder: Path, random: generation.Random = secrets.token_bytes, private: bool = True
) -> Document:
    """Build the document that a TOML text describes; see `load_spec`.

    Args:
        raw: the text, in UTF-8.
        folder: where relative paths start from.
        random: gives as many random bytes as it is asked for.
        private: whether nobody else can read the text; keys in one that others can read are refused.
    """
    if len(raw) > _LARGEST:
        raise CpixError("the specification is larger than 16 MiB", hint="is it another file?")
    problem = "it is not UTF-8 text"
    data: dict[str, Any] | None = None
    with suppress(UnicodeDecodeError):
        try:
            data = tomllib.loads(raw.decode("utf-8-sig"))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            problem = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is nested too deeply"
    if data is None:
        # Raised outside the handler: the error of the decoder holds the text, and that may hold keys.
        raise CpixError(f"the specification is no TOML: {problem}", hint="drmkit cpix new --skeleton prints an example")
    return _Spec(Table(data), folder, random, private).build()


class _Spec:
    """One specification on its way to a document."""

    def __init__(self, top: Table, folder: Path, random: generation.Random, private: bool) -> None:
        self._top = top
        self._folder = folder
        self._random = random
        self._private = private
        self._version = top.choice("version", VERSIONS) or "2.3"
        self._scheme = top.text("scheme")
        self._systems = top.texts("systems") or []
        self._request = top.flag("request") or False
        self._kids: dict[str, KeyId] = {}
        self._derive: tuple[str, Secret[bytes], Secret[bytes] | None] | None = None
        self._builder = Builder(
            version=self._version, content_id=top.text("content_id"), id=top.text("id"), name=top.text("name")
        )

    def build(self) -> Document:
        top = self._top
        self._seeds(top.table("derive"))
        options = self._options(top.table("signaling"))
        for table, kid in [(table, self._name(table)) for table in top.tables("key")]:
            self._key(table, kid)
        for table in top.tables("system"):
            self._system(table)
        for table in top.tables("period"):
            self._period(table)
        for table in top.tables("rule"):
            self._rule(table, self._kid(table, "key"))
            table.done()
        for table in top.tables("recipient"):
            self._recipient(table)
        for table in top.tables("update"):
            self._update(table)
        top.done()
        document = self._builder.build()
        if not self._request:
            signaling.fill(document, options=options, default_scheme=self._scheme)
            self._name_playlists(document)
            validate(document, self._version, kinds=frozenset({"semantics"})).raise_for_errors()
        etree.indent(document.tree)
        return document

    def _name_playlists(self, document: Document) -> None:
        """CPIX 2.1 calls the media playlist `variant`, and its documents do not say that they are 2.1."""
        for element in document.root.iter(cpix("HLSSignalingData")) if self._version == "2.1" else ():
            if element.get("playlist") == "media":
                element.set("playlist", "variant")
        document.touch()

    def _seeds(self, table: Table | None) -> None:
        if table is None:
            return
        algorithm = table.choice("algorithm", derivation.ALGORITHMS)
        seed, iv_seed = table.text("seed_file"), table.text("iv_seed_file")
        encoding = cast("Encoding", table.choice("seed_encoding", ENCODINGS) or "base64")
        table.done()
        if algorithm is None or seed is None:
            raise table.fault("algorithm and seed_file", "are both needed", f"{', '.join(derivation.ALGORITHMS)}")
        self._derive = (
            algorithm,
            read_seed(self._path(seed), encoding),
            None if iv_seed is None else read_seed(self._path(iv_seed), encoding),
        )

    def _options(self, table: Table | None) -> Options:
        if table is None:
            return Options()
        given: dict[str, Any] = {name: table.text(name) for name in _OPTION_TEXTS}
        content_id = table.text("widevine_content_id")
        uri, key_uri = table.text("fairplay_uri"), table.text("key_uri")
        table.done()
        if uri is not None:
            given["fairplay_uri"] = _template(uri)
        if key_uri is not None:
            given["key_uri"] = _template(key_uri)
        given["widevine_content_id"] = None if content_id is None else content_id.encode()
        return Options(**{name: value for name, value in given.items() if value is not None})

    def _name(self, table: Table) -> KeyId:
        """Give a key its ID before any table refers to it by label or key ID."""
        stated = None if table.text("kid") in {None, "new"} else table.key_id("kid")
        kid = stated or generation.key_id(self._random)
        label = table.text("label")
        if label is not None and label in self._kids:
            raise table.fault("label", f"{label!r} is there twice", "other tables refer to keys by their labels")
        self._kids[label or str(kid)] = kid
        self._kids.setdefault(str(kid), kid)
        return kid

    def _kid(self, table: Table, name: str) -> KeyId:
        text = table.text(name)
        if text is None:
            raise table.fault(name, "is missing", "name a key by its label or key ID")
        found = self._kids.get(text) or self._kids.get(text.lower())
        if found is None:
            raise table.fault(name, f"{text[:60]!r} is the label or key ID of no key")
        return found

    def _key(self, table: Table, kid: KeyId) -> None:
        value, iv = self._value(table, kid)
        leaf = table.text("depends_on") is not None
        scheme = table.text("scheme") or (None if leaf or self._version in {"2.1", "2.2"} else self._scheme)
        hdcp = table.text("hdcp_output_protection")
        self._builder.content_key(
            kid=kid,
            key=value,
            iv=iv,
            scheme=scheme,
            content_id=table.text("content_id"),
            depends_on=self._kid(table, "depends_on") if leaf else None,
            id=table.text("id"),
            hdcp_level=table.text("hdcp_level"),
            hdcp_output_protection=None if hdcp is None else hdcp.encode(),
        )
        systems = table.texts("systems")
        for name in self._systems if systems is None else systems:
            self._entry(table, kid, name)
        if self._wants_rule(table):
            self._rule(table, kid)
        table.done()

    def _value(self, table: Table, kid: KeyId) -> tuple[Secret[bytes] | None, bytes | None]:
        how, iv_how = table.text("key") or ("none" if self._request else "generate"), table.text("iv")
        derived = self._derived(table, kid) if "derive" in {how, iv_how} else None
        if how == "derive" and derived is not None:
            value: Secret[bytes] | None = derived.key
        elif how in {"generate", "none"}:
            value = generation.content_key(self._random) if how == "generate" else None
        else:
            if not self._private:
                raise ConfigurationError(
                    "the specification holds content keys and is open to other users",
                    hint="chmod 600 it, and change the keys if others may have read them",
                )
            value = Secret(_hex(table, "key", how, _BYTES_PER_KEY))
        if iv_how is None or iv_how == "none":
            return value, None
        if iv_how == "derive":
            if derived is None or derived.iv is None:
                raise table.fault("iv", "cannot be derived: there is no iv_seed_file in [derive]")
            return value, derived.iv
        if iv_how == "generate":
            return value, generation.content_iv(random=self._random)
        return value, _hex(table, "iv", iv_how, (16,))

    def _derived(self, table: Table, kid: KeyId) -> derivation.DerivedKey:
        if self._derive is None:
            raise table.fault("key", "cannot be derived: there is no [derive] with a seed_file")
        algorithm, seed, iv_seed = self._derive
        return derivation.derive(algorithm, seed, [kid], iv_seed=iv_seed)[0]

    def _entry(self, table: Table, kid: KeyId, name: str) -> None:
        system = _system(table, "systems", name)
        if not self._request:
            self._builder.drm_system(kid=kid, system_id=system)
            return
        hls, boxed = system not in _PSSH_ONLY, system not in _HLS_ONLY
        self._builder.drm_system(
            kid=kid,
            system_id=system,
            pssh=b"" if boxed else None,
            content_protection_data=b"" if boxed else None,
            hls_media="" if hls else None,
            hls_master="" if hls else None,
        )

    def _system(self, table: Table) -> None:
        name = table.text("system")
        if name is None:
            raise table.fault("system", "is missing", f"a system ID, or one of {', '.join(_NAMES)}")
        protection = table.text("content_protection_data")
        names = ["id", "name", "robustness", "hls_media", "hls_master", "hls_media_allowed_cpc"]
        names += ["hls_master_allowed_cpc", "hls_allowed_cpc", "smooth"]
        texts: dict[str, Any] = {field: table.text(field) for field in names}
        self._builder.drm_system(
            kid=self._kid(table, "key"),
            system_id=_system(table, "system", name),
            update_version=table.number("update_version"),
            pssh=table.base64("pssh"),
            content_protection_data=None if protection is None else protection.encode(),
            uri_ext_x_key=table.base64("uri_ext_x_key"),
            **texts,
        )
        table.done()

    def _period(self, table: Table) -> None:
        period_id = table.text("id")
        if period_id is None:
            raise table.fault("id", "is missing", "rules refer to it")
        self._builder.period(
            id=period_id,
            index=table.number("index"),
            label=table.text("label"),
            start=table.moment("start"),
            end=table.moment("end"),
            start_offset=table.duration("start_offset"),
            end_offset=table.duration("end_offset"),
            duration=table.duration("duration"),
        )
        table.done()

    def _wants_rule(self, table: Table) -> bool:
        listed = [table.tables(name) for name in ("video", "audio", "bitrate")]
        named = [table.texts("labels"), table.texts("periods")]
        return table.text("track") is not None or any(listed) or any(named)

    def _rule(self, table: Table, kid: KeyId) -> None:
        self._builder.usage_rule(
            kid=kid,
            intended_track_type=table.text("track"),
            labels=table.texts("labels") or (),
            periods=table.texts("periods") or (),
            video=[_filter(VideoFilter, item) for item in table.tables("video")],
            audio=[_filter(AudioFilter, item) for item in table.tables("audio")],
            bitrate=[_filter(BitrateFilter, item) for item in table.tables("bitrate")],
        )

    def _recipient(self, table: Table) -> None:
        path = table.text("certificate_file")
        if path is None:
            raise table.fault("certificate_file", "is missing", "a certificate in PEM or DER")
        try:
            raw = self._path(path).read_bytes()
        except OSError as error:
            raise table.fault("certificate_file", f"{path} cannot be read ({error.strerror})") from None
        names = ("id", "name", "description", "sending_entity", "sender_point_of_contact", "receiving_entity")
        texts: dict[str, Any] = {name: table.text(name) for name in names}
        self._builder.recipient(certificate=to_der(read_certificate(raw, what=path)), **texts)
        table.done()

    def _update(self, table: Table) -> None:
        version, index, source, date = (
            table.number("update_version"),
            table.number("index"),
            table.text("source"),
            table.moment("date"),
        )
        if version is None or index is None or source is None or date is None:
            raise table.fault("update_version, index, source and date", "are all needed")
        self._builder.update(update_version=version, index=index, source=source, date=date, id=table.text("id"))
        table.done()

    def _path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()


def _filter(kind: type[F], table: Table) -> F:
    given: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]  # every filter is a dataclass
        value = table.flag(field.name) if "bool" in str(field.type) else table.number(field.name)
        if value is not None:
            given[field.name] = value
    table.done()
    return kind(**given)


def _system(table: Table, name: str, text: str) -> DrmSystem | str:
    found = _NAMES.get(text.lower())
    if found is not None:
        return found
    if text.count("-") == 4 and len(text) == 36:  # noqa: PLR2004 (the shape of a UUID)
        return DrmSystem.find(text) or text
    raise table.fault(name, f"{text[:40]!r} is no DRM system", f"a system ID, or one of {', '.join(_NAMES)}")


def _hex(table: Table, name: str, text: str, sizes: tuple[int, ...]) -> bytes:
    raw = b""
    with suppress(ValueError):
        raw = bytes.fromhex(text)
    if len(raw) not in sizes:
        digits = " or ".join(str(2 * size) for size in sizes)
        raise table.fault(name, f"is neither {digits} hexadecimal digits nor one of generate, derive, none")
    return raw


def _template(text: str) -> Any:
    return lambda kid: text.replace("{kid}", kid.uuid).replace("{kid_hex}", kid.hex)
