"""Every label of the metrics, declared once. `catalogue` has the metrics."""

from __future__ import annotations

from typing import Final

from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.instruments import Label

__all__ = [
    "BATCH_OUTCOME",
    "BREAKER_STATE",
    "CACHE_TTL",
    "COMMON_LABELS",
    "COMPONENT",
    "DEGRADED_BY",
    "ERROR_TYPE",
    "FINISH_REASON",
    "FINISH_REASONS",
    "HOP_REASON",
    "OPERATION",
    "OTHER",
    "OUTCOME",
    "OWNER",
    "PROVIDER",
    "QUEUE",
    "RATE_LIMIT_TYPE",
    "REJECTED_REASON",
    "REQUEST_MODEL",
    "RESPONSE_MODEL",
    "SERVER_ADDRESS",
    "SERVER_TOOL",
    "START_LABELS",
    "TARGET",
    "TOKEN_TYPE",
    "WORKFLOW",
]

OTHER: Final = "other"
"""The value of a label for every new value above its cap."""

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

START_LABELS: Final = (OPERATION, PROVIDER, REQUEST_MODEL, SERVER_ADDRESS, WORKFLOW)
"""The common labels that are known when a call starts."""
