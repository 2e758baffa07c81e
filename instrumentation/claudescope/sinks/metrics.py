"""Emits the catalogue: histograms as calls end, everything else when an export asks."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import ClassVar, Final

from opentelemetry.metrics import Histogram, Meter, MeterProvider, get_meter_provider

from claudescope import catalogue as signals
from claudescope._version import VERSION
from claudescope.catalogue import METRICS, SCOPE_NAME, Metric
from claudescope.record import BatchResult, CallRecord, CallStart, Usage
from claudescope.sinks.labels import Cap, LabelSet, LabelSets
from claudescope.sinks.sink import Sink
from claudescope.sinks.store import Store

__all__ = ["MetricsSink"]

_OUTCOME: Final = signals.OUTCOME.name
_ERROR_TYPE: Final = signals.ERROR_TYPE.name
_TOKEN_TYPE: Final = signals.TOKEN_TYPE.name
_BATCH_OUTCOME: Final = signals.BATCH_OUTCOME.name
_CACHE_TTL: Final = signals.CACHE_TTL.name
_FINISH_REASON: Final = signals.FINISH_REASON.name
_LIMIT_TYPE: Final = signals.RATE_LIMIT_TYPE.name
_SERVER_TOOL: Final = signals.SERVER_TOOL.name


class MetricsSink(Sink):
    """Records every call into a meter.

    Made by `for_provider`, as OpenTelemetry can't take an observable instrument back: a second set of instruments on
    the same provider would report everything twice.

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
        with self._store.lock:
            self._store.add(signals.ACTIVE_CALLS, self._labels.of_start(start), 1)

    def finished(self, record: CallRecord) -> None:
        """Record everything that the call tells."""
        labels = self._labels.of_record(record)
        with self._store.lock:
            self._store.add(signals.ACTIVE_CALLS, self._labels.of_start(record), -1)
            self._add_sums(record, labels)
        if record.error_type is None:
            self._duration.record(record.duration, labels.with_labels(_OUTCOME, record.outcome))
        else:
            self._duration.record(
                record.duration, labels.with_labels(_OUTCOME, record.outcome, _ERROR_TYPE, record.error_type)
            )
        usage = record.usage
        self._record_tokens(usage, labels)
        if record.time_to_first_chunk is not None:
            self._first_chunk.record(record.time_to_first_chunk, labels.attributes)
        if record.longest_stall is not None:
            self._stall.record(record.longest_stall, labels.attributes)
        if usage is not None and record.stream_seconds and record.finish_reason is not None:
            self._speed.record(usage.output_tokens / record.stream_seconds, labels.attributes)

    def lost(self, start: CallStart) -> None:
        """A call that was counted as in flight will never end: its process is gone."""
        with self._store.lock:
            self._store.add(signals.ACTIVE_CALLS, self._labels.of_start(start), -1)

    def batch_result(self, result: BatchResult) -> None:
        """Count a result of a message batch, with what it cost."""
        labels = self._labels.of_batch_result(result)
        pairs: tuple[str, ...] = (_BATCH_OUTCOME, result.outcome)
        if result.error_type is not None:
            pairs = (*pairs, _ERROR_TYPE, result.error_type)
        with self._store.lock:
            self._store.add(signals.BATCH_RESULTS, labels, 1, *pairs)
            self._add_answer(result, labels)
        self._record_tokens(result.usage, labels)

    def _record_tokens(self, usage: Usage | None, labels: LabelSet) -> None:
        if usage is not None:
            self._tokens.record(usage.input_tokens, labels.with_labels(_TOKEN_TYPE, "input"))
            self._tokens.record(usage.output_tokens, labels.with_labels(_TOKEN_TYPE, "output"))

    def _add_answer(self, answer: CallRecord | BatchResult, labels: LabelSet) -> None:
        if answer.usage is not None:
            self._add_usage(answer.usage, answer.cost_usd, labels)
        if answer.finish_reason is not None:
            reason = self._finish_reasons(answer.finish_reason)
            self._store.add(signals.RESPONSES, labels, 1, _FINISH_REASON, reason)

    def _add_sums(self, record: CallRecord, labels: LabelSet) -> None:
        add = self._store.add
        self._add_answer(record, labels)
        for attempt in record.attempts[:-1]:
            add(signals.RETRIES, labels, 1, _ERROR_TYPE, attempt.error_type or "unknown_error")
            add(signals.RETRY_DELAY, labels, attempt.delay)
        if record.rate_limits:
            limits = self._labels.of_limits(record)
            for limit_type, rate_limit in record.rate_limits.items():
                if rate_limit.limit is not None:
                    self._store.put(signals.RATE_LIMIT, limits, rate_limit.limit, _LIMIT_TYPE, limit_type)
                if rate_limit.remaining is not None:
                    self._store.put(signals.RATE_LIMIT_REMAINING, limits, rate_limit.remaining, _LIMIT_TYPE, limit_type)

    def _add_usage(self, usage: Usage, cost: Decimal | None, labels: LabelSet) -> None:
        add = self._store.add
        # Zeros are added too: a counter born at its first increase loses it.
        add(signals.CACHE_READ_TOKENS, labels, usage.cache_read_tokens)
        add(signals.CACHE_WRITE_TOKENS, labels, usage.cache_write_5m_tokens, _CACHE_TTL, "5m")
        add(signals.CACHE_WRITE_TOKENS, labels, usage.cache_write_1h_tokens, _CACHE_TTL, "1h")
        add(signals.REASONING_TOKENS, labels, usage.reasoning_tokens)
        if cost is None:
            add(signals.UNPRICED_CALLS, labels, 1)
        else:
            add(signals.COST, labels, cost)
            add(signals.UNPRICED_CALLS, labels, 0)
        for tool, uses in usage.server_tools.items():
            add(signals.SERVER_TOOL_USES, labels, uses, _SERVER_TOOL, self._server_tools(tool))
