"""Rule tests of the alerts on a deviation from the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Final, Protocol

from claudescope.schema.catalogue import Label, Metric
from claudescope_alerts.promql.numbers import four_digits, just_over
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rule_tests.model import Expected, RuleTest
from claudescope_alerts.rule_tests.series import counter, histogram_series

__all__ = ["AverageSeries", "BaselineTest", "LatencySeries", "LevelSeries"]

Segment = tuple[int, Decimal, Decimal | int]
"""Minutes, the level of the quantity as a multiple of its baseline, and calls from sample to sample."""

_DAY: Final = 1440
_MANY: Final = 1000
"""Fewest calls from sample to sample, where their number does not matter."""

_NORMAL: Final = Decimal(1)
_P95: Final = Decimal("0.95")


class LevelSeries(Protocol):
    """Makes the series of a quantity at given multiples of its baseline."""

    @property
    def interval(self) -> int:
        """Minutes between samples."""
        ...

    @property
    def least(self) -> Decimal:
        """The lowest level that it can have."""
        ...

    def build(self, *segments: Segment) -> Mapping[str, str]:
        """The series of one segment after another."""
        ...


@dataclass(frozen=True, slots=True)
class AverageSeries:
    """A sum and a count whose quotient is the quantity; its baseline is 1000.

    Attributes:
        amount: Series of the sum.
        calls: Series of the count.
        interval: Minutes between samples.
        least: The lowest level that it can have.
    """

    amount: str
    calls: str
    interval: int = 10
    least: Decimal = Decimal(0)

    def build(self, *segments: Segment) -> Mapping[str, str]:
        """The series of one segment after another."""
        amounts = ((minutes, level * calls * 1000) for minutes, level, calls in segments)
        counts = ((minutes, calls) for minutes, _, calls in segments)
        return {
            self.amount: counter(*amounts, start=1_000_000_000, interval=self.interval),
            self.calls: counter(*counts, interval=self.interval),
        }


@dataclass(frozen=True, slots=True)
class LatencySeries:
    """A histogram with an exact p95.

    Attributes:
        selectors: Writes the series.
        metric: The histogram.
        counted_by: The counter of what it measures.
        labels: Labels of its series.
        baseline: The p95 that is the baseline, in seconds.
        interval: Minutes between samples.
    """

    selectors: SelectorBuilder
    metric: Metric
    counted_by: Metric
    labels: Mapping[Label, str]
    baseline: Decimal
    interval: int = 5

    @classmethod
    def above(
        cls,
        floor: float,
        factor: Decimal,
        metric: Metric,
        counted_by: Metric,
        labels: Mapping[Label, str],
        selectors: SelectorBuilder,
    ) -> LatencySeries:
        """A histogram whose baseline is the p95 that Prometheus interpolates in a bucket.

        It is the first one above a floor, or a lower one from which the factor still leads to a bucket with an end.

        Args:
            floor: The floor in seconds.
            factor: How many times the baseline the tests reach.
            metric: The histogram.
            counted_by: The counter of what it measures.
            labels: Labels of its series.
            selectors: Writes the series.
        """
        bounds = [Decimal(str(bound)) for bound in metric.buckets]
        within = [lower + (upper - lower) * _P95 for lower, upper in pairwise(bounds)]
        reachable = [p95 for p95 in within if p95 * factor <= bounds[-1]]
        baseline = next((p95 for p95, upper in zip(within, bounds[1:], strict=True) if upper > floor), within[-1])
        return cls(selectors, metric, counted_by, labels, baseline=min(baseline, reachable[-1]))

    @property
    def least(self) -> Decimal:
        """The lowest p95 that it can have, as a multiple of its baseline: all calls are in the first bucket."""
        return Decimal(str(self.metric.buckets[0])) / self.baseline

    def build(self, *segments: Segment) -> Mapping[str, str]:
        """The series of one segment after another, without buckets that are empty or full throughout."""
        ratios = [self._at_or_below(level * self.baseline) for _, level, _ in segments]
        labels = dict(self.labels)
        every = counter(*((minutes, calls) for minutes, _, calls in segments), interval=self.interval)
        buckets: dict[str, str] = {}
        for index, bound in enumerate(self.metric.buckets):
            column = [ratio[index] for ratio in ratios]
            if index and all(ratio[index - 1] == 1 for ratio in ratios):
                break
            if not any(column) and not any(ratio[min(index + 1, len(ratio) - 1)] for ratio in ratios):
                continue
            counts = ((minutes, calls * ratio) for (minutes, _, calls), ratio in zip(segments, column, strict=True))
            buckets[f"{bound:.10g}"] = counter(*counts, interval=self.interval)
        return {
            self.selectors.series(self.counted_by, {**labels}): every,
            **histogram_series(self.selectors, self.metric, labels, {**buckets, "+Inf": every}),
        }

    def _at_or_below(self, p95: Decimal) -> list[Decimal]:
        """Ratio of calls at or below each bound, such that Prometheus interpolates this p95 within its bucket."""
        bounds = [Decimal(str(bound)) for bound in self.metric.buckets]
        place = next(index for index, bound in enumerate(bounds) if bound >= p95)
        lower = bounds[place - 1] if place else Decimal(0)
        within = (p95 - lower) / (bounds[place] - lower)
        if within <= _P95:
            ratios = (Decimal(0), 1 - (1 - _P95) / (1 - within), Decimal(1))
        else:
            ratios = (Decimal(0), Decimal(0), _P95 / within)
        before, at_lower, at_upper = (round(ratio, 9) for ratio in ratios)
        return [
            before if index < place - 1 else at_lower if index < place else at_upper if index == place else Decimal(1)
            for index in range(len(bounds))
        ]


@dataclass(frozen=True, slots=True)
class BaselineTest:
    """Tests of one alert on a deviation from the baseline. Times in minutes.

    Attributes:
        simulated: Makes the series of the quantity.
        factor: How many times the baseline is too much.
        least: How many times the baseline is too little; None where too little does not alert.
        floor_ratio: Value below which nothing is too much, divided by the baseline; None for no such value.
        min_calls: Calls behind the quantity below which the alert is silent.
        settles: Time after a change until the quantity shows all of it.
        interval: Time between evaluations; also how long a deviation must last, and how long the alert fires after it.
        labels: Labels that the alert has from the data.
        placeholders: What its annotations show of these.
    """

    simulated: LevelSeries
    factor: Decimal
    least: Decimal | None
    floor_ratio: Decimal | None
    min_calls: int
    settles: int
    interval: int
    labels: Mapping[str, str]
    placeholders: Mapping[str, str]

    @property
    def _many(self) -> int:
        return max(_MANY, 2 * self.min_calls)

    @property
    def _start(self) -> int:
        """When the quantity changes: three earlier days are known."""
        return 3 * _DAY + 2 * 60

    @property
    def _fires(self) -> int:
        """When the alert fires: the quantity shows all of the change, and has done so for an interval."""
        return self._start - (-self.settles // self.interval) * self.interval + self.interval

    @property
    def _end(self) -> int:
        """When the quantity is normal again."""
        return self._fires + 3 * self.interval

    def rule_tests(self) -> tuple[RuleTest, ...]:
        """All tests of the alert."""
        over, under = just_over(self.factor), self.factor * Decimal("0.99")
        rule_tests = [
            self._fires_and_resolves(over),
            self._silent("is silent just under its threshold", under),
            self._too_short_a_history(over),
            self._few_calls(over),
        ]
        low = Decimal("0.99") * (self.floor_ratio or 0) / over
        # A floor that only a baseline below the first bucket could be under changes nothing.
        if low > self.simulated.least:
            rule_tests.append(self._silent("is silent below its floor", low * over, before=low))
        if self.least is not None:
            rule_tests += [
                RuleTest(
                    "fires just under its lower threshold",
                    self._changed(self.least * Decimal("0.99")),
                    silent=(self._fires - self.interval,),
                    firing=(self._fires, self._end),
                ),
                self._silent("is silent just over its lower threshold", self.least * Decimal("1.01")),
            ]
        return tuple(
            replace(rule_test, evaluation_interval=self.interval, sample_interval=self.simulated.interval)
            for rule_test in rule_tests
        )

    def _changed(self, level: Decimal, before: Decimal = _NORMAL) -> Mapping[str, str]:
        return self.simulated.build((self._start, before, self._many), (self._end - self._start, level, self._many))

    def _silent(self, name: str, level: Decimal, before: Decimal = _NORMAL) -> RuleTest:
        """A change that the alert must not report."""
        return RuleTest(name, self._changed(level, before), silent=self._during())

    def _during(self) -> tuple[int, ...]:
        """Every evaluation during the change."""
        return tuple(range(self._start, self._end + 1, self.interval))

    def _fires_and_resolves(self, over: Decimal) -> RuleTest:
        step = self.interval
        return RuleTest(
            "fires just over its threshold with three earlier days, and resolves",
            self.simulated.build(
                (self._start, _NORMAL, self._many),
                (self._end - self._start, over, self._many),
                (4 * step, _NORMAL, self._many),
            ),
            silent=(self._fires - step, self._end + 2 * step),
            firing=(self._fires, self._end + step),
            expected=Expected(self._end, four_digits(over), self.labels, self.placeholders),
        )

    def _too_short_a_history(self, over: Decimal) -> RuleTest:
        return RuleTest(
            "is silent with two earlier days",
            self.simulated.build(
                (self._start - _DAY, _NORMAL, self._many), (self._end - self._start, over, self._many)
            ),
            silent=tuple(minute - _DAY for minute in self._during()),
        )

    def _few_calls(self, over: Decimal) -> RuleTest:
        # Prometheus may extrapolate an increase over two samples to twice its value.
        few = Decimal(self.min_calls - 1) / 2 / self.settles * self.simulated.interval
        few = few.quantize(Decimal("0.0001"), ROUND_DOWN)
        series = self.simulated.build(
            (self._start, _NORMAL, self._many), (self._end - self._start, over, few), (4 * self.interval, _NORMAL, few)
        )
        return RuleTest("is silent on few calls", series, silent=self._during())
