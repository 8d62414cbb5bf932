"""Sources of counts: contracts times measures are series, and columns of one contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import BadRegistry

Edit = Callable[[str, str, str], Path]
FOUR = (
    "cftc",
    "cftc_legacy_combined",
    "cftc_disaggregated",
    "cftc_disaggregated_combined",
)


def test_every_contract_has_every_measure(registry: Registry) -> None:
    """Twenty contracts of the legacy reports, seventeen of the others: no money there."""
    sources = registry.data_sources.sources
    for name in FOUR:
        entry = sources[name]
        assert len(entry.series) == len(entry.contracts) * len(entry.measures)
        assert (
            entry.series["067651.open_interest"].name == "WTI crude oil open interest"
        )
    assert [len(sources[name].contracts) for name in FOUR] == [20, 20, 17, 17]
    assert sources["cftc"].contracts["099741"] == "euro"
    assert "099741" not in sources["cftc_disaggregated"].contracts


def test_the_raw_table_has_a_column_for_each_measure(registry: Registry) -> None:
    """A line stays wide in raw, and each source has tables of its own."""
    columns = registry.contracts["raw.cftc_disaggregated"].columns
    entry = registry.data_sources.sources["cftc_disaggregated"]
    assert list(columns)[:3] == ["contract", "date", "market"]
    assert list(columns)[3:22] == list(entry.measures)
    assert columns["contract"].simulate == ("007601", "005602")
    for name in FOUR:
        assert f"staging.{name}" in registry.contracts
        assert f"quarantine.{name}" in registry.contracts


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    shape: counts\n", "    shape: observations\n", "with `shape: counts`"),
        (
            "unit: contracts, pit_grade: B}",
            "unit: contracts, pit_grade: X}",
            "pit_grade",
        ),
        ('ZL_cot: "007601"', 'ZL_cot: "007602"', "contract 007602 is registered"),
    ],
)
def test_a_planted_mistake_is_named(edit: Edit, old: str, new: str, said: str) -> None:
    """Contracts without their shape, a grade that is none, an alias for nobody."""
    folder = edit("data_sources.yaml", old, new)
    with pytest.raises(BadRegistry, match=said):
        loader.load(folder)


def test_how_a_source_is_told_is_no_part_of_what_it_means(registry: Registry) -> None:
    """Names of contracts change nothing that is staged; series, units and rules do."""
    plain = registry.data_sources.sources["cftc"].meaning()
    assert "contracts" not in plain
    assert "measures" not in plain
    assert plain["series"]["007601.traders"]["unit"] == "traders"
