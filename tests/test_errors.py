"""The error tree: what its docstring promises is what the classes are."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from drmkit import errors
from drmkit.errors import ApiError, DrmkitError, RateLimitedError, RemoteUnavailableError

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
}


def documented() -> dict[str, tuple[str | None, int]]:
    """The tree of the docstring: each class with its parent and its exit code, own or inherited."""
    tree: dict[str, tuple[str | None, int]] = {}
    above: list[tuple[int, str]] = []
    for row in str(errors.__doc__).splitlines():
        match = re.fullmatch(r"( +)(\w+Error) +(?:(\d+)  )?\S.*", row)
        if match is None:
            continue
        depth, name = len(match[1]), match[2]
        above = [entry for entry in above if entry[0] < depth]
        parent = above[-1][1] if above else None
        inherited = tree[parent][1] if parent else 70
        tree[name] = parent, int(match[3]) if match[3] else inherited
        above.append((depth, name))
    return tree


def test_the_documented_tree_is_the_real_one() -> None:
    """Every class stands in the docstring's tree under its parent, and nothing else does."""
    real = {
        name: None if kind is DrmkitError else kind.__base__.__name__ for name, kind in CLASSES.items() if kind.__base__
    }
    assert {name: parent for name, (parent, _) in documented().items()} == real


def test_the_documented_exit_codes_are_the_real_ones() -> None:
    """Each class has the exit code of the docstring's tree, where a class without one inherits its parent's."""
    assert {name: code for name, (_, code) in documented().items()} == {
        name: kind.exit_code for name, kind in CLASSES.items()
    }


def test_exit_codes_are_those_of_the_command_line() -> None:
    """No error has an exit code that the command line does not document, and none ends like a success."""
    assert {kind.exit_code for kind in CLASSES.values()} == {1, 2, 3, 4, 69, 70, 75}


def test_all_names_every_class_and_nothing_else() -> None:
    """`__all__` is complete and sorted."""
    assert errors.__all__ == sorted(CLASSES)


def make(kind: type[DrmkitError]) -> DrmkitError:
    """One error of this class."""
    return ApiError("what", code="Code", hint="do") if kind is ApiError else kind("what", hint="do")


@pytest.mark.parametrize("kind", CLASSES.values(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_message_and_a_hint(kind: type[DrmkitError]) -> None:
    """The message is the text of the error, the hint stands beside it, and every class has a docstring of its own."""
    error = make(kind)
    assert (str(error), error.message, error.hint) == ("what", "what", "do")
    assert kind.__doc__
    assert kind.__doc__ != DrmkitError.__doc__ or kind is DrmkitError


@pytest.mark.parametrize("kind", CLASSES.values(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_comes_back_from_another_process(kind: type[DrmkitError], protocol: int) -> None:
    """An error that a worker process raises arrives whole: text, hint and what its class adds."""
    error = make(kind)
    error.add_note("gave up after 3 attempts")
    for twin in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):
        assert type(twin) is kind
        assert vars(twin) == vars(error)
        assert twin.args == error.args


def test_errors_carry_what_their_classes_add() -> None:
    """`retry_after`, `code` and `request_id` are there, with the defaults that the docstrings state."""
    assert RemoteUnavailableError("x").retry_after is None
    assert RateLimitedError("x", retry_after=7).retry_after == 7
    error = ApiError("x", code="InvalidParameter", request_id="r-1")
    assert (error.code, error.request_id, error.hint) == ("InvalidParameter", "r-1", None)
