"""Money: the pace of a day's budget over burn windows, the cost of a call, and calls without a price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.schema.catalogue import COST, DURATION, OPERATION, OUTCOME, UNPRICED_CALLS
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import PLAIN, Alert, Expected, Group, Query, RuleTest, counter, format_number
from claudescope_alerts.rules.symptoms.ratio import Count, count_alert
from claudescope_alerts.spec.burn_rate_tiers import Severity, write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["PACES", "Pace", "group"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How many times too fast a day's budget is spent. Times in minutes; `step` is between evaluations in trials."""

    severity: Severity
    factor: Decimal
    long: int
    short: int
    for_: int
    step: int


PACES: Final = {
    "page-fast": Pace("page", Decimal(12), long=60, short=5, for_=5, step=1),
    "ticket-fast": Pace("ticket", Decimal(3), long=360, short=30, for_=15, step=5),
    "ticket-slow": Pace("ticket", Decimal(1), long=1440, short=120, for_=60, step=15),
}
"""A page where a day's budget would be gone in two hours: a loop. Tickets for eight hours and for the day."""


def group(spec: Spec, names: SelectorBuilder) -> Group:
    """Alerts on cost."""
    alerts: list[Alert] = []
    if spec.thresholds.daily_budget_usd is not None:
        alerts += [_pace(tier, pace, spec.thresholds.daily_budget_usd, spec, names) for tier, pace in PACES.items()]
    if spec.thresholds.cost_per_call_usd is not None:
        alerts.append(_per_call(spec.thresholds.cost_per_call_usd, spec, names))
    alerts.append(
        count_alert(
            Count(
                "ClaudeUnpricedCalls",
                names.select(UNPRICED_CALLS),
                names.series(UNPRICED_CALLS, {OPERATION: "chat"}),
                limit=1,
                severity="ticket",
                owner="local",
                subject="calls have no known price",
                advice="What is spent on them is in no number: add a price for their model, or update genai-prices.",
                window=60,
                dashboard="cost",
            ),
            spec.service.name,
        )
    )
    return Group("cost", tuple(alerts))


def _pace(tier: str, pace: Pace, budget: Decimal, spec: Spec, names: SelectorBuilder) -> Alert:
    long, short = write_minutes(pace.long), write_minutes(pace.short)

    def spent(window: str) -> str:
        return f"sum(rate({names.select(COST, window=window)})) * 86400 / {format_number(budget)}"

    series = names.series(COST, {OPERATION: "chat"})
    sample = pace.factor * budget / 1440 * pace.step
    step = pace.step
    over, under = sample * Decimal("1.01"), sample * Decimal("0.99")
    # Twice what the long window may have, at once: the time at which it begins is the time that counts.
    burst, begins = sample * pace.long * 2 / step, pace.long + 2 * step
    ends = begins + pace.for_ + 4 * step
    gone = ends + pace.short + pace.for_
    brief = pace.for_ + 2 * step
    # Over a window that is not yet full, a rate is lower.
    told_at = pace.long + pace.for_ + 2 * step
    told = f"{spent(long)} > {format_number(pace.factor)}"

    def story(*segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        """So many minutes with so much spent from sample to sample."""
        return {series: counter(*segments, start=100 * burst, every=step)}

    return Alert(
        "ClaudeCostPaceHigh",
        f"{spent(long)} > {format_number(pace.factor)} and {spent(short)} > {format_number(pace.factor)}",
        severity=pace.severity,
        owner="caller",
        summary=f"{spec.service.name}: money is spent $value times faster than the budget of a day",
        description=f"Over the last {long} and {short}, at more than {format_number(pace.factor)} times the pace of "
        f"{format_number(budget)} US dollars a day; over {long} $value times. The dashboard shows workflow and model.",
        for_=pace.for_,
        keep_firing_for=pace.for_,
        labels={"tier": tier},
        value=PLAIN,
        dashboard="cost",
        rule_tests=(
            RuleTest(
                f"{tier} fires after {pace.for_} minutes, and resolves while its long window still is over",
                story((begins, 0), (ends - begins, burst), (gone + step - ends, 0)),
                silent=(begins + pace.for_, gone),
                firing=(begins + pace.for_ + step, ends + pace.for_),
                queries=(Query(gone, told, 1),),
                step=step,
                every=step,
            ),
            RuleTest(
                f"{tier} tells the pace just over its limit",
                story((told_at + step, over)),
                expected=Expected(told_at, f"{float(pace.factor * Decimal('1.01')):.4g}"),
                step=step,
                every=step,
            ),
            RuleTest(
                f"{tier} is silent just under it",
                story((told_at + step, under)),
                silent=tuple(range(step, told_at + step, step)),
                step=step,
                every=step,
            ),
            RuleTest(
                f"{tier} is silent on a burst that spends too little",
                story((pace.long, 0), (brief, sample * pace.long / brief * Decimal("0.9")), (pace.short, 0)),
                silent=tuple(range(pace.long, pace.long + brief + pace.short, step)),
                step=step,
                every=step,
            ),
        ),
    )


def _per_call(limit: Decimal, spec: Spec, names: SelectorBuilder) -> Alert:
    cost, calls = names.select(COST, window="1h"), names.select(DURATION, part="count", window="1h")
    spent = names.series(COST, {OPERATION: "chat"})
    count = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    few = Decimal(spec.thresholds.min_calls - 1) / 90
    return Alert(
        "ClaudeCostPerCallOverLimit",
        f"sum(rate({cost})) / (sum(rate({calls})) > 0) > {format_number(limit)} and sum(increase({calls})) "
        f">= {spec.thresholds.min_calls}",
        severity="ticket",
        owner="caller",
        summary=f"{spec.service.name}: a call costs $value US dollars",
        description=f"$value US dollars a call over the last hour; the limit is {format_number(limit)}. "
        "Look for a change of model, of tokens per call, and of the cache's hits.",
        for_=5,
        keep_firing_for=5,
        value=PLAIN,
        dashboard="cost",
        rule_tests=(
            RuleTest(
                "fires after 5 minutes just over the limit",
                {spent: counter((20, limit * Decimal("1.01") * 1000)), count: counter((20, 1000))},
                silent=(5,),
                firing=(6,),
                expected=Expected(10, f"{float(limit * Decimal('1.01')):.4g}"),
            ),
            RuleTest(
                "is silent just under the limit",
                {spent: counter((20, limit * Decimal("0.99") * 1000)), count: counter((20, 1000))},
                silent=tuple(range(1, 21)),
            ),
            RuleTest(
                "is silent on few calls",
                {spent: counter((90, limit * 9 * few)), count: counter((90, few))},
                silent=tuple(range(1, 91)),
            ),
        ),
    )
