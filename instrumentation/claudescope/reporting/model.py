"""The data of the report that `claudescope run` prints at exit.

A *row* sums up the calls of one operation, model and workflow. A *percentile* is the nearest rank: the smallest value
that at least that percentage of calls did not exceed, accurate to 1 %. Durations are in seconds, money in US dollars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from claudescope.schema.record import Outcome, RateLimitType

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Percentiles", "RateLimitHeadroom", "Report", "ReportRow", "TokenTotals"]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Four nearest-rank percentiles of a time, in seconds, each within 1 % of a value that was measured.

    Attributes:
        p50: Half of the calls took no longer.
        p90: 90 % of the calls took no longer.
        p95: 95 % of the calls took no longer.
        p99: 99 % of the calls took no longer. With fewer than 100 calls, the slowest one.
    """

    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class TokenTotals:
    """Billed tokens.

    Attributes:
        input: All input, cache reads and cache writes included.
        output: All output, reasoning included.
        cache_read: The part of the input that was read from the prompt cache.
        cache_write_5m: The part of the input written to the cache for five minutes.
        cache_write_1h: The part of the input written to the cache for one hour.
        reasoning: The part of the output that was reasoning.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    reasoning: int = 0

    @property
    def cache_hit_ratio(self) -> float | None:
        """Cache reads over all input, from 0 to 1. None without input."""
        return self.cache_read / self.input if self.input else None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The calls of one operation, model and workflow.

    Attributes:
        operation: The value of `gen_ai.operation.name`, such as `chat`.
        model: The response model, else the request model; None for calls without a model, `other` above the
            limit of groups.
        workflow: The name given by `claudescope.workflow`; None without one, `other` above the limit.
        calls: Calls that ended, with any outcome.
        errors: Calls that ended in an error. Cancelled calls and abandoned streams are not errors.
        duration: Seconds from start to end of all calls, retries and reading of the stream included.
        time_to_first_chunk: Time to first token: seconds from a call's start to the first content event of its
            stream; None without such streams.
        tokens: Billed tokens.
        cache_hit_ratio: Cache reads over all input, from 0 to 1; None without input.
        cost_usd: The price of the usage that has a known price, in US dollars.
        unpriced_calls: Calls with usage but without a known price. `cost_usd` excludes them.
    """

    operation: str
    model: str | None
    workflow: str | None
    calls: int
    errors: int
    duration: Percentiles
    time_to_first_chunk: Percentiles | None
    tokens: TokenTotals
    cache_hit_ratio: float | None
    cost_usd: Decimal
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class RateLimitHeadroom:
    """A rate limit, from the headers of the call that ended last.

    Attributes:
        limit: The limit of the window; None if the header is missing.
        remaining: What remains of it; None if the header is missing.
        reset: When the limit is restored, an RFC 3339 timestamp; None if the header is missing.
        headroom: `remaining` over `limit`, from 0 to 1; None if one of them is missing or the limit is 0.
    """

    limit: int | None
    remaining: int | None
    reset: str | None
    headroom: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The calls of a period, summed up.

    Attributes:
        started_at: When counting started, in UTC.
        ended_at: When the report was made, in UTC.
        calls: Calls that ended.
        outcomes: Calls by outcome. All four outcomes are present, also with 0 calls.
        rows: One per operation, model and workflow: `chat` first, then by number of calls.
        chat_duration: Seconds of the calls with the operation `chat`, over all models and workflows; None without
            any. Other operations are excluded, as a token count of 50 ms is not comparable to a response of 50 s.
        chat_time_to_first_chunk: Time to first token of the same calls' streams, in seconds; None without any.
        tokens: Billed tokens.
        cache_hit_ratio: Cache reads over all input, from 0 to 1; None without input.
        cost_usd: The price of the usage that has a known price, in US dollars.
        unpriced_calls: Calls with usage but without a known price. `cost_usd` excludes them.
        retries: Retries, by the error type that caused them.
        retry_delay_seconds: Seconds waited between attempts, over all calls.
        errors: Calls that ended in an error, by error type.
        attempts_by_status: HTTP requests by status as text; `none` for those without a response.
        finish_reasons: Responses by finish reason.
        rate_limits: The latest rate limits, by type.
        server_tools: Uses of server tools, by name.
    """

    started_at: datetime
    ended_at: datetime
    calls: int
    outcomes: Mapping[Outcome, int]
    rows: tuple[ReportRow, ...]
    chat_duration: Percentiles | None
    chat_time_to_first_chunk: Percentiles | None
    tokens: TokenTotals
    cache_hit_ratio: float | None
    cost_usd: Decimal
    unpriced_calls: int
    retries: Mapping[str, int]
    retry_delay_seconds: float
    errors: Mapping[str, int]
    attempts_by_status: Mapping[str, int]
    finish_reasons: Mapping[str, int]
    rate_limits: Mapping[RateLimitType, RateLimitHeadroom]
    server_tools: Mapping[str, int]

    @property
    def error_ratio(self) -> float | None:
        """Calls that ended in an error over all calls, from 0 to 1. None without calls."""
        return self.outcomes["error"] / self.calls if self.calls else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for `json`.

        Returns:
            One key per attribute, in alphabetical order at every level. Money is text (`"0.0125"`), times are ISO
            8601, and everything else is a number, text, None, or a list or mapping of those.
        """
        plain: dict[str, Any] = _plain(self)
        return plain

    def to_json(self, indent: int | None = 2) -> str:
        """Return the report as JSON.

        Args:
            indent: Spaces per level; None for a single line.

        Returns:
            The JSON text of `to_dict`, without a newline at its end.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def print(self, console: Console | None = None) -> None:
        """Print the report as tables.

        Args:
            console: The console; standard output by default.
        """
        # Imported here, as rich takes 60 ms to import
        from claudescope.reporting.table import print_report

        print_report(self, console)


def _plain(value: object) -> Any:
    """Convert an attribute of a report for `json`."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        items: Mapping[str, object] = value  # pyright: ignore[reportUnknownVariableType]
        return {key: _plain(items[key]) for key in sorted(items)}
    if isinstance(value, tuple):
        rows: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return [_plain(row) for row in rows]
    if is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in sorted(field.name for field in fields(value))}
    return value
