"""What a handler is: one hash over everything that can change its output.

Code of the handler, of every kernel and word it imports (as syntax trees: neither
docstrings nor layout count) and of the rules that hold for its lines; its reads, its
registry entries, its contract, the session calendar, and the environment. It is that of
the code which this process holds, not of a file that was edited since. It never looks at
data.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import platform
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cbi_stream.engine.graph import Graph, Node
from cbi_stream.registry.contract import Contract
from cbi_stream.shapes.effect import Effect

ENGINE_SEMANTICS = 1
"""Raised by hand when slicing, trimming or the canonical form changes meaning; the
golden hashes of tests/laws fail when someone forgets."""

_FOLLOWED = ("handlers.", "cbi_stream.kernels", "cbi_stream.words")


def environment() -> dict[str, str]:
    """Return what bit-identity is promised within."""
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "polars": pl.__version__,
        "numpy": np.__version__,
        "platform": f"{platform.system()}-{platform.machine()}",
        "engine_semantics": str(ENGINE_SEMANTICS),
    }


def of_node(graph: Graph, node: Node) -> str:
    """Return the fingerprint of a handler in its graph."""
    file = graph.registry.sessions_file
    parts = {
        "code": _loaded_code_of(graph, node.handler.function),
        "reads": {table: repr(read) for table, read in node.reads.items()},
        "spec": node.spec.canonical() if node.spec else "",
        "contract": _meaning(node.contract),
        "calendar": [
            graph.registry.sessions.digest,
            file.zone,
            str(file.decision_time),
        ],
        "environment": environment(),
        "rules": _rules_of(graph, node),
    }
    return _sha(parts)


def _rules_of(graph: Graph, node: Node) -> dict[str, Any]:
    """Return the rules that hold for a handler's lines: their code and their numbers."""
    if node.rules is None:
        return {}
    functions = {each.rule.name: each.rule.function for each in node.rules.bound}
    code = {name: _loaded_code_of(graph, each) for name, each in functions.items()}
    return {"code": code, **node.rules.meaning()}


def of_effect(graph: Graph, effect: Effect) -> str:
    """Return the fingerprint of an effect."""
    spec = {
        name: graph.registry.entry(name).model_dump(mode="json") for name in effect.spec
    }
    parts = {
        "code": _loaded_code_of(graph, effect.function),
        "after": effect.after,
        "spec": spec,
        "environment": environment(),
    }
    return _sha(parts)


def of_parser(graph: Graph, function: Any) -> str:
    """Return the fingerprint of a parser: its code alone."""
    return _sha({"code": _loaded_code_of(graph, function)})


def code_of(graph: Graph, function: Any) -> dict[str, str]:
    """Return the code of a function, and of what it follows, as hashes by module."""
    return _loaded_code_of(graph, function)


def take(graph: Graph) -> None:
    """Take every fingerprint now, while the files are those that were loaded.

    Raises:
        CodeChanged: they are not any more.
    """
    for node in graph.nodes:
        of_node(graph, node)
    for effect in graph.effects:
        of_effect(graph, effect)
    for parsers in graph.parsers.values():
        for parser in parsers:
            of_parser(graph, parser.parse)


def _sha(parts: dict[str, Any]) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _meaning(contract: Contract) -> dict[str, Any]:
    """Return the contract without its prose."""
    plain = contract.model_dump(mode="json", exclude={"doc", "columns"})
    plain["columns"] = [
        [name, col.type, col.required] for name, col in contract.columns.items()
    ]
    return plain


_CODES: dict[Any, dict[str, str]] = {}


def _loaded_code_of(graph: Graph, function: Any) -> dict[str, str]:
    """Return the code of a function as this process loaded it.

    It is read from the files once, and only while they are those that were loaded.

    Raises:
        CodeChanged: they are not.
    """
    if function not in _CODES:
        code = _code_of(function)
        if graph.sources is not None:
            graph.sources.check()
        _CODES[function] = code
    return _CODES[function]


def _code_of(function: Any) -> dict[str, str]:
    module = inspect.getmodule(function)
    assert module is not None
    assert module.__file__ is not None
    found: dict[str, str] = {}
    _follow(module.__name__, Path(module.__file__), found)
    # Two functions of one module share its code: the name tells them apart.
    found["function"] = function.__qualname__
    return found


def _follow(name: str, path: Path, found: dict[str, str]) -> None:
    stat = path.stat()
    found[name], imported = _tree(path, stat.st_mtime_ns, stat.st_size)
    for other in imported:
        where = None if other in found else _module_file(other)
        if where is not None:
            _follow(other, where, found)


@lru_cache(maxsize=1024)
def _tree(path: Path, _mtime: int, _size: int) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [name for node in ast.walk(tree) for name in _imports(node)]
    followed = tuple(n for n in imported if n.startswith(_FOLLOWED))
    _drop_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), followed


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _drop_docstrings(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]


@lru_cache(maxsize=1024)
def _module_file(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None  # a name imported from a module, not a module
    return Path(spec.origin) if spec and spec.origin else None
