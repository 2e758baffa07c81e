"""Values at which a panel turns orange or red. They come from the spec, as the thresholds of alerts do."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from claudescope_alerts.spec.burn_rate_tiers import TIERS
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.objectives import Objective, Preset
from claudescope_dashboards.grafana.palette import BAD, GOOD, WARNING
from claudescope_dashboards.grafana.panels import Step

__all__ = ["burn_rate", "daily_cost", "error_rate", "falling", "latency", "objective_of", "rising", "success_rate"]


def rising(warning: float, bad: float) -> tuple[Step, ...]:
    """Green below `warning`, orange below `bad`, else red."""
    return Step(GOOD), Step(WARNING, warning), Step(BAD, bad)


def falling(bad: float, warning: float) -> tuple[Step, ...]:
    """Red below `bad`, orange below `warning`, else green."""
    return Step(BAD), Step(WARNING, bad), Step(GOOD, warning)


def objective_of(spec: Spec, preset: Preset) -> Objective | None:
    """Return the first objective with a preset that covers the errors of all owners."""
    return next((goal for goal in spec.objectives if goal.sli.preset == preset and not goal.sli.owner), None)


def _page(objective: Objective) -> float:
    """Return the ratio of bad events at which the fastest page fires."""
    return float(min(TIERS["page-fast"].factor(objective.period_days) * objective.budget, Decimal(1)))


def error_rate(spec: Spec) -> tuple[Step, ...]:
    """For an error rate: orange above the objective, red at the burn rate of the fastest page."""
    objective = objective_of(spec, "claude-availability")
    return rising(float(objective.budget), _page(objective)) if objective else rising(0.01, 0.05)


def success_rate(spec: Spec) -> tuple[Step, ...]:
    """For a success rate: the complement of `error_rate`."""
    _, warning, bad = error_rate(spec)
    return falling(round(1 - (bad.value or 0), 9), round(1 - (warning.value or 0), 9))


def latency(spec: Spec, preset: Preset) -> tuple[Step, ...]:
    """For a p95: red at the threshold of the objective, orange at half of it."""
    objective = objective_of(spec, preset)
    if objective is None or objective.sli.threshold is None:
        return ()
    return rising(objective.sli.threshold / 2, objective.sli.threshold)


def daily_cost(spec: Spec) -> tuple[Step, ...]:
    """For US dollars per day: orange above the daily budget, red at three times the budget."""
    budget = spec.thresholds.daily_budget_usd
    return () if budget is None else rising(float(budget), float(budget * 3))


def burn_rate(objective: Objective) -> tuple[Step, ...]:
    """For burn rates: one line for each tier of alerts."""
    factors = sorted(
        (float(TIERS[name].factor(objective.period_days)), TIERS[name].severity) for name in objective.tiers
    )
    pages = [factor for factor, severity in factors if severity == "page"]
    colours: Sequence[str] = [
        "dark-red" if factor in pages[1:] else BAD if factor in pages else WARNING for factor, _ in factors
    ]
    return Step("transparent"), *(Step(colour, factor) for (factor, _), colour in zip(factors, colours, strict=True))
