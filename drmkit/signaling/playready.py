"""PlayReady Objects: records of headers and embedded license stores, in PSSH boxes and Smooth Streaming manifests.

Microsoft, "PlayReady Header Specification", sections 2 and 4:
https://learn.microsoft.com/en-us/playready/specifications/playready-header-specification
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import encodings
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import is_cbc
from drmkit.signaling.wrmheader import HeaderKey, WrmHeader, checksum
from drmkit.signaling.wrmreader import parse_header

__all__ = ["PlayReadyObject", "Record", "header", "playready_object", "pssh_box", "smooth_header"]

HEADER_RECORD = 1
LICENSE_STORE_RECORD = 3
_OBJECT = struct.Struct("<IH")
_RECORD = struct.Struct("<HH")
_HEADER_STARTS = (b"<\0W\0", b"<W", b"\xff\xfe<\0")
_MAX_RECORD = 0xFFFF
_MAX_RECORDS = 0xFFFF


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a PlayReady Object: its type (1 header, 3 embedded license store) and its bytes."""

    type: int
    value: bytes

    def __post_init__(self) -> None:
        if len(self.value) > _MAX_RECORD:
            raise SignalingError(
                f"a PlayReady record holds at most {_MAX_RECORD} bytes, not {len(self.value)}",
                hint="keep headers below 1 KB and license stores at 10 KB",
            )


@dataclass(frozen=True, slots=True)
class PlayReadyObject:
    """A PlayReady Object (PRO): records in a row, kept byte for byte."""

    records: tuple[Record, ...] = field(default=())

    @classmethod
    def parse(cls, data: bytes) -> PlayReadyObject:
        """Parse a PlayReady Object that fills `data` exactly.

        Raises:
            SignalingError: a length or the record count does not fit the bytes; the message says where.
        """
        if len(data) < _OBJECT.size:
            raise SignalingError(f"a PlayReady Object has at least {_OBJECT.size} bytes, not {len(data)}")
        size, count = _OBJECT.unpack_from(data)
        if size != len(data):
            if data.startswith(_HEADER_STARTS):
                raise SignalingError(
                    "the bytes are those of a PlayReady header, not of a PlayReady Object",
                    hint="an object has its own length, the number of records and each record's type and length first",
                )
            raise SignalingError(
                f"the PlayReady Object says that it has {size} bytes, but there are {len(data)}",
                hint="the object is truncated, or something follows it",
            )
        records = []
        at = _OBJECT.size
        for index in range(1, count + 1):
            record, at = _parse_record(data, at, index)
            records.append(record)
        if at != size:
            raise SignalingError(
                f"the PlayReady Object has {size - at} bytes left over after {count} records, at byte {at}"
            )
        return cls(tuple(records))

    def to_bytes(self) -> bytes:
        """Return the object with its length and record count."""
        if len(self.records) > _MAX_RECORDS:
            raise SignalingError(f"a PlayReady Object holds at most {_MAX_RECORDS} records")
        body = b"".join(_RECORD.pack(record.type, len(record.value)) + record.value for record in self.records)
        return _OBJECT.pack(_OBJECT.size + len(body), len(self.records)) + body

    @property
    def headers(self) -> tuple[WrmHeader, ...]:
        """Every header record, parsed.

        Raises:
            SignalingError: a header record does not parse.
        """
        return tuple(parse_header(record.value) for record in self.records if record.type == HEADER_RECORD)

    @property
    def license_store(self) -> bytes | None:
        """The embedded license store, or None."""
        return next((record.value for record in self.records if record.type == LICENSE_STORE_RECORD), None)


def header(
    key_ids: Iterable[KeyId],
    scheme: str = "cenc",
    *,
    keys: Mapping[KeyId, bytes | Secret[bytes]] | None = None,
    version: str = "",
    la_url: str | None = None,
    lui_url: str | None = None,
    ds_id: UUID | None = None,
    custom_attributes: str | None = None,
    on_demand: bool = False,
) -> WrmHeader:
    """Return a PlayReady header for content under one protection scheme.

    Args:
        key_ids: the key IDs, in the order in which the header shall hold them.
        scheme: cenc or cens give AESCTR, cbc1 or cbcs give AESCBC.
        keys: the content keys for the CHECKSUM; a key ID without a key gets none, and AESCBC never has one.
        version: 4.0.0.0 to 4.3.0.0; "" takes the lowest that can hold the rest.
        la_url: the license acquisition URL.
        lui_url: the URL of the non-silent license acquisition page.
        ds_id: the domain service's ID.
        custom_attributes: the XML inside CUSTOMATTRIBUTES.
        on_demand: write DECRYPTORSETUP = ONDEMAND.

    Raises:
        SignalingError: the scheme is unknown, or a key is not 16 bytes.
    """
    algorithm = "AESCBC" if is_cbc(scheme) else "AESCTR"
    known = {} if keys is None or algorithm == "AESCBC" else keys
    return WrmHeader(
        keys=tuple(HeaderKey(kid, algorithm, checksum(kid, known[kid]) if kid in known else None) for kid in key_ids),
        version=version,
        la_url=la_url,
        lui_url=lui_url,
        ds_id=ds_id,
        custom_attributes=custom_attributes,
        on_demand=on_demand,
    )


def playready_object(wrm_header: WrmHeader, *, license_store: bytes | None = None) -> PlayReadyObject:
    """Return the PlayReady Object of a header, with an embedded license store if one is given (section 4)."""
    records = [Record(HEADER_RECORD, wrm_header.to_xml().encode("utf-16-le"))]
    if license_store is not None:
        records.append(Record(LICENSE_STORE_RECORD, license_store))
    return PlayReadyObject(tuple(records))


def pssh_box(
    key_ids: Iterable[KeyId],
    scheme: str = "cenc",
    *,
    keys: Mapping[KeyId, bytes | Secret[bytes]] | None = None,
    version: str = "",
    la_url: str | None = None,
    lui_url: str | None = None,
    ds_id: UUID | None = None,
    custom_attributes: str | None = None,
    on_demand: bool = False,
    license_store: bytes | None = None,
    box_version: int = 0,
) -> PsshBox:
    """Return a PlayReady PSSH box; the arguments are those of `header`, and the box's own.

    Args:
        key_ids: the key IDs.
        scheme: the protection scheme.
        keys: the content keys for the CHECKSUM.
        version: the header's version, or "" for the lowest that will do.
        la_url: the license acquisition URL.
        lui_url: the URL of the non-silent license acquisition page.
        ds_id: the domain service's ID.
        custom_attributes: the XML inside CUSTOMATTRIBUTES.
        on_demand: write DECRYPTORSETUP = ONDEMAND.
        license_store: an embedded license store, as a second record.
        box_version: of the PSSH box; 1 lists the key IDs in the box as well.

    Raises:
        SignalingError: the header's version cannot hold what is asked for, or a value is not allowed.
    """
    kids = tuple(key_ids)
    wrm_header = header(
        kids,
        scheme,
        keys=keys,
        version=version,
        la_url=la_url,
        lui_url=lui_url,
        ds_id=ds_id,
        custom_attributes=custom_attributes,
        on_demand=on_demand,
    )
    data = playready_object(wrm_header, license_store=license_store).to_bytes()
    return PsshBox(DrmSystem.PLAYREADY.system_id, box_version, kids if box_version else (), data)


def smooth_header(wrm_header: WrmHeader) -> str:
    """Return the header data of a Smooth Streaming manifest: the PlayReady Object as base64, without license store."""
    return encodings.to_base64(playready_object(wrm_header).to_bytes())


def _parse_record(data: bytes, at: int, index: int) -> tuple[Record, int]:
    where = f"PlayReady record {index} at byte {at}"
    if at + _RECORD.size > len(data):
        raise SignalingError(f"{where}: the record header is truncated")
    kind, size = _RECORD.unpack_from(data, at)
    start = at + _RECORD.size
    if start + size > len(data):
        raise SignalingError(f"{where}: the record needs {size} bytes, {len(data) - start} are left")
    return Record(kind, data[start : start + size]), start + size
