"""The whole chain: an app that nobody touched, a storm of rate limits, an outage, and the recovery.

`make e2e` prints it as a story. Time runs faster than for real: see `timelapse`.
"""

from __future__ import annotations

import bisect
import json
import signal
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from claudescope.schema.catalogue import DURATION
from tests.billing import cost
from tests.dashboards.api import Store
from tests.dashboards.panel_queries import empty_panels
from tests.e2e.app import MODELS
from tests.e2e.house import PAGE_KEY, TICKET_KEY, House, house

_OUTAGE = Path(__file__).parent / "outage.yaml"

STORM = [
    ("ClaudeErrorTypeHigh", "rate_limit_error", "quota"),
    ("ClaudeRetryShareHigh", "", "either"),
    ("ClaudeErrorBudgetBurn", "availability", "either"),
]
OUTAGE = [
    ("ClaudeErrorTypeHigh", "overloaded_error", "provider"),
    ("ClaudeApiUnavailable", "", "provider"),
]

_NO_DAYS = "needs days of history"
RIGHTLY_EMPTY = {
    "cost: Cost per call vs. baseline: B": _NO_DAYS,
    "cost: Tokens per call vs. baseline: B": _NO_DAYS,
    "latency: Duration p95 vs. baseline: B": _NO_DAYS,
    "latency: Time to first token p95 vs. baseline: B": _NO_DAYS,
    "cost: Server tool uses: A": "the desk gives Claude no tools",
    "fleet: Batch results: A": "the desk has no batches",
    "fleet: Internal errors by component: A": "nothing went wrong in claudescope",
    "fleet: Dropped Sentry events: A": "Sentry's counts are of the app's process, which is pushed and not scraped",
    "overview: Firing alerts: A": "all is well again",
    "overview: Firing alerts: B": "all is well again",
    "overview: Change since yesterday: A": _NO_DAYS,
    "overview: Change since yesterday: B": _NO_DAYS,
    "overview: Change since yesterday: C": _NO_DAYS,
}


def _incidents(it: House, key: str) -> list[tuple[str, list[str]]]:
    """The incidents of a service at PagerDuty, oldest first: the alert that each is of, and what it was sent."""
    alerts: dict[str, str] = {}
    actions: dict[str, list[str]] = {}
    for event in it.pagerduty.of("desk", key):
        if event["event_action"] == "trigger":
            alerts.setdefault(event["dedup_key"], event["payload"]["class"])
        actions.setdefault(event["dedup_key"], []).append(event["event_action"])
    return [(alerts[incident], sent) for incident, sent in actions.items()]


def _paged(it: House, alert: str) -> bool:
    return any(name == alert for name, _ in _incidents(it, PAGE_KEY))


def _resolved(it: House) -> bool:
    """Whether all that PagerDuty was told of is over."""
    last = {event["dedup_key"]: event["event_action"] for event in it.pagerduty.events}
    return set(last.values()) == {"resolve"}


@pytest.mark.timeout(900)
def test_story(tmp_path: Path) -> None:
    """Each part does what it is there for, in the right order, and no number is lost on the way."""
    with house(tmp_path) as it:
        tell = _teller()

        tell("The desk answers tickets. It was started by `claudescope run`, and nobody changed it.")
        it.wait("some hundred calls", lambda: it.api.ledger().messages_billed > 300)
        it.wait("a look at the rules", lambda: bool(it.query("ALERTS{alertname='ClaudeAlertingAlive'}")))
        assert it.firing() == []
        tell(f"{it.api.ledger().messages_billed} messages; no alert but the dead man's switch.")

        tell("A storm of rate limits.")
        it.api.use("rate-limit-storm")
        it.wait("the alerts of a storm", lambda: set(it.firing()) >= set(STORM))
        it.wait("the page", lambda: _paged(it, "ClaudeErrorBudgetBurn"))
        assert it.firing()[0] == STORM[0]
        assert set(it.firing()) == set(STORM)
        tell(f"Firing: {it.firing()}")

        tell("Then the API is overloaded, wholly.")
        it.api.use(_OUTAGE)
        it.wait("the alerts of an outage", lambda: set(it.firing()) >= {*STORM, *OUTAGE})
        it.wait("the second page", lambda: _paged(it, "ClaudeApiUnavailable"))
        assert set(it.firing()[len(STORM) :]) == set(OUTAGE)
        tell(f"Firing as well: {it.firing()[len(STORM) :]}")

        tell("It recovers.")
        it.api.use("steady")
        it.wait("the all-clear", lambda: _resolved(it))
        assert set(it.firing()) == {*STORM, *OUTAGE}
        pages, tickets = _incidents(it, PAGE_KEY), _incidents(it, TICKET_KEY)
        assert [name for name, _ in pages] == ["ClaudeErrorBudgetBurn", "ClaudeApiUnavailable"]
        assert pages[1][1] == ["trigger", "resolve"]
        assert sorted(name for name, _ in tickets) == [*["ClaudeErrorTypeHigh"] * 2, "ClaudeRetryShareHigh"]
        # Triggers may repeat, with the same key: Alertmanager tells of each tier that joins. One resolve ends each.
        assert all(sent == ["trigger"] * (len(sent) - 1) + ["resolve"] for _, sent in [*pages, *tickets])
        assert it.pagerduty.refusals == []
        tell(f"PagerDuty: pages {pages}, tickets {tickets}")

        tell("The desk pauses, and its books are compared.")
        it.tell(signal.SIGUSR1, "paused")
        served = it.api.ledger()
        spent = cost(served)
        it.wait("the last scrape", lambda: it.number(f"sum({DURATION.prometheus}_count)") == _calls(it))
        assert round(it.number("sum(claude_client_cost_usd_total)"), 2) == float(round(spent, 2))
        tell(f"The ledger says ${spent:.4f}, and so does Prometheus.")
        _compare_percentiles(it, tell)

        asked, empty = empty_panels(Store(it.prometheus), it.dashboards(), scrape=1, seconds=300)
        unexpected = sorted(set(empty) ^ set(RIGHTLY_EMPTY))
        assert unexpected == [], "\n".join(unexpected)
        without = len(RIGHTLY_EMPTY)
        tell(f"The dashboards ask {asked} queries. All have data, except {without} about things that never happened.")

        tell("It goes on, and is killed in the middle by SIGTERM.")
        it.tell(signal.SIGUSR2)
        it.wait("more calls", lambda: it.api.ledger().messages_billed > served.messages_billed + 50)
        it.tell(signal.SIGTERM)
        assert it.app.wait(60) == 0
        served = it.api.ledger()
        report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        assert report["attempts_by_status"] == served.responses
        assert Decimal(report["cost_usd"]) == cost(served)
        assert it.otlp.total(DURATION.name) == report["calls"]
        assert it.otlp.total(DURATION.name, outcome="ok") == served.messages_billed
        assert it.otlp.total("claude.client.cost.usd") == pytest.approx(float(cost(served)), rel=1e-9)
        tell(f"{report['calls']} calls, {sum(served.responses.values())} requests, ${report['cost_usd']}: all arrived.")

        issues = it.sentry.issues()
        events = it.sentry.events()
        traces = {span.trace_id.hex() for _, span in it.otlp.spans}
        error_types = sorted(event["tags"]["claude.error_type"] for event in events)
        assert len(issues) == len(set(error_types)) == 3
        assert set(error_types) == {"overloaded_error", "ramp_limit_error", "rate_limit_error"}
        assert {event["contexts"]["trace"]["trace_id"] for event in events} <= traces
        tell(f"Sentry: {len(events)} events, {len(issues)} issues, each event on its trace.")


def _calls(it: House) -> float:
    """How many calls the app has ended by its own books."""
    desk = json.loads((it.folder / "desk.json").read_text(encoding="utf-8"))
    return float(desk["failures"] + sum(map(len, desk["seconds"].values())))


def _compare_percentiles(it: House, tell: Callable[[str], None]) -> None:
    """What Prometheus makes of the histogram is the app's own percentile, to within the bucket that it falls in."""
    desk = json.loads((it.folder / "desk.json").read_text(encoding="utf-8"))
    for model in MODELS:
        cuts = statistics.quantiles(desk["seconds"][model], n=100, method="inclusive")
        for percent in (50, 95):
            own = cuts[percent - 1]
            seen = it.number(
                f"histogram_quantile({percent / 100}, sum by (le) "
                f"({DURATION.prometheus}_bucket{{claude_outcome='ok', gen_ai_request_model='{model}'}}))"
            )
            # The app's clock starts a little earlier and stops a little later: near a bound it may be beyond.
            bounds = (0.0, *DURATION.buckets)
            low = bounds[bisect.bisect_left(bounds, own * 0.95) - 1]
            high = bounds[bisect.bisect_left(bounds, own)]
            assert low <= seen <= high
            tell(f"p{percent} of {model}: {own:.3f} s by its own clock, {seen:.3f} s in Prometheus.")


def _teller() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)  # noqa: T201 - the story
