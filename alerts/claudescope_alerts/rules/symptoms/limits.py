"""The alert on rate limits that are nearly used up."""

from __future__ import annotations

from claudescope.schema.catalogue import (
    CALLS,
    OPERATION,
    OUTCOME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_TYPE,
    REQUEST_MODEL,
)
from claudescope_alerts.promql.numbers import format_number, percentage
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rule_tests.limits import headroom_rule_tests
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.rules.symptoms.ratio import KEEP_FIRING_FOR
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["group"]


def group(spec: Spec, selectors: SelectorBuilder) -> Group:
    """The alert on headroom. The API reports headroom with each response, so without calls the alert is silent."""
    limit, for_ = spec.thresholds.headroom, 5
    by = selectors.by(REQUEST_MODEL, RATE_LIMIT_TYPE)
    remaining, allowed = selectors.select(RATE_LIMIT_REMAINING), selectors.select(RATE_LIMIT)
    calls = selectors.select(CALLS, window="5m")
    labels = {REQUEST_MODEL: "claude-test-model", RATE_LIMIT_TYPE: "output_tokens"}
    alert = Alert(
        "ClaudeRateLimitHeadroomLow",
        # Of several processes, the one that saw the least says what is left.
        f"min by {by} ({remaining}) / (max by {by} ({allowed}) > 0) < {format_number(limit)} "
        f"and on () sum(increase({calls})) >= {spec.thresholds.min_calls}",
        severity="ticket",
        owner="quota",
        summary=f"{spec.service.name}: $value of the rate limit $type of $model is left",
        description="$value of the rate limit $type of $model is left, as the last responses reported. When nothing is "
        f"left, the API refuses calls and users wait or get errors. Threshold: less than {percentage(limit)} for "
        f"{write_minutes(for_)}. What to do first: spread the load, cache more input, or ask for a higher limit.",
        for_=for_,
        keep_firing_for=KEEP_FIRING_FOR,
        placeholders={"type": selectors.template(RATE_LIMIT_TYPE), "model": selectors.template(REQUEST_MODEL)},
        dashboard="limits",
        dashboard_variables={"model": "model"},
        rule_tests=headroom_rule_tests(
            selectors.series(RATE_LIMIT_REMAINING, labels),
            selectors.series(RATE_LIMIT, labels),
            selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"}),
            limit,
            min_calls=spec.thresholds.min_calls,
            for_=for_,
            keep_firing_for=KEEP_FIRING_FOR,
            labels={selectors.label(label): value for label, value in labels.items()},
            placeholders={"type": labels[RATE_LIMIT_TYPE], "model": labels[REQUEST_MODEL]},
        ),
    )
    return Group("limits", (alert,))
