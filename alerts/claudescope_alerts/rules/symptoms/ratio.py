"""Alerts on a ratio of events and on a number of events, each with its rule tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from claudescope.schema.dashboard_uid import DashboardName
from claudescope.schema.error_types import Owner
from claudescope.schema.recorded_series import WATCHING
from claudescope_alerts.promql.numbers import format_number, percentage
from claudescope_alerts.promql.selectors import label_selector
from claudescope_alerts.rule_tests.ratio import count_rule_tests, ratio_rule_tests
from claudescope_alerts.rule_tests.series import Simulate
from claudescope_alerts.rules.model import WHOLE, Alert
from claudescope_alerts.spec.burn_rate_tiers import Severity, write_minutes

__all__ = ["KEEP_FIRING_FOR", "Count", "Ratio", "count_alert", "ratio_alert"]

KEEP_FIRING_FOR: Final = 5
"""Minutes for which an alert fires after its condition ended."""

_SETTLING: Final = 5
"""Minutes after the first evaluation of the rules within which every target has been scraped once."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """An alert that fires where bad events are too large a ratio of all events.

    Attributes:
        name: Name of the alert.
        bad: Selector of the bad events' counter.
        total: Selectors of the counters whose sum is all events.
        simulate: Makes the series of a rule test.
        limit: The ratio above which it fires.
        min_failures: Bad events in the window below which it stays silent.
        severity: `page` or `ticket`.
        owner: Who can mend it.
        subject: What the ratio is of, for the summary: "calls end in api_error".
        meaning: What that means for users, as sentences.
        advice: What to do first, as sentences.
        window: Minutes that it looks back over.
        for_: Minutes that the condition must last.
        labels: Further labels.
        dashboard: The dashboard that it links to.
    """

    name: str
    bad: str
    total: tuple[str, ...]
    simulate: Simulate
    limit: Decimal
    min_failures: int
    severity: Severity
    owner: Owner
    subject: str
    meaning: str
    advice: str
    window: int = 5
    for_: int = 5
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    dashboard: DashboardName = "errors"


def ratio_alert(ratio: Ratio, service: str) -> Alert:
    """The alert on a ratio."""
    window = write_minutes(ratio.window)
    bad = f"sum(rate({ratio.bad}[{window}]))"
    first, *more = (f"sum(rate({total}[{window}]))" for total in ratio.total)
    total = f"({first}{''.join(f' + ({other} or 0 * {first})' for other in more)} > 0)"
    return Alert(
        ratio.name,
        f"{bad} / {total} > {format_number(ratio.limit)} "
        f"and sum(increase({ratio.bad}[{window}])) >= {ratio.min_failures}",
        severity=ratio.severity,
        owner=ratio.owner,
        summary=f"{service}: $value of {ratio.subject}",
        description=f"$value of {ratio.subject}, over the last {window}. {ratio.meaning} "
        f"Threshold: {percentage(ratio.limit)} and {ratio.min_failures} events, for {write_minutes(ratio.for_)}. "
        f"{ratio.advice}",
        for_=ratio.for_,
        keep_firing_for=KEEP_FIRING_FOR,
        labels=ratio.labels,
        dashboard=ratio.dashboard,
        rule_tests=ratio_rule_tests(
            ratio.simulate,
            ratio.limit,
            min_failures=ratio.min_failures,
            window=ratio.window,
            for_=ratio.for_,
            keep_firing_for=KEEP_FIRING_FOR,
        ),
    )


@dataclass(frozen=True, slots=True)
class Count:
    """An alert that fires at a number of events, whatever the number of calls.

    Attributes:
        name: Name of the alert.
        bad: Selector of the events' counter.
        series: A series that the selector matches, for the rule tests.
        limit: Number of events in the window at which it fires.
        severity: `page` or `ticket`.
        owner: Who can mend it.
        subject: What the number is of, for the summary: "calls ended in billing_error".
        meaning: What that means for users, as sentences.
        advice: What to do first, as sentences.
        window: Minutes that it looks back over.
        labels: Further labels.
        dashboard: The dashboard that it links to.
    """

    name: str
    bad: str
    series: str
    limit: int
    severity: Severity
    owner: Owner
    subject: str
    meaning: str
    advice: str
    window: int = 10
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    dashboard: DashboardName = "errors"


def count_alert(count: Count, own: Mapping[str, str]) -> Alert:
    """The alert on a number of events.

    The increase of a counter leaves out its first value, which is all that a short-lived process has. So a series that
    is new within the window, and that the hour before did not have, counts with its value. This holds only where rules
    were evaluated before the window: to a Prometheus that was just started, every series is new.
    """
    window = write_minutes(count.window)
    watching = f"{WATCHING.name}{label_selector(own)}"
    earlier = f"{watching} offset {write_minutes(count.window + _SETTLING)}"
    new = f"({count.bad} unless max_over_time({count.bad}[1h] offset {window})) and on () {earlier}"
    return Alert(
        count.name,
        f"sum(({new}) or increase({count.bad}[{window}])) >= {count.limit}",
        severity=count.severity,
        owner=count.owner,
        summary=f"{own['service']}: $value {count.subject} in {window}",
        description=f"$value {count.subject} in the last {window}. {count.meaning} "
        f"Threshold: {count.limit} in {window}; fires at once. {count.advice}",
        keep_firing_for=KEEP_FIRING_FOR,
        labels=count.labels,
        dashboard=count.dashboard,
        value_format=WHOLE,
        rule_tests=count_rule_tests(
            count.series,
            count.limit,
            window=count.window,
            keep_firing_for=KEEP_FIRING_FOR,
            settling=_SETTLING,
            watching=watching,
        ),
    )
