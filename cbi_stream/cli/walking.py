"""Walks from the rows of a table to what stands behind them, right to left.

It goes as far as the raw lines of one date. It never prints, and never writes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from cbi_stream.cli import holding
from cbi_stream.cli.standing import Story, Teller, check_column
from cbi_stream.engine import effects
from cbi_stream.engine.graph import Node
from cbi_stream.words.errors import WrongUsage

_LAGGED = "_lag1"
"""How a column ends that shows another one of the session before."""


def tell(
    teller: Teller,
    table: str,
    day: date,
    *,
    column: str | None = None,
    about: str | None = None,
) -> Story:
    """Return the story of the rows of a table on a date, and of what is behind them.

    Args:
        teller: the lake.
        table: zone.name, or the name of a training file.
        day: the date of the rows.
        column: tell only what matters for this column.
        about: one symbol, series, contract or horizon instead of all.

    Raises:
        WrongUsage: there is no such table or column, or no calendar has the date.
    """
    name = table.removeprefix("exports.")
    if name in teller.lake.registry.exports.exports:
        return _of_export(teller, name, day, column)
    found = teller.story(table, day, column=column, about=about)
    if not found.rows:
        return found
    return replace(found, behind=tuple(_behind(teller, found)))


def _behind(teller: Teller, found: Story) -> Iterator[Story]:
    """Yield what stands behind the rows of a story."""
    node = next((n for n in teller.graph.nodes if n.table == found.table), None)
    if node is None or node.part != "output":
        return
    if node.contract.zone == "labels":
        if "horizon" in node.contract.key:  # a regime has the calendar alone behind it
            yield from _ends_of_label(teller, found, node)
    elif found.column in (None, *node.contract.key):
        return
    elif node.contract.include:
        of = teller.lake.registry.contracts
        owner = next(
            t for t in node.contract.include if str(found.column) in of[t].columns
        )
        yield tell(teller, owner, found.date, column=found.column)
    elif node.spec is not None and "join_spec" in node.spec.names:
        yield from _parts_of_panel(teller, found, node)
    else:
        yield from _inputs_of_feature(teller, found, node)


def _ends_of_label(teller: Teller, found: Story, node: Node) -> Iterator[Story]:
    """Yield the price at the session and, of one horizon, at its end."""
    table, about = _spine(teller, node)
    ends = [found.date]
    if found.about is not None:
        ends += [row["matures_on"] for row in found.rows]
    for day in dict.fromkeys(ends):
        yield tell(teller, table, day, column="close", about=about)


def _parts_of_panel(teller: Teller, found: Story, node: Node) -> Iterator[Story]:
    """Yield the observation or the bar that a column of the panel shows."""
    for each in found.observed:
        for row in (each.row, each.growth_from):
            if row:
                table, about = each.staging, each.series
                yield tell(teller, table, row["date"], column="value", about=about)
    if found.observed:
        return
    assert node.spec is not None, "the panel joins what join_spec.yaml says"
    table, target = _spine(teller, node)
    prices = node.spec.join_spec.prices
    column, day = node.spec.join_spec.value_of(str(found.column)), found.date
    about = prices[column].symbol if column in prices else target
    if column in prices:
        column = prices[column].column
    if column.endswith(_LAGGED):
        column = column.removesuffix(_LAGGED)
        day = teller.lake.registry.sessions.before(day) or day
    yield tell(teller, table, day, column=column, about=about)


def _inputs_of_feature(teller: Teller, found: Story, node: Node) -> Iterator[Story]:
    """Yield the columns of the inputs that a feature's formula names."""
    formulas = {f["name"]: f["formula"] or "" for f in teller.features(node.table)}
    for table in node.inputs:
        columns = teller.lake.registry.contracts[table].columns
        for name in named_in(str(found.column), formulas, columns):
            yield tell(teller, table, found.date, column=name)


def named_in(
    feature: str, formulas: Mapping[str, str], columns: Collection[str]
) -> list[str]:
    """Return the columns that a formula names, also by way of other formulas.

    Args:
        feature: whose formula to look at.
        formulas: of all features beside it.
        columns: the names of columns.
    """
    found: dict[str, None] = {}
    waiting, seen = [feature], {feature}
    while waiting:
        for word in re.findall(r"[a-z_][a-z0-9_]*", formulas[waiting.pop(0)]):
            if word in columns:
                found[word] = None
            elif word in formulas and word not in seen:
                waiting.append(word)
                seen.add(word)
    return list(found)


def _spine(teller: Teller, node: Node) -> tuple[str, str]:
    """Return the table of bars that a handler reads, and the target's symbol."""
    contracts = teller.lake.registry.contracts
    table = next(t for t in node.inputs if contracts[t].spine)
    return table, next(iter(contracts[table].spine.values()))


def _of_export(teller: Teller, name: str, day: date, column: str | None) -> Story:
    """Return the story of a row of a training file."""
    manifest = effects.manifests(teller.lake).get(name)
    path = teller.lake.folder / "exports" / f"{name}.parquet"
    if manifest is None or not path.exists():
        msg = f"{name} was not written yet: cbi run --until-idle, or cbi export"
        raise WrongUsage(msg)
    data = path.read_bytes()
    frame = pl.read_parquet(data)
    check_column(name, frame.columns, column)
    rows = frame.filter(pl.col("date") == day)
    shown = frame.columns if column is None else list(dict.fromkeys(["date", column]))
    intact = hashlib.sha256(data).hexdigest() == manifest["sha256"]
    horizon = teller.lake.registry.exports.exports[name].horizon
    behind = [
        tell(teller, table, day, column=kept, about=horizon if labels else None)
        for table, kept, labels in _sources_of(teller, manifest, column)
        # Where the row is missing, any of its sources may be the reason.
        if kept is not None or column is None or not rows.height
    ]
    return Story(
        table=name,
        date=day,
        column=column,
        about=horizon,
        rows=tuple(rows.select(shown).to_dicts()),
        absent=None if rows.height else _why_left_out(behind),
        handler=manifest["effect"],
        made=None,
        planned=(),
        carried=holding.why_each(teller.lake, manifest.get("carried", ())),
        manifest={**manifest, "path": str(path), "intact": intact},
        behind=tuple(behind),
    )


def _sources_of(
    teller: Teller, manifest: Mapping[str, Any], column: str | None
) -> Iterator[tuple[str, str | None, bool]]:
    """Yield each table of a file, the column if there, and whether it has horizons."""
    for table in manifest["inputs"]:
        contract = teller.lake.registry.contracts[table]
        kept = column if column in contract.columns else None
        yield table, kept, "horizon" in contract.key


def _why_left_out(behind: Sequence[Story]) -> str:
    """Return why a training file has no row on a date."""
    for each in behind:
        if each.absent:
            return f"{each.table}: {each.absent}"
        for row in each.rows:
            if row.get("resolved") is False:
                return f"the label is unresolved: {row['reason']}"
    return "it was written before that date came"
