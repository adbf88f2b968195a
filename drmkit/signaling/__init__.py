"""DRM signaling: PSSH boxes, PlayReady headers, HLS tags and DASH elements, built and read without any service.

- `pssh`: the boxes themselves, of any system
- `widevine`, `playready`, `common`, `fairplay`, `clearkey`, `marlin`: what each system puts into them, or beside them
- `hls`, `dash`: the tags and elements of playlists and manifests
- `mp4`: the boxes inside media files
"""
