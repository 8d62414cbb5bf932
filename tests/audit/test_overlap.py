"""A table held against what a lake holds: which names meet, and what is counted.

No lake is made here; tests/cli/test_audit.py asks a true one.
"""

from __future__ import annotations

import polars as pl

from cbi_stream.audit.overlap import Held, held_of, overlaps
from cbi_stream.audit.sheet import laid_out
from tests.audit.making import bars, wave


def holding(**series: list[float]) -> Held:
    """Return a lake that holds these closes on the sessions of the clean bars."""
    days = bars()["date"]
    frames = [
        pl.DataFrame({"symbol": name, "date": days, "close": values})
        for name, values in series.items()
    ]
    return held_of(pl.concat(frames), {}, names={"ZL=F": "ZL", "ZS": "OTHER"})


def said(frame: pl.DataFrame, held: Held, *, name: str) -> list[str]:
    """Return what is said of each series of a table."""
    return [each.said for each in overlaps(laid_out(name, frame), held)]


def test_a_symbol_is_known_by_key_name_and_alias():
    """The key, the file's name and what a source calls it lead to one symbol."""
    held = holding(ZL=wave(300))
    keyed = bars().with_columns(symbol=pl.lit("zl"))
    for frame, name in (
        (keyed, "x.csv"),
        (bars(), "ZL=F.csv"),
        (bars(), "d/ZL_asof_2024-01-01.csv.gz"),
    ):
        assert said(frame, held, name=name) == [
            "ZL: the lake has 300 of 300 dates as well; 300 values are equal, 0 differ"
        ]
    assert said(bars(), held, name="corn.csv") == []


def test_its_own_name_speaks_before_an_alias():
    """A symbol that some source uses for another thing is the symbol itself."""
    held = holding(ZS=wave(300), OTHER=wave(300, level=7.0))
    (text,) = said(bars(), held, name="ZS.csv")
    assert text.startswith("ZS: ")


def test_the_newest_vintage_is_compared():
    """Of an observation that was restated the last value counts, in wide tables by column."""
    days = bars()["date"]
    first = pl.DataFrame(
        {"series": "DGS10", "date": days, "vintage": 0, "value": wave(300)}
    )
    second = first[:10].with_columns(pl.col("value") + 1, vintage=pl.lit(1))
    none = pl.DataFrame(
        schema={"symbol": pl.String, "date": pl.Date, "close": pl.Float64}
    )
    held = held_of(none, {"staging.fred": pl.concat([first, second])}, names={})
    wide = pl.DataFrame({"date": days, "DGS10": wave(300), "mine": wave(300, seed=2)})
    (text,) = said(wide, held, name="wide.csv")
    assert "290 values are equal, 10 differ" in text
