"""The sandbox for tests of your own: vendors on loopback that behave, or misbehave where a test says so.

    def test_it(drmkit_sandbox, drmkit_profile): ...

    @pytest.mark.drmkit_fault("keyserver-wrong-key")
    def test_wrong_keys(drmkit_profile): ...

pytest finds this plugin by itself. It imports nothing of drmkit before a test asks for one of its fixtures:

- `drmkit_sandbox` (session): a running `drmkit.sandbox.Sandbox`; under pytest-xdist every worker has its own
- `drmkit_profile` (session): the `drmkit.config.Profile` that points at it
- `drmkit_config` (session): a private configuration file with that profile, for `DRMKIT_CONFIG` or `--config`
- `drmkit_sandbox_options` (session): a dictionary of options for `SandboxOptions`; override it in your `conftest.py`,
  or set the ini value `drmkit_sandbox`, one `name = value` a line
- the marker `drmkit_fault(...)`: faults and profiles of faults that are on while a test runs, its function-scoped
  fixtures included; what was on before is on again afterwards, however the test ends
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.sandbox import Sandbox

__all__ = [
    "drmkit_config",
    "drmkit_profile",
    "drmkit_sandbox",
    "drmkit_sandbox_options",
    "pytest_addoption",
    "pytest_configure",
    "pytest_itemcollected",
]

_MARKER = "drmkit_fault"
_FIXTURE = "_drmkit_faults"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the ini value, and keep drmkit out of assertion rewriting.

    pytest rewrites the asserts of every package that brings a plugin. drmkit's have nothing to show, and compiling all
    its modules anew takes longer than starting a sandbox.
    """
    parser.addini("drmkit_sandbox", "options of drmkit's sandbox, one `name = value` a line", type="linelist")
    marked = getattr(getattr(pluginmanager, "rewrite_hook", None), "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("drmkit")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(*faults): let drmkit's sandbox misbehave in this test: names, NAME:3, NAME:25%, profiles"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a marked test the fixture that switches its faults: behind the fixtures of wider scope, which see none."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None or item.get_closest_marker(_MARKER) is None:
        return
    known: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    place = next((at for at, name in enumerate(names) if name in known and known[name][-1].scope == "function"), None)
    names.insert(len(names) if place is None else place, _FIXTURE)


@pytest.fixture(scope="session")
def drmkit_sandbox_options(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Options of the sandbox by name, those of the ini value `drmkit_sandbox`; override it to set others."""
    with _in_words("drmkit_sandbox"):
        from drmkit.sandbox.optiontext import read_options  # noqa: PLC0415 (who does not use it does not wait for it)

        return read_options(pytestconfig.getini("drmkit_sandbox"))


@pytest.fixture(scope="session")
def drmkit_sandbox(drmkit_sandbox_options: dict[str, Any]) -> Iterator[Sandbox]:
    """A running sandbox on a free port of loopback, with random credentials."""
    with ExitStack() as stack:
        with _in_words("drmkit_sandbox"):
            from drmkit.sandbox import Sandbox, SandboxOptions  # noqa: PLC0415

            running = stack.enter_context(Sandbox(SandboxOptions(**drmkit_sandbox_options)))
        yield running


@pytest.fixture(scope="session")
def drmkit_config(drmkit_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private configuration file whose profile `sandbox` points at the sandbox."""
    from drmkit.keyserver.store import write_atomically  # noqa: PLC0415

    path = tmp_path_factory.mktemp("drmkit") / "config.toml"
    write_atomically(path, drmkit_sandbox.profile_toml().encode())
    return path


@pytest.fixture(scope="session")
def drmkit_profile(drmkit_config: Path) -> Profile:
    """The profile that points at the sandbox; neither your configuration file nor your environment is read."""
    from drmkit.config import load_profile  # noqa: PLC0415

    return load_profile(path=drmkit_config, environ={})


@pytest.fixture(name=_FIXTURE)
def _faults(request: pytest.FixtureRequest, drmkit_sandbox: Sandbox) -> Iterator[None]:
    from drmkit.sandbox.faultprofiles import read_faults  # noqa: PLC0415

    # The nearer mark wins: module before class before function before parameter.
    found = sorted(request.node.iter_markers_with_node(_MARKER), key=lambda pair: len(pair[0].listchain()))
    with _in_words(_MARKER):
        settings = read_faults([str(name) for _, mark in found for name in (mark.args or ("",))])
    with drmkit_sandbox.faults.showing(*settings):
        yield


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Let an error of drmkit's fail the test with what is wrong and what to do, without a trace of drmkit's code."""
    from drmkit.errors import DrmkitError  # noqa: PLC0415

    try:
        yield
    except DrmkitError as error:
        hint = f" ({error.hint})" if error.hint else ""
        pytest.fail(f"{what}: {error.message}{hint}", pytrace=False)
