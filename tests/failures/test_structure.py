"""F23 to F26, F31, F34, F38, F40: what no gate needs to catch, since it cannot happen.

Each is looked up in the true product, and planted beside it. Nothing here runs a lake.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from cbi_stream import days, handler
from cbi_stream.engine.graph import build, discover
from cbi_stream.kernels.asof import newest_known
from cbi_stream.lake.canonical import canonical
from cbi_stream.registry.loader import load
from cbi_stream.words.errors import BadRegistry, BrokenContract, CbiError
from tests.failures.frames import ROOT, registry

BROAD = {"Exception", "BaseException"}
ZONES = ("raw", "quarantine", "staging", "features", "labels")
KEY = re.compile(
    r"""(?ix) \b[a-z_]*(key|token|secret|password)["']? \s*[:=]\s* ["']?
        (?=[a-z0-9_-]*\d)(?=[a-z0-9_-]*[a-z]) [a-z0-9_-]{20,}"""
)


@pytest.fixture(scope="module")
def graph():
    """Return the product's graph."""
    return discover(registry())


def swallowed(text):
    """Return the lines where any error whatever is caught, and nothing is raised."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            kinds = [node.type] if node.type else []
            kinds = (
                kinds[0].elts if kinds and isinstance(kinds[0], ast.Tuple) else kinds
            )
            ends = any(isinstance(inner, ast.Raise) for inner in node.body)
            if ends:
                continue
            if not kinds or BROAD & {getattr(kind, "id", "") for kind in kinds}:
                found.append(node.lineno)
    return found


def test_f23_no_handler_swallows_an_error():
    """No file under handlers/ lets pass whatever comes; the planted ways are seen."""
    files = sorted((ROOT / "handlers").rglob("*.py"))
    assert len(files) > 50
    assert [p.name for p in files if swallowed(p.read_text(encoding="utf-8"))] == []
    for way in ("except:", "except Exception:", "except (ValueError, Exception) as e:"):
        assert swallowed(f"try:\n    f()\n{way}\n    print('base features only')\n")
    assert not swallowed("try:\n    f()\nexcept ValueError:\n    g()\n")
    assert not swallowed("try:\n    f()\nexcept Exception:\n    raise\n")


def test_f23_a_stage_that_drops_its_columns():
    """A frame without a column of its contract, or with another, is refused."""
    contract = registry().contracts["features.master"]
    kinds = {"float": pl.Float64, "int": pl.Int64, "date": pl.Date, "bool": pl.Boolean}
    kinds |= {"string": pl.String}
    row = pl.DataFrame(schema={n: kinds[c.type] for n, c in contract.columns.items()})
    assert canonical(row, contract).width == len(contract.columns)
    for fault in (row.drop("volatility_20"), row.with_columns(volatility_30=1.0)):
        with pytest.raises(BrokenContract, match="volatility"):
            canonical(fault, contract)


def test_f34_a_column_of_another_type():
    """A date as text is refused: a contract has one type per column."""
    contract = registry().contracts["labels.forward"]
    kinds = {
        "float": pl.Float64,
        "date": pl.Date,
        "string": pl.String,
        "bool": pl.Boolean,
    }
    row = pl.DataFrame(schema={n: kinds[c.type] for n, c in contract.columns.items()})
    assert canonical(row, contract).width == len(contract.columns)
    with pytest.raises(CbiError, match="matures_on"):
        canonical(row.with_columns(pl.col("matures_on").cast(pl.String)), contract)


def test_f24_every_step_exists_and_none_is_listed(graph):
    """The graph is made of what is imported: a source without its reader is refused."""
    assert {node.table for node in graph.nodes} >= {"features.master", "labels.forward"}
    known = registry().data_sources
    assert known.sources.keys() == graph.parsers.keys()
    for source, entry in known.sources.items():
        assert entry.fetch is None or source in graph.connectors


def test_f25_a_source_that_is_asked_has_an_age():
    """Each source that is asked goes stale at a stated age, which `cbi health` watches."""
    asked = {n: s for n, s in registry().data_sources.sources.items() if s.fetch}
    assert len(asked) > 20
    assert [name for name, source in asked.items() if not source.max_age_days] == []


def test_f25_an_old_observation_is_no_value():
    """An observation beyond its age is missing in the panel, and each shows its age."""
    names = {f.name for f in registry().feature_registry.features}
    for column in registry().join_spec.observations:
        assert {column, f"{column}_age_days"} <= names
    moment = datetime(2025, 11, 6, tzinfo=UTC)
    row = pl.DataFrame({"date": [moment.date()], "decision_time": [moment]})
    for age, there in ((12, 1), (57, 0)):
        day = pl.Series([moment.date()]).dt.offset_by(f"-{age}d")
        seen = pl.DataFrame(
            {"date": day, "vintage": 0, "value": 48.92, "knowable_at": moment}
        )
        assert newest_known(row, seen, max_age_days=12).height == there


def test_f26_nothing_reads_what_it_writes(graph):
    """Each table is made of tables to its left; a handler that reads its own is refused."""
    place = {node.table: i for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        assert node.table not in node.inputs
        for table in node.inputs:
            assert table.startswith("raw.") or place[table] < place[node.table]
            left, here = (ZONES.index(t.partition(".")[0]) for t in (table, node.table))
            assert left <= here, f"{node.table} reads {table}"

    @handler(reads={"features.panel": days()}, writes="features.panel")
    def again(panel: pl.DataFrame) -> pl.DataFrame:
        return panel

    with pytest.raises(CbiError):
        build(registry(), [again])


@pytest.mark.parametrize(
    ("old", "said"),
    [("series: VIXCLS", "VIX_DATA"), ("symbol: ZS", "VIX_DATA")],
)
def test_f31_a_join_to_what_is_not_there(tmp_path, old, said):
    """A renamed series or symbol is refused when loading, with file and line."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for path in sorted((ROOT / "registry").rglob("*")):
        target = folder / path.relative_to(ROOT / "registry")
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.write_bytes(path.read_bytes())
    file = folder / "join_spec.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    load(folder)
    renamed = text.replace(old, f"{old.partition(':')[0]}: VIX_DATA", 1)
    file.write_text(renamed, encoding="utf-8")
    with pytest.raises(BadRegistry, match=said) as refused:
        load(folder)
    assert "join_spec.yaml:" in str(refused.value)


def test_f38_no_source_is_asked_before_its_release():
    """Where a source comes out at an hour of a weekday, it is asked after that hour."""
    sources = registry().data_sources.sources
    judged = []
    for name, source in sources.items():
        release, fetch = source.release, source.fetch
        if not (release and fetch and source.tier == "P0"):
            continue
        if release.weekdays_after is None or release.zone != fetch.schedule.zone:
            continue
        judged.append(name)
        assert fetch.schedule.at >= release.at, name
    assert {"yahoo", "cftc", "esr"} <= set(judged)


def test_f38_a_source_without_a_release_is_refused():
    """A series of which nobody says when it is out cannot be registered."""
    fred = registry().data_sources.sources["fred"]
    plain = fred.model_dump(mode="json")
    plain["series"]["VIXCLS"]["release"] = None
    plain["release"] = None
    with pytest.raises(ValueError, match="VIXCLS"):
        type(fred).model_validate(plain)


def test_f40_no_key_stands_in_a_file():
    """No file of the product holds what looks like a key; a planted one is seen."""
    places = ("cbi_stream", "handlers", "registry", "docs", "bench")
    files = [
        path
        for place in places
        for path in sorted((ROOT / place).rglob("*"))
        if path.suffix in {".py", ".yaml", ".json", ".md", ".csv"}
    ]
    assert len(files) > 200
    found = [p.name for p in files if KEY.search(p.read_text(encoding="utf-8"))]
    assert found == []
    for planted in (
        "FRED_API_KEY = '0123456789abcdef0123456789abcdef'",
        "token: ab12cd34ef56ab12cd34ef56",
    ):
        assert KEY.search(planted)
    assert not KEY.search("secret: FRED_API_KEY")


def test_the_registry_of_these_tests_is_the_product_s():
    """What is planted here never reaches the registry that others look at."""
    assert replace(registry()) == registry()
    assert registry().sessions.on_or_after(date(2020, 6, 13)) == date(2020, 6, 15)
