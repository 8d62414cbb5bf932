"""The steps of the demo in which files arrive: whole pulls, spoilt lines, late rows.

Each step hands files to the lake as a user would. It never reaches into a table to make
a promise come true.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from datetime import time as clock_time

import polars as pl

from cbi_stream.cli.downloads import IMPOSSIBLE, LAST, LATE, LETTERS, SHORT, Source
from cbi_stream.cli.stage import Stage
from cbi_stream.engine import effects
from cbi_stream.words.span import plus_days

_NOTHING = "nothing right of raw changed, not one hash"


def six_years(stage: Stage, source: Source) -> None:
    """Take in a whole pull and compute every table."""
    what = (
        "Every file of one pull is dropped: six symbols as downloaded, two as a script "
        "saves them, FRED series in four layouts, the positions of six years. Each line "
        "goes to raw as it is written. Then every table is computed."
    )
    with stage.step("Six years from the files of all sources", what):
        receipts = stage.hand_in(*source.first_download())
        rows = [(r.file, r.source, r.key, r.lines, r.stored) for r in receipts]
        stage.table("taken in", ["file", "source", "of", "lines", "stored"], rows)
        stage.settle()
        _show_tables(stage)
        taken = all(receipt.taken for receipt in receipts)
        stage.promise(f"all {len(receipts)} files end in the archive", kept=taken)
        full = all(stage.snapshot().roots[n.table] for n in stage.graph.nodes)
        written = sorted(effects.manifests(stage.lake))
        stage.promise(
            f"every table and the {len(written)} training files are there",
            kept=full and len(written) == 10,
        )


def spoilt_lines(stage: Stage, source: Source) -> None:
    """Show the lines that could not be read, and what mends them."""
    what = (
        "Three lines of that pull were spoilt on purpose: letters for a close, a missing "
        "cell, the 30th of February. They stand aside with the rule that they broke; the "
        "other lines of their files went on."
    )
    with stage.step("What cannot be read stands aside", what):
        rows = [
            (row["rules"], row["found"])
            for name in ("quarantine.prices", "quarantine.fred")
            for row in stage.rows(name).sort("date").iter_rows(named=True)
        ]
        stage.table("in the quarantine", ["rule", "found"], rows)
        stage.promise("three lines are quarantined, no more", kept=len(rows) == 3)
        gaps = [
            stage.value("staging.prices", "source", day=day, symbol="ZL")
            for day in (LETTERS, SHORT)
        ]
        stage.promise(
            f"no bar is made up for {LETTERS} and {SHORT}", kept=gaps == [None, None]
        )
        fear = stage.value("staging.fred", "value", day=IMPOSSIBLE, series="VIXCLS")
        stage.promise(f"no VIX is made up for {IMPOSSIBLE}", kept=fear is None)
        _mended(stage, source)


def _mended(stage: Stage, source: Source) -> None:
    mended = source.mended()
    receipts = stage.hand_in(mended["ZL=F.csv"], mended["VIXCLS.csv"])
    stage.settle()
    closes = [
        stage.value("staging.prices", "close", day=day, symbol="ZL")
        for day in (LETTERS, SHORT)
    ]
    stored = sum(receipt.stored for receipt in receipts)
    stage.promise(
        f"the mended files bring {stored} lines, and {closes[0]} and {closes[1]} stand",
        kept=stored == 3 and None not in closes,
    )


def wrong_file(stage: Stage, source: Source) -> None:
    """Drop a file whose column has another name."""
    what = "Somebody drops a file whose column Close is called Last."
    with stage.step("A file with a renamed column", what):
        (receipt,) = stage.hand_in(source.renamed())
        stage.say(f"  {receipt.reason}")
        stage.say(f"  mend: {receipt.mend}")
        named = "Last" in (receipt.reason or "") and "Close" in (receipt.reason or "")
        stage.promise(
            "it waits, untouched, and the column is named",
            kept=receipt.end == "waiting" and named,
        )
        stage.clear_landing()


def _show_tables(stage: Stage) -> None:
    rows = []
    for node in stage.graph.nodes:
        _, current = stage.lake.table(node.table).head()
        if not current.partitions:
            continue  # of a source that this demo does not ask
        count = sum(entry.rows for entry in current.partitions.values())
        rows.append((node.table, len(current.partitions), count, current.root[:12]))
    stage.table("tables", ["table", "partitions", "rows", "root"], rows)


def same_again(stage: Stage, source: Source) -> None:
    """Take the same files in once more."""
    what = "The same files come once more. Their lines are known already."
    with stage.step("The same files again", what):
        before = stage.snapshot()
        receipts = stage.hand_in(*source.mended().values())
        stage.settle()
        stored = sum(receipt.stored for receipt in receipts)
        lines = sum(receipt.lines for receipt in receipts)
        stage.promise(f"of {lines} lines none is stored again", kept=stored == 0)
        stage.promise(
            "no table right of raw has a new version", kept=stage.snapshot() == before
        )


def noise(stage: Stage, source: Source) -> None:
    """Take in other digits below the tick."""
    what = (
        "The source sends ZL again with other digits far below the tick of 0.01. Raw "
        "keeps every line as it was written; staging rounds to the tick. The plan is an "
        "upper bound: a run stops where content stays the same (ran: partitions that "
        "were computed)."
    )
    with stage.step("Noise below the tick", what):
        before = stage.snapshot()
        receipts = stage.hand_in(source.oil(late=False))
        stage.settle_and_compare("what became of the noise")
        stored = sum(receipt.stored for receipt in receipts)
        stage.promise(f"raw keeps what was sent ({stored} lines)", kept=stored > 0)
        same = stage.snapshot().partitions == before.partitions
        stage.promise(_NOTHING, kept=same)


def late_row(stage: Stage, source: Source) -> None:
    """Take in a row that is nine months late."""
    what = (
        f"The first file had no row for {LATE}. Now the row arrives, nine months late. "
        "Windows look back, labels look ahead: the row reaches both ways."
    )
    with stage.step("A late row", what):
        receipts = stage.hand_in(source.oil(late=True))
        stage.settle_and_compare("what the late row reached")
        stored = sum(receipt.stored for receipt in receipts)
        stage.promise("of the whole file, one line is new", kept=stored == 1)
        staged = stage.value("staging.prices", "close", day=LATE, symbol="ZL")
        stage.promise(f"the row is staged ({staged})", kept=staged is not None)


def next_session(stage: Stage, source: Source, close: float) -> None:
    """Take in a bar too early, then the next session."""
    last = stage.lake.registry.sessions.on_or_after(plus_days(LAST, 1))
    then = Source(source.sessions, last)
    what = (
        f"The everyday case, {last}: ZL is pulled at noon, then everything after the "
        "release, each file one session longer."
    )
    with stage.step("The next session", what):
        _at_noon(stage, then, close)
        files = then.files()
        files["ZL=F.csv"] = then.oil(late=True, close=close)
        files["DGS10.csv"] = then.restated_yield()
        files["NFCI.csv"] = then.restated_conditions()
        start = time.perf_counter()
        receipts = stage.hand_in(*files.values())
        stage.settle_and_compare("what the session reached")
        seconds = time.perf_counter() - start
        few = sum(receipt.stored for receipt in receipts)
        lines = sum(receipt.lines for receipt in receipts)
        shown = stage.value("features.master", "close", day=last)
        stage.promise(f"of {lines} lines {few} are new", kept=few < lines / 100)
        stage.promise(
            f"the row {last} is in every feature table after {seconds:.2f} s",
            kept=shown is not None,
        )


def _at_noon(stage: Stage, then: Source, close: float) -> None:
    noon = datetime.combine(then.last, clock_time(17, 0), UTC)
    stage.hand_in(then.unfinished(close), seen=noon)
    stage.settle()
    seen = stage.value("staging.prices", "close", day=then.last, symbol="ZL")
    raw = stage.rows("raw.yahoo").filter(
        (pl.col("date") == then.last) & (pl.col("symbol") == "ZL")
    )
    stage.promise(
        f"the bar seen at noon ({raw['close'].item()}) is in raw and never staged",
        kept=seen is None and raw.height == 1,
    )
