"""The vendors on loopback, for demos and tests: every secret is random, nothing is persisted or leaves this machine.

    with Sandbox() as sandbox:
        sandbox.url, sandbox.credentials, sandbox.profile_toml()

- `options`: what can be set
- `server`: `Sandbox`, and `serve` for the command line
- `cas`, `keyserver`, `keymanagement`, `license`, `mps`: one module for each vendor role
- `faults`: vendors that misbehave on demand
"""

from drmkit.sandbox.faults import FAULTS, Fault, FaultSetting
from drmkit.sandbox.options import Rendition, SandboxOptions, Template
from drmkit.sandbox.server import Sandbox, serve

__all__ = ["FAULTS", "Fault", "FaultSetting", "Rendition", "Sandbox", "SandboxOptions", "Template", "serve"]
