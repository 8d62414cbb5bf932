"""F10, F11, F16, F17, F36: numbers under a name that is not theirs, and words nobody knows.

Each fault is planted into the registry or the rows; without it the same check passes.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from handlers.gates.events import event_facts_cited
from handlers.gates.identifiers import known_contracts, known_stations
from handlers.gates.own_market import own_correlation
from handlers.gates.provenance import names_carry_provenance
from handlers.gates.vocabulary import known_words
from tests.failures.frames import (
    ROOT,
    assert_fails,
    assert_passes,
    column,
    draws,
    effect,
    market,
    partition,
    registry,
)

MASTER = "features.master"
COT = partition("staging.cftc")
OWN = {
    "table": MASTER,
    "column": "net",
    "market": "close",
    "over": 20,
    "least": 0.3,
    "least_rows": 250,
}
NAMES = {
    "table": MASTER,
    "observed": {"vix*": ("fred.VIXCLS",), "rin_*": ("epa_rin.*",)},
    "made": ("*_proxy*",),
}
CITED = {"cited_by": "citation", "form": "https?://|[0-9]{4}-[0-9]+"}


def counts(*codes):
    """Return positions of these contracts."""
    return pl.DataFrame({"series": [f"{code}.open_interest" for code in codes]})


def with_contract(code, name):
    """Return the registry with a contract called something else."""
    known = registry().data_sources
    source = known.sources["cftc"]
    changed = source.model_copy(update={"contracts": source.contracts | {code: name}})
    sources = known.sources | {"cftc": changed}
    data_sources = known.model_copy(update={"sources": sources})
    return replace(registry(), data_sources=data_sources)


def with_feature(name, **said):
    """Return the registry with a feature of this name."""
    known = registry().feature_registry
    vix = next(f for f in known.features if f.name == "vix")
    added = vix.model_copy(update={"name": name, **said})
    changed = known.model_copy(update={"features": (*known.features, added)})
    return replace(registry(), feature_registry=changed)


def test_f10_crude_oil_called_soybean_oil():
    """067651 is WTI: under the name of soybean oil it fails, and so does a stranger."""
    numbers = {
        "source": "cftc",
        "reference": {"007601": "soybean oil", "067651": "WTI"},
    }
    assert_passes(known_contracts, counts("007601", "067651"), COT, **numbers)
    wrong = partition("staging.cftc", spec=with_contract("067651", "soybean oil"))
    assert_fails(known_contracts, counts("067651"), wrong, at="067651", **numbers)
    assert_fails(known_contracts, counts("099999"), COT, at="099999", **numbers)
    other = {**numbers, "source": "cot_of_nobody"}
    assert not known_contracts(counts("007601"), COT, **other).passed


def test_f10_positions_that_are_of_another_market():
    """Positions move with their own market's price; those of another one do not."""
    rows = market()
    noise = pl.Series(draws(rows.height, seed=21))
    own = rows.with_columns(net=pl.col("close") * 1000 + 100 * noise)
    assert_passes(own_correlation, {MASTER: own}, effect(), **OWN)
    other = column("net", seed=22)
    assert_fails(own_correlation, {MASTER: other}, effect(), at="net", **OWN)
    short = own.head(100)
    assert_fails(own_correlation, {MASTER: short}, effect(), at="80 rows", **OWN)


def test_f11_a_station_that_stands_elsewhere():
    """USW00014839 is Milwaukee: a list that says Des Moines fails."""
    rows = pl.DataFrame({"series": ["USW00014839.tmax", "USW00014839.prcp"]})
    ghcn = partition("staging.ghcn")
    numbers = {"source": "ghcn", "reference": {"USW00014839": "Milwaukee"}}
    assert_passes(known_stations, rows, ghcn, **numbers)
    wrong = {**numbers, "reference": {"USW00014839": "Des Moines"}}
    assert_fails(known_stations, rows, ghcn, at="USW00014839", **wrong)
    nobody = {**numbers, "reference": {}}
    assert_fails(known_stations, rows, ghcn, at="not in the reference", **nobody)


def test_f16_a_proxy_under_an_observed_name():
    """A RIN price made of a spread fails; named a proxy, or drawn from EPA, it passes."""
    rows = market().with_columns(vix=pl.lit(20.0))
    assert_passes(names_carry_provenance, {MASTER: rows}, effect(), **NAMES)
    spread = "close - 12 * heating_oil_close"
    fake = {MASTER: rows.with_columns(rin_d4_price=pl.lit(1.0))}
    made = effect(spec=with_feature("rin_d4_price", sources=(), formula=spread))
    assert_fails(names_carry_provenance, fake, made, at="rin_d4_price", **NAMES)
    true = effect(spec=with_feature("rin_d4_price", sources=("epa_rin.d4",)))
    assert_passes(names_carry_provenance, fake, true, **NAMES)
    honest = {MASTER: rows.with_columns(rin_d4_proxy=pl.lit(1.0))}
    assert_passes(names_carry_provenance, honest, effect(), **NAMES)
    assert_fails(names_carry_provenance, fake, effect(), at="rin_d4_price", **NAMES)


def test_f17_an_event_that_nobody_can_read_up():
    """No citation, one that is no address, or known before announced: each fails."""
    at = datetime(2018, 7, 6, 4, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "event": ["first", "second"],
            "date": [date(2018, 7, 6)] * 2,
            "announced_at": [at] * 2,
            "knowable_at": [at] * 2,
            "citation": ["https://example.test/1", "2018-12345"],
        }
    )
    events = partition("staging.events")
    assert_passes(event_facts_cited, rows, events, **CITED)
    for cell in ("", "as everybody knows", None):
        fake = rows.with_columns(citation=pl.lit(cell, dtype=pl.String))
        assert_fails(event_facts_cited, fake, events, at="first", **CITED)
    early = rows.with_columns(pl.col("knowable_at").dt.offset_by("-1d"))
    assert_fails(event_facts_cited, early, events, at="2018-07-06", **CITED)


def dates_written_out(text):
    """Return the lines of code that hold a date: `date(2024, 1, 1)`, `'2024-01-01'`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        called = isinstance(node, ast.Call) and getattr(
            node.func, "id", getattr(node.func, "attr", "")
        ) in {"date", "datetime"}
        # With a year that is computed it is a rule of the calendar, and no history.
        numbers = called and node.args and isinstance(node.args[0], ast.Constant)
        said = isinstance(node, ast.Constant) and isinstance(node.value, str)
        like = said and len(node.value) == 10 and node.value[:4].isdigit()
        if numbers or (like and node.value[4] == "-"):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("folder", ["features", "assemble", "labels"])
def test_f17_no_history_is_written_into_features(folder):
    """No feature, join or label holds a date: facts come from dated tables alone."""
    files = sorted((ROOT / "handlers" / folder).glob("*.py"))
    assert files
    for path in files:
        assert dates_written_out(path.read_text(encoding="utf-8")) == [], path.name


def test_f17_a_date_in_code_is_seen():
    """Both ways to write a date into a feature are seen; a month's number is not."""
    assert dates_written_out("pl.when(pl.col('date') >= date(2024, 1, 1)).then(1.25)")
    assert dates_written_out("x = pl.col('date') > '2025-01-01'")
    assert not dates_written_out("pl.col('date').dt.month().is_in((2, 4, 6))")


def test_f36_a_word_that_nobody_writes():
    """An unknown word, another case, a null, and a reader's dead word: each fails."""
    rows = pl.DataFrame({"horizon": ["1w", "12m"]})
    labels = partition("labels.forward")
    numbers = {"column": "horizon", "words": (), "registry": "horizons.days",
               "used": ("1w", "1m")}  # fmt: skip
    assert_passes(known_words, rows, labels, **numbers)
    for word in ("2w", "1W", None):
        fake = rows.vstack(pl.DataFrame({"horizon": [word]}, schema=rows.schema))
        assert_fails(known_words, fake, labels, at="horizon", **numbers)
    dead = {**numbers, "used": ("1w", "1week")}
    assert_fails(known_words, rows, labels, at="'1week'", **dead)
    nowhere = {**numbers, "registry": "regime_calendar.regimes"}
    assert not known_words(rows, labels, **nowhere).passed
