"""What is installed: units that systemd accepts and calls safe, a crontab that cron reads, manifests with a schema."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from drmkit.errors import ConfigurationError
from drmkit.keyserver.units import Installation, crontab_line, service_unit, timer_unit, unit_name

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
EXAMPLE = Installation(
    program=["/usr/local/bin/drmkit"],
    profile="example",
    config="/etc/drmkit/config.toml",
    output="/run/drmkit/key-server-url.json",
    password_file="/etc/drmkit/drmtoday.password",
)
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (Debian: systemd)"
)
VARIANTS = {
    "the example": EXAMPLE,
    "a user of its own": replace(EXAMPLE, user="drmkit", group="media"),
    "no configuration file": Installation(["/usr/bin/python3", "-m", "drmkit"], "p"),
    "another folder": replace(EXAMPLE, output="/srv/keys/url.json"),
    "the state folder": replace(EXAMPLE, output="/var/lib/drmkit/url.json"),
}


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def write_units(folder: Path, installation: Installation) -> Path:
    """Write the units with a program that exists, and return the service."""
    there = replace(installation, program=["/bin/true", *installation.program[1:]])
    name = unit_name(there)
    (folder / f"{name}.timer").write_text(timer_unit(there), encoding="utf-8")
    service = folder / f"{name}.service"
    service.write_text(service_unit(there), encoding="utf-8")
    return service


@needs_systemd
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_systemd_accepts_the_units(tmp_path: Path, variant: Installation) -> None:
    """`systemd-analyze verify` has nothing to say about service and timer."""
    service = write_units(tmp_path, variant)
    done = analyze("verify", "--recursive-errors=no", str(service), str(service.with_suffix(".timer")))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_does_not_accept_everything(tmp_path: Path) -> None:
    """The twin that is refused: an unknown setting is told."""
    service = write_units(tmp_path, EXAMPLE)
    service.write_text(service_unit(EXAMPLE).replace("Type=oneshot", "Type=nonsense"), encoding="utf-8")
    assert "nonsense" in analyze("verify", str(service)).stderr


@needs_systemd
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_systemd_calls_the_service_safe(tmp_path: Path, variant: Installation) -> None:
    """The exposure is at most 3.0."""
    service = write_units(tmp_path, variant)
    done = analyze("security", "--offline=true", "--threshold=30", str(service))
    assert done.returncode == 0, done.stdout
    score = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
    assert score
    assert float(score[1]) <= 3.0


def test_the_service_asks_before_it_renews() -> None:
    """The condition is `due`, whose errors are 255; password and configuration come as credentials."""
    unit = service_unit(EXAMPLE)
    command = "/usr/local/bin/drmkit -q --config %d/config.toml --profile example key-url"
    assert f"\nExecCondition={command} due\n" in unit
    assert f"\nExecStart={command} refresh\n" in unit
    assert "\nLoadCredential=config.toml:/etc/drmkit/config.toml\n" in unit
    assert "\nLoadCredential=drmtoday-password:/etc/drmkit/drmtoday.password\n" in unit
    assert "\nEnvironment=DRMTODAY_PASSWORD_FILE=%d/drmtoday-password\n" in unit
    assert "\nProtectSystem=strict\n" in unit
    assert "\nRuntimeDirectory=drmkit\n" in unit


def test_what_a_profile_says_decides_the_folders() -> None:
    """Only the folders that it needs may be written."""
    assert "ReadWritePaths=/srv/keys\n" in service_unit(VARIANTS["another folder"])
    assert "ReadWritePaths" not in service_unit(VARIANTS["the state folder"]) + service_unit(EXAMPLE)
    assert "User=drmkit\nGroup=media\n" in service_unit(VARIANTS["a user of its own"])
    assert "DynamicUser=yes\n" in service_unit(EXAMPLE)
    assert "LoadCredential" not in service_unit(VARIANTS["no configuration file"])


def test_words_are_quoted_as_systemd_reads_them() -> None:
    """Dollars, percent signs, quotes and blanks of a path are not taken for anything else."""
    odd = Installation(['/opt/a b/100%/$x"y'], "p")
    assert 'ExecStart="/opt/a b/100%%/$$x\\"y" -q --profile p key-url refresh' in service_unit(odd)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"profile": "a b"}, "cannot name a systemd unit"),
        ({"config": "/etc/a b.toml"}, "cannot stand in a systemd unit"),
        ({"password_file": "relative"}, "cannot stand in a systemd unit"),
        ({"password_file": "/a:b"}, "cannot stand in a systemd unit"),
        ({"output": "/run/%x/url"}, "cannot stand in a systemd unit"),
        ({"user": "a b\nExecStart=x"}, "is no name of a user"),
        ({"program": ["/bin/x\nExecStart=/bin/y"]}, "cannot stand in a systemd unit"),
    ],
)
def test_what_would_break_a_unit_is_refused(wrong: dict[str, str], reason: str) -> None:
    """Nothing that a configuration holds can add a line to a unit."""
    with pytest.raises(ConfigurationError, match=reason):
        service_unit(made := replace(EXAMPLE, **wrong)) + timer_unit(made)  # type: ignore[arg-type] # varies
    assert timer_unit(EXAMPLE)


def test_the_crontab_line_is_cron_s() -> None:
    """Five fields and a command; minutes that follow from the profile; a percent sign escaped."""
    line = crontab_line(EXAMPLE)
    minutes, *rest, command = line.rstrip("\n").split(None, 5)
    assert rest == ["*"] * 4
    numbers = [int(minute) for minute in minutes.split(",")]
    assert len(numbers) == 4
    assert {later - earlier for earlier, later in itertools.pairwise(numbers)} == {15}
    assert 0 not in numbers
    assert command == "/usr/local/bin/drmkit -q --config /etc/drmkit/config.toml --profile example key-url refresh"
    assert crontab_line(EXAMPLE) == line
    assert len({crontab_line(replace(EXAMPLE, profile=f"p{n}")).split()[0] for n in range(50)}) > 7
    assert r"100\%/x" in crontab_line(replace(EXAMPLE, config="/100%/x"))
    assert crontab_line(EXAMPLE, user="drmkit").split()[5] == "drmkit"


def test_the_files_of_scripts_are_what_install_makes() -> None:
    """Nobody has to trust an example that the program would not write."""
    name = unit_name(EXAMPLE)
    assert (SCRIPTS / "systemd" / f"{name}.service").read_text(encoding="utf-8") == service_unit(EXAMPLE)
    assert (SCRIPTS / "systemd" / f"{name}.timer").read_text(encoding="utf-8") == timer_unit(EXAMPLE)
    assert (SCRIPTS / "cron" / "drmkit").read_text(encoding="utf-8").endswith(crontab_line(EXAMPLE, user="drmkit"))


def test_the_containerfile_names_no_secret_and_no_root() -> None:
    """The image runs as a number other than 0, and starts what `key-url watch` needs."""
    text = (SCRIPTS / "container" / "Containerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 65532:65532$", text, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["drmkit"\]$', text, re.MULTILINE)
    assert "PASSWORD" not in text
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    assert all((ROOT / source).exists() for line in sources for source in line.split())
