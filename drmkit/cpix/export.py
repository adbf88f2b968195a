"""Hand the keys of a document on: arguments for Shaka Packager, ffmpeg and Bento4, a ClearKey set, plain JSON.

What comes out holds content keys, so it is a `Secret`: write it to a private place only. None of these formats can say
all that a CPIX document says; the notes of an export name what got lost or wants care.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from drmkit.cpix.document import Document
from drmkit.cpix.entities import ContentKey
from drmkit.cpix.overview import rule_words
from drmkit.cpix.values import encode_base64
from drmkit.errors import CpixError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.secret import Secret
from drmkit.signaling import clearkey

__all__ = ["FORMATS", "Export", "Purpose", "export"]

FORMATS: Final = ("shaka", "ffmpeg", "bento4", "clearkey", "json")
"""What an export can be for."""

Purpose = Literal["encrypt", "decrypt"]
_AES_128: Final = 16
_LABEL: Final = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_SCHEMES: Final = {"SAMPLE-AES": "cbcs", "SAMPLE-AES-CTR": "cenc"}
_BENTO4: Final = {"cenc": "MPEG-CENC", "cens": "MPEG-CENS", "cbc1": "MPEG-CBC1", "cbcs": "MPEG-CBCS"}
_SHAKA_SYSTEMS: Final = {
    DrmSystem.WIDEVINE.system_id: "Widevine",
    DrmSystem.PLAYREADY.system_id: "PlayReady",
    DrmSystem.FAIRPLAY.system_id: "FairPlay",
    DrmSystem.MARLIN.system_id: "Marlin",
    DrmSystem.COMMON.system_id: "CommonSystem",
}
_SHAKA_LABELS: Final = {"AUDIO", "SD", "HD", "UHD1", "UHD2"}


@dataclass(frozen=True, slots=True)
class Export:
    """What was made of a document.

    Args:
        parts: the texts, each of which goes into a file of its own; more than one where it takes several packager runs.
        notes: what a person should know about it.
    """

    parts: tuple[Secret[str], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Key:
    kid: KeyId
    key: Secret[bytes]
    iv: bytes | None
    scheme: str | None
    labels: tuple[str, ...]
    words: tuple[str, ...]
    boxes: tuple[tuple[str, bytes], ...]

    @property
    def hex(self) -> str:
        return self.key.reveal().hex()

    def comment(self, label: str = "") -> str:
        """Say which key this is, on one line."""
        name = label or " or ".join(self.labels)
        words = f", for {' or '.join(self.words)}" if self.words else ""
        return _plain(f"# {name + ': ' if name else ''}key ID {self.kid}{words}")


def export(
    document: Document,
    to: str,
    *,
    purpose: Purpose = "encrypt",
    arguments: bool = False,
    own_pssh: bool = False,
    period: str | None = None,
    track_id: int = 1,
) -> Export:
    """Hand the keys of a document on.

    Args:
        document: a document with its content keys in the clear.
        to: one of `FORMATS`.
        purpose: what a packager shall do with the keys; a ClearKey set and JSON are the same for both.
        arguments: for Shaka Packager, a line of arguments instead of a flag file, which keeps keys out of the process
            list.
        own_pssh: for Shaka Packager, let it make the PSSH boxes itself, in one run, instead of taking the document's.
        period: take only the keys for the key period with this ID.
        track_id: for Bento4, the track's ID in its MP4 file.

    Raises:
        CpixError: the format cannot carry what the document says, or the keys are not there in the clear.
    """
    if to not in FORMATS:
        raise CpixError(f"there is no export to {to!r}", hint=f"one of {', '.join(FORMATS)}")
    keys = _keys(document, period)
    if to == "json":
        return Export((Secret(_json(document, keys)),))
    if to == "clearkey":
        return _clearkey(keys)
    _check(document, keys, purpose, period)
    if to == "ffmpeg":
        return _ffmpeg(keys, purpose)
    if to == "bento4":
        return _bento4(keys, purpose, track_id)
    return _shaka(keys, purpose, arguments=arguments, own_pssh=own_pssh, systems=_systems(document))


def _keys(document: Document, period: str | None) -> list[_Key]:
    if period is not None and document.periods.get(period) is None:
        raise CpixError(f"there is no key period {period!r}", hint="`drmkit cpix show` lists the periods")
    boxes: dict[KeyId, list[tuple[str, bytes]]] = {}
    for system in document.drm_systems:
        if system.pssh:
            boxes.setdefault(system.kid, []).append((system.system_id, system.pssh))
    roots = {key.depends_on for key in document.content_keys if key.depends_on is not None}
    schemes = {key.kid: key.scheme for key in document.content_keys}
    found = []
    for key in document.content_keys:
        rules = document.usage_rules.for_key(key.kid)
        wanted = [rule for rule in rules if period is None or not rule.period_ids or period in rule.period_ids]
        if (rules and not wanted) or (key.kid in roots and _absent(key)):
            continue
        scheme = key.scheme or (None if key.depends_on is None else schemes.get(key.depends_on))
        names = tuple(dict.fromkeys(rule.intended_track_type for rule in wanted if rule.intended_track_type))
        words = tuple(dict.fromkeys(rule_words(rule) for rule in wanted))
        found.append(_Key(key.kid, _value(key), key.iv, scheme, names, words, tuple(boxes.get(key.kid, ()))))
    if not found:
        raise CpixError("there is no content key to export", hint="`drmkit cpix show` lists what the document holds")
    return found


def _absent(key: ContentKey) -> bool:
    return key.key is None and not key.is_encrypted


def _value(key: ContentKey) -> Secret[bytes]:
    if key.is_encrypted:
        raise CpixError(f"content key {key.kid} is encrypted", hint="decrypt the document first: drmkit cpix decrypt")
    value = key.key
    if value is None:
        raise CpixError(
            f"content key {key.kid} has no value", hint="this is a request for keys; export the key server's answer"
        )
    return value


def _check(document: Document, keys: Sequence[_Key], purpose: Purpose, period: str | None) -> None:
    for key in keys:
        if len(key.key.reveal()) != _AES_128:
            raise CpixError(f"content key {key.kid} has {len(key.key.reveal())} bytes; packagers take 16")
    if purpose == "decrypt":
        return
    if any(key.is_leaf for key in document.content_keys):
        raise CpixError(
            "the document has a key hierarchy, which packagers do not take from their command line",
            hint="export to json, or ask the key server for keys without dependsOnKey",
        )
    if period is None and any(rule.period_ids for rule in document.usage_rules):
        raise CpixError(
            f"the keys change over {len(document.periods)} key periods, and a packager's arguments hold one",
            hint="name one with --period ID",
        )


def _systems(document: Document) -> list[str]:
    return list(dict.fromkeys(system.system_id for system in document.drm_systems))


def _scheme_of(key: _Key, notes: dict[str, None]) -> str:
    if key.scheme is None:
        notes["the document names no protection scheme: cenc is taken"] = None
        return "cenc"
    scheme = _SCHEMES.get(key.scheme, key.scheme)
    if scheme not in _BENTO4:
        raise CpixError(f"content key {key.kid} is for {key.scheme!r}, which is no scheme of Common Encryption")
    return scheme


def _labelled(keys: Sequence[_Key], notes: dict[str, None]) -> dict[str, _Key]:
    """Give each key the labels under which Shaka Packager finds it; a label means one key only."""
    if len(keys) == 1:
        return {"": keys[0]}
    counts: dict[str, int] = {}
    for key in keys:
        for label in key.labels:
            counts[label] = counts.get(label, 0) + 1
    found: dict[str, _Key] = {}
    for key in keys:
        usable = [label for label in key.labels if counts[label] == 1 and _LABEL.fullmatch(label)]
        for label in usable or [key.kid.hex]:
            found[label] = key
    if set(found) - _SHAKA_LABELS:
        notes["give each stream the label of its key: drm_label=LABEL in its descriptor"] = None
    return found


def _shaka(
    keys: Sequence[_Key], purpose: Purpose, *, arguments: bool, own_pssh: bool, systems: Sequence[str]
) -> Export:
    notes: dict[str, None] = {}
    labels = _labelled(keys, notes)
    if purpose == "decrypt":
        flags = ["--enable_raw_key_decryption", f"--keys={_shaka_keys(labels, ivs=False)}"]
        return Export((_shaka_text(labels, flags, arguments=arguments),), tuple(notes))
    runs: dict[tuple[str, tuple[tuple[str, bytes], ...]], dict[str, _Key]] = {}
    for label, key in labels.items():
        group = (_scheme_of(key, notes), () if own_pssh else key.boxes)
        runs.setdefault(group, {})[label] = key
    parts = []
    for (scheme, boxes), members in runs.items():
        flags = ["--enable_raw_key_encryption", f"--protection_scheme={scheme}", "--clear_lead=0"]
        flags.append(f"--keys={_shaka_keys(members, ivs=True)}")
        flags += _shaka_boxes(boxes, own_pssh, systems)
        _shaka_notes(scheme, boxes, notes)
        parts.append(_shaka_text(members, flags, arguments=arguments))
    if len(parts) > 1:
        notes[
            f"this takes {len(parts)} runs of the packager: its --pssh goes into every stream of a run, and the keys "
            "have PSSH boxes of their own; or let the packager make the boxes, in one run, with --own-pssh"
        ] = None
    if arguments:
        notes["arguments show in the process list: prefer the flag file where others use this machine"] = None
    return Export(tuple(parts), tuple(notes))


def _shaka_keys(labels: dict[str, _Key], *, ivs: bool) -> str:
    return ",".join(
        f"label={label}:key_id={key.kid.hex}:key={key.hex}" + (f":iv={key.iv.hex()}" if ivs and key.iv else "")
        for label, key in labels.items()
    )


def _shaka_boxes(boxes: Sequence[tuple[str, bytes]], own_pssh: bool, systems: Sequence[str]) -> list[str]:
    if own_pssh:
        names = [_SHAKA_SYSTEMS[system] for system in systems if system in _SHAKA_SYSTEMS]
        return [f"--protection_systems={','.join(names)}"] if names else []
    if boxes:
        return [f"--pssh={b''.join(box for _, box in boxes).hex()}"]
    # Without boxes of its own the packager adds a common one, which the document does not have.
    return ["--mp4_include_pssh_in_stream=false"]


def _shaka_notes(scheme: str, boxes: Sequence[tuple[str, bytes]], notes: dict[str, None]) -> None:
    if scheme == "cbcs" and any(system == DrmSystem.COMMON.system_id for system, _ in boxes):
        notes[
            "with a W3C Common box, the packager's HLS playlists for cbcs name the key ID as an identity key, which "
            "players take for the key: leave that line or box out for HLS"
        ] = None
    if scheme in {"cens", "cbc1"}:
        notes[f"Shaka Packager (3.8) ends abnormally when it writes HLS playlists for {scheme}: write DASH only"] = None


def _shaka_text(labels: dict[str, _Key], flags: Sequence[str], *, arguments: bool) -> Secret[str]:
    if arguments:
        return Secret(shlex.join(flags) + "\n")
    head = ["# Flag file for Shaka Packager: packager STREAM_DESCRIPTORS... --flagfile=THIS_FILE"]
    head += [key.comment(f"drm_label={label}" if label else "any label") for label, key in labels.items()]
    return Secret("".join(f"{line}\n" for line in (*head, *flags)))


def _ffmpeg(keys: Sequence[_Key], purpose: Purpose) -> Export:
    notes: dict[str, None] = {"arguments show in the process list: use them where nobody else can look": None}
    if purpose == "decrypt":
        if len(keys) == 1:
            line = f"-decryption_key {keys[0].hex}"
        else:
            line = "-decryption_keys " + ":".join(f"{key.kid.hex}={key.hex}" for key in keys)
            notes["-decryption_keys needs ffmpeg 8; older ones take one -decryption_key"] = None
        notes["ffmpeg does not notice a wrong key: compare what comes out"] = None
        return Export((Secret(line + "\n"),), tuple(notes))
    lines = []
    for key in keys:
        scheme = _scheme_of(key, notes)
        if scheme != "cenc":
            raise CpixError(f"ffmpeg encrypts with cenc only; content key {key.kid} is for {scheme}")
        lines += [key.comment()] if len(keys) > 1 else []
        lines.append(f"-encryption_scheme cenc-aes-ctr -encryption_key {key.hex} -encryption_kid {key.kid.hex}")
    if len(keys) > 1:
        notes["ffmpeg encrypts with one key a run: take the line of the track's key"] = None
    _lost(keys, notes, iv=True)
    return Export((Secret("\n".join(lines) + "\n"),), tuple(notes))


def _bento4(keys: Sequence[_Key], purpose: Purpose, track_id: int) -> Export:
    notes: dict[str, None] = {"arguments show in the process list: use them where nobody else can look": None}
    if purpose == "decrypt":
        line = " ".join(f"--key {key.kid.hex}:{key.hex}" for key in keys)
        return Export((Secret(f"{line}\n"),), tuple(notes))
    lines = []
    for key in keys:
        method = _BENTO4[_scheme_of(key, notes)]
        iv = key.iv.hex() if key.iv else "random"
        lines += [key.comment()] if len(keys) > 1 else []
        lines.append(f"--method {method} --key {track_id}:{key.hex}:{iv} --property {track_id}:KID:{key.kid.hex}")
    notes[f"for mp4encrypt, with files of one track whose ID is {track_id}"] = None
    _lost(keys, notes, iv=False)
    return Export((Secret("\n".join(lines) + "\n"),), tuple(notes))


def _lost(keys: Iterable[_Key], notes: dict[str, None], *, iv: bool) -> None:
    found = list(keys)
    names = list(dict.fromkeys(system_name(system) for key in found for system, _ in key.boxes))
    if names:
        notes[f"the PSSH boxes of {', '.join(names)} are not part of these arguments"] = None
    if iv and any(key.iv for key in found):
        notes["the IVs of the document are not used: ffmpeg makes its own"] = None


def _clearkey(keys: Sequence[_Key]) -> Export:
    for key in keys:
        if len(key.key.reveal()) != _AES_128:
            raise CpixError(f"content key {key.kid} has {len(key.key.reveal())} bytes; ClearKey takes 16")
    text = clearkey.license_document({key.kid: key.key for key in keys}).reveal().decode("ascii")
    return Export((Secret(text + "\n"),), ("ClearKey protects nothing: whoever has this set has the keys",))


def _json(document: Document, keys: Sequence[_Key]) -> str:
    entries: list[dict[str, Any]] = [
        {
            "kid": key.kid.uuid,
            "kid_hex": key.kid.hex,
            "key": key.hex,
            "iv": None if key.iv is None else key.iv.hex(),
            "scheme": key.scheme,
            "track_types": list(key.labels),
            "tracks": list(key.words),
            "pssh": [{"system_id": system, "box": encode_base64(box)} for system, box in key.boxes],
        }
        for key in keys
    ]
    data = {"schema_version": 1, "content_id": document.content_id, "keys": entries}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _plain(text: str) -> str:
    """Keep a text on its line: in a flag file, a line break would start another flag."""
    return "".join(character if character.isprintable() else "?" for character in text)
