"""signals.yaml: the Big 8, each on a stated scale, and what follows from them.

It says what is measured and where the limits lie; it never holds a value of a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cbi_stream.registry.model import Entry, Read

_MOST = 1.0


class Pillar(Entry):
    """One signal: a measured column brought onto a scale from -1 or 0 to 1."""

    name: Annotated[str, Field(pattern=r"^feature_[a-z0-9_]+$")]
    inputs: Annotated[dict[str, float], Field(min_length=1)]
    """The columns that it is made of, and what each counts in their sum."""
    points: Annotated[tuple[tuple[float, float], ...], Field(min_length=2)]
    """Pairs of that sum and its place on the scale; straight lines between them, and
    level before the first and after the last."""
    crisis: float
    """From here on, away from 0, it is a crisis."""
    sign: Literal[-1, 0, 1]
    """What a high value says of the oil's price; 0: not where to."""
    weight: Annotated[float, Field(gt=0)]
    flag: Annotated[str, Field(pattern=r"^[a-z0-9_]+_override_flag$")]
    driver: Annotated[str, Field(pattern=r"^[A-Z_]+$")]
    regime: Annotated[str, Field(pattern=r"^[A-Z_]+_REGIME$")]
    doc: Annotated[str, Field(exclude=True)]

    @model_validator(mode="after")
    def _scale_is_one(self) -> Pillar:
        if any(left[0] >= right[0] for left, right in pairwise(self.points)):
            msg = f"points: expected growing inputs; found {self.points}"
            raise ValueError(msg)
        values = [value for _, value in self.points]
        rising = values in (sorted(values), sorted(values, reverse=True))
        if not rising or any(abs(v) > _MOST for v in values):
            msg = f"points: expected values from -1 to 1, all rising or falling; found {values}"
            raise ValueError(msg)
        if not (min(values) <= self.crisis <= max(values)) or not self.crisis:
            msg = (
                f"crisis: expected a value on the scale and not 0; found {self.crisis}"
            )
            raise ValueError(msg)
        return self


class Signals(Entry):
    """signals.yaml: the pillars and when enough of them are known."""

    least_pillars: Annotated[int, Field(ge=1)]
    """With fewer known ones nothing is said that needs them together."""
    halfway: Annotated[float, Field(gt=0, lt=1)]
    """From this share of the way to its crisis on, a pillar may be the driver."""
    pillars: Annotated[tuple[Pillar, ...], Field(min_length=1)]


def signals_fit(read: Read[Signals], features: Collection[str]) -> Iterator[str]:
    """Yield each pillar that stands twice or is made of no feature, with file and line."""
    seen: set[str] = set()
    for i, pillar in enumerate(read.content.pillars):
        where = read.place("pillars", i)
        for name in (pillar.name, pillar.flag, pillar.driver, pillar.regime):
            if name in seen:
                yield f"{where}: {name} stands twice"
            seen.add(name)
        for column in sorted(pillar.inputs.keys() - set(features)):
            place = read.place("pillars", i, "inputs", column)
            yield f"{place}: {pillar.name}: no feature is called {column}"
    if read.content.least_pillars > len(read.content.pillars):
        where = read.place("least_pillars")
        yield f"{where}: expected at most {len(read.content.pillars)} pillars"
