"""Rule tests of the alert on rate-limit headroom."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from claudescope_alerts.promql.numbers import format_number, just_over, just_under, percentage
from claudescope_alerts.rule_tests.model import Expected, RuleTest
from claudescope_alerts.rule_tests.series import counter

__all__ = ["headroom_rule_tests"]


def headroom_rule_tests(
    remaining: str,
    allowed: str,
    calls: str,
    limit: Decimal,
    *,
    min_calls: int,
    for_: int,
    keep_firing_for: int,
    labels: Mapping[str, str],
    placeholders: Mapping[str, str],
) -> tuple[RuleTest, ...]:
    """Tests of an alert on the ratio of a rate limit that is left.

    Args:
        remaining: The gauge of what is left.
        allowed: The gauge of the limit.
        calls: The counter of calls.
        limit: The ratio below which the alert fires.
        min_calls: Calls within five minutes below which the alert is silent.
        for_: Minutes that the condition must last.
        keep_firing_for: Minutes for which the alert fires after the condition ended.
        labels: Labels that the alert has from the data.
        placeholders: What its annotations show of these.
    """
    low, enough = (format_number(1000 * left) for left in (just_under(limit), just_over(limit)))
    busy = counter((60, max(10, min_calls)))
    return (
        RuleTest(
            f"fires after {for_} minutes of low headroom, and resolves",
            {remaining: f"1000x9 {low}x14 1000x40", allowed: "1000x65", calls: busy},
            silent=(10 + for_ - 1, 25 + keep_firing_for),
            firing=(10 + for_, 25 + keep_firing_for - 1),
            expected=Expected(10 + for_ + 2, percentage(just_under(limit)), labels, placeholders),
        ),
        RuleTest(
            "is silent while just enough is left",
            {remaining: f"{enough}x60", allowed: "1000x60", calls: busy},
            silent=tuple(range(1, 60)),
        ),
        RuleTest(
            "is silent on an old value without new calls",
            {remaining: f"{low}x60", allowed: "1000x60", calls: counter((60, 0))},
            silent=tuple(range(1, 60)),
        ),
    )
