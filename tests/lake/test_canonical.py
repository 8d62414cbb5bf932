"""The same content has one form and one hash; other content has another."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.lake.canonical import canonical, digest, root, schema_of
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import BrokenContract

Rows = Callable[..., pl.DataFrame]
DAYS = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]
AT = datetime(2024, 1, 2, 21, tzinfo=UTC)
FULL: dict[str, list[Any]] = {
    "x": [1.5, None, 0.0],
    "y": [None, 2.0, -3.25],
    "n": [0, None, 7],
    "up": [True, None, False],
    "note": ["ab", None, ""],
    "at": [AT, None, AT],
}


@pytest.fixture
def frame(rows: Rows) -> pl.DataFrame:
    """Return three rows with every type, nulls, zeros and empty text."""
    return rows(DAYS, **FULL)


def test_columns_stand_in_the_contracts_order(
    frame: pl.DataFrame, small: Contract
) -> None:
    """A handler may give its columns in any order."""
    mixed = frame.select(reversed(frame.columns))
    assert canonical(mixed, small).columns == list(small.columns)
    assert digest(canonical(mixed, small)) == digest(frame)


def test_rows_are_sorted_by_key(rows: Rows) -> None:
    """The order of rows is no content; the key's columns decide, in their order."""
    days = [DAYS[1], DAYS[0], DAYS[0]]
    found = rows(days, name=["a", "b", "a"])
    assert found.select("date", "name").rows() == [
        (DAYS[0], "a"),
        (DAYS[0], "b"),
        (DAYS[1], "a"),
    ]


def test_zeros_lose_their_sign_and_nan_is_null(rows: Rows) -> None:
    """-0.0 is 0.0, NaN is null: equal numbers have equal bytes."""
    found = rows(DAYS, x=[-0.0, float("nan"), -1.0])
    assert [str(x) for x in found["x"]] == ["0.0", "None", "-1.0"]
    assert digest(found) == digest(rows(DAYS, x=[0.0, None, -1.0]))


@pytest.mark.parametrize("bad", [float("inf"), float("-inf")])
def test_infinity_is_refused_by_column(rows: Rows, bad: float) -> None:
    """An overflow is a fault of the handler, and the message names the column."""
    with pytest.raises(BrokenContract, match=r"features\.small.*infinity in \['y'\]"):
        rows(DAYS, x=[1.0, None, 2.0], y=[None, bad, None])


def test_a_key_that_stands_twice_is_refused(rows: Rows) -> None:
    """Two rows of one key cannot both be true; the message shows the key."""
    with pytest.raises(BrokenContract, match=r"date\+name once.*2024, 1, 3\), 'a'"):
        rows([DAYS[0], DAYS[1], DAYS[1]])


def test_a_null_in_a_required_column_is_refused(rows: Rows) -> None:
    """A required column has a value in every row."""
    with pytest.raises(BrokenContract, match=r"no null in \['name'\]"):
        rows(DAYS, name=["a", None, "b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("y"), r"missing \['y'\]"),
        (lambda f: f.with_columns(z=1), r"not in it \['z'\]"),
        (lambda f: f.with_columns(pl.col("n").cast(pl.Int32)), r"Int64.*found.*Int32"),
        (lambda f: f.with_columns(pl.col("x").cast(pl.Float32)), "Float32"),
        (lambda f: f.with_columns(pl.col("x").cast(pl.String)), "String"),
        (
            lambda f: f.with_columns(pl.col("at").dt.replace_time_zone(None)),
            "time_zone=None",
        ),
        (lambda f: f.with_columns(pl.col("at").dt.cast_time_unit("ns")), "'ns'"),
    ],
)
def test_another_schema_is_refused(
    frame: pl.DataFrame,
    small: Contract,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    message: str,
) -> None:
    """Names and types are the contract's, with no silent cast."""
    with pytest.raises(BrokenContract, match=message):
        canonical(change(frame), small)


def test_an_empty_frame_is_canonical(rows: Rows) -> None:
    """A partition without rows has a form and a hash of its own."""
    empty = rows([])
    assert empty.height == 0
    assert digest(empty) != digest(rows(DAYS))


def test_the_digest_does_not_see_how_rows_are_held(
    frame: pl.DataFrame, small: Contract
) -> None:
    """Chunks, slices, order and a round trip through Parquet are no content."""
    chunked = pl.concat([frame[:1], frame[1:2], frame[2:]], rechunk=False)
    sliced = pl.concat([frame[1:], frame]).slice(2, 3)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    file = io.BytesIO()
    frame.write_parquet(file)
    file.seek(0)
    for other in (chunked, sliced, shuffled, pl.read_parquet(file)):
        assert digest(canonical(other, small)) == digest(frame)
    assert digest(chunked) == digest(frame)
    assert digest(sliced) == digest(frame)


def test_values_under_nulls_do_not_count(rows: Rows, small: Contract) -> None:
    """What stands in memory under a null is garbage, and does not enter the hash."""
    hidden = rows(DAYS, x=[1.0, 8.0, 3.0], n=[1, 8, 3], note=["a", "zz", "c"])
    masked = hidden.with_columns(
        pl.when(pl.int_range(pl.len()) != 1).then(pl.col("x", "n", "note"))
    )
    clean = rows(DAYS, x=[1.0, None, 3.0], n=[1, None, 3], note=["a", None, "c"])
    assert digest(canonical(masked, small)) == digest(clean)


@pytest.mark.parametrize("column", ["x", "y", "n", "up", "note", "at"])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_any_single_other_cell_gives_another_digest(
    rows: Rows, frame: pl.DataFrame, column: str, row: int
) -> None:
    """Each cell counts: another value, or null where there was none."""
    other = {
        "x": 1.5000000000000002,
        "y": 5e-324,
        "n": 1,
        "up": row == 2,
        "note": "ba",
        "at": datetime(2024, 1, 2, 21, 0, 0, 1, tzinfo=UTC),
    }[column]
    for value in (other, None):
        cells = list(FULL[column])
        if cells[row] == value:
            continue
        cells[row] = value
        changed = rows(DAYS, **{**FULL, column: cells})
        assert digest(changed) != digest(frame), (column, row, value)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"x": [None, 1.0, 1.0]}, {"x": [0.0, 1.0, 1.0]}),
        ({"n": [None, 1, 1]}, {"n": [0, 1, 1]}),
        ({"up": [None, True, True]}, {"up": [False, True, True]}),
        ({"note": ["", "b", "c"]}, {"note": [None, "b", "c"]}),
        ({"note": ["ab", "c", ""]}, {"note": ["a", "bc", ""]}),
        ({"note": ["ä", "b", "c"]}, {"note": ["a", "b", "c"]}),
        ({"x": [1.0, None, None]}, {"y": [1.0, None, None]}),
        ({"x": [1.0, 2.0, None]}, {"x": [1.0, None, 2.0]}),
        ({"name": ["a", "b", "c"]}, {"note": ["a", "b", "c"]}),
    ],
)
def test_near_twins_differ(rows: Rows, left: Any, right: Any) -> None:
    """Null is not zero, empty text is not null, and text keeps its boundaries."""
    assert digest(rows(DAYS, **left)) != digest(rows(DAYS, **right))


def test_a_renamed_or_retyped_column_differs() -> None:
    """Names and types are content: the same bits under another name are not equal."""
    one = pl.DataFrame({"a": [1, 2]})
    assert digest(one) != digest(one.rename({"a": "b"}))
    assert digest(one) != digest(one.cast(pl.Boolean).cast(pl.Int32))
    assert digest(one.head(0)) != digest(one.head(0).rename({"a": "b"}))


def test_golden_digests(rows: Rows, frame: pl.DataFrame) -> None:
    """These hashes stand in logs and manifests: they hold for ever.

    Whoever must change them raises ENGINE_SEMANTICS.
    """
    assert digest(frame) == (
        "3ac941fba4a35bedc868ad47c9e55ed0f8633b4311ede3ca51c5e8c64a1442aa"
    )
    assert digest(rows([])) == (
        "ae89420f4eeaa91ed939038a794d6c6bd437d52ccf8877b924e929c7ed1fe427"
    )


cells = st.one_of(st.none(), st.floats(allow_infinity=False, width=64))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 40))
def test_canonical_is_its_own_form(
    small: Contract, data: st.DataObject, n: int
) -> None:
    """Doing it twice, or on shuffled rows, gives the same content."""
    days = [date.fromordinal(738000 + i) for i in range(n)]
    columns = {
        "date": days,
        "name": ["a"] * n,
        "x": data.draw(st.lists(cells, min_size=n, max_size=n)),
        "y": [None] * n,
        "n": data.draw(st.lists(st.integers(-5, 5), min_size=n, max_size=n)),
        "up": [None] * n,
        "note": data.draw(st.lists(st.text(max_size=3), min_size=n, max_size=n)),
        "at": [AT] * n,
    }
    once = canonical(pl.DataFrame(columns, schema=schema_of(small)), small)
    mixed = once.sample(fraction=1.0, shuffle=True, seed=n)
    assert digest(canonical(once, small)) == digest(once)
    assert digest(canonical(mixed, small)) == digest(once)


def test_a_root_ignores_order_and_sees_every_partition() -> None:
    """A table's root is over its partitions by name, in no order of arrival."""
    hashes = {"2023": "a" * 64, "2024": "b" * 64}
    assert root(hashes) == root(dict(reversed(hashes.items())))
    assert root(hashes) != root({"2023": "b" * 64, "2024": "a" * 64})
    assert root(hashes) != root({"2023": "a" * 64})
    assert (
        root({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
