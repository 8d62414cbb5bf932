"""The house as the checks see it: each Python file with its syntax tree.

Nothing here judges; a planted fault goes through the same door as a real file.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = {ROOT / "lake", ROOT / "demo-lake", ROOT / "dist"}


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root, its dotted name, its tree."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return every function and method, also inner ones."""
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]


def _files(folder: Path) -> list[Path]:
    """Return what belongs to the house; caches, environments and lakes do not."""
    if (folder / "lake.json").exists():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".gitignore"}
        if hidden or path in _LEFT_OUT or path.name == "__pycache__":
            continue
        found += _files(path) if path.is_dir() else [path]
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    """Where the repository stands."""
    return ROOT


@pytest.fixture(scope="session")
def files() -> dict[str, str]:
    """Every text file of the house by its path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8", errors="replace")
        for path in _files(ROOT)
    }


@pytest.fixture(scope="session")
def everything(files: dict[str, str]) -> list[Module]:
    """Every Python file."""
    return [Module(path, text) for path, text in files.items() if path.endswith(".py")]


@pytest.fixture(scope="session")
def product(everything: list[Module]) -> list[Module]:
    """The Python files that run at the user's."""
    return [m for m in everything if m.path.startswith(("cbi_stream/", "handlers/"))]


@pytest.fixture(scope="session")
def planted() -> Callable[[str, str], Module]:
    """Make a file that is not on the disk, for planting a fault."""
    return Module
