"""One file as the checks see it: dated, keyed, sorted. What was guessed is said.

It judges nothing, and drops no row without counting it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.cells import cleaned, moments
from cbi_stream.audit.vocabulary import plain
from cbi_stream.words.errors import WrongUsage

DAY, MOMENT, KEY = "_day", "_moment", "_key"
# Labels that leave half of the rows beyond one per date where they were are no key.
_LEFT = 0.5
# A time of day that less than a third of the rows have is nobody's usual one.
_USUAL = 0.3
# Text that is almost another one on each row is a text, no label.
_FEW = 0.5


@dataclass(frozen=True)
class Sheet:
    """The rows of a file that have a date, sorted by key and moment."""

    name: str
    frame: pl.DataFrame
    """All columns, and the three of this module."""
    date_column: str | None
    key_columns: tuple[str, ...]
    numbers: tuple[str, ...]
    """Columns of measurements."""
    texts: tuple[str, ...]
    bookkeeping: tuple[str, ...]
    undated: int = 0
    odd: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By column of numbers: cells that are none."""
    sorted_before: bool = True

    @property
    def has_dates(self) -> bool:
        """Whether the rows are dated."""
        return self.date_column is not None and self.frame.height > 0

    @property
    def names_series(self) -> bool:
        """Whether the key names series, and no labels of a panel that come and go."""
        sure = (words.SERIES, words.BETWEEN)
        return any(
            p.search(plain(c)) is not None for p in sure for c in self.key_columns
        )

    def role(self, *patterns: object) -> str | None:
        """Return the first column of measurements whose name fits a pattern."""
        for pattern in patterns:
            for name in self.numbers:
                if pattern.search(plain(name)):  # type: ignore[attr-defined]
                    return name
        return None

    @property
    def close(self) -> str | None:
        """The column that holds the price or value of the day."""
        named = self.role(*words.CLOSES)
        return named or (self.numbers[0] if len(self.numbers) == 1 else None)

    def bars(self) -> dict[str, str] | None:
        """Return the columns of open, high, low and close; None where it has no bars."""
        found = {
            "open": self.role(words.OPEN),
            "high": self.role(words.HIGH),
            "low": self.role(words.LOW),
            "close": self.role(*words.CLOSES),
        }
        whole = {role: name for role, name in found.items() if name is not None}
        return whole if len(whole) == 4 else None

    def measured(self) -> pl.DataFrame:
        """Return the rows in which something was measured at all."""
        if not self.numbers:
            return self.frame
        asked = [self.close] if self.bars() and self.close else list(self.numbers)
        return self.frame.filter(pl.any_horizontal(pl.col(asked).is_not_null()))

    @cached_property
    def stamp(self) -> str:
        """The column by which two rows are of one time: the day, or a log's moment."""
        times = self.frame[MOMENT].dt.time().value_counts()["count"]
        # Where no time of day is usual, each row has its own: a log of events.
        return DAY if (times >= _USUAL * self.frame.height).any() else MOMENT

    def sampled(self, columns: Sequence[str]) -> dict[str, list[float | None]]:
        """Return some cells of each column, to leave out pairs that cannot agree."""
        step = max(1, self.frame.height // 64)
        return {c: self.frame[c].gather_every(step).to_list() for c in columns}

    @cached_property
    def keys(self) -> list[tuple[str, pl.DataFrame]]:
        """The rows of each key, by key."""
        parts = self.frame.partition_by(KEY, maintain_order=True, as_dict=True)
        return [(str(key[0]), part) for key, part in parts.items()]


def laid_out(
    name: str,
    frame: pl.DataFrame,
    *,
    date_column: str | None = None,
    key_columns: Sequence[str] = (),
) -> Sheet:
    """Return a file's rows as the checks see them.

    Args:
        name: the file's name.
        frame: its rows as they were read.
        date_column: the column that dates a row; guessed where it is None.
        key_columns: the columns that say which series a row is of; guessed where empty.

    Raises:
        WrongUsage: a column that was named is not there, or holds no dates.
    """
    typed, odd = cleaned(frame)
    for column in (*key_columns, *([date_column] if date_column else [])):
        if column not in typed.columns:
            msg = f"{name}: expected a column {column!r}; it has {frame.columns}"
            raise WrongUsage(msg)
    stamps = _dated(typed, date_column)
    if date_column and stamps is None:
        msg = f"{name}: expected dates in {date_column!r}; most of its cells are none"
        raise WrongUsage(msg)
    dates = stamps[0] if stamps else ()
    kept = [c for c in typed.columns if words.BOOKKEEPING.search(plain(c))]
    rest = [c for c in typed.columns if c not in kept and c not in dates]
    whole = typed.with_columns(
        stamps[1] if stamps else pl.lit(None, pl.Datetime("us")).alias(MOMENT)
    )
    keys = tuple(key_columns) or _guessed_keys(whole, rest)
    return _sheet(name, whole, dates=dates, keys=keys, rest=rest, kept=kept, odd=odd)


def _sheet(
    name: str,
    whole: pl.DataFrame,
    *,
    dates: tuple[str, ...],
    keys: tuple[str, ...],
    rest: list[str],
    kept: list[str],
    odd: dict[str, tuple[str, ...]],
) -> Sheet:
    key = (
        pl.concat_str(
            [pl.col(c).cast(pl.String).fill_null("(empty)") for c in keys],
            separator=" / ",
        )
        if keys
        else pl.lit("")
    )
    rows = whole.with_columns(key.alias(KEY), pl.col(MOMENT).dt.date().alias(DAY))
    dated = rows.filter(pl.col(DAY).is_not_null()) if dates else rows
    ordered = dated.sort(KEY, MOMENT, maintain_order=True)
    numbers = [
        c
        for c in rest
        if c not in keys
        and whole[c].dtype == pl.Float64
        and not words.COUNTED.search(plain(c))
    ]
    texts = [
        c
        for c in rest
        if c not in keys
        and whole[c].dtype == pl.String
        and not words.COUNTED.search(plain(c))
    ]
    return Sheet(
        name=name,
        frame=ordered,
        date_column="/".join(dates) or None,
        key_columns=keys,
        numbers=tuple(numbers),
        texts=tuple(texts),
        bookkeeping=tuple(kept),
        undated=rows.height - dated.height,
        odd={c: cells for c, cells in odd.items() if c in numbers},
        sorted_before=_runs_one_way(dated),
    )


def _runs_one_way(dated: pl.DataFrame) -> bool:
    """Return whether each key's dates run one way, forward or back."""
    steps = pl.col(MOMENT).diff().over(KEY)
    back = dated.select(
        (steps < pl.duration()).sum().alias("b"),
        (steps > pl.duration()).sum().alias("f"),
    )
    return 0 in back.row(0)


def _dated(
    typed: pl.DataFrame, column: str | None
) -> tuple[tuple[str, ...], pl.Series] | None:
    """Return the columns that date a row, and the moments that they say."""
    if column is not None:
        made = moments(typed[column])
        return None if made is None else ((column,), made.alias(MOMENT))
    for pattern in words.DATES:
        for name in typed.columns:
            said = plain(name)
            if not pattern.search(said) or words.BOOKKEEPING.search(said):
                continue
            made = moments(typed[name])
            if made is not None:
                return (name,), made.alias(MOMENT)
    return _by_parts(typed) or _by_content(typed)


def _by_parts(typed: pl.DataFrame) -> tuple[tuple[str, ...], pl.Series] | None:
    """Return dates that are spread over a column each for year, month and day."""
    named = {plain(name): name for name in typed.columns}
    if not {"year", "month", "day"} <= named.keys():
        return None
    parts = tuple(named[part] for part in ("year", "month", "day"))
    text = typed.select(
        pl.concat_str(
            [
                pl.col(p).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
                for p in parts
            ],
            separator="-",
        )
    ).to_series()
    made = text.str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    fits = made.len() - made.null_count()
    return (parts, made.alias(MOMENT)) if fits >= 0.9 * text.len() else None


def _by_content(typed: pl.DataFrame) -> tuple[tuple[str, ...], pl.Series] | None:
    """Return the first column of true dates, whatever it is called."""
    for name in typed.columns:
        kind = typed[name].dtype
        book = words.BOOKKEEPING.search(plain(name))
        if not book and (kind == pl.Date or isinstance(kind, pl.Datetime)):
            return (name,), moments(typed[name]).alias(MOMENT)  # type: ignore[union-attr]
    return None


def _guessed_keys(whole: pl.DataFrame, rest: list[str]) -> tuple[str, ...]:
    """Return the columns that say which series a row is of.

    A name such as symbol or station says it alone. Else labels are added as long as
    they take dates apart that hold several rows.
    """
    pair = [c for c in rest if words.BETWEEN.search(plain(c))]
    editions = [c for c in rest if words.EDITION.search(plain(c))]
    alone = [
        c for c in rest if words.SERIES.search(plain(c)) and whole[c].dtype == pl.String
    ]
    if len(pair) == 2:
        return (*pair, *editions)
    if alone:
        finest = max(alone, key=lambda c: (whole[c].n_unique(), -rest.index(c)))
        return (finest, *editions)
    labels = [
        c
        for c in rest
        if whole[c].dtype == pl.String
        and words.LABEL.search(plain(c))
        and 1 < whole[c].n_unique() < _FEW * whole.height
    ]
    return (*_separating(whole, labels), *editions)


def _separating(loaded: pl.DataFrame, labels: list[str]) -> list[str]:
    chosen: list[str] = []
    # A row that was loaded several times says nothing about the key.
    content = [c for c in loaded.columns if not words.BOOKKEEPING.search(plain(c))]
    whole = loaded.unique(content, maintain_order=True)
    first = surplus = _surplus(whole, chosen)
    for _ in labels if first else ():
        left = [c for c in labels if c not in chosen]
        found = [(_surplus(whole, [*chosen, c]), labels.index(c), c) for c in left]
        if not found or min(found)[0] >= surplus:
            break
        surplus, _, column = min(found)
        chosen.append(column)
    return chosen if surplus <= _LEFT * first else []


def _surplus(whole: pl.DataFrame, columns: list[str]) -> int:
    """Return how many rows there are beyond one per moment and key."""
    return whole.height - whole.select(MOMENT, *columns).n_unique()
