"""Sums up calls for a `Report`, in bounded memory.

A *tally* has the sums since the start or the last reset. A *group* is its part for one operation, model and workflow.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from decimal import Context, Decimal
from typing import TYPE_CHECKING, ClassVar

from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.schema.catalogue import OTHER
from claudescope.schema.record import BatchResult, CallRecord, Outcome, RateLimit, Usage
from claudescope.sinks.rate_limits import Limits, newer
from claudescope.sinks.sink import Sink

if TYPE_CHECKING:
    from ddsketch import LogCollapsingLowestDenseDDSketch as Sketch

    from claudescope.reporting.model import Percentiles, RateLimitHeadroom, Report, ReportRow, TokenTotals

__all__ = ["ReportSink"]

_RELATIVE_ACCURACY = 0.01
# 1,024 bins of 2 % each reach from three hours down to 15 µs. Shorter calls count as the lowest bin.
_BIN_LIMIT = 1024
# Finish reasons and similar names come from the server, so their number is limited here.
_MAX_NAMES = 100
# Independent of the precision and traps that the app may have set.
_MONEY = Context(prec=50, traps=[])

# Sketches are imported at the first call, and the classes of a report at the first report, so that apps start fast.

_GroupKey = tuple[str, str | None, str | None]


def _sketch() -> Sketch:
    from ddsketch import LogCollapsingLowestDenseDDSketch as Sketch

    return Sketch(relative_accuracy=_RELATIVE_ACCURACY, bin_limit=_BIN_LIMIT)


def _percentiles(sketch: Sketch) -> Percentiles | None:
    """The nearest-rank percentiles of a sketch; None if it is empty."""
    count = int(sketch.count)
    if not count:
        return None

    def percentile(percent: int) -> float:
        rank = -(-count * percent // 100) - 1
        # The sketch uses the floor of quantile * (count - 1), which would give the faster of two calls as p99. Half a
        # rank more makes the floor our rank, whatever the rounding.
        quantile = min((rank + 0.5) / (count - 1), 1.0) if count > 1 else 0.0
        value = sketch.get_quantile_value(quantile)
        return 0.0 if value is None else float(value)

    from claudescope.reporting.model import Percentiles

    return Percentiles(percentile(50), percentile(90), percentile(95), percentile(99))


class _Group:
    """The sums over the calls of one operation, model and workflow."""

    __slots__ = (
        "answered",
        "cache_read",
        "cache_write_1h",
        "cache_write_5m",
        "calls",
        "cost",
        "duration",
        "first_token",
        "input",
        "outcomes",
        "output",
        "reasoning",
        "unpriced",
    )

    def __init__(self) -> None:
        self.answered = 0
        self.calls = 0
        self.outcomes: dict[Outcome, int] = {"ok": 0, "error": 0, "cancelled": 0, "abandoned": 0}
        self.duration = _sketch()
        self.first_token = _sketch()
        self.input = 0
        self.output = 0
        self.cache_read = 0
        self.cache_write_5m = 0
        self.cache_write_1h = 0
        self.reasoning = 0
        self.cost = Decimal(0)
        self.unpriced = 0

    def add(self, other: _Group) -> None:
        """Add another group's sums to this one's."""
        self.answered += other.answered
        self.calls += other.calls
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] += count
        self.duration.merge(other.duration)
        self.first_token.merge(other.first_token)
        self.input += other.input
        self.output += other.output
        self.cache_read += other.cache_read
        self.cache_write_5m += other.cache_write_5m
        self.cache_write_1h += other.cache_write_1h
        self.reasoning += other.reasoning
        self.cost = _MONEY.add(self.cost, other.cost)
        self.unpriced += other.unpriced

    def tokens(self) -> TokenTotals:
        from claudescope.reporting.model import TokenTotals

        return TokenTotals(
            input=self.input,
            output=self.output,
            cache_read=self.cache_read,
            cache_write_5m=self.cache_write_5m,
            cache_write_1h=self.cache_write_1h,
            reasoning=self.reasoning,
        )

    def row(self, key: _GroupKey) -> ReportRow | None:
        """The report's row of this group; None if it has no duration."""
        duration = _percentiles(self.duration)
        if duration is None:
            return None
        from claudescope.reporting.model import ReportRow

        operation, model, workflow = key
        tokens = self.tokens()
        # Converted to text, as an internal error elsewhere may have left another type.
        return ReportRow(
            operation=str(operation),
            model=None if model is None else str(model),
            workflow=None if workflow is None else str(workflow),
            calls=self.calls,
            errors=self.outcomes["error"],
            duration=duration,
            time_to_first_chunk=_percentiles(self.first_token),
            tokens=tokens,
            cache_hit_ratio=tokens.cache_hit_ratio,
            cost_usd=self.cost,
            unpriced_calls=self.unpriced,
        )


class _Tally:
    """The sums since one moment. Callers hold its lock for `add` and `copy`."""

    def __init__(self, started_at: datetime, max_groups: int) -> None:
        self.lock = threading.Lock()
        renew_in_child(self, "lock")
        self._started_at = started_at
        self._max_groups = max_groups
        self._groups: dict[_GroupKey, _Group] = {}
        self._response_models: dict[str, str] = {}
        self._retries: dict[str, int] = {}
        self._retry_delay = 0.0
        self._errors: dict[str, int] = {}
        self._statuses: dict[int | None, int] = {}
        self._finish_reasons: dict[str, int] = {}
        self._rate_limits: Limits | None = None
        self._server_tools: dict[str, int] = {}

    def add(self, record: CallRecord) -> None:
        """Add a finished call."""
        requested, answered = record.request_model, record.response_model
        key = (record.operation, answered or requested, record.workflow)
        group = self._groups.get(key) or self._group(key)
        group.calls += 1
        group.outcomes[record.outcome] += 1
        if answered is not None:
            group.answered += 1
            if requested is not None and requested != answered and len(self._response_models) < self._max_groups:
                self._response_models[requested] = answered

        self._add_answer(group, record)
        self._add_attempts(record)
        if record.outcome == "error":
            _count(self._errors, record.error_type or "unknown_error")
        if record.rate_limits:
            self._rate_limits = newer(self._rate_limits, record.rate_limits)

        # Last, as an infinite duration raises, and everything else is counted before.
        group.duration.add(record.duration)
        if record.time_to_first_chunk is not None:
            group.first_token.add(record.time_to_first_chunk)

    def add_batch_result(self, result: BatchResult) -> None:
        """Add the usage and cost of a batch result to the calls that fetch results."""
        key = ("batches.results", None, result.workflow)
        self._add_answer(self._groups.get(key) or self._group(key), result)

    def _add_answer(self, group: _Group, answer: CallRecord | BatchResult) -> None:
        usage = answer.usage
        if usage is not None:
            _add_tokens(group, usage)
            for part in answer.extra_usage:
                _add_tokens(group, part.usage)
            if answer.cost_usd is None:
                group.unpriced += 1
            else:
                group.cost = _MONEY.add(group.cost, answer.cost_usd)
            if usage.server_tools:
                for tool, uses in usage.server_tools.items():
                    _count(self._server_tools, tool, uses)
        if answer.finish_reason is not None:
            _count(self._finish_reasons, answer.finish_reason)

    def _add_attempts(self, record: CallRecord) -> None:
        statuses, attempts = self._statuses, record.attempts
        for attempt in attempts:
            status = attempt.status_code
            statuses[status] = statuses.get(status, 0) + 1
        if len(attempts) > 1:
            for attempt in attempts[:-1]:
                if attempt.error_type is not None:  # else a middleware asked again
                    _count(self._retries, attempt.error_type)
                self._retry_delay += attempt.delay

    def _group(self, key: _GroupKey) -> _Group:
        """Make the group of a new key, or return the group `other` if there are too many."""
        if len(self._groups) >= self._max_groups:
            # Each operation has its own `other`, so that latencies are not mixed, unless there are too many operations.
            operation = key[0] if len(self._groups) < 2 * self._max_groups else OTHER
            key = (operation, OTHER, OTHER)
            if key in self._groups:
                return self._groups[key]
        group = self._groups[key] = _Group()
        return group

    def copy(self) -> _Tally:
        """Return a copy in which calls without a response are grouped under their response model.

        A failed call only has the request model, which may be an alias of the response model. In separate groups, one
        model would have no errors and the other only errors.
        """
        copy = _Tally(self._started_at, self._max_groups)
        for key, group in self._groups.items():
            operation, model, workflow = key
            if not group.answered and model is not None:
                model = self._response_models.get(model, model)
            copy._groups.setdefault((operation, model, workflow), _Group()).add(group)
        copy._retries = dict(self._retries)
        copy._retry_delay = self._retry_delay
        copy._errors = dict(self._errors)
        copy._statuses = dict(self._statuses)
        copy._finish_reasons = dict(self._finish_reasons)
        copy._rate_limits = self._rate_limits  # never changed in place
        copy._server_tools = dict(self._server_tools)
        return copy

    def report(self, ended_at: datetime) -> Report:
        """Make the report."""
        from claudescope.reporting.model import Report

        total, chat = _Group(), _Group()
        rows: list[ReportRow] = []
        for key, group in self._groups.items():
            total.add(group)
            if key[0] == "chat":
                chat.add(group)
            row = group.row(key)
            if row is not None:
                rows.append(row)
        tokens = total.tokens()
        return Report(
            started_at=self._started_at,
            ended_at=ended_at,
            calls=total.calls,
            outcomes=total.outcomes,
            rows=tuple(sorted(rows, key=_row_order)),
            chat_duration=_percentiles(chat.duration),
            chat_time_to_first_chunk=_percentiles(chat.first_token),
            tokens=tokens,
            cache_hit_ratio=tokens.cache_hit_ratio,
            cost_usd=total.cost,
            unpriced_calls=total.unpriced,
            retries=_sorted(self._retries),
            retry_delay_seconds=self._retry_delay,
            errors=_sorted(self._errors),
            attempts_by_status=_sorted(
                {"none" if status is None else str(status): count for status, count in self._statuses.items()}
            ),
            finish_reasons=_sorted(self._finish_reasons),
            rate_limits={name: _headroom(limit) for name, limit in sorted((self._rate_limits or {}).items())},
            server_tools=_sorted(self._server_tools),
        )


def _add_tokens(group: _Group, usage: Usage) -> None:
    group.input += usage.input_tokens
    group.output += usage.output_tokens
    if usage.cache_read_tokens:
        group.cache_read += usage.cache_read_tokens
    if usage.cache_write_5m_tokens:
        group.cache_write_5m += usage.cache_write_5m_tokens
    if usage.cache_write_1h_tokens:
        group.cache_write_1h += usage.cache_write_1h_tokens
    if usage.reasoning_tokens:
        group.reasoning += usage.reasoning_tokens


def _count(counts: dict[str, int], name: str, by: int = 1) -> None:
    if name not in counts and len(counts) >= _MAX_NAMES:
        name = OTHER
    counts[name] = counts.get(name, 0) + by


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    # By their text, so that a key of another type, left by an internal error, does not prevent the report.
    return {name: counts[name] for name in sorted(counts, key=str)}


def _row_order(row: ReportRow) -> tuple[bool, int, str, str, str]:
    return row.operation != "chat", -row.calls, row.operation, row.model or "", row.workflow or ""


def _headroom(rate_limit: RateLimit) -> RateLimitHeadroom:
    limit, remaining = rate_limit.limit, rate_limit.remaining
    from claudescope.reporting.model import RateLimitHeadroom

    return RateLimitHeadroom(
        limit=limit,
        remaining=remaining,
        reset=rate_limit.reset,
        headroom=remaining / limit if limit and remaining is not None else None,
    )


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class ReportSink(Sink):
    """Sums up every call for a report. Thread-safe.

    Memory is bounded: at most `2 * max_groups + 1` groups, each with two sketches of 1,024 bins. A forked child starts
    from zero.

    Args:
        max_groups: Most combinations of operation, model and workflow, at least 1. Further calls are counted under the
            model and workflow `other` of their operation.
        now: Returns the time in UTC.

    Raises:
        ValueError: `max_groups` is below 1.
    """

    name: ClassVar[str] = "report"

    def __init__(self, max_groups: int = 200, *, now: Callable[[], datetime] = _utc_now) -> None:
        if max_groups < 1:
            raise ValueError(f"max_groups={max_groups}: expected a whole number of at least 1")
        self._max_groups = max_groups
        self._now = now
        self._tally = _Tally(now(), max_groups)
        run_in_child(self, type(self).reset)

    def finished(self, record: CallRecord, context: object = None) -> None:
        """Count a call that has ended. Takes 3 to 4 µs."""
        tally = self._tally
        with tally.lock:
            tally.add(record)

    def batch_result(self, result: BatchResult) -> None:
        """Count the usage and cost of a batch result."""
        tally = self._tally
        with tally.lock:
            tally.add_batch_result(result)

    def snapshot(self) -> Report:
        """Report the calls since the start or the last `reset`.

        Calls that end meanwhile wait for at most a few milliseconds.
        """
        tally = self._tally
        with tally.lock:
            copy = tally.copy()
            ended_at = self._now()
        return copy.report(ended_at)

    def reset(self) -> None:
        """Start counting from zero."""
        self._tally = _Tally(self._now(), self._max_groups)
