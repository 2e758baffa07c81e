"""Plain numbers that observable instruments read when an export happens.

A synchronous OpenTelemetry instrument takes some microseconds per record; adding to a number in a dict takes a tenth.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from opentelemetry.metrics import CallbackOptions, Observation

from claudescope._internal import counters
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.schema.catalogue import (
    EVENTS_DROPPED,
    INTERNAL_ERRORS,
    PROCESS_START_TIME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_TYPE,
    Metric,
)
from claudescope.sinks.labels import LabelSet
from claudescope.sinks.rate_limits import Limits

__all__ = ["Cells", "Store"]

Cells = dict[LabelSet, Any]
"""Sums by labels. Those of one metric are all `int`, all `float` or all `Decimal`."""

_COUNTED_ELSEWHERE: dict[str, Callable[[], Mapping[str, int]]] = {
    INTERNAL_ERRORS.name: counters.INTERNAL_ERRORS.counts,
    EVENTS_DROPPED.name: counters.DROPPED_SENTRY_EVENTS.counts,
}
"""What counts the metrics that belong to the process and not to calls, by the value of their one label."""


class Store:
    """Sums by metric and labels, and the last rate limits.

    The caller takes `lock` once for everything that a call changes.

    Attributes:
        lock: Guards the cells and the limits.
        limits: The last rate limits, by their labels.
        started_at: When the process began to count, in Unix seconds.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.lock = threading.Lock()
        renew_in_child(self, "lock")
        self.limits: dict[LabelSet, Limits] = {}
        self.started_at = time.time()
        run_in_child(self, Store._restart)
        self._cells: dict[str, dict[tuple[str, ...], Cells]] = {metric.name: {} for metric in metrics}

    def _restart(self) -> None:
        self.started_at = time.time()

    def cells(self, metric: Metric, *pairs: str) -> Cells:
        """The sums of a metric by its common labels. The caller adds to them in place, which is faster than a method.

        Args:
            metric: The metric.
            pairs: Further labels as name, value, name, value. Values must come from bounded sets.
        """
        return self._cells[metric.name].setdefault(pairs, {})

    def observe(self, metric: Metric) -> Iterable[Observation]:
        """The current values of an observable instrument. Never raises."""
        if (counts := _COUNTED_ELSEWHERE.get(metric.name)) is not None:
            (label,) = metric.labels
            return [Observation(count, {label.name: value}) for value, count in counts().items()]
        if metric is PROCESS_START_TIME:
            return [Observation(self.started_at)]
        with self.lock:
            cells = [(pairs, list(sums.items())) for pairs, sums in self._cells[metric.name].items()]
        return [
            Observation(float(value) if isinstance(value, Decimal) else value, labels.plus[pairs])
            for pairs, sums in cells
            for labels, value in sums
        ]

    def observe_limits(self, metric: Metric) -> Iterable[Observation]:
        """The current values of a rate limit's instrument."""
        part = "limit" if metric is RATE_LIMIT else "remaining"
        with self.lock:
            known = list(self.limits.items())
        return [
            Observation(value, labels.plus[RATE_LIMIT_TYPE.name, limit_type])
            for labels, limits in known
            for limit_type, limit in limits.items()
            if (value := getattr(limit, part)) is not None
        ]

    def callback(self, metric: Metric) -> _Callback:
        """The callback of a metric's observable instrument."""
        return _Callback(self.observe_limits if metric in {RATE_LIMIT, RATE_LIMIT_REMAINING} else self.observe, metric)


class _Callback:
    def __init__(self, observe: Callable[[Metric], Iterable[Observation]], metric: Metric) -> None:
        self._observe = observe
        self._metric = metric

    def __call__(self, options: CallbackOptions) -> Iterable[Observation]:
        return self._observe(self._metric)
