"""Draws columns of one time axis below each other as one SVG picture.

It knows no lake and no registry, and it never bridges a gap: where a value is null the
line ends, and begins again with the next value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

_WIDE, _LEFT, _RIGHT = 1000, 90, 20
_TALL, _GAP, _TOP = 150, 46, 56
_INK = ("#12507b", "#5a5a5a")
_MARK, _SINCE = "#c2571a", "#7a1fa2"


@dataclass(frozen=True)
class Band:
    """One column: its name and unit, a value or none per day, and its marks."""

    name: str
    unit: str
    values: Sequence[float | None]
    marks: Sequence[tuple[date, date]] = ()
    """Per observation that became knowable: of which date it is, and on which day."""


@dataclass(frozen=True)
class _Frame:
    """Where days and values lie on the picture."""

    first: date
    days: int
    top: float
    low: float
    high: float

    def x(self, day: date) -> float:
        share = (day - self.first).days / max(self.days, 1)
        return _LEFT + share * (_WIDE - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        reach = self.high - self.low
        share = (value - self.low) / reach if reach else 0.5
        return self.top + (1.0 - share) * _TALL


def svg(
    title: str,
    days: Sequence[date],
    bands: Sequence[Band],
    *,
    since: date | None = None,
) -> str:
    """Return the picture.

    Args:
        title: what stands above it.
        days: the days of every band, ascending; at least one.
        bands: the columns, from the top down.
        since: where a line stands across all of them.
    """
    height = _TOP + len(bands) * (_TALL + _GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" '
        'font-family="sans-serif" font-size="12">'
    )
    lines = [head, f'<rect width="{_WIDE}" height="{height}" fill="white"/>']
    lines.append(_text(_LEFT, 22, title, size=15))
    for i, band in enumerate(bands):
        top = _TOP + i * (_TALL + _GAP)
        lines += _band(band, days, top, ink=_INK[min(i, 1)])
    if since is not None and days[0] < since <= days[-1]:
        x = _Frame(days[0], (days[-1] - days[0]).days, 0, 0, 0).x(since)
        lines.append(_line(f"M{x:.1f} {_TOP}V{height - _GAP}", _SINCE, dash="5 4"))
        lines.append(_text(x + 4, _TOP - 6, f"available from {since}", fill=_SINCE))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _band(band: Band, days: Sequence[date], top: float, *, ink: str) -> Iterator[str]:
    there = [value for value in band.values if value is not None]
    low, high = (min(there), max(there)) if there else (0.0, 0.0)
    frame = _Frame(days[0], (days[-1] - days[0]).days, top, low, high)
    bottom = top + _TALL
    yield (
        f'<rect x="{_LEFT}" y="{top}" width="{_WIDE - _LEFT - _RIGHT}" '
        f'height="{_TALL}" fill="none" stroke="#cccccc"/>'
    )
    yield _text(_LEFT, top - 5, f"{band.name} ({band.unit})", fill=ink)
    if there:
        yield _text(_LEFT - 6, top + 10, f"{high:.6g}", end=True)
        yield _text(_LEFT - 6, bottom, f"{low:.6g}", end=True)
        yield _line(_path(frame, days, band.values), ink, wide=1.2)
    else:
        yield _text(_LEFT + 8, top + 20, "no value in these dates")
    yield _text(_LEFT, bottom + 14, days[0].isoformat())
    yield _text(_WIDE - _RIGHT, bottom + 14, days[-1].isoformat(), end=True)
    if marks := _marks(frame, band.marks, bottom):
        yield _line(marks, _MARK)
        known = f"marks: {len(band.marks)} times a newer observation became knowable"
        yield _text((_LEFT + _WIDE) / 2, bottom + 14, known, fill=_MARK)


def _path(frame: _Frame, days: Sequence[date], values: Sequence[float | None]) -> str:
    """Return the line; a value between two nulls is a dot."""
    parts, pen = [], "M"
    for day, value in zip(days, values, strict=True):
        if value is None:
            pen = "M"
            continue
        dot = "h0.1" if pen == "M" else ""
        parts.append(f"{pen}{frame.x(day):.1f} {frame.y(value):.1f}{dot}")
        pen = "L"
    return "".join(parts)


def _marks(frame: _Frame, marks: Sequence[tuple[date, date]], bottom: float) -> str:
    """Return a tick where it became knowable, and a foot back to the date it is of."""
    parts = []
    for of, known in marks:
        x, foot = frame.x(known), max(frame.x(of), float(_LEFT))
        parts.append(f"M{x:.1f} {bottom - 7:.1f}V{bottom:.1f}H{foot:.1f}")
    return "".join(parts)


def _line(path: str, ink: str, *, wide: float = 1.0, dash: str = "none") -> str:
    look = f'stroke="{ink}" stroke-width="{wide}" stroke-dasharray="{dash}"'
    return f'<path d="{path}" fill="none" stroke-linecap="round" {look}/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    fill: str = "#333333",
    end: bool = False,
) -> str:
    anchor = "end" if end else "start"
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{fill}">{escape(text)}</text>'
