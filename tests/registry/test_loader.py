"""The registry holds together, and one planted mistake is named with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.words.errors import BadRegistry

Edit = Callable[[str, str, str], Path]
CLOSED = "sessions/cbot_grains_closed.csv"


def _line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, start=1) if text in line)


def test_the_projects_registry_loads(registry: Registry) -> None:
    """The files that are shipped fit their models and each other."""
    assert registry.settings.target in registry.universe.symbols
    assert registry.horizons.days["1w"] == 7
    assert registry.sessions_file.decision_time == time(18)
    assert "staging.prices" in registry.contracts


def test_every_column_says_what_it_is(registry: Registry) -> None:
    """Each column has a doc, and each number with a fraction its unit."""
    bare = [
        f"{table}.{name}"
        for table, contract in registry.contracts.items()
        for name, column in contract.columns.items()
        if not column.doc.strip() or (column.type == "float" and not column.unit)
    ]
    assert bare == []


def test_a_table_holds_the_columns_that_it_includes(registry: Registry) -> None:
    """The master has the key once, then the included columns in their order."""
    master = list(registry.contracts["features.master"].columns)
    families = {f"features.{each}" for each in registry.feature_registry.families}
    included = registry.contracts["features.master"].include
    assert included[:2] == ("features.panel", "features.technical")
    assert families < set(included)
    columns = [
        name
        for table in included
        for name in list(registry.contracts[table].columns)[1:]
    ]
    assert master == ["date", *columns]


def test_the_columns_of_features_are_those_of_their_registry(
    registry: Registry,
) -> None:
    """One list says what a feature is: the contract takes name and unit from it."""
    for feature in registry.feature_registry.features:
        column = registry.contracts[feature.table].columns[feature.name]
        assert (column.unit, column.type) == (feature.unit, feature.type)
    assert len(registry.feature_registry.on_surface("prod")) > 40
    assert len(registry.feature_registry.on_surface("full")) > 60


def test_raw_tables_say_where_a_line_comes_from(registry: Registry) -> None:
    """A table of lines carries the columns that lead back to the file."""
    columns = registry.contracts["raw.yahoo"].columns
    assert {"as_of", "stated", "batch", "sha256", "line", "parser"} <= columns.keys()
    assert "as_of" not in registry.contracts["raw.decisions"].columns


@pytest.mark.parametrize(
    ("day", "session"),
    [
        (date(2024, 7, 4), False),  # in the list of closings
        (date(2024, 7, 6), False),  # a Saturday
        (date(2024, 7, 5), True),
        (date(2018, 12, 5), True),  # an override opens it
        (date(2001, 9, 11), False),  # an override closes it
        (date(1999, 12, 31), False),
    ],
)
def test_sessions_are_weekdays_less_closings_with_overrides(
    registry: Registry, day: date, *, session: bool
) -> None:
    """The calendar is what sessions.yaml says it is."""
    assert (day in registry.sessions) is session


def test_a_number_is_found_by_its_dotted_name(registry: Registry) -> None:
    """Reads name whole numbers of the registry, derived ones too."""
    assert registry.number("horizons.longest") == 365
    oldest = max(o.reach_days for o in registry.join_spec.observations.values())
    assert registry.number("join_spec.oldest") == oldest > 365


@pytest.mark.parametrize("name", ["horizons.shortest", "horizons.days", "nofile.x", ""])
def test_a_number_that_is_none_is_refused(registry: Registry, name: str) -> None:
    """A misspelt number stops the load, it does not become nothing."""
    with pytest.raises(BadRegistry, match="expected"):
        registry.number(name)


MISTAKES = [
    # file, what stands there, what a person typed, a text on the line to open, why
    (
        "join_spec.yaml",
        "series: VIXCLS",
        "series: VIXCLSS",
        "VIXCLSS",
        "fred has no series VIXCLSS",
    ),
    ("settings.yaml", "target: ZL", "target: ZZ", "target: ZZ", "ZZ is not in"),
    (
        "data_sources.yaml",
        "    key: contract\n",
        "    key: contract\n    raw: raw.ferd\n",
        "raw.ferd",
        r"no contract tables/raw\.ferd",
    ),
    (
        "exports.yaml",
        "horizon: 1m",
        "horizon: 2m",
        "horizon: 2m",
        r"horizons\.yaml has no 2m",
    ),
    (
        "tables/features.master.yaml",
        "- features.technical\n",
        "- features.technicol\n",
        "technicol",
        "no contract for features.technicol",
    ),
    (
        "tables/raw.decisions.yaml",
        "table: raw.decisions",
        "table: raw.decision",
        "table: raw.decision",
        "expected the contract of raw.decisions; found raw.decision",
    ),
    (
        "universe.yaml",
        'tick: "0.01"',
        'tick: "0.03"',
        "0.03",
        "decimal that divides 1.*0.03",
    ),
    ("universe.yaml", 'tick: "0.01"', 'tick: "cent"', "cent", "tick|ZL"),
    ("universe.yaml", "[10, 150]", "[150, 10]", "[150, 10]", "lower number first"),
    ("universe.yaml", "[10, 150]", "[10]", "[10]", "plausible"),
    ("universe.yaml", "months: FHKNQUVZ", "months: FHA", "months: FHA", "months.*FHA"),
    ("universe.yaml", "kind: future", "kind: pork", "kind: pork", "kind.*pork"),
    ("universe.yaml", 'tick: "0.01"', 'tick: "-0.01"', "-0.01", "divides 1"),
    ("universe.yaml", 'tick: "0.01"', 'tick: "1/0"', "1/0", "tick|ZL"),
    ("universe.yaml", 'tick: "0.01"', "tick: 0.01", "tick: 0.01", "string.*found 0.01"),
    (
        "sessions.yaml",
        "zone: America/Chicago",
        "zone: America/Chicag",
        "zone: America/Chicag",
        "IANA.*America/Chicag",
    ),
    (
        "data_sources.yaml",
        'release: {weekdays_after: 0, at: "15:00", zone: America/Chicago}',
        'release: {weekdays_after: 0, at: "15:00", zone: CST6CTT}',
        "CST6CTT",
        "IANA.*CST6CTT",
    ),
    (
        "data_sources.yaml",
        "pit_grade: B",
        "pit_grade: E",
        "pit_grade: E",
        "'A', 'B', 'C' or 'D'.*found 'E'",
    ),
    ("horizons.yaml", "1m: 30", "1m: 0", "1m: 0", "greater than 0; found 0"),
    (
        "tables/staging.prices.yaml",
        "grain: year",
        "grain: week",
        "grain: week",
        "'month', 'year' or 'decade'",
    ),
    (
        "tables/staging.prices.yaml",
        "key: [symbol, date]",
        "key: [symbl, date]",
        "table: staging.prices",
        "key and spine name columns",
    ),
    (
        "tables/staging.prices.yaml",
        "key: [symbol, date]",
        "key: [symbol]",
        "table: staging.prices",
        "holds `date`",
    ),
    (
        "tables/staging.prices.yaml",
        "spine_requires: close",
        "spine_requires: clsoe",
        "table: staging.prices",
        "clsoe",
    ),
    (
        "tables/staging.prices.yaml",
        "open: {type: float",
        "open: {type: number",
        "type: number",
        "found 'number'",
    ),
    (
        "feature_registry.json",
        '"name": "vix", ',
        '"name": "vixx", ',
        '"features": [',
        "vix of join_spec.yaml is not a feature",
    ),
    (
        "feature_registry.json",
        '"surface": "prod", "sources": ["fred.DFF"]',
        '"surface": "prod", "sources": ["fred.NFCI"]',
        '"prod", "sources": ["fred.NFCI"]',
        "NFCI has grade C",
    ),
    (
        "feature_registry.json",
        '"sources": ["fred.VIXCLS"]',
        '"sources": ["fred.VIXCLSS"]',
        "fred.VIXCLSS",
        "no source has the series fred.VIXCLSS",
    ),
    (
        "feature_registry.json",
        '"name": "high"',
        '"name": "open"',
        '"name": "open", "table": "features.panel", "unit": "US cents per pound", '
        '"doc": "highest',
        "open stands twice",
    ),
    (
        "feature_registry.json",
        '"table": "features.technical"',
        '"table": "features.technicol"',
        "features.technicol",
        "features.technicol has no contract",
    ),
    (
        "join_spec.yaml",
        "symbol: ZM\n",
        "symbol: ZMM\n",
        "ZMM",
        "ZMM is not in universe.yaml",
    ),
    (
        "data_sources.yaml",
        "wti: CL",
        "wti: CLL",
        "CLL",
        "no symbol, series, group or contract CLL",
    ),
    (
        "data_sources.yaml",
        "closed: us_federal\n",
        "closed: us_federl\n",
        "closed: us_federl",
        "no list us_federl",
    ),
    (
        "data_sources.yaml",
        "{days_after: 8,",
        "{days_after: 8, weekdays_after: 1,",
        "{days_after: 8",
        "weekdays_after or days_after",
    ),
    (
        "sessions.yaml",
        "last: 2035-12-31",
        "last: 2035-02-31",
        "2035-02-31",
        "2035|date|day",
    ),
    (
        "data_sources.yaml",
        r"'(?P<key>[A-Z]{1,3})=F.*\.csv'",
        r"'(?P<key>[A-Z]{1,3}=F.*\.csv'",
        "file_names: ['(?P<key>[A-Z]{1,3}=F",
        "pattern|expression|parenthesis",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "on", "why"), MISTAKES)
def test_a_planted_mistake_is_named_with_file_and_line(
    edit: Edit, file: str, old: str, new: str, on: str, why: str
) -> None:
    """One wrong word in one file stops the load and says which line to open."""
    folder = edit(file, old, new)
    with pytest.raises(BadRegistry, match=why) as caught:
        loader.load(folder)
    line = _line_of(folder / file, on)
    assert f"{folder / file}:{line}:" in str(caught.value)


def test_features_that_reach_no_training_file_are_refused(edit: Edit) -> None:
    """A family that the master table forgets is named with the line of a feature."""
    folder = edit("tables/features.master.yaml", "  - features.macro\n", "")
    with pytest.raises(
        BadRegistry, match=r"features\.macro stands in no table's"
    ) as no:
        loader.load(folder)
    line = _line_of(folder / "feature_registry.json", "features.macro")
    assert f"feature_registry.json:{line}:" in str(no.value)


@pytest.mark.parametrize(
    ("old", "new", "on"),
    [
        ("1999-02-15", "1999-02-30", "1999-02-30"),
        ("1999-02-15", "15.02.1999", "15.02.1999"),
        ("date,name", "day,name", "day,name"),
        ("1999-02-15", "1998-12-25", "1999-01-18"),
        ("1999-02-15", "1999-01-18", "1999-01-18"),
    ],
)
def test_a_bad_list_of_closings_is_refused(
    edit: Edit, old: str, new: str, on: str
) -> None:
    """No date, no ISO date, another header, out of order, twice: each is named."""
    folder = edit(CLOSED, old, new)
    with pytest.raises(BadRegistry) as caught:
        loader.load(folder)
    found = re.search(rf"{re.escape(str(folder / CLOSED))}:(\d+):", str(caught.value))
    assert found is not None
    assert abs(int(found[1]) - _line_of(folder / CLOSED, on)) <= 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # it must change something
        ("- date: 2001-09-11\n    open: false", "- date: 2001-09-11\n    open: true"),
        ("- date: 2018-12-05\n    open: true", "- date: 2018-12-05\n    open: false"),
        ("- date: 2001-12-24", "- date: 2001-12-25"),
        ("- date: 2001-12-24", "- date: 2001-12-23"),
        # one per date, in order of date
        ("- date: 2001-09-12", "- date: 2001-09-11"),
        ("- date: 2001-09-11", "- date: 2001-09-13"),
        # inside the days that the calendar speaks of
        ("- date: 1999-12-31", "- date: 1998-12-31"),
    ],
)
def test_an_override_that_does_nothing_is_refused(
    edit: Edit, old: str, new: str
) -> None:
    """sessions.yaml promises that each override changes something, once, in order."""
    folder = edit("sessions.yaml", old, new)
    with pytest.raises(BadRegistry, match=r"sessions\.yaml:\d+: "):
        loader.load(folder)


@pytest.mark.parametrize(
    "file",
    [
        "settings.yaml",
        "universe.yaml",
        "data_sources.yaml",
        "horizons.yaml",
        "join_spec.yaml",
        "exports.yaml",
        "sessions.yaml",
        CLOSED,
    ],
)
def test_a_missing_file_is_named(copied: Path, file: str) -> None:
    """Without one of its files there is no registry."""
    (copied / file).unlink()
    with pytest.raises(BadRegistry, match=re.escape(str(copied / file))):
        loader.load(copied)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("horizons.yaml", "days: {}\nslack_days: 30\n"),
        ("join_spec.yaml", "columns: {}\n"),
        ("universe.yaml", "symbols: {}\n"),
    ],
)
def test_an_empty_list_is_refused_or_works(copied: Path, file: str, text: str) -> None:
    """No horizon and no column is a named error, never a traceback while loading."""
    (copied / file).write_text(text, encoding="utf-8")
    with pytest.raises(BadRegistry):
        loader.load(copied).number(
            {"horizons.yaml": "horizons.longest"}.get(file, "join_spec.oldest")
        )


def test_a_stretch_without_sessions_longer_than_the_slack_is_refused(
    edit: Edit,
) -> None:
    """A label could fall behind the days that its handler reads: this must not load."""
    folder = edit("horizons.yaml", "slack_days: ", "slack_days: 0 # ")
    with pytest.raises(BadRegistry, match=r"horizons\.yaml.*closed for \d+ days"):
        loader.load(folder)


def test_all_contradictions_are_named_at_once(edit: Edit) -> None:
    """Two files that contradict a third are both in the message."""
    edit("settings.yaml", "target: ZL", "target: ZZ")
    folder = edit("exports.yaml", "horizon: 1m", "horizon: 2m")
    with pytest.raises(BadRegistry) as caught:
        loader.load(folder)
    assert "settings.yaml" in str(caught.value)
    assert "exports.yaml" in str(caught.value)


def test_a_spec_shows_only_what_was_declared(registry: Registry) -> None:
    """What a handler did not declare it cannot read, so its fingerprint is whole."""
    spec = Spec(registry, ("settings",))
    assert spec.settings.target == "ZL"
    with pytest.raises(BadRegistry, match=r"'universe' without declaring it.*settings"):
        _ = spec.universe


def test_a_specs_text_moves_with_its_own_entries_only(
    registry: Registry, edit: Edit
) -> None:
    """A change elsewhere in the registry leaves a handler's fingerprint alone."""
    other = loader.load(edit("horizons.yaml", "slack_days: ", "slack_days: 1"))
    for names, moved in ((("settings", "universe"), False), (("horizons",), True)):
        before = Spec(registry, names).canonical()
        assert (Spec(other, names).canonical() != before) is moved


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("ZL", "US cents per pound"),
        ("ZLZ25", "US cents per pound"),
        ("ZLZ80", "US cents per pound"),
        ("RSX25", "Canadian dollars per tonne"),
        ("MPCV25", "US dollars per tonne"),
        ("FCPOF26", "Malaysian ringgit per tonne"),
        ("ZLX25", None),
        ("ZLZ5", None),
        ("ZLZ2025", None),
        ("zlz25", None),
        ("GSPCZ25", None),
        ("XXZ25", None),
        ("", None),
    ],
)
def test_a_contract_is_known_by_its_root(
    registry: Registry, name: str, unit: str | None
) -> None:
    """A symbol, a letter of its own delivery months, two digits of the year."""
    found = registry.universe.of(name)
    assert (found and found.unit) == unit


def test_the_symbols_of_yahoo_are_those_of_the_universe(registry: Registry) -> None:
    """55 are asked for; the target is one; none of them is adjusted or deferred."""
    asked = registry.data_sources.sources["yahoo"].aliases
    assert len(asked) == len(set(asked.values())) == 55
    assert registry.settings.target in asked.values()
    assert not [name for name in asked.values() if "_" in name]
