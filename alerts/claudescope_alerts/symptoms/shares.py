"""Alerts on a share of events and on a number of them, each with the trials that prove it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from claudescope.boards import BoardName
from claudescope.errors import Fault
from claudescope_alerts.rules import Alert, Expected, Trial, counter, many_events, percentage, write
from claudescope_alerts.windows import Severity, write_minutes

__all__ = ["WATCHING", "Count", "Share", "Simulate", "count_alert", "share_alert", "simulated"]

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
        board: The dashboard that answers it.
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
    board: BoardName = "errors"


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
        board=share.board,
        trials=_share_trials(share),
    )


def _share_trials(share: Share) -> tuple[Trial, ...]:
    over, under = min(share.limit * Decimal("1.01"), Decimal(1)), share.limit * Decimal("0.99")
    many = many_events(share.failures, share.limit)
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
        board: The dashboard that answers it.
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
    board: BoardName = "errors"


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
        fault=count.fault,
        summary=f"{service}: $value {count.subject} in {window}",
        description=f"{count.limit} or more in {window} fire this at once. {count.advice}",
        keep=_KEEP,
        labels=count.labels,
        board=count.board,
        value="humanize",
        trials=_count_trials(count, service),
    )


def _count_trials(count: Count, service: str) -> tuple[Trial, ...]:
    step = 5
    history = 60 + count.window + step
    burst = 2 * step
    gone = history + burst + count.window + 2 * step
    watched = {f'{WATCHING}{{service="{service}"}}': "1x400"}
    old = "500x400"
    trials = (
        Trial(
            "fires at once on a counter that grows, and resolves",
            {count.series: counter((history, 0), (burst, 4 * count.limit), (gone + step, 0))},
            silent=(history, gone),
            firing=(history + step, history + burst + step),
        ),
        Trial(
            "counts what a new series was born with",
            watched | {count.series: f"_x{history} {count.limit}x{count.window + 60}"},
            silent=(history - step, history + count.window + 3 * step),
            firing=(history, history + step),
            expected=Expected(history, str(count.limit)),
        ),
        Trial(
            "is silent on less",
            watched | {count.series: f"_x{history} {count.limit - 1}x{count.window + 60}"},
            silent=tuple(range(history - step, history + 30, step)),
        ),
        Trial(
            "is silent on an old counter that stands still",
            watched | {count.series: old},
            silent=tuple(range(history, history + 60, step)),
        ),
        Trial(
            "is silent on what happened before anybody watched",
            watched | {count.series: f"_x{_SETTLED - 1} {old}"},
            silent=tuple(range(0, history, step)),
        ),
    )
    return tuple(replace(trial, step=step) for trial in trials)
