"""The plugin in the tests of others: fixtures, options, faults that end with their test, one sandbox a worker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import drmkit.sandbox

ROOT = Path(__file__).parents[1]
# What the runs below import stays loaded between them: some of its extension modules load only once.
LOADED = drmkit.sandbox.FAULTS
README = (ROOT / "README.md").read_text(encoding="utf-8")
pytest_plugins = ["pytester"]


def run(pytester: pytest.Pytester, code: str, *arguments: str, ini: str = "") -> pytest.RunResult:
    """Run a test file as a user's pytest does, in this process."""
    pytester.makeini(f"[pytest]\naddopts = -p no:randomly\n{ini}")
    pytester.makepyfile(code)
    return pytester.runpytest_inprocess("-q", *arguments)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_the_example_of_the_readme_runs_as_it_is(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The file that README shows passes when it is copied, in one process and in several."""
    section = README.partition("## In your tests")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    (tmp_path / "test_mine.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *arguments, "test_mine.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_every_worker_has_a_sandbox_of_its_own(pytester: pytest.Pytester) -> None:
    """Under xdist no two workers share a port, an account or a fault."""
    pytester.makepyfile(
        """
        import pathlib
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_it(drmkit_sandbox, worker_id, number):
            place = pathlib.Path(f"sandbox-{worker_id}")
            known = f"{drmkit_sandbox.url} {drmkit_sandbox.credentials.username}"
            assert not place.exists() or place.read_text() == known
            place.write_text(known)
        """
    )
    result = pytester.runpytest_subprocess("-q", "-n", "2", "--dist", "each")
    result.assert_outcomes(passed=16)
    found = [path.read_text(encoding="utf-8").split() for path in sorted(pytester.path.glob("sandbox-*"))]
    assert len({url for url, _ in found}) == len({name for _, name in found}) == 2


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("import sys; sys.modules['uvicorn'] = None", "needs the package uvicorn (install it: pip install*sandbox*"),
        ("import sys; sys.modules.pop('uvicorn', None)", None),
    ],
)
def test_a_sandbox_that_cannot_start_says_what_to_do(pytester: pytest.Pytester, cause: str, told: str | None) -> None:
    """Where the extra is missing, the tests that need it fail with how to install it, and no trace of drmkit's code."""
    pytester.makeconftest(cause)
    pytester.makepyfile("def test_it(drmkit_sandbox):\n    assert drmkit_sandbox.url")
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(errors=1 if told else 0, passed=0 if told else 1)
    if told:
        result.stdout.fnmatch_lines([f"drmkit_sandbox: *{told}"])
        result.stdout.no_fnmatch_line("*Traceback*")
        result.stdout.no_fnmatch_line("*server.py*")


def test_a_marked_fault_is_on_in_its_test_alone(pytester: pytest.Pytester) -> None:
    """Faults are on for the test and its own fixtures, not for wider ones, and off again after a failure too."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture(scope="module")
        def wide(drmkit_sandbox):
            return drmkit_sandbox.faults.active

        @pytest.fixture
        def narrow(drmkit_sandbox):
            yield drmkit_sandbox.faults.active
            assert drmkit_sandbox.faults.active == ("cas-crlf", "mps-html"), "teardown"

        def test_before(drmkit_sandbox):
            assert drmkit_sandbox.faults.active == ()

        @pytest.mark.drmkit_fault("mps-html", "cas-crlf:2")
        def test_marked(narrow, wide, drmkit_sandbox):
            assert (wide, narrow) == ((), ("cas-crlf", "mps-html"))
            assert [setting.times for setting in drmkit_sandbox.faults.settings] == [2, None]
            raise RuntimeError("on purpose")

        def test_after(drmkit_sandbox):
            assert drmkit_sandbox.faults.active == ()

        @pytest.mark.drmkit_fault("mps-html")
        def test_without_asking_for_the_sandbox(request):
            assert request.getfixturevalue("drmkit_sandbox").faults.active == ("mps-html",)

        @pytest.mark.drmkit_fault("flaky")
        @pytest.mark.parametrize("extra", ["a", pytest.param("b", marks=pytest.mark.drmkit_fault("cas-dropped:2"))])
        def test_profiles_and_nearer_marks(drmkit_sandbox, extra):
            on = {setting.name: setting for setting in drmkit_sandbox.faults.settings}
            assert "mps-internal-error" in on
            assert on["cas-dropped"].times == {"a": None, "b": 2}[extra]
        """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(["*RuntimeError: on purpose"])


def test_faults_of_the_options_come_back(pytester: pytest.Pytester) -> None:
    """What is on by option is on again after a test that changed it by its mark."""
    result = run(
        pytester,
        """
        import pytest

        def shown(sandbox):
            return [(setting.name, setting.probability) for setting in sandbox.faults.settings]

        @pytest.mark.drmkit_fault("mps-html")
        def test_marked(drmkit_sandbox):
            assert shown(drmkit_sandbox) == [("cas-crlf", 1.0), ("mps-html", 1.0)]

        def test_after(drmkit_sandbox):
            assert shown(drmkit_sandbox) == [("cas-crlf", 1.0), ("mps-html", 0.25)]
            assert drmkit_sandbox.faults.seed == 7
            assert drmkit_sandbox.options.single_use
        """,
        ini="drmkit_sandbox =\n    faults = mps-html:25%, cas-crlf\n    fault_seed = 7\n    single_use = yes\n",
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("'mps-htlm'", "drmkit_fault: there is no fault 'mps-htlm' (did you mean 'mps-html'?)"),
        ("'mps-html:often'", "drmkit_fault: the fault setting 'mps-html:often' does not say how often"),
        ("3", "drmkit_fault: there is no fault '3'"),
        ("", "drmkit_fault: there is no fault ''"),
    ],
)
def test_a_wrong_mark_is_an_error_in_words(pytester: pytest.Pytester, mark: str, reason: str) -> None:
    """A mark that names no fault fails its test with the reason, without a traceback, and the others pass."""
    code = f"import pytest\n@pytest.mark.drmkit_fault({mark})\ndef test_it(): pass\ndef test_other(): pass\n"
    result = run(pytester, code)
    result.assert_outcomes(passed=1, errors=1)
    assert reason in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("single_user = true", "drmkit_sandbox: there is no option 'single_user' (did you mean 'single_use'?)"),
        ("single_use", "drmkit_sandbox: 'single_use' is no option (write `name = value`, one a line)"),
    ],
)
def test_a_wrong_ini_value_is_an_error_in_words(pytester: pytest.Pytester, line: str, reason: str) -> None:
    """A mistake in the ini value is told where a test first needs the sandbox."""
    result = run(pytester, "def test_it(drmkit_sandbox): pass\n", ini=f"drmkit_sandbox = {line}\n")
    result.assert_outcomes(errors=1)
    assert reason in result.stdout.str()


def test_options_can_be_overridden(pytester: pytest.Pytester) -> None:
    """A `drmkit_sandbox_options` of one's own makes the sandbox what it shall be; the profile points at that one."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def drmkit_sandbox_options():
            return {"organization": "mine", "stream_types": ("AUDIO", "HD")}
        """
    )
    result = run(
        pytester,
        """
        import stat

        def test_it(drmkit_sandbox, drmkit_profile, drmkit_config):
            assert drmkit_sandbox.credentials.organization == drmkit_profile.require("organization") == "mine"
            assert drmkit_profile.require("auth_url") == drmkit_sandbox.url
            assert drmkit_profile.name == "sandbox"
            assert stat.S_IMODE(drmkit_config.stat().st_mode) == 0o600
            assert drmkit_sandbox.credentials.password.reveal() not in repr(drmkit_profile)
        """,
    )
    result.assert_outcomes(passed=1)


def test_who_does_not_use_it_does_not_load_it(pytester: pytest.Pytester) -> None:
    """A test run that asks for no fixture imports the plugin's one module and nothing else of drmkit."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "drmkit")
            assert loaded == ["drmkit", "drmkit.pytest_plugin"]
            assert not {"uvicorn", "starlette", "httpx", "lxml"} & sys.modules.keys()
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_drmkit_is_kept_out_of_assertion_rewriting(pytester: pytest.Pytester) -> None:
    """Otherwise pytest would compile every module of drmkit anew, which takes longer than starting a sandbox."""
    result = run(
        pytester,
        """
        def test_it(pytestconfig):
            assert not pytestconfig.pluginmanager.rewrite_hook._is_marked_for_rewrite("drmkit.errors", None)
        """,
    )
    result.assert_outcomes(passed=1)


def test_it_is_documented_where_pytest_lists_it(pytester: pytest.Pytester) -> None:
    """`--markers` and `--fixtures` name what there is."""
    run(pytester, "", "--markers").stdout.fnmatch_lines(["@pytest.mark.drmkit_fault(*faults): *"])
    run(pytester, "def test_it(): pass", "--fixtures").stdout.fnmatch_lines_random(
        [f"{name} *session scope*" for name in ("drmkit_sandbox_options", "drmkit_sandbox", "drmkit_config")]
    )
