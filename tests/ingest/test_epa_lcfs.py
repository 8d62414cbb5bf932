"""RINs and low-carbon credits: tables that people hand in, and the EPA's monthly file."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from cbi_stream.words.errors import BadInput
from handlers.ingest import cftc, eia, epa_rin, lcfs
from tests.ingest.conformed import known_at, staged

PRICES = "Transfer Date by Week,Transfer Year,RIN Year,Fuel (D Code),QAP Service Type,RIN Price\n"
MADE = "FUEL_CODE,RIN_YEAR,Production Month,RIN_QUANTITY,BATCH_VOLUME\n"
WEEK = "date,price_usd_per_mt,volume_mt\n"
MONTH = "month,arb_monthly_average_credit_price_usd,credits_transacted_mt\n"


def short(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return series, date and value of each row."""
    return rows.select("series", "date", "value").rows()


def test_the_quoted_price_is_that_of_the_year_s_unverified_rins() -> None:
    """Others stand beside it, under ids of their own."""
    text = PRICES + (
        "7/6/2026,2026,2026,D6,Unverified,$0.50\n"
        "7/6/2026,2026,2025,D4,Unverified,$1.10\n"
        "7/6/2026,2026,2024,D4,Unverified,$1.00\n"
        "7/6/2026,2026,2026,D4,QAP-Q,$1.20\n"
    )
    assert short(epa_rin.prices.parse(text.encode(), None)) == [
        ("d6.unverified.current", date(2026, 7, 6), "0.50"),
        ("d4.unverified.prior", date(2026, 7, 6), "1.10"),
        ("d4.unverified.before_prior", date(2026, 7, 6), "1.00"),
        ("d4.qap_q.current", date(2026, 7, 6), "1.20"),
    ]


def test_an_older_table_is_of_all_rins() -> None:
    """It tells neither quality nor years: its price is no unverified one."""
    text = "Transfer Date by Week,Fuel (D Code),RIN Price\n1/8/2018,D4,$0.90\n"
    assert epa_rin.prices.recognises(text.split("\n", maxsplit=1)[0])
    rows = epa_rin.prices.parse(text.encode(), None)
    assert short(rows) == [("d4.all.all", date(2018, 1, 8), "0.90")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("7/7/2026,2026,2026,D6,Unverified,$0.50", "date: expected a Monday"),
        ("7/6/2026,2026,2026,D6,Unverified,0,50", "cells: "),
        ('7/6/2026,2026,2026,D6,Unverified,"0,50"', "number: expected a price"),
        ("7/6/2026,2026,2026,D9,Unverified,$0.50", "text: expected a fuel code"),
        ("7/6/2026,2026,2019,D6,Unverified,$0.50", "date: expected a RIN of that year"),
        ("7/6/2026,26,26,D6,Unverified,$0.50", "date: expected two years"),
    ],
)
def test_an_odd_price_stays_a_row_with_its_problem(line: str, problem: str) -> None:
    """The good lines of the table go on."""
    good = "7/6/2026,2026,2026,D4,Unverified,$1.20\n"
    rows = epa_rin.prices.parse(f"{PRICES}{good}{line}\n".encode(), None)
    assert rows["problem"].to_list()[0] is None
    assert rows["problem"].to_list()[1].startswith(problem)


def test_a_renamed_column_makes_it_no_table_of_prices() -> None:
    """It waits, and the message compares the columns."""
    assert not epa_rin.prices.recognises(PRICES.strip().replace("RIN Price", "Price"))
    with pytest.raises(BadInput, match="expected the header"):
        epa_rin.prices.parse(b"Transfer Date by Week,Price\n", None)


def test_a_month_s_line_is_two_observations() -> None:
    """RINs and the gallons that they stand for, whatever the order of the columns."""
    expected = [
        ("d4.generated", date(2026, 7, 1), "700000000"),
        ("d4.volume", date(2026, 7, 1), "450000000"),
    ]
    data = f"{MADE}4,2026,7,700000000,450000000\n".encode()
    assert short(epa_rin.generated.parse(data, None)) == expected
    turned = ",".join(reversed(MADE.strip().split(",")))
    back = f"{turned}\n450000000,700000000,7,2026,4\n".encode()
    assert short(epa_rin.generated.parse(back, None)) == expected
    assert epa_rin.generated.parse(data, None)["line"].is_unique().all()


@pytest.mark.parametrize("line", ["9,2026,7,1,1", "4,2026,13,1,1", "4,2026,7,1"])
def test_a_month_that_is_none_is_told(line: str) -> None:
    """One bad line of three is quarantined later; most of them would refuse the file."""
    good = "4,2026,6,1,1\n5,2026,6,1,1\n"
    rows = epa_rin.generated.parse(f"{MADE}{good}{line}\n".encode(), None)
    assert rows["problem"].count() == 1
    with pytest.raises(BadInput, match="none is taken"):
        epa_rin.generated.parse(f"{MADE}{line}\n".encode(), None)


def test_a_month_of_credits_is_its_first_day() -> None:
    """The day of the month that a row bears says nothing; a later volume may lack."""
    data = f"{MONTH}2015-06-14,33.6818,151000\n2021-10-01,167.6786,\n".encode()
    assert short(lcfs.monthly.parse(data, None)) == [
        ("month.price", date(2015, 6, 1), "33.6818"),
        ("month.volume", date(2015, 6, 1), "151000"),
        ("month.price", date(2021, 10, 1), "167.6786"),
        ("month.volume", date(2021, 10, 1), ""),
    ]


def test_a_week_of_credits_is_out_ten_days_later() -> None:
    """Weeks and months are series of their own, each with its rule."""
    rows = staged(lcfs.weekly, f"{WEEK}2024-05-06,55.5,120000\n".encode())
    known = known_at(rows, "week.price", date(2024, 5, 6))
    assert known.isoformat() == "2024-05-17T00:00:00+00:00"
    rows = staged(lcfs.monthly, f"{MONTH}2024-01-01,66,1\n".encode())
    known = known_at(rows, "month.price", date(2024, 1, 1))
    assert known.date() == date(2024, 2, 15)  # 17:00 in Los Angeles on the 14th
    assert set(rows["unit"]) == {
        "US dollars per metric ton of CO2 equivalent",
        "metric tons of CO2 equivalent",
    }


def test_an_odd_credit_stays_a_row() -> None:
    """A word where a number should be is a problem of that cell alone."""
    data = f"{WEEK}2024-05-06,n/a,120000\n2024-05-13,55,1\n".encode()
    rows = lcfs.weekly.parse(data, None)
    assert rows["problem"].count() == 1
    assert rows.filter(pl.col("problem").is_null()).height == 3


def test_no_first_line_breaks_what_recognises() -> None:
    """Every file that is dropped is shown to every parser, whatever it holds."""
    endless = 'a,"' + "x" * 200_000
    for line in ("", '"', endless, "\t", "Ä,ö"):
        for parser in (epa_rin.prices, epa_rin.generated, epa_rin.volumes, lcfs.weekly):
            assert not parser.recognises(line)
        for parser in (eia.export, eia.review, cftc.cftc, cftc.disaggregated):
            assert not parser.recognises(line)
