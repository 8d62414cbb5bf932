"""The landing: files that were handed in, taken into the archive and raw.

A file leaves the landing only when its bytes are archived and its lines committed.
What cannot be taken stays where it is, with a receipt that says why. Nothing is ever
lost, and a file that is taken twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.kernels.release import released_at
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.records import Appended, Arrival, append_lines
from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput, CbiError, WrongUsage

MOST_BYTES = 512 * 1024 * 1024
_MARK = re.compile(rb"^(\xef\xbb\xbf)?\s*# SIMULATED", re.MULTILINE)
_RECEIPT = ".receipt.json"
_HINT = ".hint.json"


@dataclass(frozen=True, slots=True)
class Hint:
    """What the person who dropped a file says about it."""

    source: str | None = None
    key: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one file."""

    file: str
    taken: bool
    source: str | None = None
    key: str | None = None
    sha256: str | None = None
    table: str | None = None
    lines: int = 0
    stored: int = 0
    duplicate: int = 0
    batch: int | None = None
    reason: str | None = None
    """Why the file was not taken, and what to do."""


def drop(lake: Lake, file: Path, hint: Hint) -> Path:
    """Copy a file into the landing, whole or not at all; return where it stands.

    Raises:
        WrongUsage: it is no regular file, or one of that name waits already.
        BadInput: it is larger than the limit.
    """
    place = check(lake, file)
    if place.exists() and _was_refused(place):
        lake.archive.keep(place.read_bytes())  # nothing that came in is ever lost
    _beside(place, _HINT).unlink(missing_ok=True)
    if hint != Hint():
        plain = {k: str(v) for k, v in asdict(hint).items() if v is not None}
        durable.write(_beside(place, _HINT), json.dumps(plain).encode())
    durable.write(place, file.read_bytes())
    return place


def check(lake: Lake, file: Path) -> Path:
    """Return where a file would stand in the landing, or refuse it.

    Raises:
        WrongUsage: it is no regular file, or another one of that name waits already.
        BadInput: it is larger than the limit.
    """
    if not file.is_file() or file.is_symlink():
        msg = f"expected a regular file; found none at {file}"
        raise WrongUsage(msg)
    if file.stat().st_size > MOST_BYTES:
        msg = (
            f"{file}: expected at most {MOST_BYTES} bytes; found {file.stat().st_size}"
        )
        raise BadInput(msg)
    if file.name.startswith(".") or file.name.endswith((_RECEIPT, _HINT)):
        msg = f"{file.name}: a file of this name is passed over: rename it"
        raise WrongUsage(msg)
    place = lake.folder / "landing" / file.name
    other = place.exists() and place.read_bytes() != file.read_bytes()
    if other and not _was_refused(place):
        msg = f"{place}: another file of that name waits: take it in first (`cbi run`)"
        raise WrongUsage(msg)
    return place


def _was_refused(place: Path) -> bool:
    """Return whether these very bytes wait in vain: they may be replaced."""
    receipt = _beside(place, _RECEIPT)
    if not receipt.exists():
        return False
    # The receipt may speak of the file that stood there before this one.
    plain: dict[str, Any] = json.loads(receipt.read_bytes())
    seen = hashlib.sha256(place.read_bytes()).hexdigest()
    return not plain["taken"] and plain["sha256"] == seen


def waiting(lake: Lake) -> list[Path]:
    """Return the files in the landing, by name."""
    folder = lake.folder / "landing"
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(".")
        and not path.name.endswith((_RECEIPT, _HINT))
    )


def take_in(lake: Lake, graph: Graph) -> list[Receipt]:
    """Take in every waiting file, oldest name first, and write its receipt."""
    receipts = []
    for path in waiting(lake):
        try:
            receipt = _take(lake, graph, path)
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
            why = str(error) if isinstance(error, CbiError) else repr(error)
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            receipt = Receipt(path.name, False, sha256=sha256, reason=why)
        _write_receipt(path, receipt)
        if receipt.taken:
            path.unlink()
            _beside(path, _HINT).unlink(missing_ok=True)
        receipts.append(receipt)
    return receipts


def _take(lake: Lake, graph: Graph, path: Path) -> Receipt:
    data = path.read_bytes()
    _kind_fits(lake, path, data)
    hint = _hint_of(path)
    parser = _recognised(graph, path, data, hint)
    key = hint.key or _key_from_name(lake, parser, path)
    lines = _parsed(parser, path, data, key)
    sha256 = lake.archive.keep(data)
    arrival = Arrival(
        source=parser.source,
        key=key,
        name=path.name,
        sha256=sha256,
        parser=fingerprint.of_parser(parser.parse),
        as_of=hint.as_of,
    )
    source = lake.registry.data_sources.sources[parser.source]
    rule = source.release_of(key)
    done: Appended = append_lines(
        lake.table(source.raw),
        lines,
        arrival,
        work=lake.work,
        released=released_at(pl.col("date"), **rule.terms) if rule else None,
    )
    return Receipt(
        path.name,
        True,
        parser.source,
        key,
        sha256,
        source.raw,
        done.lines,
        done.stored,
        done.duplicate,
        done.batch,
    )


def _kind_fits(lake: Lake, path: Path, data: bytes) -> None:
    simulated = _MARK.search(data) is not None
    if simulated != (lake.kind == "simulated"):
        what = "simulated" if simulated else "real"
        msg = (
            f"{path.name}: {what} bytes cannot enter a {lake.kind} lake: the two never "
            "meet. Make a lake for them with `cbi init"
            + (" --simulated`" if simulated else "`")
        )
        raise BadInput(msg)


def _recognised(graph: Graph, path: Path, data: bytes, hint: Hint) -> Parser:
    header = next(_text_lines(data), "")
    if hint.source is not None:
        if hint.source not in graph.parsers:
            msg = f"expected --source to be one of {sorted(graph.parsers)}; found {hint.source!r}"
            raise BadInput(msg)
        parser = graph.parsers[hint.source]
        if not parser.recognises(header):
            msg = f"{path.name}:1: not a header of {hint.source}; found {header[:80]!r}"
            raise BadInput(msg)
        return parser
    found = [p for p in graph.parsers.values() if p.recognises(header)]
    if len(found) != 1:
        which = "more than one source has" if found else "no source has"
        msg = (
            f"{path.name}:1: {which} the header {header[:80]!r}: say --source, or add the "
            "source to registry/data_sources.yaml"
        )
        raise BadInput(msg)
    return found[0]


def _text_lines(data: bytes) -> Iterator[str]:
    for line in data[: 1 << 20].decode("utf-8-sig", errors="replace").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _key_from_name(lake: Lake, parser: Parser, path: Path) -> str:
    source = lake.registry.data_sources.sources[parser.source]
    match = re.fullmatch(source.file_name, path.name)
    if match is None:
        msg = (
            f"{path.name}: a {parser.source} file does not say its {source.key}: expected "
            f"a name like {source.file_name}, or say --key"
        )
        raise BadInput(msg)
    return match["key"]


def _parsed(parser: Parser, path: Path, data: bytes, key: str) -> pl.DataFrame:
    try:
        return parser.parse(data, key)
    except BadInput as error:
        msg = f"{path.name}: {error}"
        raise BadInput(msg) from error


def _hint_of(path: Path) -> Hint:
    file = _beside(path, _HINT)
    if not file.exists():
        return Hint()
    plain: dict[str, Any] = json.loads(file.read_bytes())
    as_of = plain.get("as_of")
    return Hint(
        plain.get("source"), plain.get("key"), as_of and datetime.fromisoformat(as_of)
    )


def _write_receipt(path: Path, receipt: Receipt) -> None:
    durable.write(
        _beside(path, _RECEIPT), json.dumps(asdict(receipt), indent=1).encode()
    )


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
