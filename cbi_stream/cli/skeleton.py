"""The text of a feature that somebody begins: files that work before a line is changed.

It puts words into their places. It never opens a file, and never runs what it writes.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass

from cbi_stream.words.errors import WrongUsage

_HANDLER = '''"""The {family} family of features, from the panel alone. It never fills a gap."""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k

_PANEL = ("{column}",)
"""What the features look at; a change of anything else in the panel reaches none."""


@handler(
    reads={{"features.panel": sessions(back={over}, columns=_PANEL)}},
    writes="features.{family}",
)
def {family}(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    return panel.select("date", {name}={expression})
'''
_IDEA = '''"""An idea of the {family} family. It sees what that family reads, nothing else."""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k


def {name}(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows."""
    return panel.select({name}={expression})
'''
_DEFINITION = '''"""The feature {name} in plain Python. It knows no kernel."""

from __future__ import annotations

from tests.features.definitions.plain import Definition, {word}

DEFINITIONS: dict[str, Definition] = {{
    "{name}": lambda r: {word}(r, "{column}", {over}),
}}
'''
_CONTRACT = """table: features.{family}
doc: Features of the family {family}
grain: year
key: [date]
features: true
columns:
  date: {{type: date, required: true, doc: "session"}}
"""


@dataclass(frozen=True)
class Begun:
    """A feature that begins as the move of one column over some sessions."""

    name: str
    family: str
    column: str
    over: int
    """Sessions."""
    priced: bool
    """Of a price the move is its log return, of anything else the difference."""

    @property
    def _words(self) -> dict[str, object]:
        word = "log_return" if self.priced else "change"
        now = f'"{self.column}", {self.over}'
        plain = f'pl.col("{self.column}") - k.lag({now})'
        expression = f"k.log_return({now})" if self.priced else plain
        return {**vars(self), "word": word, "expression": expression}

    @property
    def handler(self) -> str:
        """The file of a family that is not there yet."""
        return _HANDLER.format(**self._words)

    @property
    def idea(self) -> str:
        """The file of an idea beside a family's handler."""
        return _IDEA.format(**self._words)

    @property
    def definition(self) -> str:
        """The formula in plain Python, which the tests hold against the handler."""
        return _DEFINITION.format(**self._words)

    @property
    def contract(self) -> str:
        """The contract of the family's table."""
        return _CONTRACT.format(**self._words)

    def entry(self, about: dict[str, object]) -> dict[str, object]:
        """Return the registry's entry.

        Args:
            about: what follows from the column: unit, category, surface, sources,
                reliability, policy_impact, update_frequency and available_from.
        """
        then = f"{self.column}[{self.over}]"
        move = f"{self.column} - {then}"
        what = "log return" if self.priced else "change"
        return {
            "name": self.name,
            "table": f"features.{self.family}",
            "doc": f"{what} of {self.column} over {self.over} sessions",
            "window_sessions": self.over + 1,
            "formula": f"log({self.column} / {then})" if self.priced else move,
            **about,
            **({"unit": "log"} if self.priced else {}),
            "null_policy": "keep",
        }


def with_entry(text: str, entry: dict[str, object]) -> str:
    """Return feature_registry.json with one entry more, at its end.

    Raises:
        WrongUsage: the file does not end as it always does.
    """
    body, closed, rest = text.rpartition("}\n]}")
    if not closed or rest.strip():
        msg = "feature_registry.json: expected its last lines to be an entry and `]}`"
        raise WrongUsage(msg)
    line = json.dumps(entry, ensure_ascii=False)
    return f"{body}}},\n  {line}\n]}}{rest}"


def with_include(text: str, table: str) -> str:
    """Return the contract of the master with one table more at the end of `include`."""
    line = f"  - {table}"
    lines = text.splitlines()
    if line in lines:
        return text
    last = max(i for i, each in enumerate(lines) if each.startswith("  - features."))
    return "\n".join([*lines[: last + 1], line, *lines[last + 1 :]]) + "\n"


def with_idea(text: str, begun: Begun) -> str:
    """Return a family's handler that puts the columns of an idea beside its own.

    Raises:
        WrongUsage: the handler has another shape than `... return <its columns>`.
    """
    function = _handler_of(text, f"features.{begun.family}")
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    takes = [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
    last = function.body[-1]
    if returns != [last] or "panel" not in takes or begun.name in _names(text):
        msg = (
            f"features.{begun.family}: expected a handler with the argument `panel` and "
            f"one return at its end, and no {begun.name} in its file; put the idea into "
            "it by hand"
        )
        raise WrongUsage(msg)
    lines = text.splitlines()
    at = last.lineno - 1
    # `made =` is as wide as `return`, so that what follows stays where it is.
    lines[at] = lines[at].replace("return ", "made = ", 1)
    beside = f'    return pl.concat([made, {begun.name}(panel)], how="horizontal")'
    lines.insert(last.end_lineno or last.lineno, beside)
    where, line = _import_line(text, begun.name)
    lines.insert(where, line)
    return "\n".join(lines) + "\n"


def _handler_of(text: str, table: str) -> ast.FunctionDef:
    """Return the function whose decorator says that it writes a table."""
    for node in ast.parse(text).body:
        for made in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            for word in made.keywords if isinstance(made, ast.Call) else ():
                written = getattr(word.value, "value", None)
                if word.arg == "writes" and written == table:
                    assert isinstance(node, ast.FunctionDef)
                    return node
    msg = f"expected a function with @handler(..., writes={table!r}) in that file"
    raise WrongUsage(msg)


def _names(text: str) -> Iterator[str]:
    """Yield every name that a file speaks of; a new one must be none of them."""
    for node in ast.walk(ast.parse(text)):
        for part in ("id", "name", "arg", "asname"):
            if isinstance(found := getattr(node, part, None), str):
                yield found


def _import_line(text: str, name: str) -> tuple[int, str]:
    """Return after which line the import of an idea stands, and that import."""
    module = f"handlers.features.{name}"
    after = 0
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "") < module:
            first = (node.module or "").partition(".")[0]
            # Only what is ours: the groups before it end with a blank line.
            if first in ("cbi_stream", "handlers"):
                after = node.end_lineno or node.lineno
    return after, f"from {module} import {name}"
