"""What protection schemes mean in CPIX, and how HLS playlists write them."""

from __future__ import annotations

from typing import Final

__all__ = ["CTR_SCHEMES", "HLS_METHODS", "HLS_TAGS", "PLAYLISTS", "USUAL_PLAYLISTS"]

PLAYLISTS: Final = {"master": "master", "multiVariant": "master", "media": "media", "variant": "media"}
USUAL_PLAYLISTS: Final = (
    ["media", "master"],
    ["master", "media"],
    ["media", "multiVariant"],
    ["multiVariant", "media"],
)
HLS_TAGS: Final[dict[str | None, bytes]] = {
    **{name: b"#EXT-X-KEY:" if kind == "media" else b"#EXT-X-SESSION-KEY:" for name, kind in PLAYLISTS.items()},
    None: b"#EXT-X-KEY:",
}
HLS_METHODS: Final = {
    "cenc": (b"METHOD=SAMPLE-AES-CTR,",),
    "cens": (b"METHOD=SAMPLE-AES-CTR,",),
    "cbcs": (b"METHOD=SAMPLE-AES,",),
    "cbc1": (b"METHOD=SAMPLE-AES,", b"METHOD=AES-128,"),
    "SAMPLE-AES": (b"METHOD=SAMPLE-AES,",),
    "SAMPLE-AES-CTR": (b"METHOD=SAMPLE-AES-CTR,",),
    "AES-128": (b"METHOD=AES-128,",),
}
CTR_SCHEMES: Final = {"cenc", "cens", "SAMPLE-AES-CTR"}
