"""Streams on this machine: encrypt with Shaka Packager and the keys of a CPIX document, decrypt, inspect.

- `drmkit.stream.tools`: find Shaka Packager, ffmpeg and ffprobe (extra `packager`)
- `drmkit.stream.clip`: make a small clip to try things on
- `drmkit.stream.inputs`: the video and audio tracks of media files
- `drmkit.stream.plan`, `drmkit.stream.plannotes`: which key, IV and PSSH boxes each track gets, which packager runs
  that takes, and what of it is unwise
- `drmkit.stream.packager`, `drmkit.stream.opus`: run the plan, however many runs it takes, into one stream, and mend
  what the packager writes wrongly
- `drmkit.stream.aes128`: HLS with whole segments encrypted by AES-128
- `drmkit.stream.proof`: show by two tools that a packaged stream decrypts with its keys, and with no other
- `drmkit.stream.decrypt`, `drmkit.stream.unseal`, `drmkit.stream.hlsdecrypt`: what ffmpeg and Shaka Packager make of a
  stream with keys
- `drmkit.stream.inspect`: what an MP4 file says about its encryption
- `drmkit.stream.check`: check any HLS or DASH stream against itself, a CPIX document and its keys
- `drmkit.stream.model`, `drmkit.stream.naming`, `drmkit.stream.arguments`, `drmkit.stream.complaints`,
  `drmkit.stream.probe`, `drmkit.stream.tracks`, `drmkit.stream.schemes`, `drmkit.stream.verify`: their parts
- `drmkit.stream.manifests`, `drmkit.stream.mpd`, `drmkit.stream.playlists`, `drmkit.stream.master`,
  `drmkit.stream.signals`: DASH manifests and HLS playlists, with what the document states in them
- `drmkit.stream.process`, `drmkit.stream.child`, `drmkit.stream.staging`: run a program and leave nothing behind
- `drmkit.stream.entries`: the sample entries of ISO base media files
"""
