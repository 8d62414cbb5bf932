"""The proof: rebuild every derived table beside the lake, and compare.

The rebuild starts from the same records and an empty folder, and goes the same road
as every day. It looks at the bytes that are stored, not at what the log says of them,
and it never changes the lake.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine import effects, fingerprint, probe, slices
from cbi_stream.engine.executor import Executor
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.step import called
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.change import first_cell
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap
from cbi_stream.lake.table import Table
from cbi_stream.words.span import Span


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where the lake is not what a rebuild gives."""

    table: str
    partition: str | None
    column: str | None
    date: str | None
    key: dict[str, str] = field(default_factory=dict)
    lake: str | None = None
    rebuilt: str | None = None
    because: str = "the value differs"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a proof found; `identical` speaks of everything derived."""

    identical: bool
    roots: dict[str, str]
    versions: dict[str, int]
    carried: list[str]
    environment: dict[str, str]
    seconds: float
    first_difference: Difference | None
    differences: list[Difference]
    """The first difference of each partition that differs."""
    deep: dict[str, str] = field(default_factory=dict)
    """With `--deep`: per handler, identical, different or why it was left out."""

    def to_plain(self) -> dict[str, Any]:
        """Return the certificate as plain values, for JSON."""
        return asdict(self)


def prove(
    lake: Lake, graph: Graph, *, deep: bool = False, executor: Executor | None = None
) -> Certificate:
    """Compare the lake with a full rebuild from its records.

    Args:
        lake: the lake; it is only read.
        graph: its handlers.
        deep: besides, run each window-pure handler once over all history and compare.
        executor: where the rebuild's jobs run.
    """
    start = time.perf_counter()
    found = list(_damaged_records(lake, graph))
    checked: dict[str, str] = {}
    # Beside the lake, on its own volume: a rebuild needs the space that the lake has.
    with tempfile.TemporaryDirectory(prefix=".proof-", dir=lake.folder) as folder:
        rebuilt = lake.shadow(Path(folder))
        if not found:
            run_wave(rebuilt, graph, executor=executor, probing="off")
            for node in graph.nodes:
                found += _differences(lake.table(node.table), rebuilt.table(node.table))
            found += _exports_differ(lake, rebuilt)
        if deep and not found:
            for node in graph.nodes:
                checked[node.table], differs = _one_pass(lake, graph, rebuilt, node)
                found += differs
    heads = {t: lake.table(t).head() for t in _tables(graph)}
    return Certificate(
        identical=not found,
        roots={t: current.root for t, (_, current) in heads.items()},
        versions={t: version for t, (version, _) in heads.items()},
        carried=[],
        environment=fingerprint.environment(),
        seconds=round(time.perf_counter() - start, 3),
        first_difference=found[0] if found else None,
        differences=found,
        deep=checked,
    )


def _tables(graph: Graph) -> list[str]:
    derived = [node.table for node in graph.nodes]
    records = {t for node in graph.nodes for t in node.inputs} - set(derived)
    return [*sorted(records), *derived]


def stored_content(table: Table, entry: Partition) -> pl.DataFrame | str:
    """Return what the files of a partition hold now, whatever was written once.

    Returns:
        The canonical rows, or why they cannot be read.
    """
    try:
        frames = [
            pl.read_parquet(table.folder / f.path, hive_partitioning=False, glob=False)
            for f in entry.files
        ]
        if not frames:
            return canonical(table.read([]), table.contract)
        return canonical(pl.concat(frames), table.contract)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
        return f"{type(error).__name__}: {error}"


def _differences(live: Table, rebuilt: Table) -> Iterator[Difference]:
    """Yield the first difference of each partition that differs, oldest first."""
    _, here = live.head()
    _, there = rebuilt.head()
    for partition in sorted(here.partitions.keys() | there.partitions.keys()):
        difference = _partition_differs(live, rebuilt, here, there, partition)
        if difference is not None:
            yield difference


def _partition_differs(
    live: Table, rebuilt: Table, here: PartitionMap, there: PartitionMap, partition: str
) -> Difference | None:
    name = live.contract.table
    entry = here.partitions.get(partition)
    other = there.partitions.get(partition)
    left = stored_content(live, entry) if entry else live.read([])
    if isinstance(left, str):
        because = f"the stored file cannot be read: {left}"
        return Difference(name, partition, None, None, because=because)
    right = rebuilt.read([other] if other else [])
    cell = first_cell(left, canonical(right, live.contract), live.contract)
    if cell is not None:
        return Difference(
            name,
            partition,
            cell.column,
            cell.date.isoformat(),
            {n: str(v) for n, v in cell.key.items()},
            repr(cell.left),
            repr(cell.right),
        )
    if entry and entry.hash and digest(left) != entry.hash:
        because = "the stored rows equal the rebuild, but not the hash in the log"
        return Difference(name, partition, None, None, because=because)
    states = (entry.state if entry else "live", other.state if other else "live")
    if states[0] != states[1]:
        because = f"the partition is {states[0]}, and {states[1]} in a rebuild"
        return Difference(name, partition, None, None, because=because)
    return None


def _damaged_records(lake: Lake, graph: Graph) -> Iterator[Difference]:
    """Yield each partition of a record whose stored rows are not those that came in."""
    derived = {node.table for node in graph.nodes}
    for name in _tables(graph):
        if name in derived:
            continue
        table = lake.table(name)
        for partition, entry in sorted(table.head()[1].partitions.items()):
            content = stored_content(table, entry)
            if isinstance(content, str):
                because = f"the stored file cannot be read: {content}"
                yield Difference(name, partition, None, None, because=because)
            elif digest(content) != entry.hash:
                yield _against_archive(lake, graph, name, partition, content)


def _against_archive(
    lake: Lake, graph: Graph, name: str, partition: str, content: pl.DataFrame
) -> Difference:
    """Name the first cell of a raw partition that its archived file has otherwise."""
    contract = lake.registry.contracts[name]
    because = "the stored record is not what was taken in"
    parser = next(
        (p for p in graph.parsers.values() if _raw_of(lake, p.source) == name), None
    )
    entity = next((n for n in contract.key if n in ("symbol", "series")), None)
    if parser is not None and entity is not None:
        for sha256, key in (
            content.select("sha256", entity).unique().sort("sha256").iter_rows()
        ):
            lines = parser.parse(lake.archive.read(sha256), key)
            mine = content.filter(
                (pl.col("sha256") == sha256) & (pl.col(entity) == key)
            )
            cells = [c for c in lines.columns if c not in ("line", "date", entity)]
            both = mine.join(lines, on="line", how="left", suffix="__then").sort("line")
            for row in both.iter_rows(named=True):
                for cell in ("date", *cells):
                    if row[cell] != row[f"{cell}__then"]:
                        return Difference(
                            name,
                            partition,
                            cell,
                            str(row["date__then"]),
                            {"sha256": sha256, "line": str(row["line"])},
                            repr(row[cell]),
                            repr(row[f"{cell}__then"]),
                            because,
                        )
    return Difference(name, partition, None, None, because=because)


def _raw_of(lake: Lake, source: str) -> str | None:
    found = lake.registry.data_sources.sources.get(source)
    return found.raw if found else None


def _exports_differ(lake: Lake, rebuilt: Lake) -> Iterator[Difference]:
    here, there = effects.manifests(lake), effects.manifests(rebuilt)
    for name in sorted(here.keys() | there.keys()):
        path = lake.folder / "exports" / f"{name}.parquet"
        other = rebuilt.folder / "exports" / f"{name}.parquet"
        if name not in here or name not in there or not path.exists():
            yield Difference(
                f"exports/{name}",
                None,
                None,
                None,
                because="the file is on one side only",
            )
        elif path.read_bytes() != other.read_bytes():
            yield Difference(
                f"exports/{name}", None, None, None, because="the file's bytes differ"
            )


def _one_pass(
    lake: Lake, graph: Graph, rebuilt: Lake, node: Node
) -> tuple[str, list[Difference]]:
    """Run a window-pure handler once over all history and compare each partition."""
    print_ = fingerprint.of_node(graph, node)
    if not probe.verdict_of(lake, graph, node, print_).window_pure:
        return "left out: not window-pure", []
    table = rebuilt.table(node.table)
    _, current = table.head()
    names = sorted(n for n, p in current.partitions.items() if p.rows)
    if not names:
        return "left out: empty", []
    grain = node.contract.grain
    span = Span(grain.span(names[0]).start, grain.span(names[-1]).end)
    maps = {t: rebuilt.table(t).head()[1] for t in node.inputs}
    whole = called(node, slices.frames_for(rebuilt, node, span, maps), where="one pass")
    inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
    cell = first_cell(
        canonical(table.read(current.partitions.values()), node.contract),
        canonical(whole.filter(inside), node.contract),
        node.contract,
    )
    if cell is None:
        return "identical", []
    because = "one pass over all history gives another value"
    return "different", [
        Difference(
            node.table,
            grain.partition_of(cell.date),
            cell.column,
            cell.date.isoformat(),
            {n: str(v) for n, v in cell.key.items()},
            repr(cell.left),
            repr(cell.right),
            because,
        )
    ]
