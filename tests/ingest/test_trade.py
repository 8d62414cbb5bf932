"""Trade files of customs, and MPOB's table for typing. No file here is a source's own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from cbi_stream import BadInput
from handlers.ingest.comexstat import comexstat
from handlers.ingest.gacc import gacc
from handlers.ingest.mpob import typed

HEADER = "CO_ANO;CO_MES;CO_NCM;CO_UNID;CO_PAIS;SG_UF_NCM;CO_VIA;CO_URF;QT_ESTAT;KG_LIQUIDO;VL_FOB"


def brazil(*lines: str, header: str = HEADER) -> bytes:
    """Return a year's file of exports."""
    return "\n".join([header, *lines, ""]).encode()


SOY = brazil(
    "2024;01;12019000;10;160;MT;01;0817800;10;1000;400",
    "2024;01;12019000;10;160;PR;01;0917800;10;500;210",
    "2024;1;12019000;10;245;PR;01;0917800;10;70;30",
    "2024;02;15071000;10;361;PR;01;0917800;10;90;80",
    "2024;02;09011110;10;023;MG;01;0817800;10;5;6",
    "2024;02;84149039;11;023;MG;01;0817800;10;5;6",
)


@pytest.mark.parametrize("quotes", [False, True])
def test_lines_are_summed_by_month_product_and_country(quotes: bool) -> None:
    """States and ports add up; other products are counted, so no line is lost."""
    data = SOY
    if quotes:
        data = "\n".join(
            ";".join(f'"{c}"' for c in line.split(";")) if line else ""
            for line in SOY.decode().split("\n")
        ).encode()
        assert comexstat.recognises(data.decode().split("\n")[0])
    rows = comexstat.parse(data, None)
    found = {
        (s, d.month): v for s, d, v in rows.select("series", "date", "value").rows()
    }
    assert found["export.12019000.160.kg", 1] == "1500"
    assert found["export.12019000.160.usd", 1] == "610"
    assert found["export.12019000.world.kg", 1] == "1570"
    assert found["export.15071000.361.kg", 2] == "90"
    assert found["export.others.lines", 2] == "2"
    assert rows["line"].n_unique() == rows.height


def test_imports_are_told_by_their_freight() -> None:
    """Both directions have the same columns but for freight and insurance."""
    line = "2024;01;15071000;10;063;PR;01;0917800;10;90;80;5;1"
    rows = comexstat.parse(brazil(line, header=f"{HEADER};VL_FRETE;VL_SEGURO"), None)
    assert set(rows["series"]) >= {"import.15071000.063.kg"}


def test_a_line_without_a_number_stays_and_half_a_file_is_refused() -> None:
    """What cannot be summed is told; a cut line never counts as a smaller sum."""
    bad = brazil(
        *SOY.decode().split("\n")[1:5], "2024;01;12019000;10;160;MT;01;1;10;n/a;1"
    )
    rows = comexstat.parse(bad, None)
    assert rows["problem"].drop_nulls().len() == 1
    assert "n/a" in rows["text"].drop_nulls()[0]
    with pytest.raises(BadInput, match="cut short"):
        comexstat.parse(SOY[:-3], None)
    with pytest.raises(BadInput, match="CO_ANO;CO_MES;CO_NCM"):
        comexstat.parse(SOY.replace(b"KG_LIQUIDO", b"PESO"), None)


CHINA = (
    "数据年月,商品编码,商品名称,贸易伙伴编码,贸易伙伴名称,第一数量,第一计量单位,第二数量,"
    '第二计量单位,美元,\n202401,15071000,初榨的豆油,410,巴西,"1,234,567",千克,0,-,"1,222,333",\n'
    '202402,15071000,初榨的豆油,410,巴西,"234,567",千克,0,-,-,\n'
)
ENGLISH = (
    "Date of data,Commodity code,Commodity,Trading partner code,Trading partner,"
    "First quantity,First unit,Second quantity,Second unit,US dollar\n"
    '202401,15071000,Crude soybean oil,410,Brazil,"1,234,567",KG,0,-,"1,222,333"\n'
    '202402,15071000,Crude soybean oil,410,Brazil,"234,567",KG,0,-,-\n'
)


@pytest.mark.parametrize(
    "data",
    [CHINA.encode("gbk"), CHINA.encode(), CHINA.encode("gb18030"), ENGLISH.encode()],
)
def test_china_s_customs_write_in_two_languages_and_encodings(data: bytes) -> None:
    """Thousands have commas, lines end in one, and a dash is nothing."""
    rows = gacc.parse(data, "import")
    assert rows.select("series", "date", "value").rows() == [
        ("import.15071000.410.kg", date(2024, 1, 1), "1234567"),
        ("import.15071000.410.usd", date(2024, 1, 1), "1222333"),
        ("import.15071000.410.kg", date(2024, 2, 1), "234567"),
        ("import.15071000.410.usd", date(2024, 2, 1), ""),
    ]


def test_a_unit_that_is_no_kilogram_is_told() -> None:
    """Ten thousand tonnes are not turned into kilograms by guess."""
    rows = gacc.parse(CHINA.replace("千克", "万吨", 1).encode(), "import")
    bad = rows.filter(pl.col("problem").is_not_null())
    assert bad["series"].to_list() == ["import.15071000.410.kg"]
    assert bad["problem"][0].startswith("number: kg: expected a number in that unit")


def test_the_direction_of_trade_is_said_by_the_name() -> None:
    """No column says whether China bought or sold."""
    with pytest.raises(BadInput, match="direction, like gacc_import_1507"):
        gacc.parse(ENGLISH.encode(), None)
    with pytest.raises(BadInput, match="expected one column"):
        gacc.parse(ENGLISH.replace("First unit", "Measure").encode(), "import")


TYPED = "month,production_cpo_t,exports_po_t,imports_t,closing_stock_t,published_on\n"


def test_typed_figures_of_palm_oil_carry_their_day() -> None:
    """A month's figures are known from 12:30 in Kuala Lumpur on the day they came out."""
    rows = typed.parse(
        f"{TYPED}2024-05,1700000,1378000,,1753665,2024-06-10\n".encode(), None
    )
    assert rows["series"].to_list() == [
        "production.malaysia.tonnes",
        "exports.palm_oil.tonnes",
        "imports.palm_oil.tonnes",
        "stocks.total_palm_oil.tonnes",
    ]
    assert rows["value"].to_list() == ["1700000", "1378000", "", "1753665"]
    assert set(rows["stamp"]) == {datetime(2024, 6, 10, 4, 30, tzinfo=UTC)}


def test_a_typing_error_spoils_one_cell() -> None:
    """A month without a day of publication cannot be placed in time."""
    rows = typed.parse(
        f"{TYPED}2024-05,17O0000,1378000,1,1,2024-06-10\n2024-06,1,1,1,1,\n".encode(),
        None,
    )
    problems = rows["problem"].drop_nulls().to_list()
    assert problems[0].startswith("number: production_cpo_t")
    assert problems[1].startswith("cells: expected 6 cells, a month like 2024-05")
