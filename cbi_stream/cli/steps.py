"""The steps of the demo, in their order: what happens, and what is promised of it.

Each step hands files or decisions to the lake as a user would. It never reaches into
a table to make a promise come true.
"""

from __future__ import annotations

import time
from datetime import date

import polars as pl

from cbi_stream.cli.stage import (
    CORRECTED,
    LAST,
    LATE,
    RESTATED,
    YIELD,
    Source,
    Stage,
)
from cbi_stream.engine import effects
from cbi_stream.engine.preview import preview
from cbi_stream.engine.prove import Certificate, prove
from cbi_stream.lake.decisions import decide
from cbi_stream.words.span import Span, plus_days

_CLOSE_MOVES = 0.50
_NOTHING = "nothing right of raw changed, not one hash"


def walk(stage: Stage, source: Source) -> Certificate:
    """Take every step and return the certificate of the last one."""
    stage.frame(
        "SIMULATED. Every price below was drawn at random: nothing here says anything "
        "about soybean oil. What is shown is what the tool does with files, and each "
        "step says what it promises."
    )
    _six_years(stage, source)
    _same_again(stage, source)
    _noise(stage, source)
    _late_row(stage, source)
    close = _correction(stage, source)
    _decisions(stage)
    _restatement(stage, source)
    _next_session(stage, source, close)
    return _proof(stage)


def _six_years(stage: Stage, source: Source) -> None:
    what = (
        "Three files are dropped: ZL from a price source, VIXCLS and DGS10 from FRED. "
        "Each line goes to raw as it is written. Then every table is computed."
    )
    with stage.step("Six years from three files", what):
        receipts = stage.hand_in(*source.first_download())
        rows = [(r.file, r.table, r.lines, r.stored) for r in receipts]
        stage.table("files taken in", ["file", "into", "lines", "stored"], rows)
        stage.settle()
        _show_tables(stage)
        full = all(stage.snapshot().roots.values())
        written = bool(effects.manifests(stage.lake))
        stage.promise("every table and the training file is there", kept=full & written)


def _show_tables(stage: Stage) -> None:
    rows = []
    for node in stage.graph.nodes:
        _, current = stage.lake.table(node.table).head()
        count = sum(entry.rows for entry in current.partitions.values())
        rows.append((node.table, len(current.partitions), count, current.root[:12]))
    stage.table("tables", ["table", "partitions", "rows", "root"], rows)


def _same_again(stage: Stage, source: Source) -> None:
    what = "The same three files come once more. Their lines are known already."
    with stage.step("The same files again", what):
        before = stage.snapshot()
        receipts = stage.hand_in(*source.first_download())
        stage.settle()
        rows = [(r.file, r.lines, r.stored, r.duplicate) for r in receipts]
        stage.table("taken in", ["file", "lines", "stored", "duplicate"], rows)
        stored = sum(receipt.stored for receipt in receipts)
        stage.promise("no line is stored a second time", kept=stored == 0)
        stage.promise(
            "no table right of raw has a new version", kept=stage.snapshot() == before
        )


def _noise(stage: Stage, source: Source) -> None:
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


def _late_row(stage: Stage, source: Source) -> None:
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


def _correction(stage: Stage, source: Source) -> float:
    old = stage.value("staging.prices", "close", day=CORRECTED, symbol="ZL")
    what = (
        f"The close of {CORRECTED} was {old}; it is corrected to {old + _CLOSE_MOVES:.2f}. "
        "A correction mends our record: the new value counts as if known then."
    )
    with stage.step("An old close is corrected", what):
        before = _watched(stage)
        stage.hand_in(source.oil(late=True, close=old + _CLOSE_MOVES))
        rows = [
            (t.table, t.partition, "; ".join(t.reasons))
            for t in preview(stage.lake, stage.graph)
        ]
        stage.table(
            "the plan, before anything runs", ["table", "partition", "because"], rows
        )
        changed = stage.settle_and_compare("what the correction reached")
        after = _watched(stage)
        cells = [
            (
                *place,
                _shown(was),
                _shown(after[place]) if after[place] != was else "same",
            )
            for place, was in before.items()
        ]
        stage.table(
            "a few cells", ["table", "date", "column", "before", "after"], cells
        )
        moved = after[("staging.prices", CORRECTED, "close")]
        stage.promise(f"the close is now {moved}", kept=moved == old + _CLOSE_MOVES)
        inside = min(day for _, day in changed) >= "2019"
        stage.promise("no partition before 2019 was touched", kept=inside)
    return float(old + _CLOSE_MOVES)


def _watched(stage: Stage) -> dict[tuple[str, date, str], float | None]:
    """Return some cells around the corrected day."""
    later = stage.lake.registry.sessions.between(Span(CORRECTED, date.max))
    places: list[tuple[str, date, str]] = [
        ("staging.prices", CORRECTED, "close"),
        ("features.panel", CORRECTED, "close"),
        ("features.technical", later[19], "mean_20"),
        ("features.technical", later[20], "mean_20"),
        ("features.technical", later[251], "mean_252"),
        ("features.technical", later[252], "mean_252"),
    ]
    found = {(t, d, c): stage.value(t, c, day=d) for t, d, c in places}
    # The last session whose year ends on or before the corrected day: a label is
    # resolved by the first session on or after its own day.
    origin = stage.lake.registry.sessions.before(plus_days(CORRECTED, -364))
    assert origin is not None
    found[("labels.forward", origin, "target_price")] = stage.value(
        "labels.forward", "target_price", day=origin, horizon="12m"
    )
    return found


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _decisions(stage: Stage) -> None:
    what = (
        "A person rejects the corrected line, with a note, and later takes that back. "
        "The line stays in raw; a decision is one more row beside it."
    )
    with stage.step("A rejection, and its withdrawal", what):
        line = stage.rows("raw.yahoo").filter(pl.col("date") == CORRECTED).sort("batch")
        sha256, number = line[-1, "sha256"], line[-1, "line"]
        seen = [("corrected", stage.snapshot().roots)]
        for verdict in ("reject", "withdraw"):
            decide(
                stage.lake,
                sha256=sha256,
                line=number,
                verdict=verdict,
                author="demo",
                note="shown by cbi demo",
            )
            stage.settle()
            seen.append((f"after {verdict}", stage.snapshot().roots))
        tables = ("staging.prices", "features.master", "labels.forward")
        rows = [
            (when, *(roots[table][:12] for table in tables)) for when, roots in seen
        ]
        stage.table("roots of three tables", ["", *tables], rows)
        stage.promise("the rejection changed the tables", kept=seen[0][1] != seen[1][1])
        stage.promise(
            "its withdrawal gave back the same bits", kept=seen[0][1] == seen[2][1]
        )


def _restatement(stage: Stage, source: Source) -> None:
    what = (
        f"FRED now says {YIELD} for {RESTATED}. That is a new version: it is knowable "
        "from the day it was seen, and no old row may see it."
    )
    with stage.step("A published value is restated", what):
        before = stage.snapshot()
        stage.hand_in(source.restated_yield())
        stage.settle_and_compare("what the restatement reached")
        versions = stage.rows("staging.fred").filter(
            (pl.col("series") == "DGS10") & (pl.col("date") == RESTATED)
        )
        columns = ["vintage", "value", "knowable_at", "basis"]
        rows = versions.sort("vintage").select(columns).rows()
        shown = [(v, x, f"{t:%Y-%m-%d %H:%M} UTC", b) for v, x, t, b in rows]
        stage.table(f"DGS10 of {RESTATED} in staging.fred", columns, shown)
        stage.promise("both versions are kept", kept=len(rows) == 2)
        after = stage.snapshot().roots
        same = all(
            root == after[t] for t, root in before.roots.items() if t != "staging.fred"
        )
        stage.promise("no feature, label or training file changed", kept=same)


def _next_session(stage: Stage, source: Source, close: float) -> None:
    last = stage.lake.registry.sessions.on_or_after(plus_days(LAST, 1))
    then = Source(source.sessions, last)
    what = f"The everyday case: all three files again, one session longer ({last})."
    with stage.step("The next session", what):
        files = (then.oil(late=True, close=close), then.fear(), then.restated_yield())
        start = time.perf_counter()
        receipts = stage.hand_in(*files)
        stage.settle_and_compare("what the session reached")
        seconds = time.perf_counter() - start
        stored = {receipt.file: receipt.stored for receipt in receipts}
        shown = stage.value("features.master", "close", day=last)
        stage.promise(
            f"one new line of each file ({sum(stored.values())} of "
            f"{sum(r.lines for r in receipts)})",
            kept=set(stored.values()) == {1},
        )
        stage.promise(
            f"the row {last} is in every feature table after {seconds:.2f} s",
            kept=shown is not None,
        )


def _proof(stage: Stage) -> Certificate:
    what = (
        "Everything derived is computed again from raw in an empty folder and compared "
        "with the lake, bit for bit. Then each handler runs once over all history."
    )
    with stage.step("The proof", what):
        certificate = prove(stage.lake, stage.graph, deep=True)
        rows = [
            (n.table, certificate.roots[n.table][:12], certificate.deep.get(n.table))
            for n in stage.graph.nodes
        ]
        stage.table("rebuilt and compared", ["table", "root", "one pass"], rows)
        word = "identical" if certificate.identical else "different"
        stage.say(f"  {word} ({certificate.seconds} s)", style="bold")
        stage.promise(
            "after all of this, the lake is what a rebuild gives",
            kept=certificate.identical,
        )
    return certificate
