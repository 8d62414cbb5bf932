"""The verb `feature show`: one feature, what it is, how full it is, and how it looks.

It reads what the last settled run published, writes one picture, and changes nothing in
the lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.cataloguing import told
from cbi_stream.cli.drawing import Band, svg
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.cli.walking import named_in
from cbi_stream.engine.slices import decision_time, rows_between
from cbi_stream.engine.story import published
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.features import PANEL, Feature
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.span import Span, plus_days

_NEWEST = 5
_AGE = "_age_days"
_SAID = (
    "table", "doc", "unit", "formula", "window_sessions", "surface", "sources",
    "reliability", "update_frequency", "available_from", "null_policy", "category",
    "policy_impact", "lagged_releases",
)  # fmt: skip


def feature_show(
    name: str,
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    from_: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    plot: Path | None = None,
    json: AsJson = False,
) -> int:
    """Show a feature: what it is, its coverage by year, its newest values, a picture.

    The picture is an SVG: the feature above, the columns of the panel that its formula
    names below it. Marks under an observed column stand where a newer observation
    became knowable, with a foot back to the date that it is of.

    Args:
        name: the feature, as the registry has it.
        lake: folder of the lake.
        from_: first date.
        to: last date.
        plot: where the picture goes; ./NAME.svg unless said.
        json: print one JSON object.
    """
    found, _ = opened(lake)
    feature = feature_of(found.registry, name)
    days = Span(from_ or date.min, plus_days(to, 1) if to else date.max)
    inputs = inputs_of(found.registry, feature)
    rows = _rows(found, feature, inputs, days)
    said: dict[str, Any] = {
        "feature": told(feature),
        "inputs": inputs,
        "coverage": coverage(rows, name),
        "newest": newest(found, rows, name),
        "plot": None,
    }
    if rows.height:
        target = plot or Path(f"{name}.svg")
        target.write_text(_picture(found.registry, feature, inputs, rows), "utf-8")
        said["plot"] = str(target)
    if json:
        show.as_json(said)
    else:
        _print(said)
    if not rows.height:
        show.note(f"{feature.table} holds no row of these dates: no picture was made")
    return 0


def feature_of(known: Registry, name: str) -> Feature:
    """Return a feature by its name.

    Raises:
        WrongUsage: the registry has none of that name.
    """
    features = known.feature_registry.features
    found = next((each for each in features if each.name == name), None)
    if found is None:
        what = name.partition("_")[0]
        near = [each.name for each in features if what in each.name]
        hint = f"; near it: {', '.join(near[:6])}" if near else ""
        msg = f"expected a feature of feature_registry.json; found {name!r}{hint}"
        raise WrongUsage(msg)
    return found


def inputs_of(known: Registry, feature: Feature) -> list[str]:
    """Return the columns of the panel that a formula names, also by way of others."""
    if feature.table == PANEL:
        return []
    features = known.feature_registry.features
    formulas = {each.name: each.formula for each in features if each.table != PANEL}
    columns = [each.name for each in features if each.table == PANEL]
    values = [column for column in columns if not column.endswith(_AGE)]
    return named_in(feature.name, formulas, values)


def coverage(rows: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    """Return by year how many sessions there are, and how many with a value."""
    by_year = rows.group_by(pl.col("date").dt.year().alias("year"), maintain_order=True)
    return by_year.agg(sessions=pl.len(), with_value=pl.col(name).count()).to_dicts()


def newest(lake: Lake, rows: pl.DataFrame, name: str) -> list[dict[str, Any]]:
    """Return the newest values: when each was knowable, and how old its inputs were.

    age_days counts from the value's session to the newest one of these rows.
    """
    if not rows.height:
        return []
    last = rows["date"].max()
    ages = [column for column in rows.columns if column.endswith(_AGE)]
    found = []
    for row in rows.drop_nulls(name).tail(_NEWEST).to_dicts():
        day = row["date"]
        known = decision_time(lake.registry.sessions_file, Span.day(day))
        found.append(
            {
                "date": day.isoformat(),
                "value": row[name],
                "age_days": (last - day).days,
                "knowable_at": known.isoformat(),
                "inputs_age_days": {n.removesuffix(_AGE): row[n] for n in ages},
            }
        )
    return found


def _rows(
    lake: Lake, feature: Feature, inputs: Sequence[str], days: Span
) -> pl.DataFrame:
    """Return the feature beside its inputs and their ages, by date."""
    made = rows_between(lake, feature.table, days, published(lake, feature.table)[1])
    panel = rows_between(lake, PANEL, days, published(lake, PANEL)[1])
    mine = [feature.name] if feature.table == PANEL else list(inputs)
    ages = [f"{n}{_AGE}" for n in mine if f"{n}{_AGE}" in panel.columns]
    if feature.table == PANEL:
        return made.select("date", feature.name, *ages)
    beside = panel.select("date", *inputs, *ages)
    own = made.select("date", feature.name)
    return own.join(beside, on="date", how="left", maintain_order="left")


def _picture(
    known: Registry, feature: Feature, inputs: Sequence[str], rows: pl.DataFrame
) -> str:
    units = {each.name: each.unit for each in known.feature_registry.features}
    days = rows["date"].to_list()
    bands = []
    for name in (feature.name, *inputs):
        values = rows[name].cast(pl.Float64).to_list()
        bands.append(Band(name, units[name], values, _marks(rows, name)))
    title = f"{feature.name}: {feature.doc}"
    return svg(title, days, bands, since=feature.available_from)


def _marks(rows: pl.DataFrame, name: str) -> list[tuple[date, date]]:
    """Return of which date each observation is, and the session that first has it."""
    if f"{name}{_AGE}" not in rows.columns:
        return []
    found: dict[date, date] = {}
    for day, age in rows.select("date", f"{name}{_AGE}").drop_nulls().iter_rows():
        found.setdefault(day - timedelta(days=age), day)
    return list(found.items())


def _print(said: dict[str, Any]) -> None:
    feature = said["feature"]
    pairs = [(name, _shown(feature[name])) for name in _SAID]
    show.table(feature["name"], ["", "the registry says"], pairs)
    years = [
        (str(y["year"]), y["sessions"], y["with_value"], _percent(y))
        for y in said["coverage"]
    ]
    show.table("coverage", ["year", "sessions", "with a value", "%"], years)
    values = [
        (v["date"], v["value"], v["age_days"], v["knowable_at"], _ages(v))
        for v in said["newest"]
    ]
    columns = ["session", "value", "days old", "knowable at", "its inputs, days old"]
    show.table("newest values", columns, values)
    if said["plot"]:
        show.note(f"picture: {said['plot']}")


def _percent(year: dict[str, Any]) -> float:
    share: float = year["with_value"] / year["sessions"]
    return round(100.0 * share, 1)


def _ages(value: dict[str, Any]) -> str:
    ages = value["inputs_age_days"].items()
    return ", ".join(f"{name} {age}" for name, age in ages) or "prices of the session"


def _shown(value: Any) -> str:
    return ", ".join(value) or "prices" if isinstance(value, list) else str(value)
