"""P5: every line of every file has one fate, whatever is wrong with its neighbours.

Lines are counted in the files' own text, and judged here from the tables alone.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest

from cbi_stream import Conformed
from cbi_stream.doors import dropping, landing
from cbi_stream.engine import fates
from cbi_stream.engine.calling import returned
from cbi_stream.engine.conservation import counted
from cbi_stream.engine.slices import frames_for
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.decisions import decide
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import faults
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words import clock
from cbi_stream.words.errors import BrokenContract
from cbi_stream.words.span import Span
from tests.laws import worlds

GRAPH = worlds.discovered()
DAYS = GRAPH.registry.sessions.between(Span(date(2017, 6, 1), date(2018, 12, 1)))
FAULTS = (
    faults.with_twice,
    faults.with_short_row,
    faults.with_letters,
    faults.with_impossible_date,
)
FATES = ("staged", "quarantined", "superseded", "duplicate", "provisional", "unused")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A lake with three pulls, the second last, each file with two planted faults."""
    folder = tmp_path_factory.mktemp("conservation")
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    chance = random.Random(11)
    files, receipts = [], []
    pulls = [complex_market(DAYS[:n], lead=120) for n in (330, 350, 370)]
    for pull in (pulls[0], pulls[2], pulls[1]):
        spoilt = [_spoilt(file, chance) for file in pull]
        receipts += _take(lake, folder, spoilt)
        files += spoilt
    _reject_some(lake, chance)
    report = run_wave(lake, GRAPH, probing="off")
    assert not report.failed
    return lake, files, landing.complete(lake, GRAPH, receipts)


def _take(lake, folder, files):
    at = max(file.as_of for file in files)
    with clock.held_at(at + timedelta(days=1)):
        for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
            dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))
        receipts = landing.take_in(lake, GRAPH)
    assert all(receipt.taken for receipt in receipts), receipts
    return receipts


def _spoilt(file, chance):
    """Plant two faults in a file, on days that it has, and a market nobody stages."""
    data = file.data.replace(b",002602,", b",00260X,")
    days = [d for d in DAYS[200:320] if d.isoformat().encode() in data]
    if len(days) < 3:
        return file
    # In this order: an edit that reads the whole file stumbles over letters.
    chosen = sorted(chance.sample(range(len(FAULTS)), 2))
    for number, day in zip(chosen, chance.sample(days, 2), strict=True):
        fault = FAULTS[number]
        contract = "007601" if file.name.startswith("annual") else None
        data = fault(data, day=day, contract=contract)
    return SimulatedFile(file.name, data, file.as_of)


def _reject_some(lake, chance):
    for name in ("raw.yahoo", "raw.fred"):
        rows = _all(lake, name).filter(pl.col("problem").is_null())
        picked = rows.sort("batch", "line")[chance.randrange(rows.height)]
        decide(
            lake,
            sha256=picked["sha256"].item(),
            line=picked["line"].item(),
            verdict="reject",
            author="law",
            note="because",
        )


def _all(lake, name):
    table = lake.table(name)
    return table.read(table.head()[1].partitions.values())


def _lines(data):
    """Count the lines under the header, without remarks."""
    plain = [line for line in data.decode().splitlines() if line.strip()]
    return len([line for line in plain if not line.startswith("#")]) - 1


def test_each_receipt_counts_each_line_of_its_file_once(history):
    """Read in the text, and told by the receipt: the same sum."""
    _, files, receipts = history
    told = Counter(
        (r.sha256, r.lines, sum(getattr(r, fate) for fate in FATES)) for r in receipts
    )
    expected = Counter((_sha(f), _lines(f.data), _lines(f.data)) for f in files)
    assert told == expected
    assert sum(r.quarantined for r in receipts) > 60
    assert sum(r.unreadable for r in receipts) > 40


def _sha(file):
    return hashlib.sha256(file.data).hexdigest()


def test_each_source_accounts_for_every_line(history):
    """Read = staged + quarantined + superseded + duplicate + provisional + unused."""
    lake, files, _ = history
    found = fates.of_lake(lake, GRAPH)
    assert sum(c["read"] for c in found.values()) == sum(_lines(f.data) for f in files)
    for raw, counts in found.items():
        assert counts["unaccounted"] == 0, (raw, counts)
        assert counts["stored"] == _all(lake, raw).height
    assert any(counts["unused"] for counts in found.values())
    assert found["raw.yahoo"]["superseded"] > 0 or found["raw.yfinance"]["superseded"]


def test_what_is_quarantined_stands_in_a_quarantine_table_and_nothing_else_does(
    history,
):
    """By (raw, sha256, line, as_of): the fates and the tables say the same."""
    lake, _, _ = history
    place = ["raw", "sha256", "line", "as_of"]
    told, tables = set(), set()
    for node in fates.conforming(GRAPH):
        for raw in node.lines:
            rows = fates.of_lines(lake, GRAPH, raw, pl.lit(value=True))
            out = rows.filter(pl.col("fate") == "quarantined").join(
                _all(lake, raw).select("sha256", "batch", "line", "as_of"),
                on=["sha256", "batch", "line"],
            )
            told |= set(out.select(pl.lit(raw).alias("raw"), *place[1:]).rows())
        turned_away = _all(lake, node.handler.quarantines)
        tables |= set(turned_away.select(place).rows())
    assert told <= tables
    # A count that broke a rule stands in the quarantine beside a line whose others stand.
    assert {place[0] for place in tables - told} <= {"raw.cftc"}
    assert len(told) > 60


def test_every_staged_price_is_backed_by_a_staged_line(history):
    """No close stands that no line says, and no staged line says another close."""
    lake, _, _ = history
    bars = {
        (r["symbol"], r["date"]): r for r in _all(lake, "staging.prices").to_dicts()
    }
    backed = set()
    for raw in ("raw.yahoo", "raw.yfinance"):
        told = fates.of_lines(lake, GRAPH, raw, pl.lit(value=True))
        lines = _all(lake, raw).join(
            told, on=["sha256", "batch", "line"], suffix="_told"
        )
        for line in lines.filter(pl.col("fate") == "staged").iter_rows(named=True):
            bar = bars[(line["symbol"], line["date"])]
            empty = line["close"] in (None, "", "null")
            tick = GRAPH.registry.universe.symbols[line["symbol"]].ticks_per_unit
            said = None if empty else round(float(line["close"]) * tick) / tick
            assert bar["close"] == pytest.approx(said) if said else bar["close"] is None
            backed.add((line["symbol"], line["date"]))
    assert backed == bars.keys()


def test_a_duplicate_was_really_said_before(history):
    """What raw lacks of a file is what its newest version of that time said already."""
    lake, files, _ = history
    rows = _all(lake, "raw.fred").filter(pl.col("problem").is_null())
    versions: dict[tuple[str, date], list[tuple[object, str]]] = {}
    for row in rows.sort("as_of", "batch", "line").iter_rows(named=True):
        place = (row["series"], row["date"])
        versions.setdefault(place, []).append((row["as_of"], row["value"] or ""))
    checked = 0
    for file in files:
        head, *lines = [t for t in file.data.decode().splitlines() if t[:1] != "#"]
        if head.count(",") != 1:
            continue
        series = file.name.removesuffix(".csv")
        cells = [line.split(",") for line in lines]
        once = Counter(cell[0] for cell in cells)
        for day, *rest in cells:
            if len(rest) != 1 or not _is_day(day) or once[day] > 1:
                continue
            known = versions.get((series, date.fromisoformat(day)), [])
            then = [value for as_of, value in known if as_of <= file.as_of]
            if rest[0].replace(".", "").replace("-", "").isdigit():
                assert then[-1] == rest[0], (file.name, day)
                checked += 1
    assert checked > 5000


def _is_day(text):
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


@pytest.mark.parametrize("what", ["lost", "twice", "invented"])
def test_a_handler_that_loses_a_line_is_refused(history, what):
    """A planted conform step that forgets one line fails its partition."""
    lake, _, _ = history
    node = next(n for n in fates.conforming(GRAPH) if n.table == "staging.prices")
    maps = {name: lake.table(name).head()[1] for name in node.inputs}
    span = node.contract.grain.span("2018")
    frames = frames_for(lake, node, span, maps)
    made = returned(node, frames, where="2018")
    counts = counted(node, made, frames, within=span)
    lines = sum(
        frame.filter(
            (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        ).height
        for name, frame in frames.items()
        if name != "decisions"
    )
    assert sum(n for c in counts.values() for n in c.values()) == lines
    spoilt = {
        "lost": made.fates[1:],
        "twice": pl.concat([made.fates, made.fates[:1]]),
        "invented": made.fates.with_columns(line=pl.col("line") + 1),
    }
    with pytest.raises(BrokenContract, match="one fate for each"):
        counted(
            node,
            Conformed(made.staged, made.quarantined, spoilt[what]),
            frames,
            within=span,
        )
