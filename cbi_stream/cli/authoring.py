"""The verb `feature new`: the files of a feature that works at once, to be changed then.

It writes into the project's own folder and into no lake. Where one file cannot be
written as it should be, none is.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import handlers
from cbi_stream.cli import show
from cbi_stream.cli.cataloguing import COMMAND, PAGE, page
from cbi_stream.cli.opening import AsJson
from cbi_stream.cli.skeleton import Begun, with_entry, with_idea, with_include
from cbi_stream.engine.graph import Node, discover
from cbi_stream.lake import durable
from cbi_stream.registry import loader
from cbi_stream.registry.features import FEATURES, PANEL, Feature
from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.reads import InSessions
from cbi_stream.words.errors import BadRegistry, WrongUsage

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40
_SESSIONS = 20
_HANDLERS = "handlers/features"
_DEFINITIONS = "tests/features/definitions"
_REGISTRY = "registry/feature_registry.json"
_MASTER = "registry/tables/features.master.yaml"


def feature_new(
    name: str,
    *,
    family: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Write a feature that works at once: its code, its entry, its formula in plain Python.

    It begins as a move over 20 sessions: change it where it stands. In a family that is
    there already it is a file of its own, which the family's handler puts beside its
    columns.

    Args:
        name: the feature: lower case, what_window, such as crude_volatility_60.
        family: the table it stands in, without `features.`; a family of its own name
            unless said.
        dry_run: say what would be written, and write nothing.
        json: print one JSON object.
    """
    root = Path(handlers.__file__ or "").resolve().parent.parent
    if not (root / _DEFINITIONS).is_dir():
        msg = f"expected a checkout with {_DEFINITIONS}; found none at {root}"
        raise WrongUsage(msg)
    known = loader.load(root / "registry")
    begun, files = _planned(root, known, name, family=family or name)
    if not dry_run:
        _write(root, files)
    steps = _next(begun, files)
    if json:
        plain = {"name": name, "family": begun.family, "dry_run": dry_run}
        show.as_json({**plain, "files": list(files), "next": steps})
        return 0
    for path in files:
        print(f"{'would write' if dry_run else 'wrote'} {path}")
    for step in steps:
        show.note(f"next: {step}")
    return 0


def _planned(
    root: Path, known: Registry, name: str, *, family: str
) -> tuple[Begun, dict[str, str]]:
    """Return the feature, and the texts of all files by their path from the root.

    Raises:
        WrongUsage: the name or the family is none, or taken.
    """
    _is_a_name("the feature", name)
    _is_a_name("--family", family)
    _is_free(root, known, name)
    graph = discover(known)
    node = next((n for n in graph.nodes if n.table == f"{FEATURES}{family}"), None)
    home = f"{_HANDLERS}/{family}.py"
    if node is not None and not (root / home).exists():
        msg = f"--family: {node.table} is not written in {home}, so it is no family"
        raise WrongUsage(msg)
    begun = _begun(known, name, family=family, node=node)
    entry = begun.entry(_about(known, begun.column, priced=begun.priced))
    listed = (root / _REGISTRY).read_text("utf-8")
    files = {_REGISTRY: with_entry(listed, entry)}
    if node is None:
        _is_a_family(known, family)
        files[home] = begun.handler
        files[f"{_DEFINITIONS}/{family}.py"] = begun.definition
        contract = f"registry/tables/{FEATURES}{family}.yaml"
        if not (root / contract).exists():
            files[contract] = begun.contract
        master = (root / _MASTER).read_text("utf-8")
        if (longer := with_include(master, f"{FEATURES}{family}")) != master:
            files[_MASTER] = longer
    else:
        files[home] = with_idea((root / home).read_text("utf-8"), begun)
        files[f"{_HANDLERS}/{name}.py"] = begun.idea
        if list(node.reads) == [PANEL]:
            files[f"{_DEFINITIONS}/{name}.py"] = begun.definition
    _nothing_is_lost(root, files, begun)
    return begun, files


def _is_a_name(what: str, text: str) -> None:
    fits = _NAME.fullmatch(text) and not keyword.iskeyword(text)
    if not fits or len(text) > _LONGEST:
        msg = (
            f"{what}: expected lower-case words and numbers with one _ between them, at "
            f"most {_LONGEST} letters, such as crude_volatility_60; found {text!r}"
        )
        raise WrongUsage(msg)


def _is_free(root: Path, known: Registry, name: str) -> None:
    """Raise WrongUsage where something is called so, or a label would be."""
    for feature in known.feature_registry.features:
        if feature.name == name:
            msg = f"{name} is a feature of {feature.table} already: see `cbi feature show`"
            raise WrongUsage(msg)
    for gate in known.gates.gates:
        patterns = (
            gate.given.get("labels", ()) if gate.gate == "allowed_columns" else ()
        )
        for pattern in patterns:
            if fnmatch(name, pattern):
                msg = f"{name}: a column named like {pattern} is taken for a label"
                raise WrongUsage(msg)
    for folder in (_HANDLERS, _DEFINITIONS):
        if (root / folder / f"{name}.py").exists():
            msg = f"{folder}/{name}.py is there already: choose another name"
            raise WrongUsage(msg)


def _is_a_family(known: Registry, family: str) -> None:
    """Raise WrongUsage where the table is there, and no family."""
    contract = known.contracts.get(f"{FEATURES}{family}")
    own = [name for name in contract.columns if name != "date"] if contract else []
    if own:
        msg = f"--family: {FEATURES}{family} is a table with columns and without a handler"
        raise WrongUsage(msg)


def _nothing_is_lost(root: Path, files: Mapping[str, str], begun: Begun) -> None:
    """Raise WrongUsage where a file that is to be begun is there."""
    added = {begun.handler, begun.idea, begun.definition, begun.contract}
    for path, text in files.items():
        if text in added and (root / path).exists():
            msg = f"{path} is there already: choose another name or family"
            raise WrongUsage(msg)


def _begun(known: Registry, name: str, *, family: str, node: Node | None) -> Begun:
    """Return what the feature begins as: a move of something that the family reads."""
    if node is None:
        return Begun(name, family, "close", _SESSIONS, priced=True)
    read = node.reads.get(PANEL)
    back = read.back if isinstance(read, InSessions) else 0
    if not isinstance(read, InSessions) or not isinstance(back, int) or back < 1:
        msg = (
            f"--family: {node.table} looks at no earlier session of {PANEL}: give its "
            f"read sessions(back={_SESSIONS}) first, or choose another family"
        )
        raise WrongUsage(msg)
    columns = known.contracts[PANEL].columns
    floats = [n for n in read.columns or columns if columns[n].type == "float"]
    closes = [n for n in floats if n == "close" or n.endswith("_close")]
    column = "close" if "close" in floats else [*closes, *floats][0]
    over = min(_SESSIONS, back)
    return Begun(name, family, column, over, priced=column in closes)


def _about(known: Registry, column: str, *, priced: bool) -> dict[str, object]:
    """Return what the registry says of a feature of this one column."""
    features = known.feature_registry.of_table(PANEL)
    source: Feature = next(each for each in features if each.name == column)
    plain: dict[str, Any] = source.model_dump(mode="json")
    named = ("unit", "surface", "policy_impact", "update_frequency", "available_from")
    category = {"category": "momentum" if priced else source.category}
    observed = known.join_spec.observations.get(column)
    drawn = {"sources": [f"{observed.source}.{observed.series}"]} if observed else {}
    told = {name: plain[name] for name in named}
    return {**told, **category, **drawn, "reliability": source.reliability}


def _write(root: Path, files: dict[str, str]) -> None:
    """Write all files and the page of features; where the registry refuses, none.

    Raises:
        BadRegistry: with these files the registry would not load.
    """
    before = {
        p: (root / p).read_bytes() if (root / p).exists() else None for p in files
    }
    for path, text in files.items():
        durable.write(root / path, text.encode())
    try:
        known = loader.load(root / "registry")
    except BadRegistry:
        for path, data in before.items():
            if data is None:
                (root / path).unlink()
            else:
                durable.write(root / path, data)
        raise
    durable.write(root / PAGE, page(known).encode())
    files[PAGE] = ""


def _next(begun: Begun, files: Mapping[str, str]) -> list[str]:
    """Return what a person does now, in order."""
    own = f"{_HANDLERS}/{begun.name}.py"
    code = own if own in files else f"{_HANDLERS}/{begun.family}.py"
    formula = next((p for p in files if p.startswith(_DEFINITIONS)), None)
    table = f"{FEATURES}{begun.family}"
    tests = "python -m pytest -q tests/features tests/cli/test_feature_pages.py"
    return [
        f"say in {code} what the feature is, and in {_REGISTRY} what it says of itself "
        f"(doc, formula, unit, window_sessions, sources, surface); then {COMMAND}",
        f"say it once more in {formula}, in plain Python"
        if formula
        else f"{table} reads more than the panel: write a test of {begun.name} of its own",
        tests,
        f"cbi run --until-idle, then cbi feature show {begun.name}",
    ]
