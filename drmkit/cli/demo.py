"""`drmkit demo`: the whole road on the sandbox, from a login to decrypted video."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drmkit.cli.output import App, emit, format_option, pass_app, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drmkit.cli.demo_steps import Step

__all__ = ["demo"]

_FAILED = 1
_WIDTH = 110
_TIME = 7


@click.command()
@click.option(
    "--fault",
    "faults",
    metavar="NAME",
    multiple=True,
    help="Break a part, to see the demo fail there; `drmkit sandbox --fault help` lists the names.",
)
@format_option
@pass_app
def demo(app: App, /, *, form: str, faults: Sequence[str]) -> int:
    """Run the whole flow on the sandbox: log in, get keys, submit DRM jobs, encrypt and decrypt real video.

    Everything runs on this machine, over real HTTP on loopback, with random credentials; no account is needed.
    The exit code is 0 if every step did what it should, 1 if not.
    """
    from drmkit.cli.demo_steps import run_steps  # noqa: PLC0415 (help needs none of it)

    def told(step: Step) -> None:
        if form == "text":
            app.talk(f"{'ok  ' if step.ok else 'FAIL'} {step.name}")

    steps = run_steps(faults=faults, told=told)
    ok = all(step.ok for step in steps)
    data = {"ok": ok, "steps": [step.as_dict() for step in steps]}
    emit(form, data, lambda: _table(steps))
    if not ok:
        problem(f"the demo failed at its step {steps[-1].name}", hint=steps[-1].hint)
    return 0 if ok else _FAILED


def _table(steps: Sequence[Step]) -> str:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(show_lines=True)
    table.add_column("step", no_wrap=True)
    table.add_column("what was shown", overflow="fold")
    table.add_column("time", justify="right", no_wrap=True, min_width=_TIME)
    for step in steps:
        mark = "" if step.ok else "FAILED: "
        table.add_row(step.name, mark + step.detail, f"{step.seconds:.1f} s")
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")
