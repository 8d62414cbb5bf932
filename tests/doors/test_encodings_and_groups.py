"""Files in an encoding that their source declares, and files about a group of series.

No other file is read in another encoding than UTF-8.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine.layouts import first_line
from cbi_stream.registry.loader import Registry
from tests.ingest.test_trade import CHINA
from tests.quirks.test_weather import ARCHIVE, hours_of

Drop = Callable[..., Receipt]


@pytest.mark.parametrize("text", ["REGIAO:;NE", "REGIÃO:;NE"])
def test_brazil_s_stations_come_in_latin_1(drop: Drop, text: str) -> None:
    """The file is taken as the portal wrote it, with accents in its first line or not."""
    data = hours_of({5: ",2"}).replace(b"REGIAO:;NE", text.encode("latin-1"))
    receipt = drop(data, "INMET_NE_PE_A309_ARCO VERDE_01-01-2020_A_31-12-2020.CSV")
    assert receipt.taken, receipt.reason
    assert (receipt.source, receipt.unreadable) == ("inmet", 0)


def test_china_s_customs_come_in_gbk(drop: Drop) -> None:
    """The header is told in Chinese, the direction by the name."""
    receipt = drop(CHINA.encode("gbk"), "gacc_import_1507_2024.csv")
    assert receipt.taken, receipt.reason
    assert (receipt.source, receipt.key, receipt.lines) == ("gacc", "import", 4)
    assert receipt.reason is None


def test_no_other_file_may_be_in_another_encoding(drop: Drop) -> None:
    """A file of FRED in Latin-1 is refused as before."""
    receipt = drop(
        "observation_date,VIXCLS\n2024-05-01,15\xa0\n2024-05-02,14.1\n".encode(
            "latin-1"
        ),
        "VIXCLS.csv",
    )
    assert receipt.end == "quarantine"
    assert "expected text in UTF-8; found the byte 0xa0" in (receipt.reason or "")


def test_a_head_that_ends_within_a_character_is_utf_8() -> None:
    """The end of what is looked at says nothing of the encoding."""
    head = "月,b\n".encode() + "年".encode()[:2]
    assert first_line(head) == "月,b"
    assert first_line("数据年月,b\n".encode("gbk")) == "数据年月,b"


def test_a_year_s_archive_is_taken_as_it_is(drop: Drop) -> None:
    """The members' names say whose it is; one folder stands before them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("2020/", "")
        archive.writestr("2020/INMET_NE_PE_A309_ARCO VERDE.CSV", hours_of({5: ",2"}))
        other = hours_of({6: ",4"}).replace(b"A309", b"A310")
        archive.writestr("2020/INMET_NE_PE_A310_FLORESTA.CSV", other)
    receipt = drop(out.getvalue(), "2020.zip")
    assert receipt.taken, receipt.reason
    assert receipt.lines == 2 * 2 * 3


def test_a_file_about_a_place_has_several_series(
    drop: Drop, registry: Registry
) -> None:
    """The place is told by the name; an unknown one is taken, unused, and said to be so."""
    data = json.dumps(ARCHIVE).encode()
    receipt = drop(data, "open_meteo_br_sorriso.json")
    assert receipt.taken, receipt.reason
    assert (receipt.key, receipt.reason) == ("br_sorriso", None)
    other = drop(data + b"\n", "open_meteo_br_nowhere.json")
    assert "br_nowhere is not registered" in (other.reason or "")
    entry = registry.data_sources.sources["open_meteo"]
    assert "br_sorriso" in entry.keys()  # noqa: SIM118 - a method of ours


def test_a_place_that_nobody_names_waits(drop: Drop) -> None:
    """Coordinates are those of a grid cell: they name no place."""
    receipt = drop(json.dumps(ARCHIVE).encode(), "download.json")
    assert receipt.end == "waiting"
    assert "which group it is" in (receipt.reason or "")
    assert "cbi drop FILE --series ar_marcos_juarez" in (receipt.mend or "")


def test_a_person_can_say_the_place(drop: Drop) -> None:
    """What is said counts like a name."""
    data = json.dumps(ARCHIVE).encode()
    receipt = drop(data, "download.json", Hint(key="br_sorriso"))
    assert receipt.taken, receipt.reason
    assert receipt.key == "br_sorriso"
