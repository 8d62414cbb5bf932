"""The proof says so, and never breaks off, when what cannot be rebuilt is damaged.

Records are the root: nothing beside them could tell what they were. A test damages a
copy of the lake and asks for one named difference.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cbi_stream.engine.difference import Difference
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.prove import prove
from cbi_stream.lake.lake import Lake
from tests.oracles import damage


def test_a_flipped_bit_in_an_archived_file_is_found(
    lake_copy: Lake, graph: Graph
) -> None:
    """The archive is what everything can be made from again: its bytes are proven too."""
    first = lake_copy.table("raw.yahoo")
    sha256 = str(first.read(first.head()[1].partitions.values())["sha256"][0])
    damage.flip(lake_copy.folder / "archive" / sha256[:2] / sha256, 1_000)
    found = _proven(lake_copy, graph)
    assert found.table == "raw.yahoo"
    assert sha256 in found.because


def test_a_line_that_names_another_file_is_found(lake_copy: Lake, graph: Graph) -> None:
    """Where the damage is in the file's hash, table and partition are still named."""
    _swap(lake_copy.folder / "raw/yahoo/year=2010", "sha256")
    found = _proven(lake_copy, graph)
    assert (found.table, found.partition) == ("raw.yahoo", "2010")


def test_a_line_that_names_another_series_is_found(
    lake_copy: Lake, graph: Graph
) -> None:
    """Where the damage is in the name of the series, the partition is still named."""
    _swap(lake_copy.folder / "raw/fred/decade=2010", "series")
    found = _proven(lake_copy, graph)
    assert (found.table, found.partition) == ("raw.fred", "2010")


def _swap(folder: Path, column: str) -> None:
    """Change the first letter of one text cell of the first stored file."""
    path = damage.files_of(folder)[0]
    rows = pl.read_parquet(path)
    other = pl.lit("X") + pl.col(column).str.slice(1)
    third = pl.int_range(pl.len()) == 2
    swapped = pl.when(third).then(other).otherwise(column).alias(column)
    rows.with_columns(swapped).write_parquet(path)


def _proven(lake: Lake, graph: Graph) -> Difference:
    certificate = prove(Lake(lake.folder, graph.registry), graph)
    assert len(certificate.differences) == 1, certificate.differences
    return certificate.differences[0]
