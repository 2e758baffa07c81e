"""Answers that are cut or refused, and streams that stand still."""

from __future__ import annotations

from decimal import Decimal

from claudescope.schema.catalogue import FINISH_REASON, OPERATION, RESPONSES, STREAM_STALL
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rules.model import (
    Alert,
    Expected,
    Group,
    RuleTest,
    counter,
    format_number,
    many_events,
    percentage,
)
from claudescope_alerts.rules.symptoms.ratio import Ratio, ratio_alert, simulated
from claudescope_alerts.spec.model import Spec, bucket

__all__ = ["group"]


def group(spec: Spec, names: SelectorBuilder) -> Group:
    """Alerts on answers and streams."""
    thresholds, service = spec.thresholds, spec.service.name
    total = names.select(RESPONSES)

    def series(reason: str) -> str:
        return names.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: reason})

    truncated = ("max_tokens", "model_context_window_exceeded")
    return Group(
        "answers",
        (
            ratio_alert(
                Ratio(
                    "ClaudeTruncationsHigh",
                    names.select(RESPONSES, Match(FINISH_REASON, truncated)),
                    (total,),
                    simulated(series(truncated[0]), series("end_turn")),
                    limit=thresholds.truncation_ratio,
                    failures=thresholds.min_failures,
                    severity="ticket",
                    owner="caller",
                    subject="answers are cut short",
                    advice="Answers reach max_tokens or the context window: raise the one, shorten the other.",
                    window=30,
                    for_=15,
                ),
                service,
            ),
            ratio_alert(
                Ratio(
                    "ClaudeRefusalsHigh",
                    names.select(RESPONSES, Match(FINISH_REASON, ("refusal",))),
                    (total,),
                    simulated(series("refusal"), series("end_turn")),
                    limit=thresholds.refusal_ratio,
                    failures=thresholds.min_failures,
                    severity="ticket",
                    owner="caller",
                    subject="answers are refusals",
                    advice="Look for a recent change of prompts, or for what users bring in.",
                    window=30,
                    for_=15,
                ),
                service,
            ),
            _stalled(spec, names),
        ),
    )


def _stalled(spec: Spec, names: SelectorBuilder) -> Alert:
    """Streams with a longer gap than a bucket's bound: all streams less those in the bucket."""
    thresholds, window, for_ = spec.thresholds, "10m", 5
    le = bucket(STREAM_STALL, thresholds.stall)
    total = names.select(STREAM_STALL, part="count", window=window)
    quick = names.select(STREAM_STALL, part="bucket", le=le, window=window)
    slow = f"(sum(rate({total})) - sum(rate({quick})))"
    labels = {OPERATION: "chat"}
    count, within = names.series(STREAM_STALL, labels, "count"), names.series(STREAM_STALL, labels, "bucket", le=le)
    over, under = thresholds.stall_ratio * Decimal("1.01"), thresholds.stall_ratio * Decimal("0.99")
    few = thresholds.min_failures - 1
    minutes = min(few, 8)
    many = many_events(thresholds.min_failures, thresholds.stall_ratio)
    return Alert(
        "ClaudeStreamsStalled",
        f"{slow} / (sum(rate({total})) > 0) > {format_number(thresholds.stall_ratio)} "
        f"and {slow} * 600 >= {thresholds.min_failures}",
        severity="ticket",
        owner="provider",
        summary=f"{spec.service.name}: $value of streams stand still for more than {le} s",
        description=f"$value over the last {window}, for {for_} minutes; the limit is "
        f"{percentage(thresholds.stall_ratio)}. "
        " Check status.claude.com, and proxies on the way that buffer.",
        for_=for_,
        keep_firing_for=5,
        dashboard="latency",
        rule_tests=(
            RuleTest(
                "fires after 5 minutes just over the share, and resolves",
                {
                    count: counter((60, many), start=20 * many),
                    within: counter((12, many * (1 - over)), (48, many), start=20 * many),
                },
                silent=(for_, 12 + 5 + 1),
                firing=(for_ + 1, 12 + 5),
                expected=Expected(for_ + 3, percentage(over)),
            ),
            RuleTest(
                "is silent just below the share",
                {
                    count: counter((40, many), start=20 * many),
                    within: counter((40, many * (1 - under)), start=20 * many),
                },
                silent=tuple(range(1, 41)),
            ),
            RuleTest(
                f"is silent on {few} streams that all stall",
                {count: counter((15, 0), (minutes, Decimal(few) / minutes), (30, 0)), within: counter((60, 0))},
                silent=tuple(range(1, 45)),
            ),
        ),
    )
