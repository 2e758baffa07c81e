"""Rule tests of an objective: its burn-rate alerts, and what it records over each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Final

from claudescope.schema.recorded_series import (
    BURN_RATE,
    ERROR_BUDGET_REMAINING,
    ERROR_RATIO,
    ERROR_RATIO_PERIOD,
    FAILURES,
    SLO_PREFIX,
)
from claudescope_alerts.promql.numbers import format_number, four_digits, just_over
from claudescope_alerts.rule_tests.model import Expected, Query, RuleTest
from claudescope_alerts.rule_tests.series import SeriesBuilder, Simulate, counter, events_per_sample
from claudescope_alerts.spec.burn_rate_tiers import LONG_WINDOWS, WINDOWS, Tier, TierName, write_minutes
from claudescope_alerts.spec.objectives import Objective

__all__ = ["TierTest", "window_rule_tests"]

_COARSE: Final = 30
"""Minutes between evaluations in tests of days."""

_INTERVALS: Final[dict[TierName, tuple[int, int, int]]] = {
    "page-fast": (1, 1, 1),
    "page-slow": (5, 5, 15),
    "ticket-fast": (15, _COARSE, _COARSE),
    "ticket-slow": (15, _COARSE, _COARSE),
}
"""Minutes between samples, between evaluations, and between those of a long test: as coarse as a tier allows."""

_MANY: Final = events_per_sample(1, Decimal(1))


@dataclass(frozen=True, slots=True)
class TierTest:
    """Tests of the burn-rate alert of one tier.

    Attributes:
        objective: The objective.
        tier: The tier.
        simulate: Makes the series of the objective's events.
        own: Selector of what the objective records.
        labels: Labels that the alert has from the data of `simulate`.
        placeholders: What its annotations show of these, by placeholder.
    """

    objective: Objective
    tier: Tier
    simulate: Simulate
    own: str
    labels: Mapping[str, str]
    placeholders: Mapping[str, str]

    @property
    def _limit(self) -> Decimal:
        """Ratio of bad events at which the burn rate is the tier's factor."""
        return self.tier.factor(self.objective.period_days) * self.objective.budget

    def rule_tests(self) -> tuple[RuleTest, ...]:
        """All tests of the tier."""
        sample, step, _ = _INTERVALS[self.tier.name]
        # As few samples as are enough for the windows of this tier.
        build = SeriesBuilder(self.simulate, events_per_sample(self.objective.min_failures, self._limit), sample)
        rule_tests = (*self._at_the_threshold(build), self._after_an_outage(build), self._short_burst(build),
                      *self._low_traffic(build))  # fmt: skip
        return tuple(
            replace(
                rule_test,
                name=f"{self.tier.name} {rule_test.name}",
                evaluation_interval=max(rule_test.evaluation_interval, step),
                sample_interval=sample,
            )
            for rule_test in rule_tests
        )

    def _at_the_threshold(self, build: SeriesBuilder) -> tuple[RuleTest, ...]:
        """One percent over and one percent under."""
        tier, (_, step, _) = self.tier, _INTERVALS[self.tier.name]
        burn_rate = just_over(tier.factor(self.objective.period_days))
        over, under = min(burn_rate * self.objective.budget, Decimal(1)), self._limit * Decimal("0.99")
        ended, last = tier.for_ + 4 * step, tier.for_ + 6 * step
        value = four_digits(over / self.objective.budget)
        return (
            RuleTest(
                f"fires after {tier.for_} minutes just over its burn rate, and resolves",
                build.ratios((ended, over), (tier.keep_firing_for + 2 * step, 0)),
                silent=(tier.for_, ended + tier.keep_firing_for + step),
                firing=(tier.for_ + step, ended + tier.keep_firing_for),
                expected=Expected(tier.for_ + 2 * step, value, self.labels, self.placeholders),
            ),
            RuleTest(
                "is silent just under its burn rate",
                build.ratios((last, under)),
                silent=tuple(range(step, last + 1, step)),
            ),
        )

    def _after_an_outage(self, build: SeriesBuilder) -> RuleTest:
        """The short window resolves the alert, though the long window is still over the threshold."""
        tier, (_, step, _) = self.tier, _INTERVALS[self.tier.name]
        ended = tier.for_ + 4 * step
        gone = ended + tier.short + tier.keep_firing_for
        factor = format_number(tier.factor(self.objective.period_days))
        still_over = Query(gone, f"{BURN_RATE.over(write_minutes(tier.long))}{self.own} > {factor}", 1)
        return RuleTest(
            f"resolves {write_minutes(tier.short)} after an outage that the long window still sees",
            build.ratios((ended, 1), (gone + step - ended, 0)),
            silent=(gone,),
            firing=(ended + tier.keep_firing_for,),
            queries=(still_over,) if ended / Decimal(gone) > self._limit * Decimal("1.1") else (),
        )

    def _short_burst(self, build: SeriesBuilder) -> RuleTest:
        """A total outage that ends when the long window is at nine tenths of its threshold."""
        tier, (_, step, coarse) = self.tier, _INTERVALS[self.tier.name]
        spent = self._limit * tier.long * Decimal("0.9")
        burst = int((spent / step).to_integral_value(ROUND_CEILING)) * step
        calm = (tier.long + burst + tier.short + tier.for_) // coarse * coarse + coarse
        return RuleTest(
            "is silent on a burst that spends too little",
            build.ratios((tier.long, 0), (burst, spent / burst), (calm - tier.long - burst, 0)),
            silent=tuple(range(tier.long, calm, coarse)),
            evaluation_interval=coarse,
        )

    def _low_traffic(self, build: SeriesBuilder) -> tuple[RuleTest, ...]:
        """Nothing but failures: their ratio is 100 %, so only their number decides."""
        tier, fails, (_, step, _) = self.tier, self.objective.min_failures, _INTERVALS[self.tier.name]
        # From here on Prometheus' extrapolation of an increase adds less than what is left out.
        few = Decimal(fails - 1) if fails <= 20 else Decimal(fails) * Decimal("0.95")
        some, more = min(fails - 1, 20), min(2 * fails, 40)
        lasted = -(-some * build.interval // step) * step
        end = 3 * step + lasted + tier.short + tier.for_
        fires = 3 * step - (-(more // 2) * build.interval // step) * step + tier.for_
        outage = RuleTest(
            "fires on a small total outage",
            build.events(
                (2 * step, 0, 0), (more * build.interval, Decimal(2 * fails) / more, 0), (tier.for_ + step, 0, 0)
            ),
            firing=(fires,),
        )
        if not some:
            return (outage,)
        silent = RuleTest(
            f"is silent on {format_number(few)} failures, though nothing else was called",
            build.events((2 * step, 0, 0), (some * build.interval, few / some, 0), (end, 0, 0)),
            silent=tuple(range(step, end + 1, step)),
        )
        return (silent, outage)


def window_rule_tests(objective: Objective, simulate: Simulate, own: str) -> tuple[RuleTest, ...]:
    """Tests of what an objective records.

    Args:
        objective: The objective.
        simulate: Makes the series of its events.
        own: Selector of what the objective records.
    """
    build = SeriesBuilder(simulate, _MANY)
    return (
        _each_window(objective, build, own),
        _each_part(build, own),
        _healthy(build, own),
        _weights(build, own),
    )


def _each_window(objective: Objective, build: SeriesBuilder, own: str) -> RuleTest:
    """Ten minutes of outage after more history than the longest window: each window sees its part of it."""
    burst, step = 10, _COARSE
    end = WINDOWS[-1] + step
    silent, again = end + 2 * step, end + 3 * step
    queries: list[Query] = []
    for window in WINDOWS:
        name, burning = write_minutes(window), min(burst / window, 1)
        # Versions of Prometheus count w or w - 1 of the minutes of a window: rounding to a tenth allows either.
        ratio = f"round({ERROR_RATIO.over(name)}{own} / {burning!r}, 0.1) == 1"
        burn = f"round({BURN_RATE.over(name)}{own} * {format_number(objective.budget)} / {burning!r}, 0.1) == 1"
        queries += [Query(end, ratio, 1), Query(end, burn, 1)]
    for window in LONG_WINDOWS:
        failures = f"{FAILURES.over(write_minutes(window))}{own}"
        queries.append(Query(end, f"round({failures} / {burst * _MANY}, 0.1) == 1", 1))
    every = f'{{__name__=~"{SLO_PREFIX}:.+"}}'
    queries += [Query(minute, f"sum({every}) != sum({every})", None) for minute in (step, end, silent, again)]
    # Without calls there is no ratio, rather than a wrong one; the budget of the period stays known.
    queries += [Query(silent, f"{ERROR_RATIO.over(write_minutes(WINDOWS[0]))}{own}", None)]
    queries += [Query(minute, f"{ERROR_BUDGET_REMAINING.name}{own}", 1) for minute in (end, silent, again)]
    return RuleTest(
        "each window sees its own part of an outage, and none is NaN",
        build.events((end - burst, 0, _MANY), (burst, _MANY, 0), (2 * step, 0, 0), (step, 0, _MANY)),
        queries=tuple(queries),
        evaluation_interval=step,
    )


def _each_part(build: SeriesBuilder, own: str) -> RuleTest:
    """An outage in each part of which a long window is the sum, and after the last of them."""
    burst, end = 10, WINDOWS[-1] + _COARSE
    queries: list[Query] = []
    for part, window in pairwise(WINDOWS):
        if window <= 60:
            continue
        ratio = f"{ERROR_RATIO.over(write_minutes(window))}{own}"
        middles = [end + earlier + part // 2 for earlier in range(0, window, part)]
        queries += [Query(minute, f"round({ratio} / {burst / window!r}, 0.1) == 1", 1) for minute in middles]
        queries.append(Query(end + window + part // 2, f"{ratio} == 0", 1))
    # Not where two parts meet: what happens between the last sample of one and the first of the next is in neither.
    series = build.events((end + burst, 0, _MANY), (burst, _MANY, 0), (end + WINDOWS[-1] // 2, 0, _MANY))
    return RuleTest(
        "each window sees an outage for as long as it lasts",
        series,
        queries=tuple(queries),
        evaluation_interval=_COARSE,
    )


def _healthy(build: SeriesBuilder, own: str) -> RuleTest:
    hour = 60
    # An error type that never happened has no series at all.
    flat = {counter((8 * hour, 0), start=start) for start in (20 * _MANY, 40 * _MANY)}
    healthy = build.events((8 * hour, 0, _MANY))
    ratio = f"{ERROR_RATIO.over(write_minutes(WINDOWS[0]))}{own}"
    return RuleTest(
        "the whole budget remains without failures",
        {series: values for series, values in healthy.items() if values not in flat},
        queries=(
            Query(6 * hour, f"{ERROR_BUDGET_REMAINING.name}{own} == 1", 1),
            Query(6 * hour, f"{ratio} == 0", 1),
        ),
        evaluation_interval=hour,
    )


def _weights(build: SeriesBuilder, own: str) -> RuleTest:
    """A tenth of the events of two busy hours fails, then come quiet hours: an average of ratios would be far lower."""
    hour = 60
    exact = f"round({ERROR_RATIO_PERIOD.name}{own}, 0.001) == 0.1"
    return RuleTest(
        "the period gives every event the same weight",
        build.events((2 * hour, _MANY / 10, _MANY * 9 / 10), (10 * hour, 0, 1)),
        queries=(Query(10 * hour, exact, 1),),
        evaluation_interval=hour,
    )
