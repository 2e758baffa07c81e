"""Every metric and label that claudescope emits, declared once.

The metrics sink emits the metrics of this table, and dashboards and alerts query them through it, so that none of them
can name a metric that does not exist. Names are the OpenTelemetry GenAI semantic conventions' where those have one
(https://opentelemetry.io/docs/specs/semconv/gen-ai/), and start with `claude.` or `claudescope.` where they don't.

Prometheus names follow OpenTelemetry's own translation
(https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/): every run of characters that
Prometheus forbids becomes one underscore, the unit is appended in words, and a monotonic sum ends in `_total`.
"""

from __future__ import annotations

from typing import Final

from claudescope.schema.instruments import Instrument, Label, Metric
from claudescope.schema.labels import (
    BATCH_OUTCOME,
    BREAKER_STATE,
    CACHE_TTL,
    COMMON_LABELS,
    COMPONENT,
    DEGRADED_BY,
    ERROR_TYPE,
    FINISH_REASON,
    FINISH_REASONS,
    HOP_REASON,
    OPERATION,
    OTHER,
    OUTCOME,
    OWNER,
    PROVIDER,
    QUEUE,
    RATE_LIMIT_TYPE,
    REJECTED_REASON,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_TOOL,
    START_LABELS,
    TARGET,
    TOKEN_TYPE,
    WORKFLOW,
)

__all__ = [
    "ACTIVE_CALLS",
    "BATCH_OUTCOME",
    "BATCH_RESULTS",
    "BREAKER",
    "BREAKER_STATE",
    "BREAKER_TRANSITIONS",
    "CACHE_READ_TOKENS",
    "CACHE_TTL",
    "CACHE_WRITE_TOKENS",
    "CALLS",
    "COMMON_LABELS",
    "COMPONENT",
    "COST",
    "DEGRADED",
    "DEGRADED_BY",
    "DURATION",
    "ERROR_TYPE",
    "EVENTS_DROPPED",
    "FINISH_REASON",
    "FINISH_REASONS",
    "HOPS",
    "HOP_REASON",
    "INTERNAL_ERRORS",
    "LABELS",
    "METRICS",
    "OPERATION",
    "OTHER",
    "OUTCOME",
    "OUTPUT_SPEED",
    "OWNER",
    "PROCESS_START_TIME",
    "PROVIDER",
    "QUEUE",
    "QUEUE_DURATION",
    "RATE_LIMIT",
    "RATE_LIMIT_REMAINING",
    "RATE_LIMIT_TYPE",
    "REASONING_TOKENS",
    "REJECTED",
    "REJECTED_REASON",
    "REQUEST_MODEL",
    "RESPONSES",
    "RESPONSE_MODEL",
    "RETRIES",
    "RETRY_BUDGET",
    "RETRY_DELAY",
    "SCOPE_NAME",
    "SERVER_ADDRESS",
    "SERVER_TOOL",
    "SERVER_TOOL_USES",
    "START_LABELS",
    "STREAMS",
    "STREAM_STALL",
    "TARGET",
    "TIME_TO_FIRST_CHUNK",
    "TOKENS",
    "TOKEN_TYPE",
    "TOKEN_USAGE",
    "UNPRICED_CALLS",
    "WORKFLOW",
    "Instrument",
    "Label",
    "Metric",
]

SCOPE_NAME: Final = "claudescope"
"""Name of the instrumentation scope that all metrics and claudescope's own spans carry."""

_DURATION_BUCKETS: Final = tuple(0.01 * 2**power for power in range(18))
"""Seconds. The convention's doubling series from 0.01 to 81.92, continued to 1310.72: Claude calls run for minutes."""

_TOKEN_BUCKETS: Final = tuple(round(10 ** (power / 5)) * 1.0 for power in range(32))
"""Tokens. Five to a decade from 1 to 1,584,893, so that a percentile is right to within a quarter.

The convention advises powers of four, where a percentile may be wrong by a factor of two: of 5,000 tokens and of 15,000
it says the same. The largest context window has a million tokens; a few more buckets leave room above it.
"""

_SPEED_BUCKETS: Final = (
    5.0,
    10.0,
    20.0,
    30.0,
    40.0,
    50.0,
    60.0,
    80.0,
    100.0,
    150.0,
    200.0,
    300.0,
    500.0,
    1000.0,
)
"""Tokens per second, finest between 5 and 100, where most models write."""

CALLS: Final = Metric(
    "claude.client.calls",
    "counter",
    "{call}",
    "Calls that ended, by outcome. Every outcome and error type is there with 0 before it first happens.",
    (*COMMON_LABELS, OUTCOME, OWNER, ERROR_TYPE),
)
STREAMS: Final = Metric(
    "claude.client.streams",
    "counter",
    "",
    "Streams that had content.",
    COMMON_LABELS,
)
TOKENS: Final = Metric(
    "claude.client.tokens",
    "counter",
    "{token}",
    "Tokens of all calls, as in `gen_ai.client.token.usage`: a sum that needs no histogram.",
    (*COMMON_LABELS, TOKEN_TYPE),
)
DURATION: Final = Metric(
    "gen_ai.client.operation.duration",
    "histogram",
    "s",
    "Time from a call's start to its end, retries and the reading of a stream included.",
    (*COMMON_LABELS, OUTCOME, ERROR_TYPE),
    _DURATION_BUCKETS,
)
TIME_TO_FIRST_CHUNK: Final = Metric(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    "Time from a call's start to the first content event of its stream.",
    COMMON_LABELS,
    _DURATION_BUCKETS,
)
TOKEN_USAGE: Final = Metric(
    "gen_ai.client.token.usage",
    "histogram",
    "{token}",
    "Tokens per call; input includes cache reads and writes.",
    (*COMMON_LABELS, TOKEN_TYPE),
    _TOKEN_BUCKETS,
)
OUTPUT_SPEED: Final = Metric(
    "claude.client.output_speed",
    "histogram",
    "{token}/s",
    "Output tokens of a stream over the time from its first content event to its last.",
    COMMON_LABELS,
    _SPEED_BUCKETS,
)
STREAM_STALL: Final = Metric(
    "claude.client.stream.stall",
    "histogram",
    "s",
    "The longest gap between two events of a stream.",
    COMMON_LABELS,
    _DURATION_BUCKETS,
)
CACHE_READ_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    "counter",
    "{token}",
    "Input tokens read from the prompt cache.",
    COMMON_LABELS,
)
CACHE_WRITE_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    "counter",
    "{token}",
    "Input tokens written to the prompt cache.",
    (*COMMON_LABELS, CACHE_TTL),
)
REASONING_TOKENS: Final = Metric(
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    "counter",
    "{token}",
    "Output tokens spent on reasoning.",
    COMMON_LABELS,
)
COST: Final = Metric(
    "claude.client.cost.usd", "counter", "", "Price of what the API billed, in US dollars.", COMMON_LABELS
)
UNPRICED_CALLS: Final = Metric(
    "claude.client.cost.unpriced_calls",
    "counter",
    "{call}",
    "Calls whose usage is known but whose price is not.",
    COMMON_LABELS,
)
RETRIES: Final = Metric(
    "claude.client.retries",
    "counter",
    "",
    "Retries, by the error type of the attempt that failed.",
    (*COMMON_LABELS, ERROR_TYPE),
)
RETRY_DELAY: Final = Metric("claude.client.retry.delay", "counter", "s", "Time slept between attempts.", COMMON_LABELS)
RESPONSES: Final = Metric(
    "claude.client.responses",
    "counter",
    "",
    "Answers of the model, by finish reason.",
    (*COMMON_LABELS, FINISH_REASON),
)
SERVER_TOOL_USES: Final = Metric(
    "claude.client.server_tool.uses",
    "counter",
    "{use}",
    "Uses of server-side tools, as the API reports them.",
    (*COMMON_LABELS, SERVER_TOOL),
)
BATCH_RESULTS: Final = Metric(
    "claude.client.batch.results",
    "counter",
    "{result}",
    "Results of message batches that the app read, each counted once.",
    (OPERATION, PROVIDER, RESPONSE_MODEL, SERVER_ADDRESS, WORKFLOW, BATCH_OUTCOME, ERROR_TYPE),
)
ACTIVE_CALLS: Final = Metric(
    "claude.client.active_calls", "updowncounter", "{call}", "Calls in flight now.", START_LABELS
)
RATE_LIMIT: Final = Metric(
    "claude.client.ratelimit.limit",
    "gauge",
    "",
    "Size of a rate limit, from the headers of the last response.",
    (PROVIDER, REQUEST_MODEL, SERVER_ADDRESS, RATE_LIMIT_TYPE),
)
RATE_LIMIT_REMAINING: Final = Metric(
    "claude.client.ratelimit.remaining",
    "gauge",
    "",
    "What remains of a rate limit, from the headers of the last response.",
    (PROVIDER, REQUEST_MODEL, SERVER_ADDRESS, RATE_LIMIT_TYPE),
)
HOPS: Final = Metric(
    "claude.client.hops",
    "counter",
    "",
    "Times that a policy sent a call on to another target or model.",
    (*COMMON_LABELS, HOP_REASON, TARGET),
)
DEGRADED: Final = Metric(
    "claude.client.degraded",
    "counter",
    "{call}",
    "Calls that got an answer, but not the one that they asked for.",
    (*COMMON_LABELS, DEGRADED_BY),
)
REJECTED: Final = Metric(
    "claude.client.rejected",
    "counter",
    "{call}",
    "Calls that a policy did not send at all.",
    (*COMMON_LABELS, REJECTED_REASON),
)
QUEUE_DURATION: Final = Metric(
    "claude.client.queue.duration",
    "histogram",
    "s",
    "Time that calls waited before they were sent, where a policy let them wait.",
    (*COMMON_LABELS, QUEUE),
    _DURATION_BUCKETS,
)
BREAKER: Final = Metric(
    "claude.breaker.state",
    "gauge",
    "",
    "State of the circuit of a target and model: 0 closed, 1 half-open, 2 open.",
    (TARGET, REQUEST_MODEL),
)
BREAKER_TRANSITIONS: Final = Metric(
    "claude.breaker.transitions",
    "counter",
    "",
    "Changes of a circuit's state.",
    (TARGET, REQUEST_MODEL, BREAKER_STATE),
)
RETRY_BUDGET: Final = Metric(
    "claude.client.retry_budget.remaining",
    "gauge",
    "",
    "Retries that the policy's budget has left, when a call last needed one.",
    (),
)
PROCESS_START_TIME: Final = Metric(
    "claudescope.process.start_time",
    "gauge",
    "s",
    "When claudescope began to count the calls of the process, in Unix seconds.",
    (),
)
INTERNAL_ERRORS: Final = Metric(
    "claudescope.internal_errors",
    "counter",
    "",
    "Internal errors: failures inside claudescope itself, which do not affect the app.",
    (COMPONENT,),
)

EVENTS_DROPPED: Final = Metric(
    "claudescope.sentry.events_dropped",
    "counter",
    "",
    "Sentry events dropped by rate limiting.",
    (ERROR_TYPE,),
)

METRICS: Final = (
    CALLS,
    STREAMS,
    TOKENS,
    DURATION,
    TIME_TO_FIRST_CHUNK,
    TOKEN_USAGE,
    OUTPUT_SPEED,
    STREAM_STALL,
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    REASONING_TOKENS,
    COST,
    UNPRICED_CALLS,
    RETRIES,
    RETRY_DELAY,
    RESPONSES,
    SERVER_TOOL_USES,
    BATCH_RESULTS,
    ACTIVE_CALLS,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    HOPS,
    DEGRADED,
    REJECTED,
    QUEUE_DURATION,
    BREAKER,
    BREAKER_TRANSITIONS,
    RETRY_BUDGET,
    PROCESS_START_TIME,
    INTERNAL_ERRORS,
    EVENTS_DROPPED,
)
"""The whole catalogue, in the order that the documentation shows it."""

LABELS: Final = tuple({label.name: label for metric in METRICS for label in metric.labels}.values())
"""Every label of the catalogue."""
