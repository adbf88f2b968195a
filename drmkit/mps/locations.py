"""Places written as URLs: `https://...`, `cos://bucket/region/path`, `s3://bucket/region/path`, `vod://subappid/fileid`."""

from __future__ import annotations

import re
from typing import NamedTuple

from drmkit.errors import JobError
from drmkit.mps.models.storage import (
    CosInputInfo,
    CosOutputStorage,
    MediaInputInfo,
    S3InputInfo,
    S3OutputStorage,
    TaskOutputStorage,
    UrlInputInfo,
    VODInputInfo,
    VODOutputStorage,
)
from drmkit.secret import Secret

__all__ = ["Output", "parse_input", "parse_output"]

_PLACE = re.compile(r"(?P<scheme>cos|s3)://(?P<bucket>[^/\s]+)/(?P<region>[a-z0-9-]+)(?P<path>/.*)?", re.DOTALL)
_VOD = re.compile(r"vod://(?P<app>[0-9]+)(?:/(?P<file>[0-9]+))?/?")
_FORMS = "https://HOST/PATH, cos://BUCKET/REGION/PATH, s3://BUCKET/REGION/PATH or vod://SUBAPPID/FILEID"
_OUTPUT_FORMS = "cos://BUCKET/REGION/DIR/, s3://BUCKET/REGION/DIR/ or vod://SUBAPPID"


class Output(NamedTuple):
    """Where a job writes to.

    Attributes:
        storage: the bucket.
        directory: the folder in it, with a slash at both ends; None leaves it to the input's folder.
    """

    storage: TaskOutputStorage
    directory: str | None


def parse_input(text: str, *, secret_id: str | None = None, secret_key: Secret[str] | None = None) -> MediaInputInfo:
    """Return the input that a URL names.

    Args:
        text: `https://...`, `cos://bucket/region/path`, `s3://bucket/region/path` or `vod://subappid/fileid`; a path
            stands as it is, without percent-encoding.
        secret_id: the access key ID for S3.
        secret_key: the secret access key for S3.

    Raises:
        JobError: none of these forms, or a bucket without a path.
    """
    if re.match(r"https?://[^/\s]+", text):
        return MediaInputInfo(type="URL", url_input_info=UrlInputInfo(url=text))
    vod = _VOD.fullmatch(text)
    if vod and vod["file"]:
        info = VODInputInfo(sub_app_id=int(vod["app"]), vod_basic=1, file_id=vod["file"])
        return MediaInputInfo(type="VOD", vod_input_info=info)
    place = _PLACE.fullmatch(text)
    if not place:
        raise JobError(f"{_shown(text)} names no input", hint=f"write {_FORMS}")
    bucket, region, path = place["bucket"], place["region"], place["path"] or "/"
    if path.endswith("/"):
        raise JobError(f"the input {_shown(text)} names a folder, not a file", hint="add the file's path")
    if place["scheme"] == "cos":
        return MediaInputInfo(type="COS", cos_input_info=CosInputInfo(bucket=bucket, region=region, object=path))
    s3 = S3InputInfo(
        s3_bucket=bucket, s3_region=region, s3_object=path, s3_secret_id=secret_id, s3_secret_key=secret_key
    )
    return MediaInputInfo(type="AWS-S3", s3_input_info=s3)


def parse_output(text: str, *, secret_id: str | None = None, secret_key: Secret[str] | None = None) -> Output:
    """Return the output that a URL names.

    Args:
        text: `cos://bucket/region/dir/`, `s3://bucket/region/dir/` or `vod://subappid`.
        secret_id: the access key ID for S3.
        secret_key: the secret access key for S3.

    Raises:
        JobError: none of these forms.
    """
    vod = _VOD.fullmatch(text)
    if vod and not vod["file"]:
        return Output(
            TaskOutputStorage(type="VOD", vod_output_storage=VODOutputStorage(sub_app_id=int(vod["app"]))), None
        )
    place = _PLACE.fullmatch(text)
    if not place:
        raise JobError(f"{_shown(text)} names no output", hint=f"write {_OUTPUT_FORMS}")
    bucket, region, path = place["bucket"], place["region"], place["path"]
    directory = None if path is None else f"{path.rstrip('/')}/"
    if place["scheme"] == "cos":
        return Output(
            TaskOutputStorage(type="COS", cos_output_storage=CosOutputStorage(bucket=bucket, region=region)), directory
        )
    s3 = S3OutputStorage(s3_bucket=bucket, s3_region=region, s3_secret_id=secret_id, s3_secret_key=secret_key)
    return Output(TaskOutputStorage(type="AWS-S3", s3_output_storage=s3), directory)


def _shown(text: str) -> str:
    """Show a place without the credentials that its authority or query may hold."""
    return repr(re.sub(r"//[^/@]*@", "//", text).partition("?")[0][:200])
