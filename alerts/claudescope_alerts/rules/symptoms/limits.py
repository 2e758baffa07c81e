"""Rate limits that are about to be reached."""

from __future__ import annotations

from decimal import Decimal

from claudescope.schema.catalogue import (
    DURATION,
    OPERATION,
    OUTCOME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_TYPE,
    REQUEST_MODEL,
)
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Alert, Expected, Group, RuleTest, counter, format_number, percentage
from claudescope_alerts.spec.model import Spec

__all__ = ["group"]


def group(spec: Spec, names: SelectorBuilder) -> Group:
    """The alert on headroom. Headers are last seen with the last call, so without calls it says nothing."""
    ratio, for_ = spec.thresholds.headroom, 5
    by = names.by(REQUEST_MODEL, RATE_LIMIT_TYPE)
    remaining, limit = names.select(RATE_LIMIT_REMAINING), names.select(RATE_LIMIT)
    calls = names.select(DURATION, part="count", window="5m")
    labels = {REQUEST_MODEL: "claude-test-model", RATE_LIMIT_TYPE: "output_tokens"}
    left, allowed = names.series(RATE_LIMIT_REMAINING, labels), names.series(RATE_LIMIT, labels)
    call = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    low, enough = (format_number(ratio * 1000 * Decimal(times)) for times in ("0.99", "1.01"))
    busy = counter((60, 10))
    alert = Alert(
        "ClaudeRateLimitHeadroomLow",
        # Of several processes the one that saw least says what is left.
        f"min by {by} ({remaining}) / (max by {by} ({limit}) > 0) < {format_number(ratio)} "
        f"and on () sum(increase({calls})) >= {spec.thresholds.min_calls}",
        severity="ticket",
        owner="quota",
        summary=f"{spec.service.name}: $value of the limit of $type of $model is left",
        description=f"$value is left of the rate limit of $type of $model; less than {percentage(ratio)} for {for_} "
        "minutes. Calls will soon be refused: spread the load, cache more input, or ask for a higher limit.",
        for_=for_,
        keep_firing_for=5,
        shown={"type": names.template(RATE_LIMIT_TYPE), "model": names.template(REQUEST_MODEL)},
        dashboard="limits",
        narrowed={"model": "model"},
        rule_tests=(
            RuleTest(
                "fires after 5 minutes of low headroom, and resolves",
                {left: f"1000x9 {low}x14 1000x40", allowed: "1000x65", call: busy},
                silent=(10 + for_ - 1, 25 + 5),
                firing=(10 + for_, 25 + 5 - 1),
                expected=Expected(
                    10 + for_ + 2,
                    percentage(ratio * Decimal("0.99")),
                    {names.label(label): value for label, value in labels.items()},
                    {"type": labels[RATE_LIMIT_TYPE], "model": labels[REQUEST_MODEL]},
                ),
            ),
            RuleTest(
                "is silent while just enough is left",
                {left: f"{enough}x60", allowed: "1000x60", call: busy},
                silent=tuple(range(1, 60)),
            ),
            RuleTest(
                "is silent on an old value that nothing renews",
                {left: f"{low}x60", allowed: "1000x60", call: counter((60, 0))},
                silent=tuple(range(1, 60)),
            ),
        ),
    )
    return Group("limits", (alert,))
