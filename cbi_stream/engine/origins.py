"""Holds the records against the archive: is raw still what was taken in?

It parses the archived bytes again and names the first cell that differs. It never
mends anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cbi_stream.engine.difference import Difference
from cbi_stream.engine.evidence import stored_content
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import HEAD_BYTES, form_of, shown_to
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput, DamagedLake


def damaged_records(
    lake: Lake, graph: Graph, records: list[str]
) -> Iterator[Difference]:
    """Yield each partition of a record whose files are not what was written."""
    for name in records:
        table = lake.table(name)
        for partition, entry in sorted(table.head()[1].partitions.items()):
            evidence = stored_content(table, entry)
            if not evidence.problem:
                continue
            first = None
            if evidence.rows is not None:
                first = _first_cell(lake, graph, name, partition, evidence.rows)
            column = next(iter(evidence.unreadable), None)
            yield first or Difference(name, partition, column, because=evidence.problem)


def damaged_archive(lake: Lake, records: list[str]) -> Iterator[Difference]:
    """Yield each archived file that is missing or not what was archived."""
    for name in records:
        table = lake.table(name)
        if not table.contract.provenance:
            continue
        rows = table.read(table.head()[1].partitions.values())
        for sha256 in rows["sha256"].unique().sort():
            try:
                lake.archive.read(sha256)
            except DamagedLake as error:
                yield Difference(name, because=str(error))


def _first_cell(
    lake: Lake, graph: Graph, name: str, partition: str, content: pl.DataFrame
) -> Difference | None:
    """Return the first cell of a raw partition that its archived file has otherwise."""
    contract = lake.registry.contracts[name]
    parsers = _parsers_of(lake, graph, name)
    entity = next((n for n in contract.key if n in ("symbol", "series")), None)
    names = ["sha256", entity] if entity else ["sha256"]
    for about in content.select(names).unique().sort(names).iter_rows(named=True):
        sha256, key = about["sha256"], about.get(entity or "")
        if not lake.archive.holds(sha256):
            continue  # the hash itself may be the damaged cell
        lines = _parsed_again(lake, parsers, sha256, key)
        if lines is None:
            continue
        mine = content.filter(*(pl.col(n) == value for n, value in about.items()))
        both = mine.join(lines, on="line", how="left", suffix="__then").sort("line")
        cells = [c for c in lines.columns if c not in ("line", entity)]
        for row in both.iter_rows(named=True):
            for cell in cells:
                if row[cell] != row[f"{cell}__then"]:
                    return Difference(
                        name,
                        partition,
                        cell,
                        str(row["date__then"]),
                        {"sha256": sha256, "line": str(row["line"])},
                        repr(row[cell]),
                        repr(row[f"{cell}__then"]),
                        "the stored record is not what was taken in",
                    )
    return None


def _parsed_again(
    lake: Lake, parsers: list[Parser], sha256: str, key: str | None
) -> pl.DataFrame | None:
    """Return the lines of an archived file; None where no parser reads it.

    The key may be the damaged cell, or the archive may be damaged too. A spreadsheet
    does not say what it is: then the first that can read it is right.
    """
    try:
        data = lake.archive.read_plain(sha256)
    except DamagedLake:
        return None
    form = form_of(data[:HEAD_BYTES])
    shown = shown_to(form, data[:HEAD_BYTES], name="")
    for parser in parsers:
        nameless = form in ("xlsx", "xls")
        if parser.form != form or not (nameless or parser.recognises(shown)):
            continue
        try:
            return parser.parse(data, key)
        except BadInput:
            continue
    return None


def _parsers_of(lake: Lake, graph: Graph, name: str) -> list[Parser]:
    sources = lake.registry.data_sources.sources
    return [p for n, ps in graph.parsers.items() if sources[n].raw == name for p in ps]
