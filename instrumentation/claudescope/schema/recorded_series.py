"""Every series that the alert rules record, declared once.

The rules record these names and the dashboards read them, so no dashboard can ask for a series that no rule records.
Names follow the convention of Prometheus for recording rules, `level:metric:operation`
(https://prometheus.io/docs/practices/rules/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from claudescope.schema.catalogue import (
    ACTIVE_CALLS,
    BATCH_RESULTS,
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    CALLS,
    COST,
    DURATION,
    EVENTS_DROPPED,
    INTERNAL_ERRORS,
    OPERATION,
    OUTCOME,
    OUTPUT_SPEED,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    REASONING_TOKENS,
    REQUEST_MODEL,
    RESPONSES,
    RETRIES,
    RETRY_DELAY,
    SERVER_TOOL_USES,
    STREAM_STALL,
    STREAMS,
    TIME_TO_FIRST_CHUNK,
    TOKEN_TYPE,
    TOKEN_USAGE,
    TOKENS,
    UNPRICED_CALLS,
    Label,
    Metric,
)

__all__ = [
    "BURN_RATE",
    "COST_PER_CALL",
    "DURATION_P95",
    "ERRORS_RATE",
    "ERROR_BUDGET",
    "ERROR_BUDGET_REMAINING",
    "ERROR_RATIO",
    "ERROR_RATIO_PERIOD",
    "EVENTS_RATE",
    "FAILURES",
    "FIRST_TOKEN_P95",
    "FLEET_GROUPS",
    "GAUGE_AGGREGATIONS",
    "INSTANCE_FAILED_RATIO",
    "INSTANCE_LABELS",
    "INSTANCE_LAST_SEEN",
    "INSTANCE_P95",
    "OBJECTIVE",
    "PERIOD_DAYS",
    "RECORDED_SERIES",
    "SLO_PREFIX",
    "TELEMETRY",
    "TOKENS_PER_CALL",
    "WATCHING",
    "BaselineSeries",
    "RecordedSeries",
    "SeriesPart",
    "WindowedSeries",
    "fleet_name",
]

SeriesPart = Literal["", "bucket", "count", "sum", "native"]
"""Which series of a histogram: the suffix in Prometheus, or `native` for the one of a native histogram, which has no
suffix. Empty for any other metric."""

SLO_PREFIX: Final = "claude_slo"
"""First part of the names of all series that an objective records."""

_BASELINE_PREFIX: Final = "claude"
_FLEET_PREFIX: Final = "claude_fleet"
_INSTANCE_PREFIX: Final = f"{_FLEET_PREFIX}_by_instance"
_SLO_LABELS: Final = ("service", "slo")


@dataclass(frozen=True, slots=True)
class RecordedSeries:
    """A series that a rule records.

    Attributes:
        name: Its name in Prometheus.
        description: What it holds, with its unit, in one or two sentences.
        labels: Names of its labels: OpenTelemetry's names for labels of the catalogue. A rule may add `job` and the
            labels of `service.labels`, and with `per_model: true` the request model.
    """

    name: str
    description: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WindowedSeries:
    """Recorded series that differ only in the window that they look back over.

    Attributes:
        prefix: The name without its window.
        description: What each holds; `{window}` stands for the window.
        labels: Names of their labels.
        windows: The windows, shortest first, as Prometheus writes them: `"5m"`.
    """

    prefix: str
    description: str
    labels: tuple[str, ...]
    windows: tuple[str, ...]

    def over(self, window: str) -> str:
        """Name of the series over one window.

        Raises:
            ValueError: No rule records this window.
        """
        if window not in self.windows:
            raise ValueError(f"no rule records {self.prefix}{window}. Expected one of {', '.join(self.windows)}")
        return f"{self.prefix}{window}"

    @property
    def series(self) -> tuple[RecordedSeries, ...]:
        """One series for each window."""
        return tuple(
            RecordedSeries(self.over(window), self.description.format(window=window), self.labels)
            for window in self.windows
        )


@dataclass(frozen=True, slots=True)
class BaselineSeries:
    """What the rules record to compare a quantity with its baseline.

    Attributes:
        now: The quantity now.
        hour: The quantity over the last hour; its history makes the baseline.
        baseline: Median of `hour` at the same time one, two, three and seven days ago.
        calls: Number of calls behind `now`.
    """

    now: RecordedSeries
    hour: RecordedSeries
    baseline: RecordedSeries
    calls: RecordedSeries

    @property
    def series(self) -> tuple[RecordedSeries, ...]:
        """All four."""
        return (self.now, self.hour, self.baseline, self.calls)


def _baseline(quantity: str, what: str, window: str, *labels: Label) -> BaselineSeries:
    names = ("service", *(label.name for label in labels))

    def series(operation: str, description: str) -> RecordedSeries:
        return RecordedSeries(f"{_BASELINE_PREFIX}:{quantity}:{operation}", description, names)

    return BaselineSeries(
        now=series("now", f"{what}, over the last {window}."),
        hour=series("1h", f"{what}, over the last hour."),
        baseline=series(
            "baseline", f"{what}: median of the same hour 1, 2, 3 and 7 days ago, where at least 3 of these are known."
        ),
        calls=series("calls", f"Number of calls over the last {window}."),
    )


_WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_LONG_WINDOWS: Final = ("1h", "6h", "1d", "3d")

EVENTS_RATE: Final = WindowedSeries(
    f"{SLO_PREFIX}:events:rate",
    "All events of the objective per second, over the last {window}.",
    _SLO_LABELS,
    _WINDOWS,
)
ERRORS_RATE: Final = WindowedSeries(
    f"{SLO_PREFIX}:errors:rate",
    "Bad events of the objective per second, over the last {window}.",
    _SLO_LABELS,
    _WINDOWS,
)
ERROR_RATIO: Final = WindowedSeries(
    f"{SLO_PREFIX}:error_ratio:rate",
    "Ratio of bad events to all events (0 to 1), over the last {window}; absent without events.",
    _SLO_LABELS,
    _WINDOWS,
)
BURN_RATE: Final = WindowedSeries(
    f"{SLO_PREFIX}:burn_rate:",
    "Error ratio over the last {window}, divided by the error budget: 1 spends the budget exactly within its period.",
    _SLO_LABELS,
    _WINDOWS,
)
FAILURES: Final = WindowedSeries(
    f"{SLO_PREFIX}:failures:increase", "Number of bad events over the last {window}.", _SLO_LABELS, _LONG_WINDOWS
)
ERROR_RATIO_PERIOD: Final = RecordedSeries(
    f"{SLO_PREFIX}:error_ratio:period",
    "Ratio of bad events to all events (0 to 1) over the whole period; every event has the same weight.",
    _SLO_LABELS,
)
ERROR_BUDGET_REMAINING: Final = RecordedSeries(
    f"{SLO_PREFIX}:error_budget:remaining",
    "Part of the error budget that is left: 1 is all of it, 0 none, and below 0 the objective is missed.",
    _SLO_LABELS,
)
OBJECTIVE: Final = RecordedSeries(
    f"{SLO_PREFIX}:objective:ratio", "The target of the objective, as a ratio (0 to 1).", _SLO_LABELS
)
ERROR_BUDGET: Final = RecordedSeries(
    f"{SLO_PREFIX}:error_budget:ratio", "The error budget: ratio of events (0 to 1) that may be bad.", _SLO_LABELS
)
PERIOD_DAYS: Final = RecordedSeries(
    f"{SLO_PREFIX}:period:days", "The period of the error budget, in days.", _SLO_LABELS
)

DURATION_P95: Final = _baseline("duration_p95", "p95 of the duration of calls in seconds", "10m", REQUEST_MODEL)
FIRST_TOKEN_P95: Final = _baseline("first_token_p95", "p95 of the time to first token in seconds", "10m", REQUEST_MODEL)
TOKENS_PER_CALL: Final = _baseline("tokens_per_call", "Average number of tokens per call", "1h", TOKEN_TYPE)
COST_PER_CALL: Final = _baseline("cost_per_call", "Average cost of a call in US dollars", "1h")

WATCHING: Final = RecordedSeries(
    f"{_BASELINE_PREFIX}:alerting:watching",
    "Always 1: its history shows since when the rules have been evaluated.",
    ("service",),
)

TELEMETRY: Final = RecordedSeries(
    f"{_BASELINE_PREFIX}:telemetry:series",
    "Number of series of calls: its history shows until when there was telemetry.",
    ("service",),
)

GAUGE_AGGREGATIONS: Final = {ACTIVE_CALLS: "sum", RATE_LIMIT: "max", RATE_LIMIT_REMAINING: "min"}
"""How the values of a gauge from several instances become one. All instances share a rate limit, so the lowest
remaining value and the highest limit are the right ones."""

FLEET_GROUPS: Final[Mapping[str, tuple[tuple[Metric, SeriesPart], ...]]] = MappingProxyType(
    {
        "duration": ((DURATION, "bucket"), (DURATION, "count")),
        "streams": (
            (TIME_TO_FIRST_CHUNK, "bucket"),
            (OUTPUT_SPEED, "bucket"),
            (STREAM_STALL, "bucket"),
            (STREAM_STALL, "count"),
        ),
        "usage": (
            (TOKEN_USAGE, "sum"),
            (CACHE_READ_TOKENS, ""),
            (CACHE_WRITE_TOKENS, ""),
            (REASONING_TOKENS, ""),
            (COST, ""),
            (UNPRICED_CALLS, ""),
        ),
        "calls": (
            (CALLS, ""),
            (STREAMS, ""),
            (TOKENS, ""),
            (RETRIES, ""),
            (RETRY_DELAY, ""),
            (RESPONSES, ""),
            (SERVER_TOOL_USES, ""),
            (BATCH_RESULTS, ""),
            (INTERNAL_ERRORS, ""),
            (EVENTS_DROPPED, ""),
            *((gauge, "") for gauge in GAUGE_AGGREGATIONS),
        ),
    }
)
"""What the fleet rollup sums over all instances, by the rule group that records it."""

INSTANCE_LABELS: Final[Mapping[tuple[Metric, SeriesPart], tuple[Label, ...]]] = MappingProxyType(
    {
        (DURATION, "bucket"): (OPERATION,),
        (DURATION, "count"): (OPERATION, OUTCOME),
        (CALLS, ""): (OPERATION, OUTCOME),
        (COST, ""): (),
    }
)
"""What the fleet rollup records of each instance, and the labels that it keeps."""

INSTANCE_FAILED_RATIO: Final = RecordedSeries(
    f"{_INSTANCE_PREFIX}:failed:ratio5m",
    "Ratio of failed calls to calls that ended (0 to 1) of each instance, over the last 5m.",
    ("service", "job", "instance"),
)
INSTANCE_P95: Final = RecordedSeries(
    f"{_INSTANCE_PREFIX}:duration:p95_5m",
    "p95 of the duration of the calls that users wait for, in seconds, of each instance, over the last 5m.",
    ("service", "job", "instance"),
)
INSTANCE_LAST_SEEN: Final = RecordedSeries(
    f"{_INSTANCE_PREFIX}:last_seen",
    "Time of the newest sample of each instance, in Unix seconds.",
    ("service", "job", "instance"),
)


def fleet_name(metric: Metric, part: SeriesPart = "", *, by_instance: bool = False) -> str:
    """Name of the series that the fleet rollup records of a metric: its rate over 5 minutes, or a gauge's value.

    Args:
        metric: The metric.
        part: Which series of a histogram.
        by_instance: Whether to name the series of each instance, which has no model and no workflow.

    Raises:
        ValueError: No rule records it.
    """
    recorded = INSTANCE_LABELS if by_instance else [entry for group in FLEET_GROUPS.values() for entry in group]
    if (metric, part) not in recorded:
        raise ValueError(f"no rule records {metric.name}{part and f' ({part})'}{' by instance' if by_instance else ''}")
    prefix, suffix = _INSTANCE_PREFIX if by_instance else _FLEET_PREFIX, f"_{part}" if part else ""
    operation = GAUGE_AGGREGATIONS.get(metric, "rate5m")
    return f"{prefix}:{metric.prometheus.removesuffix('_total')}{suffix}:{operation}"


def _fleet_series(metric: Metric, part: SeriesPart) -> RecordedSeries:
    name, suffix = fleet_name(metric, part), f"_{part}" if part else ""
    labels = ("service", "job", *(label.name for label in metric.labels), *(("le",) if part == "bucket" else ()))
    aggregation = GAUGE_AGGREGATIONS.get(metric)
    value = f"`{metric.prometheus}{suffix}`"
    if aggregation is None:
        return RecordedSeries(name, f"Rate of {value} per second over the last 5m, summed over all instances.", labels)
    how = {"sum": "summed over", "max": "the highest of", "min": "the lowest of"}[aggregation]
    return RecordedSeries(name, f"Value of {value}, {how} all instances.", labels)


def _instance_series(metric: Metric, part: SeriesPart, kept: tuple[Label, ...]) -> RecordedSeries:
    name, suffix = fleet_name(metric, part, by_instance=True), f"_{part}" if part else ""
    labels = ("service", "job", "instance", *(label.name for label in kept), *(("le",) if part == "bucket" else ()))
    description = f"Rate of `{metric.prometheus}{suffix}` per second over the last 5m, of each instance."
    return RecordedSeries(name, description, labels)


RECORDED_SERIES: Final[tuple[RecordedSeries, ...]] = (
    *(
        series
        for windowed in (EVENTS_RATE, ERRORS_RATE, ERROR_RATIO, BURN_RATE, FAILURES)
        for series in windowed.series
    ),
    ERROR_RATIO_PERIOD,
    ERROR_BUDGET_REMAINING,
    OBJECTIVE,
    ERROR_BUDGET,
    PERIOD_DAYS,
    *(
        series
        for baseline in (DURATION_P95, FIRST_TOKEN_P95, TOKENS_PER_CALL, COST_PER_CALL)
        for series in baseline.series
    ),
    WATCHING,
    TELEMETRY,
    *(_fleet_series(*entry) for group in FLEET_GROUPS.values() for entry in group),
    *(_instance_series(*entry, kept) for entry, kept in INSTANCE_LABELS.items()),
    INSTANCE_FAILED_RATIO,
    INSTANCE_P95,
    INSTANCE_LAST_SEEN,
)
"""Every series that rules record, in the order of the documentation. Those of the fleet rollup exist only with
`fleet_rollup: true` in the spec."""
