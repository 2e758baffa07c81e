"""What is computed before a dashboard is drawn: its time range, its regions, and its history."""

from __future__ import annotations

from typing import Any

import pytest
from screenshots.draw import Time, regions_of, time_of

from tests.telemetry.calls import PHASES, phase_at
from tests.telemetry.history import Span
from tests.telemetry.prometheus import alert_as_recording, rounds_of


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("now-6h", Time(6 * 3600, "Last 6 hours")),
        ("now-7d", Time(7 * 86400, "Last 7 days")),
        ("now-30m", Time(1800, "Last 30 minutes")),
    ],
)
def test_the_default_time_range_of_a_dashboard(begin: str, expected: Time) -> None:
    """The time range has the text of Grafana's time picker."""
    assert time_of({"time": {"from": begin, "to": "now"}}) == expected


@pytest.mark.parametrize("time", [{"from": "now-6h", "to": "now-1h"}, {"from": "now/d", "to": "now"}])
def test_a_time_that_cannot_be_drawn(time: dict[str, str]) -> None:
    """The error names any other range."""
    with pytest.raises(ValueError, match="expected a range such as now-6h"):
        time_of({"time": time})


def test_samples_apart_are_regions_apart() -> None:
    """A region lasts as long as samples follow one another; another series has its own."""
    result: list[dict[str, Any]] = [
        {"metric": {"alertname": "One"}, "values": [(60, "1"), (120, "1"), (300, "1")]},
        {"metric": {}, "values": [(60, "1")]},
    ]
    assert regions_of(result, 60) == [
        {"from": 60_000, "to": 120_000, "title": "One"},
        {"from": 300_000, "to": 300_000, "title": "One"},
        {"from": 60_000, "to": 60_000, "title": ""},
    ]


def test_scrapes_follow_one_another_until_the_end() -> None:
    """Every interval begins where the one before it ended, from the start of the history to its end."""
    span = Span(end=1_000_000, fine=600, middle=1200, coarse=7200)
    intervals = list(span.intervals())
    begins, ends = [at for at, _ in intervals], [at + seconds for at, seconds in intervals]
    assert (begins[0], ends[-1]) == (span.start, span.end)
    assert begins[1:] == ends[:-1]
    assert [seconds for _, seconds in intervals] == [1800] * 4 + [120] * 10 + [60] * 10


def test_phases_follow_one_another() -> None:
    """Each phase is the one at its begin, and the last one at the end of the history."""
    assert [phase_at(phase.begins) for phase in PHASES] == list(PHASES)
    assert phase_at(0) is PHASES[-1]


def test_rules_wait_for_the_rules_that_they_need() -> None:
    """A rule comes after those whose series it reads, wherever it stands in the files."""
    last = {"record": "a:c", "expr": "a:b / 2"}
    middle = {"record": "a:b", "expr": 'sum(a:a{slo="x"})'}
    first = {"record": "a:a", "expr": "rate(calls[5m])"}
    assert rounds_of([last, middle, first]) == [[first], [middle], [last]]


def test_rules_in_a_circle() -> None:
    """Rules that need each other are refused, and named."""
    with pytest.raises(ValueError, match=r"in a circle: \['a:a', 'a:b'\]"):
        rounds_of([{"record": "a:a", "expr": "a:b"}, {"record": "a:b", "expr": "a:a"}])


def test_an_alert_fires_once_it_held_as_long_as_it_must() -> None:
    """An alert, of which promtool writes nothing, becomes a rule that counts for how long its condition holds."""
    rule = alert_as_recording({"alert": "Slow", "expr": "p95 > 2", "for": "15m", "labels": {"severity": "page"}})
    assert rule == {
        "record": "ALERTS",
        "expr": "0 * count_over_time((p95 > 2)[15m:1m]) + 1 and count_over_time((p95 > 2)[15m:1m]) >= 15",
        "labels": {"severity": "page", "alertname": "Slow", "alertstate": "firing"},
    }
