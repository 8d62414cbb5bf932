"""The proof on the real lake: identical after corrections, different after damage.

The place that a proof must name after a flipped bit is worked out here from the two
readings of the file, before the product is asked.
"""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import polars as pl

from cbi_stream.engine.difference import Difference
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.prove import Certificate, prove
from cbi_stream.lake.lake import Lake
from tests.oracles import damage, real_lake

YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume"
FRED = "observation_date,{}"

# Twenty lines as a person would type them, from the first session to the last.
CORRECTIONS = [
    ("ZL=F", "2000-03-15,17.05,17.13,16.81,16.90,16.90,11147"),  # the first row
    ("ZL=F", "2000-09-01,15.60,15.75,15.52,15.70,15.70,9800"),  # was empty
    ("ZL=F", "2001-09-11,14.95,15.10,14.90,15.05,15.05,3"),  # no session
    ("ZL=F", "2003-12-15,28.10,28.66,28.05,28.41,28.41,14210"),  # in the hole
    ("ZL=F", "2004-02-27,33.20,33.85,33.05,33.61,33.61,20111"),
    ("ZL=F", "2005-08-15,null,null,null,null,null,null"),  # taken back
    ("ZL=F", "2006-05-31,25.52,25.77,25.31,25.37,25.37,99999"),
    ("ZL=F", "2007-11-23,46.00,46.70,45.90,46.51,46.51,8100"),  # was empty
    ("ZL=F", "2008-02-29,68.00,68.60,67.00,68.51,68.51,19123"),  # digits swapped
    ("ZL=F", "2008-02-29,68.00,68.60,67.00,68.15,68.15,19123"),  # and put right
    ("VIXCLS", "2008-10-27,80.16"),
    ("ZL=F", "2009-03-02,31.00,31.05,29.95,30.01,30.01,15000"),
    ("ZL=F", "2011-12-30,52.00,52.50,51.80,52.11,52.11,5000"),
    ("ZL=F", "2012-09-14,57.10,57.90,56.50,57.01,57.01,61000"),
    ("DGS10", "2013-06-21,2.53"),
    ("ZL=F", "2014-01-02,38.80,39.00,38.20,38.31,38.31,70000"),
    ("ZL=F", "2016-02-29,30.90,31.00,30.50,30.46,30.46,8000"),
    ("ZL=F", "2019-12-24,33.80,33.95,33.70,33.88,33.88,20123"),  # was empty
    ("VIXCLS", "2020-03-16,82.96"),
    ("ZL=F", "2021-06-09,72.48,72.49,70.43,71.95,71.95,61000"),  # the last row
]
BATCHES = (1, 1, 1, 1, 1, 5, 10)


def test_identical_after_twenty_corrections(lake_copy: Lake, graph: Graph) -> None:
    """However corrections arrive, the lake is bit for bit what a rebuild gives."""
    roots = {real_lake.root(lake_copy, "features.master")}
    waiting = list(enumerate(CORRECTIONS))
    for size in BATCHES:
        for number, (series, line) in waiting[:size]:
            header = YAHOO if series == "ZL=F" else FRED.format(series)
            name = f"{series} correction {number:02d}.csv"
            real_lake.drop_text(lake_copy, name, f"{header}\n{line}\n", as_of=None)
        del waiting[:size]
        receipts = real_lake.take_in(lake_copy, graph)
        assert [r.stored for r in receipts] == [1] * size
        real_lake.settle(lake_copy, graph)
        roots.add(real_lake.root(lake_copy, "features.master"))
    assert not waiting
    # The day that is no session moved no feature; every other batch moved some.
    assert len(roots) == len(BATCHES)

    certificate = prove(lake_copy, graph, deep=True)
    assert certificate.identical, certificate.differences
    filled = {
        node.table
        for node in graph.nodes
        if lake_copy.table(node.table).head()[1].partitions
    }
    assert {"staging.fred", "staging.prices", "features.master"} <= filled
    for table, verdict in certificate.deep.items():
        expected = "identical" if table in filled else "left out: empty"
        assert "quarantine" in table or verdict == expected, (table, verdict)
    _corrections_are_served(lake_copy)


def _corrections_are_served(lake: Lake) -> None:
    """Check a few corrected values, so that identical does not mean unmoved."""
    prices = real_lake.content(lake, "staging.prices")
    closes = dict(prices.select("date", "close").iter_rows())
    bases = dict(prices.select("date", "basis").iter_rows())
    assert closes[date(2003, 12, 15)] == 28.41
    assert closes[date(2005, 8, 15)] is None
    assert closes[date(2008, 2, 29)] == 68.15
    assert bases[date(2008, 2, 29)] == "correction"
    labels = real_lake.content(lake, "labels.forward")
    label = labels.filter(
        pl.col("date") == date(2003, 11, 14), pl.col("horizon") == "1m"
    ).row(0, named=True)
    assert label["resolved"]
    assert (label["matures_on"], label["target_price"]) == (date(2003, 12, 15), 28.41)
    # A restated observation counts from today: the row of the day keeps what was known.
    panel = dict(real_lake.content(lake, "features.panel").select("date", "vix").rows())
    assert panel[date(2020, 3, 17)] == 82.69


def test_a_flipped_bit_in_a_feature_is_found_in_its_cell(
    lake_copy: Lake, graph: Graph
) -> None:
    """Where the file still reads, the proof names the first cell and both values."""
    path = _only_file(lake_copy, "features/technical/year=2010")
    offset, before, after = damage.readable_flip(path, _another_value)
    expected = damage.first_cell(before, after, key=["date"])
    assert expected is not None
    damage.flip(path, offset)

    certificate = prove(Lake(lake_copy.folder, graph.registry), graph)
    found = _only(certificate)
    key, column, was, now = expected
    assert (found.table, found.partition) == ("features.technical", "2010")
    assert (found.date, found.column) == (str(key["date"]), column)
    assert (found.lake, found.rebuilt) == (repr(now), repr(was))


def test_a_file_that_no_longer_reads_is_named(lake_copy: Lake, graph: Graph) -> None:
    """A bit of the closing mark is enough; the proof names table and partition."""
    path = _only_file(lake_copy, "labels/forward/year=2004")
    damage.flip(path, path.stat().st_size - 1)
    assert damage.decoded(path.read_bytes()) is None

    found = _only(prove(Lake(lake_copy.folder, graph.registry), graph))
    assert (found.table, found.partition) == ("labels.forward", "2004")
    assert (found.date, found.column) == (None, None)
    assert "cannot be read" in found.because


def test_a_flipped_bit_in_a_raw_line_is_found_in_its_cell(
    lake_copy: Lake, graph: Graph
) -> None:
    """The proof holds raw against the archived file and names the line and the cell."""
    path = _only_file(lake_copy, "raw/yahoo/year=2010")
    offset, before, after = damage.readable_flip(path, _another_cell)
    expected = damage.first_cell(before, after, key=["line"])
    assert expected is not None
    damage.flip(path, offset)

    found = _only(prove(Lake(lake_copy.folder, graph.registry), graph))
    key, column, was, now = expected
    assert (found.table, found.partition) == ("raw.yahoo", "2010")
    assert (found.key["line"], found.column) == (str(key["line"]), column)
    assert (found.lake, found.rebuilt) == (repr(now), repr(was))


def _only(certificate: Certificate) -> Difference:
    assert not certificate.identical
    assert len(certificate.differences) == 1, certificate.differences
    assert certificate.first_difference == certificate.differences[0]
    return certificate.differences[0]


def _only_file(lake: Lake, folder: str) -> Path:
    (path,) = damage.files_of(lake.folder / folder)
    return path


def _another_value(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Return whether only numbers changed, to numbers that a table may hold."""
    cell = damage.first_cell(before, after, key=["date"])
    if not damage.same_keys(before, after, ["date"]) or cell is None:
        return False
    return all(isinstance(v, float) and math.isfinite(v) for v in cell[2:])


def _another_cell(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Return whether only cells of the file changed, not where they stand."""
    cells = ["open", "high", "low", "close", "adj_close", "volume"]
    kept = [name for name in before.columns if name not in cells]
    return before.select(kept).equals(after.select(kept)) and not before.equals(after)
