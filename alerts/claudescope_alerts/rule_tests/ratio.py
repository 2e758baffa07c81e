"""Rule tests of alerts on a ratio and on a number of events."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from claudescope_alerts.promql.numbers import just_over, just_under, percentage
from claudescope_alerts.rule_tests.model import Expected, RuleTest
from claudescope_alerts.rule_tests.series import SeriesBuilder, Simulate, counter, events_per_sample

__all__ = ["count_rule_tests", "ratio_rule_tests"]


def ratio_rule_tests(
    simulate: Simulate, limit: Decimal, *, min_failures: int, window: int, for_: int, keep_firing_for: int
) -> tuple[RuleTest, ...]:
    """Tests of an alert that fires where the ratio of bad events is over a limit.

    Args:
        simulate: Makes the series of bad and of good events.
        limit: The ratio above which the alert fires.
        min_failures: Bad events within the window below which it stays silent.
        window: Minutes that the ratio looks back over.
        for_: Minutes that the condition must last.
        keep_firing_for: Minutes for which the alert goes on firing.
    """
    over, under = min(just_over(limit), Decimal(1)), just_under(limit)
    build = SeriesBuilder(simulate, events_per_sample(min_failures, limit))
    ended = for_ + 6
    # A ratio over a window falls below the limit with the first good sample that pulls it there.
    gone = ended + keep_firing_for + 1
    # Prometheus extrapolates an increase by up to a quarter, which is less than one event of a few.
    few = min_failures - 1 if min_failures <= 5 else max(4, min_failures * 3 // 4)
    minutes = min(few, 4)
    burst = window + 3
    end = burst + minutes + window + for_ + 3
    return (
        RuleTest(
            f"fires after {for_} minutes just over the threshold, and resolves",
            build.ratios((ended, over), (gone + 1 - ended, 0)),
            silent=(for_, gone),
            firing=(for_ + 1, ended + keep_firing_for),
            expected=Expected(for_ + 3, percentage(over)),
        ),
        RuleTest(
            "is silent just under the threshold",
            build.ratios((ended + 4, under)),
            silent=tuple(range(1, ended + 5)),
        ),
        RuleTest(
            f"is silent on {few} events that are all bad",
            build.events((burst, 0, 0), (minutes, Decimal(few) / minutes, 0), (end - burst - minutes, 0, 0)),
            silent=tuple(range(1, end)),
        ),
    )


def count_rule_tests(
    series: str, limit: int, *, window: int, keep_firing_for: int, settling: int, watching: str
) -> tuple[RuleTest, ...]:
    """Tests of an alert that fires at a number of events.

    Args:
        series: A series that the alert counts.
        limit: Number of events within the window at which the alert fires.
        window: Minutes that the number looks back over.
        keep_firing_for: Minutes for which the alert goes on firing.
        settling: Minutes of evaluations before the window that the alert needs to count a new series in full.
        watching: The series that tells since when rules have been evaluated.
    """
    step = 5
    history = 60 + window + step
    burst = 2 * step
    gone = history + burst + window + keep_firing_for + step
    watched = {watching: "1x400"}
    old = "500x400"
    rule_tests = (
        RuleTest(
            "fires at once on a counter that grows, and resolves",
            {series: counter((history, 0), (burst, 4 * limit), (gone + step, 0))},
            silent=(history, gone),
            firing=(history + step, history + burst + step),
        ),
        RuleTest(
            "counts the first value of a new series",
            watched | {series: f"_x{history} {limit}x{window + 60}"},
            silent=(history - step, history + window + 3 * step),
            firing=(history, history + step),
            expected=Expected(history, str(limit)),
        ),
        RuleTest(
            "is silent on fewer events",
            watched | {series: f"_x{history} {limit - 1}x{window + 60}"},
            silent=tuple(range(history - step, history + 30, step)),
        ),
        RuleTest(
            "is silent on an old counter that does not grow",
            watched | {series: old},
            silent=tuple(range(history, history + 60, step)),
        ),
        RuleTest(
            "is silent on events from before the rules were evaluated",
            watched | {series: f"_x{settling - 1} {old}"},
            silent=tuple(range(0, history, step)),
        ),
    )
    return tuple(replace(rule_test, evaluation_interval=step) for rule_test in rule_tests)
