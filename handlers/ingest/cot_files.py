"""Commitments of Traders in the forms in which they come.

Text with a header and without, JSON of the portal, and the yearly zip archives. It never
takes futures only for futures with options: where a file says what it is, that is held
against what it is taken for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.cells import cut
from handlers.ingest.cot import (
    DISAGGREGATED,
    KIND,
    LEGACY,
    WORDS,
    Kind,
    Report,
    cells_of,
    of_this_kind,
    places_in,
    plain,
    rows_of,
)
from handlers.ingest.lines import body_of, text_of
from handlers.ingest.packed import json_of, member_of

_BARE = re.compile(r'"[^"]+",[0-9]{6},[0-9]{4}-[0-9]{2}-[0-9]{2},')
"""How a line of data begins: no header is above it in the files of the newest week."""
_MARK = {"futonly": "F", "combined": "C"}
_MEMBERS: dict[tuple[str, Kind], str] = {
    ("legacy", "futonly"): r"(annual|fut[0-9]{2}_[0-9]{2}|deafut.*)\.txt",
    ("legacy", "combined"): r"(annualof|com[0-9]{2}_[0-9]{2}|deacom.*)\.txt",
    ("disaggregated", "futonly"): r"f_(year|disagg).*\.txt",
    ("disaggregated", "combined"): r"c_(year|disagg).*\.txt",
}


def header_of(report: Report) -> str:
    """Return the columns of a report that are read, as one of its headers names them."""
    return ",".join(f'"{called[0]}"' for called in report.columns.values())


@lru_cache(maxsize=8)
def _places(header: str, name: str) -> tuple[int, ...]:
    report = LEGACY if name == LEGACY.name else DISAGGREGATED
    return places_in(cut(header) or [], report)


def _is_bare(line: str, report: Report, kind: Kind) -> bool:
    """Return whether a line is one of data, of this width, and not of the other kind."""
    cells = cut(line) if _BARE.match(line) else None
    if cells is None or len(cells) != report.width:
        return False
    # A disaggregated line ends with what it is; nothing in a legacy one says it.
    return report is LEGACY or plain(cells[-1]) == kind


def is_text(line: str, report: Report, kind: Kind) -> bool:
    """Return whether a first line is that of a report's text."""
    return bool(_places(line, report.name)) or _is_bare(line, report, kind)


def text_rows(data: bytes, report: Report, kind: Kind) -> pl.DataFrame:
    """Return one row per line of a text file, with a header or without.

    Raises:
        BadInput: it is not such a file, or one of the other kind.
    """
    first = next((line for line in text_of(data).split("\n") if line.strip()), "")
    if _is_bare(first, report, kind):
        names: list[str] = []
        places, width = report.places, report.width
        lines = pl.DataFrame({"text": text_of(data).split("\n")}).with_row_index(
            "line", offset=1
        )
        lines = lines.filter(pl.col("text").str.strip_chars() != "")
        lines = lines.select(pl.col("line").cast(pl.Int64), "text")
    else:
        header, lines = body_of(
            data,
            lambda line: bool(_places(line, report.name)),
            expected=f"of a {report.name} report ({header_of(report)[:200]}...)",
        )
        names = [plain(name) for name in cut(header) or []]
        places, width = _places(header, report.name), len(names)
    each = [cut(text) for text in lines["text"]]
    if KIND in names or report is DISAGGREGATED:
        at = names.index(KIND) if KIND in names else width - 1
        of_this_kind([c[at] for c in each if c and len(c) == width], kind)
    taken = [
        cells_of(cells, places) if cells and len(cells) == width else None
        for cells in each
    ]
    widths = pl.Series("width", [None if c is None else len(c) for c in each], pl.Int64)
    return rows_of(taken, lines.with_columns(widths), report=report, width=width)


def is_json(head: str, report: Report, kind: Kind) -> bool:
    """Return whether the beginning of a JSON file is that of the portal's answer."""
    keys = {plain(key) for key in re.findall(r'"([A-Za-z_ ]+)"\s*:', head)}
    if not {"cftc_contract_market_code", "open_interest_all"} <= keys:
        return False
    telling = "managed_long" if report is DISAGGREGATED else "noncommercial_long"
    if not keys & {*report.counts[telling]}:
        return False
    said = set(re.findall(rf'"{KIND}"\s*:\s*"(\w+)"', head))
    ids = set(re.findall(r'"id"\s*:\s*"[0-9]{6}[^"]*([FC])"', head))
    others = {w for w in said if plain(w) != kind} or ids - {_MARK[kind]}
    return not others if said or ids else True


def json_rows(data: bytes, report: Report, kind: Kind) -> pl.DataFrame:
    """Return one row per entry of the portal's answer, numbered from 1.

    A cell that is null is an absent key there; a column that no entry has was renamed.

    Raises:
        BadInput: it is not such an answer, or one of the other kind.
    """
    said = json_of(data)
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        msg = f"expected a list of weeks of the {report.name} report; found {str(said)[:80]}"
        raise BadInput(msg)
    each = [{plain(k): str(v) for k, v in e.items() if v is not None} for e in said]
    of_this_kind([_kind_in(entry) for entry in each], kind)
    names = _names_in(each, report)
    taken = [[entry.get(name, "").strip() for name in names] for entry in each]
    lines = pl.DataFrame(
        {
            "line": range(1, len(each) + 1),
            "text": [json.dumps(entry, ensure_ascii=False) for entry in said],
            "width": [report.width] * len(each),
        },
        schema={"line": pl.Int64, "text": pl.String, "width": pl.Int64},
    )
    return rows_of(taken, lines, report=report, width=report.width)


def _kind_in(entry: dict[str, str]) -> str:
    """Return the kind that an entry says it is of; empty where it does not say."""
    letters = {letter: word for word, letter in _MARK.items()}
    return entry.get(KIND) or letters.get(entry.get("id", "")[-1:], "")


def _names_in(each: Sequence[dict[str, str]], report: Report) -> list[str]:
    """Return what the entries call each column.

    Raises:
        BadInput: no entry has one of them.
    """
    keys = {key for entry in each for key in entry}
    names, lost = [], []
    for column, called in report.columns.items():
        found = [name for name in called if name in keys]
        # Fewer than four traders are not told, so that no entry may have their number.
        if each and not found and "traders" not in column:
            lost.append(" or ".join(called))
        names.append((found or list(called))[0])
    if lost:
        msg = f"expected the fields {'; '.join(lost)}; no entry has them: were they renamed?"
        raise BadInput(msg)
    return names


def is_zip(member: str, report: Report, kind: Kind) -> bool:
    """Return whether an archive's first member is called like this report's text."""
    return bool(re.fullmatch(_MEMBERS[report.name, kind], member, re.I))


def zip_rows(data: bytes, report: Report, kind: Kind) -> pl.DataFrame:
    """Return one row per line of the text in a yearly archive."""
    expected = f"the text of the {report.name} report, {WORDS[kind]}"
    text = member_of(
        data, lambda name: name.lower().endswith(".txt"), expected=expected
    )
    return text_rows(text, report, kind)
