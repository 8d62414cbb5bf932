"""A toy trade: small tables with every kind of read, and a four-level diamond.

Its data is invented, its sessions are every third day, and no product code imports it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import polars as pl

from cbi_stream import (
    Conformed,
    Spec,
    days,
    from_registry,
    grid,
    handler,
    history,
    known,
    sessions,
    whole,
)
from cbi_stream import kernels as k
from cbi_stream.engine.graph import Graph, build
from cbi_stream.kernels.asof import newest_known
from cbi_stream.kernels.release import released_at
from cbi_stream.registry import features, files, joins, regimes, releases, sources
from cbi_stream.registry.contract import Column, Contract
from cbi_stream.registry.loader import Registry
from cbi_stream.words.grain import Grain
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span
from handlers.conform.rules import decided
from handlers.conform.versions import LINE, runs

COVERS = Span(date(2014, 1, 1), date(2021, 1, 1))
RELEASE = releases.Release(weekdays_after=1, at=time(12), zone="America/Chicago").terms(
    releases.Closures(lists={})
)

_TEXT = Column(type="string", doc="text", required=True)
_DAY = Column(type="date", doc="day", required=True)
_TIME = Column(type="time", doc="instant", required=True)
_FLOAT = Column(type="float", doc="number")
_INT = Column(type="int", doc="number")


def _contract(table: str, *columns: str, key: str = "date", **more: object) -> Contract:
    known_columns = {
        "symbol": Column(type="string", doc="a", required=True, simulate=("A",)),
        "series": Column(type="string", doc="a", required=True, simulate=("O",)),
        "date": _DAY,
        "cell": Column(type="string", doc="as written"),
        "knowable_at": _TIME,
        "first_seen_at": _TIME,
        "vintage": Column(type="int", doc="number", required=True),
        "age_days": _INT,
        "matures_on": _DAY,
        "sha256": _TEXT,
        "found": _TEXT,
        "line": _INT,
        "batch": _INT,
    }
    return Contract(
        table=table,
        doc="toy",
        key=tuple(key.split()),
        columns={name: known_columns.get(name, _FLOAT) for name in columns},
        **{"grain": Grain.YEAR, **more},
    )


CONTRACTS = [
    _contract(
        "raw.px",
        "symbol",
        "date",
        "cell",
        key="symbol date batch line",
        provenance=True,
    ),
    _contract(
        "raw.obs",
        "series",
        "date",
        "cell",
        key="series date batch line",
        provenance=True,
    ),
    Contract(
        table="raw.decisions",
        doc="toy",
        grain=Grain.YEAR,
        key=("date", "batch", "sha256", "line"),
        columns={
            "date": _DAY,
            "batch": Column(type="int", doc="n", required=True),
            "sha256": _TEXT,
            "line": Column(type="int", doc="n", required=True),
            "raw": _TEXT,
            "verdict": Column(
                type="string", doc="v", required=True, simulate=("reject", "withdraw")
            ),
            **{
                name: Column(type="string", doc="of a partition, or a fix")
                for name in ("partition", "gate", "candidate", "cells")
            },
            "author": _TEXT,
            "note": _TEXT,
            "first_seen_at": _TIME,
        },
    ),
    _contract(
        "quarantine.px",
        *("date", "sha256", "line", "batch", "found"),
        key="date sha256 line batch",
    ),
    _contract(
        "staging.px",
        *("symbol", "date", "x", "knowable_at", "first_seen_at"),
        key="symbol date",
        spine={"symbol": "A"},
        spine_requires="x",
    ),
    _contract(
        "staging.obs",
        *("series", "date", "vintage", "value", "knowable_at", "first_seen_at"),
        key="series date vintage",
        grain=Grain.DECADE,
    ),
    _contract("features.panel", "date", "x", "o", "o_age"),
    _contract("features.window", "date", "mean_20", "std_20", "native_10"),
    _contract("features.month", "date", "highest_30d", grain=Grain.MONTH),
    _contract("features.expanding", "date", "highest_ever"),
    _contract("features.share", "date", "of_all_time_high"),
    _contract("features.left", "date", "mean_of_means"),
    _contract("features.right", "date", "scaled"),
    _contract("features.top", "date", "left_less_right", "next_two"),
    _contract("features.tip", "date", "sum"),
    _contract("labels.ahead", "date", "matures_on", "gain"),
]


def _told_apart(
    raw: pl.DataFrame, table: str, decisions: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the lines that stand, and those that a person rejected."""
    lines = raw.with_columns(raw=pl.lit(table)).join(
        decided(decisions), on=["sha256", "line"], how="left", maintain_order="left"
    )
    out = pl.col("decided").is_not_null()
    return lines.filter(~out), lines.filter(out)


@handler(
    reads={"raw.px": days(), "raw.decisions": days()},
    writes="staging.px",
    quarantines="quarantine.px",
)
def px(px: pl.DataFrame, decisions: pl.DataFrame) -> Conformed:
    """Conform prices: the newest standing correction, to two decimals."""
    stand, out = _told_apart(px, "raw.px", decisions)
    rows = stand.with_columns(
        x=pl.col("cell").cast(pl.Float64).round(2),
        knowable_at=released_at(pl.col("date"), **RELEASE),
    )
    early = pl.col("as_of") < pl.col("knowable_at")
    versions = runs(rows.filter(~early), key=("symbol", "date"), content=("x",))
    first = versions.filter(pl.col("first"))
    newest = first.unique(["symbol", "date"], keep="last", maintain_order=True)
    stands = pl.col("vintage") == pl.col("vintage").max().over("symbol", "date")
    fate = (
        pl.when(~pl.col("first"))
        .then(pl.lit("duplicate"))
        .when(stands)
        .then(pl.lit("staged"))
        .otherwise(pl.lit("superseded"))
    )
    return Conformed(
        newest.select("symbol", "date", "x", "knowable_at", "first_seen_at"),
        out.select("date", "sha256", "line", "batch", found="decided"),
        pl.concat(
            [
                out.select(*LINE, fate=pl.lit("quarantined")),
                rows.filter(early).select(*LINE, fate=pl.lit("provisional")),
                versions.select(*LINE, fate=fate),
            ]
        ),
    )


@handler(reads={"raw.obs": days(), "raw.decisions": days()}, writes="staging.obs")
def obs(obs: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Conform observations: every version."""
    rows = _told_apart(obs, "raw.obs", decisions)[0].with_columns(
        value=pl.col("cell").cast(pl.Float64),
        released=released_at(pl.col("date"), **RELEASE),
    )
    versions = runs(
        rows.filter(pl.col("as_of") >= pl.col("released")),
        key=("series", "date"),
        content=("value",),
    ).filter(pl.col("first"))
    by_rule = pl.col("vintage") == 0
    return versions.select(
        *("series", "date", "vintage", "value", "first_seen_at"),
        knowable_at=pl.when(by_rule).then("released").otherwise("as_of"),
    )


@handler(
    reads={
        "calendar.sessions": grid("staging.px"),
        "staging.px": sessions(),
        "staging.obs": known(max_age=from_registry("join_spec.oldest")),
    },
    writes="features.panel",
    spec=("settings", "join_spec"),
)
def panel(
    sessions: pl.DataFrame, px: pl.DataFrame, obs: pl.DataFrame, *, spec: Spec
) -> pl.DataFrame:
    """Assemble the dense panel."""
    age = spec.join_spec.observations["o"].max_age_days
    grid_ = sessions.filter(pl.col("listed"))
    prices = px.filter(pl.col("symbol") == spec.settings.target).select("date", "x")
    seen = newest_known(grid_, obs, max_age_days=age).select(
        "date", o="value", o_age=pl.col("age_days").cast(pl.Float64)
    )
    return (
        grid_.select("date")
        .join(prices, on="date", how="left", maintain_order="left")
        .join(seen, on="date", how="left", maintain_order="left")
    )


@handler(
    reads={"features.panel": sessions(back=19, columns=("x",))},
    writes="features.window",
)
def window(panel: pl.DataFrame) -> pl.DataFrame:
    """Roll over sessions: two pure kernels and one that is not."""
    asked = {
        "mean_20": k.mean("x", 20, min_count=5),
        "std_20": k.std("x", 20, min_count=5),
    }
    native = pl.col("x").rolling_mean(10, min_samples=3).alias("native_10")
    return k.roll(panel, asked).select("date", "mean_20", "std_20", native)


@handler(
    reads={"features.panel": sessions(back=19, columns=("x",))},
    writes="features.window",
)
def other_window(panel: pl.DataFrame) -> pl.DataFrame:
    """Roll over sessions with other code and other values."""
    asked = {
        "mean_20": k.mean("x", 15, min_count=5),
        "std_20": k.std("x", 20, min_count=5),
    }
    native = pl.col("x").rolling_mean(10, min_samples=3).alias("native_10")
    return k.roll(panel, asked).select("date", "mean_20", "std_20", native)


@handler(reads={"staging.px": days(back=30)}, writes="features.month")
def month(px: pl.DataFrame) -> pl.DataFrame:
    """Take the highest price of the last 30 calendar days."""
    here = px.select("date")
    then = px.select("x", seen="date", until=pl.col("date").dt.offset_by("30d"))
    pairs = here.join_where(
        then, pl.col("seen") <= pl.col("date"), pl.col("until") >= pl.col("date")
    )
    return pairs.group_by("date").agg(highest_30d=pl.col("x").max())


@handler(reads={"staging.px": history()}, writes="features.expanding")
def expanding(px: pl.DataFrame) -> pl.DataFrame:
    """Take the highest price so far."""
    return px.sort("date").select("date", highest_ever=pl.col("x").cum_max())


@handler(
    reads={"features.panel": days(), "staging.px": whole()}, writes="features.share"
)
def share(panel: pl.DataFrame, px: pl.DataFrame) -> pl.DataFrame:
    """Compare with the highest price of all time."""
    # Not divided: polars divides one row by other bits than many.
    highest = px["x"].max() or 1.0
    return panel.select("date", of_all_time_high=pl.col("x") * (1.0 / highest))


@handler(
    reads={"features.window": sessions(back=4, columns=("mean_20",))},
    writes="features.left",
)
def left(window: pl.DataFrame) -> pl.DataFrame:
    """Average the averages."""
    asked = {"mean_of_means": k.mean("mean_20", 5, min_count=1)}
    return k.roll(window, asked).select("date", "mean_of_means")


@handler(
    reads={"features.window": days(columns=("mean_20", "std_20"))},
    writes="features.right",
)
def right(window: pl.DataFrame) -> pl.DataFrame:
    """Scale row by row."""
    return window.select("date", scaled=pl.col("mean_20") * 2.0 - pl.col("std_20"))


@handler(
    reads={"features.left": sessions(), "features.right": sessions(ahead=2)},
    writes="features.top",
)
def top(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    """Join both sides, one of them two sessions ahead."""
    both = right.join(left, on="date", how="left", maintain_order="left").sort("date")
    return both.select(
        "date",
        left_less_right=pl.col("mean_of_means") - pl.col("scaled"),
        next_two=pl.col("scaled").shift(-2),
    )


@handler(
    reads={
        "features.top": days(),
        "features.window": days(columns=("native_10",)),
        "features.expanding": days(),
    },
    writes="features.tip",
)
def tip(
    top: pl.DataFrame, window: pl.DataFrame, expanding: pl.DataFrame
) -> pl.DataFrame:
    """Sum over two ways down."""
    both = top.join(window, on="date", how="left", maintain_order="left").join(
        expanding, on="date", how="left", maintain_order="left"
    )
    total = pl.col("left_less_right") + pl.col("native_10") + pl.col("highest_ever")
    return both.select("date", sum=total)


@handler(
    reads={
        "calendar.sessions": grid("staging.px", ahead=100),
        "staging.px": days(ahead=100),
    },
    writes="labels.ahead",
)
def ahead(sessions: pl.DataFrame, px: pl.DataFrame) -> pl.DataFrame:
    """Label each session by the first session 90 days on."""
    closes = px.filter(pl.col("symbol") == "A").select("date", "x")
    base = sessions.filter(pl.col("listed")).select(
        "date", due=pl.col("date").dt.offset_by("90d")
    )
    targets = sessions.select(due=pl.col("date"), matures_on="date")
    matched = base.join_asof(targets, on="due", strategy="forward")
    later = closes.rename({"date": "matures_on", "x": "then"})
    return (
        matched.join(later, on="matures_on", how="left", maintain_order="left")
        .join(closes, on="date", how="left", maintain_order="left")
        .select("date", "matures_on", gain=pl.col("then") / pl.col("x") - 1.0)
    )


HANDLERS = (
    px,
    obs,
    panel,
    window,
    month,
    expanding,
    share,
    left,
    right,
    top,
    tip,
    ahead,
)


def session_days() -> list[date]:
    """Return the toy's sessions: every third day, with a closed fortnight a year."""
    found = []
    day = COVERS.start
    while day < COVERS.end:
        if day.toordinal() % 3 == 0 and not (day.month == 8 and day.day < 15):
            found.append(day)
        day += timedelta(days=1)
    return found


def registry(*, max_age: int = 30) -> Registry:
    """Return the toy's registry; `max_age` is the rule that a history may change."""
    file = files.SessionsFile(
        calendar="toy",
        zone="America/Chicago",
        decision_time=time(18),
        covers=files.Covered(first=COVERS.start, last=COVERS.last),
        closed="none",
    )
    joined = joins.ObservationJoin(
        name="o",
        on="knowable_at",
        source="toy",
        series="O",
        max_age_days=max_age,
        null_policy="keep",
    )
    return Registry(
        folder=Path("toy"),
        settings=files.Settings(
            target="A", ranges_from=COVERS.start, positions_weekly_from=COVERS.start
        ),
        universe=files.Universe(symbols={}),
        data_sources=sources.DataSources(sources={}),
        horizons=files.Horizons(days={"q": 90}, slack_days=10),
        join_spec=joins.JoinSpec(joins=(joined,)),
        exports=files.Exports(exports={}),
        closures=releases.Closures(lists={}),
        feature_registry=features.FeatureRegistry(features=()),
        regime_calendar=regimes.RegimeCalendar(weight_before_known=100),
        sessions_file=file,
        sessions=Sessions(session_days(), covers=COVERS),
        contracts={contract.table: _whole(contract) for contract in CONTRACTS},
    )


def _whole(contract: Contract) -> Contract:
    return contract.with_included({})


def graph(*, max_age: int = 30, other_code: bool = False) -> Graph:
    """Return the toy's graph, with one handler's code exchanged where asked."""
    chosen = [
        other_window if other_code and each is window else each for each in HANDLERS
    ]
    return build(replace(registry(max_age=max_age)), chosen)
