"""Documents, events and rates against a walk in plain Python. Nothing asks a kernel."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from cbi_stream.engine import probe
from cbi_stream.engine.graph import discover
from handlers.features.announcements import (
    KINDS,
    TOPICS,
    documents_counted,
    events_counted,
    rates_in_force,
)
from handlers.features.policy import policy
from tests.features.graded import grid, knowable, nothing, same, versions

EVENT = {
    "event": pl.String,
    "topic": pl.String,
    "date": pl.Date,
    "vintage": pl.Int64,
    "effective_at": pl.Date,
    "source": pl.String,
    "knowable_at": pl.Datetime("us", "UTC"),
}


@pytest.fixture(scope="module")
def sessions(registry):
    """Return the sessions of three years."""
    return grid(registry, date(2017, 1, 3), date(2019, 12, 31))


@pytest.fixture(scope="module")
def documents():
    """Return documents of four topics; some late, one topic ends, then nothing comes."""
    chance = np.random.Generator(np.random.PCG64(8))
    shares = {"soybeans": 0.15, "section_301": 0.05, "clean_fuel_credit": 0.004}
    rows = []
    for i in range(1500):
        day = date(2015, 6, 1) + timedelta(days=i)
        for topic, share in shares.items():
            if chance.random() < share:
                late = 1 if chance.random() < 0.8 else 4
                count = float(chance.integers(1, 4))
                rows.append((topic, day, 0, count, knowable(day, after=late)))
    rows.append(
        (
            "biodiesel_duties",
            date(2015, 6, 3),
            0,
            1.0,
            knowable(date(2015, 6, 3), after=0),
        )
    )
    return versions(rows)


def _event(
    name, topic, said, *, effective=None, vintage=0, late=0, source="tariff_events"
):
    return (name, topic, said, vintage, effective, source, knowable(said, after=late))


@pytest.fixture(scope="module")
def events():
    """Return events of a few kinds, with corrections and days to come."""
    chance = np.random.Generator(np.random.PCG64(9))
    topics = [t for kinds in KINDS.values() for t in kinds if t != "subsidy"]
    rows = []
    for i in range(70):
        said = date(2016, 1, 4) + timedelta(days=int(chance.integers(0, 900)))
        topic = topics[int(chance.integers(0, len(topics)))]
        ahead = int(chance.integers(-10, 200))
        effective = said + timedelta(days=ahead) if ahead % 3 else None
        rows.append(_event(f"e{i}", topic, said, effective=effective, late=i % 2))
        if i % 5 == 0:
            moved = None if i % 2 else said + timedelta(days=ahead + 30)
            rows.append(
                _event(f"e{i}", topic, said, effective=moved, vintage=1, late=20)
            )
    for i, topic in enumerate(("section_301", "renewable_fuel_standard", "soybeans")):
        said = date(2017, 5, 1)
        rows.append(
            _event(
                f"d{i}",
                topic,
                said,
                effective=said + timedelta(days=40),
                source="federal_register",
            )
        )
    return pl.DataFrame(rows, schema=EVENT, orient="row")


def _fading(told: list[tuple[date, float]], session: date, life: int) -> float:
    """Return what is left of some mentions, from the words of the registry."""
    ages = [((session - day).days, value) for day, value in told]
    return sum(value * 0.5 ** (age / life) for age, value in ages if age <= 10 * life)


def _counted(told, any_day, session, *, limit, fresh):
    """Return the two faded counts and the silence of one group."""
    near = [(d, v) for d, v in told if (session - d).days <= limit]
    newest = max((d for d in any_day if (session - d).days <= limit), default=None)
    if not near or newest is None or (session - newest).days > fresh:
        return None, None, None
    silence = (session - max(d for d, _ in near)).days
    return _fading(near, session, 7), _fading(near, session, 30), float(silence)


def _wrong(
    found: pl.DataFrame, expected: dict[date, dict[str, float | None]]
) -> list[str]:
    return [
        f"{name} on {day}: {value}, found {here[name]}"
        for day, cells in expected.items()
        for here in [found.row(by_predicate=pl.col("date") == day, named=True)]
        for name, value in cells.items()
        if not same(value, here[name])
    ]


def test_documents_fade_as_a_walk_says(sessions, documents):
    """Counts halve after 7 and 30 days, end after ten half-lives, and none is made up."""
    found = documents_counted(sessions, documents)
    rows = documents.to_dicts()
    expected = {}
    for at in range(0, sessions.height, 9):
        day, decision = sessions["date"][at], sessions["decision_time"][at]
        known = [r for r in rows if r["knowable_at"] <= decision and r["date"] <= day]
        cells = {}
        for topic in TOPICS:
            told = [(r["date"], r["value"]) for r in known if r["series"] == topic]
            week, month, silence = _counted(
                told, [r["date"] for r in known], day, limit=730, fresh=60
            )
            cells |= {
                f"{topic}_documents_7": week,
                f"{topic}_documents_30": month,
                f"days_since_{topic}": silence,
            }
        expected[day] = cells
    assert _wrong(found, expected) == []
    assert found["soybeans_documents_7"].null_count() > 60, "after the last of all"
    assert found["section_301_documents_30"].max() > 2.0
    assert found["presidential_tariffs_documents_30"].null_count() == found.height
    assert 50 < found["days_since_biodiesel_duties"].count() < found.height


def test_events_fade_and_come_as_a_walk_says(sessions, events):
    """What was announced fades by kind, and days to come are those known by then."""
    found = events_counted(sessions, events)
    awaited = {
        "trade": (
            *KINDS["trade"],
            "section_301",
            "presidential_tariffs",
            "biodiesel_duties",
        ),
        "biofuel": (*KINDS["biofuel"], "renewable_fuel_standard", "clean_fuel_credit"),
    }
    expected = {}
    for at in range(0, sessions.height, 9):
        day, decision = sessions["date"][at], sessions["decision_time"][at]
        known: dict[str, dict] = {}
        for row in events.sort("vintage").to_dicts():
            if row["knowable_at"] <= decision and row["date"] <= day:
                known[row["event"]] = row
        mine = [r for r in known.values() if r["source"] == "tariff_events"]
        cells = {}
        for kind, topics in KINDS.items():
            told = [(r["date"], 1.0) for r in mine if r["topic"] in topics]
            week, month, silence = _counted(
                told, [r["date"] for r in mine], day, limit=1096, fresh=365
            )
            cells |= {
                f"{kind}_events_7": week,
                f"{kind}_events_30": month,
                f"days_since_{kind}_event": silence,
            }
        for kind, topics in awaited.items():
            ahead = [
                (r["effective_at"] - day).days
                for r in known.values()
                if r["topic"] in topics
                and r["effective_at"]
                and r["effective_at"] > day
            ]
            cells[f"days_to_{kind}_effective"] = float(min(ahead)) if ahead else None
        expected[day] = cells
    assert _wrong(found, expected) == []
    held = found["days_to_trade_effective"].count()
    assert 100 < held < found.height
    assert found["trade_events_30"].null_count() > 100, "a year after the last line"


def test_a_day_that_is_taken_back_is_awaited_no_more(registry):
    """A correction without a day ends the wait from when it was known."""
    sessions = grid(registry, date(2018, 3, 1), date(2018, 3, 30))
    said = date(2018, 3, 5)
    told = [_event("e", "tariff", said, effective=date(2018, 4, 2))]
    told.append(_event("e", "tariff", said, vintage=1, late=10))
    found = events_counted(sessions, pl.DataFrame(told, schema=EVENT, orient="row"))
    waits = found.filter(pl.col("days_to_trade_effective").is_not_null())["date"]
    assert (waits[0], waits[-1]) == (said, date(2018, 3, 14))
    assert found["days_since_trade_event"].count() == found.height - 2


def test_a_rate_holds_from_its_day_and_not_from_its_announcement(registry):
    """China's duty of 2018-07-06 was known in June and holds from its day."""
    sessions = grid(registry, date(2018, 6, 1), date(2018, 8, 31))
    series = "china.tariff_on_us_soybeans_percent"
    rows = [
        (series, date(2010, 1, 1), 0, 3.0, knowable(date(2010, 1, 1), after=0)),
        (series, date(2018, 7, 6), 0, 28.0, knowable(date(2018, 6, 15), after=0)),
        # A correction that this lake saw in August.
        (series, date(2018, 7, 6), 1, 27.5, knowable(date(2018, 8, 1), after=0)),
    ]
    taxes = {
        "argentina.soybean_export_tax_percent": 26.0,
        "argentina.soybean_oil_export_tax_percent": 23.0,
    }
    early = knowable(date(2018, 1, 2), after=0)
    rows += [(name, date(2018, 1, 2), 0, rate, early) for name, rate in taxes.items()]
    found = rates_in_force(sessions, versions(rows))
    by_day = dict(found.select("date", "china_soybean_tariff").iter_rows())
    assert by_day[date(2018, 7, 5)] == 3.0
    assert by_day[date(2018, 7, 6)] == 28.0
    assert by_day[date(2018, 7, 31)] == 28.0
    assert by_day[date(2018, 8, 1)] == 27.5
    assert found["argentina_tax_gap"].unique().to_list() == [3.0]
    assert found["us_china_tariff"].null_count() == found.height


def test_nothing_looks_ahead(registry):
    """The engine's probe passes the family, bit for bit."""
    graph = discover(registry)
    assert probe.check(graph, graph.node("features.policy")).window_pure


def test_each_feature_names_what_moves_it(registry, sessions, documents, events):
    """Without the rows of a source's series its features are null, and no others move."""
    given = {n: nothing(registry, f"staging.{n}") for n in ("tpu", "epu", "gpr")}
    rates = versions(
        [
            (s, date(2016, 1, 4), 0, 5.0, knowable(date(2016, 1, 4), after=0))
            for s in registry.data_sources.sources["policy_rates"].series
        ]
    )
    given |= {"documents": documents, "events": events, "policy_rates": rates}
    near = sessions.filter(pl.col("date") < date(2018, 1, 1))
    whole = policy(sessions=near, **given)
    features = registry.feature_registry.of_table("features.policy")
    tables = {"documents": "series", "events": "topic", "policy_rates": "series"}
    for table, column in tables.items():
        for name in given[table][column].unique():
            fewer = {table: given[table].filter(pl.col(column) != name)}
            found = policy(sessions=near, **(given | fewer))
            moved = {
                f.name
                for f in features
                if not found[f.name].equals(whole[f.name], null_equal=True)
            }
            named = {
                f.name
                for f in features
                if any(s.partition(".")[2] == name for s in f.sources)
            }
            assert moved <= named, name
            if table == "policy_rates":
                assert moved == named, name
