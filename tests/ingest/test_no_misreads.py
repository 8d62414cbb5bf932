"""No damaged line of a real file is read as something that the file does not say.

One real file of each layout of text, its first lines, each damaged in every known way:
whatever is then read stands in the clean file too. Nothing of the files is kept here.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.doors.readers import Here
from cbi_stream.doors.reading import Reading, Task
from cbi_stream.doors.receipts import Waits
from cbi_stream.doors.recognise import Recognised, recognise
from cbi_stream.doors.stated import taken_apart
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.layouts import HEAD_BYTES, form_of
from cbi_stream.registry import loader
from handlers.conform import rules

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "real"
LINES = 60
NUMBER = re.compile(r"-?\d+\.\d+|\d{2,}")
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="no real files here")


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return the project's parsers."""
    return discover(loader.load(ROOT / "registry"))


@pytest.fixture(scope="module")
def samples(graph: Graph) -> dict[str, tuple[Recognised, list[str]]]:
    """Return by parser the first lines of the smallest real file that it reads."""
    found: dict[str, tuple[Recognised, list[str]]] = {}
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda each: each.stat().st_size):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        if form_of(data[:HEAD_BYTES]) != "text":
            continue
        named = taken_apart(path.name)
        try:
            what = recognise(
                graph, named, head=data[:HEAD_BYTES], source=None, key=None
            )
            text = data.decode("utf-8-sig")
        except (Waits, UnicodeDecodeError):
            continue
        lines = text.replace("\r\n", "\n").split("\n")[:LINES]
        name = f"{what.parser.parse.__module__}.{what.parser.parse.__name__}"
        if name not in found and not read(what, "\n".join([*lines, ""])).refusal:
            found[name] = (what, lines)
    return found


def read(what: Recognised, text: str) -> Reading:
    """Return what is read of a text."""
    task = Task(what.key or None, final_newline=what.source.final_newline)
    return Here().read(what.parser, text.encode(), task)


def said(found: Reading) -> pl.DataFrame:
    """Return what was read and can be staged, without where it stands."""
    if found.refusal or found.cut:
        return pl.DataFrame()
    good = found.lines.filter(pl.col("problem").is_null())
    # What is no number is turned away when it is conformed, wherever it came from.
    cells = [name for name in good.columns if name not in _ABOUT]
    texts = [name for name in cells if good.schema[name] == pl.String]
    good = good.filter(rules.numbers(texts, _NULLS)) if texts else good
    return good.drop("line", "problem", "text", strict=False).unique()


_ABOUT = ("symbol", "series", "contract", "market", "problem", "text")
_NULLS = ("null", "", "N/A", "-", ".", "NA")
Damage = Callable[[list[str], int], list[str]]


def _on_line(change: Callable[[str], str]) -> Damage:
    def damaged(lines: list[str], at: int) -> list[str]:
        return [change(text) if i == at else text for i, text in enumerate(lines)]

    return damaged


def _mark(line: str) -> str:
    return max(",;\t", key=line.count)


def _short(line: str) -> str:
    return line.rpartition(_mark(line))[0]


def _shifted(line: str) -> str:
    return f"7{_mark(line)}{line}"


def _last_number(line: str, write: Callable[[str], str]) -> str:
    places = list(NUMBER.finditer(line))
    if not places:
        return line
    start, end = places[-1].span()
    return line[:start] + write(line[start:end]) + line[end:]


def _stray(lines: list[str], at: int) -> list[str]:
    mark = _mark(lines[at])
    opened = lines[at].replace(mark, f'{mark}"', 1)
    closed = lines[at + 2].replace(mark, f'"{mark}', 1)
    return [*lines[:at], opened, lines[at + 1], closed, *lines[at + 3 :]]


WAYS: dict[str, Damage] = {
    "short row": _on_line(_short),
    "long row": _on_line(lambda line: f"{line}{_mark(line)}7"),
    "shifted row": _on_line(_shifted),
    "unclosed quote": _on_line(
        lambda line: line.replace(_mark(line), f'{_mark(line)}"', 1)
    ),
    "stray pair of quotes": _stray,
    "decimal comma": _on_line(
        lambda line: _last_number(line, lambda n: f'"{n[:1]}7,5"')
    ),
    "NUL": _on_line(lambda line: _last_number(line, lambda n: f"{n[:1]}\x00{n[1:]}")),
    "zero width": _on_line(lambda line: _last_number(line, lambda n: f"\u200b{n}")),
    "full width": _on_line(lambda line: _last_number(line, lambda _: "\uff11\uff12")),
    "hexadecimal": _on_line(lambda line: _last_number(line, lambda _: "0x10")),
    "underscore": _on_line(lambda line: _last_number(line, lambda _: "1_000")),
    "1e400": _on_line(lambda line: _last_number(line, lambda _: "1e400")),
    "dollars": _on_line(lambda line: _last_number(line, lambda n: f"${n}")),
    "brackets": _on_line(lambda line: _last_number(line, lambda n: f"({n})")),
}


def _places(lines: list[str]) -> Iterator[int]:
    data = [i for i, line in enumerate(lines[:-3]) if line.strip()]
    yield from {data[len(data) // 2], data[-1]}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_of_a_damaged_file_stands_in_the_clean_one(
    samples: dict[str, tuple[Recognised, list[str]]], way: str
) -> None:
    """A damaged line is told or refused; no row comes out that nobody wrote."""
    assert len(samples) > 20
    wrong = {}
    for name, (what, lines) in samples.items():
        clean = said(read(what, "\n".join([*lines, ""])))
        for at in _places(lines):
            damaged = WAYS[way](list(lines), at)
            rows = said(read(what, "\n".join([*damaged, ""])))
            if not rows.height:
                continue
            other = rows.join(clean, on=clean.columns, how="anti", nulls_equal=True)
            if other.height:
                wrong[name, at] = (damaged[at], other.head(2).rows())
    assert not wrong
