"""`drmkit key-url install`: print or write what makes systemd or cron run renewals."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from drmkit.cli.output import App, pass_app
from drmkit.config import config_path
from drmkit.errors import ConfigurationError

__all__ = ["install"]


@click.command(short_help="Print or write systemd units or a crontab line.")
@click.option("--systemd", "kind", flag_value="systemd", help="A service and a timer.")
@click.option("--cron", "kind", flag_value="cron", help="A crontab's line.")
@click.option(
    "--write",
    "target",
    type=click.Path(readable=False, path_type=Path),
    help="Write to this folder (units) or file (in the form of /etc/cron.d) instead of printing.",
)
@click.option("--program", metavar="PATH", help="The program to start; default: where this one lies.")
@click.option("--user", metavar="NAME", help="Run as this user; default: one that systemd makes up; root for cron.d.")
@click.option("--group", metavar="NAME", help="Run as this group, such as that of the programs that read the URL.")
@pass_app
def install(
    app: App,
    /,
    *,
    kind: str | None,
    target: Path | None,
    program: str | None,
    user: str | None,
    group: str | None,
) -> None:
    """Print or write what makes systemd or cron renew the URL of the profile.

    The units hand the configuration and the password file to the service as credentials: they can belong to root and
    be closed to everybody else. Nothing secret stands in them.
    """
    from drmkit.keyserver.files import write_atomically  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.units import (  # noqa: PLC0415
        Installation,
        crontab_line,
        service_unit,
        timer_unit,
        unit_name,
    )

    if kind is None:
        raise click.UsageError("say what for: --systemd or --cron")
    profile = app.profile()
    config = config_path(app.config_path, app.environ).absolute()
    if not config.exists():
        raise ConfigurationError(
            f"there is no configuration file {config}: cron and systemd start programs without your environment",
            hint="write one: drmkit config init",
        )
    output, password_file = profile.get("output"), profile.get("password_file")
    made = Installation(
        program=[program] if program else _program(),
        profile=profile.name,
        config=str(config),
        output=_absolute(output),
        password_file=_absolute(password_file),
        user=user,
        group=group,
    )
    if kind == "cron":
        if target is None:
            click.echo(crontab_line(made), nl=False)
            return
        write_atomically(target, crontab_line(made, user=user or "root").encode(), mode=0o644)
        app.talk(f"wrote {target}")
        return
    units = {f"{unit_name(made)}.service": service_unit(made), f"{unit_name(made)}.timer": timer_unit(made)}
    if target is None:
        click.echo("\n".join(f"# {name}\n{text}" for name, text in units.items()), nl=False)
        return
    for name, text in units.items():
        write_atomically(target / name, text.encode(), mode=0o644)
        app.talk(f"wrote {target / name}")
    app.talk(f"start it:  systemctl daemon-reload; systemctl enable --now {unit_name(made)}.timer")


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).expanduser().absolute())


def _program() -> list[str]:
    """Return the words that start this program again, wherever cron or systemd start it from."""
    found = shutil.which(sys.argv[0])
    if found is not None and Path(found).name == "drmkit":
        return [str(Path(found).absolute())]
    return [sys.executable, "-m", "drmkit"]
