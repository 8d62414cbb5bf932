"""Doors: each outside library has one room, and some things have no door at all."""

from __future__ import annotations

import ast
import subprocess
import sys
from itertools import chain

DOORS = {
    "polars": ("cbi_stream", "handlers"),
    # Arithmetic on bits: kernels, hashes, simulated draws, the calendar's search.
    "numpy": (
        "cbi_stream.kernels",
        "cbi_stream.replay",
        "cbi_stream.lake.canonical",
        "cbi_stream.words.sessions",
        "cbi_stream.engine.fingerprint",
        "cbi_stream.engine.simulate",
    ),
    # Ours are written and read through `table`; `foreign` reads the logs of others.
    "deltalake": ("cbi_stream.lake.table", "cbi_stream.lake.foreign"),
    "pydantic": ("cbi_stream.registry",),
    "yaml": ("cbi_stream.registry",),
    "dataframely": ("cbi_stream.kernels.verdicts",),
    "cyclopts": ("cbi_stream.cli",),
    "rich": ("cbi_stream.cli",),
    "structlog": ("cbi_stream.doors.logs",),
    "watchdog": ("cbi_stream.doors.watch",),
    "httpx": ("cbi_stream.doors.fetch",),
    "tenacity": ("cbi_stream.doors.fetch",),
    "pyrate_limiter": ("cbi_stream.doors.pace",),
    "apscheduler": ("cbi_stream.doors.schedule",),
    "keyring": ("cbi_stream.doors.secrets",),
    "xlsxwriter": ("cbi_stream.replay",),
}
OURS = {"cbi_stream", "handlers"}
CLOSED = {"pickle", "marshal", "shelve", "random", "secrets"}
HANDLERS_MAY = {"polars", *sys.stdlib_module_names} - CLOSED
CLOCK = "cbi_stream.words.clock"
# These were handed their moment: `world.today` and `poll.today` are fields, no clocks.
TOLD = {"clock", "poll", "world", "self"}
# The log entry of a file says when it was written; delta-rs asks for it.
STAMPS = {"cbi_stream.lake.table"}


def under(name, places):
    """Return whether a dotted name is one of the places or inside one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def imports(module):
    """Return (line, module, name) of every import; name is None for whole modules."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, None) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, node.module or "", alias.name


def wrong_door(module):
    """Return each import of a library outside its room, or of one without a room."""
    for line, name, _ in imports(module):
        library = name.split(".")[0]
        where = f"{module.path}:{line}: {library}"
        if library in CLOSED:
            yield f"{where} has no place in the product"
        elif library in sys.stdlib_module_names or library in OURS:
            continue
        elif library not in DOORS:
            yield f"{where} has no room: give it one in tests/house/test_doors.py"
        elif not under(module.name, DOORS[library]):
            yield f"{where} belongs to {DOORS[library]}"


def beyond_the_face(module, face):
    """Return what a handler imports besides the face, kernels, polars, its folder."""
    folder = ".".join(module.name.split(".")[:2])
    for line, name, part in imports(module):
        kernels = under(name, ("cbi_stream.kernels",))
        own = under(name, (folder,)) or (f"{name}.{part}" == folder)
        shown = name == "cbi_stream" and (part in face or part is None)
        if not (kernels or own or shown or name.split(".")[0] in HANDLERS_MAY):
            yield f"{module.path}:{line}: a handler imports {name} ({part})"


def spelled(node):
    """Return `a.b.c` for a call of a.b.c, `.c` where what is before has no name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def banned_calls(module):
    """Return calls that have no place: code from text, streaming, filled changes."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = spelled(node.func)
        last = name.rpartition(".")[2]
        if name in {"eval", "exec", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
            yield f"{module.path}:{node.lineno}: {name}("
        if last in {"collect", "pct_change", "sink_parquet"} and "." in name:
            # collect streams in polars 2: free row order, sums that do not repeat;
            # pct_change fills nulls forward.
            yield f"{module.path}:{node.lineno}: .{last}("


def other_clocks(module):
    """Return what asks another clock than words/clock for the time."""
    if module.name == CLOCK:
        return
    for node in ast.walk(module.tree):
        where = f"{module.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield f"{where}: import time, and use perf_counter only"
        if not isinstance(node, ast.Attribute):
            continue
        name = spelled(node)
        first, _, last = name.rpartition(".")
        told = first.rpartition(".")[2] in TOLD
        if last in {"now", "utcnow", "today"} and not told:
            yield f"{where}: {name}: ask words/clock"
        if first == "time" and last != "perf_counter" and module.name not in STAMPS:
            yield f"{where}: {name}: only time.perf_counter, to measure"


def found(check, modules, *more):
    """Return what a check finds in all modules."""
    return list(chain.from_iterable(check(module, *more) for module in modules))


def shown_by_the_face(product):
    """Return the names in the face's __all__."""
    face = next(module for module in product if module.name == "cbi_stream")
    for node in face.tree.body:
        if isinstance(node, ast.Assign) and spelled(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_each_library_has_one_door(product):
    """A library is imported in its room only, and none without a room."""
    assert found(wrong_door, product) == []


def test_handlers_see_the_face_only(product):
    """A handler imports the face, kernels, polars, the standard library, its folder."""
    handlers = [m for m in product if m.path.startswith("handlers/")]
    face = shown_by_the_face(product)
    assert "handler" in face
    assert found(beyond_the_face, handlers, face) == []


def test_no_banned_call(product):
    """No code from text, no streaming engine, no change that fills nulls."""
    assert found(banned_calls, product) == []


def test_there_is_one_clock(product):
    """Only words/clock says what time it is."""
    assert found(other_clocks, product) == []


def test_help_imports_nothing_heavy():
    """`cbi --help` must stay instant: no polars, no pydantic, no delta-rs, no rules."""
    code = (
        "import sys, cbi_stream.cli.app as a; a.app.help_print([])\n"
        "heavy = {'polars', 'pydantic', 'deltalake', 'numpy', 'yaml', 'dataframely'}\n"
        "sys.exit(repr(sorted(heavy & sys.modules.keys())))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


def test_a_wrong_door_is_seen(planted):
    """A library in another room, without a room, and a closed one are seen."""
    for path, text in {
        "cbi_stream/engine/x.py": "from deltalake import DeltaTable",
        "cbi_stream/lake/x.py": "import deltalake.schema",
        "cbi_stream/shapes/x.py": "from pydantic import Field",
        "cbi_stream/doors/x.py": "import requests",
        "cbi_stream/replay/x.py": "import pandas as pd",
        "handlers/features/x.py": "import numpy as np",
        "cbi_stream/kernels/x.py": "import pickle",
    }.items():
        assert len(list(wrong_door(planted(path, text)))) == 1, text
    assert not list(wrong_door(planted("cbi_stream/lake/table.py", "import deltalake")))


def test_a_handler_beyond_the_face_is_seen(planted):
    """An engine room, another folder and a hidden name are seen; its own folder is not."""
    face = {"handler", "Spec"}
    for text in (
        "from cbi_stream.engine.plan import Task",
        "from handlers.conform.release import released_at",
        "from cbi_stream import importlib",
        "import deltalake",
        "import random",
    ):
        fault = planted("handlers/features/x.py", text)
        assert len(list(beyond_the_face(fault, face))) == 1, text
    fine = "from cbi_stream import Spec, handler\nfrom cbi_stream import kernels as k\n"
    own = fine + "import polars as pl\nfrom handlers.features.trend import slope\n"
    allowed = planted("handlers/features/x.py", own)
    assert not list(beyond_the_face(allowed, face | {"kernels"}))


def test_a_banned_call_is_seen(planted):
    """Each of the banned calls is seen where it stands."""
    for text in (
        "eval('1')",
        "exec('x = 1')",
        "yaml.load(text, Loader=Loader)",
        "frame.lazy().collect()",
        "pl.col('close').pct_change()",
    ):
        assert len(list(banned_calls(planted("handlers/features/x.py", text)))) == 1
    assert not list(banned_calls(planted("cbi_stream/lake/x.py", "yaml.compose(t)")))


def test_another_clock_is_seen(planted):
    """Every other way to ask for the time is seen; measuring is not."""
    for text in (
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "time.time()",
        "time.monotonic_ns()",
        "from time import time",
        "clock = datetime.now",
        "world.datetime.now()",
    ):
        assert len(list(other_clocks(planted("cbi_stream/engine/x.py", text)))) == 1
    fine = "clock.now()\ntime.perf_counter()\nworld.today\nself.world.now\npoll.today"
    assert not list(other_clocks(planted("cbi_stream/engine/x.py", fine)))
