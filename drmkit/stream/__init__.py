"""Streams on this machine: encrypt with Shaka Packager and the keys of a CPIX document, decrypt, inspect.

- `drmkit.stream.tools`: find Shaka Packager, ffmpeg and ffprobe (extra `packager`)
- `drmkit.stream.clip`: make a small clip to try things on
- `drmkit.stream.plan`: which key, IV and PSSH boxes each track gets, and which packager runs that takes
- `drmkit.stream.packager`: run the plan
- `drmkit.stream.aes128`: HLS with whole segments encrypted by AES-128
- `drmkit.stream.decrypt`: hashes of a stream's packets, in the clear or decrypted
- `drmkit.stream.inspect`: what an MP4 file says about its encryption
- `drmkit.stream.proof`: show that a packaged stream decrypts with its keys, and with no other
- `drmkit.stream.model`, `drmkit.stream.naming`, `drmkit.stream.arguments`, `drmkit.stream.probe`,
  `drmkit.stream.verify`: its parts
- `drmkit.stream.manifests`, `drmkit.stream.mpd`, `drmkit.stream.playlists`, `drmkit.stream.master`,
  `drmkit.stream.signals`: its DASH manifest and HLS playlists, with what the document states in them
- `drmkit.stream.process`, `drmkit.stream.child`, `drmkit.stream.staging`: run a program and leave nothing behind
- `drmkit.stream.boxes`, `drmkit.stream.entries`: ISO base media files
"""
