"""Input series of rule tests, in promtool's notation
(https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series).
"""  # noqa: D205

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from typing import Final

from claudescope.schema.catalogue import Label, Metric
from claudescope_alerts.promql.numbers import format_number
from claudescope_alerts.promql.selectors import SelectorBuilder

__all__ = ["SeriesBuilder", "Simulate", "counter", "events_per_sample", "histogram_series", "two_counters"]

Simulate = Callable[[str, str, str], Mapping[str, str]]
"""From the values of the counters of bad, of good and of all events to the values of each series."""

_SEGMENT: Final = re.compile(r"(?P<start>[\d.]+)(\+(?P<step>[\d.]+)x(?P<samples>\d+))?")
_UNRELATED: Final = "0+7777x200"
"""A busy counter that must not change the result."""


def counter(*segments: tuple[int, Decimal | float], start: Decimal | float = 1_000_000, interval: int = 1) -> str:
    """A counter in promtool's notation.

    Args:
        segments: Pairs of a number of minutes and the increase from sample to sample.
        start: Its first value. The default is far from zero, as Prometheus extrapolates counters near zero less.
        interval: Minutes between samples: a divisor of all minutes.
    """
    with localcontext(Context(prec=60)):
        value = _binary(Decimal(str(start)))
        parts = [format_number(value)]
        for minutes, rate in segments:
            step, samples = _binary(Decimal(str(rate))), minutes // interval
            if samples > 0:
                parts.append(f"{format_number(value + step)}+{format_number(step)}x{samples - 1}")
                value += step * samples
        return " ".join(parts)


def _binary(number: Decimal) -> Decimal:
    """The nearest number that floats add without rounding: a sum that is a little too low would reset the counter."""
    fraction = 2**33 if number < 2**-4 else 2**20 if number < 1000 else 2**10
    return (number * fraction).to_integral_value() / fraction


def events_per_sample(min_failures: int, ratio: Decimal) -> Decimal:
    """A number of events per sample of which `ratio` is at least twice `min_failures`, and at least 100,000."""
    return max(Decimal(100_000), (2 * min_failures / ratio).to_integral_value(ROUND_CEILING))


def two_counters(bad: str, good: str, *unrelated: str) -> Simulate:
    """Simulates one series of bad events, one of good events, and busy series that must not change the result."""
    return lambda bad_values, good_values, _all: {
        bad: bad_values,
        good: good_values,
        **dict.fromkeys(unrelated, _UNRELATED),
    }


def histogram_series(
    selectors: SelectorBuilder, metric: Metric, labels: dict[Label, str], buckets: Mapping[str, str]
) -> dict[str, str]:
    """The series of a histogram: classic ones, or with `histograms: native` of the spec a native one.

    Args:
        selectors: Writes the series.
        metric: The histogram.
        labels: Its labels.
        buckets: As for `_native_histogram`.
    """
    if selectors.histograms == "native":
        return {selectors.series(metric, labels, "native"): _native_histogram(buckets)}
    return {selectors.series(metric, labels, "bucket", le=le): values for le, values in buckets.items()}


def _native_histogram(buckets: Mapping[str, str]) -> str:
    """The values of a native histogram with custom buckets, in promtool's notation.

    Args:
        buckets: A counter as `counter` makes it by the upper bound of its bucket, which counts smaller records too; the
            last bound is `+Inf`. All counters have the same segments.
    """
    *bounds, _ = buckets
    segments = zip(*(values.split() for values in buckets.values()), strict=True)
    return " ".join(_histograms(bounds, [_SEGMENT.fullmatch(counter) for counter in segment]) for segment in segments)


def _histograms(bounds: list[str], counters: list[re.Match[str] | None]) -> str:
    """One segment of `_native_histogram`."""
    found = [counter for counter in counters if counter is not None]

    def histogram(part: str) -> str:
        cumulative = [Decimal(counter[part] or 0) for counter in found]
        each = [high - low for low, high in zip([Decimal(0), *cumulative[:-1]], cumulative, strict=True)]
        written = " ".join(format_number(value) for value in each)
        return (
            f"{{{{schema:-53 count:{format_number(cumulative[-1])} custom_values:[{' '.join(bounds)}] "
            f"buckets:[{written}]}}}}"
        )

    if found[0]["samples"] is None:
        return histogram("start")
    return f"{histogram('start')}+{histogram('step')}x{found[0]['samples']}"


@dataclass(frozen=True, slots=True)
class SeriesBuilder:
    """Builds the series of a rule test from segments of good and bad events.

    Attributes:
        simulate: Makes the series from the counters of bad, of good and of all events.
        per_sample: Events from sample to sample where a segment gives a ratio only.
        interval: Minutes between samples.
    """

    simulate: Simulate
    per_sample: Decimal
    interval: int = 1

    def events(self, *segments: tuple[int, Decimal | float, Decimal | float]) -> Mapping[str, str]:
        """Series of segments that are minutes, bad events from sample to sample, and good ones."""
        exact = [(minutes, Decimal(str(bad)), Decimal(str(good))) for minutes, bad, good in segments]
        # Far from zero: Prometheus extrapolates a counter less if it could not have been positive before.
        start = 20 * self.per_sample
        return self.simulate(
            counter(*((minutes, bad) for minutes, bad, _ in exact), start=start, interval=self.interval),
            counter(*((minutes, good) for minutes, _, good in exact), start=start, interval=self.interval),
            counter(*((minutes, bad + good) for minutes, bad, good in exact), start=2 * start, interval=self.interval),
        )

    def ratios(self, *segments: tuple[int, Decimal | int]) -> Mapping[str, str]:
        """Series of segments that are minutes and the ratio of events that are bad."""
        return self.events(
            *((minutes, ratio * self.per_sample, (1 - ratio) * self.per_sample) for minutes, ratio in segments)
        )
