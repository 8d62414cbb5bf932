"""Real files of other people: each stated dirt is found by name, clean ones are kept.

What is stated of them stands in the list beside the files; none is copied here. Where
the files are not there, as in a clone without them, the tests are skipped and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cbi_stream.audit.looking import Asked, look
from cbi_stream.audit.verdict import Judged
from tests.audit.making import SESSIONS

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "real"
EXPORTS = "cbi_v14_exports/forecasting_data_warehouse."
# The files reach up to August 2026.
LATER = datetime(2026, 11, 1, tzinfo=UTC)
DIRTY = "dirty/forecasting_data_warehouse."

STATED = [
    (EXPORTS + "cftc_cot", "duplicates", "52 of 866 dates"),
    (EXPORTS + "cftc_cot", "zero column", "0.0 on all 944 rows"),
    (EXPORTS + "cftc_cot", "zero column", "managed_money_net"),
    (EXPORTS + "cftc_cot", "yearly hole", "36 days to 2013-02-05, 77 days"),
    (EXPORTS + "cftc_cot", "yearly hole", "147 days to 2023-05-23, 168 days to 2024"),
    (EXPORTS + "currency_data", "duplicates", "12497 with 2 rows, 11314 with 3 rows"),
    (EXPORTS + "currency_data", "contradictions", "24 dates"),
    (EXPORTS + "economic_indicators", "duplicates", "3606 of"),
    (EXPORTS + "economic_indicators", "contradictions", "1217 dates"),
    (
        EXPORTS + "economic_indicators",
        "two levels",
        "fed_funds_rate: value goes to and fro",
    ),
    (
        EXPORTS + "economic_indicators",
        "changing rhythm",
        "fed_funds_rate: monthly from",
    ),
    (EXPORTS + "economic_indicators", "intraday", "2070 rows"),
    (EXPORTS + "economic_indicators", "far date", "1900-07-01"),
    (EXPORTS + "economic_indicators", "two sources", "dollar_index: FRED and Yahoo"),
    (EXPORTS + "soybean_oil_prices", "hole", "2019-12-31 to 2020-10-21 (295 days)"),
    (EXPORTS + "soybean_oil_prices", "hole", "2001-03-01 to 2001-03-16 (15 days)"),
    (EXPORTS + "soybean_oil_prices", "duplicates", "1 with 4 rows, 1 with 5 rows"),
    (
        EXPORTS + "soybean_oil_prices",
        "intraday",
        "2025-10-29 (14:05, 16:05, 18:05, 20:05)",
    ),
    (EXPORTS + "soybean_oil_prices", "intraday", "open, high, low, volume are empty"),
    (EXPORTS + "usd_index_prices", "one series, two names", "DX-Y.NYB and DXY"),
    (EXPORTS + "usd_index_prices", "duplicates", "4836 with 2 rows"),
    (EXPORTS + "usd_index_prices", "empty for a key", "source_name"),
    (EXPORTS + "vix_daily", "unsorted", "not stand in order"),
    (
        "cbi_v14_exports/yahoo_finance_comprehensive.biofuel_components_raw",
        "stamped midnight",
        "04:00 or 05:00",
    ),
    ("dirty/bkp.economic_indicators_SAFETY", "future", "2026-07-01"),
    ("dirty/bkp.economic_indicators_SAFETY", "far date", "1900-07-01"),
    ("dirty/bkp.economic_indicators_SAFETY", "duplicates", "stand several times"),
    ("dirty/bkp.soybean_oil_prices_SAFETY", "duplicates", "962 with 2 rows"),
    ("dirty/bkp.soybean_oil_prices_SAFETY", "contradictions", "3 dates"),
    (
        "dirty/bkp.soybean_oil_prices_SAFETY",
        "contradictions",
        "2025-10-20 ZL close 51.04",
    ),
    (DIRTY + "argentina_crisis_tracker", "ladder", "exactly 5 on each of 10 rows"),
    (DIRTY + "china_soybean_imports", "exact share", "exactly 30%"),
    (DIRTY + "china_soybean_imports", "zero tail", "from 2025-06-15 on"),
    (DIRTY + "china_soybean_imports", "zero tail", "from 2025-05-15 on"),
    (DIRTY + "soybean_prices", "duplicates", "with 3 rows"),
    (DIRTY + "soybean_prices", "hole", "2019-12-31 to 2020-10-21 (295 days)"),
    (DIRTY + "soybean_prices", "intraday", "2025-11-05"),
    (DIRTY + "weather_data", "duplicates", "of 7520 dates"),
    (DIRTY + "weather_data", "mixed units", "temp_max holds 3 units"),
    (DIRTY + "weather_data", "mixed units", "divided by 10 in 3 series (GHCND"),
    (DIRTY + "weather_data", "mixed units", "Fahrenheit in 11 series"),
    (DIRTY + "weather_data", "mislabelled source", "INMET (7 ids)"),
    (DIRTY + "weather_data", "zero for a key", "639 rows of INMET_A936"),
    ("dirty/news_intelligence_suspect", "placeholder text", "39 of 43 rows"),
    ("dirty/news_intelligence_suspect", "repeated texts", "43 rows hold 7"),
    (
        "dirty/news_intelligence_suspect",
        "empty column",
        "source_name, confidence_score",
    ),
    ("dirty/staging.biofuel_production", "invented", "CBI_V14_Synthetic"),
    ("dirty/staging.biofuel_production", "machine dates", "exactly 30 days apart"),
    ("dirty/staging.biofuel_production", "too many digits", "8 decimals"),
    ("dirty/staging.usda_export_sales", "invented", "Baseline_Pattern"),
    ("dirty/staging.usda_export_sales", "falling total", "cumulative_exports_mt"),
    ("dirty/staging.usda_export_sales", "too many digits", "decimals"),
    ("dirty/staging.usda_harvest_progress", "wrong measure", "planting, no harvest"),
    ("dirty/staging.usda_harvest_progress", "duplicates", "390 of 390 dates"),
    ("dirty/staging.usda_harvest_progress", "calendar column", "it holds the month"),
    ("baltic/Baltic", "weekend", "1025 rows lie on a weekend"),
    ("palm_oil/Malaysian", "hole", "2015-12-04 to 2016-07-26 (235 days)"),
    ("palm_oil/fcpo", "ohlc", "338 of 2745 bars"),
    ("quandl_chris/GC", "hole", "(63 days)"),
    ("quandl_chris/SB", "hole", "(672 days)"),
    ("yahoo_csv_2021/ZL=F", "ohlc", "838 of 5206 bars"),
    ("yahoo_csv_2021/ZL=F", "empty rows", "205 rows without a value"),
    ("yahoo_futures_2026/usdmyr", "ohlc", "500 of 3002 bars"),
    ("brazil_weather/foz", "contradictions", "2012-05-30"),
    ("macrotrends/soybean_prices", "weekend", "7 rows lie on a weekend"),
    ("fred_api_layout_2026/UNRATE", "period missing", "2025-09-01 to 2025-11-01"),
]
ARCHIVED = {
    DIRTY + "argentina_crisis_tracker",
    DIRTY + "china_soybean_imports",
    "dirty/news_intelligence_suspect",
    "dirty/staging.biofuel_production",
    "dirty/staging.usda_export_sales",
}
CLEAN = [
    EXPORTS + "vix_daily",
    "yahoo_etf_2026/spy.csv",
    "yahoo_etf_2026/vix.csv",
    "yahoo_etf_2026/ung.csv",
    "yahoo_futures_2026/soybean_oil.csv",
    "yahoo_futures_2026/wti.csv",
    "fred_api_layout_2026/ICSA.csv",
    "fred_api_layout_2026/EFFR.csv",
    "fred_graph_csv_2026/DGS10.csv",
    "fred_graph_csv_2026/SOFR.csv",
    "fred_graph_csv_2026/RRPONTSYD.csv",
    "fred_graph_csv_old_header/DFF.csv",
    "fred_long_layout_2026/USREC.csv",
    "datahub/vix-daily.csv",
    "cftc_legacy_index/ZL_cot.csv",
    "ghcn_daily/GHCN_USW00014839.csv",
    "soy_oil_predictor/commodities_raw_data.csv",
    "tpu/All_Daily_TPU_Data.csv",
    "usda_wasde/wasde_commodities_timeseries.csv",
    "usda_inspections_derived/us_soybean_export_inspections_weekly.csv",
]


@pytest.fixture(scope="session")
def found() -> Callable[[str], Judged]:
    """Return a function that looks at the file whose path begins so, once."""
    if not REAL.is_dir():
        pytest.skip("no real files: this needs the folder shared/data/real")
    seen: dict[str, Judged] = {}

    def at(name: str) -> Judged:
        if name not in seen:
            folder, _, start = name.partition("/")
            (path,) = (p for p in (REAL / folder).iterdir() if p.name.startswith(start))
            asked = Asked(SESSIONS, LATER)
            (seen[name],) = look(path, asked, told=lambda number, total, name: None)
        return seen[name]

    return at


@pytest.mark.parametrize(("name", "what", "words"), STATED)
def test_each_stated_dirt_is_found(found, name, what, words):
    """What the list says of a file is found in it, with its numbers."""
    said = "; ".join(each.said for each in found(name).findings if each.what == what)
    assert words in said


@pytest.mark.parametrize("name", sorted(ARCHIVED))
def test_invented_files_are_archived(found, name):
    """What nobody measured is kept as evidence only."""
    assert found(name).verdict == "archive"


@pytest.mark.parametrize(
    "name", sorted({n for n, _, _ in STATED if "dirty" in n or EXPORTS in n} - ARCHIVED)
)
def test_the_other_dirty_files_are_replaced(found, name):
    """True data with faults is to be had again from its source; the VIX is clean."""
    expected = "keep" if name.endswith("vix_daily") else "replace"
    assert found(name).verdict == expected


@pytest.mark.parametrize("name", CLEAN)
def test_clean_files_raise_no_alarm(found, name):
    """A file of which no fault is stated is kept, whatever its quirks are."""
    one = found(name)
    assert one.verdict == "keep", [f.said for f in one.findings if f.weight != "note"]
