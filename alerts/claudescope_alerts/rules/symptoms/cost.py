"""Alerts on cost: the spend rate against a daily budget, the cost of a call, and calls without a price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.schema.catalogue import CALLS, COST, OPERATION, OUTCOME, UNPRICED_CALLS
from claudescope_alerts.promql.numbers import format_number
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rule_tests.cost import SpendRateTest, cost_per_call_rule_tests
from claudescope_alerts.rules.model import FOUR_DIGITS, Alert, Group
from claudescope_alerts.rules.symptoms.ratio import KEEP_FIRING_FOR, Count, count_alert
from claudescope_alerts.spec.burn_rate_tiers import Severity, write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["SPEND_RATE_TIERS", "SpendRateTier", "group"]


@dataclass(frozen=True, slots=True)
class SpendRateTier:
    """One tier of the alert on the spend rate. Times in minutes.

    Attributes:
        severity: `page` or `ticket`.
        factor: How many times the daily budget the spend rate must be above.
        long: The long window: enough was spent to matter.
        short: The short window: it is still being spent.
        for_: How long the condition must last; also how long the alert fires after it ended.
        test_interval: Time between evaluations in its rule tests.
    """

    severity: Severity
    factor: Decimal
    long: int
    short: int
    for_: int
    test_interval: int


SPEND_RATE_TIERS: Final = {
    "page-fast": SpendRateTier("page", Decimal(12), long=60, short=5, for_=5, test_interval=1),
    "ticket-fast": SpendRateTier("ticket", Decimal(3), long=360, short=30, for_=15, test_interval=5),
    "ticket-slow": SpendRateTier("ticket", Decimal(1), long=1440, short=120, for_=60, test_interval=15),
}
"""The tiers by name: a page where a day's budget lasts two hours, tickets where it lasts eight hours or a day."""


def group(spec: Spec, selectors: SelectorBuilder) -> Group:
    """Alerts on cost."""
    alerts: list[Alert] = []
    if spec.thresholds.daily_budget_usd is not None:
        alerts += [
            _spend_rate(name, tier, spec.thresholds.daily_budget_usd, spec, selectors)
            for name, tier in SPEND_RATE_TIERS.items()
        ]
    if spec.thresholds.cost_per_call_usd is not None:
        alerts.append(_per_call(spec.thresholds.cost_per_call_usd, spec, selectors))
    unpriced = Count(
        "ClaudeUnpricedCalls",
        selectors.select(UNPRICED_CALLS),
        selectors.series(UNPRICED_CALLS, {OPERATION: "chat"}),
        limit=1,
        severity="ticket",
        owner="local",
        subject="calls have no known price",
        meaning="The cost on dashboards and in alerts is too low by the cost of these calls.",
        advice="What to do first: update genai-prices, or add a price for the model.",
        window=60,
        dashboard="cost",
    )
    return Group("cost", (*alerts, count_alert(unpriced, spec.service.own_labels)))


def _spend_rate(name: str, tier: SpendRateTier, budget: Decimal, spec: Spec, selectors: SelectorBuilder) -> Alert:
    """The alert of one tier on the spend rate, in times of the daily budget."""
    long, short, factor = write_minutes(tier.long), write_minutes(tier.short), format_number(tier.factor)

    def rate(window: str) -> str:
        return f"sum(rate({selectors.select(COST, window=window)})) * 86400 / {format_number(budget)}"

    return Alert(
        "ClaudeCostPaceHigh",
        f"{rate(long)} > {factor} and {rate(short)} > {factor}",
        severity=tier.severity,
        owner="caller",
        summary=f"{spec.service.name}: spend rate is $value times the daily budget "
        f"({tier.severity} threshold {factor})",
        description=f"Over the last {long}, cost rises at $value times the daily budget of {format_number(budget)} US "
        f"dollars, and the last {short} is over the threshold too. Threshold: {factor} times for "
        f"{write_minutes(tier.for_)}; at that rate a day's budget lasts {format_number(24 / tier.factor)} hours. "
        "What to do first: find the workflow and model on the dashboard, and stop a workflow that loops.",
        for_=tier.for_,
        keep_firing_for=tier.for_,
        labels={"tier": name},
        value_format=FOUR_DIGITS,
        dashboard="cost",
        rule_tests=SpendRateTest(
            name=name,
            series=selectors.series(COST, {OPERATION: "chat"}),
            over=f"{rate(long)} > {factor}",
            budget=budget,
            factor=tier.factor,
            long=tier.long,
            short=tier.short,
            for_=tier.for_,
            interval=tier.test_interval,
        ).rule_tests(),
    )


def _per_call(limit: Decimal, spec: Spec, selectors: SelectorBuilder) -> Alert:
    """The alert on the average cost of a call over an hour."""
    cost, calls = selectors.select(COST, window="1h"), selectors.select(CALLS, window="1h")
    min_calls, for_ = spec.thresholds.min_calls, 5
    return Alert(
        "ClaudeCostPerCallOverLimit",
        f"sum(rate({cost})) / (sum(rate({calls})) > 0) > {format_number(limit)} and sum(increase({calls})) "
        f">= {min_calls}",
        severity="ticket",
        owner="caller",
        summary=f"{spec.service.name}: a call costs $value US dollars",
        description="A call costs $value US dollars on average over the last 1h. Threshold: "
        f"{format_number(limit)} US dollars and {min_calls} calls, for {write_minutes(for_)}. What to do first: look "
        "for a change of the model, of tokens per call, or of the cache hit rate.",
        for_=for_,
        keep_firing_for=KEEP_FIRING_FOR,
        value_format=FOUR_DIGITS,
        dashboard="cost",
        rule_tests=cost_per_call_rule_tests(
            selectors.series(COST, {OPERATION: "chat"}),
            selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"}),
            limit,
            min_calls=min_calls,
            for_=for_,
        ),
    )
