"""Alerts on a share of events and on a number of them, each with the trials that prove it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Final

from claudescope.errors import Fault
from claudescope_alerts.rules import Alert, Expected, Trial, counter, percentage, write
from claudescope_alerts.windows import Severity, write_minutes

__all__ = ["MANY", "Count", "Share", "Simulate", "count_alert", "share_alert"]

MANY: Final = 100_000
"""Least number of events a minute in trials that have many."""

_KEEP: Final = 5
"""Minutes for which an alert goes on after its condition ended."""

Simulate = Callable[[str, str], Mapping[str, str]]
"""From the counters of bad and of good events to series."""


@dataclass(frozen=True, slots=True)
class Share:
    """Fires where bad events are too large a share of all.

    Attributes:
        name: Name of the alert.
        bad: Range selector of the bad events' counter, without its window.
        total: The same for all events; several are added up.
        simulate: Makes both in a trial.
        limit: The share.
        failures: Bad events in the window below which it stays silent.
        severity: Page or ticket.
        fault: Whose it is.
        subject: What the share is of, for the summary.
        advice: What the description says after the numbers.
        window: Minutes that are looked at.
        wait: Minutes that it must last.
        labels: Further labels.
    """

    name: str
    bad: str
    total: tuple[str, ...]
    simulate: Simulate
    limit: Decimal
    failures: int
    severity: Severity
    fault: Fault
    subject: str
    advice: str
    window: int = 5
    wait: int = 5
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def share_alert(share: Share, service: str) -> Alert:
    """The alert of a share."""
    window = write_minutes(share.window)
    bad = f"sum(rate({share.bad}[{window}]))"
    first, *more = (f"sum(rate({total}[{window}]))" for total in share.total)
    total = f"({first}{''.join(f' + ({other} or 0 * {first})' for other in more)} > 0)"
    return Alert(
        share.name,
        f"{bad} / {total} > {write(share.limit)} and sum(increase({share.bad}[{window}])) >= {share.failures}",
        severity=share.severity,
        fault=share.fault,
        summary=f"{service}: $value of {share.subject}",
        description=f"$value over the last {window}, for {share.wait} minutes; {percentage(share.limit)} is the limit. "
        f"{share.advice}",
        wait=share.wait,
        keep=_KEEP,
        labels=share.labels,
        trials=_share_trials(share),
    )


def _share_trials(share: Share) -> tuple[Trial, ...]:
    over, under = min(share.limit * Decimal("1.01"), Decimal(1)), share.limit * Decimal("0.99")
    many = max(Decimal(MANY), (2 * share.failures / share.limit).to_integral_value(ROUND_CEILING))
    ended = share.wait + 6
    gone = ended + _KEEP + 1
    few = share.failures - 1
    minutes = min(few, 4)
    burst = share.window + 3
    end = burst + minutes + share.window + share.wait + 3

    def story(*segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        """So many minutes each with a share of bad events."""
        return share.simulate(
            counter(*((length, bad * many) for length, bad in segments), start=20 * many),
            counter(*((length, (1 - bad) * many) for length, bad in segments), start=20 * many),
        )

    return (
        Trial(
            f"fires after {share.wait} minutes just over the limit, and resolves",
            story((ended, over), (gone + 1 - ended, 0)),
            silent=(share.wait, gone),
            firing=(share.wait + 1, ended + _KEEP),
            expected=Expected(share.wait + 3, percentage(over)),
        ),
        Trial(
            "is silent just under the limit",
            story((ended + 4, under)),
            silent=tuple(range(1, ended + 5)),
        ),
        Trial(
            f"is silent on {few} events that are all bad",
            share.simulate(
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
        fault: Whose it is.
        subject: What the number is of, for the summary.
        advice: What the description says after the number.
        window: Minutes that are looked at.
        labels: Further labels.
    """

    name: str
    bad: str
    series: str
    limit: int
    severity: Severity
    fault: Fault
    subject: str
    advice: str
    window: int = 10
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def count_alert(count: Count, service: str) -> Alert:
    """The alert of a count.

    A counter's increase misses what it was born with, which of short-lived processes is all there is. So series that
    are new within the window, and were not seen in the hour before it, count with their value.
    """
    window = write_minutes(count.window)
    born = f"({count.bad} unless max_over_time({count.bad}[1h] offset {window}))"
    expr = f"sum({born} or increase({count.bad}[{window}])) >= {count.limit}"
    return Alert(
        count.name,
        expr,
        severity=count.severity,
        fault=count.fault,
        summary=f"{service}: $value {count.subject} in {window}",
        description=f"{count.limit} or more in {window} fire this at once. {count.advice}",
        keep=_KEEP,
        labels=count.labels,
        value="humanize",
        trials=_count_trials(count),
    )


def _count_trials(count: Count) -> tuple[Trial, ...]:
    step = 5
    history = 60 + count.window + step
    burst = 2 * step
    gone = history + burst + count.window + 2 * step
    return (
        Trial(
            "fires at once on a counter that grows, and resolves",
            {count.series: counter((history, 0), (burst, 4 * count.limit), (gone + step, 0))},
            silent=(history, gone),
            firing=(history + step, history + burst + step),
            step=step,
        ),
        Trial(
            "counts what a new series was born with",
            {count.series: f"_x{history} {count.limit}x{count.window + 60}"},
            silent=(history - step, history + count.window + 3 * step),
            firing=(history, history + step),
            expected=Expected(history, str(count.limit)),
            step=step,
        ),
        Trial(
            "is silent on less",
            {count.series: f"_x{history} {count.limit - 1}x{count.window + 60}"},
            silent=tuple(range(history - step, history + 30, step)),
            step=step,
        ),
        Trial(
            "is silent on an old counter that stands still",
            {count.series: f"500x{history + 60}"},
            silent=tuple(range(history, history + 60, step)),
            step=step,
        ),
    )
