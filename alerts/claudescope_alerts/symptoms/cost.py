"""Money: the pace of a day's budget over burn windows, the cost of a call, and calls without a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.catalogue import COST, DURATION, OPERATION, OUTCOME, UNPRICED_CALLS
from claudescope_alerts.promql import Names
from claudescope_alerts.rules import PLAIN, Alert, Expected, Group, Query, Trial, counter, write
from claudescope_alerts.spec import Spec
from claudescope_alerts.symptoms.shares import Count, count_alert
from claudescope_alerts.windows import Severity, write_minutes

__all__ = ["PACES", "Pace", "group"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many times too fast a day's budget is spent. Times in minutes; `step` is between evaluations in trials."""

    severity: Severity
    factor: Decimal
    long: int
    short: int
    wait: int
    step: int


PACES: Final = {
    "page-fast": Pace("page", Decimal(12), long=60, short=5, wait=5, step=1),
    "ticket-fast": Pace("ticket", Decimal(3), long=360, short=30, wait=15, step=5),
    "ticket-slow": Pace("ticket", Decimal(1), long=1440, short=120, wait=60, step=15),
}
"""A page where a day's budget would be gone in two hours: a loop. Tickets for eight hours and for the day."""


def group(spec: Spec, names: Names) -> Group:
    """Alerts on cost."""
    alerts: list[Alert] = []
    if spec.guards.daily_budget_usd is not None:
        alerts += [_pace(tier, pace, spec.guards.daily_budget_usd, spec, names) for tier, pace in PACES.items()]
    if spec.guards.cost_per_call_usd is not None:
        alerts.append(_per_call(spec.guards.cost_per_call_usd, spec, names))
    alerts.append(
        count_alert(
            Count(
                "ClaudeUnpricedCalls",
                names.select(UNPRICED_CALLS),
                names.series(UNPRICED_CALLS, {OPERATION: "chat"}),
                limit=1,
                severity="ticket",
                fault="local",
                subject="calls have no known price",
                advice="What is spent on them is in no number: add a price for their model, or update genai-prices.",
                window=60,
                board="cost",
            ),
            spec.service.name,
        )
    )
    return Group("cost", tuple(alerts))


def _pace(tier: str, pace: Pace, budget: Decimal, spec: Spec, names: Names) -> Alert:
    long, short = write_minutes(pace.long), write_minutes(pace.short)

    def spent(window: str) -> str:
        return f"sum(rate({names.select(COST, window=window)})) * 86400 / {write(budget)}"

    series = names.series(COST, {OPERATION: "chat"})
    sample = pace.factor * budget / 1440 * pace.step
    step = pace.step
    over, under = sample * Decimal("1.01"), sample * Decimal("0.99")
    # Twice what the long window may have, at once: the time at which it begins is the time that counts.
    burst, begins = sample * pace.long * 2 / step, pace.long + 2 * step
    ends = begins + pace.wait + 4 * step
    gone = ends + pace.short + pace.wait
    brief = pace.wait + 2 * step
    # Over a window that is not yet full, a rate is lower.
    told_at = pace.long + pace.wait + 2 * step
    told = f"{spent(long)} > {write(pace.factor)}"

    def story(*segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        """So many minutes with so much spent from sample to sample."""
        return {series: counter(*segments, start=100 * burst, every=step)}

    return Alert(
        "ClaudeCostPaceHigh",
        f"{spent(long)} > {write(pace.factor)} and {spent(short)} > {write(pace.factor)}",
        severity=pace.severity,
        fault="caller",
        summary=f"{spec.service.name}: money is spent $value times faster than the budget of a day",
        description=f"Over the last {long} and {short}, at more than {write(pace.factor)} times the pace of "
        f"{write(budget)} US dollars a day; over {long} $value times. The dashboard shows workflow and model.",
        wait=pace.wait,
        keep=pace.wait,
        labels={"tier": tier},
        value=PLAIN,
        board="cost",
        trials=(
            Trial(
                f"{tier} fires after {pace.wait} minutes, and resolves while its long window still is over",
                story((begins, 0), (ends - begins, burst), (gone + step - ends, 0)),
                silent=(begins + pace.wait, gone),
                firing=(begins + pace.wait + step, ends + pace.wait),
                queries=(Query(gone, told, 1),),
                step=step,
                every=step,
            ),
            Trial(
                f"{tier} tells the pace just over its limit",
                story((told_at + step, over)),
                expected=Expected(told_at, f"{float(pace.factor * Decimal('1.01')):.4g}"),
                step=step,
                every=step,
            ),
            Trial(
                f"{tier} is silent just under it",
                story((told_at + step, under)),
                silent=tuple(range(step, told_at + step, step)),
                step=step,
                every=step,
            ),
            Trial(
                f"{tier} is silent on a burst that spends too little",
                story((pace.long, 0), (brief, sample * pace.long / brief * Decimal("0.9")), (pace.short, 0)),
                silent=tuple(range(pace.long, pace.long + brief + pace.short, step)),
                step=step,
                every=step,
            ),
        ),
    )


def _per_call(limit: Decimal, spec: Spec, names: Names) -> Alert:
    cost, calls = names.select(COST, window="1h"), names.select(DURATION, part="count", window="1h")
    spent = names.series(COST, {OPERATION: "chat"})
    count = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    few = Decimal(spec.guards.min_calls - 1) / 90
    return Alert(
        "ClaudeCostPerCallOverLimit",
        f"sum(rate({cost})) / (sum(rate({calls})) > 0) > {write(limit)} and sum(increase({calls})) "
        f">= {spec.guards.min_calls}",
        severity="ticket",
        fault="caller",
        summary=f"{spec.service.name}: a call costs $value US dollars",
        description=f"$value US dollars a call over the last hour; the limit is {write(limit)}. Look for a change of "
        "model, of tokens per call, and of the cache's hits.",
        wait=5,
        keep=5,
        value=PLAIN,
        board="cost",
        trials=(
            Trial(
                "fires after 5 minutes just over the limit",
                {spent: counter((20, limit * Decimal("1.01") * 1000)), count: counter((20, 1000))},
                silent=(5,),
                firing=(6,),
                expected=Expected(10, f"{float(limit * Decimal('1.01')):.4g}"),
            ),
            Trial(
                "is silent just under the limit",
                {spent: counter((20, limit * Decimal("0.99") * 1000)), count: counter((20, 1000))},
                silent=tuple(range(1, 21)),
            ),
            Trial(
                "is silent on few calls",
                {spent: counter((90, limit * 9 * few)), count: counter((90, few))},
                silent=tuple(range(1, 91)),
            ),
        ),
    )
