"""The command line in this process, and one small simulated lake to look at."""

from __future__ import annotations

import io
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest import mock

import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.cli.app import main
from cbi_stream.registry import loader
from cbi_stream.replay.market import lay_down, market
from cbi_stream.words.span import Span

REGISTRY = Path(__file__).resolve().parents[2] / "registry"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


class _Left(BaseException):
    """The process would have ended here."""


def _leave(code: int) -> None:
    raise _Left(code)


def _run(*words: object) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "argv", ["cbi", *map(str, words)]),
        mock.patch.object(os, "_exit", _leave),
        warnings.catch_warnings(),
    ):
        # The entry point reads sys.argv, which a test framework would not.
        warnings.filterwarnings("ignore", "Cyclopts application invoked without")
        try:
            main()
            code = 0
        except _Left as left:
            code = left.args[0]
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(bool(left.code))
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cbi() -> Callable[..., Said]:
    """Return a function that runs one command line and returns what it said."""
    return _run


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the three files of a simulated market of a year and a half."""
    sessions = loader.load(REGISTRY).sessions
    days = sessions.between(Span(date(2022, 7, 1), date(2024, 1, 1)))
    return lay_down(market(days), tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, files: list[Path]) -> Path:
    """Return a settled lake; a test that changes anything takes a copy."""
    lake = tmp_path_factory.mktemp("made") / "lake"
    assert _run("init", "--simulated", "--lake", lake).code == 0
    assert _run("drop", *files, "--lake", lake).code == 0
    said = _run("run", "--until-idle", "--lake", lake)
    assert said.code == 0, said
    return lake


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Path:
    """Return a copy of the settled lake that a test may spoil."""
    return Path(shutil.copytree(made, tmp_path / "lake"))
