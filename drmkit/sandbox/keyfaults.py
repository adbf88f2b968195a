"""Faults in the documents of the sandbox's key server: wrong keys, foreign key IDs, boxes that changed places."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.spekefaults import change_scheme, foreign_boxes
from drmkit.sandbox.state import SandboxState
from drmkit.secret import Secret

__all__ = ["Tampering"]

_LENGTH = 16


class Tampering:
    """The faults that show in one document: some before it is built, some after, since no builder would write them.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._hit = state.faults.hit
        self._token_bytes = state.options.token_bytes
        self._named: dict[KeyId, KeyId] = {}

    def before(self, keys: Sequence[TrackKey]) -> Sequence[TrackKey]:
        """Return the keys to build the document with."""
        if self._hit("keyserver-wrong-key"):
            keys = [dataclasses.replace(key, key=Secret(self._token_bytes(_LENGTH))) for key in keys]
        if self._hit("keyserver-swapped-keys"):
            shifted = [*keys[1:], keys[0]]
            keys = [dataclasses.replace(key, key=other.key) for key, other in zip(keys, shifted, strict=True)]
        if self._hit("keyserver-wrong-kid"):
            # The document is built for strangers; `after` gives its elements the right key IDs, and no box.
            self._named = {KeyId(self._token_bytes(_LENGTH)): key.kid for key in keys}
            keys = [dataclasses.replace(key, kid=kid) for key, kid in zip(keys, self._named, strict=True)]
        return keys

    def exchanged(self, body: bytes) -> bytes:
        """Return the answer to a posted request as it goes out: the same faults, in a document that is filled."""
        document = cpix.parse(body)
        keys = list(document.content_keys)
        values = [key.key for key in keys]
        if self._hit("keyserver-wrong-key"):
            values = [Secret(self._token_bytes(_LENGTH)) for _ in keys]
        if self._hit("keyserver-swapped-keys"):
            values = [*values[1:], *values[:1]]
        for key, value in zip(keys, values, strict=True):
            key.key = value
        if self._hit("keyserver-wrong-kid"):
            foreign_boxes(document, self._token_bytes)
        if self._hit("keyserver-wrong-scheme"):
            change_scheme(document)
        if self._hit("keyserver-no-systems"):
            for entry in list(document.drm_systems):
                document.drm_systems.remove(entry)
        return self.after(document)

    def after(self, document: cpix.Document) -> bytes:
        """Return the document as it goes out."""
        kids = [key.kid for key in document.content_keys]
        if self._hit("keyserver-kid-as-key"):
            for key in document.content_keys:
                key.key = Secret(key.kid.raw)
        if self._hit("keyserver-swapped-pssh"):
            for kid in kids:
                _swap_boxes(document, kid)
        renamed = dict(self._named)
        if len(kids) > 1 and self._hit("keyserver-duplicate-kid"):
            renamed[kids[1]] = renamed.get(kids[0], kids[0])
        raw = document.to_xml()
        for old, new in renamed.items():
            raw = raw.replace(f'kid="{old}"'.encode(), f'kid="{new}"'.encode())
        return raw


def _swap_boxes(document: cpix.Document, kid: KeyId) -> None:
    first, second = (
        next((entry for entry in document.drm_systems.for_key(kid) if entry.system_id == system.system_id), None)
        for system in (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY)
    )
    if first is not None and second is not None:
        first.pssh, second.pssh = second.pssh, first.pssh
