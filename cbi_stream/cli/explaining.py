"""The verb `why`: the chain of reasons for the rows of a table on a date.

It prints what is known for a person who doubts a number, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.observing import Observed
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.cli.standing import Story, Teller
from cbi_stream.cli.walking import tell
from cbi_stream.engine.story import Line, Made
from cbi_stream.words.span import Span

DIFFERENT = 3
_MOST = 12
"""How many rows, columns or lines of one table are printed."""
_QUIET = ("unused", "duplicate")
"""Fates that are counted, not listed, where other lines are told."""
_OF_LINES = ("raw.", "quarantine.")
"""The zones whose rows are told as lines of files."""
_REASONS = {
    "open": "that session is not there yet",
    "missing_settlement": "that session has no settlement, and the next close is not taken",
    "missing_base": "the session itself has no settlement",
}


def why(
    table: str,
    day: Annotated[date, Parameter(name="--date")],
    column: str | None = None,
    *,
    about: Annotated[
        str | None, Parameter(name=["--key", "--symbol", "--series", "--horizon"])
    ] = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Tell why the rows of a table on a date are what they are, or are not there.

    Args:
        table: zone.name, or the name of a training file.
        day: the date of the rows.
        column: tell only what matters for this column, back to the raw lines.
        about: one symbol, series, contract or horizon instead of all.
        lake: folder of the lake.
        json: print one JSON object with everything.
    """
    found, graph = opened(lake)
    story = tell(Teller.of(found, graph), table, day, column=column, about=about)
    if json:
        show.as_json({"lake": str(lake), "kind": found.kind, **asdict(story)})
    else:
        print(f"{found.kind} lake: {lake}")
        for depth, text in _told(story, 0):
            print("  " * depth + show.plain(text))
    parts = list(story.walk())
    for each in parts:
        if each.made is not None and each.made.again == "different":
            show.note(
                f"{each.table}/{each.made.partition} is not what its inputs give: "
                "`cbi prove` names the cells"
            )
    return DIFFERENT if any(_is_broken(each) for each in parts) else 0


def _is_broken(story: Story) -> bool:
    """Return whether what is stored is not what it says that it is."""
    if story.manifest is not None:
        return not story.manifest["intact"]
    return story.made is not None and story.made.again == "different"


Told = Iterator[tuple[int, str]]
"""Lines of text, each with how far to the right it begins."""


def _told(story: Story, depth: int) -> Told:
    title = [story.table, str(story.date), story.about, story.column]
    yield depth, " ".join(part for part in title if part)
    inner = depth + 1
    if story.absent:
        yield inner, f"no row: {story.absent}"
    if not story.table.startswith(_OF_LINES):
        yield from _rows(story, inner)
    if story.made is not None:
        yield from _made(story, story.made, inner, whole=depth == 0)
    if story.manifest is not None:
        yield from _manifest(story.manifest, inner)
    if story.carried and depth == 0:
        yield inner, "computed from what is served of held partitions:"
        for name, because in story.carried.items():
            yield inner + 1, f"{name}: {because}"
    yield from _observations(story.observed, inner)
    yield from _lines(story, inner)
    for further in story.behind:
        yield from _told(further, inner)


def _rows(story: Story, depth: int) -> Told:
    rows = story.rows
    if story.table.startswith("labels.") and all("horizon" in row for row in rows):
        for row in rows:
            yield depth, _label(row)
        return
    known = {feature["name"]: feature for feature in story.features}
    if len(rows) == 1 and (story.table.startswith("features.") or story.manifest):
        yield from _columns(rows[0], known, depth)
        return
    for row in rows[:_MOST]:
        yield depth, _cells(row)
    if len(rows) > _MOST:
        yield depth, f"... {len(rows) - _MOST} more rows: --key, or --json"


def _columns(
    row: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], depth: int
) -> Told:
    """Yield the row of a table with one row for each date, column by column."""
    values = {name: value for name, value in row.items() if name != "date"}
    if len(values) > 1:
        shown = {n: v for n, v in values.items() if not n.endswith("_age_days")}
        empty = [name for name, value in shown.items() if value is None]
        full = {name: value for name, value in shown.items() if value is not None}
        yield depth, f"{len(full)} columns with a value, {len(empty)} without"
        yield depth, _cells(dict(list(full.items())[:_MOST]))
        if empty:
            yield depth, f"null: {' '.join(empty[:_MOST])}"
        yield depth, "name a COLUMN to see its reasons; --json has all"
        return
    for name, value in values.items():
        entry = known.get(name)
        unit = f" {entry['unit']}" if entry else ""
        doc = f" ({entry['doc']})" if entry else ""
        yield depth, f"{name} = {_plain(value)}{unit}{doc}"
        if entry is not None and entry["formula"]:
            window = entry["window_sessions"]
            yield depth, f"formula: {entry['formula']}; window {window} sessions"
        if entry is not None and entry["sources"]:
            yield depth, f"sources: {', '.join(entry['sources'])}"


def _label(row: Mapping[str, Any]) -> str:
    start = f"{row['horizon']}: {row['base_price']} on {row['date']}"
    if row["resolved"]:
        end = f"{row['target_price']} on {row['matures_on']}"
        return f"{start} to {end}, log return {row['target_log_return']:.6f}"
    because = _REASONS.get(row["reason"], row["reason"])
    return f"{start}, due {row['matures_on']}: unresolved ({row['reason']}): {because}"


def _made(story: Story, made: Made, depth: int, *, whole: bool) -> Told:
    parts = [f"partition {made.partition} in version {made.version}: {made.state}"]
    if made.hash:
        parts[0] += f", hash {made.hash[:8]}"
    if made.changed_in is not None:
        when = _at(made.changed_at)
        parts.append(f"this date last changed in version {made.changed_in}, {when}")
    if story.handler:
        parts.append(f"computed again now: {made.again}")
    yield depth, "; ".join(parts)
    if made.error and story.absent is None:
        yield depth, f"{made.state}: {made.error}"
    if made.candidate:
        yield from _held(story.table, made, depth)
    if story.planned:
        yield depth, f"a run would compute it again: {'; '.join(story.planned[:3])}"
    if story.handler is None or not whole or not made.inputs:
        return
    yield depth, f"made by {story.handler} (fingerprint {made.fingerprint[:8]}) from"
    for table, (version, root) in made.inputs.items():
        yield depth + 1, _input(table, version, root, story.reads.get(table))


def _held(table: str, made: Made, depth: int) -> Told:
    served = "nothing of it was ever good" if not made.hash else "this is served"
    text = f"candidate {made.candidate[:12]} is held back; {served}"
    if made.candidate == made.hash:
        text = "it is served, though it would be held back now"
    yield depth, f"{text}: cbi gates show {table} {made.partition}"


def _input(table: str, version: int, root: str, span: Span | None) -> str:
    if version < 0:
        return f"{table}, which has nothing yet"
    days = ""
    if span is not None:
        days = f", its rows of {span.start}"
        days += f" to {span.last}" if span.last > span.start else ""
    return f"{table} version {version} (root {root[:8]}){days}"


def _manifest(manifest: Mapping[str, Any], depth: int) -> Told:
    state = (
        "as it was written" if manifest["intact"] else "NOT the bytes that were written"
    )
    yield depth, f"file {manifest['path']}: {state}, sha256 {manifest['sha256'][:8]}"
    for table, made in manifest["inputs"].items():
        yield (
            depth + 1,
            f"from {table} version {made['version']} (root {made['root'][:8]})",
        )


def _observations(observed: tuple[Observed, ...], depth: int) -> Told:
    without: dict[str, list[str]] = {}
    for each in observed:
        if each.why_none is None:
            yield depth, _observed(each)
        else:
            without.setdefault(each.why_none, []).append(each.column)
    for why_none, columns in without.items():
        yield depth, f"{', '.join(columns)}: {why_none}"
    if observed:
        yield depth, f"the decision time was {_at(observed[0].decision_time)}"


def _observed(each: Observed) -> str:
    row, old = each.row, each.growth_from
    growth = f", grown from {old['value']} of {old['date']}" if old else ""
    text = (
        f"{each.column}: {each.series} of {row['date']}, vintage {row['vintage']}: "
        f"{row['value']}{growth}; knowable {_at(row['knowable_at'])} by {row['basis']}, "
        f"days old: {each.age_days} (at most {each.max_age_days})"
    )
    if each.later_versions:
        text += f"; versions that came too late for it: {each.later_versions}"
    return text


def _lines(story: Story, depth: int) -> Told:
    lines = story.lines
    told = [line for line in lines if line.fate not in _QUIET] or list(lines)
    for line in told[:_MOST]:
        yield depth, _line(line, story.column)
        if line.rules:
            yield depth + 1, f"broke {line.rules}: {line.found}"
        for said in line.decisions:
            when, note = _at(said["first_seen_at"]), said["note"]
            yield depth + 1, f"{said['verdict']} by {said['author']}, {when}: {note}"
    quiet = [line for line in lines if line not in told]
    rest = Counter(line.fate for line in [*told[_MOST:], *quiet])
    if rest:
        counted = ", ".join(f"{n} {fate}" for fate, n in sorted(rest.items()))
        yield depth, f"and other lines of that date: {counted} (--json has all)"


def _line(line: Line, column: str | None) -> str:
    shown = {k: v for k, v in line.cells.items() if v is not None}
    if column in shown:
        shown = {str(column): shown[str(column)]}
    seen = "stated as seen" if line.stated else "seen"
    return (
        f"{line.fate}: {line.raw} {line.about or ''}, line {line.line} of "
        f"{line.file or 'a file'} ({line.sha256[:8]}): {_cells(shown)}; "
        f"{seen} {_at(line.as_of)}, batch {line.batch}"
    )


def _cells(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_plain(value)}" for name, value in row.items())


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    return _at(value) if isinstance(value, datetime) else str(value)


def _at(moment: datetime | None) -> str:
    return "at an unknown time" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
