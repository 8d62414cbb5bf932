"""Floors: an arrow between rooms only points down, and no arrows make a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from itertools import chain

FLOORS = (
    ("words",),
    ("registry", "shapes", "kernels"),
    ("lake",),
    ("engine",),
    ("doors", "learn", "publish", "replay", "audit"),
    ("serve",),
    ("cli",),
)
FLOOR_OF = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
FACE = "cbi_stream"
# The face loads pydantic's models when they are first asked for; discovery imports
# whatever handlers, and whatever sites of the replay server, there are.
LOADERS = {"cbi_stream", "cbi_stream.engine.graph", "cbi_stream.replay.sites"}
LATE = ("cbi_stream.cli", "cbi_stream.serve", "cbi_stream.learn")


def imported(module, names):
    """Return (line, dotted name) of every import, wherever in the file it stands.

    `from package import part` means the part's file where there is one.
    """
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            above = "." * node.level + (node.module or "")
            for alias in node.names:
                part = f"{above}.{alias.name}"
                found.append((node.lineno, part if part in names else above))
    return sorted(set(found))


def room_of(name):
    """Return the room of a module of the engine: the second part of its name."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else None


def upward(module, names):
    """Return each import of a module that does not point down."""
    here = room_of(module.name)
    for line, name in imported(module, names):
        where = f"{module.path}:{line}: {module.name} imports {name}"
        if name.startswith("."):
            yield f"{where}: write the whole name"
        if module.name.startswith("handlers"):
            continue  # what handlers may import is a rule of its own
        if name.split(".")[0] == "handlers" and here != "cli":
            yield f"{where}: only the command line knows handlers"
        if name.split(".")[0] != FACE:
            continue
        there = room_of(name)
        if module.name == FACE:
            if FLOOR_OF.get(there, 99) > 1:
                yield f"{where}: the face shows words, registry, shapes and kernels"
        elif there is None:
            yield f"{where}: the face is for handlers"
        elif {here, there} - FLOOR_OF.keys():
            yield f"{where}: a room without a floor"
        elif here != there and FLOOR_OF[there] >= FLOOR_OF[here]:
            yield f"{where}: {there} is not below {here}"


def circle(modules):
    """Return a circle of imports, or nothing."""
    names = {module.name for module in modules}
    arrows = {
        m.name: {n for _, n in imported(m, names) if n in names and n != m.name}
        for m in modules
    }
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def late_imports(module):
    """Return imports inside functions, and imports by a name made at run time."""
    inside = chain.from_iterable(map(ast.walk, module.functions()))
    for node in [] if module.name.startswith(LATE) else inside:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield f"{module.path}:{node.lineno}: an import inside a function"
    for node in ast.walk(module.tree):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if name in {"import_module", "__import__"} and module.name not in LOADERS:
            yield f"{module.path}:{node.lineno}: {name}"


def test_the_whole_house_is_looked_at(product):
    """Each room that stands has a floor, and the checks see files of each."""
    rooms = {room_of(m.name) for m in product if m.path.startswith("cbi_stream/")}
    assert rooms - {None} >= {"words", "lake", "engine", "doors", "cli"}
    assert rooms - {None} <= FLOOR_OF.keys()
    assert sum(m.path.startswith("handlers/") for m in product) > 10


def test_every_arrow_points_down(product):
    """No room imports a room above it or beside it, not even for types."""
    names = {module.name for module in product}
    assert list(chain.from_iterable(upward(m, names) for m in product)) == []


def test_there_is_no_circle(product):
    """No chain of imports leads back to where it began."""
    assert circle(product) == []


def test_imports_stand_at_the_top(product):
    """Only heavy libraries of the command line and the face may come late."""
    assert list(chain.from_iterable(late_imports(m) for m in product)) == []


def test_an_arrow_up_is_seen(planted):
    """Up, sideways, for types only, to the face, to handlers, relative: each is seen."""
    names = {"cbi_stream.engine.plan", "cbi_stream.shapes.reads"}
    faults = {
        "cbi_stream/lake/x.py": "from cbi_stream.engine import plan",
        "cbi_stream/registry/x.py": "import cbi_stream.shapes.reads",
        "cbi_stream/words/x.py": (
            "if TYPE_CHECKING:\n    from cbi_stream.lake.lake import Lake"
        ),
        "cbi_stream/engine/x.py": "from cbi_stream import Spec",
        "cbi_stream/doors/x.py": "import handlers",
        "cbi_stream/lake/y.py": "from .table import Table",
        "cbi_stream/attic/x.py": "from cbi_stream.words import clock",
        "cbi_stream/__init__.py": "from cbi_stream.engine import plan",
    }
    for path, text in faults.items():
        assert len(list(upward(planted(path, text), names))) == 1, path
    down = planted("cbi_stream/engine/x.py", "from cbi_stream.lake.lake import Lake")
    assert list(upward(down, names)) == []


def test_a_circle_is_seen(planted):
    """Two modules that import each other are seen, also from inside a function."""
    one = planted("cbi_stream/lake/one.py", "from cbi_stream.lake import two")
    late = "def f():\n    from cbi_stream.lake.one import x"
    assert circle([one, planted("cbi_stream/lake/two.py", late)])


def test_a_late_import_is_seen(planted):
    """An import inside a function and one by name are seen; the command line may."""
    inside = "def f():\n    import json"
    by_name = "import importlib\nimportlib.import_module('json')"
    assert list(late_imports(planted("cbi_stream/lake/x.py", inside)))
    assert list(late_imports(planted("cbi_stream/lake/x.py", by_name)))
    assert not list(late_imports(planted("cbi_stream/cli/x.py", inside)))
