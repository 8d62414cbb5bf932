"""join_spec.yaml: what stands in the panel beside the target's bar, and what must hold.

It never says how a join is done: handlers/assemble/panel.py does, and the tests are
gates of handlers/gates/.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from cbi_stream.registry.model import Entry

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Expected(Entry):
    """One test: a gate, the numbers that the join itself does not say, and how grave."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    gate: str
    given: Annotated[dict[str, Any], Field(alias="with")] = {}
    on: str | None = None
    """The table; None: that of the whole file."""
    severity: Literal["critical", "warning"]


class Joined(Entry):
    """One column of the panel, read as it was known at decision time."""

    source: str
    series: str
    max_age_days: int = Field(ge=0)
    growth_months: int | None = None

    @property
    def reach_days(self) -> int:
        """How many days before its row the column may look."""
        return self.max_age_days + 31 * (self.growth_months or 0)


class JoinedPrice(Entry):
    """One column of the panel: what a bar of another symbol says on the same session."""

    symbol: str
    column: str


class _Join(Entry):
    name: Name
    how: Literal["left", "inner"] = "left"
    """inner: sessions without a value fall out of the panel; only with drops_rows."""
    drops_rows: bool = False
    """Says that windows over the panel may count fewer rows than sessions."""
    null_policy: Literal["keep", "flag", "refuse"]
    """keep: a null stays null. flag: and a column `<name>_missing` says so. refuse: a
    null from available_from on fails the gate expect_no_nulls. Nothing is filled."""
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*_$")] | None = None
    """What the names of its columns begin with."""
    available_from: date | None = None
    """The first session from which a null counts as missing; None: the first of all."""
    # A changed threshold judges stored content again, it computes nothing again.
    tests: Annotated[tuple[Expected, ...], Field(exclude=True)] = ()

    @model_validator(mode="after")
    def _rows_fall_out_only_where_declared(self) -> _Join:
        if (self.how == "inner") != self.drops_rows:
            msg = (
                "expected `how: left`, or `how: inner` with `drops_rows: true`: windows "
                f"count sessions, and inner takes rows away; found how: {self.how}, "
                f"drops_rows: {str(self.drops_rows).lower()}"
            )
            raise ValueError(msg)
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of values that it brings."""
        raise NotImplementedError

    @property
    def flags(self) -> dict[str, str]:
        """By column, the one that says whether it is missing; empty without flags."""
        return {n: f"{n}_missing" for n in self.names if self.null_policy == "flag"}


class PriceJoin(_Join):
    """Columns of another symbol's bar on the same session."""

    on: Literal["date"]
    symbol: str
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*_$")]

    @property
    def prices(self) -> dict[str, JoinedPrice]:
        """By column of the panel, which column of the bar stands there."""
        return {
            f"{self.prefix}{column}": JoinedPrice(symbol=self.symbol, column=column)
            for column in self.columns
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of values that it brings."""
        return tuple(self.prices)


class ObservationJoin(_Join):
    """The newest observation that was knowable at a row's decision time."""

    on: Literal["knowable_at"]
    source: str
    series: str | Annotated[dict[Name, str], Field(min_length=1)]
    """One series, in the column named after the join; or several by column, and then
    the prefix stands before each."""
    max_age_days: int = Field(ge=0)
    growth_months: Annotated[int, Field(gt=0, le=24)] | None = None
    """Take the log growth over so many months, both values as known at that time."""

    @model_validator(mode="after")
    def _several_have_a_prefix(self) -> ObservationJoin:
        if isinstance(self.series, str) is not (self.prefix is None):
            msg = "expected `prefix` where several series are named, and only there"
            raise ValueError(msg)
        return self

    @property
    def observations(self) -> dict[str, Joined]:
        """By column of the panel, which series stands there."""
        told = self.model_dump(include={"source", "max_age_days", "growth_months"})
        several = self.series
        if isinstance(several, str):
            return {self.name: Joined(series=several, **told)}
        return {
            f"{self.prefix}{name}": Joined(series=series, **told)
            for name, series in several.items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of values that it brings."""
        return tuple(self.observations)


Join = Annotated[PriceJoin | ObservationJoin, Field(discriminator="on")]


class JoinSpec(Entry):
    """join_spec.yaml: what stands in the panel beside the target's bar."""

    table: Annotated[str, Field(exclude=True)] = "features.panel"
    """The table that the tests look at."""
    joins: Annotated[tuple[Join, ...], Field(min_length=1)]
    tests: Annotated[tuple[Expected, ...], Field(exclude=True)] = ()
    """What must hold of whole tables, besides the tests of single joins."""

    @property
    def prices(self) -> dict[str, JoinedPrice]:
        """By column of the panel, the symbol and the column of its bar."""
        found: dict[str, JoinedPrice] = {}
        for join in self.joins:
            found |= join.prices if isinstance(join, PriceJoin) else {}
        return found

    @property
    def observations(self) -> dict[str, Joined]:
        """By column of the panel, the series and how it is read."""
        found: dict[str, Joined] = {}
        for join in self.joins:
            found |= join.observations if isinstance(join, ObservationJoin) else {}
        return found

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of observations, each once."""
        return tuple(dict.fromkeys(o.source for o in self.observations.values()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the joins bring: values, ages and flags."""
        ages = (f"{name}_age_days" for name in self.observations)
        flags = (flag for join in self.joins for flag in join.flags.values())
        return (*self.prices, *self.observations, *ages, *flags)

    def value_of(self, column: str) -> str:
        """Return the column of values that an age or a flag speaks of, else itself."""
        flagged = {flag: n for join in self.joins for n, flag in join.flags.items()}
        return flagged.get(column, column.removesuffix("_age_days"))

    @property
    def oldest(self) -> int:
        """The greatest reach of any column, in calendar days."""
        return max((o.reach_days for o in self.observations.values()), default=0)
