"""Stores the message batches of a simulator. It does not depend on HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from claudescope.simulator.errors import ApiError

__all__ = ["Batch", "Batches"]

Result = dict[str, Any]


@dataclass
class Batch:
    """One batch.

    Attributes:
        id: Its id.
        items: Custom id and parameters of each request.
        created_at: Wall-clock time.
        ends_at: When it ends, in seconds of the simulator's clock.
        duration: Seconds from its creation to its end.
        make_results: Makes the results at its end, in the order of the items.
        cancel_initiated_at: When it was cancelled; None where it was not.
        results: The results; None until it has ended.
    """

    id: str
    items: list[tuple[str, dict[str, Any]]]
    created_at: datetime
    ends_at: float
    duration: float
    make_results: Callable[[Batch], list[Result]]
    cancel_initiated_at: datetime | None = None
    results: list[Result] | None = field(default=None)

    def info(self, base_url: str) -> dict[str, Any]:
        """The `message_batch` object."""
        ended = self.results is not None
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        if self.results is None:
            counts["processing"] = len(self.items)
        for result in self.results or ():
            counts[result["result"]["type"]] += 1
        status = "ended" if ended else "canceling" if self.cancel_initiated_at else "in_progress"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": counts,
            "created_at": _time(self.created_at),
            "expires_at": _time(self.created_at + timedelta(hours=24)),
            "ended_at": _time(self.created_at + timedelta(seconds=self.duration)) if ended else None,
            "cancel_initiated_at": _time(self.cancel_initiated_at) if self.cancel_initiated_at else None,
            "archived_at": None,
            "results_url": f"{base_url}/v1/messages/batches/{self.id}/results" if ended else None,
        }


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Batches:
    """All batches, by id."""

    def __init__(self) -> None:
        self._batches: dict[str, Batch] = {}

    def add(self, batch: Batch) -> None:
        """Add a batch."""
        self._batches[batch.id] = batch

    def all(self, clock: float) -> list[Batch]:
        """Return all batches in their current state, newest first."""
        return [self.get(batch_id, clock) for batch_id in reversed(self._batches)]

    def get(self, batch_id: str, clock: float) -> Batch:
        """Return a batch in its current state.

        Raises:
            ApiError: 404.
        """
        batch = self._batches.get(batch_id)
        if batch is None:
            raise ApiError(404, "not_found_error", f"Message batch {batch_id} not found")
        if batch.results is None and clock >= batch.ends_at:
            batch.results = batch.make_results(batch)
        return batch

    def remove(self, batch_id: str) -> None:
        """Remove a batch."""
        del self._batches[batch_id]
