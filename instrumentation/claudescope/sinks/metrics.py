"""Emits the metrics of the catalogue: histograms when calls end, all others when an export reads them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import ClassVar, Final

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram, Meter, MeterProvider, get_meter_provider

from claudescope._internal.fork import renew_in_child
from claudescope._internal.version import VERSION
from claudescope.schema import catalogue as signals
from claudescope.schema.catalogue import METRICS, SCOPE_NAME, Metric
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.record import Attempt, BatchResult, CallRecord, CallStart, ModelUsage, Usage
from claudescope.sinks.labels import Cap, LabelSet, LabelSets
from claudescope.sinks.protection import ProtectionMetrics
from claudescope.sinks.rate_limits import newer
from claudescope.sinks.sink import Sink
from claudescope.sinks.store import Store

__all__ = ["MetricsSink"]

_OUTCOME: Final = signals.OUTCOME.name
_OWNER: Final = signals.OWNER.name
_ERROR_TYPE: Final = signals.ERROR_TYPE.name
_INPUT: Final = (signals.TOKEN_TYPE.name, "input")
_OUTPUT: Final = (signals.TOKEN_TYPE.name, "output")
_BATCH_OUTCOME: Final = signals.BATCH_OUTCOME.name
_CACHE_TTL: Final = signals.CACHE_TTL.name
_FINISH_REASON: Final = signals.FINISH_REASON.name
_SERVER_TOOL: Final = signals.SERVER_TOOL.name
# Independent of the precision and traps that the app may have set.
_EXACT: Final = DecimalContext(prec=100, traps=[])

_FAILED: Final = {name: (_OUTCOME, "error", _OWNER, row.owner, _ERROR_TYPE, name) for name, row in ERROR_TYPES.items()}
_OTHERWISE: Final = {outcome: (_OUTCOME, outcome) for outcome in signals.OUTCOME.values or () if outcome != "error"}
_MAX_ZEROS: Final = 1000
"""Counters of calls that are born with 0: half of the 2000 that OpenTelemetry keeps of an instrument. Without a limit,
zeros could take the place of calls that happened."""


class MetricsSink(Sink):
    """Records every call into a meter.

    Made by `for_provider`, as OpenTelemetry can't remove an observable instrument: a second set of instruments on the
    same provider would report everything twice.

    Args:
        meter: Makes the instruments.
        max_workflows: Distinct workflow names kept; further ones are counted under `other`.
    """

    name: ClassVar[str] = "metrics"

    _made: ClassVar[dict[MeterProvider | None, MetricsSink]] = {}
    _making: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, meter: Meter, max_workflows: int = 100) -> None:
        self._labels = LabelSets(max_workflows)
        self._finish_reasons = Cap(signals.FINISH_REASON)
        self._server_tools = Cap(signals.SERVER_TOOL)
        self._store = Store(metric for metric in METRICS if metric.instrument != "histogram")
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            self._make(meter, metric)
        self._duration = self._histograms[signals.DURATION.name]
        self._first_chunk = self._histograms[signals.TIME_TO_FIRST_CHUNK.name]
        self._tokens = self._histograms[signals.TOKEN_USAGE.name]
        self._speed = self._histograms[signals.OUTPUT_SPEED.name]
        self._stall = self._histograms[signals.STREAM_STALL.name]
        self._protection = ProtectionMetrics(self._store, self._histograms[signals.QUEUE_DURATION.name])
        cells = self._store.cells
        self._active = cells(signals.ACTIVE_CALLS)
        self._calls = {pairs: cells(signals.CALLS, *pairs) for pairs in (*_OTHERWISE.values(), *_FAILED.values())}
        self._streams = cells(signals.STREAMS)
        self._tokens_in, self._tokens_out = cells(signals.TOKENS, *_INPUT), cells(signals.TOKENS, *_OUTPUT)
        self._counted: set[LabelSet] = set()
        self._zeros = 0
        self._cache_reads = cells(signals.CACHE_READ_TOKENS)
        self._cache_writes_5m = cells(signals.CACHE_WRITE_TOKENS, _CACHE_TTL, "5m")
        self._cache_writes_1h = cells(signals.CACHE_WRITE_TOKENS, _CACHE_TTL, "1h")
        self._reasoning = cells(signals.REASONING_TOKENS)
        self._unpriced = cells(signals.UNPRICED_CALLS)
        self._cost = cells(signals.COST)

    @classmethod
    def for_provider(cls, provider: MeterProvider | None, max_workflows: int = 100) -> MetricsSink:
        """The sink of a meter provider, made on the first call.

        Args:
            provider: The provider; None for the global one, also where the app sets that later.
            max_workflows: Distinct workflow names kept, where the sink is made now.
        """
        with cls._making:
            sink = cls._made.get(provider)
            if sink is None:
                meter = (provider or get_meter_provider()).get_meter(SCOPE_NAME, VERSION)
                sink = cls._made[provider] = cls(meter, max_workflows)
            return sink

    def _make(self, meter: Meter, metric: Metric) -> None:
        name, unit, description = metric.name, metric.unit, metric.description
        if metric.instrument == "histogram":
            self._histograms[name] = meter.create_histogram(
                name, unit, description, explicit_bucket_boundaries_advisory=metric.buckets
            )
            return
        callbacks = [self._store.callback(metric)]
        if metric.instrument == "counter":
            meter.create_observable_counter(name, callbacks, unit, description)
        elif metric.instrument == "updowncounter":
            meter.create_observable_up_down_counter(name, callbacks, unit, description)
        else:
            meter.create_observable_gauge(name, callbacks, unit, description)

    def started(self, start: CallStart) -> None:
        """Count the call as in flight."""
        labels = self._labels.of_start(start)
        active = self._active
        with self._store.lock:
            active[labels] = active.get(labels, 0) + 1
            if labels not in self._counted:
                self._add_zeros(labels)

    def finished(  # noqa: PLR0912 - each branch is a fact that a record may lack
        self, record: CallRecord, context: Context | None = None
    ) -> None:
        """Record everything that the call tells, with exemplars that point into `context`."""
        labels, started, limits = self._labels.of_call(record)
        usage, error_type, cost = record.usage, record.error_type, record.cost_usd
        protection = record.protection
        if protection is not None:
            started = self._labels.of_start(protection.started)  # another target may have answered
        extra: list[tuple[ModelUsage, LabelSet]] = []
        if record.extra_usage:
            # Each is billed for a model of its own.
            extra = [
                (p, self._labels.of_call(replace(record, response_model=p.model)).ended) for p in record.extra_usage
            ]
            cost = _own_cost(cost, record.extra_usage)
        store = self._store
        with store.lock:
            self._active[started] = self._active.get(started, 0) - 1
            self._add_call(record, labels)
            if usage is not None:
                self._add_usage(usage, cost, labels)
            for part, its_labels in extra:
                self._add_usage(part.usage, part.cost_usd, its_labels)
            if record.finish_reason is not None:
                self._add_answer(record.finish_reason, labels)
            if len(record.attempts) > 1:
                self._add_retries(record.attempts, labels)
            if protection is not None:
                self._protection.add(protection, labels)
            if record.rate_limits:
                store.limits[limits] = newer(store.limits.get(limits), record.rate_limits)
        pairs: tuple[str, ...] = (_OUTCOME, record.outcome)
        if error_type is not None:
            pairs += (_ERROR_TYPE, error_type)
        self._duration.record(record.duration, labels.plus[pairs], context)
        if protection is not None and protection.queued:
            self._protection.record_waits(protection, labels, context)
        if usage is not None:
            self._record_tokens(usage, labels, context)
        for part, its_labels in extra:
            self._record_tokens(part.usage, its_labels, context)
        if record.time_to_first_chunk is not None:
            self._first_chunk.record(record.time_to_first_chunk, labels.attributes, context)
        if record.longest_stall is not None:
            self._stall.record(record.longest_stall, labels.attributes, context)
        if usage is not None and record.stream_seconds and record.finish_reason is not None:
            self._speed.record(usage.output_tokens / record.stream_seconds, labels.attributes, context)

    def lost(self, start: CallStart) -> None:
        """A call that was counted as in flight will never end: its process is gone."""
        labels = self._labels.of_start(start)
        with self._store.lock:
            self._active[labels] = self._active.get(labels, 0) - 1

    def batch_result(self, result: BatchResult) -> None:
        """Count a result of a message batch, with what it cost."""
        labels, usage, cost = self._labels.of_batch_result(result), result.usage, result.cost_usd
        extra = [(p, self._labels.of_batch_result(replace(result, model=p.model))) for p in result.extra_usage]
        if extra:
            cost = _own_cost(cost, result.extra_usage)
        pairs: tuple[str, ...] = (_BATCH_OUTCOME, result.outcome)
        if result.error_type is not None:
            pairs = (*pairs, _ERROR_TYPE, result.error_type)
        with self._store.lock:
            results = self._store.cells(signals.BATCH_RESULTS, *pairs)
            results[labels] = results.get(labels, 0) + 1
            if usage is not None:
                self._add_usage(usage, cost, labels)
            for part, its_labels in extra:
                self._add_usage(part.usage, part.cost_usd, its_labels)
            if result.finish_reason is not None:
                self._add_answer(result.finish_reason, labels)
        if usage is not None:
            self._record_tokens(usage, labels)
        for part, its_labels in extra:
            self._record_tokens(part.usage, its_labels)

    def _record_tokens(self, usage: Usage, labels: LabelSet, context: Context | None = None) -> None:
        self._tokens.record(usage.input_tokens, labels.plus[_INPUT], context)
        self._tokens.record(usage.output_tokens, labels.plus[_OUTPUT], context)

    # What follows is called with the store's lock held.

    def _add_call(self, record: CallRecord, labels: LabelSet) -> None:
        if labels not in self._counted:
            self._add_zeros(labels)
        if record.outcome == "error":
            calls = self._calls[_FAILED.get(record.error_type or "", _FAILED["unknown_error"])]
        else:
            calls = self._calls[_OTHERWISE[record.outcome]]
        calls[labels] = calls.get(labels, 0) + 1
        if record.time_to_first_chunk is not None:
            self._streams[labels] = self._streams.get(labels, 0) + 1

    def _add_zeros(self, labels: LabelSet) -> None:
        """Let every outcome begin at 0: `rate` does not see the first value of a series, only what is added to it."""
        if self._zeros + len(self._calls) > _MAX_ZEROS:
            return
        self._zeros += len(self._calls)
        self._counted.add(labels)
        for cells in (*self._calls.values(), self._streams, self._tokens_in, self._tokens_out):
            cells.setdefault(labels, 0)

    def _add_answer(self, finish_reason: str, labels: LabelSet) -> None:
        responses = self._store.cells(signals.RESPONSES, _FINISH_REASON, self._finish_reasons(finish_reason))
        responses[labels] = responses.get(labels, 0) + 1

    def _add_retries(self, attempts: tuple[Attempt, ...], labels: LabelSet) -> None:
        delays = self._store.cells(signals.RETRY_DELAY)
        for attempt in attempts[:-1]:
            if attempt.error_type is None:
                continue  # it did not fail: a middleware asked again
            retries = self._store.cells(signals.RETRIES, _ERROR_TYPE, attempt.error_type)
            retries[labels] = retries.get(labels, 0) + 1
            delays[labels] = delays.get(labels, 0.0) + attempt.delay

    def _add_usage(self, usage: Usage, cost: Decimal | None, labels: LabelSet) -> None:
        unpriced = self._unpriced
        if labels not in unpriced:
            # Zeros are told too: a counter born at its first increase loses it.
            for cells in (unpriced, self._cache_reads, self._cache_writes_5m, self._cache_writes_1h, self._reasoning):
                cells[labels] = 0
        self._tokens_in[labels] = self._tokens_in.get(labels, 0) + usage.input_tokens
        self._tokens_out[labels] = self._tokens_out.get(labels, 0) + usage.output_tokens
        if usage.cache_read_tokens:
            self._cache_reads[labels] += usage.cache_read_tokens
        if usage.cache_write_5m_tokens:
            self._cache_writes_5m[labels] += usage.cache_write_5m_tokens
        if usage.cache_write_1h_tokens:
            self._cache_writes_1h[labels] += usage.cache_write_1h_tokens
        if usage.reasoning_tokens:
            self._reasoning[labels] += usage.reasoning_tokens
        if cost is None:
            unpriced[labels] += 1
        else:
            self._cost[labels] = self._cost.get(labels, 0) + cost
        for tool, uses in usage.server_tools.items():
            tools = self._store.cells(signals.SERVER_TOOL_USES, _SERVER_TOOL, self._server_tools(tool))
            tools[labels] = tools.get(labels, 0) + uses


def _own_cost(cost: Decimal | None, extra: Sequence[ModelUsage]) -> Decimal | None:
    """The cost of an answer without that of what was billed beside it; None where a part of it is not known."""
    for part in extra:
        if cost is None or part.cost_usd is None:
            return None
        cost = _EXACT.subtract(cost, part.cost_usd)
    return cost


renew_in_child(MetricsSink, "_making")
