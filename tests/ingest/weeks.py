"""Weeks of the CFTC's reports as its portal and its texts write them, made up.

Nothing here is a real count.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

LEGACY_JSON = {
    "id": "240820007601F",
    "market_and_exchange_names": "SOYBEAN OIL - CHICAGO BOARD OF TRADE",
    "report_date_as_yyyy_mm_dd": "2024-08-20T00:00:00.000",
    "yyyy_report_week_ww": "2024 Report Week 34",
    "cftc_contract_market_code": "007601",
    "cftc_market_code": "CBT ",
    "cftc_commodity_code": "007 ",
    "open_interest_all": "500000",
    "noncomm_positions_long_all": "120000",
    "noncomm_positions_short_all": "150000",
    "noncomm_postions_spread_all": "90000",
    "comm_positions_long_all": "260000",
    "comm_positions_short_all": "230000",
    "tot_rept_positions_long_all": "470000",
    "tot_rept_positions_short": "470000",
    "nonrept_positions_long_all": "30000",
    "nonrept_positions_short_all": "30000",
    "traders_tot_all": "310",
    "futonly_or_combined": "FutOnly",
}
DISAGGREGATED_JSON = {
    "id": "240820007601F",
    "market_and_exchange_names": "SOYBEAN OIL - CHICAGO BOARD OF TRADE",
    "report_date_as_yyyy_mm_dd": "2024-08-20T00:00:00.000",
    "cftc_contract_market_code": "007601",
    "cftc_market_code": "CBT ",
    "open_interest_all": "455298",
    "prod_merc_positions_long": "129224",
    "prod_merc_positions_short": "275303",
    "swap_positions_long_all": "104447",
    "swap__positions_short_all": "5255",
    "swap__positions_spread_all": "6790",
    "m_money_positions_long_all": "61371",
    "m_money_positions_short_all": "30000",
    "m_money_positions_spread": "57648",
    "other_rept_positions_long": "24739",
    "other_rept_positions_short": "19828",
    "other_rept_positions_spread": "36808",
    "tot_rept_positions_long_all": "421027",
    "tot_rept_positions_short": "431632",
    "nonrept_positions_long_all": "34271",
    "nonrept_positions_short_all": "23666",
    "pct_of_open_interest_all": "100.0",
    "traders_tot_all": "307",
    "futonly_or_combined": "FutOnly",
}


def portal(*weeks: dict[str, Any]) -> bytes:
    """Return an answer of the portal with these weeks."""
    return json.dumps(list(weeks)).encode()


def without(week: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a week without some of its fields: these are null."""
    return {name: cell for name, cell in week.items() if name not in names}


def bare(*, width: int = 191, kind: str = "FutOnly", **cells: str) -> bytes:
    """Return one line of a disaggregated text, padded as the agency pads it."""
    padded = [f"{number:>8}" for number in range(1000, 1000 + width - 7 - 6)]
    head = ['"SOYBEAN OIL - CHICAGO BOARD OF TRADE"', "240820", "2024-08-20", "007601",
            "CBT ", "00", "007 "]  # fmt: skip
    tail = ['"(CONTRACTS OF 60,000 POUNDS)"', '"007601"', '"CBT "', '"007 "', '"A30"',
            f'"{kind}"']  # fmt: skip
    line = [*head, *padded, *tail]
    for place, cell in cells.items():
        line[int(place.removeprefix("at_"))] = cell
    return (",".join(line) + "\n").encode()


def zipped(member: str, data: bytes) -> bytes:
    """Return a zip archive with one member."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr(member, data)
    return held.getvalue()
