"""Row rules: which lines are turned away, and why. A rule never looks at stored output.

Each rule is a name and a test on a line; a line may break several. What cannot be told
breaks the rule: a null is no pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cbi_stream.kernels.release import possible_from
from handlers.conform.versions import LINE, ORDER, runs

NUMBER = r"^-?[0-9]{1,15}(\.[0-9]{1,17})?$"
_SATURDAY = 6

UNREADABLE = "unreadable"
REJECTED = "rejected"


def rejected(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that a person rejected and did not take back.

    Of several decisions on one line the newest counts.

    Returns:
        sha256, line, and `decided`: who rejected it and why.
    """
    newest = decisions.sort("batch").unique(
        ["sha256", "line"], keep="last", maintain_order=True
    )
    said = pl.concat_str(pl.col("author"), pl.lit(": "), pl.col("note"))
    return newest.filter(pl.col("verdict") == "reject").select(
        "sha256", "line", decided=said
    )


def future(zone: str, *, ahead_days: int = 0) -> pl.Expr:
    """Return the test for a date after the day on which the line was seen.

    Args:
        zone: whose days they are.
        ahead_days: how many days later the date may be: of projections.
    """
    day = (pl.col("date").cast(pl.Int32) - ahead_days).cast(pl.Int32).cast(pl.Date)
    return pl.col("as_of") < possible_from(day, zone=zone)


def weekend() -> pl.Expr:
    """Return the test for a Saturday or a Sunday."""
    return pl.col("date").dt.weekday() >= _SATURDAY


def with_contradicted(
    lines: pl.DataFrame, *, key: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the lines with `contradicted`: one file has the key twice, unlike.

    Neither line stands: nobody can tell which of them the source means.
    """
    within = [*LINE[:3], *key]
    # Nearly always there is none, and a window over every key would cost the most.
    twice = lines.filter(lines.select(within).is_duplicated())
    kinds = twice.unique([*within, *content]).group_by(within).len()
    unlike = kinds.filter(pl.col("len") > 1).select(*within, contradicted=True)
    marked = lines.join(
        unlike, on=within, how="left", nulls_equal=True, maintain_order="left"
    )
    return marked.with_columns(pl.col("contradicted").fill_null(value=False))


def not_numbers(columns: Sequence[str], nulls: Sequence[str]) -> pl.Expr:
    """Return the test for a cell that is neither a number nor a word for none."""
    readable = [
        pl.col(n).is_null()
        | pl.col(n).is_in(list(nulls))
        | pl.col(n).str.contains(NUMBER)
        for n in columns
    ]
    return ~pl.all_horizontal(readable)


def broken(tests: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the names of the rules that a line breaks, with commas; null for none.

    A test that is null counts as broken.
    """
    names = [
        pl.when(test.fill_null(value=True)).then(pl.lit(name))
        for name, test in tests.items()
    ]
    joined = pl.concat_str(names, separator=",", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


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
        lines: those of `turned_away`, with `problem`, `written` (its cells) and
            `decided` (who rejected it and why).
        about: the column that says what a line is about.
    """
    unreadable = pl.concat_str(
        pl.col("problem"), pl.lit("; the line is "), pl.col("text").fill_null("")
    )
    turned_down = pl.concat_str("written", pl.lit(" ("), "decided", pl.lit(")"))
    found = pl.coalesce(unreadable, turned_down, "written")
    # Not its batch: what stands here must not depend on the order in which files came.
    names = ("date", "raw", "sha256", "line", "as_of", about, "rules", "first_seen_at")
    out = lines.filter(pl.col("fate") == "quarantined")
    return out.select(*names, found=found)
