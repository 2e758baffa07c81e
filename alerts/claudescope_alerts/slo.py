"""Rules of one objective: its SLI over every window, its budget, its burn rates and its burn alerts.

The SLI is never NaN and never missing while there is traffic: `(bad or 0 * total) / (total > 0)`. The budget over the
whole period weighs every event alike, `sum(bad) / sum(total)`; an average of ratios would let one bad night with three
calls count as much as a day with a million.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from claudescope_alerts.promql import Names
from claudescope_alerts.rules import Alert, Expected, Group, Query, Recording, Trial, counter, write
from claudescope_alerts.sli import Events, events_of
from claudescope_alerts.spec import Objective, Spec
from claudescope_alerts.windows import TIERS, WINDOWS, Tier, TierName, write_minutes

__all__ = ["BURN_ALERT", "objective_group"]

BURN_ALERT: Final = "ClaudeErrorBudgetBurn"

_PREFIX: Final = "claude_slo"
_BASE: Final = write_minutes(WINDOWS[0])
_STEPS: Final[dict[TierName, int]] = {"page-fast": 1, "page-slow": 5, "ticket-fast": 15, "ticket-slow": 30}
"""Minutes between evaluations in the trials of a tier: a divisor of its times, as coarse as these allow."""

_MANY: Final = 100_000
"""Events a minute in trials: any guard on their number is met at once."""


def _ratio(window: int) -> str:
    return f"{_PREFIX}:error_ratio:rate{write_minutes(window)}"


def _burn(window: int) -> str:
    return f"{_PREFIX}:burn_rate:{write_minutes(window)}"


def _failures(window: int) -> str:
    return f"{_PREFIX}:failures:increase{write_minutes(window)}"


def objective_group(objective: Objective, spec: Spec) -> Group:
    """The rules of an objective, and what proves them."""
    names = Names(spec)
    events = events_of(objective.sli, names)
    labels = {"service": spec.service.name, "slo": objective.name}
    recordings = [Recording(name, expr, labels) for name, expr in _recordings(objective, events, labels)]
    alerts = [_alert(objective, TIERS[name], events, names, labels) for name in objective.tiers]
    return Group(f"slo-{objective.name}", (*recordings, *alerts), _window_trials(events, labels, objective))


def _selector(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _recordings(objective: Objective, events: Events, labels: dict[str, str]) -> list[tuple[str, str]]:
    own = _selector(labels)

    def bad(window: str) -> str:
        return f"({events.bad(window)} or 0 * {events.total(window)})"

    rules = [
        (f"{_PREFIX}:errors:rate{_BASE}", bad(_BASE)),
        (f"{_PREFIX}:events:rate{_BASE}", events.total(_BASE)),
    ]
    for window in WINDOWS:
        name = write_minutes(window)
        rules.append((_ratio(window), f"{bad(name)} / ({events.total(name)} > 0)"))
    budget, period = write(objective.budget), objective.window
    rules += [(_burn(window), f"{_ratio(window)}{own} / {budget}") for window in WINDOWS]
    rules += [
        (_failures(window), f"{bad(write_minutes(window))} * {window * 60}")
        for window in sorted({tier.long for tier in TIERS.values()})
    ]
    period_ratio = f"{_PREFIX}:error_ratio:period"
    errors, total = (f"sum_over_time({_PREFIX}:{kind}:rate{_BASE}{own}[{period}])" for kind in ("errors", "events"))
    return [
        *rules,
        (period_ratio, f"{errors} / ({total} > 0)"),
        (f"{_PREFIX}:error_budget:remaining", f"1 - {period_ratio}{own} / {budget}"),
        (f"{_PREFIX}:objective:ratio", f"vector({write(objective.target / 100)})"),
        (f"{_PREFIX}:error_budget:ratio", f"vector({budget})"),
        (f"{_PREFIX}:period:days", f"vector({objective.period_days})"),
    ]


def _alert(objective: Objective, tier: Tier, events: Events, names: Names, labels: dict[str, str]) -> Alert:
    own, factor = _selector(labels), write(tier.factor(objective.period_days))
    long, short = write_minutes(tier.long), write_minutes(tier.short)
    expr = (
        f"{_burn(tier.long)}{own} > {factor} and {_burn(tier.short)}{own} > {factor} "
        f"and {_failures(tier.long)}{own} >= {objective.min_failures}"
    )
    model = " for $model" if events.by else ""
    return Alert(
        BURN_ALERT,
        expr,
        severity=tier.severity,
        fault=objective.fault,
        summary=f"{labels['service']}: the error budget of {objective.name}{model} burns $value times too fast",
        description=f"Over the last {long} and {short}, {objective.name}{model} failed more than {factor} times as "
        f"often as its objective of {write(objective.target)} % over {objective.window} allows; over {long} it was "
        "$value times.",
        wait=tier.wait,
        keep=tier.keep,
        labels={"slo": objective.name, "tier": tier.name},
        shown={"model": names.template(events.by[0])} if events.by else {},
        value="humanize",
        trials=_tier_trials(objective, tier, events, names),
    )


def _story(events: Events, *segments: tuple[int, Decimal | float, Decimal | float]) -> dict[str, str]:
    """Series of so many minutes with so many bad and good events each."""
    return events.simulate(
        counter(*((minutes, bad) for minutes, bad, _ in segments)),
        counter(*((minutes, good) for minutes, _, good in segments)),
        counter(*((minutes, bad + good) for minutes, bad, good in segments), start=2_000_000),  # type: ignore[operator]
    )


def _tier_trials(objective: Objective, tier: Tier, events: Events, names: Names) -> tuple[Trial, ...]:
    factor = tier.factor(objective.period_days)
    step = _STEPS[tier.name]
    limit = factor * objective.budget
    over, under = min(limit * Decimal("1.2"), Decimal(1)), limit * Decimal("0.9")
    ended = tier.wait + 4 * step
    gone = ended + tier.short + tier.keep + 2 * step
    long = gone + step
    fails = objective.min_failures
    last = tier.wait + 6 * step
    by = {names.label(label): events.labels[label] for label in events.by}
    shown = {"model": events.labels[events.by[0]]} if events.by else {}
    burning = Expected(tier.wait + 2 * step, f"{float(over / objective.budget):.4g}", by, shown)
    # One failure a minute, and no good event: the share is 100 %, and only their number tells.
    few = _story(events, (2 * step, 0, 0), (fails - 1, 1, 0), (long, 0, 0))
    enough = _story(events, (2 * step, 0, 0), (2 * fails, 1, 0), (long, 0, 0))
    after = (3 * step + fails) // step * step + tier.wait + step
    return (
        Trial(
            f"{tier.name} fires after {tier.wait} minutes over its burn rate, and resolves",
            _story(events, (ended, over * _MANY, (1 - over) * _MANY), (long - ended, 0, _MANY)),
            silent=(tier.wait, gone),
            firing=(tier.wait + step, ended + tier.keep),
            expected=burning,
            step=step,
        ),
        Trial(
            f"{tier.name} is silent under its burn rate",
            _story(events, (last, under * _MANY, (1 - under) * _MANY)),
            silent=tuple(range(step, last + 1, step)),
            step=step,
        ),
        Trial(
            f"{tier.name} is silent on {fails - 1} failures, though nothing else was called",
            few,
            silent=tuple(range(step, long + 1, step)),
            step=step,
        ),
        Trial(f"{tier.name} fires on a small total outage", enough, firing=(after,), step=step),
    )


def _window_trials(events: Events, labels: dict[str, str], objective: Objective) -> tuple[Trial, ...]:
    """Ten minutes of outage after more history than the longest window: each window must see its own share of it."""
    own, step, burst = _selector(labels), 60, 10
    end = WINDOWS[-1] + step
    queries: list[Query] = []
    for window in WINDOWS:
        share = min(burst / window, 1)
        # Versions of Prometheus count w or w - 1 of the minutes of a window: rounding to a tenth allows either.
        ratio = f"round({_ratio(window)}{own} / {share!r}, 0.1) == 1"
        burn = f"round({_burn(window)}{own} * {write(objective.budget)} / {share!r}, 0.1) == 1"
        queries += [Query(end, ratio, 1), Query(end, burn, 1)]
    for window in sorted({tier.long for tier in TIERS.values()}):
        queries.append(Query(end, f"round({_failures(window)}{own} / {burst * _MANY}, 0.1) == 1", 1))
    silent, again = end + 8 * step, end + 10 * step
    every = "|".join(f"{_PREFIX}:{name}:.+" for name in ("error_ratio", "burn_rate", "error_budget", "failures"))
    nan = f'{{__name__=~"{every}"}}'
    queries += [Query(minute, f"sum({nan}) != sum({nan})", None) for minute in (step, end, silent, again)]
    # While nothing is called there is no ratio, rather than a wrong one; the budget of the period stays known.
    queries += [Query(silent, f"{_ratio(WINDOWS[0])}{own}", None)]
    remaining = f"{_PREFIX}:error_budget:remaining{own}"
    queries += [Query(minute, remaining, 1) for minute in (end, silent, again)]
    story = _story(events, (end - burst, 0, _MANY), (burst, _MANY, 0), (8 * step, 0, 0), (4 * step, 0, _MANY))
    healthy = _story(events, (8 * step, 0, _MANY))
    # A kind of error that never happened has no series at all.
    flat = counter((8 * step, 0))
    healthy = {series: values for series, values in healthy.items() if values != flat}
    # A tenth of the events of a short, busy day fails, then come quiet hours: an average of ratios would say far less.
    weighted = _story(events, (2 * step, _MANY / 10, _MANY * 0.9), (10 * step, 0, 1))
    exact = f"round({_PREFIX}:error_ratio:period{own}, 0.001) == 0.1"
    return (
        Trial("each window sees its own share of an outage, and none is NaN", story, queries=tuple(queries), step=step),
        Trial(
            "the whole budget remains while all is well",
            healthy,
            queries=(Query(6 * step, f"{remaining} == 1", 1), Query(6 * step, f"{_ratio(WINDOWS[0])}{own} == 0", 1)),
            step=step,
        ),
        Trial("the period weighs every event alike", weighted, queries=(Query(10 * step, exact, 1),), step=step),
    )
