"""What DrmInfo may say, alone and together with the template of its task."""

from __future__ import annotations

import re
from collections.abc import Iterator

from drmkit.errors import JobError
from drmkit.mps.drm import KINDS, PRESETS, Kind, normalize, vendor_of
from drmkit.mps.findings import Finding, nearest
from drmkit.mps.models.streaming import (
    AdaptiveDynamicStreamingTaskInput,
    AdaptiveDynamicStreamingTemplate,
    DrmInfo,
    SimpleAesDrm,
    SpekeDrm,
)
from drmkit.secret import Secret

__all__ = ["check_drm", "check_template"]

_HEX32 = re.compile(r"[0-9A-Fa-f]{32}")
_RESOURCE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_METHODS = ("cbcs", "cenc")
_LONG_HEX = 64
_DEFAULT_SEGMENT_TYPE = "ts-segment"
_HEX_FIX = "write 16 bytes as 32 hexadecimal digits"


def check_drm(info: DrmInfo, path: str) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about a DrmInfo by itself."""
    kind = _kind(info)
    if kind is None:
        yield from _unknown_type(info, path)
    else:
        yield from _check_elements(info, kind, path)
    if info.simple_aes_drm is not None:
        yield from _check_simple_aes(info.simple_aes_drm, f"{path}.SimpleAesDrm")
    if info.speke_drm is not None:
        yield from _check_speke(info.speke_drm, kind, f"{path}.SpekeDrm")


def _kind(info: DrmInfo) -> Kind | None:
    try:
        return KINDS[normalize(info.type or "")]
    except JobError:
        return None


def _unknown_type(info: DrmInfo, path: str) -> Iterator[Finding]:
    if info.type is not None:
        close = nearest(info.type, KINDS)
        yield Finding(f"{path}.Type", f"{info.type!r} is no DRM type", f"write {close or ', '.join(KINDS)}")


def _check_elements(info: DrmInfo, kind: Kind, path: str) -> Iterator[Finding]:
    given = {"SimpleAesDrm": info.simple_aes_drm, "SpekeDrm": info.speke_drm}
    for name, value in given.items():
        if name == kind.element and value is None:
            yield Finding(f"{path}.{name}", f"is missing, and Type is {kind.type}", f"add {name}")
        if name != kind.element and value is not None:
            yield Finding(f"{path}.{name}", f"does not go with Type {kind.type}", f"remove it, or write {kind.element}")


def _check_simple_aes(aes: SimpleAesDrm, path: str) -> Iterator[Finding]:
    if aes.uri is not None and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:\S+|\S+", aes.uri):
        yield Finding(f"{path}.Uri", "is not a URI", "write the address at which players fetch the key")
    if aes.key is not None and not aes.key.reveal().startswith("file:"):
        yield from _check_hex(f"{path}.Key", aes.key)
    if aes.vector is not None:
        yield from _check_hex(f"{path}.Vector", aes.vector)


def _check_speke(speke: SpekeDrm, kind: Kind | None, path: str) -> Iterator[Finding]:
    if speke.vector is not None:
        yield from _check_hex(f"{path}.Vector", speke.vector)
    yield from _check_method(speke, kind, path)
    if speke.encryption_preset not in {None, *PRESETS}:
        preset = speke.encryption_preset
        yield Finding(
            f"{path}.EncryptionPreset",
            f"{preset!r} is no preset",
            "write preset0 (one key for all substreams) or preset1 (a key for each)",
        )
    yield from _check_resource_id(speke, path)
    yield from _check_source(speke, path)


def _check_method(speke: SpekeDrm, kind: Kind | None, path: str) -> Iterator[Finding]:
    method = speke.encryption_method
    if method is None:
        return
    if method not in _METHODS:
        close = nearest(method, _METHODS)
        yield Finding(f"{path}.EncryptionMethod", f"{method!r} is no method", f"write {close or 'cbcs or cenc'}")
    elif kind is not None and kind.methods and method not in kind.methods:
        yield Finding(
            f"{path}.EncryptionMethod",
            f"{method} does not go with {kind.type}",
            f"write {kind.default_method}, or submit a task of its own for {'+'.join(kind.systems[:-1]) or 'it'}",
        )


def _check_resource_id(speke: SpekeDrm, path: str) -> Iterator[Finding]:
    name = speke.resource_id
    if name is None:
        return
    if not _RESOURCE_ID.fullmatch(name):
        yield Finding(
            f"{path}.ResourceId",
            f"{name[:40]!r} is not 1 to 128 letters, digits, underscores and hyphens",
            "write such a name; it becomes the content ID at the key server",
        )
        return
    vendor = vendor_of(speke.key_server_url) if speke.key_server_url is not None else None
    if vendor is not None and not re.fullmatch(vendor.resource_id, name):
        yield Finding(f"{path}.ResourceId", f"{vendor.name} does not accept {name!r}", "leave out the underscores")


def _check_source(speke: SpekeDrm, path: str) -> Iterator[Finding]:
    source = speke.key_server_url
    if source is None:
        return
    where = f"{path}.KeyServerUrl"
    if not source.is_url and not source.is_name:
        yield Finding(where, "is neither a URL nor a key source", "write drmtoday:PROFILE or an https URL")
    elif source.is_url and not source.host:
        yield Finding(where, "is a URL without a host", "write drmtoday:PROFILE or an https URL")
    elif source.holds_ticket:
        yield Finding(where, "holds a ticket, which ends by itself", "name the account: drmtoday:PROFILE", "warning")


def _check_hex(path: str, value: str | Secret[str]) -> Iterator[Finding]:
    text = value.reveal() if isinstance(value, Secret) else value
    if _HEX32.fullmatch(text):
        return
    if len(text) == _LONG_HEX:
        yield Finding(path, "has 64 characters; '32-byte string' means 32 hexadecimal characters", _HEX_FIX)
    else:
        yield Finding(path, f"is not 32 hexadecimal digits but {len(text)} characters", _HEX_FIX)


def check_template(
    task: AdaptiveDynamicStreamingTaskInput, template: AdaptiveDynamicStreamingTemplate | None, path: str
) -> Iterator[Finding]:
    """Yield what contradicts the template that a task names.

    Args:
        task: the adaptive-bitrate task.
        template: what DescribeAdaptiveDynamicStreamingTemplates says of its Definition; None where it says nothing.
        path: the path of the task.
    """
    if template is None:
        yield Finding(
            f"{path}.Definition",
            f"there is no adaptive-bitrate template {task.definition} at this account and endpoint",
            "write the ID of an existing template; the mainland and international sites have their own",
        )
        return
    layout = template.format or "HLS"
    if task.segment_object_name and layout != "HLS":
        yield Finding(
            f"{path}.SegmentObjectName", f"template {task.definition} makes {layout}", "remove it: it is for HLS"
        )
    kind = _kind(task.drm_info) if task.drm_info is not None else None
    if kind is not None:
        yield from _check_container(kind, template, layout, path)
        yield from _check_substreams(task, template, path)


def _check_container(
    kind: Kind, template: AdaptiveDynamicStreamingTemplate, layout: str, path: str
) -> Iterator[Finding]:
    where = f"{path}.DrmInfo.Type"
    number = template.definition
    if layout not in kind.formats:
        yield Finding(where, f"{kind.type} needs HLS, and template {number} makes {layout}", "choose an HLS template")
        return
    segments = template.segment_type or _DEFAULT_SEGMENT_TYPE
    if segments not in kind.segment_types[layout]:
        yield Finding(
            where,
            f"{kind.type} in {layout} does not go with the segment type {segments} of template {number}",
            f"choose a template whose segment type is {' or '.join(kind.segment_types[layout])}",
        )


def _check_substreams(
    task: AdaptiveDynamicStreamingTaskInput, template: AdaptiveDynamicStreamingTemplate, path: str
) -> Iterator[Finding]:
    speke = task.drm_info.speke_drm if task.drm_info is not None else None
    if speke is None or speke.encryption_preset != "preset1" or speke.key_server_url is None:
        return
    vendor = vendor_of(speke.key_server_url)
    count = len(task.std_ext_stream_infos or template.stream_infos or ())
    if vendor is not None and vendor.max_streams is not None and count > vendor.max_streams:
        yield Finding(
            f"{path}.DrmInfo.SpekeDrm.EncryptionPreset",
            f"preset1 needs {count} keys, and {vendor.name} gives {vendor.max_streams} at most",
            "write preset0, or choose a template with fewer substreams",
        )
