"""The real price files that the front road does not take: which, and when each was seen.

It hands them in through the project's own door, and computes no expected value.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock

NOW = datetime(2026, 8, 20, 12, tzinfo=UTC)
"""When everything is handed in: held, so that no byte depends on today."""
_OCTOBER = datetime(2025, 10, 15, 19, 43, tzinfo=UTC)  # the footers, 12:34 to 14:43 CDT
_THIRD = datetime(2025, 10, 3, 21, 38, tzinfo=UTC)  # the footers, 16:21 to 16:38 CDT
_JUNE = datetime(2026, 6, 5, 23, tzinfo=UTC)
_JULY = datetime(2026, 7, 15, 12, tzinfo=UTC)
_OLD = datetime(2021, 6, 10, 12, tzinfo=UTC)

FILES: dict[str, tuple[str, str, int, int]] = {
    "barchart/dxy_daily_historical-data-10-15-2025.csv": ("barchart", "DXY", 6609, 0),
    "barchart/mpcv25_daily_historical-data-10-15-2025.csv": (
        "barchart", "MPCV25", 426, 0,
    ),
    "barchart/rsx25_daily_historical-data-10-15-2025.csv": ("barchart", "RSX25", 571, 0),
    "barchart/usdars_daily_historical-data-10-15-2025.csv": (
        "barchart", "USDARS", 6169, 0,
    ),
    "barchart/usdbrl_daily_historical-data-10-15-2025.csv": (
        "barchart", "USDBRL", 6262, 0,
    ),
    "barchart/usdcny_daily_historical-data-10-15-2025.csv": (
        "barchart", "USDCNY", 5141, 0,
    ),
    "barchart/usdmyr_daily_historical-data-10-15-2025.csv": (
        "barchart", "USDMYR", 6249, 0,
    ),
    "barchart/zcz25_price-history-10-03-2025.csv": ("barchart", "ZCZ25", 519, 0),
    "barchart/zlz25_daily_historical-data-10-15-2025.csv": ("barchart", "ZLZ25", 963, 0),
    "barchart/zlz25_price-history-10-03-2025.csv": ("barchart", "ZLZ25", 519, 0),
    "barchart/zmz25_price-history-10-03-2025.csv": ("barchart", "ZMZ25", 519, 0),
    "barchart/zsx25_price-history-10-03-2025.csv": ("barchart", "ZSX25", 519, 0),
    "quandl_chris/CL.csv.gz": ("quandl", "CL_DEFERRED", 9199, 0),
    "quandl_chris/CT.csv.gz": ("quandl", "CT_DEFERRED", 13216, 0),
    "quandl_chris/GC.csv.gz": ("quandl", "GC_DEFERRED", 11213, 0),
    "quandl_chris/HG.csv.gz": ("quandl", "HG_DEFERRED", 9836, 0),
    "quandl_chris/HO.csv.gz": ("quandl", "HO_DEFERRED", 10201, 0),
    "quandl_chris/NG.csv.gz": ("quandl", "NG_DEFERRED", 7421, 0),
    "quandl_chris/SB.csv.gz": ("quandl", "SB_DEFERRED", 13507, 0),
    "quandl_chris/ZC.csv.gz": ("quandl", "ZC_DEFERRED", 15198, 0),
    "quandl_chris/ZL.csv": ("quandl", "ZL_DEFERRED", 15107, 0),
    "quandl_chris/ZM.csv.gz": ("quandl", "ZM_DEFERRED", 15154, 0),
    "quandl_chris/ZS.csv.gz": ("quandl", "ZS_DEFERRED", 15114, 0),
    "palm_oil/Malaysian Crude Palm Oil Futures Historical Data.csv": (
        "investing", "CPO", 2537, 0,
    ),
    "palm_oil/fcpo_investing_myr.csv": ("yfinance", "FCPO", 2745, 15),
    "macrotrends/soybean_prices.csv": ("macrotrends", "soybean", 14403, 7),
    "baltic/Baltic Dry Index Historical Data.csv": ("baltic", "bdi", 3588, 1025),
    "datahub/vix-daily.csv": ("cboe", "VIX", 9235, 0),
    "datahub/wti-daily.csv": ("datahub", "", 10226, 0),
    "datahub/exchange-rates-monthly.csv": ("datahub", "", 17237, 0),
    "soy_oil_predictor/commodities_raw_data.csv": ("vendor_prices", "", 88233, 0),
    "yahoo_etf_2026/dbc.csv.gz": ("yfinance", "DBC_ADJUSTED", 5115, 0),
    "yahoo_etf_2026/fxi.csv.gz": ("yfinance", "FXI_ADJUSTED", 5449, 0),
    "yahoo_etf_2026/gld.csv.gz": ("yfinance", "GLD", 5420, 0),
    "yahoo_etf_2026/spy.csv.gz": ("yfinance", "SPY_ADJUSTED", 8395, 0),
    "yahoo_etf_2026/tlt.csv.gz": ("yfinance", "TLT_ADJUSTED", 6002, 0),
    "yahoo_etf_2026/ung.csv.gz": ("yfinance", "UNG", 4815, 0),
    "yahoo_etf_2026/uso.csv.gz": ("yfinance", "USO", 5071, 0),
    "yahoo_etf_2026/uup.csv.gz": ("yfinance", "UUP_ADJUSTED", 4848, 0),
    "yahoo_etf_2026/vix.csv.gz": ("yfinance", "VIX", 9175, 0),
    "yahoo_etf_2026/weat.csv.gz": ("yfinance", "WEAT", 3700, 0),
    "yahoo_futures_2026/soybean_oil.csv": ("yfinance", "ZL", 2897, 0),
    "yahoo_futures_2026/usdmyr.csv": ("yfinance", "USDMYR", 3002, 0),
    "yahoo_futures_2026/wti.csv": ("yfinance", "CL", 2898, 0),
    "yahoo_csv_2021/ZL=F.csv": ("yahoo", "ZL", 5411, 0),
}  # fmt: skip
"""Each file: its source, its symbol or series, its lines, and those that are unreadable.
Of the vendor's wide file each cell that holds something counts as a line."""


def seen(name: str) -> datetime:
    """Return when a file was downloaded."""
    if name.startswith("barchart"):
        return _THIRD if "10-03-2025" in name else _OCTOBER
    if name.startswith("yahoo"):
        return {"c": _OLD, "e": _JUNE, "f": _JULY}[name.removeprefix("yahoo_")[0]]
    return NOW


def made(folder: Path, graph: Graph, real: Path) -> tuple[Lake, dict[str, Receipt]]:
    """Return a settled lake with all files, and the receipt of each by its name."""
    lake = Lake.create(folder, graph.registry, kind="real")
    told: dict[str, Receipt] = {}
    with clock.held_at(NOW):
        for name in FILES:
            drop(lake, real / name, Hint(as_of=seen(name)))
        by_file = {receipt.file: receipt for receipt in landing.take_in(lake, graph)}
        told = {name: by_file[Path(name).name] for name in FILES}
        report = run_wave(lake, staging_of(graph), probing="off")
    assert not report.failed, report.failed
    return lake, told


def staging_of(graph: Graph) -> Graph:
    """Return the graph up to staging: what lies right of it is judged elsewhere."""
    handlers = {id(n.handler): n.handler for n in graph.nodes if n.part != "output"}
    parsers = chain.from_iterable(graph.parsers.values())
    return build(graph.registry, [*handlers.values(), *parsers, *graph.rules.values()])
