"""Counts everything that a simulator serves."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["Ledger", "Stats", "StreamEnding", "TokenCounts", "token_counts"]

StreamEnding = Literal["complete", "error_event", "cut", "reset", "client_gone"]


@dataclass(frozen=True)
class TokenCounts:
    """Billed tokens. `input` excludes tokens that were read from or written to the cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    def __add__(self, other: TokenCounts) -> TokenCounts:
        return TokenCounts(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write_5m=self.cache_write_5m + other.cache_write_5m,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
        )


def token_counts(usage: Mapping[str, Any]) -> TokenCounts:
    """The billed tokens of a message's `usage` object."""
    return TokenCounts(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cache_read=usage["cache_read_input_tokens"],
        cache_write_5m=usage["cache_creation"]["ephemeral_5m_input_tokens"],
        cache_write_1h=usage["cache_creation"]["ephemeral_1h_input_tokens"],
    )


@dataclass(frozen=True)
class Ledger:
    """Exact counts of what was served since the start or the last reset.

    Attributes:
        responses: Exchanges by HTTP status as text; `"none"` counts those without a response.
        endpoints: Exchanges by endpoint and status, such as `"POST /v1/messages"` or `"GET /v1/models/{model_id}"`.
        models: Requests to create a message, by model and status.
        streams: Streams by how they ended: `complete`, `error_event`, `cut`, `reset`, `client_gone`.
        messages_billed: Messages for which usage was sent, without those of batches.
        tokens: Billed tokens of these messages. A stream is billed for the usage in its events until it ended.
        tokens_by_model: Billed tokens by model.
        batch_messages_billed: Messages of batches whose end a client has seen.
        batch_tokens: Billed tokens of these messages.
        injected_errors: Injected errors by type.
    """

    responses: Mapping[str, int] = field(default_factory=dict[str, int])
    endpoints: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    models: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    streams: Mapping[str, int] = field(default_factory=dict[str, int])
    messages_billed: int = 0
    tokens: TokenCounts = TokenCounts()
    tokens_by_model: Mapping[str, TokenCounts] = field(default_factory=dict[str, TokenCounts])
    batch_messages_billed: int = 0
    batch_tokens: TokenCounts = TokenCounts()
    injected_errors: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, ready for JSON."""
        plain: dict[str, Any] = {}
        for name in (each.name for each in dataclasses.fields(self)):
            plain[name] = _plain(getattr(self, name))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, TokenCounts):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in sorted(value.items())}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value


class Stats:
    """Counts for the ledger. Only the server's event loop uses it.

    A response is counted before it is sent, so that a client that has received it finds it counted.
    """

    def __init__(self) -> None:
        self._responses: Counter[str] = Counter()
        self._endpoints: dict[str, Counter[str]] = {}
        self._models: dict[str, Counter[str]] = {}
        self._streams: Counter[str] = Counter()
        self._tokens: dict[str, TokenCounts] = {}
        self._messages_billed = 0
        self._batch_messages_billed = 0
        self._batch_tokens = TokenCounts()
        self._injected_errors: Counter[str] = Counter()

    def response(self, endpoint: str, model: str | None, status: str) -> None:
        """Count an exchange by its status; `"none"` for one without a response."""
        self._responses[status] += 1
        self._endpoints.setdefault(endpoint, Counter())[status] += 1
        if model is not None:
            self._models.setdefault(model, Counter())[status] += 1

    def stream(self, ending: StreamEnding) -> None:
        """Count a stream by how it ended."""
        self._streams[ending] += 1

    def message(self, model: str, tokens: TokenCounts) -> None:
        """Count a message and its billed tokens."""
        self._messages_billed += 1
        self.more_tokens(model, tokens)

    def more_tokens(self, model: str, tokens: TokenCounts) -> None:
        """Add billed tokens of a message that is already counted."""
        self._tokens[model] = self._tokens.get(model, TokenCounts()) + tokens

    def batch_message(self, tokens: TokenCounts) -> None:
        """Count a message of a batch and its billed tokens."""
        self._batch_messages_billed += 1
        self._batch_tokens += tokens

    def injected_error(self, type_: str) -> None:
        """Count an injected error."""
        self._injected_errors[type_] += 1

    def ledger(self) -> Ledger:
        """The counts so far."""
        return Ledger(
            responses=_frozen(self._responses),
            endpoints=MappingProxyType({name: _frozen(counts) for name, counts in self._endpoints.items()}),
            models=MappingProxyType({name: _frozen(counts) for name, counts in self._models.items()}),
            streams=_frozen(self._streams),
            messages_billed=self._messages_billed,
            tokens=sum(self._tokens.values(), TokenCounts()),
            tokens_by_model=MappingProxyType(dict(self._tokens)),
            batch_messages_billed=self._batch_messages_billed,
            batch_tokens=self._batch_tokens,
            injected_errors=_frozen(self._injected_errors),
        )


def _frozen(counts: Counter[str]) -> Mapping[str, int]:
    return MappingProxyType(dict(counts))
