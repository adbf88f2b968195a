"""Does what a media task asks for: transcode its input, fetch its keys, encrypt, put the files into a bucket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from drmkit.http import HttpClient
from drmkit.sandbox.mediafolder import MediaFolder, bucket_of
from drmkit.sandbox.medialadder import SEGMENT_SECONDS, Ladder
from drmkit.sandbox.mediametadata import media_metadata
from drmkit.sandbox.mediasource import Source, Sources
from drmkit.sandbox.mps_drm import method_of
from drmkit.sandbox.mps_keyfetch import MediaTrack, TaskKeys, fetch_keys
from drmkit.sandbox.mps_places import output_path, output_storage, substream_names
from drmkit.sandbox.options import SandboxOptions, Template
from drmkit.secret import Secret
from drmkit.stream.aes128 import package_aes128
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack, Scheme, TrackInput
from drmkit.stream.naming import Naming
from drmkit.stream.packager import PackagedStream, package_plan
from drmkit.stream.plan import plan
from drmkit.stream.probe import probe
from drmkit.stream.tools import Tools

__all__ = ["MediaPipeline", "Output"]

_TIMEOUT: Final = 600.0


@dataclass(frozen=True, slots=True)
class Output:
    """What a media task left in its bucket.

    Attributes:
        bucket: the bucket.
        path: the key of its manifest, from the first slash.
        stream: the tracks with their clear renditions, keys and files.
    """

    bucket: str
    path: str
    stream: PackagedStream


class MediaPipeline:
    """Encrypts for real. Thread-safe.

    Args:
        folder: the buckets.
        tools: the programs to use.
        options: how the sandbox behaves.
        http: makes the calls of the service.
    """

    def __init__(self, folder: MediaFolder, tools: Tools, options: SandboxOptions, http: HttpClient) -> None:
        self._folder = folder
        self._tools = tools
        self._mode = options.key_acquire_mode
        self._http = http
        self._sources = Sources(folder, tools, http, strict=options.strict_inputs)
        self._ladder = Ladder(folder, tools)

    def source(self, job: Mapping[str, Any]) -> Source:
        """Return the input of a job; the errors are those of `Sources.find`."""
        return self._sources.find(job["InputInfo"])

    def metadata(self, source: Source) -> dict[str, Any]:
        """Return the MediaMetaData of an input."""
        return media_metadata(source, self._tools)

    def produce(
        self,
        job: Mapping[str, Any],
        spec: Mapping[str, Any],
        template: Template,
        source: Source,
        progress: Callable[[str, int], None],
    ) -> Output:
        """Do one AdaptiveDynamicStreaming task.

        Args:
            job: the request.
            spec: the task's part of it.
            template: its template.
            source: the job's input.
            progress: is told the stage and the percentage that is done.

        Raises:
            SourceFaultError: the input is no video.
            KeyFaultError: the key server gives no keys that serve the task.
            DrmkitError: packaging failed, or the bucket cannot be written.
        """
        progress("transcoding", 10)
        tracks = self._ladder.renditions(source, template)
        drm = spec.get("DrmInfo")
        bucket, path = bucket_of(output_storage(job, spec)), output_path(job, spec, template)
        form = _form(job, spec, template)
        work = Path(tempfile.mkdtemp(prefix="task-", dir=self._folder.work))
        try:
            if drm is not None and drm["Type"] == "simpleaes":
                progress("encrypting", 60)
                stream = self._simple(drm["SimpleAesDrm"], tracks, work / "out", template, form)
            else:
                progress("fetching keys", 40)
                made = self._plan(drm, tracks)
                progress("encrypting", 60)
                stream = package_plan(made, work / "out", tools=self._tools, form=form, timeout=_TIMEOUT)
            progress("uploading", 90)
            return Output(bucket, path, self._install(stream, bucket, path))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def keys(self, drm: Mapping[str, Any], tracks: tuple[TrackInput, ...]) -> TaskKeys:
        """Fetch the keys of a DRM task for the tracks of its ladder."""
        known = [
            MediaTrack(track.name, probe(track.path, track.kind, tools=self._tools).as_cpix_track()) for track in tracks
        ]
        return fetch_keys(drm, known, http=self._http, mode=self._mode)

    def _plan(self, drm: Mapping[str, Any] | None, tracks: tuple[TrackInput, ...]) -> Plan:
        if drm is None:
            clear = [
                PlannedTrack(track, probe(track.path, track.kind, tools=self._tools), None, index)
                for index, track in enumerate(tracks)
            ]
            return Plan((PackagerRun(tuple(clear), None, ()),))
        keys = self.keys(drm, tracks)
        named = [replace(track, kid=keys.kids[track.name]) for track in tracks]
        scheme: Scheme = "cbcs" if method_of(drm) == "cbcs" else "cenc"
        return plan(keys.document, named, tools=self._tools, scheme=scheme)

    def _simple(
        self,
        simple: Mapping[str, Any],
        tracks: tuple[TrackInput, ...],
        output: Path,
        template: Template,
        form: OutputFormat,
    ) -> PackagedStream:
        vector = simple.get("Vector")
        return package_aes128(
            tracks,
            output,
            key=Secret(bytes.fromhex(simple["Key"])),
            iv=bytes.fromhex(vector) if vector else None,
            key_uri=simple["Uri"],
            container=template.container,
            tools=self._tools,
            form=form,
            timeout=_TIMEOUT,
        )

    def _install(self, stream: PackagedStream, bucket: str, path: str) -> PackagedStream:
        """Move what was packaged beside the place of its manifest, and that manifest last of all."""
        parent, manifest = str(PurePosixPath(path).parent), stream.mpd or stream.master
        files = [file for file in sorted(stream.folder.rglob("*")) if file.is_file() and file != manifest]
        places = {
            file: self._folder.install(file, bucket, f"{parent}/{file.relative_to(stream.folder)}") for file in files
        }
        if manifest:
            places[manifest] = self._folder.install(manifest, bucket, path)
        tracks = [
            replace(
                track,
                files=tuple(places[file] for file in track.files),
                playlist=places[track.playlist] if track.playlist else None,
            )
            for track in stream.tracks
        ]
        return replace(
            stream,
            folder=self._folder.path(bucket, path).parent,
            tracks=tuple(tracks),
            mpd=places[stream.mpd] if stream.mpd else None,
            master=places[stream.master] if stream.master else None,
        )


def _form(job: Mapping[str, Any], spec: Mapping[str, Any], template: Template) -> OutputFormat:
    names = substream_names(job, spec, template)
    return OutputFormat(
        layout="file" if template.single_file else "segments",
        segment_seconds=SEGMENT_SECONDS,
        manifests=("dash",) if template.format == "MPEG-DASH" else ("hls",),
        names=Naming(playlist=names.playlist, file=names.file, init=names.init, segment=names.segment),
    )
