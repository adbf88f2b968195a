"""The first slice: build, write, read back, choose."""

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId

KID = KeyId.from_hex("00112233445566778899aabbccddeeff")


def test_what_is_built_is_read_back() -> None:
    """A built document reads back with the same values, and chooses its key for a track."""
    builder = cpix.Builder(version="2.3", content_id="movie")
    builder.content_key(kid=KID, key=bytes(range(16)), iv=bytes(range(16, 32)), scheme="cenc")
    builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, pssh=b"", hls_media="#EXT-X-KEY:METHOD=SAMPLE-AES-CTR")
    builder.usage_rule(kid=KID, video=[cpix.VideoFilter(max_pixels=1920 * 1080)])
    document = cpix.parse(builder.build().to_xml())
    key = document.key_for(cpix.VideoTrack(1920, 1080))
    assert key is not None
    assert key.key is not None
    assert (key.kid, key.key.reveal(), key.iv) == (KID, bytes(range(16)), bytes(range(16, 32)))
    system = document.drm_systems.get(KID, DrmSystem.WIDEVINE.system_id.upper())
    assert system is not None
    assert (system.pssh, system.placeholders) == (None, ("PSSH",))
    assert system.hls_signaling("media") == "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR"
