"""Counts each result of a message batch and its cost once, however often the app reads the results."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, cast, get_args

from claudescope._internal import internal_errors
from claudescope._internal.fork import renew_in_child
from claudescope.probe.response import MessageFacts, field_of
from claudescope.schema.classify import classify_response
from claudescope.schema.record import BatchOutcome, BatchResult

if TYPE_CHECKING:
    from claudescope.probe.interfaces import WatchedCall

__all__ = ["SEEN", "SeenResults", "count_result", "watch_async_results", "watch_results"]

MAX_BATCHES: Final = 1000
"""Batches that are remembered. Above it, the one that was read longest ago is forgotten."""

MAX_RESULTS: Final = 200_000
"""Results of partly read batches that are remembered: two batches of the largest size that the API allows."""


class SeenResults:
    """Remembers which results have been counted. Bounded and thread-safe.

    It keeps a hash of the id of each result. A batch whose results were read to the end is remembered by its id alone.
    """

    def __init__(self, max_batches: int = MAX_BATCHES, max_results: int = MAX_RESULTS) -> None:
        self._max_batches = max_batches
        self._max_results = max_results
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._batches: OrderedDict[str, set[int] | None] = OrderedDict()
        self._results = 0

    def add(self, batch: str, result: object) -> bool:
        """Remember a result, and return whether it was new."""
        with self._lock:
            seen = self._batches.setdefault(batch, set())
            self._batches.move_to_end(batch)
            key = hash(repr(result))  # an id may be anything, even unhashable
            if seen is None or key in seen:
                return False
            seen.add(key)
            self._results += 1
            while len(self._batches) > 1 and (
                len(self._batches) > self._max_batches or self._results > self._max_results
            ):
                self._forget(self._batches.popitem(last=False)[1])
            return True

    def complete(self, batch: str) -> None:
        """Remember that all results of a batch have been read."""
        with self._lock:
            self._forget(self._batches.get(batch))
            self._batches[batch] = None
            self._batches.move_to_end(batch)
            if len(self._batches) > self._max_batches:
                self._forget(self._batches.popitem(last=False)[1])

    def _forget(self, seen: set[int] | None) -> None:
        self._results -= len(seen or ())


SEEN: Final = SeenResults()
"""The results that this process has counted."""


def watch_results(results: Iterator[Any], call: WatchedCall) -> Generator[Any, None, None]:
    """Yield the results of a batch unchanged, count each, and end the call."""
    call.parsing = True
    try:
        for result in results:
            count_result(call, result)
            yield result
    except GeneratorExit:
        call.finalized()
        raise
    except BaseException as error:
        call.failed(error)
        raise
    SEEN.complete(call.batch)
    call.read_to_end()


async def watch_async_results(results: AsyncGenerator[Any, None], call: WatchedCall) -> AsyncIterator[Any]:
    """Yield the results of a batch unchanged, count each, and end the call."""
    call.parsing = True
    try:
        async for result in results:
            count_result(call, result)
            yield result
    except GeneratorExit:
        call.finalized()
        await results.aclose()  # as where the app closes the SDK's own generator
        raise
    except BaseException as error:
        call.failed(error)
        raise
    SEEN.complete(call.batch)
    call.read_to_end()


def count_result(call: WatchedCall, result: object) -> None:
    """Count a result, a model or decoded, unless it was counted before. Never raises."""
    try:
        fact = _read(field_of(result, "result"), call)
        if fact is not None and SEEN.add(call.batch, field_of(result, "custom_id")):
            call.dispatcher.batch_result(fact)
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("probe")


def _read(result: object, call: WatchedCall) -> BatchResult | None:
    outcome = field_of(result, "type")
    if outcome not in get_args(BatchOutcome):
        return None
    facts = MessageFacts()
    error_type = None
    if outcome == "succeeded":
        facts.read_message(field_of(result, "message"))
        facts.bill_as_batch()  # the API bills it so, even where the result does not say so
    elif outcome == "errored":
        error = {"type": field_of(field_of(field_of(result, "error"), "error"), "type")}
        error_type = classify_response(200, {"type": "error", "error": error}).name
    bill = call.dispatcher.bill(call.start, facts, datetime.now(timezone.utc))
    return BatchResult(
        provider=call.start.provider,
        model=facts.model,
        outcome=cast("BatchOutcome", outcome),
        error_type=error_type,
        usage=bill.usage,
        cost_usd=bill.cost_usd,
        finish_reason=facts.finish_reason,
        workflow=call.start.workflow,
        server_address=call.start.server_address,
        extra_usage=bill.extra,
    )
