"""Alerts on answers that are truncated or refused, and on streams that stall."""

from __future__ import annotations

from claudescope.schema.catalogue import FINISH_REASON, OPERATION, RESPONSES, STREAM_STALL, Label
from claudescope_alerts.promql.numbers import format_number, percentage
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rule_tests.ratio import ratio_rule_tests
from claudescope_alerts.rule_tests.series import histogram_series, two_counters
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.rules.sli import COUNTED_BY
from claudescope_alerts.rules.symptoms.ratio import KEEP_FIRING_FOR, Ratio, ratio_alert
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.fields import bucket
from claudescope_alerts.spec.model import Spec

__all__ = ["group"]

_TRUNCATED = ("max_tokens", "model_context_window_exceeded")


def group(spec: Spec, selectors: SelectorBuilder) -> Group:
    """Alerts on answers and streams."""
    thresholds, service = spec.thresholds, spec.service.name
    good = selectors.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: "end_turn"})

    def ratio(reasons: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        return selectors.select(RESPONSES, Match(FINISH_REASON, reasons)), (selectors.select(RESPONSES),)

    def series(reason: str) -> str:
        return selectors.series(RESPONSES, {OPERATION: "chat", FINISH_REASON: reason})

    truncations = Ratio(
        "ClaudeTruncationsHigh",
        *ratio(_TRUNCATED),
        two_counters(series(_TRUNCATED[0]), good),
        limit=thresholds.truncation_ratio,
        min_failures=thresholds.min_failures,
        severity="ticket",
        owner="caller",
        subject="answers are truncated",
        meaning="These answers reached max_tokens or the end of the context window, and users see only a part.",
        advice="What to do first: raise max_tokens, or shorten the input.",
        window=30,
        for_=15,
    )
    refusals = Ratio(
        "ClaudeRefusalsHigh",
        *ratio(("refusal",)),
        two_counters(series("refusal"), good),
        limit=thresholds.refusal_ratio,
        min_failures=thresholds.min_failures,
        severity="ticket",
        owner="caller",
        subject="answers are refusals",
        meaning="Users get a refusal instead of an answer.",
        advice="What to do first: look for a recent change of the prompts, or of what users send.",
        window=30,
        for_=15,
    )
    return Group(
        "answers", (ratio_alert(truncations, service), ratio_alert(refusals, service), _stalled(spec, selectors))
    )


def _stalled(spec: Spec, selectors: SelectorBuilder) -> Alert:
    """The alert on streams with a gap longer than a bucket's bound: all streams less those in the bucket."""
    thresholds, window, for_ = spec.thresholds, 10, 5
    le, over = bucket(STREAM_STALL, thresholds.stall), write_minutes(window)
    within = selectors.within(STREAM_STALL, le, window=over)
    streams = selectors.select(COUNTED_BY[STREAM_STALL], window=over)
    labels: dict[Label, str] = {OPERATION: "chat"}
    counted = selectors.series(COUNTED_BY[STREAM_STALL], labels)
    return Alert(
        "ClaudeStreamsStalled",
        f"1 - ({within}) > {format_number(thresholds.stall_ratio)} "
        f"and (1 - ({within})) * sum(rate({streams})) * {60 * window} >= {thresholds.min_failures}",
        severity="ticket",
        owner="provider",
        summary=f"{spec.service.name}: $value of streams stall for more than {le} s",
        description=f"$value of streams stall for more than {le} s between two events, over the last {over}. Users see "
        f"answers that stop growing. Threshold: {percentage(thresholds.stall_ratio)} and {thresholds.min_failures} "
        f"streams, for {write_minutes(for_)}. What to do first: check status.claude.com, then look for proxies that "
        "buffer responses.",
        for_=for_,
        keep_firing_for=KEEP_FIRING_FOR,
        dashboard="latency",
        rule_tests=ratio_rule_tests(
            lambda _bad, good, both: {
                counted: both,
                **histogram_series(selectors, STREAM_STALL, labels, {le: good, "+Inf": both}),
            },
            thresholds.stall_ratio,
            min_failures=thresholds.min_failures,
            window=window,
            for_=for_,
            keep_firing_for=KEEP_FIRING_FOR,
        ),
    )
