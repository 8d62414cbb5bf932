"""Four dialects of text that registered parsers know, each as one clean file and its ways.

What is in them is made up. Nothing here is damaged: `bad_inputs` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from handlers.ingest.cot import LEGACY

MIDDLE = 2
"""The row that is spoilt; above it stand the header and two rows."""
LINE = MIDDLE + 2
"""Its line in the file, from 1."""


@dataclass(frozen=True)
class Dialect:
    """How one source writes a table."""

    name: str
    file: str
    """A name by which its files are known."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    day: int
    """Which cell holds the date."""
    number: int
    """Which cell holds the number that is spoilt."""
    about: int
    """Which cell says what a line is about; the date's where the file's name says it."""
    raw: str
    staged: str
    quarantine: str
    quoted: frozenset[int] = field(default_factory=frozenset)
    """Which cells stand in quotes, in the header all of them or none."""

    def line(self, cells: Sequence[str]) -> str:
        """Return one row as text."""
        return ",".join(self.cells_of(cells))

    @property
    def top(self) -> str:
        """The header line."""
        return ",".join(f'"{n}"' if self.quoted else n for n in self.header)

    def text(self, rows: Sequence[Sequence[str]] | None = None) -> str:
        """Return a whole file, or one with other rows."""
        lines = [self.line(cells) for cells in (self.rows if rows is None else rows)]
        return "\n".join([self.top, *lines, ""])

    def with_line(self, line: str) -> str:
        """Return the file with another line in the middle."""
        lines = self.text().split("\n")
        lines[LINE - 1] = line
        return "\n".join(lines)

    def with_cell(self, place: int, cell: str) -> str:
        """Return the file with another cell in the middle row, as it is, unquoted."""
        cells = self.cells_of(self.rows[MIDDLE])
        cells[place] = cell
        return self.with_line(",".join(cells))

    def cells_of(self, cells: Sequence[str]) -> list[str]:
        """Return the cells of a row as they stand, with their quotes."""
        return [
            f'"{cell}"' if i in self.quoted else cell for i, cell in enumerate(cells)
        ]


def _bar(day: str, price: float) -> tuple[str, ...]:
    return (day, *(f"{price + step:.2f}" for step in (0, 1, -1, 0.5, 0.5)), "68022")


DAYS = (
    "2024-04-01",
    "2024-04-02",
    "2024-04-03",
    "2024-04-05",
    "2024-04-08",
    "2024-04-09",
)
YAHOO = Dialect(
    "yahoo",
    "ZL=F.csv",
    ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"),
    tuple(_bar(day, 45.1 + i) for i, day in enumerate(DAYS)),
    day=0, number=4, about=0,
    raw="raw.yahoo", staged="staging.prices", quarantine="quarantine.prices",
)  # fmt: skip
FRED = Dialect(
    "fred",
    "VIXCLS.csv",
    ("observation_date", "VIXCLS"),
    tuple((day, f"{15.31 + i:.2f}") for i, day in enumerate(DAYS)),
    day=0, number=1, about=0,
    raw="raw.fred", staged="staging.fred", quarantine="quarantine.fred",
)  # fmt: skip
TUESDAYS = (
    "2024-03-05",
    "2024-04-02",
    "2024-05-07",
    "2024-06-04",
    "2024-07-02",
    "2024-08-06",
)
CFTC = Dialect(
    "cftc",
    "annual.txt",
    tuple(called[0] for called in LEGACY.columns.values()),
    tuple(
        ("SOYBEAN OIL - CHICAGO BOARD OF TRADE", day, "007601",
         *(f"{1000 * (place + 1) + i}" for place in range(len(LEGACY.counts))))
        for i, day in enumerate(TUESDAYS)
    ),
    day=1, number=3, about=2, quoted=frozenset({0}),
    raw="raw.cftc", staged="staging.cftc", quarantine="quarantine.cftc",
)  # fmt: skip
PSD = Dialect(
    "psd",
    "psd_oilseeds.csv",
    ("Commodity_Code", "Commodity_Description", "Country_Code", "Country_Name",
     "Market_Year", "Calendar_Year", "Month", "Attribute_ID", "Attribute_Description",
     "Unit_ID", "Unit_Description", "Value"),
    tuple(
        ("4232000", "Oil, Soybean", "US", "United States", str(2014 + i), "2021", "07",
         "028", "Production", "08", "(1000 MT)", f"{10131 + i}.5")
        for i in range(6)
    ),
    day=4, number=11, about=2, quoted=frozenset(range(12)),
    raw="raw.psd", staged="staging.psd", quarantine="quarantine.psd",
)  # fmt: skip
DIALECTS = (YAHOO, FRED, CFTC, PSD)
