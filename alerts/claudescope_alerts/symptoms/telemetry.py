"""What watches the watchers: telemetry that stops, and alerting that stops."""

from __future__ import annotations

from claudescope.catalogue import DURATION, OPERATION, OUTCOME
from claudescope_alerts.promql import Names
from claudescope_alerts.rules import Alert, Expected, Group, Query, Recording, Trial
from claudescope_alerts.spec import Spec
from claudescope_alerts.symptoms.shares import WATCHING
from claudescope_alerts.windows import write_minutes

__all__ = ["DEAD_MAN", "groups"]

DEAD_MAN = "ClaudeAlertingAlive"
"""Fires all the time. Whoever receives it alarms when it stops."""

_LOOKBACK = 5
"""Minutes for which Prometheus shows the last sample of a series."""


def groups(spec: Spec, names: Names) -> list[Group]:
    """The alert on absent telemetry, the dead man's switch, and what is recorded to tell that rules are evaluated."""
    wait = max(1, round(spec.guards.absent_after / 60))
    calls = names.select(DURATION, part="count")
    series = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    gone = 60 + _LOOKBACK + wait
    absent = Alert(
        "ClaudeTelemetryAbsent",
        # Quiet for who never had data, and for who has had none for a day.
        f"absent(sum({calls})) and on () count(count_over_time({calls}[1d])) > 0",
        severity="ticket",
        fault="local",
        summary=f"{spec.service.name}: no telemetry of Claude calls for {write_minutes(wait)}",
        description="There was telemetry within the last day, and now there is none: every other alert is blind. Check "
        "that the app runs, that it is scraped or exports, and that instrument() was called.",
        wait=wait,
        board="fleet",
        trials=(
            Trial(
                "fires once the last sample is old",
                {series: "0+1x60 _x60 100+1x30"},
                silent=(60, gone - 1, 125),
                firing=(gone + 1, 120),
                expected=Expected(gone + 2, "1"),
            ),
            Trial("is silent where there never was any", {"up": "1x60"}, silent=tuple(range(1, 60))),
        ),
    )
    alive = Alert(
        DEAD_MAN,
        "vector(1)",
        severity=None,
        fault="local",
        summary=f"{spec.service.name}: alerting works",
        description="Fires all the time; the dead man's switch alarms when it does not arrive.",
        value="humanize",
        trials=(Trial("always fires", {"up": "1x10"}, firing=(0, 5, 10), expected=Expected(5, "1")),),
    )
    own = f'{WATCHING}{{service="{spec.service.name}"}}'
    watched = Trial(
        "is recorded from the first evaluation on", {"up": "1x10"}, queries=(Query(0, own, 1), Query(9, own, 1))
    )
    watching = Recording(WATCHING, "vector(1)", {"service": spec.service.name})
    return [Group("telemetry", (absent,)), Group("alerting", (watching, alive), (watched,))]
