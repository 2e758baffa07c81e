"""An error burst sends few events, counts the dropped ones exactly, and leaves room for other errors."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import claudescope
from claudescope._internal.counters import DROPPED_SENTRY_EVENTS
from claudescope._internal.exceptions import BadInputError
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sentry import Options
from claudescope.sentry.rate_limiter import RateLimiter
from tests.sentry.bugsink import Project
from tests.sentry.conftest import Start
from tests.sentry.failures import ERROR_TYPES as ANSWERS
from tests.sentry.failures import fail, rate_limit


class _Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _fall(limiter: RateLimiter, error_type: str, events: int) -> list[int | None]:
    return [limiter.admit(error_type) for _ in range(events)]


def test_a_burst_then_a_trickle() -> None:
    """The burst goes through, then one per interval, each with the count of those dropped before it."""
    clock = _Clock()
    limiter = RateLimiter(10, 6, clock)
    assert _fall(limiter, "api_error", 1000) == [0] * 10 + [None] * 990
    clock.now = 9.9
    assert limiter.admit("api_error") is None
    clock.now = 10
    assert _fall(limiter, "api_error", 3) == [991, None, None]
    clock.now = 1_000_000
    assert _fall(limiter, "api_error", 12) == [2, *[0] * 9, None, None]


def test_error_types_have_buckets_of_their_own() -> None:
    """A burst of one error type drops no event of another."""
    limiter = RateLimiter(10, 6, _Clock())
    _fall(limiter, "rate_limit_error", 1000)
    assert _fall(limiter, "api_error", 3) == [0, 0, 0]


def test_all_error_types_together_are_bounded() -> None:
    """With a burst of every error type at once, half of the transport's queue stays free."""
    limiter = RateLimiter(10, 6, _Clock())
    sent = [kind for kind in ERROR_TYPES for dropped in _fall(limiter, kind, 100) if dropped is not None]
    assert len(sent) == 50


def test_the_count_is_exact_across_threads() -> None:
    """The events sent, reported as dropped and not yet reported add up, whichever thread asked."""
    before = DROPPED_SENTRY_EVENTS.counts().get("api_error", 0)
    clock = _Clock()
    limiter = RateLimiter(10, 6, clock)
    admitted: list[int] = []

    def fall() -> None:
        for _ in range(500):
            dropped = limiter.admit("api_error")
            if dropped is not None:
                admitted.append(dropped)

    threads = [threading.Thread(target=fall) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now = 10
    assert limiter.admit("api_error") == 4000 - 10
    assert (len(admitted), sum(admitted)) == (10, 0)
    assert DROPPED_SENTRY_EVENTS.counts()["api_error"] - before == 4000 - 10


def test_no_limit() -> None:
    """`burst=None` lets everything through."""
    assert _fall(RateLimiter(None, 6), "api_error", 1000) == [0] * 1000


def _exported(reader: InMemoryMetricReader) -> dict[str, int]:
    data = reader.get_metrics_data()
    assert data is not None
    points: list[Any] = [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "claudescope.sentry.events_dropped"
        for point in metric.data.data_points
    ]
    return {point.attributes["error.type"]: point.value for point in points}


@pytest.mark.timeout(300)  # the server's environment is made on first use
def test_a_storm_of_one_thousand(
    project: Project, start: Start, meter_provider: MeterProvider, metric_reader: InMemoryMetricReader
) -> None:
    """1,000 errors of three kinds in a burst, through the real transport with its queue of 100, to a real server.

    The events are bounded, the count of the others exact, and the bug among them arrives.
    """
    # No token comes back however long the test takes.
    start(Options(per_minute=1e-9), dsn=project.dsn)
    claudescope.instrument(meter_provider=meter_provider)
    before = _exported(metric_reader)
    storm = ["rate_limit_error"] * 800 + ["overloaded_error"] * 150 + ["api_error"] * 50
    for number, kind in enumerate(storm):
        sentry_sdk.capture_exception(fail(ANSWERS[kind]))
        if number == 700:
            sentry_sdk.capture_exception(ZeroDivisionError("planted"))
    sentry_sdk.flush(60)
    issues = {issue["calculated_type"]: issue["digested_event_count"] for issue in project.issues()}
    assert issues == {"RateLimitError": 10, "OverloadedError": 10, "InternalServerError": 10, "ZeroDivisionError": 1}
    after = _exported(metric_reader)
    assert {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]} == {
        "rate_limit_error": 790,
        "overloaded_error": 140,
        "api_error": 40,
    }
    assert set(after) == set(ERROR_TYPES)


def test_the_next_event_tells(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first event after a burst has the number of events that were dropped."""
    clock = _Clock()
    monkeypatch.setattr(RateLimiter.__init__, "__defaults__", (clock,))
    recorder = start()
    for _ in range(30):
        sentry_sdk.capture_exception(fail(rate_limit()))
    clock.now = 10
    sentry_sdk.capture_exception(fail(rate_limit()))
    counts = [event["contexts"]["claude"].get("events_dropped") for event in recorder.events]
    assert counts == [None] * 10 + [20]


def test_a_dropped_event_counts_for_the_session(start: Start) -> None:
    """The session counts errors whose events were dropped."""
    recorder = start(Options(burst=1, per_minute=1e-9))
    scope = sentry_sdk.get_isolation_scope()
    scope.start_session(session_mode="application")
    for _ in range(5):
        sentry_sdk.capture_exception(fail(rate_limit()))
    scope.end_session()
    sentry_sdk.flush()
    *_, session = recorder.items("session")
    assert (len(recorder.events), session["status"], session["errors"]) == (1, "exited", 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capture": "all"}, "capture='all': expected one of 'reported', 'failures', 'attempts'"),
        ({"group_by": ["tenant"]}, "group_by=['tenant']: expected a list of 'model', 'workflow' and 'target'"),
        ({"group_by": "model"}, "group_by='model': expected a list of 'model', 'workflow' and 'target'"),
        ({"burst": 0}, "burst=0: expected a whole number of at least 1, or None for no limit"),
        ({"per_minute": 0}, "per_minute=0: expected a number above 0, such as 6"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    """A value that an option can't have gets one clear message."""
    with pytest.raises(BadInputError) as raised:
        Options(**options)
    assert str(raised.value) == message
