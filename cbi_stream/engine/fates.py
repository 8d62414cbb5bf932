"""What became of every line that was ever taken in: by source, and by append.

It reads the counts that the maps carry, or runs a conform handler again without
writing. It never decides a fate.
"""

from __future__ import annotations

import polars as pl

from cbi_stream.engine.calling import returned
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.slices import frames_for
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.handler import FATES, Conformed


def of_lake(lake: Lake, graph: Graph) -> dict[str, dict[str, int]]:
    """Return, per raw table, how many lines were read and what became of them.

    Returns:
        `read` and `stored` by the commits of raw; the fates by the newest maps, the
        duplicates of both as one number. `held` lines wait with a partition that a gate
        holds back. `unaccounted` is what is left: 0, unless a partition failed or was
        not computed yet.
    """
    found: dict[str, dict[str, int]] = {}
    for node in conforming(graph):
        for raw in node.lines:
            total = lake.table(raw).head()[1].note.get("total")
            if total is not None:
                found[raw] = {"read": total["lines"], "stored": total["stored"]}
                found[raw] |= dict.fromkeys([*FATES, "held"], 0)
                found[raw]["duplicate"] = total["lines"] - total["stored"]
        for entry in lake.table(node.table).head()[1].partitions.values():
            for raw, counts in entry.fates.items():
                for fate, n in counts.items():
                    found[raw][fate] += n
            if entry.state == "held":
                for raw, counts in entry.held_fates.items():
                    served = entry.fates.get(raw, {})
                    found[raw]["held"] += sum(counts.values()) - sum(served.values())
    for sums in found.values():
        told = sum(sums[fate] for fate in FATES) + sums["held"]
        sums["unaccounted"] = sums["read"] - told
    return found


def of_lines(lake: Lake, graph: Graph, raw: str, wanted: pl.Expr) -> pl.DataFrame:
    """Return the fate of each line of a raw table for which `wanted` holds.

    Args:
        lake: the lake.
        graph: its handlers.
        raw: a raw table of lines of files.
        wanted: on that table's columns.

    Returns:
        date, sha256, batch, line and fate, sorted by date, batch and line; of a line
        that is quarantined also the rules that it broke and what was found.
    """
    node = next(n for n in conforming(graph) if raw in n.reads)
    table = lake.table(raw)
    lines = table.read(table.head()[1].partitions.values()).filter(wanted)
    maps = {name: lake.table(name).head()[1] for name in node.inputs}
    parts = [pl.DataFrame(schema=_SCHEMA)]
    grain = node.contract.grain
    for partition in sorted({grain.partition_of(day) for day in lines["date"]}):
        span = grain.span(partition)
        frames = frames_for(lake, node, span, maps)
        made = returned(node, frames, where=f"partition {partition}")
        assert isinstance(made, Conformed), "the node is one of `conforming`"
        told = made.fates.filter(pl.col("raw") == raw).drop("raw")
        mine = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        # A line that was seen several times broke the same rules each time.
        why = made.quarantined.filter(pl.col("raw") == raw).unique(["sha256", "line"])
        parts.append(
            lines.filter(mine)
            .select("date", "sha256", "batch", "line")
            .join(told, on=["sha256", "batch", "line"])
            .join(why, on=["sha256", "line"], how="left")
            .select(list(_SCHEMA))
        )
    return pl.concat(parts).sort("date", "batch", "line")


_SCHEMA = {
    "date": pl.Date,
    "sha256": pl.String,
    "batch": pl.Int64,
    "line": pl.Int64,
    "fate": pl.String,
    "rules": pl.String,
    "found": pl.String,
}


def conforming(graph: Graph) -> list[Node]:
    """Return the nodes that stage lines of files."""
    return [node for node in graph.nodes if node.part == "staged"]
