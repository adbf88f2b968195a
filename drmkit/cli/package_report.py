"""What `drmkit package` says: the plan, the result, and which rule gave each track its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drmkit.cli.cpix_files import printable

if TYPE_CHECKING:
    from drmkit.cpix import Document
    from drmkit.stream.model import Plan, PlannedTrack
    from drmkit.stream.packager import PackagedStream
    from drmkit.stream.proof import TrackProof

__all__ = ["describe_plan", "describe_result", "plan_text", "result_text", "uncompared"]


def describe_plan(document: Document, made: Plan) -> list[dict[str, Any]]:
    """Return what was decided for each track, in the order of the tracks; no key is in it."""
    runs = {item.track.name: number for number, one in enumerate(made.runs, start=1) for item in one.tracks}
    return [_row(document, item, runs[item.track.name]) for item in made.tracks]


def describe_result(
    rows: Sequence[Mapping[str, Any]], stream: PackagedStream, proofs: Sequence[TrackProof]
) -> list[dict[str, Any]]:
    """Return the rows of a plan with what was made of it: files, and how the track was shown to decrypt."""
    shown = {proof.name: proof for proof in proofs}
    made = []
    for row, item in zip(rows, stream.tracks, strict=True):
        proof = shown.get(item.planned.track.name)
        files = [path.relative_to(stream.folder).as_posix() for path in item.files]
        playlist = None if item.playlist is None else item.playlist.relative_to(stream.folder).as_posix()
        made.append({**row, "files": files, "playlist": playlist, "proof": None if proof is None else _proof(proof)})
    return made


def plan_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the plan for people: track, key, rule, run."""
    return "\n".join(f"{_what(row)}\n{_how(row)}\n  packager run {row['run']}" for row in rows)


def result_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the result for people."""
    return "\n".join(f"{_what(row)}\n{_how(row)}{_shown(row['proof'])}" for row in rows)


def uncompared(proofs: Sequence[TrackProof]) -> list[str]:
    """Return a note for each track whose frames were to be compared, and could not be."""
    return [
        f"ffmpeg cannot decode track {proof.name}, so that its packets were compared and not its frames"
        for proof in proofs
        if proof.same_frames is None
    ]


def _row(document: Document, item: PlannedTrack, run: int) -> dict[str, Any]:
    seen, use = item.properties, item.use
    return {
        "track": item.track.name,
        "kind": seen.kind,
        "input": str(item.track.path),
        "number": item.track.number,
        "codec": seen.codec,
        "width": seen.width or None,
        "height": seen.height or None,
        "fps": None if seen.fps is None else float(seen.fps),
        "channels": seen.channels or None,
        "bitrate": seen.bitrate,
        "language": item.track.language,
        "encrypted": use is not None,
        "kid": None if use is None else use.kid.uuid,
        "scheme": None if use is None else use.scheme,
        "iv": None if use is None or use.iv is None else use.iv.hex(),
        "systems": [] if use is None else _systems(item),
        "reason": _reason(document, item),
        "run": run,
    }


def _systems(item: PlannedTrack) -> list[str]:
    from drmkit.identifiers import system_name  # noqa: PLC0415 (help needs none of it)

    return [] if item.use is None else [system_name(said.system_id) for said in item.use.signaling]


def _reason(document: Document, item: PlannedTrack) -> str:
    from drmkit.cli.cpix_resolve import deciding_rule  # noqa: PLC0415
    from drmkit.cpix.overview import rule_words  # noqa: PLC0415

    if item.use is None:
        return "no usage rule gives it a key"
    if item.track.kid is not None:
        return "named by --kid"
    key = document.content_keys.get(item.use.kid)
    if key is None or len(document.usage_rules) == 0:
        return "the only key of a document without usage rules"
    track = item.properties.as_cpix_track(item.track.labels, item.track.intended_track_type)
    rule = deciding_rule(document, key, [track], {})
    kind = f" ({rule.intended_track_type})" if rule.intended_track_type else ""
    return f"the usage rule in line {rule.line}{kind} is for {rule_words(rule)}"


def _proof(proof: TrackProof) -> dict[str, Any]:
    return {
        "source_sha256": proof.source,
        "ffmpeg_sha256": proof.decrypted,
        "packager_sha256": proof.packager,
        "same_packets": proof.same_packets,
        "same_frames": proof.same_frames,
        "wrong_key_differs": proof.sealed,
    }


def _what(row: Mapping[str, Any]) -> str:
    size = f"{row['width']}x{row['height']}" if row["kind"] == "video" else _channels(row["channels"])
    rate = f", {row['fps']:g} fps" if row["fps"] else ""
    bits = f", {row['bitrate'] / 1000:.0f} kbit/s" if row["bitrate"] else ""
    language = f", {row['language']}" if row["language"] else ""
    return printable(f"{row['track']}: {row['codec']}, {size}{rate}{bits}{language}, from {row['input']}")


def _channels(number: int) -> str:
    return f"{number} channel{'' if number == 1 else 's'}"


def _how(row: Mapping[str, Any]) -> str:
    if not row["encrypted"]:
        return f"  in the clear: {row['reason']}"
    systems = ", ".join(row["systems"]) or "no DRM system"
    return printable(f"  key {row['kid']}, {row['scheme']}, {systems}; {row['reason']}")


def _shown(proof: Mapping[str, Any] | None) -> str:
    if proof is None:
        return ""
    same = "packets" if proof["same_packets"] else "frames"
    both = "packets and frames" if proof["same_packets"] and proof["same_frames"] else same
    return f"\n  decrypts to the source's {both} with ffmpeg and with Shaka Packager, and not with a wrong key"
