"""drmkit takes a video pipeline from a DRM account to encrypted, verified streams.

The rooms, in the order in which data flows through them:

- `drmkit.config`: profiles from a TOML file, the environment and options
- `drmkit.cas`: log in to a Central Authentication Service, get tickets
- `drmkit.keyserver`: expiring key-server URLs: build, refresh, store
- `drmkit.cpix`: CPIX documents: read, check, build, choose keys
- `drmkit.keys`, `drmkit.signaling`: key seeds; PSSH boxes, HLS and DASH signaling
- `drmkit.licensing`: who gets a license: DRMtoday's upfront tokens and custom data
- `drmkit.speke`: key exchange by SPEKE: requests, answers, providers, their contract
- `drmkit.mps`: DRM jobs for Tencent Media Processing Service: build, sign, submit, follow
- `drmkit.provisioning`: joins key-server URLs and jobs
- `drmkit.stream`: encrypt with Shaka Packager, decrypt, inspect
- `drmkit.player`: a player page, a ClearKey license server, media files by Range
- `drmkit.sandbox`: the vendors on loopback, for demos and tests
- `drmkit.pytest_plugin`: the sandbox as fixtures for tests of one's own
- `drmkit.errors`: every error, with its exit code
- `drmkit.secret`, `drmkit.identifiers`: the values that everything else is made of

Importing `drmkit` itself costs nothing: each room is imported where it is used.
"""

__all__ = ["__version__"]
__version__ = "0.1.0"
