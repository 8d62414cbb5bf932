"""Regimes and training weights of the files: several, bounded, and true to the calendar.

A weight that is the same on every row weighs nothing, and a regime that covers all of
history is a placeholder. How much a weighting costs is said, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import failed, share, value, verdict


@whole_gate
def regime_count(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    column: str,
    least: int,
    over_years: float,
    calendar: str,
) -> Finding:
    """Each file has several regimes: those of the calendar on its dates, and no other.

    Args:
        tables: with the table of regimes by date.
        subject: with the files.
        column: the column of the regime's name.
        least: the least number of regimes of a file over so many years.
        over_years: a shorter file has as many as the calendar has on its dates.
        calendar: the table of regimes by date.
    """
    true = tables.get(calendar)
    if true is None or not {"date", column} <= set(true.columns):
        return failed(f"{calendar} with date and {column}", "it is not there")
    bad, found = [], []
    for name, frame in sorted(subject.files.items()):
        if lost := {"date", column} - set(frame.columns):
            bad.append(f"{name}: no column {', '.join(sorted(lost))}")
        if lost or frame.is_empty():  # how many rows it has is a worry of its own
            continue
        known = frame.select("date", column).join(
            true.select("date", due=column),
            on="date",
            how="left",
            maintain_order="left",
        )
        off = known.filter(~pl.col(column).eq_missing(pl.col("due")))
        off = off.vstack(known.filter(pl.col(column).is_null()))
        count = frame[column].drop_nulls().n_unique()
        found.append(f"{name} {count}")
        years = _years(frame)
        if years >= over_years and count < least:
            bad.append(f"{name}: {count} regimes in {years:.1f} years")
        if off.height:
            day, said, due = off.row(0)
            bad.append(f"{name}: {day} {said}, by the calendar {due}")
    return verdict(
        bad if subject.files else ["no file"],
        expected=f"at least {least} regimes over {over_years:g} years, as in {calendar}",
        found=", ".join(found) or "none",
    )


@whole_gate
def weights(
    tables: Mapping[str, pl.DataFrame],  # noqa: ARG001 - only the files are looked at
    subject: Subject,
    *,
    column: str,
    between: tuple[float, float],
    least_effective: float,
    over_years: float,
) -> Finding:
    """Each weight lies between its bounds, they differ, and enough rows still count.

    The effective sample size is Kish's: (sum of w) squared over the sum of w squared.

    Args:
        tables: what the effect reads.
        subject: with the files.
        column: the column of weights.
        between: the lowest and the highest weight, both allowed.
        least_effective: the least share of the rows that must be left in effect.
        over_years: a shorter file may have one weight: that of its one regime.
    """
    bad, found = [], []
    for name, frame in sorted(subject.files.items()):
        if lost := {"date", column} - set(frame.columns):
            bad.append(f"{name}: no column {', '.join(sorted(lost))}")
        if lost or frame.is_empty():  # how many rows it has is a worry of its own
            continue
        said = frame.select("date", w=value(column))
        out = said.filter(~pl.col("w").is_between(*between).fill_null(False))
        w = said["w"].drop_nulls()
        squares = float((w * w).sum())
        effective = float(w.sum()) ** 2 / squares if squares else 0.0
        found.append(f"{name} {effective:.0f} of {frame.height} rows in effect")
        if out.height:
            bad.append(f"{name}: {out['date'][0]} {column}={out['w'][0]}")
        if w.n_unique() < 2 and _years(frame) >= over_years:
            bad.append(f"{name}: {column} is the same on every row")
        if effective < least_effective * frame.height:
            bad.append(
                f"{name}: {share(effective, frame.height)} of its rows in effect"
            )
    return verdict(
        bad if subject.files else ["no file"],
        expected=f"{column} from {between[0]:g} to {between[1]:g}, not constant, "
        f"{100 * least_effective:g} % of the rows in effect",
        found="; ".join(found) or "none",
    )


def _years(frame: pl.DataFrame) -> float:
    days = frame["date"].to_list()
    return float((max(days) - min(days)).days / 365.25)
