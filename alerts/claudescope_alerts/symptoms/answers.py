"""Answers that are cut or refused, and streams that stand still."""

from __future__ import annotations

from decimal import Decimal

from claudescope.catalogue import FINISH_REASON, OPERATION, RESPONSES, STREAM_STALL
from claudescope_alerts.promql import Match, Names
from claudescope_alerts.rules import Alert, Expected, Group, Trial, counter, many_events, percentage, write
from claudescope_alerts.spec import Spec, bucket
from claudescope_alerts.symptoms.shares import Share, share_alert, simulated

__all__ = ["group"]


def group(spec: Spec, names: Names) -> Group:
    """Alerts on answers and streams."""
    guards, service = spec.guards, spec.service.name
    total = names.select(RESPONSES)

    def series(reason: str) -> str:
        return names.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: reason})

    truncated = ("max_tokens", "model_context_window_exceeded")
    return Group(
        "answers",
        (
            share_alert(
                Share(
                    "ClaudeTruncationsHigh",
                    names.select(RESPONSES, Match(FINISH_REASON, truncated)),
                    (total,),
                    simulated(series(truncated[0]), series("end_turn")),
                    limit=guards.truncation_share,
                    failures=guards.min_failures,
                    severity="ticket",
                    fault="caller",
                    subject="answers are cut short",
                    advice="Answers reach max_tokens or the context window: raise the one, shorten the other.",
                    window=30,
                    wait=15,
                ),
                service,
            ),
            share_alert(
                Share(
                    "ClaudeRefusalsHigh",
                    names.select(RESPONSES, Match(FINISH_REASON, ("refusal",))),
                    (total,),
                    simulated(series("refusal"), series("end_turn")),
                    limit=guards.refusal_share,
                    failures=guards.min_failures,
                    severity="ticket",
                    fault="caller",
                    subject="answers are refusals",
                    advice="Look for a recent change of prompts, or for what users bring in.",
                    window=30,
                    wait=15,
                ),
                service,
            ),
            _stalled(spec, names),
        ),
    )


def _stalled(spec: Spec, names: Names) -> Alert:
    """Streams with a longer gap than a bucket's bound: all streams less those in the bucket."""
    guards, window, wait = spec.guards, "10m", 5
    le = bucket(STREAM_STALL, guards.stall)
    total = names.select(STREAM_STALL, part="count", window=window)
    quick = names.select(STREAM_STALL, part="bucket", le=le, window=window)
    slow = f"(sum(rate({total})) - sum(rate({quick})))"
    labels = {OPERATION: "chat"}
    count, within = names.series(STREAM_STALL, labels, "count"), names.series(STREAM_STALL, labels, "bucket", le=le)
    over, under = guards.stall_share * Decimal("1.01"), guards.stall_share * Decimal("0.99")
    few = guards.min_failures - 1
    minutes = min(few, 8)
    many = many_events(guards.min_failures, guards.stall_share)
    return Alert(
        "ClaudeStreamsStalled",
        f"{slow} / (sum(rate({total})) > 0) > {write(guards.stall_share)} and {slow} * 600 >= {guards.min_failures}",
        severity="ticket",
        fault="provider",
        summary=f"{spec.service.name}: $value of streams stand still for more than {le} s",
        description=f"$value over the last {window}, for {wait} minutes; the limit is "
        f"{percentage(guards.stall_share)}. "
        " Check status.claude.com, and proxies on the way that buffer.",
        wait=wait,
        keep=5,
        board="latency",
        trials=(
            Trial(
                "fires after 5 minutes just over the share, and resolves",
                {
                    count: counter((60, many), start=20 * many),
                    within: counter((12, many * (1 - over)), (48, many), start=20 * many),
                },
                silent=(wait, 12 + 5 + 1),
                firing=(wait + 1, 12 + 5),
                expected=Expected(wait + 3, percentage(over)),
            ),
            Trial(
                "is silent just below the share",
                {
                    count: counter((40, many), start=20 * many),
                    within: counter((40, many * (1 - under)), start=20 * many),
                },
                silent=tuple(range(1, 41)),
            ),
            Trial(
                f"is silent on {few} streams that all stall",
                {count: counter((15, 0), (minutes, Decimal(few) / minutes), (30, 0)), within: counter((60, 0))},
                silent=tuple(range(1, 45)),
            ),
        ),
    )
