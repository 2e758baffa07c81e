"""The count of all that a simulator served."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from claudescope._internal.json_values import json_value

__all__ = ["Bookkeeper", "Ledger", "StreamEnding", "TokenCounts", "token_counts"]

StreamEnding = Literal["complete", "error_event", "cut", "reset", "client_gone"]


@dataclass(frozen=True)
class TokenCounts:
    """Tokens by what they are billed as. `input` leaves out what was read from or written to the cache."""

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
    """What the `usage` object of a message is billed as."""
    return TokenCounts(
        input=usage["input_tokens"],
        output=usage["output_tokens"],
        cache_read=usage["cache_read_input_tokens"],
        cache_write_5m=usage["cache_creation"]["ephemeral_5m_input_tokens"],
        cache_write_1h=usage["cache_creation"]["ephemeral_1h_input_tokens"],
    )


@dataclass(frozen=True)
class Ledger:
    """What was served since the start or the last reset. Counts, all of them exact.

    Attributes:
        responses: Exchanges by HTTP status as text, `"none"` for those that got no response.
        endpoints: The same by endpoint, such as `"POST /v1/messages"` or `"GET /v1/models/{model_id}"`.
        models: The same by model, for requests to create a message.
        streams: Streams by how they ended: `complete`, `error_event`, `cut`, `reset`, `client_gone`.
        messages_billed: Messages for which usage was sent, batches left out.
        tokens: What these messages were billed. A stream is billed what its events said until it ended.
        tokens_by_model: The same by model.
        batch_messages_billed: Messages of batches that were seen to have ended.
        batch_tokens: What those were billed.
        faults: Faults injected, by kind.
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
    faults: Mapping[str, int] = field(default_factory=dict[str, int])

    def to_dict(self) -> dict[str, Any]:
        """As plain dicts and numbers, ready for JSON."""
        plain: dict[str, Any] = {}
        for name in (each.name for each in dataclasses.fields(self)):
            plain[name] = json_value(getattr(self, name))
        return plain


class Bookkeeper:
    """Keeps the ledger. Used by the server's event loop alone.

    What a client will see is entered before it is sent, so that a client that has seen an answer finds it counted.
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
        self._faults: Counter[str] = Counter()

    def response(self, endpoint: str, model: str | None, status: str) -> None:
        """Enter how an exchange was answered; the status is `"none"` if it was not."""
        self._responses[status] += 1
        self._endpoints.setdefault(endpoint, Counter())[status] += 1
        if model is not None:
            self._models.setdefault(model, Counter())[status] += 1

    def stream(self, ending: StreamEnding) -> None:
        """Enter how a stream ended."""
        self._streams[ending] += 1

    def message(self, model: str, tokens: TokenCounts) -> None:
        """Enter a message and what it is billed."""
        self._messages_billed += 1
        self.more_tokens(model, tokens)

    def more_tokens(self, model: str, tokens: TokenCounts) -> None:
        """Enter what a message already entered is billed on top."""
        self._tokens[model] = self._tokens.get(model, TokenCounts()) + tokens

    def batch_message(self, tokens: TokenCounts) -> None:
        """Enter a message of a batch."""
        self._batch_messages_billed += 1
        self._batch_tokens += tokens

    def fault(self, kind: str) -> None:
        """Enter a fault that was injected."""
        self._faults[kind] += 1

    def ledger(self) -> Ledger:
        """The ledger as it stands."""
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
            faults=_frozen(self._faults),
        )


def _frozen(counts: Counter[str]) -> Mapping[str, int]:
    return MappingProxyType(dict(counts))
