"""Features of the crush family in plain Python. It knows no kernel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log, sqrt

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    Values,
    mean_of,
    minus,
    rank_of,
    returns_of,
    std_of,
    together,
    zscore_of,
)

Of = Callable[[Row], float | None]
POUNDS = 2204.62
YEAR = 252


def priced(row: Row, *names: str) -> list[float] | None:
    """Return prices above zero, or nothing where one is missing."""
    found = [row[name] for name in names]
    return None if any(v is None or v <= 0 for v in found) else found


def there(row: Row, *names: str) -> list[float] | None:
    """Return values, or nothing where one is missing."""
    found = [row[name] for name in names]
    return None if None in found else found


def _crush_of(row: Row) -> float | None:
    legs = priced(row, "meal_close", "close", "soybeans_close")
    return legs and 0.022 * legs[0] + 0.11 * legs[1] - 0.01 * legs[2]


def _crushes(rows: Rows) -> Values:
    """Return the crush of each row, null where a jump says that legs rolled apart."""
    raw = [_crush_of(row) for row in rows]
    found = []
    for before, here, row in zip([None, *raw], raw, rows, strict=False):
        rolls = 10 <= row["date"].day <= 18 and row["date"].month not in (2, 4, 6)
        jumped = None not in (before, here) and abs(here - before) > 0.40
        found.append(None if rolls and jumped else here)
    return found


def _mean(values: Values, over: int, back: int = 0) -> float | None:
    end = len(values) - back
    need = {5: 4, 11: 8, 20: 15, 60: 45}[over]
    return mean_of(values[max(0, end - over) : end], need) if end > 0 else None


def _newest_means(rows: Rows) -> Values:
    crushes = _crushes(rows)
    return [_mean(crushes[: i + 1], 5) for i in range(len(crushes))][-YEAR:]


def _value_of(product: str, cost: str, factor: float) -> Of:
    def of(row: Row) -> float | None:
        paid = priced(row, product, cost)
        return paid and factor * paid[0] / paid[1]

    return of


def _share(row: Row) -> float | None:
    paid = priced(row, "close", "meal_close")
    return paid and 0.11 * paid[0] / (0.11 * paid[0] + 0.022 * paid[1])


def _boho(row: Row) -> float | None:
    paid = there(row, "close", "heating_oil_close")
    return paid and paid[0] * 7.5 / 100 - paid[1]


def _over_crude(row: Row) -> float | None:
    paid = there(row, "close", "crude_close")
    return paid and paid[0] * 7.5 / 100 - paid[1] / 42


def _crude_ratio(row: Row) -> float | None:
    paid = there(row, "close", "crude_close")
    return paid[0] * 7.5 / 100 / (paid[1] / 42) if paid and paid[1] > 0 else None


def _over_gasoline(row: Row) -> float | None:
    paid = there(row, "close", "gasoline_close")
    return paid and paid[0] * 7.5 / 100 - paid[1]


def _ethanol(row: Row) -> float | None:
    paid = there(row, "gasoline_close", "corn_close")
    return paid and paid[0] - paid[1] / 100 / 2.8


def _palm(row: Row) -> float | None:
    paid = priced(row, "fcpo_close", "myr_close")
    return paid and paid[0] / paid[1]


def _palm_spread(row: Row) -> float | None:
    oil = row["close"]
    return minus(None if oil is None else oil / 100 * POUNDS, _palm(row))


def _palm_ratio(row: Row) -> float | None:
    palm, oil = _palm(row), priced(row, "close")
    return log(oil[0] / 100 * POUNDS) - log(palm) if palm and oil else None


def _palm_fuel(row: Row) -> float | None:
    palm, fuel = _palm(row), row["heating_oil_close"]
    return minus(None if palm is None else palm / POUNDS * 7.5, fuel)


def _month(other: str) -> Of:
    names = ("world_soybean_oil", f"world_{other}_oil")

    def of(row: Row) -> float | None:
        paid, ages = priced(row, *names), {row[f"{name}_age_days"] for name in names}
        return log(paid[0]) - log(paid[1]) if paid and len(ages) == 1 else None

    return of


def _values(rows: Rows, of: Of) -> Values:
    return [of(row) for row in rows]


def _level(of: Of) -> Definition:
    return lambda r: of(r[-1])


def _zscore(of: Of, over: int) -> Definition:
    return lambda r: zscore_of(_values(r[-over:], of), over * 3 // 4)


def _rank(of: Of) -> Definition:
    return lambda r: rank_of(_values(r[-YEAR:], of), 189)


def _change(of: Of, over: int) -> Definition:
    return lambda r: minus(of(r[-1]), of(r[-1 - over])) if len(r) > over else None


def _log_change(of: Of, over: int) -> Definition:
    def logged(row: Row) -> float | None:
        value = of(row)
        return None if value is None else log(value)

    return _change(logged, over)


def _palm_returns(rows: Rows) -> Values:
    dollars = [{"palm": _palm(row)} for row in rows]
    return returns_of(dollars, "palm")


def _beside_palm(rows: Rows, over: int, which: int) -> float | None:
    short = rows[-over - 1 :]
    need = over * 3 // 4
    return together(returns_of(short, "close"), _palm_returns(short), need)[which]


def _palm_volatility(rows: Rows) -> float | None:
    found = std_of(_palm_returns(rows), 45)
    return None if found is None else found * sqrt(252.0)


_oil_value = _value_of("close", "soybeans_close", 11.0)
_meal_value = _value_of("meal_close", "soybeans_close", 2.2)
_oil_meal = _value_of("close", "meal_close", 5.0)
_beans_corn = _value_of("soybeans_close", "corn_close", 1.0)
_wheat_corn = _value_of("wheat_close", "corn_close", 1.0)

DEFINITIONS: dict[str, Definition] = {
    "crush_zscore_252": lambda r: zscore_of(_newest_means(r), 189),
    "crush_trend_20": lambda r: minus(
        _mean(_crushes(r), 20), _mean(_crushes(r), 20, back=20)
    ),
    "crush_distance_60": lambda r: minus(_mean(_crushes(r), 5), _mean(_crushes(r), 60)),
    "crush_seasonal_gap": lambda r: minus(
        _mean(_crushes(r), 5), _mean(_crushes(r), 11, back=247)
    ),
    "oil_soybeans_value": _level(_oil_value),
    "meal_soybeans_value": _level(_meal_value),
    "soybeans_corn_ratio": _level(_beans_corn),
    "wheat_corn_ratio": _level(_wheat_corn),
    "oil_share_zscore_60": _zscore(_share, 60),
    "oil_share_rank_252": _rank(_share),
    "oil_soybeans_rank_252": _rank(_oil_value),
    "meal_soybeans_rank_252": _rank(_meal_value),
    "soybeans_corn_rank_252": _rank(_beans_corn),
    "wheat_corn_rank_252": _rank(_wheat_corn),
    **{f"oil_meal_change_{n}": _log_change(_oil_meal, n) for n in (5, 20, 60)},
    "soybeans_corn_change_20": _log_change(_beans_corn, 20),
    "wheat_corn_change_20": _log_change(_wheat_corn, 20),
    "boho_usd_per_gallon": _level(_boho),
    "boho_zscore_60": _zscore(_boho, 60),
    "boho_zscore_252": _zscore(_boho, 252),
    **{f"boho_change_{n}": _change(_boho, n) for n in (5, 20, 60)},
    "oil_crude_usd_per_gallon": _level(_over_crude),
    "oil_crude_zscore_252": _zscore(_over_crude, 252),
    "oil_crude_ratio_rank_252": _rank(_crude_ratio),
    "oil_crude_change_20": _change(_over_crude, 20),
    "oil_gasoline_zscore_252": _zscore(_over_gasoline, 252),
    "oil_gasoline_change_20": _change(_over_gasoline, 20),
    "ethanol_margin_usd_per_gallon": _level(_ethanol),
    "ethanol_margin_rank_252": _rank(_ethanol),
    "ethanol_margin_zscore_60": _zscore(_ethanol, 60),
    "ethanol_margin_change_20": _change(_ethanol, 20),
    "fcpo_spread_usd_per_tonne": _level(_palm_spread),
    "fcpo_log_ratio": _level(_palm_ratio),
    "fcpo_return_1": _log_change(_palm, 1),
    "fcpo_return_20": _log_change(_palm, 20),
    "fcpo_ratio_zscore_60": _zscore(_palm_ratio, 60),
    "fcpo_ratio_rank_252": _rank(_palm_ratio),
    **{f"fcpo_ratio_change_{n}": _change(_palm_ratio, n) for n in (5, 20, 60)},
    "corr_fcpo_60": partial(_beside_palm, over=60, which=1),
    "corr_fcpo_252": partial(_beside_palm, over=252, which=1),
    "beta_fcpo_60": partial(_beside_palm, over=60, which=0),
    "fcpo_volatility_60": _palm_volatility,
    "fcpo_fuel_zscore_252": _zscore(_palm_fuel, 252),
    "fcpo_fuel_change_20": _change(_palm_fuel, 20),
}
for _other in ("palm", "rapeseed", "sunflower"):
    DEFINITIONS |= {
        f"{_other}_month_ratio": _level(_month(_other)),
        f"{_other}_month_rank_252": _rank(_month(_other)),
        f"{_other}_month_change_60": _change(_month(_other), 60),
    }
