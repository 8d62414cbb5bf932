"""docs/features.md against the registry. It reads no lake."""

from __future__ import annotations

from pathlib import Path

from cbi_stream.cli.cataloguing import COMMAND, page
from cbi_stream.registry import loader

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_features_is_what_the_registry_says() -> None:
    """Each feature stands there with its formula; a page that is older says how to mend."""
    known = loader.load(ROOT / "registry")
    stands = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert stands == page(known), f"docs/features.md is another. Mend: {COMMAND}"


def test_the_page_has_a_line_for_each_feature() -> None:
    """Name, unit, formula, window, sources, grade, rhythm, first date and surface."""
    known = loader.load(ROOT / "registry")
    lines = page(known).splitlines()
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    assert list(rows) == [f.name for f in known.feature_registry.features]
    assert rows["vix_zscore_252"] == (
        "| `vix_zscore_252` | standard deviations | (vix - mean(vix, 252)) / "
        "std(vix, 252) | 252 | fred.VIXCLS | B | day | 2000-01-03 | prod |"
    )
    assert all(row.count("|") == 10 for row in rows.values())
