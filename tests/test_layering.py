"""The layers: data goes down the list of rooms once, and importing one room loads no other's dependencies."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import drmkit

ROOT = Path(drmkit.__file__).parent
NETWORK = {
    "httpx",
    "httpcore",
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "socket",
    "starlette",
    "uvicorn",
}
SERVICES = {
    *("drmkit.cas", "drmkit.http", "drmkit.transport", "drmkit.keyserver", "drmkit.mps", "drmkit.speke.client"),
    *("drmkit.provisioning", "drmkit.catalog", "drmkit.sandbox", "drmkit.config", "drmkit.settings", "drmkit.cli"),
}


def module_name(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
IMPORTABLE = [name for name in MODULES if not name.endswith("__main__")]


@cache
def parse(name: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def under_type_checking(tree: ast.Module) -> set[ast.AST]:
    """What stands below `if TYPE_CHECKING:` and is never run."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {below for block in blocks for statement in block.body for below in ast.walk(statement)}


@cache
def imports(name: str) -> frozenset[str]:
    """Everything that a module imports, at its top or inside a function, by its full name."""
    tree = parse(name)
    ignored = under_type_checking(tree)
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in ignored:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relative to itself"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def within(name: str, rooms: set[str]) -> bool:
    """Whether a module is one of these, or lies in one of them."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def trespasses(room: str, forbidden: set[str]) -> Iterator[str]:
    """Imports of forbidden modules by a room, directly or through other modules of drmkit."""
    todo = [(name, name) for name in MODULES if within(name, {room})]
    assert todo, f"{room} is empty"
    seen: set[str] = set()
    while todo:
        name, way = todo.pop()
        for target in imports(name):
            if within(target, forbidden):
                yield f"{way} -> {target}"
            elif target in MODULES and target not in seen:
                seen.add(target)
                todo.append((target, f"{way} -> {target}"))


@pytest.mark.parametrize("room", ["cpix", "keys", "signaling", "licensing"])
def test_offline_rooms_import_no_service(room: str) -> None:
    """Documents, keys, signaling and tokens work offline: neither they nor what they import reaches for a service."""
    assert list(trespasses(f"drmkit.{room}", SERVICES | NETWORK)) == []


def test_the_search_for_trespasses_finds_some() -> None:
    """The benign twin: where an import is allowed, the same search reports it, so its silence means something."""
    assert any(way.endswith("-> httpx") for way in trespasses("drmkit.http", NETWORK))
    assert any("drmkit.transport -> httpcore" in way for way in trespasses("drmkit.http", NETWORK - {"httpx"}))
    assert "drmkit.cas" in imports("drmkit.keyserver.account")


def test_jobs_do_not_know_key_servers() -> None:
    """Jobs name a key source; only `provisioning` joins the two."""
    assert list(trespasses("drmkit.mps", {"drmkit.keyserver", "drmkit.cas", "drmkit.provisioning"})) == []


def test_key_servers_do_not_know_jobs() -> None:
    """Nor the other way round: nothing reaches back up."""
    assert list(trespasses("drmkit.keyserver", {"drmkit.mps", "drmkit.provisioning", "drmkit.cli"})) == []


def test_only_the_command_line_and_the_plugin_import_the_sandbox() -> None:
    """The sandbox is a tool for people and tests: no code that runs in production depends on it."""
    users = {name for name in MODULES if any(within(target, {"drmkit.sandbox"}) for target in imports(name))}
    outside = {name for name in users if not within(name, {"drmkit.sandbox", "drmkit.cli", "drmkit.pytest_plugin"})}
    assert outside == set()


def test_nothing_but_the_entry_points_imports_the_command_line() -> None:
    """The library does not know that it has a command line."""
    users = {
        name for name in MODULES if any(within(target, {"drmkit.cli", "click", "rich"}) for target in imports(name))
    }
    assert {name for name in users if not within(name, {"drmkit.cli", "drmkit.__main__"})} == set()


@pytest.mark.parametrize("room", ["cpix", "keys", "keyserver", "licensing", "mps", "signaling", "speke", "stream"])
def test_modules_do_not_import_in_circles(room: str) -> None:
    """Within a room what is known flows one way, imports inside functions counted; a room's face may name them all."""
    files = {name for name, path in MODULES.items() if within(name, {f"drmkit.{room}"}) and path.name != "__init__.py"}
    order = list(TopologicalSorter({name: imports(name) & files for name in files}).static_order())
    assert set(order) == files


def loaded_by(statement: str) -> set[str]:
    """The modules that are loaded after a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT.parent
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import drmkit",
        "import drmkit.errors, drmkit.secret, drmkit.identifiers",
        "import drmkit.config",
        "import drmkit.keyserver.account, drmkit.keyserver.renewal, drmkit.keyserver.store",
        "import drmkit.cli.main",
        "import drmkit.cli.key_url",
    ],
)
def test_what_is_not_used_is_not_loaded(statement: str) -> None:
    """The package, its basic values and a refresh with nothing due load neither the HTTP library nor the XML parser."""
    loaded = loaded_by(statement)
    assert "drmkit" in loaded
    assert loaded & {"httpx", "httpcore", "lxml", "lxml.etree", "msgspec", "cryptography", "starlette"} == set()


def test_a_room_loads_what_it_needs() -> None:
    """The benign twin: the CAS client does load the HTTP library."""
    assert {"httpx", "httpcore"} <= loaded_by("import drmkit.cas")


def test_importing_the_package_loads_nothing_else_of_it() -> None:
    """`import drmkit` costs one small file."""
    assert {name for name in loaded_by("import drmkit") if name.startswith("drmkit")} == {"drmkit"}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_opens_with_a_sentence(name: str) -> None:
    """A module says in its first line what it is, and the sentence ends."""
    doc = ast.get_docstring(parse(name))
    assert doc, f"{name} has no docstring"
    first = doc.splitlines()[0]
    assert first[-1] in ".:", first


def order(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest: the order that the linter keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("name", IMPORTABLE)
def test_what_a_module_exports_exists(name: str) -> None:
    """`__all__` is sorted, names nothing twice, and every name is there."""
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))
    assert exported == sorted(set(exported), key=order)
    assert [item for item in exported if not hasattr(module, item)] == []


@pytest.mark.parametrize("name", IMPORTABLE)
def test_every_module_says_what_it_exports(name: str) -> None:
    """A module with public functions or classes has `__all__`."""
    tree = parse(name)
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert not public or hasattr(importlib.import_module(name), "__all__")


@pytest.mark.parametrize("name", [name for name in MODULES if not within(name, {"drmkit.cli", "drmkit.__main__"})])
def test_the_library_neither_prints_nor_reads_the_environment(name: str) -> None:
    """Output is the command line's; environments are handed in."""
    names = {ast.unparse(node) for node in ast.walk(parse(name)) if isinstance(node, ast.Name | ast.Attribute)}
    assert names & {"print", "os.environ", "os.getenv", "sys.stdout", "sys.stderr"} == set()
