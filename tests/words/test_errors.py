"""The tree of errors: one root, two branches, one meaning per exit code."""

from __future__ import annotations

import inspect

import pytest

from cbi_stream.words import errors

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, BaseException)
]
LEAVES = [
    one
    for one in CLASSES
    if one not in (errors.CbiError, errors.Transient, errors.Terminal)
]


def test_every_error_hangs_on_the_tree() -> None:
    """Whoever catches the root catches every error of this project."""
    assert all(issubclass(one, errors.CbiError) for one in CLASSES)
    assert len(LEAVES) >= 9


@pytest.mark.parametrize("leaf", LEAVES)
def test_an_error_is_transient_or_terminal(leaf: type[errors.CbiError]) -> None:
    """The engine can tell from the class alone whether to try again."""
    branches = (errors.Transient, errors.Terminal)
    assert sum(issubclass(leaf, branch) for branch in branches) == 1


def test_an_exit_code_means_one_thing() -> None:
    """No two errors with a code of their own share it, and none claims success."""
    own = [one.exit_code for one in LEAVES if "exit_code" in vars(one)]
    # A key that is set nowhere is bad configuration, as a wrong registry is.
    own.remove(errors.NoSecret.exit_code)
    assert errors.NoSecret.exit_code == errors.BadRegistry.exit_code
    assert len(own) == len(set(own))
    assert 0 not in [one.exit_code for one in CLASSES]
    # 3 says that a check found something, which is no error.
    assert 3 not in own


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CbiError, 1),
        (errors.WrongUsage, 2),
        (errors.BadInput, 4),
        (errors.LockHeld, 5),
        (errors.CommitConflict, 75),
        (errors.BadRegistry, 78),
        (errors.DamagedLake, 1),
    ],
)
def test_exit_codes_are_those_of_the_manual(
    error: type[errors.CbiError], code: int
) -> None:
    """Scripts rely on these numbers."""
    assert error.exit_code == code


def test_the_docstring_draws_every_error() -> None:
    """The drawn tree names each class, so that nobody has to search."""
    drawn = errors.__doc__ or ""
    assert [one.__name__ for one in CLASSES if one.__name__ not in drawn] == []
