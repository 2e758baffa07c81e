"""The part of a spec that says when the alerts on symptoms fire."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, field_validator

from claudescope.schema.catalogue import DURATION, STREAM_STALL
from claudescope_alerts.spec.fields import (
    Count,
    DailyUsDollars,
    Duration,
    Factor,
    Ratio,
    SpecModel,
    UsDollars,
    bucket,
    duration,
)

__all__ = ["Thresholds"]


class Thresholds(SpecModel):
    """Thresholds of the alerts on symptoms. A ratio is written as a percentage (`5%`) or a number (0.05)."""

    min_failures: Count = Field(default=5, ge=2, le=1_000_000)
    """Number of failures within an alert's window below which alerts on a ratio stay silent. Default: 5."""

    min_calls: Count = Field(default=20, ge=1, le=1_000_000)
    """Number of calls within an alert's window below which alerts on a percentile or an average stay silent. Default:
    20."""

    error_type_ratio: Ratio = Decimal("0.05")
    """Ratio of calls that end in one error type, over 5 minutes, above which ClaudeErrorTypeHigh fires. Default:
    5%."""

    unavailable_ratio: Ratio = Decimal("0.5")
    """Ratio of calls that fail because of the provider, or because of the network, over 5 minutes, above which
    ClaudeApiUnavailable pages. Default: 50%."""

    retry_ratio: Ratio = Decimal("0.10")
    """Ratio of attempts that are repeated, over 10 minutes, above which ClaudeRetryShareHigh fires. Default: 10%."""

    p95_over_baseline: Factor = Decimal(2)
    """Factor: ClaudeDurationHigh and ClaudeFirstTokenSlow fire when the p95 is more than this many times its baseline,
    the median of the same hour on earlier days. Default: 2."""

    p95_floor: Duration = Field(default=2.0, json_schema_extra={"default": "2s"})
    """Duration: a p95 below it never fires ClaudeDurationHigh and ClaudeFirstTokenSlow. Default: 2s."""

    tokens_over_baseline: Factor = Decimal(2)
    """Factor: ClaudeTokensOutOfBand fires when tokens per call are more than this many times their baseline, or less
    than the baseline divided by it. Default: 2."""

    cost_over_baseline: Factor = Decimal(2)
    """Factor: ClaudeCostPerCallHigh fires when the cost per call is more than this many times its baseline. Default:
    2."""

    cost_per_call_usd: UsDollars | None = None
    """Average cost of a call over an hour, in US dollars, above which ClaudeCostPerCallOverLimit fires. Default: null,
    which leaves the alert out."""

    daily_budget_usd: DailyUsDollars | None = None
    """Budget of a day in US dollars. ClaudeCostPaceHigh fires when the spend rate is above 12, 3 or 1 times the budget.
    Default: null, which leaves the alert out."""

    headroom: Ratio = Decimal("0.10")
    """Ratio of a rate limit that is left below which ClaudeRateLimitHeadroomLow fires. Default: 10%."""

    pool_timeouts: Count = Field(default=5, ge=2, le=1_000_000)
    """Number of calls within 5 minutes that found no free connection at which ClaudePoolExhausted pages. Default: 5."""

    stream_cut_ratio: Ratio = Decimal("0.02")
    """Ratio of calls whose stream was interrupted, over 5 minutes, above which ClaudeStreamsCut fires. Default: 2%."""

    stall: Duration = Field(default=20.48, json_schema_extra={"default": "20.48s"})
    """Duration of the longest gap between two events of a stream from which the stream counts as stalled. It must be
    the end of a bucket of `claude.client.stream.stall`. Default: 20.48s."""

    stall_ratio: Ratio = Decimal("0.05")
    """Ratio of stalled streams, over 10 minutes, above which ClaudeStreamsStalled fires. Default: 5%."""

    truncation_ratio: Ratio = Decimal("0.10")
    """Ratio of answers that end at `max_tokens` or at the context window, over 30 minutes, above which
    ClaudeTruncationsHigh fires. Default: 10%."""

    refusal_ratio: Ratio = Decimal("0.05")
    """Ratio of answers that are refusals, over 30 minutes, above which ClaudeRefusalsHigh fires. Default: 5%."""

    absent_after: Duration = Field(default=600.0, json_schema_extra={"default": "10m"})
    """Duration for which there is no telemetry before ClaudeTelemetryAbsent fires: whole minutes, at most 12 hours.
    Default: 10m."""

    @field_validator("p95_floor")
    @classmethod
    def _measurable(cls, seconds: float) -> float:
        # No p95 is above the last bucket that has an end, so nothing above a higher floor could ever fire.
        return duration(DURATION.buckets[0], 600)(seconds)

    @field_validator("absent_after")
    @classmethod
    def _minutes(cls, seconds: float) -> float:
        return duration(60, 12 * 3600, whole=60)(seconds)

    @field_validator("stall")
    @classmethod
    def _is_a_bucket(cls, seconds: float) -> float:
        bucket(STREAM_STALL, seconds)
        return seconds
