"""Rule tests of the alerts on cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from claudescope_alerts.promql.numbers import four_digits, just_over, just_under
from claudescope_alerts.rule_tests.model import Expected, Query, RuleTest
from claudescope_alerts.rule_tests.series import counter

__all__ = ["SpendRateTest", "cost_per_call_rule_tests"]


@dataclass(frozen=True, slots=True)
class SpendRateTest:
    """Tests of one tier of the alert on the spend rate. Times in minutes.

    Attributes:
        name: Name of the tier.
        series: The counter of cost.
        over: PromQL that holds while the long window is over its threshold.
        budget: The daily budget in US dollars.
        factor: How many times the budget is the threshold.
        long: The long window.
        short: The short window.
        for_: How long the condition must last; also how long the alert fires after it ended.
        interval: Time between evaluations, and between samples.
    """

    name: str
    series: str
    over: str
    budget: Decimal
    factor: Decimal
    long: int
    short: int
    for_: int
    interval: int

    def rule_tests(self) -> tuple[RuleTest, ...]:
        """All tests of the tier."""
        step = self.interval
        at_threshold = self.factor * self.budget / 1440 * step
        over, under = at_threshold * Decimal("1.01"), at_threshold * Decimal("0.99")
        # At once twice what the long window may have, so that the alert's time starts with the spending.
        burst, begins = at_threshold * self.long * 2 / step, self.long + 2 * step
        ends = begins + self.for_ + 4 * step
        gone = ends + self.short + self.for_
        brief = self.for_ + 2 * step
        # A rate over a window that is not yet full is lower.
        compared_at = self.long + self.for_ + 2 * step
        rule_tests = (
            RuleTest(
                f"fires after {self.for_} minutes, and resolves while its long window still is over",
                self._series(burst, (begins, 0), (ends - begins, burst), (gone + step - ends, 0)),
                silent=(begins + self.for_, gone),
                firing=(begins + self.for_ + step, ends + self.for_),
                queries=(Query(gone, self.over, 1),),
            ),
            RuleTest(
                "shows the spend rate just over its threshold",
                self._series(burst, (compared_at + step, over)),
                expected=Expected(compared_at, four_digits(self.factor * Decimal("1.01"))),
            ),
            RuleTest(
                "is silent just under its threshold",
                self._series(burst, (compared_at + step, under)),
                silent=tuple(range(step, compared_at + step, step)),
            ),
            RuleTest(
                "is silent on a burst that spends too little",
                self._series(
                    burst,
                    (self.long, 0),
                    (brief, at_threshold * self.long / brief * Decimal("0.9")),
                    (self.short, 0),
                ),
                silent=tuple(range(self.long, self.long + brief + self.short, step)),
            ),
        )
        return tuple(
            replace(rule_test, name=f"{self.name} {rule_test.name}", evaluation_interval=step, sample_interval=step)
            for rule_test in rule_tests
        )

    def _series(self, burst: Decimal, *segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        return {self.series: counter(*segments, start=100 * burst, interval=self.interval)}


def cost_per_call_rule_tests(
    cost: str, calls: str, limit: Decimal, *, min_calls: int, for_: int
) -> tuple[RuleTest, ...]:
    """Tests of the alert on the average cost of a call.

    Args:
        cost: The counter of cost.
        calls: The counter of calls.
        limit: Threshold in US dollars.
        min_calls: Calls within an hour below which the alert is silent.
        for_: Minutes that the condition must last.
    """
    over, under, many = just_over(limit), just_under(limit), max(1000, min_calls)
    few = Decimal(min_calls - 1) / 90
    return (
        RuleTest(
            f"fires after {for_} minutes just over the threshold",
            {cost: counter((20, over * many)), calls: counter((20, many))},
            silent=(for_,),
            firing=(for_ + 1,),
            expected=Expected(2 * for_, four_digits(over)),
        ),
        RuleTest(
            "is silent just under the threshold",
            {cost: counter((20, under * many)), calls: counter((20, many))},
            silent=tuple(range(1, 21)),
        ),
        RuleTest(
            "is silent on few calls",
            {cost: counter((90, limit * 9 * few)), calls: counter((90, few))},
            silent=tuple(range(1, 91)),
        ),
    )
