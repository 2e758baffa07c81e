"""What watches the watchers: telemetry that stops, and alerting that stops."""

from __future__ import annotations

from claudescope.schema.catalogue import DURATION, OPERATION, OUTCOME
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Alert, Expected, Group, Query, Recording, RuleTest
from claudescope_alerts.rules.symptoms.ratio import WATCHING
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["DEAD_MAN", "groups"]

DEAD_MAN = "ClaudeAlertingAlive"
"""Fires all the time. Whoever receives it alarms when it stops."""

_LOOKBACK = 5
"""Minutes for which Prometheus shows the last sample of a series."""


def groups(spec: Spec, names: SelectorBuilder) -> list[Group]:
    """The alert on absent telemetry, the dead man's switch, and what is recorded to tell that rules are evaluated."""
    for_ = max(1, round(spec.thresholds.absent_after / 60))
    calls = names.select(DURATION, part="count")
    series = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    gone = 60 + _LOOKBACK + for_
    absent = Alert(
        "ClaudeTelemetryAbsent",
        # Quiet for who never had data, and for who has had none for a day.
        f"absent(sum({calls})) and on () count(count_over_time({calls}[1d])) > 0",
        severity="ticket",
        owner="local",
        summary=f"{spec.service.name}: no telemetry of Claude calls for {write_minutes(for_)}",
        description="There was telemetry within the last day, and now there is none: every other alert is blind. Check "
        "that the app runs, that it is scraped or exports, and that instrument() was called.",
        for_=for_,
        dashboard="fleet",
        rule_tests=(
            RuleTest(
                "fires once the last sample is old",
                {series: "0+1x60 _x60 100+1x30"},
                silent=(60, gone - 1, 125),
                firing=(gone + 1, 120),
                expected=Expected(gone + 2, "1"),
            ),
            RuleTest("is silent where there never was any", {"up": "1x60"}, silent=tuple(range(1, 60))),
        ),
    )
    alive = Alert(
        DEAD_MAN,
        "vector(1)",
        severity=None,
        owner="local",
        summary=f"{spec.service.name}: alerting works",
        description="Fires all the time; the dead man's switch alarms when it does not arrive.",
        value="humanize",
        rule_tests=(RuleTest("always fires", {"up": "1x10"}, firing=(0, 5, 10), expected=Expected(5, "1")),),
    )
    own = f'{WATCHING}{{service="{spec.service.name}"}}'
    watched = RuleTest(
        "is recorded from the first evaluation on", {"up": "1x10"}, queries=(Query(0, own, 1), Query(9, own, 1))
    )
    watching = Recording(WATCHING, "vector(1)", {"service": spec.service.name})
    return [Group("telemetry", (absent,)), Group("alerting", (watching, alive), (watched,))]
