"""Alerts on the monitoring itself: telemetry that stops, and alerting that stops."""

from __future__ import annotations

from claudescope.schema.catalogue import CALLS, OPERATION, OUTCOME
from claudescope.schema.recorded_series import TELEMETRY, WATCHING
from claudescope_alerts.promql.selectors import SelectorBuilder, label_selector
from claudescope_alerts.rule_tests.model import Expected, Query, RuleTest
from claudescope_alerts.rules.model import Alert, Group, Recording
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["DEAD_MAN", "groups"]

DEAD_MAN = "ClaudeAlertingAlive"
"""The alert that always fires. Its receiver raises an alarm when it stops."""

_DAY = 1440

_LOOKBACK = 5
"""Minutes for which Prometheus returns the last sample of a series."""


def groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """The alert on absent telemetry, the dead man's switch, and the series that shows that rules are evaluated."""
    labels = spec.service.own_labels
    own = f"{WATCHING.name}{label_selector(labels)}"
    recorded = RuleTest(
        "is recorded from the first evaluation on", {"up": "1x10"}, queries=(Query(0, own, 1), Query(9, own, 1))
    )
    return [
        Group(
            "telemetry",
            (Recording(TELEMETRY.name, f"count({selectors.select(CALLS)})", labels), _absent(spec, selectors)),
        ),
        Group("alerting", (Recording(WATCHING.name, "vector(1)", labels), _dead_man(spec)), (recorded,)),
    ]


def _absent(spec: Spec, selectors: SelectorBuilder) -> Alert:
    for_ = max(1, round(spec.thresholds.absent_after / 60))
    calls = selectors.select(CALLS)
    series = selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"})
    gone = 60 + _LOOKBACK + for_
    # A ticket that is muted is lost if it resolves before it is delivered.
    closed = spec.routing.ticket.hours.longest_closure
    days, step = max(2, -(-(closed + for_) // _DAY) + 1), 10
    seen = f"{TELEMETRY.name}{label_selector(spec.service.own_labels)}"
    opening = -(-(gone + closed) // step) * step
    forgotten = -(-(60 + _LOOKBACK + days * _DAY) // step) * step + step
    return Alert(
        "ClaudeTelemetryAbsent",
        # Silent where there never was data, and where there was none for days.
        f"absent(sum({calls})) and on () count_over_time({seen}[{days}d]) > 0",
        severity="ticket",
        owner="local",
        summary=f"{spec.service.name}: no telemetry of Claude calls for {write_minutes(for_)}",
        description=f"There was telemetry within the last {days} days, and there is none for {write_minutes(for_)}. "
        "Every other alert is silent until it returns. What to do first: check that the app runs, that it is scraped "
        "or exports, and that it calls instrument().",
        for_=for_,
        dashboard="fleet",
        rule_tests=(
            RuleTest(
                "fires once the last sample is old",
                {series: f"0+1x60 _x{for_ + 60} 100+1x30"},
                silent=(60, gone - 1, for_ + 125),
                firing=(gone + 1, for_ + 120),
                expected=Expected(gone + 2, "1"),
            ),
            RuleTest(
                "lasts from closing time until tickets are delivered, and ends days later",
                {series: f"0+{step}x6"},
                silent=(forgotten + step,),
                firing=(opening, opening + 60),
                evaluation_interval=step,
                sample_interval=step,
            ),
            RuleTest("is silent where there never was telemetry", {"up": "1x60"}, silent=tuple(range(1, 60))),
        ),
    )


def _dead_man(spec: Spec) -> Alert:
    return Alert(
        DEAD_MAN,
        "vector(1)",
        severity=None,
        owner="local",
        summary=f"{spec.service.name}: alerting works",
        description="This alert always fires. The dead man's switch raises an alarm when it stops arriving. "
        "There is nothing to do.",
        value_format="humanize",
        rule_tests=(RuleTest("always fires", {"up": "1x10"}, firing=(0, 5, 10), expected=Expected(5, "1")),),
    )
