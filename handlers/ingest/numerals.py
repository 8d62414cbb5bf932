"""Numbers in a vendor's own notation, written plainly: 1,234.5 and 120.5K.

Only what loses nothing is rewritten, by decimal arithmetic; anything else stays as it was
written, and is then no number. It never rounds.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

Point = Literal[".", ","]
_GROUPED = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?"),
}
_PLAIN = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,17})?")
_SCALED = re.compile(r"(?P<number>[^KMB]+)(?P<scale>[KMB])")
_SCALES = {"K": 3, "M": 6, "B": 9}


def plain(cell: str, point: Point = ".") -> str | None:
    """Return a number without groups of thousands, with a decimal point.

    Args:
        cell: as written.
        point: what stands before its decimals.

    Returns:
        The number; None where the cell holds none in this notation.
    """
    if point == "." and _PLAIN.fullmatch(cell):
        return cell.removeprefix("+").removesuffix(".")
    other: Point = "," if point == "." else "."
    if _GROUPED[point].fullmatch(cell):
        cell = cell.replace(other, "")
    elif other in cell:
        return None
    cell = cell.replace(point, ".")
    if not _PLAIN.fullmatch(cell):
        return None
    return cell.removeprefix("+").removesuffix(".")


def whole(cell: str, point: Point = ".") -> str | None:
    """Return a count as a whole number: 41426, 1600.0, 41,426, 120.5K, 1.2M.

    Returns:
        The number; None where the cell holds no whole one in this notation.
    """
    if cell.isdecimal() and cell.isascii():
        return cell
    scaled = _SCALED.fullmatch(cell)
    number = plain(scaled["number"] if scaled else cell, point)
    if number is None:
        return None
    count = Decimal(number).scaleb(_SCALES[scaled["scale"]] if scaled else 0)
    return str(int(count)) if count >= 0 and count == int(count) else None
