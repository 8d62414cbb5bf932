"""Features of the biofuel family in plain Python. It knows no kernel.

Its handler reads more than the panel, so its definitions stand under a name of their
own: tests/features/test_biofuel.py asks for them.
"""

from __future__ import annotations

from functools import partial

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    Values,
    column,
    log_return,
    minus,
    rank_of,
    zscore_of,
)

FEEDS = ("soybean_oil", "corn_oil", "canola_oil", "tallow", "grease")


def _one_report(row: Row, names: tuple[str, ...]) -> list[float] | None:
    """Return values that carry one age, or nothing."""
    found, ages = [row[n] for n in names], {row[f"{n}_age_days"] for n in names}
    return None if None in found or None in ages or len(ages) > 1 else found


def _boho(row: Row) -> float | None:
    oil, fuel = row["close"], row["heating_oil_close"]
    return None if None in (oil, fuel) else 7.5 * oil / 100 - fuel


def _left_to_pay(row: Row) -> float | None:
    boho, credit = _boho(row), row["rin_d4"]
    return None if None in (boho, credit) else boho - 1.5 * credit


def _credits_apart(row: Row) -> float | None:
    found = _one_report(row, ("rin_d4", "rin_d6"))
    return found and found[0] - found[1]


def _share(row: Row) -> float | None:
    found = _one_report(row, tuple(f"feed_{name}" for name in FEEDS))
    return found and found[0] / sum(found)


def _days(row: Row) -> float | None:
    found = _one_report(row, ("ethanol_stocks", "ethanol_production"))
    return found and found[0] / found[1]


def _each(rows: Rows, of) -> Values:
    return [of(row) for row in rows]


def _change(rows: Rows, of, over: int) -> float | None:
    return minus(of(rows[-1]), of(rows[-1 - over])) if len(rows) > over else None


BIOFUEL: dict[str, Definition] = {
    "boho_rank_1260": lambda r: rank_of(_each(r, _boho), 504),
    "boho_less_d4_usd_per_gallon": lambda r: _left_to_pay(r[-1]),
    "boho_less_d4_zscore_252": lambda r: zscore_of(_each(r, _left_to_pay), 189),
    "boho_less_d4_change_20": partial(_change, of=_left_to_pay, over=20),
    "rin_d4_d6_spread": lambda r: _credits_apart(r[-1]),
    "rin_d4_d6_change_60": partial(_change, of=_credits_apart, over=60),
    **{
        f"{name}_rank_252": lambda r, name=name: rank_of(column(r, name), 189)
        for name in ("rin_d4", "rin_d6", "lcfs_price")
    },
    "feed_soybean_oil_share": lambda r: _share(r[-1]),
    "feed_soybean_oil_share_change_60": partial(_change, of=_share, over=60),
    "ethanol_days": lambda r: _days(r[-1]),
    "ethanol_days_zscore_252": lambda r: zscore_of(_each(r, _days), 189),
    "distillate_stocks_zscore_252": lambda r: zscore_of(
        column(r, "distillate_stocks"), 189
    ),
    **{
        f"{name}_change_{over}": partial(log_return, name=name, over=over)
        for name, over in (
            ("rin_d4", 20), ("rin_d4", 60), ("rin_d6", 20), ("rin_d6", 60),
            ("lcfs_price", 60), ("ethanol_production", 20),
            ("ethanol_production", 252), ("ethanol_stocks", 20),
            ("ethanol_stocks", 252), ("distillate_stocks", 20),
            ("distillate_stocks", 252), ("rfs_total_volume", 252),
            ("rfs_bbd_gallons", 252),
        )
    },
}  # fmt: skip
"""All of it but the steps between weeks, which no row of the panel holds."""
