"""What the simulated sources of the demo send, and what is wrong with it on purpose.

Each file is one of the simulated market, edited as a source or a person would. It never
reads a lake.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cbi_stream.replay import edits, faults, vintages
from cbi_stream.replay.market import SimulatedFile
from cbi_stream.replay.pull import complex_market
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span, plus_days

FIRST, LAST = date(2018, 1, 2), date(2023, 12, 15)
"""The sessions of the first download."""
LATE, CORRECTED, RESTATED = date(2023, 3, 15), date(2020, 6, 15), date(2022, 3, 10)
"""The days that something happens to."""
LETTERS, SHORT, IMPOSSIBLE = date(2019, 5, 8), date(2019, 5, 9), date(2021, 8, 11)
"""The days whose line the first download spoils."""
YIELD = 2.22
"""What DGS10 says of the restated day afterwards."""


@dataclass(frozen=True, slots=True)
class Source:
    """The simulated sources: what they would send after the session `last`."""

    sessions: Sessions
    last: date = LAST

    def files(self) -> dict[str, SimulatedFile]:
        """Return the files of all sources, by name."""
        days = self.sessions.between(Span(FIRST, plus_days(self.last, 1)))
        return {file.name: file for file in complex_market(days)}

    def first_download(self) -> list[SimulatedFile]:
        """Return every file; one session of ZL is missing, three lines are spoilt."""
        files = self.mended()
        oil = files["ZL=F.csv"].data
        oil = faults.with_short_row(oil, day=SHORT)
        files["ZL=F.csv"] = _with(
            files["ZL=F.csv"], faults.with_letters(oil, day=LETTERS)
        )
        fear = files["VIXCLS.csv"]
        files["VIXCLS.csv"] = _with(
            fear, faults.with_impossible_date(fear.data, day=IMPOSSIBLE)
        )
        return list(files.values())

    def mended(self) -> dict[str, SimulatedFile]:
        """Return every file with all lines readable; one session of ZL is missing."""
        files = self.files()
        for name in ("ZL=F.csv", "soybean_oil.csv"):
            data = edits.without_row(files[name].data, day=LATE)
            files[name] = _with(files[name], data)
        return files

    def oil(self, *, late: bool, close: float | None = None) -> SimulatedFile:
        """Return ZL with noise below the tick; with the late row, another close."""
        oil = self.files()["ZL=F.csv"]
        data = edits.noisy(oil.data, seed=7)
        if not late:
            data = edits.without_row(data, day=LATE)
        if close is not None:
            data = edits.corrected(data, day=CORRECTED, close=close)
        return _with(oil, data)

    def unfinished(self, close: float) -> SimulatedFile:
        """Return ZL as pulled in the middle of its last session."""
        oil = self.oil(late=True, close=close)
        return _with(oil, vintages.unfinished_bar(oil.data, day=self.last))

    def restated_yield(self) -> SimulatedFile:
        """Return DGS10 with another value on one old day."""
        rate = self.files()["DGS10.csv"]
        return _with(rate, edits.corrected(rate.data, day=RESTATED, close=YIELD))

    def restated_conditions(self) -> SimulatedFile:
        """Return NFCI with nine tenths of its history restated."""
        index = self.files()["NFCI.csv"]
        return _with(index, vintages.restated_nfci(index.data, seed=7))

    def renamed(self) -> SimulatedFile:
        """Return ZL with a column under another name."""
        oil = self.files()["ZL=F.csv"]
        return _with(oil, faults.renamed_column(oil.data, "Close", new="Last"))


def _with(file: SimulatedFile, data: bytes) -> SimulatedFile:
    return SimulatedFile(file.name, data, file.as_of)
