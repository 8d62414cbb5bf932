"""The panel does what join_spec.yaml says: policies, grain, and no row more or less."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cbi_stream import ObservationJoin, PriceJoin
from cbi_stream.engine.graph import discover
from cbi_stream.engine.slices import grid_frame
from cbi_stream.kernels.join import beside, once
from cbi_stream.registry.joins import JoinSpec
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.words.errors import BrokenContract
from cbi_stream.words.span import Span
from handlers.assemble.panel import panel

# Monday 3 June to Friday 14 June 2024: ten sessions, no holiday.
FIRST, END = date(2024, 6, 3), date(2024, 6, 15)
EARLY = datetime(2024, 5, 1, tzinfo=UTC)
Make = Callable[..., pl.DataFrame]
VIX: Mapping[str, Any] = {
    "name": "vix",
    "on": "knowable_at",
    "source": "fred",
    "series": "VIXCLS",
    "max_age_days": 0,
    "null_policy": "keep",
}


def _row(series: str, day: date, value: float, **more: Any) -> dict[str, Any]:
    row = {"series": series, "date": day, "vintage": 0, "value": value}
    return row | {"knowable_at": EARLY, **more}


@pytest.fixture
def make(registry: Registry, rows_of: Any) -> Make:
    """Return a function from joins and their sources' rows to the panel."""

    def made(joins: list[Any], bars: Any = (), **observed: list[Any]) -> Any:
        changed = replace(registry, join_spec=JoinSpec(joins=tuple(joins)))
        closed = panel.closed(changed.sources_of("joined"))[0]
        return closed(
            sessions=grid_frame(registry, Span(FIRST, END), Span(FIRST, END)),
            prices=rows_of("staging.prices", list(bars)),
            spec=Spec(changed, ("settings", "join_spec")),
            **{name: rows_of(f"staging.{name}", r) for name, r in observed.items()},
        )

    return made


def _vix(**more: Any) -> ObservationJoin:
    return ObservationJoin(**{**VIX, **more})


SEEN = [_row("VIXCLS", date(2024, 6, d), 10.0 + d) for d in (4, 5, 7, 10, 11, 12, 14)]
MISSED = [date(2024, 6, d) for d in (3, 6, 13)]


def test_keep_leaves_a_null_a_null(make: Make) -> None:
    """Nothing is filled, and no column comes that was not asked for."""
    found = make([_vix()], fred=SEEN)
    assert found.filter(pl.col("vix").is_null())["date"].to_list() == MISSED
    assert "vix_missing" not in found.columns
    assert found.height == 10


def test_flag_says_which_rows_lack_a_value(make: Make) -> None:
    """The flag is true where the value is null, and the value stays null."""
    found = make([_vix(null_policy="flag")], fred=SEEN)
    assert found.filter("vix_missing")["date"].to_list() == MISSED
    assert found["vix_missing"].null_count() == 0
    assert found["vix"].null_count() == len(MISSED)


def test_before_a_series_began_there_was_nothing_to_miss(make: Make) -> None:
    """From available_from on the flag is true or false; before it is null."""
    join = _vix(null_policy="flag", available_from=date(2024, 6, 5))
    found = make([join], fred=SEEN).select("date", "vix_missing").rows()
    assert found[:4] == [
        (date(2024, 6, 3), None),
        (date(2024, 6, 4), None),
        (date(2024, 6, 5), False),
        (date(2024, 6, 6), True),
    ]


def test_refuse_changes_no_cell(make: Make) -> None:
    """The gate refuses; the panel itself is as with `keep`."""
    assert make([_vix(null_policy="refuse")], fred=SEEN).equals(
        make([_vix()], fred=SEEN)
    )


def test_inner_drops_the_sessions_without_a_value(make: Make) -> None:
    """And no others; their order stays."""
    found = make([_vix(how="inner", drops_rows=True)], fred=SEEN)
    assert found["date"].to_list() == [row["date"] for row in SEEN]


def test_several_columns_come_with_their_prefix(make: Make) -> None:
    """Each series of a join fills its own column, named after the prefix."""
    join = ObservationJoin(
        **{**VIX, "name": "rates", "series": {"two": "DGS2", "ten": "DGS10"}},
        prefix="rate_",
    )
    rows = [_row("DGS2", FIRST, 4.5), _row("DGS10", date(2024, 6, 4), 4.25)]
    found = make([join], fred=rows).select("date", "rate_two", "rate_ten")
    assert found.rows()[:2] == [(FIRST, 4.5, None), (date(2024, 6, 4), None, 4.25)]


def test_another_column_of_a_bar_can_be_joined(make: Make) -> None:
    """Whatever number a bar has, by its prefix."""
    join = PriceJoin(
        name="corn",
        on="date",
        symbol="ZC",
        columns=("close", "high"),
        prefix="corn_",
        null_policy="keep",
    )
    bars = [{"symbol": "ZC", "date": FIRST, "close": 450.0, "high": 455.0}]
    found = make([join], bars).row(0, named=True)
    assert (found["corn_close"], found["corn_high"]) == (450.0, 455.0)


def test_another_source_needs_no_code(registry: Registry, make: Make) -> None:
    """Where join_spec.yaml names a source of its own, the panel reads that one."""
    series = next(iter(registry.data_sources.sources["eia"].series))
    join = _vix(name="stocks", source="eia", series=series)
    found = make([join], eia=[_row(series, FIRST, 7.0)])
    assert found["stocks"].to_list()[0] == 7.0
    changed = replace(registry, join_spec=JoinSpec(joins=(join,)))
    reads = discover(changed).node("features.panel").reads
    assert list(reads) == ["calendar.sessions", "staging.prices", "staging.eia"]


def test_a_join_that_fans_out_is_refused(make: Make) -> None:
    """F30: several rows per date (weather of four regions) would double sessions."""
    rows = [_row("VIXCLS", date(2024, 6, d), 1.0) for d in (4, 4, 5, 5, 6)]
    with pytest.raises(BrokenContract) as caught:
        make([_vix()], fred=rows)
    said = str(caught.value)
    assert "join vix (VIXCLS): expected one row per date vintage" in said
    assert "found several for 2 of them: 2024-06-04 0, 2024-06-05 0" in said


def test_two_bars_of_a_session_are_refused(make: Make) -> None:
    """Prices of all symbols joined on the date alone have this fault."""
    join = PriceJoin(
        name="corn",
        on="date",
        symbol="ZC",
        columns=("close",),
        prefix="corn_",
        null_policy="keep",
    )
    bars = [{"symbol": "ZC", "date": FIRST, "close": c} for c in (450.0, 451.0)]
    with pytest.raises(
        BrokenContract, match=r"join corn: .* for 1 of them: 2024-06-03"
    ):
        make([join], bars)


def test_a_right_side_with_its_keys_once_passes() -> None:
    """The check is about keys: other columns may repeat."""
    rows = pl.DataFrame({"date": [1, 2], "region": ["a", "a"]})
    assert once(rows, ("date",), name="weather").equals(rows)
    with pytest.raises(BrokenContract, match="expected one row per region"):
        once(rows, ("region",), name="weather")


def test_a_column_on_both_sides_is_refused() -> None:
    """Polars would call it `close_right`, and nobody would read it."""
    left = pl.DataFrame({"date": [1, 2], "close": [1.0, 2.0]})
    with pytest.raises(BrokenContract, match=r"\['close'\] stand on both sides"):
        beside(left, left, on="date", name="corn")


def test_rows_and_their_order_stay() -> None:
    """Whatever the right side lacks or has besides."""
    left = pl.DataFrame({"date": [3, 1, 2]})
    right = pl.DataFrame({"date": [2, 9, 3], "x": [20.0, 90.0, 30.0]})
    found = beside(left, right, on="date", name="x")
    assert found.rows() == [(3, 30.0), (1, None), (2, 20.0)]
