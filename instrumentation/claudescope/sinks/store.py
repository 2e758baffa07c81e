"""Plain numbers that observable instruments read when an export happens.

A synchronous OpenTelemetry instrument costs some microseconds a record; adding to a number in a dict costs a tenth.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from opentelemetry.metrics import CallbackOptions, Observation

from claudescope import faults, held_back
from claudescope.catalogue import FAULTS, HELD_BACK, Metric
from claudescope.forks import renew_in_child
from claudescope.sinks.labels import LabelSet

__all__ = ["Store"]

Number = int | float | Decimal

_COUNTED_ELSEWHERE: dict[str, Callable[[], Mapping[str, int]]] = {
    FAULTS.name: faults.counts,
    HELD_BACK.name: held_back.counts,
}
"""Metrics of the process, not of calls: where their counts are, by the value of their one label."""


class Store:
    """Sums and last values by metric and labels.

    The caller takes `lock` once for all that a call changes.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.lock = threading.Lock()
        renew_in_child(self, "lock")
        self._cells: dict[str, dict[tuple[LabelSet, tuple[str, ...]], Number]] = {metric.name: {} for metric in metrics}

    def add(self, metric: Metric, labels: LabelSet, amount: Number, *pairs: str) -> None:
        """Add to a sum; with an `amount` of 0 make it known, so that its first increase is one.

        Args:
            metric: Which metric.
            labels: Its common labels.
            amount: What to add; exact where it is a `Decimal`.
            pairs: Further labels as name, value, name, value.
        """
        cells = self._cells[metric.name]
        key = (labels, pairs)
        cells[key] = cells.get(key, 0) + amount  # type: ignore[operator] # a metric's amounts are of one type

    def put(self, metric: Metric, labels: LabelSet, value: Number, *pairs: str) -> None:
        """Replace a last-seen value."""
        self._cells[metric.name][labels, pairs] = value

    def observe(self, metric: Metric) -> Iterable[Observation]:
        """What an observable instrument reports now. Never raises."""
        if (counts := _COUNTED_ELSEWHERE.get(metric.name)) is not None:
            (label,) = metric.labels
            return [Observation(count, {label.name: value}) for value, count in counts().items()]
        with self.lock:
            cells = list(self._cells[metric.name].items())
        return [
            Observation(float(value) if isinstance(value, Decimal) else value, labels.with_labels(*pairs))
            for (labels, pairs), value in cells
        ]

    def callback(self, metric: Metric) -> _Callback:
        """The callback of a metric's observable instrument."""
        return _Callback(self, metric)


class _Callback:
    def __init__(self, store: Store, metric: Metric) -> None:
        self._store = store
        self._metric = metric

    def __call__(self, options: CallbackOptions) -> Iterable[Observation]:
        return self._store.observe(self._metric)
