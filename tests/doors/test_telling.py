"""What the daemon says of files and waves: once, and with the series in plain sight."""

from __future__ import annotations

import json

import pytest

from cbi_stream.doors.logs import open_log
from cbi_stream.doors.receipts import Receipt
from cbi_stream.doors.telling import Telling
from cbi_stream.engine.report import TableReport, WaveReport


@pytest.fixture
def told(tmp_path):
    """Give the one that speaks, and what stands in the log."""
    (tmp_path / "lake.json").touch()
    log = open_log(tmp_path, to_stderr=False)

    def lines():
        found = (tmp_path / "logs" / "cbi.log").read_text().splitlines()
        return [json.loads(line) for line in found]

    yield Telling(log), lines
    log.close()


def _receipt(end, **more):
    return Receipt(file="ZL=F.csv", end=end, **more)


def test_the_series_of_a_file_is_no_secret(told):
    """Whose file it is can be read; what is not known is not there."""
    telling, lines = told
    telling.files([_receipt("archive", source="yahoo", key="ZL", lines=3)])
    [line] = lines()
    assert (line["event"], line["series"], line["lines"]) == ("file.taken", "ZL", 3)
    assert "mend" not in line
    assert "[redacted]" not in json.dumps(line)


def test_a_file_that_waits_is_told_when_its_reason_changes(told):
    """Not at each look; again after it came to an end in between."""
    telling, lines = told
    for reason in ("no symbol", "no symbol", "not its time"):
        telling.files([_receipt("waiting", reason=reason)])
    telling.files([_receipt("quarantine", reason="a web page")])
    telling.files([_receipt("waiting", reason="not its time")])
    events = [line["event"] for line in lines()]
    assert events == ["file.held", "file.held", "file.refused", "file.held"]


def test_damage_is_told_once_and_its_end_once(told):
    """A wave that was stopped early has not seen every table: it mends none."""
    telling, lines = told
    bad = WaveReport(tables={"raw.fred": TableReport(damaged="cut")})
    for report in (bad, bad, WaveReport(stopped=True), WaveReport(), WaveReport()):
        telling.wave(report, seconds=0.1, waits={})
    events = [line["event"] for line in lines()]
    assert events == ["table.damaged", "table.mended"]


def test_a_failure_says_when_it_is_tried_again(told):
    """The partition, its reason, and the wait."""
    telling, lines = told
    report = WaveReport(
        tables={"features.panel": TableReport(failed={"2020": "ValueError: x"})}
    )
    telling.wave(report, seconds=0.1, waits={("features.panel", "2020"): 1.25})
    line = next(each for each in lines() if each["event"] == "partition.failed")
    assert (line["partition"], line["again_in_s"]) == ("2020", 1.2)


def test_what_is_held_is_told_once_and_its_release_once(told):
    """With the verdict; again when the reason changes."""
    telling, lines = told
    first = WaveReport(tables={"staging.px": TableReport(held={"2017": "too high"})})
    other = WaveReport(tables={"staging.px": TableReport(held={"2017": "too low"})})
    for report in (first, first, other, WaveReport(stopped=True), WaveReport()):
        telling.wave(report, seconds=0.1, waits={})
    events = [(line["event"], line.get("reason")) for line in lines()]
    assert [each for each in events if each[0] != "wave.settled"] == [
        ("gate.failed", "too high"),
        ("partition.held", None),
        ("gate.failed", "too low"),
        ("partition.held", None),
        ("partition.released", None),
    ]
    assert lines()[1]["partition"] == "2017"
