"""Turns the facts of a call into label sets, and limits their number.

Model names come from requests and responses, and workflow names from the app. Neither may make the metrics of a process
grow without limit.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, NamedTuple

from claudescope._internal.fork import renew_in_child
from claudescope.schema.catalogue import (
    OPERATION,
    OTHER,
    PROVIDER,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    WORKFLOW,
    Label,
)
from claudescope.schema.record import BatchResult, CallRecord, CallStart

__all__ = ["CallLabels", "Cap", "LabelSet", "LabelSets"]

MAX_LABEL_SETS: Final = 2000
"""Combinations of the common labels that a process keeps: the SDK's own limit per instrument."""

Attributes = Mapping[str, str]
_Values = tuple[str | None, ...]


class Cap:
    """The first values of a label, up to its cap; further ones are `other`.

    Args:
        label: The label. Its `values` are allowed where it has them; else its `cap` limits how many are.
        cap: Replaces the label's own cap; None keeps it.
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


class LabelSet:
    """The common labels of some calls, alone or with further labels, ready to be emitted.

    Compared by identity: there is one object for each combination of values.

    Attributes:
        attributes: The labels.
        plus: The labels with further ones, which are the key: name, value, name, value. Values must come from bounded
            sets.
    """

    __slots__ = ("attributes", "plus")

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.plus = _Extended(attributes)


class _Extended(dict[tuple[str, ...], Attributes]):
    """Adds further labels when a combination is first read, and keeps the result."""

    __slots__ = ("_attributes",)

    def __init__(self, attributes: Attributes) -> None:
        super().__init__()
        self._attributes = attributes

    def __missing__(self, pairs: tuple[str, ...]) -> Attributes:
        extended = {**self._attributes, **dict(zip(pairs[::2], pairs[1::2], strict=True))}
        self[pairs] = extended
        return extended


class CallLabels(NamedTuple):
    """The label sets of a call.

    Attributes:
        ended: The common labels.
        started: Those that were known when it started, which its start and its end share.
        limits: Those of its rate limits, which apply to a model, whatever the workflow.
    """

    ended: LabelSet
    started: LabelSet
    limits: LabelSet


class LabelSets:
    """Finds the label sets of calls. Thread-safe.

    Args:
        max_workflows: Distinct workflow names kept; further ones are `other`.
    """

    def __init__(self, max_workflows: int) -> None:
        self._caps = {
            label.name: Cap(label, max_workflows if label is WORKFLOW else None)
            for label in (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, WORKFLOW)
        }
        self._sets: dict[_Values, LabelSet] = {}
        self._calls: dict[_Values, CallLabels] = {}
        self._overflow = LabelSet({OPERATION.name: OTHER, PROVIDER.name: OTHER})

    def of_call(self, record: CallRecord) -> CallLabels:
        """All label sets of a finished call."""
        values = (
            record.operation,
            record.provider,
            record.request_model,
            record.response_model,
            record.server_address,
            record.workflow,
        )
        found = self._calls.get(values)
        if found is None:
            operation, provider, model, _, address, workflow = values
            found = CallLabels(
                self._find(values),
                self._find((operation, provider, model, None, address, workflow)),
                self._find((None, provider, model, None, address, None)),
            )
            if values in self._sets:  # so none of the values is above its cap, and there are at most as many as sets
                self._calls[values] = found
        return found

    def of_batch_result(self, result: BatchResult) -> LabelSet:
        """The common labels of a result of a message batch."""
        return self._find(
            ("batches.results", result.provider, None, result.model, result.server_address, result.workflow)
        )

    def of_start(self, start: CallStart) -> LabelSet:
        """The labels of a call that has started."""
        values = (start.operation, start.provider, start.request_model, None, start.server_address, start.workflow)
        return self._sets.get(values) or self._find(values)

    def _find(self, values: _Values) -> LabelSet:
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
            # Two threads may both have made it: the first one that is stored is used.
            found = self._sets.setdefault(capped, found)
        return found
