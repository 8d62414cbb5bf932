"""The steps of the demo, in their order: what happens, and what is promised of it.

Each step hands files or decisions to the lake as a user would. It never reaches into
a table to make a promise come true.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from datetime import time as clock_time

import polars as pl

from cbi_stream.cli.downloads import (
    CORRECTED,
    IMPOSSIBLE,
    LAST,
    LATE,
    LETTERS,
    RESTATED,
    SHORT,
    YIELD,
    Source,
)
from cbi_stream.cli.stage import Stage
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine import effects, fates
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
    _spoilt_lines(stage, source)
    _wrong_file(stage, source)
    _same_again(stage, source)
    _noise(stage, source)
    _late_row(stage, source)
    close = _correction(stage, source)
    _decisions(stage)
    _restatements(stage, source)
    _next_session(stage, source, close)
    _every_line(stage)
    return _proof(stage)


def _six_years(stage: Stage, source: Source) -> None:
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


def _spoilt_lines(stage: Stage, source: Source) -> None:
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


def _wrong_file(stage: Stage, source: Source) -> None:
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
        count = sum(entry.rows for entry in current.partitions.values())
        rows.append((node.table, len(current.partitions), count, current.root[:12]))
    stage.table("tables", ["table", "partitions", "rows", "root"], rows)


def _same_again(stage: Stage, source: Source) -> None:
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
    found = {(t, d, c): stage.value(t, c, day=d, **_of_target(t)) for t, d, c in places}
    # The last session whose year ends on or before the corrected day: a label is
    # resolved by the first session on or after its own day.
    origin = stage.lake.registry.sessions.before(plus_days(CORRECTED, -364))
    assert origin is not None
    found[("labels.forward", origin, "target_price")] = stage.value(
        "labels.forward", "target_price", day=origin, horizon="12m"
    )
    return found


def _of_target(table: str) -> dict[str, str]:
    return {"symbol": "ZL"} if table == "staging.prices" else {}


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _decisions(stage: Stage) -> None:
    what = (
        "A person rejects the corrected line, with a note, and later takes that back. "
        "The line stays in raw; a decision is one more row beside it."
    )
    with stage.step("A rejection, and its withdrawal", what):
        lines = stage.rows("raw.yahoo").filter(pl.col("symbol") == "ZL")
        line = lines.filter(pl.col("date") == CORRECTED).sort("batch")
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


def _restatements(stage: Stage, source: Source) -> None:
    what = (
        f"FRED now says {YIELD} for {RESTATED}, and nine tenths of the history of its "
        "conditions index are restated. Each is a new version: knowable from the day it "
        "was seen, and no old row may see it."
    )
    with stage.step("Published values are restated", what):
        before = stage.snapshot()
        receipts = stage.hand_in(source.restated_yield(), source.restated_conditions())
        stage.settle_and_compare("what the restatements reached")
        versions = stage.rows("staging.fred").filter(
            (pl.col("series") == "DGS10") & (pl.col("date") == RESTATED)
        )
        columns = ["vintage", "value", "knowable_at", "basis"]
        rows = versions.sort("vintage").select(columns).rows()
        shown = [(v, x, f"{t:%Y-%m-%d %H:%M} UTC", b) for v, x, t, b in rows]
        stage.table(f"DGS10 of {RESTATED} in staging.fred", columns, shown)
        stage.promise("both versions are kept", kept=len(rows) == 2)
        many = sum(receipt.stored for receipt in receipts)
        after = stage.snapshot().roots
        same = all(
            root == after[t] for t, root in before.roots.items() if t != "staging.fred"
        )
        stage.promise(
            f"{many} restated values moved no feature, label or training file",
            kept=same and many > 200,
        )


def _next_session(stage: Stage, source: Source, close: float) -> None:
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


def _every_line(stage: Stage) -> None:
    what = "Every line of every file above, by source, and what became of it."
    with stage.step("Where every line went", what):
        found = fates.of_lake(stage.lake, stage.graph)
        names = list(next(iter(found.values())))
        rows = [(name, *(found[raw][name] for raw in found)) for name in names]
        stage.table("lines by source", ["", *found], rows)
        lost = sum(counts["unaccounted"] for counts in found.values())
        stage.promise("none is lost", kept=lost == 0)
        told: list[Receipt] = [r for r in stage.completed() if r.taken]
        stage.promise(
            f"each of {len(told)} receipts accounts for its file",
            kept=all(_adds_up(receipt) for receipt in told),
        )


def _adds_up(receipt: Receipt) -> bool:
    counts = (
        receipt.staged, receipt.quarantined, receipt.superseded,
        receipt.duplicate, receipt.provisional, receipt.unused,
    )  # fmt: skip
    return sum(count or 0 for count in counts) == receipt.lines


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
