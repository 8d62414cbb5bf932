"""`cbi sources` says what is due, missed, stale or failing, and `cbi health` hears of it.

The lake holds a few lines that stand here; nothing is fetched, and no key is shown.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.cli import timetable
from cbi_stream.doors.journal import Journals, Question
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.registry.fetching import Schedule
from cbi_stream.words import clock

Cbi = Callable[..., Any]
REGISTRY = Path(__file__).resolve().parents[2] / "registry"
NOW = datetime(2024, 1, 10, 18, tzinfo=UTC)
"""A Wednesday."""
FETCH = """    max_age_days: 5
    fetch:
      hosts: [api.example.org]
      secret: CBI_TEST_KEY
      schedule: {cadence: daily, at: "16:30", zone: America/Chicago}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which FRED is asked, and CFTC is not but has a limit."""
    folder = tmp_path_factory.mktemp("registry") / "registry"
    shutil.copytree(REGISTRY, folder)
    path = folder / "data_sources.yaml"
    lines, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        inside = line.startswith("    fetch:") or (inside and line.startswith("     "))
        if inside or line.startswith("    max_age_days:"):
            continue  # how sources are asked is said here, and by nobody else
        lines.append(line)
        if line == "  fred:\n":
            lines.append(FETCH)
        if line == "  cftc:\n":
            lines.append("    max_age_days: 10\n")
    path.write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def filled(cbi: Cbi, registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real lake with three days of one series."""
    folder = tmp_path_factory.mktemp("filled")
    file, lake = folder / "DGS10.csv", folder / "lake"
    file.write_text(
        "observation_date,DGS10\n2024-01-05,4.05\n2024-01-08,4.01\n2024-01-09,4.02\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CBI_REGISTRY", str(registry))
        assert cbi("init", "--lake", lake).code == 0
        assert cbi("ingest", "fred", "--folder", folder, "--lake", lake).code == 0
    return lake


@pytest.fixture
def lake(
    filled: Path, registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Return a copy of that lake with a dispatcher that lives, at an hour that stands."""
    monkeypatch.setenv("CBI_REGISTRY", str(registry))
    monkeypatch.delenv("CBI_TEST_KEY", raising=False)
    folder = Path(shutil.copytree(filled, tmp_path / "lake"))
    with clock.held_at(NOW), durable.locked(folder / "dispatch.lock", wait=False):
        plain = {"pid": os.getpid(), "at": NOW.isoformat()}
        (folder / "heartbeat.json").write_text(json.dumps(plain))
        yield folder


@pytest.fixture
def ask(lake: Path, registry: Path) -> Callable[..., None]:
    """Return a function that writes what FRED answered."""

    def asked(outcome: str, at: datetime, **more: Any) -> None:
        question = Question(at=at, name="DGS10.csv", outcome=outcome, **more)
        Journals(Lake(lake, loader.load(registry))).append("fred", question)

    return asked


def _of(cbi: Cbi, lake: Path, source: str = "fred") -> dict[str, Any]:
    said = cbi("sources", source, "--lake", lake, "--json")
    assert said.code == 0, said.err
    [found] = json.loads(said.out)["sources"]
    return dict(found)


def test_a_source_says_when_it_is_asked_and_how_old_its_data_is(
    cbi: Cbi, lake: Path, ask: Callable[..., None]
) -> None:
    """By the source's clock and by the machine's; from the map, without a scan."""
    ask("same", NOW - timedelta(hours=19))
    found = _of(cbi, lake)
    assert found["schedule"] == "every weekday, 16:30 America/Chicago"
    assert found["next"] == "Wed 2024-01-10 16:30 CST"
    due = datetime(2024, 1, 10, 22, 30, tzinfo=UTC)
    assert found["next_here"] == timetable.by(due, None)
    assert (found["state"], found["newest"], found["age_days"]) == (
        "fresh",
        "2024-01-09",
        1,
    )
    assert found["last_success"] == timetable.by(NOW - timedelta(hours=19), None)
    assert (found["failures"], found["missed"]) == (0, None)


def test_a_time_that_no_answer_came_after_is_missed(
    cbi: Cbi, lake: Path, ask: Callable[..., None]
) -> None:
    """The newest one is named, however many there were."""
    ask("landed", NOW - timedelta(days=9))
    assert _of(cbi, lake)["missed"] == "Tue 2024-01-09 16:30 CST"
    assert (
        "missed: fred: Tue 2024-01-09 16:30 CST" in cbi("sources", "--lake", lake).out
    )


def test_whether_a_key_is_set_is_said_and_the_key_is_not(
    cbi: Cbi, lake: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set, optional or missing; nobody sees its value."""
    assert _of(cbi, lake)["key"] == "not set, not needed"
    assert _of(cbi, lake, "cftc")["key"] is None
    monkeypatch.setenv("CBI_TEST_KEY", "hush-hush")
    said = cbi("sources", "--lake", lake)
    assert _of(cbi, lake)["key"] == "set"
    assert "hush-hush" not in said.out + said.err


def test_a_source_that_needs_its_key_and_has_none_is_no_illness(
    cbi: Cbi,
    lake: Path,
    registry: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[..., None],
) -> None:
    """Nobody meant to use it: health is silent about it until it was asked in vain."""
    folder = Path(shutil.copytree(registry, tmp_path / "registry"))
    path = folder / "data_sources.yaml"
    text = path.read_text(encoding="utf-8")
    secret = "secret: CBI_TEST_KEY\n      keyless: false\n"
    text = text.replace("secret: CBI_TEST_KEY\n", secret)
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("CBI_REGISTRY", str(folder))
    shutil.rmtree(lake / "raw" / "fred")
    found = _of(cbi, lake)
    assert (found["state"], found["key"]) == ("never", "missing")
    assert cbi("health", "--lake", lake).code == 0
    monkeypatch.setenv("CBI_TEST_KEY", "hush-hush")
    assert cbi("health", "--lake", lake).code == 0
    ask("empty", NOW - timedelta(hours=1))
    said = cbi("health", "--lake", lake)
    assert said.code == 3
    assert "stale: fred: it was asked, and no data of it is here" in said.out


def test_old_data_is_stale_and_health_says_so(
    cbi: Cbi, lake: Path, ask: Callable[..., None]
) -> None:
    """Five days may pass; on the sixth it is exit 3, with the day that it stopped at."""
    ask("same", NOW)
    assert cbi("health", "--lake", lake).code == 0
    for day, state, code in ((14, "fresh", 0), (15, "stale", 3)):
        with clock.held_at(datetime(2024, 1, day, 18, tzinfo=UTC)):
            _live(lake)
            found = _of(cbi, lake)
            said = cbi("health", "--lake", lake)
        assert (found["state"], found["age_days"], said.code) == (state, day - 9, code)
    assert "stale: fred: its newest data is of 2024-01-09, 6 days old" in said.out


def _live(lake: Path) -> None:
    plain = {"pid": os.getpid(), "at": clock.now().isoformat()}
    (lake / "heartbeat.json").write_text(json.dumps(plain))


def test_one_frozen_series_among_fresh_ones_is_seen(
    cbi: Cbi, lake: Path, ask: Callable[..., None]
) -> None:
    """The source as a whole is fresh; the answers for one series stopped a month ago."""
    ask("landed", NOW, series="DGS10", newest=date(2024, 1, 9))
    assert cbi("health", "--lake", lake).code == 0
    ask("landed", NOW, series="NFCI", newest=date(2023, 12, 8))
    said = cbi("health", "--lake", lake)
    assert said.code == 3
    assert "stale: fred: NFCI: the newest answer is of 2023-12-08" in said.out
    assert _of(cbi, lake)["state"] == "fresh"


def test_a_failing_source_is_said_with_its_reason(
    cbi: Cbi, lake: Path, ask: Callable[..., None]
) -> None:
    """How often in a row, and why the last time; until it answers again."""
    for hour in range(3):
        ask("failed", NOW + timedelta(hours=hour), reason=f"503 at {hour}\x1b[31m")
    for verb, code in (("health", 3), ("sources", 0)):
        said = cbi(verb, "--lake", lake)
        assert said.code == code
        assert r"failing: fred: 3 in a row: 503 at 2\x1b[31m" in said.out
    found = json.loads(cbi("health", "--lake", lake, "--json").out)
    assert found["healthy"] is False
    assert len(found["sources"]) == 1
    ask("empty", NOW + timedelta(hours=4))
    assert cbi("health", "--lake", lake).code == 0


def test_a_source_that_nobody_asks_counts_only_with_data(
    cbi: Cbi, lake: Path, tmp_path: Path, ask: Callable[..., None]
) -> None:
    """CFTC has a limit and no line here: that is no illness."""
    ask("same", NOW)
    found = _of(cbi, lake, "cftc")
    assert (found["state"], found["schedule"], found["next"]) == ("never", None, None)
    said = cbi("health", "--lake", lake, "--json")
    assert (said.code, json.loads(said.out)["sources"]) == (0, [])


def test_a_damaged_table_hides_no_other_source(cbi: Cbi, lake: Path) -> None:
    """What cannot be read is said in its line."""
    newest = max((lake / "raw" / "fred" / "_delta_log").glob("*.json"))
    newest.write_bytes(newest.read_bytes()[:50])
    said = cbi("sources", "--lake", lake, "--json")
    states = {e["source"]: e["state"] for e in json.loads(said.out)["sources"]}
    assert (states["fred"], states["cftc"]) == ("damaged", "never")


def test_a_table_for_people_has_every_source(cbi: Cbi, lake: Path) -> None:
    """And a word that is no source is wrong usage."""
    said = cbi("sources", "--lake", lake)
    names = ("yahoo", "yfinance", "cftc", "fred", "last success", "2024-01-09")
    assert [name for name in names if name not in said.out] == []
    assert "Wed 2024-01-10 16:30 CST" in said.out
    assert (
        "every weekday, 16:30 America/Chicago"
        in cbi("sources", "fred", "--lake", lake).out
    )
    wrong = cbi("sources", "freed", "--lake", lake)
    assert (wrong.code, wrong.out) == (2, "")
    assert "expected one of the sources" in wrong.err


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"cadence": "weekly", "days": ["tue"], "weekdays_after": 3},
            "3 weekdays after every Tue, 12:00 UTC",
        ),
        (
            {"cadence": "weekly", "days": ["mon"], "months": [5, 4], "closed": "x"},
            "every Mon, 12:00 UTC, in Apr May, closed as x",
        ),
        (
            {"cadence": "monthly", "day_of_month": 8, "through": 12},
            "day 8 to 12 of the month, 12:00 UTC",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": 2, "through": 5},
            "weekday 2 to 5 of the month, 12:00 UTC",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": 1, "days": ["thu"]},
            "first Thu of the month, 12:00 UTC",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": -1, "at_when_moved": time(13)},
            "last weekday of the month, 12:00 UTC (13:00 where a closed day moved it)",
        ),
        (
            {"cadence": "monthly", "weekday_of_month": -7},
            "7th weekday from the end of the month, 12:00 UTC",
        ),
        (
            {
                "cadence": "daily",
                "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            },
            "every day, 12:00 UTC",
        ),
    ],
)
def test_a_schedule_in_words(entry: dict[str, Any], expected: str) -> None:
    """Each way to say when is a phrase that a person reads once."""
    schedule = Schedule.model_validate({"at": time(12), "zone": "UTC", **entry})
    assert timetable.in_words(schedule) == expected
