"""The verbs `gates` and `gates show`: what judges what, and what it holds back.

They look at verdicts and held files; they judge nothing and decide nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from cbi_stream.cli import holding, show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.lake import held
from cbi_stream.lake.canonical import canonical
from cbi_stream.lake.change import differing_rows
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import WrongUsage

HELD = 3
_MOST = 50
gates = App(name="gates")
"""Its help stands in cli/app, which imports nothing of this."""


@gates.default
def listed(
    *,
    table: str | None = None,
    failed: Annotated[bool, Parameter(negative="")] = False,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """List every configured gate with how many partitions it judged, and each failure.

    Args:
        table: only this table, or this effect as effects.NAME.
        failed: only what did not pass.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    rows = holding.tallied(found, graph)
    failures = [
        {"table": place, "partition": name, "held": is_held, **verdict.to_plain()}
        for place, name, is_held, verdict in holding.verdicts(found, graph)
    ]
    if table is not None:
        known = {*found.registry.contracts, *(row["on"] for row in rows)}
        if table not in known:
            msg = f"--table: expected a table or effects.NAME; found {table!r}"
            raise WrongUsage(msg)
        rows = [row for row in rows if row["on"] == table]
        failures = [each for each in failures if each["table"] == table]
    if json:
        plain: dict[str, Any] = {} if failed else {"gates": rows}
        show.as_json({"kind": found.kind, **plain, "failures": failures})
    else:
        _print(found, [] if failed else rows, failures)
    return HELD if any(each["held"] for each in failures) else 0


@gates.command(
    name="show",
    help="Show a held candidate against what is served: why it is held, which cells "
    "differ; exit 3.\n\nExample: cbi gates show staging.prices 2023",
)
def candidate(
    table: str,
    partition: str,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Show a held candidate against what is served: why it is held, which cells differ.

    Args:
        table: zone.name.
        partition: its partition, such as 2020.
        all_: print every cell, not the first 50.
        lake: folder of the lake.
        json: print one JSON object; it always has every cell.
    """
    found, _ = opened(lake)
    entry = held_entry(found, table, partition=partition)
    cells = _cells(found, table, partition, entry=entry)
    if json:
        show.as_json(
            {
                "table": table,
                "partition": partition,
                "candidate": entry.candidate,
                "served": entry.hash,
                "served_rows": entry.rows,
                "verdicts": [verdict.to_plain() for verdict in entry.verdicts],
                "cells": cells,
            }
        )
        return HELD
    print(f"{table}/{partition}: candidate {entry.candidate[:12]} is held")
    for verdict in entry.verdicts:
        print(show.plain(f"  {verdict.said}"))
        if verdict.blocks:
            show.note(
                f"to let this very content pass: cbi gates let {table} {partition} "
                f'--gate {verdict.gate} --note "..."'
            )
    shown = cells if all_ else cells[:_MOST]
    title = f"{len(cells)} cells differ from the {entry.rows} rows that are served"
    rows = [(c["row"], c["column"], c["served"], c["candidate"]) for c in shown]
    show.table(title, ["row", "column", "served", "candidate"], rows)
    if len(shown) < len(cells):
        show.note(f"these are {len(shown)} of {len(cells)}: all of them with --all")
    return HELD


def held_entry(lake: Lake, table: str, *, partition: str) -> Partition:
    """Return the entry of a held partition.

    Raises:
        WrongUsage: there is no such partition, or it is not held.
    """
    entry = lake.table(table).head()[1].partitions.get(partition)
    if entry is None or entry.state != "held":
        state = entry.state if entry else "not there"
        msg = f"expected a held partition; {table}/{partition} is {state}: see `cbi gates`"
        raise WrongUsage(msg)
    return entry


def _cells(
    lake: Lake, table: str, partition: str, *, entry: Partition
) -> list[dict[str, Any]]:
    """Return each cell in which the candidate differs from what is served."""
    stored = lake.table(table)
    served = canonical(stored.read([entry]), stored.contract)
    rows = held.rows_of(lake, table, partition=partition, candidate=entry.candidate)
    found: list[dict[str, Any]] = []
    for row in differing_rows(served, rows, stored.contract).to_dicts():
        found += _of_row(row, stored.contract)
    return found


def _of_row(row: dict[str, Any], contract: Contract) -> list[dict[str, Any]]:
    where = " ".join(str(row[name]) for name in contract.key)
    if row["__old"] is None or row["__here"] is None:
        old, new = ("present" if row[s] else "absent" for s in ("__old", "__here"))
        return [{"row": where, "column": "row", "served": old, "candidate": new}]
    return [
        {
            "row": where,
            "column": name,
            "served": row[name],
            "candidate": row[f"{name}__new"],
        }
        for name in contract.columns
        if name not in contract.key and row[name] != row[f"{name}__new"]
    ]


def _print(
    lake: Lake, rows: list[dict[str, Any]], failures: list[dict[str, Any]]
) -> None:
    title = f"{lake.kind} lake: {lake.folder}"
    if rows:
        columns = list(rows[0])
        show.table(title, columns, [list(row.values()) for row in rows])
    for each in failures:
        where = "/".join(p for p in (each["table"], each["partition"]) if p)
        word = "held" if each["held"] and _blocks(each) else each["severity"]
        word = "let through" if each["let"] else word
        print(show.plain(f"{word}: {where}: {each['gate']} {each['status']}"))
        print(show.plain(f"  expected {each['expected']}; found {each['found']}"))
        for place in each["places"]:
            print(show.plain(f"  {place}"))
        print(f"  {each['shows']}")
    if not failures:
        print("every verdict is passed")


def _blocks(failure: dict[str, Any]) -> bool:
    return failure["severity"] == "critical" and not failure["let"]
