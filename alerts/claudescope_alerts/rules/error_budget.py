"""Rules of one objective: its error ratio over every window, its error budget, its burn rates and its alerts.

The error ratio is never NaN, and present whenever there is traffic: `(bad or 0 * events) / (events > 0)`. The budget
over the whole period gives every event the same weight, `sum(bad) / sum(total)`; an average of ratios would let one bad
night with three calls count as much as a day with a million.

Windows of up to an hour query the raw series. Each longer one is the sum of the next shorter one, as it is now and as
it was recorded before, end to end: with a large fleet, a query on hours of raw series takes longer than the minute
until the next evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from claudescope.schema.recorded_series import (
    BURN_RATE,
    ERROR_BUDGET,
    ERROR_BUDGET_REMAINING,
    ERROR_RATIO,
    ERROR_RATIO_PERIOD,
    ERRORS_RATE,
    EVENTS_RATE,
    FAILURES,
    OBJECTIVE,
    PERIOD_DAYS,
    WindowedSeries,
)
from claudescope_alerts.promql.numbers import format_number, percentage
from claudescope_alerts.promql.selectors import SelectorBuilder, label_selector
from claudescope_alerts.rule_tests.error_budget import TierTest, window_rule_tests
from claudescope_alerts.rules.model import FOUR_DIGITS, Alert, Group, Recording
from claudescope_alerts.rules.sli import BAD_EVENTS, Events, events_of
from claudescope_alerts.spec.burn_rate_tiers import LONG_WINDOWS, TIERS, WINDOWS, Tier, write_minutes
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.objectives import Objective

__all__ = ["BURN_ALERT", "objective_group"]

BURN_ALERT: Final = "ClaudeErrorBudgetBurn"

_LONGEST_RAW: Final = 60
"""Minutes of the longest window that queries the raw series."""

_GAP: Final = "30m"
"""Longest gap in the recorded history that is bridged: the last value before the gap counts."""


def objective_group(objective: Objective, spec: Spec, selectors: SelectorBuilder) -> Group:
    """The rules of an objective, with their tests."""
    events = events_of(objective.sli, selectors)
    labels = {**spec.service.own_labels, "slo": objective.name}
    own = label_selector(labels)
    by = f" by {selectors.by(*events.by)}" if events.by else ""
    expressions = {
        **_rates(events, by, own),
        **_ratios(objective, own),
        **_budget(objective, own),
    }
    return Group(
        f"slo-{objective.name}",
        (
            *(Recording(name, expr, labels) for name, expr in expressions.items()),
            *(_alert(objective, TIERS[name], events, selectors, labels) for name in objective.tiers),
        ),
        window_rule_tests(objective, events.simulate, own),
    )


def _rates(events: Events, by: str, own: str) -> dict[str, str]:
    """Rates of all and of bad events over each window: expression by name. Each raw query is evaluated once."""
    expressions: dict[str, str] = {}
    for window in WINDOWS:
        name = write_minutes(window)
        if window > _LONGEST_RAW:
            expressions |= {
                series.over(name): _sum_of_parts(series, window, by, own) for series in (EVENTS_RATE, ERRORS_RATE)
            }
            continue
        expressions[EVENTS_RATE.over(name)] = events.total(name)
        # Without its own labels, the number of events fills in where no bad event was ever seen. A histogram that is
        # missing does not mean that no event was bad.
        none_bad = f"{EVENTS_RATE.over(name)}{own}{' == 0' if events.measured else ''}"
        expressions[ERRORS_RATE.over(name)] = f"{events.bad(name)} or 0 * sum{by} ({none_bad})"
    return expressions


def _sum_of_parts(series: WindowedSeries, window: int, by: str, own: str) -> str:
    """A rate over a long window, from the next shorter one now and earlier."""
    # A part for which nothing was recorded counts as one without events, as in a rate.
    part = WINDOWS[WINDOWS.index(window) - 1]
    now, earlier = f"{series.over(write_minutes(part))}{own}", range(part, window, part)
    before = (f"last_over_time({now}[{_GAP}] offset {write_minutes(minutes)})" for minutes in earlier)
    # A label of its own for each part: `or` keeps only one of two series with the same labels.
    parts = (f'label_replace({one}, "part", "{number}", "", "")' for number, one in enumerate(before, 1))
    return f"sum{by} ({' or '.join([now, *parts])}) / {window // part}"


def _ratios(objective: Objective, own: str) -> dict[str, str]:
    """Error ratios, burn rates and numbers of failures: expression by name."""
    names, budget = [write_minutes(window) for window in WINDOWS], format_number(objective.budget)
    return {
        **{
            ERROR_RATIO.over(name): f"{ERRORS_RATE.over(name)}{own} / ({EVENTS_RATE.over(name)}{own} > 0)"
            for name in names
        },
        **{BURN_RATE.over(name): f"{ERROR_RATIO.over(name)}{own} / {budget}" for name in names},
        **{
            FAILURES.over(write_minutes(window)): f"{ERRORS_RATE.over(write_minutes(window))}{own} * {window * 60}"
            for window in LONG_WINDOWS
        },
    }


def _budget(objective: Objective, own: str) -> dict[str, str]:
    """The error budget over the period, and the facts of the objective: expression by name."""
    shortest, budget = write_minutes(WINDOWS[0]), format_number(objective.budget)
    errors, total = (
        f"sum_over_time({series.over(shortest)}{own}[{objective.window}])" for series in (ERRORS_RATE, EVENTS_RATE)
    )
    return {
        ERROR_RATIO_PERIOD.name: f"{errors} / ({total} > 0)",
        ERROR_BUDGET_REMAINING.name: f"1 - {ERROR_RATIO_PERIOD.name}{own} / {budget}",
        OBJECTIVE.name: f"vector({format_number(objective.target / 100)})",
        ERROR_BUDGET.name: f"vector({budget})",
        PERIOD_DAYS.name: f"vector({objective.period_days})",
    }


def _alert(
    objective: Objective, tier: Tier, events: Events, selectors: SelectorBuilder, labels: Mapping[str, str]
) -> Alert:
    own, factor = label_selector(labels), format_number(tier.factor(objective.period_days))
    long, short = write_minutes(tier.long), write_minutes(tier.short)
    model = " for $model" if events.by else ""
    target, period = format_number(objective.target), objective.window
    placeholders = {"model": selectors.template(events.by[0])} if events.by else {}
    return Alert(
        BURN_ALERT,
        f"{BURN_RATE.over(long)}{own} > {factor} and {BURN_RATE.over(short)}{own} > {factor} "
        f"and {FAILURES.over(long)}{own} >= {objective.min_failures}",
        severity=tier.severity,
        owner=objective.owner,
        summary=f"{labels['service']}: error-budget burn rate of {objective.name}{model} is $value "
        f"({tier.severity} threshold {factor})",
        description=f"{BAD_EVENTS[objective.sli.preset]}{model} are $value times as frequent over the last {long} as "
        f"the objective ({target} % good over {period}) allows, and the last {short} is over the threshold too. "
        f"Threshold: {factor} for {write_minutes(tier.for_)}; at that rate {long} uses up "
        f"{percentage(tier.budget_ratio)} of the error budget. What to do first: find the error type and model on the "
        "dashboard, then check status.claude.com.",
        for_=tier.for_,
        keep_firing_for=tier.keep_firing_for,
        labels={"slo": objective.name, "tier": tier.name},
        placeholders=placeholders,
        value_format=FOUR_DIGITS,
        dashboard="slo",
        dashboard_variables={"model": "model"} if events.by else {},
        rule_tests=TierTest(
            objective,
            tier,
            events.simulate,
            own,
            {selectors.label(label): events.labels[label] for label in events.by},
            {"model": events.labels[events.by[0]]} if events.by else {},
        ).rule_tests(),
    )
