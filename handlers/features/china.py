"""Soybeans bound for China: inspected for export, sold, and taken in by its customs.

It never takes a week or a month before it was released, and never fills one that is
missing: a sum of four weeks needs all four.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import grid, handler, known
from handlers.features import reports

_INSPECTED = {
    "to_china": "soybeans.china",
    "all": "soybeans.all_countries",
    "total": "soybeans.reported_total",
}
_SOLD = {
    "net_sales": "801.5700.net_sales",
    "next_net_sales": "801.5700.next_net_sales",
    "outstanding": "801.5700.outstanding_sales",
    "next_outstanding": "801.5700.next_outstanding_sales",
}
_REPORTED = {
    "soybeans": "156.M.1201.0.kg",
    "from_us": "156.M.1201.842.kg",
    "from_brazil": "156.M.1201.76.kg",
    "palm": "156.M.1511.0.kg",
}
_CUSTOMS = {
    "customs_us": "import.12019000.502.kg",
    "customs_us_yellow": "import.12019010.502.kg",
    "customs_brazil": "import.12019000.410.kg",
    "customs_brazil_yellow": "import.12019010.410.kg",
}
_WEEKS_BACK = 1920
"""Days: five years, four weeks and one release more, and the age of the newest week."""
_MONTHS_BACK = 700
_YEARS = 5
_COMPARED = 6
"""Weeks: the newest, four before it, and one release more."""
_LEAST_YEARS = 3
_NEAR = 3
"""Days that the same week of another year may lie away: weeks end on Thursdays."""
_INSPECTED_AGE = 12
_SOLD_AGE = 24
_REPORTED_AGE = 150
_CUSTOMS_AGE = 90
"""Days; for sales and customs the oldest that data_sources.yaml calls fresh."""
_ROUNDING = 1.0
"""Thousand bushels by which a total may miss the sum of its parts."""
_TONNES = 1e-6
"""Million tonnes per tonne."""


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.inspections": known(max_age=_WEEKS_BACK),
        "staging.esr": known(max_age=_WEEKS_BACK),
        "staging.comtrade": known(max_age=_MONTHS_BACK),
        "staging.gacc": known(max_age=_MONTHS_BACK),
    },
    writes="features.china",
)
def china(
    sessions: pl.DataFrame,
    inspections: pl.DataFrame,
    esr: pl.DataFrame,
    comtrade: pl.DataFrame,
    gacc: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row of features per session."""
    listed = sessions.filter("listed")
    out = listed.select("date")
    for said in (
        _inspections(listed, inspections),
        _sales(listed, esr),
        _reported(listed, comtrade),
        _customs(listed, gacc),
    ):
        out = out.join(said, on="date", how="left", maintain_order="left")
    return out


def _inspections(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what export inspections say.

    china_inspections_ratio is the sum of the newest four weeks to China over the mean
    of the sums of the same four weeks of the five years before (three at least).
    A week in which China is not among the countries, though these add up to the total
    that is reported, is one without an inspection for China; where they do not add up
    nothing is known of it.
    """
    states, weeks = reports.side_by_side_known(
        listed, rows, _INSPECTED, days=_WEEKS_BACK
    )
    whole = (pl.col("all") - pl.col("total")).abs() < _ROUNDING
    none = pl.when(whole).then(0.0)
    told = weeks.with_columns(china=pl.coalesce("to_china", none))
    sums = told.with_columns(china=_of_four("china"), all=_of_four("all"))
    ratio = _over_usual(sums, "china")
    said = sums.join(
        ratio, on=["state", "observed"], how="left", maintain_order="left"
    ).select(
        "state",
        "observed",
        china_inspections_ratio="ratio",
        china_inspections_change_4=_change_4(_log("ratio")),
        china_inspections_share=_over("china", "all"),
        # A release late: what is held of earlier weeks may be restated, and the world
        # has had a week to do so.
        china_inspections_change_4_lagged=_back(_change_4(_log("ratio")), 1, days=7),
    )
    return reports.on_sessions(states, _last(said), max_age_days=_INSPECTED_AGE)


def _sales(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what weekly export sales to China say, of this season and the next."""
    states, weeks = reports.side_by_side_known(listed, rows, _SOLD, days=_WEEKS_BACK)
    sold = pl.col("net_sales") + pl.col("next_net_sales")
    waiting = pl.col("outstanding") + pl.col("next_outstanding")
    both = weeks.select("state", "observed", sold=sold, waiting=waiting).with_columns(
        sold=_of_four("sold")
    )
    ratio = _over_usual(both, "waiting")
    said = both.join(
        ratio, on=["state", "observed"], how="left", maintain_order="left"
    ).select(
        "state",
        "observed",
        china_net_sales_4=pl.col("sold") * _TONNES,
        china_outstanding_ratio="ratio",
        china_outstanding_change_4=_change_4(_log("waiting")),
    )
    return reports.on_sessions(states, _last(said), max_age_days=_SOLD_AGE)


def _reported(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what China's monthly imports were, by UN Comtrade."""
    states, months = reports.side_by_side_known(
        listed, rows, _REPORTED, days=_MONTHS_BACK
    )
    said = months.select(
        "state",
        "observed",
        china_soybeans_growth_12m=_growth("soybeans"),
        china_us_share=_over("from_us", "soybeans"),
        china_brazil_share=_over("from_brazil", "soybeans"),
        china_palm_growth_12m=_growth("palm"),
    )
    return reports.on_sessions(states, _last(said), max_age_days=_REPORTED_AGE)


def _customs(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what its customs say by country, two months earlier than Comtrade.

    Yellow soybeans are counted under a number of their own, or with all others under
    another one: a comparison stays within one number.
    """
    states, months = reports.side_by_side_known(
        listed, rows, _CUSTOMS, days=_MONTHS_BACK
    )
    said = months.select(
        "state",
        "observed",
        china_customs_brazil_growth_12m=pl.coalesce(
            _growth("customs_brazil_yellow"), _growth("customs_brazil")
        ),
        china_customs_us_over_brazil=pl.coalesce(
            _log("customs_us_yellow") - _log("customs_brazil_yellow"),
            _log("customs_us") - _log("customs_brazil"),
        ),
    )
    return reports.on_sessions(states, _last(said), max_age_days=_CUSTOMS_AGE)


def _last(found: pl.DataFrame) -> pl.DataFrame:
    return found.group_by("state", maintain_order=True).last()


def _log(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column).log())


def _over(above: str, below: str) -> pl.Expr:
    return pl.when(pl.col(below) > 0).then(pl.col(above) / pl.col(below))


def _back(value: pl.Expr, reports_back: int, *, days: int) -> pl.Expr:
    """Return the value so many reports back, null unless it is so many days older."""
    older = pl.col("observed").shift(reports_back)
    exact = pl.col("observed") - older == pl.duration(days=days)
    return pl.when(exact.over("state")).then(value.shift(reports_back).over("state"))


def _of_four(column: str) -> pl.Expr:
    """Return the sum of four weeks that follow each other."""
    value = pl.col(column)
    older = [_back(value, k, days=7 * k) for k in (1, 2, 3)]
    return value + older[0] + older[1] + older[2]


def _change_4(value: pl.Expr) -> pl.Expr:
    return value - _back(value, 4, days=28)


def _growth(column: str) -> pl.Expr:
    """Return the log growth over twelve months, both as known at the same time."""
    value, older = _log(column), pl.col("observed").shift(12)
    yearly = pl.col("observed").dt.offset_by("-12mo") == older
    return value - pl.when(yearly.over("state")).then(value.shift(12).over("state"))


def _over_usual(weeks: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the newest weeks' values over the mean of the same weeks of other years."""
    value = weeks.select("state", "observed", value=column)
    asked = value.group_by("state", maintain_order=True).tail(_COMPARED)
    usual = reports.of_earlier_years(
        asked, value, years=_YEARS, near_days=_NEAR, least=_LEAST_YEARS
    )
    both = asked.join(
        usual, on=["state", "observed"], how="left", maintain_order="left"
    )
    ratio = pl.when(pl.col("usual") > 0).then(pl.col("value") / pl.col("usual"))
    return both.select("state", "observed", ratio=ratio)
