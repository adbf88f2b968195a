"""Start-up times of command lines: drmkit's beside tccli's and the AWS CLI's, each less its bare interpreter's.

Every program runs once a round, so that whatever else the machine does falls on all alike; the best and the median of
all rounds count. What is due is renewed at a scripted CAS on loopback, in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from environments import python_with

ROUNDS = int(os.environ.get("ROUNDS", "25"))
ROOT = Path(__file__).resolve().parents[2]
BUDGET_MS = 60.0


@dataclass
class Contender:
    """A command line and its times.

    Attributes:
        name: what it is called in the table.
        command: the program and its arguments.
        bare: the interpreter that it runs on.
        environ: its environment.
        milliseconds: one for each round.
    """

    name: str
    command: Sequence[str]
    bare: str
    environ: dict[str, str]
    milliseconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run it once."""
        began = time.perf_counter()
        done = subprocess.run(self.command, env=self.environ, capture_output=True, check=False)
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: exit code {done.returncode}: {done.stderr.decode()}")


def stored_url(path: Path, service: str) -> None:
    """Store a young URL."""
    now = datetime.now(UTC)
    content = {
        "url": f"{service}?ticket=ST-1",
        "service": service,
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(hours=6)).isoformat(),
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def drmkit_contenders(folder: Path, environ: dict[str, str]) -> list[Contender]:
    """Return drmkit's command lines, with a profile whose URL is young and one that is always due."""
    service = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
    config, idle = folder / "config.toml", folder / "idle.json"
    config.write_text(
        f'[profile.idle]\nusername = "api"\npassword_file = "{folder}/password"\norganization = "org"\n'
        f'cpix_config = "config"\nticket_lifetime = "6h"\noutput = "{idle}"\n',
        encoding="utf-8",
    )
    stored_url(idle, service)
    start = [sys.executable, "-m", "drmkit"]
    named = [*start, "--config", str(config)]
    sandbox = [*start, "--config", str(folder / "sandbox.toml"), "key-url", "refresh", "--output", f"{folder}/due.json"]
    # The first run with nothing due leaves a note: a file that changes leaves none that counts.
    forget = (
        "import os, sys; os.utime(sys.argv[1]); sys.argv[1:2] = []; from drmkit.__main__ import main; sys.exit(main())"
    )
    first = [sys.executable, "-c", forget, str(idle), "--config", str(config), "key-url", "refresh"]
    rows = {
        "drmkit key-url refresh, nothing due": [*named, "key-url", "refresh"],
        "drmkit key-url refresh, nothing due, first time": first,
        "drmkit key-url show": [*named, "key-url", "show"],
        "drmkit --version": [*start, "--version"],
        "drmkit key-url refresh, due (2 calls to loopback)": sandbox,
    }
    return [Contender(name, command, sys.executable, environ) for name, command in rows.items()]


def others(environ: dict[str, str]) -> list[Contender]:
    """Return the programs of other projects, each in an environment of its own."""
    tccli, aws = python_with("tccli"), python_with("awscli")
    return [
        Contender("tccli --version", [str(tccli), str(tccli.with_name("tccli")), "--version"], str(tccli), environ),
        Contender("aws --version", [str(aws), str(aws.with_name("aws")), "--version"], str(aws), environ),
    ]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"PATH": os.environ["PATH"], "HOME": name, "PYTHONPATH": str(ROOT)}
        plain = {"PATH": os.environ["PATH"], "HOME": name}
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "drmkit", "sandbox", "--port", "0", "--write-config", str(folder / "sandbox.toml")],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not (folder / "sandbox.toml").exists():
                time.sleep(0.05)
            contenders = [*drmkit_contenders(folder, environ), *others(plain)]
            bare = {one.bare: Contender("bare", [one.bare, "-c", "pass"], one.bare, plain) for one in contenders}
            for one in contenders:
                one.run()
                one.milliseconds.clear()
            for _ in range(ROUNDS):
                for one in [*bare.values(), *contenders]:
                    one.run()
        finally:
            sandbox.terminate()
            sandbox.wait()
    report(contenders, bare)


def report(contenders: Sequence[Contender], bare: dict[str, Contender]) -> None:
    """Print the table."""
    print(f"start-up, milliseconds, best and median of {ROUNDS} rounds on {os.cpu_count()} CPUs")
    print(f"{'program':52}{'best':>8}{'median':>8}{'over bare':>11}{'x bare':>8}")
    own = bare[sys.executable].milliseconds
    print(f"{'a bare interpreter':52}{min(own):8.1f}{statistics.median(own):8.1f}{0.0:11.1f}{1.0:8.1f}")
    for one in contenders:
        best, median, floor = min(one.milliseconds), statistics.median(one.milliseconds), bare[one.bare].milliseconds
        over = statistics.median(one.milliseconds) - statistics.median(floor)
        print(f"{one.name:52}{best:8.1f}{median:8.1f}{over:11.1f}{median / statistics.median(floor):8.1f}")
    idle = statistics.median(contenders[0].milliseconds) - statistics.median(own)
    print(f"nothing due: {idle:.1f} ms over a bare interpreter, of {BUDGET_MS:.0f} allowed")


if __name__ == "__main__":
    main()
