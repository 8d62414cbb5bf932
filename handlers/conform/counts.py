"""Lines of any source of counts, each one market and week.

Every measure of a registered contract is an observation, `007601.open_interest`. There is
one handler for each such source: futures only and futures with options, legacy and
disaggregated, are never mixed.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Conformed, Spec, handler
from handlers.conform import rules
from handlers.conform.statements import AROUND, BROUGHT, STAGED, fates, judged, staged
from handlers.conform.versions import LINE

_ABOUT = ("contract", "date")
_TOLD = ("raw", "written", "stamp", "loaded", "verdict", "decided")


@handler(
    each="counts",
    reads={"raw.{source}": AROUND, "raw.decisions": AROUND},
    writes="staging.{source}",
    quarantines="quarantine.{source}",
    spec=("data_sources.{source}", "closures"),
)
def counts(lines: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec) -> Conformed:
    """Return the versions of each count and week, and what was turned away."""
    source = spec.source
    codes, measures = (
        sorted({name.partition(".")[i] for name in source.series}) for i in (0, 2)
    )
    # A year's file holds hundreds of markets, of which twenty are staged.
    known = pl.col("contract").is_in([*codes, ""])
    mine = lines.filter(known).with_columns(raw=pl.lit(source.raw))
    said = (
        rules.with_decisions(mine, decisions, measures)
        .with_columns(
            written=rules.written(measures),
            stamp=pl.lit(None, pl.Datetime("us", "UTC")),
            loaded=pl.lit(None, pl.Boolean),
        )
        .unpivot(
            measures,
            index=[*_ABOUT, *BROUGHT, *_TOLD],
            variable_name="measure",
            value_name="count",
        )
    )
    said = said.with_columns(
        series=pl.concat_str("contract", pl.lit("."), "measure"),
        named=pl.col("contract") != "",
    )
    rows = judged(said, source=source, spec=spec, cell="count")
    versions = staged(rows.filter(pl.col("fate").is_null()), source=source, spec=spec)
    # A line is turned away once, however many of its counts broke a rule.
    turned_away = rules.turned_away(
        rows.sort(*LINE, "series"), key=_ABOUT, content=("series", "written")
    )
    return Conformed(
        staged=versions.filter(pl.col("first")).select(STAGED),
        quarantined=rules.quarantined(
            turned_away.unique(list(LINE), keep="first", maintain_order=True),
            about="contract",
        ),
        fates=pl.concat(
            [
                fates(rows, turned_away, versions),
                lines.filter(~known)
                .select(*LINE[1:], raw=pl.lit(source.raw), fate=pl.lit("unused"))
                .select(*LINE, "fate"),
            ]
        ),
    )
