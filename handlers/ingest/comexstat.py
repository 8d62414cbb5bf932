"""Comex Stat, Brazil's foreign trade: a year of lines by product, country, state and port.

Lines are summed per month, product and country, for soybeans, soybean oil and meal; of
all others only their number per month is kept, so that every line is accounted for. It
never reads a product that it does not sum.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cbi_stream import BadInput, Poll, Want, connector, source
from handlers.ingest.answers import has_lines
from handlers.ingest.cells import columns_of
from handlers.ingest.lines import matches

_URL = "https://balanca.economia.gov.br/balanca/bd/comexstat-bd/ncm/"
_COLUMNS = (
    "CO_ANO", "CO_MES", "CO_NCM", "CO_UNID", "CO_PAIS", "SG_UF_NCM", "CO_VIA", "CO_URF",
    "QT_ESTAT", "KG_LIQUIDO", "VL_FOB",
)  # fmt: skip
_IMPORTS = b"VL_FRETE"
"""A column of imports alone."""
_READ = r"12019000|1507[0-9]{4}|2304[0-9]{4}"
_KEPT = 500
_HEAD_BYTES = 4096
_EXPECTED = "lines of " + ";".join(_COLUMNS)


def _cells(header: str) -> list[str]:
    return [cell.strip().strip('"') for cell in header.split(";")]


def _is_header(header: str) -> bool:
    return set(_COLUMNS) <= set(_cells(header))


@source("comexstat", headers=(";".join(_COLUMNS),), recognises=_is_header)
def comexstat(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the sums of each month, product and country, and over all countries.

    Series: `export.12019000.160.kg`, `export.12019000.world.usd`; the number of lines
    that are not read stands as `export.others.lines`. Rows are numbered as they come.

    Raises:
        BadInput: it is no such file, or ends within a line.
    """
    lines = _read(data)
    flow = "import" if _IMPORTS in data[:_HEAD_BYTES] else "export"
    month = pl.concat_str("CO_ANO", pl.lit("-"), pl.col("CO_MES").str.zfill(2))
    tested = lines.with_columns(
        date=pl.concat_str(month, pl.lit("-01")).str.to_date("%Y-%m-%d", strict=False),
        readable=pl.all_horizontal(
            pl.col("rule").is_null(),
            matches(pl.col("CO_ANO"), "20[0-9]{2}|199[7-9]"),
            matches(pl.col("CO_MES"), "0?[1-9]|1[0-2]"),
            matches(pl.col("CO_NCM"), "[0-9]{8}"),
            matches(pl.col("CO_PAIS"), "[0-9]{1,3}"),
            matches(pl.col("KG_LIQUIDO"), "[0-9]{1,15}"),
            matches(pl.col("VL_FOB"), "[0-9]{1,15}"),
        ).fill_null(value=False),
    )
    bad = tested.filter(~pl.col("readable"))
    if bad.height * 2 > tested.height:
        msg = (
            f"expected whole numbers in {bad.height} of {tested.height} lines; the first "
            f"such line is line {bad[0, 'line']}: {bad[0, 'text'][:160]!r}"
        )
        raise BadInput(msg)
    return _numbered([_sums(tested, flow), _others(tested, flow), _unread(bad)])


def _read(data: bytes) -> pl.DataFrame:
    """Return the lines, cells as text."""
    found = columns_of(data, _COLUMNS, expected=_EXPECTED, separator=";")
    if data[-1:] not in (b"\n", b"\r"):
        msg = "expected a line end after the last line: the file may be cut short"
        raise BadInput(msg)
    return found


def _sums(lines: pl.DataFrame, flow: str) -> pl.DataFrame:
    read = lines.filter("readable", matches(pl.col("CO_NCM"), _READ))
    whole = read.with_columns(
        kg=pl.col("KG_LIQUIDO").cast(pl.Int64), usd=pl.col("VL_FOB").cast(pl.Int64)
    )
    both = [whole, whole.with_columns(CO_PAIS=pl.lit("world"))]
    parts = []
    for unit in ("kg", "usd"):
        summed = (
            pl.concat(both)
            .group_by("date", "CO_NCM", "CO_PAIS")
            .agg(pl.col(unit).sum())
        )
        name = pl.concat_str(
            pl.lit(flow), "CO_NCM", "CO_PAIS", pl.lit(unit), separator="."
        )
        value = pl.col(unit).cast(pl.String).alias("value")
        parts.append(summed.select("date", value, series=name))
    return pl.concat(parts).sort("date", "series")


def _others(lines: pl.DataFrame, flow: str) -> pl.DataFrame:
    """Return how many lines of each month are of other products."""
    rest = lines.filter("readable", ~matches(pl.col("CO_NCM"), _READ))
    counted = rest.group_by("date").agg(pl.len().cast(pl.String).alias("value"))
    return counted.select("date", "value", series=pl.lit(f"{flow}.others.lines")).sort(
        "date"
    )


def _unread(bad: pl.DataFrame) -> pl.DataFrame:
    return bad.select(
        "date",
        pl.lit(None, pl.String).alias("value"),
        series=pl.lit(""),
        problem=pl.lit(
            "number: expected a year, a month, an NCM, a country, kg and USD"
        ),
        text=pl.col("text").str.slice(0, _KEPT),
    )


def _numbered(parts: list[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat(parts, how="diagonal")
    return rows.select(
        "series",
        pl.col("date").fill_null(strategy="forward").fill_null(strategy="backward"),
        "value",
        line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        problem=pl.col("problem").cast(pl.String),
        text=pl.col("text").cast(pl.String),
    )


@connector("comexstat")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for each year's exports: those that are over once, the last two again."""
    first = (poll.asked_since or poll.source.fetch.history_from).year
    for year in range(first, poll.today.year + 1):
        name = f"EXP_{year}.csv"
        if year >= poll.today.year - 1 or poll.whole or name not in poll.landed:
            yield Want(
                name,
                f"{_URL}{name}",
                expect="text",
                header=r'"?CO_ANO"?;.*',
                judge=has_lines,
            )
