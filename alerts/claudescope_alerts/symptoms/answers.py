"""Answers that are cut or refused, and streams that stand still."""

from __future__ import annotations

from claudescope.catalogue import FINISH_REASON, OPERATION, RESPONSES, STREAM_STALL
from claudescope_alerts.promql import Match, Names
from claudescope_alerts.rules import Alert, Expected, Group, Trial, counter, percentage, write
from claudescope_alerts.spec import Spec, bucket
from claudescope_alerts.symptoms.shares import MANY, Share, Simulate, share_alert

__all__ = ["group"]


def group(spec: Spec, names: Names) -> Group:
    """Alerts on answers and streams."""
    guards, service = spec.guards, spec.service.name
    total = names.select(RESPONSES)

    def simulate(reason: str) -> Simulate:
        bad = names.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: reason})
        good = names.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: "end_turn"})
        return lambda bad_values, good_values: {bad: bad_values, good: good_values}

    truncated = ("max_tokens", "model_context_window_exceeded")
    return Group(
        "answers",
        (
            share_alert(
                Share(
                    "ClaudeTruncationsHigh",
                    names.select(RESPONSES, Match(FINISH_REASON, truncated)),
                    (total,),
                    simulate(truncated[0]),
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
                    simulate("refusal"),
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
    over, under = guards.stall_share * 2, guards.stall_share / 2
    few = guards.min_failures - 1
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
        trials=(
            Trial(
                "fires after 5 minutes, and resolves",
                {
                    count: counter((60, MANY)),
                    within: counter((12, MANY * (1 - over)), (48, MANY)),
                },
                silent=(wait, 12 + 10 + 5 + 2),
                firing=(wait + 1, 12 + 5),
                expected=Expected(wait + 3, percentage(over)),
            ),
            Trial(
                "is silent below the share",
                {count: counter((40, MANY)), within: counter((40, MANY * (1 - under)))},
                silent=tuple(range(1, 41)),
            ),
            Trial(
                f"is silent on {few} streams that all stall",
                {count: counter((15, 0), (few, 1), (30, 0)), within: counter((60, 0))},
                silent=tuple(range(1, 45)),
            ),
        ),
    )
