"""`drmkit sandbox`: play the vendors (CAS, key server, MPS) on loopback until interrupted."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit import passwords
from drmkit.cli.output import App, format_option, pass_app
from drmkit.cli.usage import as_usage
from drmkit.keyserver.store import write_atomically
from drmkit.settings import parse_duration

if TYPE_CHECKING:
    from drmkit.sandbox import Sandbox

__all__ = ["sandbox"]


class Duration(click.ParamType[timedelta]):
    """A length of time: `30`, `90s`, `10m`, `6h`."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say what it may be."""
        found = parse_duration(str(value))
        if found is None:
            self.fail(f"{value!r} is no length of time; write 30, 90s, 10m or 6h", param, ctx)
        return found


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address; nothing else is accepted.")
@click.option("--port", default=0, show_default=True, help="The port; 0 takes a free one.")
@click.option("--write-config", type=click.Path(path_type=Path), help="Write a profile that points drmkit here (0600).")
@click.option("--write-env", type=click.Path(path_type=Path), help="Write NAME=value lines for other programs (0600).")
@click.option("--username", help="API account; random unless given.")
@click.option("--password-file", metavar="FILE", help="Its password; random unless given.")
@click.option("--organization", metavar="UUID", help="Organization UUID; random unless given.")
@click.option("--cpix-config", metavar="ID", help="ID of the CPIX configuration; random unless given.")
@click.option("--secret-id", help="MPS SecretId; random unless given.")
@click.option("--secret-key-file", metavar="FILE", help="MPS SecretKey; random unless given.")
@click.option("--token-kid", metavar="ID", help="ID of the secret of upfront tokens; random unless given.")
@click.option("--token-secret-file", metavar="FILE", help="That secret, 64 hexadecimal digits; random unless given.")
@click.option("--ticket-lifetime", type=Duration(), help="How long a service ticket lives; default 1h.")
@click.option("--login-lifetime", type=Duration(), help="How long a ticket-granting ticket lives; default 8h.")
@click.option("--single-use-tickets", is_flag=True, help="A service ticket works once.")
@click.option("--queue-delay", type=Duration(), help="How long a media task waits in the queue; default none.")
@click.option("--processing-time", type=Duration(), help="How long a media task takes at least; default none.")
@click.option(
    "--storage",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that stands for all buckets, FOLDER/BUCKET/KEY; by default one that goes with the sandbox.",
)
@click.option("--strict-inputs", is_flag=True, help="Fail a task whose input is not there, instead of making a clip.")
@click.option("--encrypt/--no-encrypt", default=None, help="Encrypt, or check keys only; default: as is installed.")
@click.option(
    "--key-acquire-mode",
    type=click.Choice(["POST", "GET"]),
    help="How media tasks ask for keys: a SPEKE request (POST, the default), or the URL's own document (GET).",
)
@click.option(
    "--template",
    "templates",
    metavar="NUMBER=FORMAT/SEGMENTS",
    multiple=True,
    help="An adaptive-bitrate template, such as 20=MPEG-DASH/mp4-byterange; any other number is HLS/mp4-segment.",
)
@click.option("--session-lifetime", type=Duration(), help="How long a playback session lives; default 1h.")
@click.option("--player-js", type=click.Path(path_type=Path), help="Shaka Player; default: in a node_modules folder.")
@click.option(
    "--license-origin",
    "license_origins",
    metavar="URL",
    multiple=True,
    help="Pages of this origin may ask for ClearKey licenses too.",
)
@click.option("--speke-auth", is_flag=True, help="SPEKE requests need the API account's name and password (Basic).")
@click.option("--vod-notify-url", metavar="URL", help="Where VOD reports the ends of its tasks; loopback alone.")
@click.option("--sqs-endpoint", metavar="URL", help="Where SQS is played, for jobs that notify it; loopback alone.")
@click.option(
    "--faults",
    "profiles",
    metavar="PROFILE",
    multiple=True,
    help="Have a bad day of a kind, such as `flaky`; `--faults help` lists the profiles and every fault.",
)
@click.option(
    "--fault",
    "faults",
    metavar="NAME[:TIMES|:N%]",
    multiple=True,
    help="Misbehave, always or so many times or so often; `--fault help` lists the names.",
)
@click.option("--fault-seed", type=int, default=0, show_default=True, help="Faults by chance repeat with their seed.")
@click.option("--fault-delay", type=Duration(), help="How late slow answers are; default 5s.")
@format_option
@pass_app
def sandbox(app: App, /, *, write_config: Path | None, write_env: Path | None, form: str, **given: Any) -> None:
    """Play the vendors on loopback: CAS, CPIX key server and MPS, with random credentials and real keys.

    Runs until Ctrl-C or SIGTERM. The files are written when it is ready: their appearance is the signal to go on.
    The dashboard shows and sets what goes on; its link holds the token that the admin API asks for.

      drmkit sandbox --port 0 --write-config sandbox.toml &

      drmkit --config sandbox.toml key-url get
    """
    from drmkit.player.shaka import named_player_js  # noqa: PLC0415
    from drmkit.sandbox import SandboxOptions, serve  # noqa: PLC0415 (help needs no extra)

    if "help" in given["faults"] or "help" in given["profiles"]:
        click.echo(_listed(profiles="help" in given["profiles"]))
        return
    given["player_js"] = named_player_js(given["player_js"], app.environ)
    chosen = _options(given)
    with as_usage():
        options = SandboxOptions(**chosen)
    started: list[Sandbox] = []

    def ready(running: Sandbox) -> None:
        if write_config:
            write_atomically(write_config, running.profile_toml().encode())
        if write_env:
            write_atomically(write_env, running.environment_lines().encode())
        _announce(app, running, form, write_config, write_env)
        started.append(running)

    serve(options, ready)
    for running in started:
        shown = [f"{name} {count}" for name, count in sorted(running.faults.counts.items())]
        if shown:
            app.talk(f"faults shown: {', '.join(shown)}")
    app.talk("the sandbox has stopped; nothing of it remains but the files that you asked for")


def _options(given: dict[str, Any]) -> dict[str, Any]:
    """Turn the command's options into those of the sandbox; what was not given is left to its defaults."""
    from drmkit.sandbox.faultprofiles import find_profile  # noqa: PLC0415
    from drmkit.sandbox.faults import FaultSetting  # noqa: PLC0415
    from drmkit.sandbox.optiontext import read_templates  # noqa: PLC0415

    options = {name: value for name, value in given.items() if value is not None}
    for name in ("password", "secret_key", "token_secret"):
        file = options.pop(f"{name}_file", None)
        if file is not None:
            options[name] = passwords.from_file(str(file), what=f"--{name.replace('_', '-')}-file")
    with as_usage():
        of_profiles = [setting for name in options.pop("profiles") for setting in find_profile(name).faults]
        options["faults"] = (*of_profiles, *(FaultSetting.parse(text) for text in given["faults"]))
        options["templates"] = read_templates(given["templates"])
    options["single_use"] = options.pop("single_use_tickets")
    return {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in options.items()}


def _listed(*, profiles: bool) -> str:
    from drmkit.sandbox import FAULTS  # noqa: PLC0415
    from drmkit.sandbox.faultprofiles import PROFILES  # noqa: PLC0415

    faults = [f"{fault.name:30}{fault.summary}" for fault in FAULTS.values()]
    if not profiles:
        return "\n".join(faults)
    lines = [
        f"{profile.name:12}{profile.summary}\n{'':12}{' '.join(profile.settings)}" for profile in PROFILES.values()
    ]
    return "\n".join(["profiles:", *lines, "", "faults:", *faults])


def _announce(app: App, running: Sandbox, form: str, config: Path | None, env: Path | None) -> None:
    health = f"{running.url}/health"
    if form == "json":
        data = {
            "schema_version": 1,
            "url": running.url,
            "health": health,
            "service": running.service,
            "dashboard": running.dashboard.reveal(),
            "admin_token": running.admin_token.reveal(),
            "storage": str(running.storage),
            "encrypts": running.encrypts,
            "config": str(config) if config else None,
            "env": str(env) if env else None,
        }
        click.echo(json.dumps(data))
        return
    click.echo(f"sandbox: {running.url}  (health: {health})")
    click.echo(f"dashboard: {running.dashboard.reveal()}")
    click.echo(f"admin token: {running.admin_token.reveal()}")
    if running.encrypts:
        app.talk(f"buckets: {running.storage}")
    else:
        app.talk(f"media tasks check their keys and encrypt nothing: {running.encrypts_not}")
    if running.faults.active:
        app.talk(f"faults on: {', '.join(running.faults.active)} (seed {running.faults.seed})")
    if config:
        app.talk(f"use it:  drmkit --config {config} key-url get")
    if env:
        app.talk(f"or:      set -a; . {env}; set +a")
    if not (config or env):
        app.talk("its credentials are random: start it with --write-config FILE or --write-env FILE to get them")
    app.talk("Ctrl-C stops it")
