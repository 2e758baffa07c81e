"""When a number turns orange or red: by the same spec that says when an alert fires."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from claudescope_alerts.spec.burn_rate_tiers import TIERS
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.objectives import Objective, Preset
from claudescope_dashboards.grafana.palette import BAD, GOOD, WARNING
from claudescope_dashboards.grafana.panels import Step

__all__ = ["availability", "burn", "failing", "falling", "latency", "objective_of", "pace", "rising"]


def rising(warning: float, bad: float) -> tuple[Step, ...]:
    """Green below `warning`, red from `bad` on."""
    return Step(GOOD), Step(WARNING, warning), Step(BAD, bad)


def falling(bad: float, warning: float) -> tuple[Step, ...]:
    """Red below `bad`, green from `warning` on."""
    return Step(BAD), Step(WARNING, bad), Step(GOOD, warning)


def objective_of(spec: Spec, preset: Preset) -> Objective | None:
    """The first objective on all calls that has a preset."""
    return next((goal for goal in spec.objectives if goal.sli.preset == preset and not goal.sli.owner), None)


def _page(objective: Objective) -> float:
    """The share of bad events at which the quickest tier fires."""
    return float(min(TIERS["page-fast"].factor(objective.period_days) * objective.budget, Decimal(1)))


def failing(spec: Spec) -> tuple[Step, ...]:
    """Of a share of failed calls: orange above the objective, red where the budget burns as fast as a page takes."""
    objective = objective_of(spec, "claude-availability")
    return rising(float(objective.budget), _page(objective)) if objective else rising(0.01, 0.05)


def availability(spec: Spec) -> tuple[Step, ...]:
    """Of a share of good calls: the same from the other side."""
    _, warning, bad = failing(spec)
    return falling(round(1 - (bad.value or 0), 9), round(1 - (warning.value or 0), 9))


def latency(spec: Spec, preset: Preset) -> tuple[Step, ...]:
    """Of a p95: red where a twentieth of calls is slower than the objective's threshold, orange from half of that."""
    objective = objective_of(spec, preset)
    if objective is None or objective.sli.threshold is None:
        return ()
    return rising(objective.sli.threshold / 2, objective.sli.threshold)


def pace(spec: Spec) -> tuple[Step, ...]:
    """Of US dollars a day: orange over the day's budget, red at three times."""
    budget = spec.thresholds.daily_budget_usd
    return () if budget is None else rising(float(budget), float(budget * 3))


def burn(objective: Objective) -> tuple[Step, ...]:
    """Of burn rates: a line for each tier that alerts."""
    factors = sorted(
        (float(TIERS[name].factor(objective.period_days)), TIERS[name].severity) for name in objective.tiers
    )
    pages = [factor for factor, severity in factors if severity == "page"]
    colours: Sequence[str] = [
        "dark-red" if factor in pages[1:] else BAD if factor in pages else WARNING for factor, _ in factors
    ]
    return Step("transparent"), *(Step(colour, factor) for (factor, _), colour in zip(factors, colours, strict=True))
