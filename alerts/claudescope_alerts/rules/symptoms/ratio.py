"""Alerts on a share of events and on a number of them, each with the trials that prove it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from claudescope.schema.dashboard_uid import DashboardName
from claudescope.schema.error_types import Owner
from claudescope_alerts.rules.model import Alert, Expected, RuleTest, counter, format_number, many_events, percentage
from claudescope_alerts.spec.burn_rate_tiers import Severity, write_minutes

__all__ = ["WATCHING", "Count", "Ratio", "Simulate", "count_alert", "ratio_alert", "simulated"]

_KEEP: Final = 5
"""Minutes for which an alert goes on after its condition ended."""

_NOISE: Final = "0+7777x200"

WATCHING: Final = "claude:alerting:watching"
"""Recorded wherever rules are evaluated, with the label `service`."""

_SETTLED: Final = 5
"""Minutes after the first evaluation within which everything that is scraped has been scraped once."""

Simulate = Callable[[str, str], Mapping[str, str]]
"""From the counters of bad and of good events to series."""


def simulated(bad: str, good: str, *aside: str) -> Simulate:
    """Makes a series of bad and one of good events, and others that count for nothing."""
    return lambda bad_values, good_values: {bad: bad_values, good: good_values, **dict.fromkeys(aside, _NOISE)}


@dataclass(frozen=True, slots=True)
class Ratio:
    """Fires where bad events are too large a share of all.

    Attributes:
        name: Name of the alert.
        bad: Range selector of the bad events' counter, without its window.
        total: The same for all events; several are added up.
        simulate: Makes both in a trial.
        limit: The share.
        failures: Bad events in the window below which it stays silent.
        severity: Page or ticket.
        owner: Whose it is.
        subject: What the share is of, for the summary.
        advice: What the description says after the numbers.
        window: Minutes that are looked at.
        for_: Minutes that it must last.
        labels: Further labels.
        dashboard: The dashboard that answers it.
    """

    name: str
    bad: str
    total: tuple[str, ...]
    simulate: Simulate
    limit: Decimal
    failures: int
    severity: Severity
    owner: Owner
    subject: str
    advice: str
    window: int = 5
    for_: int = 5
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    dashboard: DashboardName = "errors"


def ratio_alert(ratio: Ratio, service: str) -> Alert:
    """The alert of a share."""
    window = write_minutes(ratio.window)
    bad = f"sum(rate({ratio.bad}[{window}]))"
    first, *more = (f"sum(rate({total}[{window}]))" for total in ratio.total)
    total = f"({first}{''.join(f' + ({other} or 0 * {first})' for other in more)} > 0)"
    return Alert(
        ratio.name,
        f"{bad} / {total} > {format_number(ratio.limit)} and sum(increase({ratio.bad}[{window}])) >= {ratio.failures}",
        severity=ratio.severity,
        owner=ratio.owner,
        summary=f"{service}: $value of {ratio.subject}",
        description=f"$value over the last {window}, for {ratio.for_} minutes; {percentage(ratio.limit)} is the limit. "
        f"{ratio.advice}",
        for_=ratio.for_,
        keep_firing_for=_KEEP,
        labels=ratio.labels,
        dashboard=ratio.dashboard,
        rule_tests=_ratio_rule_tests(ratio),
    )


def _ratio_rule_tests(ratio: Ratio) -> tuple[RuleTest, ...]:
    over, under = min(ratio.limit * Decimal("1.01"), Decimal(1)), ratio.limit * Decimal("0.99")
    many = many_events(ratio.failures, ratio.limit)
    ended = ratio.for_ + 6
    gone = ended + _KEEP + 1
    few = ratio.failures - 1
    minutes = min(few, 4)
    burst = ratio.window + 3
    end = burst + minutes + ratio.window + ratio.for_ + 3

    def story(*segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        """So many minutes each with a share of bad events."""
        return ratio.simulate(
            counter(*((length, bad * many) for length, bad in segments), start=20 * many),
            counter(*((length, (1 - bad) * many) for length, bad in segments), start=20 * many),
        )

    return (
        RuleTest(
            f"fires after {ratio.for_} minutes just over the limit, and resolves",
            story((ended, over), (gone + 1 - ended, 0)),
            silent=(ratio.for_, gone),
            firing=(ratio.for_ + 1, ended + _KEEP),
            expected=Expected(ratio.for_ + 3, percentage(over)),
        ),
        RuleTest(
            "is silent just under the limit",
            story((ended + 4, under)),
            silent=tuple(range(1, ended + 5)),
        ),
        RuleTest(
            f"is silent on {few} events that are all bad",
            ratio.simulate(
                counter((burst, 0), (minutes, Decimal(few) / minutes), (end - burst - minutes, 0)), counter((end, 0))
            ),
            silent=tuple(range(1, end)),
        ),
    )


@dataclass(frozen=True, slots=True)
class Count:
    """Fires on a number of events, whatever else happens.

    Attributes:
        name: Name of the alert.
        bad: Range selector of the events' counter, without its window.
        series: Series that the selector picks, of a trial.
        limit: Events in the window from which it fires.
        severity: Page or ticket.
        owner: Whose it is.
        subject: What the number is of, for the summary.
        advice: What the description says after the number.
        window: Minutes that are looked at.
        labels: Further labels.
        dashboard: The dashboard that answers it.
    """

    name: str
    bad: str
    series: str
    limit: int
    severity: Severity
    owner: Owner
    subject: str
    advice: str
    window: int = 10
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    dashboard: DashboardName = "errors"


def count_alert(count: Count, service: str) -> Alert:
    """The alert of a count.

    A counter's increase misses what it was born with, which of short-lived processes is all there is. So series that
    are new within the window, and were not seen in the hour before it, count with their value; but only where rules
    were evaluated before the window, as to a Prometheus that begins to watch everything is new.
    """
    window = write_minutes(count.window)
    watching = f'{WATCHING}{{service="{service}"}} offset {write_minutes(count.window + _SETTLED)}'
    born = f"({count.bad} unless max_over_time({count.bad}[1h] offset {window})) and on () {watching}"
    expr = f"sum(({born}) or increase({count.bad}[{window}])) >= {count.limit}"
    return Alert(
        count.name,
        expr,
        severity=count.severity,
        owner=count.owner,
        summary=f"{service}: $value {count.subject} in {window}",
        description=f"{count.limit} or more in {window} fire this at once. {count.advice}",
        keep_firing_for=_KEEP,
        labels=count.labels,
        dashboard=count.dashboard,
        value="humanize",
        rule_tests=_count_rule_tests(count, service),
    )


def _count_rule_tests(count: Count, service: str) -> tuple[RuleTest, ...]:
    step = 5
    history = 60 + count.window + step
    burst = 2 * step
    gone = history + burst + count.window + 2 * step
    watched = {f'{WATCHING}{{service="{service}"}}': "1x400"}
    old = "500x400"
    rule_tests = (
        RuleTest(
            "fires at once on a counter that grows, and resolves",
            {count.series: counter((history, 0), (burst, 4 * count.limit), (gone + step, 0))},
            silent=(history, gone),
            firing=(history + step, history + burst + step),
        ),
        RuleTest(
            "counts what a new series was born with",
            watched | {count.series: f"_x{history} {count.limit}x{count.window + 60}"},
            silent=(history - step, history + count.window + 3 * step),
            firing=(history, history + step),
            expected=Expected(history, str(count.limit)),
        ),
        RuleTest(
            "is silent on less",
            watched | {count.series: f"_x{history} {count.limit - 1}x{count.window + 60}"},
            silent=tuple(range(history - step, history + 30, step)),
        ),
        RuleTest(
            "is silent on an old counter that stands still",
            watched | {count.series: old},
            silent=tuple(range(history, history + 60, step)),
        ),
        RuleTest(
            "is silent on what happened before anybody watched",
            watched | {count.series: f"_x{_SETTLED - 1} {old}"},
            silent=tuple(range(0, history, step)),
        ),
    )
    return tuple(replace(rule_test, step=step) for rule_test in rule_tests)
