"""What people decided about lines, what rules look at, and which lines are turned away.

The rules themselves stand in handlers/rules; a line that cannot be read is judged by
none. Nothing here looks at stored output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from cbi_stream import Source, Spec
from cbi_stream.kernels.judging import Rows, judged
from cbi_stream.kernels.release import possible_from
from cbi_stream.kernels.targets import Facts
from handlers.conform.versions import LINE, ORDER, runs

NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,17})?$"
_LINE = ("raw", "sha256", "line")
"""What a decision names."""
UNREADABLE = "unreadable"
REJECTED = "rejected"
FIXED = "fixed"
TOLD = ("rules", "flags", "lost", "expected")
"""What `verdicts` says of a line."""


def decided(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return what people decided about lines and did not take back.

    Of several decisions on one line the newest counts.

    Returns:
        raw, sha256, line, `verdict` (reject, release or fix), `decided`: who and why, and
        `cells`: of a fix, as they should read.
    """
    newest = decisions.sort("batch").unique(
        list(_LINE), keep="last", maintain_order=True
    )
    said = pl.concat_str(pl.col("author"), pl.lit(": "), pl.col("note"))
    return newest.filter(pl.col("verdict").is_in(["reject", "release", "fix"])).select(
        *_LINE, "verdict", "cells", decided=said
    )


def with_decisions(
    lines: pl.DataFrame, decisions: pl.DataFrame, cells: Sequence[str]
) -> pl.DataFrame:
    """Return the lines with `verdict` and `decided`, and with the cells that were fixed.

    Args:
        lines: with `raw` and their cells as they were written.
        decisions: raw.decisions of their dates.
        cells: what a person may fix.
    """
    said = decided(decisions)
    rows = lines.join(
        said.drop("cells"), on=list(_LINE), how="left", maintain_order="left"
    )
    fixes = said.filter((pl.col("verdict") == "fix") & pl.col("cells").is_not_null())
    if not fixes.height:
        return rows
    meant = [json.loads(each) for each in fixes["cells"]]
    names = {name: f"{name} fixed" for name in cells}
    fixed = fixes.select(_LINE).with_columns(
        pl.Series(new, [each.get(name) for each in meant], dtype=pl.String)
        for name, new in names.items()
    )
    rows = rows.join(fixed, on=list(_LINE), how="left", maintain_order="left")
    mended = [pl.coalesce(new, name).alias(name) for name, new in names.items()]
    # A line of which a cell could not be read has no others either: a fix gives them.
    read = pl.col("verdict").eq_missing(pl.lit("fix"))
    nothing = [pl.when(~read).then(n).alias(n) for n in ("problem", "text")]
    return rows.with_columns(*mended, *nothing).drop(names.values())


def verdicts(
    rows: pl.DataFrame, spec: Spec, *, of: Rows, facts: Callable[[str, str], Facts]
) -> pl.DataFrame:
    """Return the rows with what the rules say of them, and what people decided.

    Args:
        rows: lines that can be read, with what the rules look at.
        spec: with the rules that hold for them.
        of: what they are about.
        facts: what is known of a source's series or symbol.
    """
    said = pl.col("verdict")
    found = judged(
        rows.with_columns(
            rejected=said.eq_missing(pl.lit("reject")),
            released=said.eq_missing(pl.lit("release")),
        ),
        spec.rules,
        of=of,
        facts=facts,
    ).drop("rejected", "released")
    return found.with_columns(
        rules=_with("rules", said.eq_missing(pl.lit("reject")), REJECTED),
        flags=_with("flags", said.eq_missing(pl.lit("fix")), FIXED),
    )


def _with(column: str, where: pl.Expr, name: str) -> pl.Expr:
    """Return names with commas and one more where it holds; null for none."""
    more = pl.concat_str(
        [column, pl.when(where).then(pl.lit(name))], separator=",", ignore_nulls=True
    )
    return pl.when(more != "").then(more)


def series_facts(sources: Mapping[str, Source]) -> Callable[[str, str], Facts]:
    """Return a function from a source and a series to what rules.yaml may name."""

    def facts(source: str, series: str) -> Facts:
        entry = sources[source]
        known = entry.series.get(series)
        return {
            "shapes": (entry.shape or "",),
            "sources": (source,),
            "symbols": (),
            "series": (series,),
            "kinds": (),
            "units": (known.unit,) if known else (),
        }

    return facts


def possible_at(zone: str, *, ahead_days: int = 0) -> pl.Expr:
    """Return the instant before which nobody can have seen a line of its date.

    Args:
        zone: whose days they are.
        ahead_days: how many days later the date may be: of projections.
    """
    day = (pl.col("date").cast(pl.Int32) - ahead_days).cast(pl.Int32).cast(pl.Date)
    return possible_from(day, zone=zone)


def with_unlike(
    lines: pl.DataFrame, *, key: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the lines with `unlike`: one file has the key twice, with other cells."""
    within = [*LINE[:3], *key]
    # Nearly always there is none, and a window over every key would cost the most.
    twice = lines.filter(lines.select(within).is_duplicated())
    kinds = twice.unique([*within, *content]).group_by(within).len()
    unlike = kinds.filter(pl.col("len") > 1).select(*within, unlike=True)
    marked = lines.join(
        unlike, on=within, how="left", nulls_equal=True, maintain_order="left"
    )
    return marked.with_columns(pl.col("unlike").fill_null(value=False))


def numbers(columns: Sequence[str], nulls: Sequence[str]) -> pl.Expr:
    """Return the test for cells that are each a number, or a word for none."""
    return pl.all_horizontal(
        pl.col(n).is_null()
        | pl.col(n).is_in(list(nulls))
        | pl.col(n).str.contains(NUMBER)
        for n in columns
    )


def written(cells: Sequence[str]) -> pl.Expr:
    """Return the cells of a line as they were written, with commas between them."""
    return pl.concat_str([pl.col(n).fill_null("") for n in cells], separator=",")


def turned_away(
    lines: pl.DataFrame, *, key: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the lines that are quarantined, and whether they only repeat others.

    A file that says of a key what the file before it said of it, and is turned away for
    the same reasons, brings nothing new: else each day's download of one bad line would
    be quarantined again.

    Args:
        lines: with `fate`, `rules`, `text` and the columns that name and order a line.
        key: what a line is about.
        content: what it says.

    Returns:
        The lines whose fate is "quarantined", some with the fate "duplicate" instead.
    """
    out = lines.filter(pl.col("fate") == "quarantined")
    # A line that cannot be read borrows its date: it is known by its text.
    about = [*key, "text"]
    file = ["raw", *ORDER[:3], *about]
    said = [pl.col(n).cast(pl.String).fill_null("null") for n in (*content, "rules")]
    words = (
        out.with_columns(word=pl.concat_str(said, separator="|"))
        .group_by(file, maintain_order=True)
        .agg(
            pl.col("word").unique().sort().str.join("\n"), pl.col("first_seen_at").min()
        )
        .with_columns(line=pl.lit(0, pl.Int64))
    )
    first = runs(words, key=("raw", *about), content=("word",))
    again = pl.when(~pl.col("first")).then(pl.lit("duplicate")).otherwise("fate")
    return (
        out.drop("first_seen_at")
        .join(
            first.select(*file, "first", "first_seen_at"),
            on=file,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        .with_columns(fate=again)
    )


def quarantined(lines: pl.DataFrame, *, about: str) -> pl.DataFrame:
    """Return the rows of a quarantine table.

    Args:
        lines: those of `turned_away`, with `problem`, `written` (its cells), `expected`
            and `decided` (who rejected it and why).
        about: the column that says what a line is about.
    """
    unreadable = pl.concat_str(
        pl.col("problem"), pl.lit("; the line is "), pl.col("text").fill_null("")
    )
    rejected = pl.col("verdict").eq_missing(pl.lit("reject"))
    said = pl.concat_str(pl.lit(" ("), "decided", pl.lit(")"))
    told = pl.concat_str(["written", "expected"], separator="; ", ignore_nulls=True)
    turned_down = pl.when(rejected).then(pl.concat_str(told, said))
    found = pl.coalesce(unreadable, turned_down, told)
    # Not its batch: what stands here must not depend on the order in which files came.
    names = ("date", "raw", "sha256", "line", "as_of", about, "rules", "first_seen_at")
    out = lines.filter(pl.col("fate") == "quarantined")
    return out.select(*names, found=found)
