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

from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.instruments import Instrument, Label, Metric

__all__ = [
    "ACTIVE_CALLS",
    "BATCH_RESULTS",
    "CACHE_READ_TOKENS",
    "CACHE_WRITE_TOKENS",
    "CALLS",
    "COMMON_LABELS",
    "COST",
    "DURATION",
    "EVENTS_DROPPED",
    "FINISH_REASONS",
    "INTERNAL_ERRORS",
    "LABELS",
    "METRICS",
    "OTHER",
    "OUTPUT_SPEED",
    "OWNER",
    "PROCESS_START_TIME",
    "RATE_LIMIT",
    "RATE_LIMIT_REMAINING",
    "REASONING_TOKENS",
    "RESPONSES",
    "RETRIES",
    "RETRY_DELAY",
    "SCOPE_NAME",
    "SERVER_TOOL_USES",
    "STREAMS",
    "STREAM_STALL",
    "TIME_TO_FIRST_CHUNK",
    "TOKENS",
    "TOKEN_USAGE",
    "UNPRICED_CALLS",
    "Instrument",
    "Label",
    "Metric",
]

SCOPE_NAME: Final = "claudescope"
"""Name of the instrumentation scope that all metrics and claudescope's own spans carry."""

OTHER: Final = "other"
"""The value of a label for every new value above its cap."""

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

OPERATION: Final = Label(
    "gen_ai.operation.name",
    "What was called: chat for Messages, else the API method.",
    values=(
        "chat",
        "count_tokens",
        "text_completion",
        "batches.create",
        "batches.list",
        "batches.retrieve",
        "batches.cancel",
        "batches.delete",
        "batches.results",
        "models.list",
        "models.retrieve",
        "files.upload",
        "files.list",
        "files.retrieve",
        "files.delete",
        "files.download",
        OTHER,
    ),
)
PROVIDER: Final = Label(
    "gen_ai.provider.name",
    "The platform that serves the model.",
    values=("anthropic", "aws.bedrock", "gcp.vertex_ai", "azure.ai.foundry", OTHER),
)
REQUEST_MODEL: Final = Label("gen_ai.request.model", "The model that was asked for.", cap=100)
RESPONSE_MODEL: Final = Label("gen_ai.response.model", "The model that answered; absent where none did.", cap=100)
SERVER_ADDRESS: Final = Label("server.address", "Host name of the API.", cap=50)
WORKFLOW: Final = Label("claude.workflow", "Name given by `claudescope.workflow`; absent outside of one.", cap=100)

ERROR_TYPE: Final = Label("error.type", "The error type.", values=tuple(ERROR_TYPES))
OUTCOME: Final = Label("claude.outcome", "How the call ended.", values=("ok", "error", "cancelled", "abandoned"))
OWNER: Final = Label(
    "claude.owner",
    "Who can fix the error that the call ended in; absent without one.",
    values=tuple(dict.fromkeys(row.owner for row in ERROR_TYPES.values())),
)
BATCH_OUTCOME: Final = Label(
    "claude.batch.outcome",
    "How a request of a message batch ended.",
    values=("succeeded", "errored", "canceled", "expired"),
)
TOKEN_TYPE: Final = Label("gen_ai.token.type", "Which tokens.", values=("input", "output"))
CACHE_TTL: Final = Label("claude.cache.ttl", "How long the cache entry was written for.", values=("5m", "1h"))
FINISH_REASON: Final = Label(
    "gen_ai.response.finish_reason",
    "Why the model stopped.",
    values=(
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
        OTHER,
    ),
)
RATE_LIMIT_TYPE: Final = Label(
    "claude.ratelimit.type", "Which limit.", values=("requests", "tokens", "input_tokens", "output_tokens")
)
SERVER_TOOL: Final = Label("claude.server_tool.name", "The server-side tool, such as web_search.", cap=30)
COMPONENT: Final = Label("claudescope.component", "The part of claudescope that failed.", cap=30)

TARGET: Final = Label("claude.target", "The target of a policy that the call went to, or the circuit's.", cap=20)
HOP_REASON: Final = Label(
    "claude.hop.reason",
    "Why a call went on to another target or model: an error type, or what kept it from being sent.",
    values=(*ERROR_TYPES, "circuit_open", "throttled", "capability", "queue_timeout", "budget", OTHER),
)
DEGRADED_BY: Final = Label(
    "claude.degraded.by",
    "What the app got in place of the answer that it asked for.",
    values=("model", "cache", "static", "function", "partial"),
)
REJECTED_REASON: Final = Label(
    "claude.rejected.reason",
    "Why a policy sent no request.",
    values=("circuit_open", "deadline", "queue_timeout", "budget", "throttled", "invalid"),
)
QUEUE: Final = Label("claude.queue", "What the call waited for.", values=("concurrency", "throttle"))
BREAKER_STATE: Final = Label(
    "claude.breaker.to", "The state that the circuit went to.", values=("closed", "half_open", "open")
)

FINISH_REASONS: Final = frozenset(FINISH_REASON.values or ())

COMMON_LABELS: Final = (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, WORKFLOW)
"""Labels of every metric of finished calls."""

_START_LABELS: Final = (OPERATION, PROVIDER, REQUEST_MODEL, SERVER_ADDRESS, WORKFLOW)
"""The common labels that are known when a call starts."""

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
    "claude.client.active_calls", "updowncounter", "{call}", "Calls in flight now.", _START_LABELS
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
