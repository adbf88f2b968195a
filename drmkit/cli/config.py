"""`drmkit config`: the settings in force with their origins, and a configuration to start from."""

from __future__ import annotations

import click

from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.config import default_config_path

__all__ = ["config"]

_SKELETON = """\
# drmkit's configuration. Values of the environment and options override it. Keep it private: chmod 600.

[profile.default]
environment = "production"              # or "staging"; or auth_url and frontend_url of your own
username = "api-account"                # DRMtoday: Members/Users, Add API account
password_file = "~/.config/drmkit/drmtoday.password"   # chmod 600; or password_command = ["pass", "show", "drmtoday"],
                                        # password_credential = "NAME" (systemd), password_keyring = "SERVICE"
organization = "00000000-0000-0000-0000-000000000000"  # API endpoints, top right: the UUID, not the API name
# organization_name = "my-organization" # the API name, beside the UUID: key ingest and removal want it
cpix_config = "00000000"                # Ingest settings: the ID of the CPIX config, not a seed's
# query = { x-signaling-alg = "cenc" }  # further query parameters of the URL
# ticket_lifetime = "6h"                # only if you measured it: DRMtoday publishes none
# renew_after = "1h"                    # renew at this age; without it and a lifetime, every run renews
# margin = "30m"                        # renew this long before the end at the latest
# jitter = 0.1                          # renew up to this share of the lifetime earlier, always the same
# verify = "cpix"                       # fetch and validate before a new URL counts: at DRMtoday an ingest
# output = "/run/drmkit/key-server-url.json"
# write = "json"                        # json, url or env
# mode = "0600"
# hook = ["systemctl", "reload", "packager"]           # told of a new URL; no shell
# hook_timeout = "60s"
# metrics = "/var/lib/node_exporter/drmkit.prom"
# timeout = "10s"
# attempts = 3
# ca_file = "/etc/ssl/company.pem"

[profile.default.mps]
# endpoint = "https://mps.tencentcloudapi.com"
# region = "ap-singapore"
# secret_id = "AKID..."
# secret_key_file = "~/.config/drmkit/tencent.key"     # chmod 600

[profile.default.token]                 # upfront tokens for licenses
# kid = "00000000-0000-0000-0000-000000000000"         # the shared secret's ID in the dashboard
# secret_file = "~/.config/drmkit/drmtoday.token"      # chmod 600: its 64 hexadecimal digits
# algorithm = "HS256"
# lifetime = "5m"
"""


@click.group()
def config() -> None:
    """Show the settings in force, or print a configuration to start from."""


@config.command(short_help="Show every setting in force and its origin.")
@format_option
@pass_app
def show(app: App, /, *, form: str) -> None:
    """Show every setting in force and where it came from; secrets are masked."""
    profile = app.profile()
    settings = [
        {"name": name, "value": setting.shown, "origin": setting.origin}
        for name, setting in sorted(profile.settings.items())
    ]
    width = max((len(item["name"]) for item in settings), default=0)
    lines = [f"profile: {profile.name}"]
    lines += [f"{item['name']:{width}} = {item['value']}   ({item['origin']})" for item in settings]
    if not settings:
        lines.append(f"nothing is set: there is no {default_config_path(app.environ)}; see `drmkit config init`")
    emit(form, {"profile": profile.name, "settings": settings}, "\n".join(lines))


@config.command()
def init() -> None:
    """Print a commented configuration to start from."""
    click.echo(_SKELETON, nl=False)
