"""Objectives and error budgets: one row for each objective of the spec. All queries read recorded series."""

from __future__ import annotations

from typing import Any

from claudescope.schema.recorded_series import (
    BURN_RATE,
    ERROR_BUDGET_REMAINING,
    ERROR_RATIO_PERIOD,
    OBJECTIVE,
    PERIOD_DAYS,
)
from claudescope_alerts.promql.numbers import format_number
from claudescope_alerts.rules.error_budget import BURN_ALERT
from claudescope_alerts.spec.burn_rate_tiers import TIERS, WINDOWS, write_minutes
from claudescope_alerts.spec.objectives import Objective
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, GOOD, WARNING
from claudescope_dashboards.grafana.panels import Query, Step, bar_gauge, drill_down, stat, state_timeline, time_series
from claudescope_dashboards.queries import Queries

__all__ = ["slo"]

_STATES = (("ok", GOOD), ("pending", "yellow"), ("ticket", WARNING), ("page", BAD))
_REMAINING = colour_steps.falling(0, 0.25)
_WINDOW_COLOURS = {
    "5m": "super-light-blue",
    "30m": "light-blue",
    "1h": "blue",
    "2h": "dark-blue",
    "6h": "light-purple",
    "1d": "purple",
    "3d": "dark-purple",
}


def slo(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    rows = [
        Row(8, _objective(queries, goal), widths=(4, 6, 8, 6) if goal.tiers else (4, 8, 12), title=_title(goal))
        for goal in queries.spec.objectives
    ]
    return dashboard(
        "slo",
        queries,
        [Row(7, _all_objectives(queries), widths=(12, 12)), *rows],
        description="Remaining error budget and burn rate of each objective.",
        time_from="now-24h",
    )


def _title(goal: Objective) -> str:
    return f"{goal.name}: {format_number(goal.target)} % over {goal.window}"


def _state(queries: Queries, goal: Objective, **labels: str) -> str:
    """The number of the worst state in `_STATES`. No value while the rules are not evaluated."""
    of = {"alertname": BURN_ALERT, "slo": goal.name, **labels}
    page, ticket = (queries.alerts("firing", severity=severity, **of) for severity in ("page", "ticket"))
    pending, evaluated = queries.alerts("pending", **of), queries.recorded(OBJECTIVE.name, slo=goal.name)
    return f"3 * max({page}) or 2 * max({ticket}) or max({pending}) or 0 * max({evaluated})"


def _all_objectives(queries: Queries) -> list[Any]:
    return [
        bar_gauge(
            "Error budget remaining",
            Query(f"min by (slo) ({queries.recorded(ERROR_BUDGET_REMAINING.name)})", "{{slo}}"),
            description="Remaining error budget of each objective; the lowest value of all models if the objective has "
            "a budget per model. Red: the budget is exhausted; hold back risky changes until it recovers.",
            unit="percentunit",
            steps=_REMAINING,
            high=1,
        ),
        state_timeline(
            "Burn rate alerts",
            *(Query(_state(queries, goal), goal.name) for goal in queries.spec.objectives),
            description="Worst state of the burn rate alerts of each objective. Red: somebody was paged, as the budget "
            "burns too fast; the row of the objective shows the window. Orange: a ticket.",
            states=_STATES,
            links=[drill_down("Errors & retries", uid("errors", queries))],
        ),
    ]


def _objective(queries: Queries, goal: Objective) -> list[Any]:
    def recorded(name: str) -> str:
        return queries.recorded(name, slo=goal.name)

    remaining = recorded(ERROR_BUDGET_REMAINING.name)
    days, slow = recorded(PERIOD_DAYS.name), recorded(BURN_RATE.over("6h"))
    per_model = queries.legend(*_labels(queries, goal))
    return [
        stat(
            "Error budget",
            Query(f"min({remaining})", "remaining"),
            Query(f"1 - max({recorded(ERROR_RATIO_PERIOD.name)})", f"good over {goal.window}"),
            Query(
                f"clamp_max(clamp_min(min({remaining}), 0) * 86400 * max({days}) / clamp_min(max({slow}), 0.001), "
                f"{86400 * goal.period_days})",
                "exhausted in",
            ),
            description=f"Remaining error budget of the objective: {format_number(goal.target)} % good over "
            f"{goal.window}. 'exhausted in' uses the burn rate of the last 6 hours, and is at most the "
            "period. Red: the budget is exhausted; hold back risky changes.",
            unit="percentunit",
            steps=_REMAINING,
            decimals=2,
            overrides=[
                _override(
                    f"good over {goal.window}", colour_steps.falling(float(goal.target) / 100, float(goal.target) / 100)
                ),
                _override("exhausted in", colour_steps.falling(86400, 7 * 86400), unit="s", decimals=0),
            ],
        ),
        time_series(
            "Error budget over time",
            Query(remaining, per_model or "remaining"),
            description="Remaining error budget over time. A step down is an outage; a slope is a steady loss. Below 0 "
            "the objective is missed.",
            unit="percentunit",
            steps=_REMAINING,
            low=None,
            high=1,
        ),
        time_series(
            "Burn rate by window",
            *(
                Query(f"max({recorded(BURN_RATE.over(write_minutes(window)))})", write_minutes(window))
                for window in WINDOWS
            ),
            description="Burn rate of the error budget: at 1x the budget lasts exactly for its period. An alert fires "
            "while both of its windows are above its "
            "threshold: " + (", ".join(_tier(goal, name) for name in goal.tiers) or "this objective has none") + ".",
            unit="suffix:x",
            steps=colour_steps.burn_rate(goal),
            scale="symlog",
            colours=_WINDOW_COLOURS,
        ),
        *([_tier_states(queries, goal)] if goal.tiers else []),
    ]


def _tier_states(queries: Queries, goal: Objective) -> Any:
    """The panel of the states of the tiers' alerts."""
    return state_timeline(
        "Alert state by tier",
        *(Query(_state(queries, goal, tier=name), name) for name in goal.tiers),
        description="State of the alert of each tier. Red: act now, by the runbook of the alert. Orange: act within "
        "the day.",
        states=_STATES,
    )


def _labels(queries: Queries, goal: Objective) -> tuple[Any, ...]:
    from claudescope_alerts.rules.sli import events_of

    return events_of(goal.sli, queries).by


def _tier(goal: Objective, name: Any) -> str:
    tier = TIERS[name]
    factor = format_number(tier.factor(goal.period_days))
    return f"{factor} over {write_minutes(tier.long)} and {write_minutes(tier.short)}"


def _override(name: str, steps: tuple[Step, ...], **more: Any) -> dict[str, Any]:
    marks = [{"color": step.colour, "value": step.value} for step in steps]
    properties: list[dict[str, Any]] = [{"id": "thresholds", "value": {"mode": "absolute", "steps": marks}}]
    properties += [{"id": key, "value": value} for key, value in more.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}
