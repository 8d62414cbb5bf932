"""USDA's balances of soybeans and oils as they were known, and how reports revise them.

A revision is from one report to the next of the same marketing year: that a report
begins to speak of another year is never one. Nothing is taken from a report before its
stamp, though the year of which it speaks may lie ahead.
"""

from __future__ import annotations

import polars as pl

from handlers.features import reports

READ_BACK = 1100
READ_AHEAD = 200
"""Days: a marketing year is dated by its first day, and reported from May before it."""
_YEARS = 600
"""Days before the newest marketing year that are looked at: the year before it too."""
_REPOSTED = 15
"""Days: a report that was posted again, or whose day is known to the month alone, is
within these of its first form, and the report of the month before is not."""
_QUARTER = 76
"""Days: the same, three reports back."""
_MAX_AGE = 65
"""Days; in a shutdown of the government a report fell out."""

_SERIES = {
    **{
        f"us_oil_{n}": f"soybean_oil.us.{n}"
        for n in (
            "beginning_stocks", "production", "imports", "ending_stocks", "biofuel_use",
            "domestic_use", "exports",
        )
    },
    **{
        f"us_soybeans_{n}": f"soybeans.us.{n}"
        for n in (
            "beginning_stocks", "production", "imports", "ending_stocks", "exports",
            "crush", "yield_per_harvested_acre",
        )
    },
    "brazil_production": "soybeans.brazil.production",
    "brazil_exports": "soybeans.brazil.exports",
    "argentina_production": "soybeans.argentina.production",
    "argentina_crush": "soybeans.argentina.crush",
    "china_imports": "soybeans.china.imports",
    "world_production": "soybeans.world.production",
    "world_soybeans_ending_stocks": "soybeans.world.ending_stocks",
    "world_soybeans_domestic_use": "soybeans.world.domestic_use",
    "world_oil_ending_stocks": "soybean_oil.world.ending_stocks",
    "world_oil_domestic_use": "soybean_oil.world.domestic_use",
    "vegetable_oils_ending_stocks": "vegetable_oils.world.ending_stocks",
    "vegetable_oils_use": "vegetable_oils.world.use_total",
}  # fmt: skip

_USED = ("us_oil", "us_soybeans", "world_soybeans", "world_oil", "vegetable_oils")
_QUARTERLY = ("us_oil", "us_soybeans", "world_soybeans")
_REVISED = {
    "us_oil_production_revision": "us_oil_production",
    "us_oil_biofuel_revision": "us_oil_biofuel_use",
    "us_oil_exports_revision": "us_oil_exports",
    "us_soybeans_yield_revision": "us_soybeans_yield_per_harvested_acre",
    "us_soybeans_exports_revision": "us_soybeans_exports",
    "us_soybeans_crush_revision": "us_soybeans_crush",
    "harvest_brazil_revision": "brazil_production",
    "harvest_argentina_revision": "argentina_production",
    "brazil_exports_revision": "brazil_exports",
    "argentina_crush_revision": "argentina_crush",
    "china_imports_revision": "china_imports",
}
_REVISED_3 = {
    "harvest_brazil_revision_3": "brazil_production",
    "harvest_argentina_revision_3": "argentina_production",
    "china_imports_revision_3": "china_imports",
}
_GROWN = {
    "harvest_brazil_change_1y": "brazil_production",
    "harvest_argentina_change_1y": "argentina_production",
    "china_imports_change_1y": "china_imports",
}
_AMOUNTS = sorted({*_REVISED.values(), *_REVISED_3.values(), *_GROWN.values()})
_FIGURES = (
    *(f"{who}_stocks_to_use" for who in _USED),
    "us_oil_biofuel_share",
    "south_america_share",
    *_AMOUNTS,
)


def balances(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return per session what the newest report says, and what it revised.

    A feature is of the newest marketing year for which it can be told: in May that of
    the year that begins, but a revision still that of the year before.

        stocks to use   ending stocks / use. Use of the US is beginning stocks +
                        production + imports - ending stocks, exports included; of the
                        world the use that is published, as exports stay inside
        revision        a share less the same of the report before; of amounts the log
                        of one over the other

    Args:
        listed: sessions with `date` and `decision_time`.
        rows: of staging.wasde.
    """
    asked = reports.named(rows, _SERIES)
    states = reports.states(listed, asked)
    now = _view(states, asked)
    newest = now.group_by("state", maintain_order=True).agg(
        released=pl.col("knowable_at").max()
    )
    dated = states.join(newest, on="state", how="left", maintain_order="left")
    years = _figures(now)
    for name, days in (("before", _REPOSTED), ("quarter", _QUARTER)):
        moment = pl.col("released").dt.offset_by(f"-{days}d")
        earlier = _view(dated.with_columns(decision_time=moment), asked)
        years = _paired(years, _figures(earlier), name)
    later = years.select("state", pl.col("observed").dt.offset_by("1y"), *_FIGURES)
    said = _paired(years, later, "year").select("state", **_features())
    # The newest year in which a feature is there: rows are sorted by year.
    last = said.group_by("state", maintain_order=True).agg(
        pl.exclude("state").drop_nulls().last()
    )
    return _where_fresh(dated.join(last, on="state", how="left", maintain_order="left"))


def _view(states: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return the figures of the newest marketing years known, in long form."""
    found = reports.known(states, asked, window_days=READ_BACK, ahead_days=READ_AHEAD)
    newest = pl.col("observed").max().over("state")
    return found.filter(pl.col("observed") > newest - pl.duration(days=_YEARS))


def _figures(found: pl.DataFrame) -> pl.DataFrame:
    """Return a row per state and first day of a marketing year: shares, and logs."""
    wide = reports.side_by_side(found.drop("knowable_at"), _SERIES)
    south = pl.col("brazil_production") + pl.col("argentina_production")
    return wide.select(
        "state",
        "observed",
        **{f"{who}_stocks_to_use": _stocks_to_use(who) for who in _USED},
        us_oil_biofuel_share=_over("us_oil_biofuel_use", "us_oil_domestic_use"),
        south_america_share=_over(south, "world_production"),
        **{name: _log(name) for name in _AMOUNTS},
    )


def _stocks_to_use(who: str) -> pl.Expr:
    left = f"{who}_ending_stocks"
    if who == "vegetable_oils":
        return _over(left, "vegetable_oils_use")
    if who.startswith("world"):
        return _over(left, f"{who}_domestic_use")
    supply = sum(
        (pl.col(f"{who}_{part}") for part in ("production", "imports")),
        start=pl.col(f"{who}_beginning_stocks"),
    )
    return _over(left, supply - pl.col(left))


def _over(above: str | pl.Expr, below: str | pl.Expr) -> pl.Expr:
    top = pl.col(above) if isinstance(above, str) else above
    base = pl.col(below) if isinstance(below, str) else below
    return pl.when(base > 0).then(top / base)


def _log(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column).log())


def _paired(years: pl.DataFrame, other: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the years, and beside each figure the other's of the same marketing year."""
    called = other.rename({figure: f"{figure}_{name}" for figure in _FIGURES})
    return years.join(
        called, on=["state", "observed"], how="left", maintain_order="left"
    )


def _features() -> dict[str, pl.Expr]:
    """Return the features by their names, in the registry's order."""
    ratios = [f"{who}_stocks_to_use" for who in _USED]
    quarterly = [f"{who}_stocks_to_use" for who in _QUARTERLY]
    yearly = [*ratios, "us_oil_biofuel_share", "south_america_share"]
    found = {name: pl.col(name) for name in yearly}
    found |= {f"{name}_revision": _moved(name, "before") for name in ratios}
    found |= {f"{name}_revision_3": _moved(name, "quarter") for name in quarterly}
    found |= {f"{name}_change_1y": _moved(name, "year") for name in yearly}
    found |= {new: _moved(name, "before") for new, name in _REVISED.items()}
    found |= {new: _moved(name, "quarter") for new, name in _REVISED_3.items()}
    found |= {new: _moved(name, "year") for new, name in _GROWN.items()}
    return found


def _moved(name: str, since: str) -> pl.Expr:
    return pl.col(name) - pl.col(f"{name}_{since}")


def _where_fresh(found: pl.DataFrame) -> pl.DataFrame:
    """Return the features by session, null where the newest report is an old one."""
    age = (pl.col("decision_time") - pl.col("released")).dt.total_days()
    fresh = age <= _MAX_AGE
    named = [*_features()]
    return found.select(
        "date",
        *(pl.when(fresh).then(name).alias(name) for name in named),
        wasde_days_since=pl.when(fresh).then(age.cast(pl.Float64)),
    )
