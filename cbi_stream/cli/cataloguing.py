"""The verb `feature list`, and docs/features.md: what the registry says of each feature.

It reads registry/feature_registry.json alone: no lake, no handler, no value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import AsJson, registry
from cbi_stream.registry.features import Feature, Surface
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import WrongUsage

PAGE = "docs/features.md"
COMMAND = f"cbi feature list --markdown > {PAGE}"
"""How the page is made."""
_HEAD = f"""# Features

Every column that a model may learn from, by family. A family is one table
`features.<family>`; `features.master` holds them all side by side. This page is made from
`registry/feature_registry.json`, and a test holds it against that file; to make it again:
`{COMMAND}`.

- **window**: sessions that a value looks over, its own among them
- **reliability**: the worst grade of the sources: A stamped vintages, B never revised, C revised
  and only the latest held, D computed backwards
- **available from**: the first date at which the world had all that the feature draws on; its
  first value comes a window later
- **surface**: prod stands in all ten training files, full in five of them
"""
_COLUMNS = (
    "name",
    "unit",
    "formula",
    "window",
    "sources",
    "reliability",
    "frequency",
    "available from",
    "surface",
)


def feature_list(
    *,
    family: str | None = None,
    surface: Surface | None = None,
    markdown: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """List the features of the registry: name, family, unit, window, grade, surface.

    Args:
        family: only this one; `panel` for what stands in the panel itself.
        surface: prod: only what stands in all training files; full: what stands in five
            of them alone.
        markdown: print the page docs/features.md; it always holds every feature.
        json: print one JSON list with all that the registry says of each.
    """
    known = registry()
    if markdown:
        if json or family is not None or surface is not None:
            msg = "--markdown prints the whole page: expected no other option"
            raise WrongUsage(msg)
        print(page(known), end="")
        return 0
    found = chosen(known, family=family, surface=surface)
    if json:
        show.as_json([told(each) for each in found])
        return 0
    columns = ["name", "family", "unit", "window", "grade", "surface", "what it is"]
    rows = [
        [f.name, f.family, f.unit, f.window_sessions, f.reliability, f.surface, f.doc]
        for f in found
    ]
    prod = sum(each.surface == "prod" for each in found)
    title = f"{len(found)} features, {prod} of them on the prod surface"
    show.table(title, columns, rows)
    return 0


def chosen(
    known: Registry, *, family: str | None, surface: Surface | None
) -> list[Feature]:
    """Return the features of a family, or of all, that stand on a surface alone.

    Raises:
        WrongUsage: no feature is of that family.
    """
    features = known.feature_registry.features
    families = list(dict.fromkeys(each.family for each in features))
    if family is not None and family not in families:
        msg = f"--family: expected one of {', '.join(families)}; found {family!r}"
        raise WrongUsage(msg)
    return [
        each
        for each in features
        if family in (None, each.family) and surface in (None, each.surface)
    ]


def told(feature: Feature) -> dict[str, Any]:
    """Return everything that the registry says of a feature, as plain JSON values."""
    return {**feature.model_dump(mode="json"), "family": feature.family}


def page(known: Registry) -> str:
    """Return docs/features.md."""
    features = known.feature_registry
    prod = len(features.on_surface("prod"))
    lines = [_HEAD, f"{len(features.features)} features, {prod} on the prod surface."]
    tables = dict.fromkeys(each.table for each in features.features)
    for table in tables:
        held = features.of_table(table)
        lines += ["", f"## {table}", "", f"{known.contracts[table].doc}. {len(held)}."]
        lines += ["", *_table(_COLUMNS, map(_cells, held))]
    return "\n".join(lines) + "\n"


def _cells(feature: Feature) -> list[str]:
    return [
        f"`{feature.name}`",
        feature.unit,
        feature.formula,
        str(feature.window_sessions),
        ", ".join(feature.sources) or "prices",
        feature.reliability,
        feature.update_frequency,
        feature.available_from.isoformat(),
        feature.surface,
    ]


def _table(head: Iterable[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield the lines of a table; a bar inside a cell does not end it."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
