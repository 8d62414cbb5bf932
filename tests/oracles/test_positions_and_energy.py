"""Positions and energy in the real files: every one is taken, and facts of it stand.

Expected figures come from the files themselves or from the page about them, never from
the code that is judged.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from handlers.ingest import cftc as cot
from handlers.ingest import cot_compiled, eia, epa_rin, lcfs
from tests.ingest.conformed import staged

NOW = datetime(2026, 8, 2, 12, tzinfo=UTC)
FOLDERS = ("cftc_native", "cftc_legacy_index", "cftc_derived", "eia",
           "biofuels_derived", "lcfs_derived")  # fmt: skip
SHEET = "cftc_derived/soybean_oil_futures_and_options_weekly.csv"
Bytes = Callable[[str], bytes]


@pytest.fixture
def content(real: Path) -> Bytes:
    """Return a function that gives the bytes of a real file, unpacked."""

    def read(name: str) -> bytes:
        data = (real / name).read_bytes()
        return gzip.decompress(data) if name.endswith(".gz") else data

    return read


def values(rows: pl.DataFrame, series: str) -> dict[date, float | None]:
    """Return the newest value of each date."""
    found = rows.filter(pl.col("series") == series).sort("date", "vintage")
    return dict(found.select("date", "value").rows())


@pytest.fixture(scope="module")
def taken(
    real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, dict[str, Receipt]]:
    """Return a lake that took every file of the folders in, and the receipts."""
    folder = tmp_path_factory.mktemp("energy") / "lake"
    lake = Lake.create(folder, graph.registry, kind="real")
    for name in FOLDERS:
        for path in sorted((real / name).iterdir()):
            landing.drop(lake, path, Hint())
    with clock.held_at(NOW):
        told = landing.take_in(lake, graph)
    return lake, {each.file: each for each in told}


def test_every_file_of_the_folders_is_taken(
    taken: tuple[Lake, dict[str, Receipt]],
) -> None:
    """Recognised by what they hold and by their names; no line of them is unreadable."""
    lake, receipts = taken
    assert len(receipts) == 22
    assert [f for f, r in receipts.items() if r.end != "archive" or r.unreadable] == []
    sources = {file: receipt.source for file, receipt in receipts.items()}
    assert sources["f_disagg_2023_partial.txt.gz"] == "cftc_disaggregated"
    combined = sources["disaggregated_combined_api_sample_2023.csv"]
    assert combined == "cftc_disaggregated_combined"
    assert sources["ZL_cot.csv"] == "cftc_index"
    assert receipts["ZL_cot.csv"].key == "007601"
    assert sources["MER_T10_01.csv.gz"] == sources["PET_PRI_SPT_S1_D.xls.gz"] == "eia"
    table = lake.table("raw.cftc")
    assert table.read(table.head()[1].partitions.values()).height == 3190


def test_a_wave_stages_every_source_and_loses_no_line(
    taken: tuple[Lake, dict[str, Receipt]], graph: Graph
) -> None:
    """From the landing to staging: the counts of fates say where each line went."""
    lake, _ = taken
    with clock.held_at(NOW):
        assert not run_wave(lake, graph, probing="off").failed
    found = fates.of_lake(lake, graph)
    names = ("cftc", "cftc_disaggregated", "cftc_disaggregated_combined", "cftc_index",
             "cftc_sheet", "eia", "epa_rin", "lcfs")  # fmt: skip
    for name in names:
        counts = found[f"raw.{name}"]
        assert counts["unaccounted"] == 0, (name, counts)
        assert counts["staged"] > 0, (name, counts)
        # Six weeks in which old grain counts change from bushels to contracts.
        dirt = {"cftc_index": 6}.get(name, 0)
        assert counts["quarantined"] == dirt, (name, counts)
    assert found["raw.cftc_disaggregated"]["staged"] == 17 * 8
    assert found["raw.cftc"]["unused"] > found["raw.cftc"]["staged"]


def test_the_columns_of_a_real_disaggregated_text_add_up(content: Bytes) -> None:
    """Longs, shorts and spreads of all groups are the open interest, in every market."""
    rows = cot.disaggregated.parse(
        content("cftc_native/f_disagg_2023_partial.txt.gz"), None
    )
    assert rows.height == 1814
    held = rows.select(
        pl.col("^(open|prod|swap|man|oth|rep|non).*$").cast(pl.Int64, strict=False)
    )
    spreads = (
        pl.col("swap_spreading")
        + pl.col("managed_spreading")
        + pl.col("other_spreading")
    )
    for side in ("long", "short"):
        groups = [f"{who}_{side}" for who in ("producer", "swap", "managed", "other")]
        together = pl.sum_horizontal(groups) + spreads
        assert held.filter(together != pl.col(f"reportable_{side}")).height == 0
        whole = pl.col(f"reportable_{side}") + pl.col(f"nonreportable_{side}")
        assert held.filter(whole != pl.col("open_interest")).height == 0


def test_soybean_oil_of_the_official_sample(content: Bytes) -> None:
    """The row that the wire page quotes: 2023-02-21, with a lone point in it."""
    rows = cot.disaggregated.parse(
        content("cftc_native/f_disagg_2023_partial.txt.gz"), None
    )
    (row,) = rows.filter(
        (pl.col("contract") == "007601") & (pl.col("date") == date(2023, 2, 21))
    ).rows(named=True)
    assert (row["open_interest"], row["producer_long"]) == ("455298", "129224")
    assert (row["managed_long"], row["managed_short"]) == ("61371", "30000")
    assert (row["managed_spreading"], row["swap_short"]) == ("57648", "5255")


def test_wheat_of_the_portal_s_table(content: Bytes) -> None:
    """Another order of columns, other names, days with an hour: read by name."""
    data = content("cftc_native/disaggregated_combined_api_sample_2023.csv")
    rows = cot.disaggregated_combined.parse(data, None)
    assert rows.height == 15
    assert rows["contract"].unique().to_list() == ["001602"]
    first = rows.filter(pl.col("date") == date(2023, 1, 3)).rows(named=True)[0]
    assert (first["open_interest"], first["managed_short"]) == ("388172", "107408")
    assert (first["traders"], first["nonreportable_long"]) == ("324", "33527")


def compiled(real: Path) -> dict[date, float]:
    """Return the open interest of futures with options, as another compiler has it."""
    path = "cbi_v14_exports/forecasting_data_warehouse.cftc_cot.parquet"
    return dict(pl.read_parquet(real / path)[["report_date", "open_interest"]].rows())


def test_both_kinds_of_soybean_oil_are_kept_apart(real: Path, content: Bytes) -> None:
    """2025-03-11: futures only 566,507; with options it was 612,554 that day."""
    data = content("cftc_native/annual_legacy_2025_asof_2025-03-14.txt.gz")
    interest = values(staged(cot.cftc, data), "007601.open_interest")
    assert interest[date(2025, 3, 11)] == 566_507.0
    assert compiled(real)[date(2025, 3, 11)] == 612_554.0


def test_two_compilations_of_futures_with_options_agree(
    real: Path, content: Bytes
) -> None:
    """Open interest is equal on 786 of the 789 weeks that both have."""
    sheet = staged(cot_compiled.sheet, content(SHEET), "007601")
    here = values(sheet, "007601.open_interest")
    there = compiled(real)
    shared = sorted(set(here) & set(there))
    assert len(shared) == 789
    equal = [day for day in shared if there[day] == here[day]]
    assert len(equal) == 786


def test_the_compiled_sheet_has_the_managed_money_of_its_cells(content: Bytes) -> None:
    """Its columns repeat their names: they are read by their places."""
    rows = staged(cot_compiled.sheet, content(SHEET), "007601")
    day = date(2024, 12, 10)
    assert values(rows, "007601.managed_long")[day] == 81_950.0
    assert values(rows, "007601.managed_short")[day] == 64_431.0
    assert values(rows, "007601.commercial_short")[day] == 365_254.0
    assert values(rows, "007601.producer_long")[day] == 171_105.0


def test_the_compiled_index_keeps_its_positions_and_leaves_the_index(
    content: Bytes,
) -> None:
    """What the compiler computed is no position; nobody knew a week before its report."""
    rows = staged(cot_compiled.index, content("cftc_legacy_index/ZL_cot.csv"), "007601")
    assert set(rows["series"]) == {"007601.commercial_long", "007601.commercial_short"}
    assert values(rows, "007601.commercial_long")[date(2019, 10, 22)] == 218_692.0
    early = rows.filter(pl.col("date") == date(1987, 1, 30))
    assert early["knowable_at"].min() > datetime(2000, 12, 1, tzinfo=UTC)


def test_spot_prices_of_the_real_workbook(content: Bytes) -> None:
    """WTI fell to -36.98 on 2020-04-20; eleven series in eight sheets."""
    rows = eia.workbook.parse(content("eia/PET_PRI_SPT_S1_D.xls.gz"), None)
    assert rows["series"].n_unique() == 11
    found = {(s, d): v for s, d, v in rows.select("series", "date", "value").rows()}
    assert found["RWTC", date(2020, 4, 20)] == "-36.98"
    assert found["RBRTE", date(2021, 3, 1)] == "64.56"
    assert found["EER_EPD2DXL0_PF4_Y35NY_DPG", date(2021, 3, 1)] == "1.823"
    brent = rows.filter(pl.col("series") == "RBRTE")
    assert brent["date"].min() == date(1987, 5, 20)
    assert brent["value"].to_list()[0] != ""


def test_the_workbook_says_what_fred_s_copy_says(real: Path, content: Bytes) -> None:
    """WTI in FRED's file is the same series: equal wherever both have a value."""
    rows = eia.workbook.parse(content("eia/PET_PRI_SPT_S1_D.xls.gz"), None)
    wti = rows.filter(pl.col("series") == "RWTC").select("date", "value").rows()
    here = {str(day): float(value) for day, value in wti if value}
    text = (real / "fred_long_layout_2026/DCOILWTICO.csv").read_text()
    there = {r[0]: float(r[1]) for r in list(csv.reader(text.splitlines()))[1:] if r[1]}
    shared = sorted(set(here) & set(there))
    assert len(shared) > 5000
    differ = [day for day in shared if here[day] != there[day]]
    assert len(differ) <= len(shared) // 500


def test_the_real_review_keeps_years_apart(content: Bytes) -> None:
    """Month 13 of 2021 is about the sum of the twelve months of that year."""
    rows = staged(eia.review, content("eia/MER_T10_01.csv.gz"))
    months = values(rows, "BFPRBUS")
    assert set(rows["series"]) == {"BFPRBUS", "BFTCBUS"}
    total = sum(months[date(2021, month, 1)] or 0.0 for month in range(1, 13))
    raw = eia.review.parse(content("eia/MER_T10_01.csv.gz"), None)
    year = raw.filter(
        (pl.col("series") == "BFPRBUS.annual") & (pl.col("date") == date(2021, 1, 1))
    )["value"].to_list()
    assert float(year[0]) == pytest.approx(total, rel=1e-3)
    assert months[date(1973, 1, 1)] is None


def test_fuel_made_and_credits_sold(content: Bytes) -> None:
    """Facts of the page about the files: May 2019, and the last month without volume."""
    made = content(
        "biofuels_derived/us_biofuel_production_thousand_gallons_monthly.csv"
    )
    rows = staged(epa_rin.volumes, made)
    assert values(rows, "made.biodiesel")[date(2019, 5, 1)] == 164_042.436
    assert values(rows, "made.renewable_diesel")[date(2010, 7, 1)] is None
    sold = content("lcfs_derived/carb_lcfs_monthly_average_credit_price.csv")
    rows = staged(lcfs.monthly, sold)
    assert values(rows, "month.price")[date(2021, 10, 1)] == 167.6786
    assert values(rows, "month.volume")[date(2021, 10, 1)] is None
    assert len(values(rows, "month.price")) == 106
