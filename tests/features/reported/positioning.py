"""Positioning by hand, from simulated weekly reports. It knows no kernel."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import log

import polars as pl

from cbi_stream.registry.loader import Registry
from tests.features.definitions.plain import minus, rank_of
from tests.features.reported.making import (
    Known,
    after,
    as_known,
    each,
    reported,
    sessions,
)

TABLE = "features.positioning"
ARGUMENTS: dict[str, str] = {}
"""By source, the frame that holds it, where that is not named after it."""
FIRST, LAST = date(2015, 11, 2), date(2016, 6, 30)
MARKETS = {"oil": "007601", "soybeans": "005602", "meal": "026603", "corn": "002602",
           "crude": "067651"}  # fmt: skip
COUNTS = {
    "open_interest": 300_000.0, "managed_long": 80_000.0, "managed_short": 50_000.0,
    "managed_spreading": 30_000.0, "managed_traders_long": 40.0,
    "managed_traders_short": 35.0, "traders": 220.0, "producer_long": 90_000.0,
    "producer_short": 130_000.0, "swap_long": 60_000.0, "swap_short": 20_000.0,
    "other_long": 20_000.0, "other_short": 25_000.0,
}  # fmt: skip
SPECULATED = {"open_interest": 300_000.0, "noncommercial_long": 80_000.0,
              "noncommercial_short": 60_000.0}  # fmt: skip
Frames = dict[str, pl.DataFrame]


def frames(registry: Registry, *, torn: bool) -> Frames:
    """Return six years of Tuesdays, out on Fridays."""
    weeks = each(date(2010, 6, 1), date(2016, 6, 28))
    levels = {f"{code}.{n}": v for code in MARKETS.values() for n, v in COUNTS.items()}
    legacy = {f"007601.{n}": v for n, v in SPECULATED.items()}
    friday = after(3, hour=19)
    return {
        "sessions": sessions(registry, FIRST, LAST),
        "cftc_disaggregated": reported(levels, weeks, friday, seed=1, torn=torn),
        "cftc": reported(legacy, weeks[-60:], friday, seed=2, torn=torn),
        "cftc_legacy_combined": reported(
            legacy, weeks[-60:], friday, seed=3, torn=torn
        ),
    }


def expected(frames: Frames, day: date, decided: datetime) -> dict[str, float | None]:
    """Return what a session's features are."""
    known = as_known(frames["cftc_disaggregated"], decided)
    return _managed(known, day) | _options(frames, day, decided)


class Weeks:
    """The reports of five years before the newest one, oldest first."""

    def __init__(self, known: Known, day: date) -> None:
        self.known = known
        dates = sorted({d for series in known.values() for d in series})
        self.dates = [d for d in dates if (dates[-1] - d).days < 1827][-260:]
        self.fresh = bool(dates) and (day - dates[-1]).days <= 12

    def of(self, market: str, name: str) -> list[float | None]:
        """Return one count in each report."""
        series = self.known.get(f"{MARKETS[market]}.{name}", {})
        return [series.get(d) for d in self.dates]

    def share(self, market: str, name: str) -> list[float | None]:
        """Return a count over the open interest of each report."""
        return [_over(a, b) for a, b in
                zip(self.of(market, name), self.of(market, "open_interest"),
                    strict=True)]  # fmt: skip

    def net(self, market: str, who: str) -> list[float | None]:
        """Return long less short in each report."""
        both = zip(
            self.of(market, f"{who}_long"), self.of(market, f"{who}_short"), strict=True
        )
        return [minus(long, short) for long, short in both]

    def net_share(self, market: str, who: str) -> list[float | None]:
        """Return long less short over the open interest of each report."""
        return [_over(a, b) for a, b in
                zip(self.net(market, who), self.of(market, "open_interest"),
                    strict=True)]  # fmt: skip

    def moved(self, values: list[float | None], over: int) -> float | None:
        """Return the newest value less an older one, null across a hole."""
        if len(values) <= over:
            return None
        reach = self.dates[-1] - self.dates[-1 - over]
        if reach > timedelta(days=12 if over == 1 else 35):
            return None
        return minus(values[-1], values[-1 - over])


def _over(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _logs(values: list[float | None]) -> list[float | None]:
    return [log(v) if v else None for v in values]


def _managed(known: Known, day: date) -> dict[str, float | None]:
    weeks = Weeks(known, day)
    if not weeks.fresh:
        return {}
    net = weeks.net_share("oil", "managed")
    found = {
        "managed_net_share": net[-1],
        "managed_net_share_change_1": weeks.moved(net, 1),
        "managed_net_share_change_4": weeks.moved(net, 4),
        "managed_net_rank_5y": rank_of(weeks.net("oil", "managed"), 195),
        "managed_net_share_rank_5y": rank_of(net, 195),
        "managed_spreading_share": weeks.share("oil", "managed_spreading")[-1],
        "other_net_share": weeks.net_share("oil", "other")[-1],
        "traders_change_4": weeks.moved(_logs(weeks.of("oil", "traders")), 4),
    }
    for name in ("managed", "managed_traders"):
        sides = (_logs(weeks.of("oil", f"{name}_{s}"))[-1] for s in ("long", "short"))
        found[f"{name}_long_short"] = minus(*sides)
    for side in ("long", "short"):
        shares = weeks.share("oil", f"managed_{side}")
        found[f"managed_{side}_share_change_4"] = weeks.moved(shares, 4)
    for who in ("producer", "swap"):
        shares = weeks.net_share("oil", who)
        found[f"{who}_net_share"] = shares[-1]
        found[f"{who}_net_share_change_4"] = weeks.moved(shares, 4)
    found["producer_net_rank_5y"] = rank_of(weeks.net_share("oil", "producer"), 195)
    for market in ("soybeans", "meal", "corn", "crude"):
        shares = weeks.net_share(market, "managed")
        found[f"{market}_managed_net_share"] = shares[-1]
        found[f"{market}_managed_net_share_change_4"] = weeks.moved(shares, 4)
        found[f"{market}_managed_net_rank_5y"] = rank_of(shares, 195)
    return found


def _options(frames: Frames, day: date, decided: datetime) -> dict[str, float | None]:
    alone = Weeks(as_known(frames["cftc"], decided), day)
    both = Weeks(as_known(frames["cftc_legacy_combined"], decided), day)
    newest = max(alone.dates[-1], both.dates[-1])
    if (day - newest).days > 12:
        return {}

    def last(weeks: Weeks, values: list[float | None]) -> float | None:
        return values[-1] if weeks.dates[-1] == newest else None

    held = [last(w, _logs(w.of("oil", "open_interest"))) for w in (both, alone)]
    net = [last(w, w.net_share("oil", "noncommercial")) for w in (both, alone)]
    return {
        "options_open_interest": minus(*held),
        "options_speculators_gap": minus(*net),
    }
