"""What a run of an app looked like, call by call, summed up: the data that `claudescope run` prints at exit.

A *row* sums up the calls of one operation, model and workflow. A *percentile* is the nearest rank: the
smallest measured value that at least that share of the calls did not exceed, accurate to 1 %. Durations are
in seconds and money is in US dollars everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from claudescope._internal.json_values import json_value
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
        p99: 99 % of the calls took no longer. The slowest call, below a hundred of them.
    """

    p50: float
    p90: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class TokenTotals:
    """What the API billed, in tokens.

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
        model: The model that answered, else the one that was asked for; None for calls without one, `other`
            for those beyond the cap of groups.
        workflow: The name given by `claudescope.workflow`; None outside of one, `other` beyond the cap.
        calls: How many calls ended, however they ended.
        errors: How many of them ended in an error. A cancelled call and a dropped stream are none.
        duration: Seconds from a call's start to its end, retries and the reading of a stream included, over
            all calls, however they ended.
        time_to_first_chunk: Seconds from a call's start to the first content event of its stream, over the
            streams that had content; None without any.
        tokens: What the API billed.
        cache_hit_ratio: Cache reads over all input, from 0 to 1; None without input.
        cost_usd: The price of the usage that has a known price, in US dollars.
        unpriced_calls: Calls with usage and no known price: `cost_usd` lacks them.
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
    """One rate limit as the headers of the call that ended last reported it.

    Attributes:
        limit: How much the window allows; None where the header was missing.
        remaining: How much of it is left; None where the header was missing.
        reset: When it is full again, an RFC 3339 timestamp as sent; None where the header was missing.
        headroom: `remaining` over `limit`; None where one of them is missing or the limit is 0.
    """

    limit: int | None
    remaining: int | None
    reset: str | None
    headroom: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was seen between two moments.

    Attributes:
        started_at: When counting began, in UTC.
        ended_at: When the report was taken, in UTC.
        calls: How many calls ended.
        outcomes: How many ended in which way. All four ways are there, also at 0.
        rows: One per operation, model and workflow: `chat` first, then by the number of calls.
        chat_duration: Seconds of the calls whose operation is `chat`, over all models and workflows; None
            without any. Other operations are left out: a token count of 50 ms says nothing about an answer
            of 50 s.
        chat_time_to_first_chunk: Seconds to the first content event of the same calls' streams; None without
            any.
        tokens: What the API billed.
        cache_hit_ratio: Cache reads over all input, from 0 to 1; None without input.
        cost_usd: The price of the usage that has a known price, in US dollars.
        unpriced_calls: Calls with usage and no known price: `cost_usd` lacks them.
        retries: How many attempts were followed by another, by the kind of error that caused it.
        retry_delay_seconds: Seconds slept between attempts, over all calls.
        errors: How many calls ended in an error, by kind.
        attempts_by_status: Every HTTP request by its status as text, `none` where no response came.
        finish_reasons: Why the model stopped, by reason.
        rate_limits: The limits seen last, by type.
        server_tools: Uses of server-side tools, by name.
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
        """The report as plain values that `json` can write.

        Returns:
            One key per attribute, in alphabetical order at every level. Money is text (`"0.0125"`), a moment
            is ISO 8601, and everything else is a number, text, None, or a list or mapping of those.
        """
        plain: dict[str, Any] = json_value(self, sort_fields=True)
        return plain

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON.

        Args:
            indent: Spaces per level; None for a single line.

        Returns:
            The JSON text of `to_dict`, without a newline at its end.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def print(self, console: Console | None = None) -> None:
        """Write the report as tables for a person to read.

        Args:
            console: Where to; standard output by default.
        """
        # rich takes 60 ms to import, and an app that never prints a report never pays for it
        from claudescope.reporting.table import print_report

        print_report(self, console)
