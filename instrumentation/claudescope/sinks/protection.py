"""Counts what policies did for calls."""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram

from claudescope.schema import catalogue as signals
from claudescope.schema.record import Protection, Transition
from claudescope.sinks.labels import Cap, LabelSet
from claudescope.sinks.store import Store

__all__ = ["ProtectionMetrics"]

_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}
_MAX_CIRCUITS: Final = 500


class ProtectionMetrics:
    """The metrics of policies.

    Args:
        store: Holds the sums. `add` is called with its lock held.
        waits: The histogram of waits before a call is sent.
    """

    def __init__(self, store: Store, waits: Histogram) -> None:
        self._store = store
        self._waits = waits
        self._targets = Cap(signals.TARGET)
        self._models = Cap(signals.REQUEST_MODEL)
        self._reasons = Cap(signals.HOP_REASON)
        self._circuits: dict[tuple[str, str], LabelSet] = {}
        self._process = LabelSet({})

    def add(self, protection: Protection, labels: LabelSet) -> None:
        """Count what a policy did for a call with these labels."""
        cells = self._store.cells
        for hop in protection.hops:
            reason, target = self._reasons(hop.reason), self._targets(hop.to_target)
            hops = cells(signals.HOPS, signals.HOP_REASON.name, reason, signals.TARGET.name, target)
            hops[labels] = hops.get(labels, 0) + 1
        if protection.degraded_by is not None:
            degraded = cells(signals.DEGRADED, signals.DEGRADED_BY.name, protection.degraded_by)
            degraded[labels] = degraded.get(labels, 0) + 1
        if protection.rejected is not None:
            rejected = cells(signals.REJECTED, signals.REJECTED_REASON.name, protection.rejected)
            rejected[labels] = rejected.get(labels, 0) + 1
        for transition in protection.transitions:
            self._change(transition)
        if protection.retry_budget is not None:
            cells(signals.RETRY_BUDGET)[self._process] = protection.retry_budget

    def record_waits(self, protection: Protection, labels: LabelSet, context: Context | None) -> None:
        """Record how long a call waited before it was sent."""
        for queue, seconds in protection.queued.items():
            self._waits.record(seconds, labels.plus[signals.QUEUE.name, queue], context)

    def _change(self, transition: Transition) -> None:
        circuit = self._circuit(transition)
        if circuit is None:
            return
        cells = self._store.cells
        cells(signals.BREAKER)[circuit] = _STATES[transition.to]
        for state in _STATES:  # every state begins at 0, so that no first change is lost
            changes = cells(signals.BREAKER_TRANSITIONS, signals.BREAKER_STATE.name, state)
            changes[circuit] = changes.get(circuit, 0) + (state == transition.to)

    def _circuit(self, transition: Transition) -> LabelSet | None:
        key = (self._targets(transition.target), self._models(transition.model or ""))
        found = self._circuits.get(key)
        if found is None and len(self._circuits) < _MAX_CIRCUITS:
            labels = {signals.TARGET.name: key[0]}
            if key[1]:
                labels[signals.REQUEST_MODEL.name] = key[1]
            found = self._circuits[key] = LabelSet(labels)
        return found
