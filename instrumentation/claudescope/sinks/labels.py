"""Turns the facts of a call into label sets, and keeps their number bounded.

Model names come from the wire, workflow names from the app: neither may make a process' metrics grow without end.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from claudescope.catalogue import (
    OPERATION,
    OTHER,
    PROVIDER,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    WORKFLOW,
    Label,
)
from claudescope.forks import renew_in_child
from claudescope.record import BatchResult, CallRecord, CallStart

__all__ = ["Cap", "LabelSet", "LabelSets"]

MAX_LABEL_SETS: Final = 2000
"""Combinations of the common labels that a process keeps: the SDK's own limit per instrument."""

Attributes = Mapping[str, str]


class Cap:
    """The first values of a label, up to its cap; further ones are `other`.

    Args:
        label: The label, whose `values` are let through or whose `cap` limits how many are.
        cap: Overrides the label's own cap.
    """

    def __init__(self, label: Label, cap: int | None = None) -> None:
        self._closed = label.values is not None
        self._kept = set(label.values or ())
        self._cap = label.cap if cap is None else cap
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")

    def __call__(self, value: str) -> str:
        """`value`, or `other` where it is over the cap."""
        if value in self._kept:
            return value
        if self._closed:
            return OTHER
        with self._lock:
            if value not in self._kept:
                if len(self._kept) >= (self._cap or 0):
                    return OTHER
                self._kept.add(value)
        return value


@dataclass(slots=True, eq=False)
class LabelSet:
    """The common labels of some calls, ready to be emitted, alone or with one label more.

    Compared by identity: there is one for each combination of values.
    """

    attributes: Attributes
    _extended: dict[tuple[str, ...], Attributes] = field(default_factory=dict[tuple[str, ...], Attributes])

    def with_labels(self, *pairs: str) -> Attributes:
        """The labels with others added, given as name, value, name, value. Values must come from bounded sets."""
        attributes = self._extended.get(pairs)
        if attributes is None:
            attributes = {**self.attributes, **dict(zip(pairs[::2], pairs[1::2], strict=True))}
            self._extended[pairs] = attributes
        return attributes


class LabelSets:
    """Finds the label set of a call. Thread-safe.

    Args:
        max_workflows: Distinct workflow names kept; further ones are `other`.
    """

    def __init__(self, max_workflows: int) -> None:
        self._caps = {
            label.name: Cap(label, max_workflows if label is WORKFLOW else None)
            for label in (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, WORKFLOW)
        }
        self._sets: dict[tuple[str | None, ...], LabelSet] = {}
        self._overflow = LabelSet({OPERATION.name: OTHER, PROVIDER.name: OTHER})

    def of_record(self, record: CallRecord) -> LabelSet:
        """The common labels of a finished call."""
        return self._find(
            record.operation,
            record.provider,
            record.request_model,
            record.response_model,
            record.server_address,
            record.workflow,
        )

    def of_batch_result(self, result: BatchResult) -> LabelSet:
        """The common labels of a result of a message batch."""
        return self._find(
            "batches.results", result.provider, None, result.model, result.server_address, result.workflow
        )

    def of_start(self, start: CallStart | CallRecord) -> LabelSet:
        """The labels that were known when a call started: the same for its start and its end."""
        return self._find(
            start.operation, start.provider, start.request_model, None, start.server_address, start.workflow
        )

    def of_limits(self, record: CallRecord) -> LabelSet:
        """The labels of the rate limits: they hold for a model, whatever it is used for."""
        return self._find(None, record.provider, record.request_model, None, record.server_address, None)

    def _find(self, *values: str | None) -> LabelSet:
        found = self._sets.get(values)
        if found is not None:
            return found
        capped = tuple(
            None if value is None else cap(value) for value, cap in zip(values, self._caps.values(), strict=True)
        )
        found = self._sets.get(capped)
        if found is None:
            if len(self._sets) >= MAX_LABEL_SETS:
                return self._overflow
            found = LabelSet({name: value for name, value in zip(self._caps, capped, strict=True) if value is not None})
            # Two threads may both have made it: the first one in is the one.
            found = self._sets.setdefault(capped, found)
        return found
