"""The steps of the demo, in their order: what happens, and what is promised of it.

Each step hands files or decisions to the lake as a user would. It never reaches into
a table to make a promise come true.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream.cli import arriving, replayed
from cbi_stream.cli.downloads import (
    CORRECTED,
    RESTATED,
    YIELD,
    Source,
)
from cbi_stream.cli.stage import Stage
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine import fates
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
    arriving.six_years(stage, source)
    arriving.spoilt_lines(stage, source)
    arriving.wrong_file(stage, source)
    arriving.same_again(stage, source)
    arriving.noise(stage, source)
    arriving.late_row(stage, source)
    close = _correction(stage, source)
    _decisions(stage)
    _restatements(stage, source)
    arriving.next_session(stage, source, close)
    replayed.sources_asked(stage)
    _every_line(stage)
    return _proof(stage)


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
            if stage.lake.table(n.table).head()[1].partitions
        ]
        stage.table("rebuilt and compared", ["table", "root", "one pass"], rows)
        word = "identical" if certificate.identical else "different"
        stage.say(f"  {word} ({certificate.seconds} s)", style="bold")
        stage.promise(
            "after all of this, the lake is what a rebuild gives",
            kept=certificate.identical,
        )
    return certificate
