"""What the report sink sums up, and how the report reads as JSON and on a terminal."""

from __future__ import annotations

import decimal
import io
import json
import math
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from claudescope.reporting.model import Percentiles, RateLimitHeadroom, Report, ReportRow, TokenTotals
from claudescope.reporting.sink import ReportSink
from claudescope.reporting.table import MAX_ROWS, format_count, format_ratio, format_seconds, format_usd
from claudescope.schema.record import Attempt, CallRecord, RateLimit, Usage
from tests.records import make_record

_START = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


class _Clock:
    """Tells a time that moves by a minute at each look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return _START + timedelta(minutes=self.looks - 1)


def _report(*records: CallRecord, max_groups: int = 200) -> Report:
    sink = ReportSink(max_groups, now=_Clock())
    for record in records:
        sink.finished(record)
    return sink.snapshot()


def _failed(kind: str | None, *statuses: int | None, **changes: Any) -> CallRecord:
    """A call whose every attempt failed with the same kind."""
    facts: dict[str, Any] = {
        "response_model": None,
        "outcome": "error",
        "error_type": kind,
        "attempts": tuple(Attempt(kind, status, None, 0.5) for status in statuses),
        "time_to_first_chunk": None,
        "usage": None,
        "cost_usd": None,
        "finish_reason": None,
        "rate_limits": {},
    }
    return make_record(**(facts | changes))


def _drawn(report: Report, width: int = 100, *, encoding: str = "utf-8", color: bool = False) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, newline="\n")
    report.print(Console(file=stream, width=width, force_terminal=color, color_system="truecolor" if color else None))
    stream.flush()
    return buffer.getvalue().decode(encoding)


def _nearest_rank(values: Sequence[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _off(measured: Percentiles | None, values: Sequence[float]) -> float:
    """The largest relative error of the four percentiles of `values`."""
    assert measured is not None
    pairs = [(50, measured.p50), (90, measured.p90), (95, measured.p95), (99, measured.p99)]
    exact = [(_nearest_rank(values, percent), got) for percent, got in pairs]
    return max(abs(got - true) / true for true, got in exact)


class TestSums:
    """Every number of a report, from the records that went in."""

    def test_nothing_happened(self) -> None:
        """Without calls, counts are 0, shares and percentiles are None, and all four outcomes are there."""
        report = _report()

        assert (
            Report(
                started_at=_START,
                ended_at=_START + timedelta(minutes=1),
                calls=0,
                outcomes={"ok": 0, "error": 0, "cancelled": 0, "abandoned": 0},
                rows=(),
                chat_duration=None,
                chat_time_to_first_chunk=None,
                tokens=TokenTotals(),
                cache_hit_ratio=None,
                cost_usd=Decimal(0),
                unpriced_calls=0,
                retries={},
                retry_delay_seconds=0.0,
                errors={},
                attempts_by_status={},
                finish_reasons={},
                rate_limits={},
                server_tools={},
            )
            == report
        )
        assert report.error_ratio is None

    def test_one_call_with_everything(self) -> None:
        """A call's usage, cost, retries, attempts, reason, limits and tools all arrive."""
        report = _report(make_record())

        assert report.chat_duration is not None
        assert report.chat_time_to_first_chunk is not None
        assert report.chat_duration.p99 == pytest.approx(4.0, rel=0.01)
        assert report.chat_time_to_first_chunk.p50 == pytest.approx(0.5, rel=0.01)
        tokens = TokenTotals(1000, 200, 600, 100, 50, 20)
        row = ReportRow(
            operation="chat",
            model="claude-opus-5-5",
            workflow="summarise",
            calls=1,
            errors=0,
            duration=report.chat_duration,
            time_to_first_chunk=report.chat_time_to_first_chunk,
            tokens=tokens,
            cache_hit_ratio=0.6,
            cost_usd=Decimal("0.0125"),
            unpriced_calls=0,
        )
        assert (
            Report(
                started_at=_START,
                ended_at=_START + timedelta(minutes=1),
                calls=1,
                outcomes={"ok": 1, "error": 0, "cancelled": 0, "abandoned": 0},
                rows=(row,),
                chat_duration=row.duration,
                chat_time_to_first_chunk=row.time_to_first_chunk,
                tokens=tokens,
                cache_hit_ratio=0.6,
                cost_usd=Decimal("0.0125"),
                unpriced_calls=0,
                retries={"rate_limit_error": 1},
                retry_delay_seconds=1.25,
                errors={},
                attempts_by_status={"200": 1, "429": 1},
                finish_reasons={"end_turn": 1},
                rate_limits={"requests": RateLimitHeadroom(50, 49, "2026-11-21T12:01:00Z", 0.98)},
                server_tools={"web_search": 2},
            )
            == report
        )

    def test_outcomes_and_errors(self) -> None:
        """Only the outcome `error` is an error, by its kind; one without a kind is `unknown_error`."""
        report = _report(
            make_record(),
            make_record(outcome="cancelled"),
            make_record(outcome="abandoned"),
            _failed("overloaded_error", 529),
            _failed("overloaded_error", 529),
            _failed(None, 500),
        )

        assert report.outcomes == {"ok": 1, "error": 3, "cancelled": 1, "abandoned": 1}
        assert report.errors == {"overloaded_error": 2, "unknown_error": 1}
        assert report.error_ratio == 0.5
        assert report.rows[0].errors == 3

    def test_attempts_and_retries(self) -> None:
        """Every attempt counts by its status, and every failed one but the last as a retry by its cause."""
        report = _report(
            _failed("overloaded_error", 529, 529, 529),
            _failed("connection_error", None, None),
            _failed(None, 200, 200),
            _failed("client_timeout_error"),
        )

        assert report.attempts_by_status == {"529": 3, "none": 2, "200": 2}
        assert report.retries == {"overloaded_error": 2, "connection_error": 1}
        assert report.retry_delay_seconds == 2.0

    def test_unpriced_is_not_free(self) -> None:
        """Usage without a price is counted apart; a call without usage is not."""
        report = _report(make_record(), make_record(cost_usd=None), _failed("api_error", 500))

        assert report.unpriced_calls == report.rows[0].unpriced_calls == 1
        assert report.cost_usd == Decimal("0.0125")
        assert report.tokens.input == 2000

    def test_cost_is_exact_whatever_context_the_app_has(self) -> None:
        """A precision of three digits and a trap in the app's context round no sum and raise nothing."""
        with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
            report = _report(make_record(cost_usd=Decimal("1000.000001")), make_record(cost_usd=Decimal("0.0000001")))

            assert report.cost_usd == Decimal("1000.0000011")
            assert report.to_dict()["cost_usd"] == "1000.0000011"
            assert "$1,000.00" in _drawn(report)

    def test_rate_limits_are_the_last_seen(self) -> None:
        """A later call replaces the limits it reports and leaves the others; a share needs both numbers."""
        report = _report(
            make_record(rate_limits={"requests": RateLimit(50, 49), "tokens": RateLimit(1000, 100)}),
            make_record(rate_limits={"requests": RateLimit(50, 5)}),
            make_record(rate_limits={"input_tokens": RateLimit(None, 5), "output_tokens": RateLimit(0, 0)}),
            make_record(rate_limits={}),
        )

        assert report.rate_limits == {
            "input_tokens": RateLimitHeadroom(None, 5, None, None),
            "output_tokens": RateLimitHeadroom(0, 0, None, None),
            "requests": RateLimitHeadroom(50, 5, None, 0.1),
            "tokens": RateLimitHeadroom(1000, 100, None, 0.1),
        }

    def test_reset_forgets_everything(self) -> None:
        """After a reset the report is empty and starts at the moment of the reset."""
        sink = ReportSink(now=_Clock())
        sink.finished(make_record())

        sink.reset()

        report = sink.snapshot()
        assert report.calls == 0
        assert report.started_at == _START + timedelta(minutes=1)

    def test_a_snapshot_stays_as_it_was(self) -> None:
        """Calls that end after a snapshot change the next one and not the first."""
        sink = ReportSink(now=_Clock())
        sink.finished(make_record())
        first = sink.snapshot()
        before = first.to_json()

        sink.finished(_failed("api_error", 500, 500))

        assert first.to_json() == before
        assert sink.snapshot().calls == 2

    def test_the_default_clock_is_utc(self) -> None:
        """Without a clock of its own the sink tells the time in UTC."""
        report = ReportSink().snapshot()

        assert [report.started_at.tzinfo, report.ended_at.tzinfo] == [timezone.utc, timezone.utc]


class TestRows:
    """Which calls share a row."""

    def test_by_operation_model_and_workflow(self) -> None:
        """Each combination has its row: chat first, then by calls; other operations never mix with chat."""
        report = _report(
            *[make_record(operation="count_tokens", duration=0.05) for _ in range(9)],
            make_record(operation="models.list", request_model=None, response_model=None, workflow=None),
            make_record(workflow=None),
            make_record(),
            make_record(),
            make_record(request_model="claude-haiku-5-5", response_model="claude-haiku-5-5"),
        )

        assert [(row.operation, row.model, row.workflow, row.calls) for row in report.rows] == [
            ("chat", "claude-opus-5-5", "summarise", 2),
            ("chat", "claude-haiku-5-5", "summarise", 1),
            ("chat", "claude-opus-5-5", None, 1),
            ("count_tokens", "claude-opus-5-5", "summarise", 9),
            ("models.list", None, None, 1),
        ]
        assert report.chat_duration is not None
        assert report.chat_duration.p50 == pytest.approx(4.0, rel=0.01)

    def test_failures_join_the_model_that_answers(self) -> None:
        """A call that failed knows only the alias it asked for, and is counted with the alias' model."""
        answered = make_record(request_model="opus-latest", response_model="claude-opus-5-5")

        report = _report(
            _failed("api_error", 500, request_model="opus-latest", duration=2.0),
            answered,
            _failed("api_error", 500, request_model="opus-latest", duration=8.0),
            _failed("not_found_error", 404, request_model="claude-opsu"),
        )

        assert [(row.model, row.calls, row.errors) for row in report.rows] == [
            ("claude-opus-5-5", 3, 2),
            ("claude-opsu", 1, 1),
        ]
        assert _off(report.rows[0].duration, [2.0, 4.0, 8.0]) < 0.01

    def test_a_name_that_answers_keeps_its_row(self) -> None:
        """A model that answers under the name that was asked for stays there, even if the name moves later."""
        report = _report(
            make_record(request_model="opus", response_model="opus"),
            make_record(request_model="opus", response_model="claude-opus-5-5"),
        )

        assert {row.model: row.calls for row in report.rows} == {"opus": 1, "claude-opus-5-5": 1}

    def test_a_response_without_a_request_model(self) -> None:
        """A model that only the response names is the row's model."""
        report = _report(make_record(request_model=None))

        assert [row.model for row in report.rows] == ["claude-opus-5-5"]

    def test_groups_are_capped(self) -> None:
        """Beyond the cap, calls are counted under `other` of their operation, and none is lost."""
        sink = ReportSink(20)
        for i in range(2_500):
            sink.finished(make_record(workflow=f"user-{i}"))
            sink.finished(make_record(operation="count_tokens", request_model=f"m-{i}", response_model=None))

        report = sink.snapshot()

        assert len(report.rows) == 22
        assert report.calls == sum(row.calls for row in report.rows) == 5_000
        assert {row.operation: row.calls for row in report.rows if row.model == row.workflow == "other"} == {
            "chat": 2_490,
            "count_tokens": 2_490,
        }

    def test_groups_are_capped_for_any_operation(self) -> None:
        """Operations without end are bounded too, at twice the cap and one."""
        report = _report(*[make_record(operation=f"op-{i}") for i in range(100)], max_groups=5)

        assert len(report.rows) == 11
        assert max(row.calls for row in report.rows if row.operation == "other") == 90

    def test_names_from_the_server_are_capped(self) -> None:
        """Endless finish reasons, kinds and tools end in `other`, and the counts still add up."""
        report = _report(
            *[
                make_record(
                    finish_reason=f"reason-{i}",
                    outcome="error",
                    error_type=f"kind-{i}",
                    usage=Usage(server_tools={f"tool-{i}": 2}),
                )
                for i in range(150)
            ]
        )

        assert [len(n) for n in (report.finish_reasons, report.errors, report.server_tools)] == [101, 101, 101]
        assert [n["other"] for n in (report.finish_reasons, report.errors, report.server_tools)] == [50, 50, 100]

    def test_at_least_one_group(self) -> None:
        """A cap below 1 is refused by its value."""
        with pytest.raises(ValueError, match="max_groups=0: expected a whole number of at least 1"):
            ReportSink(0)


_seconds = st.floats(-3.0, 3.0).map(lambda x: math.exp(1.0 + 1.5 * x))


class TestAccuracy:
    """Percentiles are within 1 % of the nearest rank."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(_seconds, min_size=1, max_size=200))
    def test_of_a_row(self, durations: list[float]) -> None:
        """A row's percentiles are those of its calls."""
        report = _report(*[make_record(duration=d, time_to_first_chunk=d / 7) for d in durations])

        assert _off(report.rows[0].duration, durations) < 0.01 + 1e-9
        assert _off(report.rows[0].time_to_first_chunk, [d / 7 for d in durations]) < 0.01 + 1e-9

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(_seconds, st.sampled_from("abc")), min_size=1, max_size=200))
    def test_of_all_rows(self, calls: list[tuple[float, str]]) -> None:
        """The percentiles over all chat calls are those of the calls, and not of the rows."""
        report = _report(*[make_record(duration=d, workflow=workflow) for d, workflow in calls])

        assert _off(report.chat_duration, [d for d, _ in calls]) < 0.01 + 1e-9

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.floats(1e-12, 1e6), min_size=1, max_size=99))
    def test_of_what_is_wider_than_the_sketch(self, durations: list[float]) -> None:
        """Times wider apart than the bins reach lose accuracy at the bottom and not at the top."""
        report = _report(*[make_record(duration=d) for d in durations])

        slowest = max(durations)
        got = report.rows[0].duration
        assert got.p99 == pytest.approx(slowest, rel=0.0101)
        assert got.p50 <= got.p90 <= got.p95 <= got.p99 <= slowest * 1.0101

    def test_p99_of_two_calls_is_the_slower(self) -> None:
        """The nearest rank of two calls: the median is the faster, everything above it the slower."""
        report = _report(make_record(duration=1.0), make_record(duration=60.0))

        duration = report.rows[0].duration
        measured = [duration.p50, duration.p90, duration.p95, duration.p99]
        assert measured == pytest.approx([1, 60, 60, 60], rel=0.01)

    def test_a_call_that_took_no_time(self) -> None:
        """A duration of 0, as a coarse clock measures it, is 0."""
        assert _report(make_record(duration=0.0)).rows[0].duration == Percentiles(0.0, 0.0, 0.0, 0.0)

    def test_a_time_that_cannot_be(self) -> None:
        """An infinite duration raises to the probe, with everything else of the call counted and no row broken."""
        sink = ReportSink()

        with pytest.raises(OverflowError):
            sink.finished(make_record(duration=math.inf))

        report = sink.snapshot()
        assert report.rows == ()
        assert (report.calls, report.attempts_by_status) == (1, {"200": 1, "429": 1})
        assert "$0.012" in _drawn(report)


class TestThreads:
    """The sink among threads and forks."""

    def test_no_call_is_lost(self) -> None:
        """Calls of many threads all arrive, with snapshots taken in between."""
        sink = ReportSink()

        def calls() -> None:
            for _ in range(500):
                sink.finished(make_record())

        threads = [threading.Thread(target=calls) for _ in range(8)]
        for thread in threads:
            thread.start()
        partial = [sink.snapshot().calls for _ in range(20)]
        for thread in threads:
            thread.join()

        report = sink.snapshot()
        assert partial == sorted(partial)
        assert (report.calls, report.cost_usd, report.attempts_by_status) == (
            4_000,
            Decimal(50),
            {"200": 4_000, "429": 4_000},
        )

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
    def test_a_forked_child_starts_over(self) -> None:
        """A fork while another thread holds the lock leaves the child with a free one and no calls."""
        sink = ReportSink()
        sink.finished(make_record())
        with sink._tally.lock, warnings.catch_warnings():  # pyright: ignore[reportPrivateUsage]
            warnings.simplefilter("ignore", DeprecationWarning)  # other tests' threads may be alive
            child = os.fork()
            if not child:  # pragma: no cover - the child's coverage dies with it
                free = sink._tally.lock.acquire(blocking=False)  # pyright: ignore[reportPrivateUsage]
                os._exit(0 if free else 1)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        assert sink.snapshot().calls == 1


_ROW_KEYS = """
    cache_hit_ratio calls cost_usd duration errors model operation time_to_first_chunk tokens unpriced_calls workflow
"""
_KEYS = """
    attempts_by_status cache_hit_ratio calls chat_duration chat_time_to_first_chunk cost_usd ended_at errors
    finish_reasons outcomes rate_limits retries retry_delay_seconds rows server_tools started_at tokens
    unpriced_calls
"""


class TestJson:
    """The JSON that scripts read."""

    def test_keys(self) -> None:
        """The keys of every level: a change here breaks who reads them."""
        data = _report(make_record()).to_dict()

        assert list(data) == _KEYS.split()
        assert list(data["rows"][0]) == _ROW_KEYS.split()
        assert list(data["chat_duration"]) == list(data["rows"][0]["duration"]) == ["p50", "p90", "p95", "p99"]
        assert list(data["outcomes"]) == ["abandoned", "cancelled", "error", "ok"]
        assert list(data["rate_limits"]["requests"]) == ["headroom", "limit", "remaining", "reset"]
        assert list(data["tokens"]) == [
            "cache_read",
            "cache_write_1h",
            "cache_write_5m",
            "input",
            "output",
            "reasoning",
        ]

    def test_values(self) -> None:
        """Money is text in plain digits, a moment is ISO 8601, None is null."""
        data = _report(make_record(cost_usd=Decimal("1E-7"), workflow=None)).to_dict()

        assert data["cost_usd"] == data["rows"][0]["cost_usd"] == "0.0000001"
        assert data["started_at"] == "2026-11-21T12:00:00+00:00"
        assert data["rows"][0]["workflow"] is None

    def test_round_trip(self) -> None:
        """What is written is what `to_dict` says, indented or on one line."""
        report = _report(make_record(), _failed("api_error", 500))

        assert json.loads(report.to_json()) == report.to_dict()
        assert json.loads(report.to_json(indent=None)) == report.to_dict()
        assert len(report.to_json(indent=None).splitlines()) == 1

    def test_order_does_not_depend_on_the_calls(self) -> None:
        """The same calls in another order give the same text."""
        records = [
            make_record(finish_reason="tool_use"),
            _failed("overloaded_error", 529, 529),
            _failed("api_error", 500, 500),
            make_record(workflow="a"),
        ]

        assert _report(*records).to_json() == _report(*reversed(records)).to_json()


class TestNumbers:
    """How numbers are written for people."""

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [
            (None, "-"),
            (0.0, "0.0 ms"),
            (0.0084, "8.4 ms"),
            (0.00996, "10 ms"),
            (0.845, "845 ms"),
            (0.9996, "1.00 s"),
            (8.214, "8.21 s"),
            (9.996, "10.0 s"),
            (82.14, "82.1 s"),
            (99.96, "1m 40s"),
            (132.4, "2m 12s"),
            (3599.6, "1h 0m"),
            (4000_000.0, "1,111h 6m"),
        ],
    )
    def test_seconds(self, seconds: float | None, expected: str) -> None:
        """A time has three digits or so, in the unit a person would choose."""
        assert format_seconds(seconds) == expected

    @pytest.mark.parametrize(
        ("usd", "expected"),
        [
            ("0", "$0.00"),
            ("0E-9", "$0.00"),
            ("0.00042", "$0.00042"),
            ("0.012345", "$0.012"),
            ("0.25", "$0.25"),
            ("0.999", "$1.00"),
            ("3.4156", "$3.42"),
            ("12345.678", "$12,345.68"),
        ],
    )
    def test_usd(self, usd: str, expected: str) -> None:
        """Money has cents, and two digits that mean something where it is less."""
        assert format_usd(Decimal(usd)) == expected

    @pytest.mark.parametrize(
        ("share", "expected"),
        [
            (None, "-"),
            (0.0, "0%"),
            (0.0001, "<0.1%"),
            (0.019, "1.9%"),
            (0.9994, "99.9%"),
            (0.9999, ">99.9%"),
            (1.0, "100%"),
            (1.5, "150.0%"),
        ],
    )
    def test_share(self, share: float | None, expected: str) -> None:
        """A share is never rounded to nothing or to all."""
        assert format_ratio(share) == expected

    def test_count(self) -> None:
        """Counts have thousands separators, and a missing one is a dash."""
        assert [format_count(12345678), format_count(None)] == ["12,345,678", "-"]


def _busy() -> Report:
    """A report with something in every table."""
    unpriced = make_record(workflow="triage-inbox", cost_usd=None)
    return _report(
        *[make_record(usage=Usage(1_234_567, 234_567, 900_000), cost_usd=Decimal("6.15"))] * 97,
        make_record(request_model="claude-haiku-5-5", response_model="claude-haiku-5-5", workflow=None),
        unpriced,
        make_record(workflow="triage-inbox"),
        _failed("spend_limit_error", 429),
        *[_failed("overloaded_error", 529, 529, None)] * 2,
        make_record(operation="count_tokens", time_to_first_chunk=None, usage=None, cost_usd=None),
        make_record(operation="models.list", request_model=None, response_model=None, usage=None),
        make_record(rate_limits={"tokens": RateLimit(400_000, 100_000), "input_tokens": RateLimit(None, 7)}),
        make_record(rate_limits={"output_tokens": RateLimit(80_000, 1_000)}, outcome="abandoned"),
    )


class TestDrawing:
    """The report on a terminal."""

    def test_empty(self) -> None:
        """Without calls there is one line of help and no table."""
        drawn = " ".join(_drawn(_report()).split())

        assert drawn.startswith("claudescope: no call to the Claude API has ended so far.")

    @pytest.mark.parametrize("width", [80, 100, 120, 200])
    def test_nothing_is_cut(self, width: int) -> None:
        """At every usual width each line fits, and each name, number and advice is there in full."""
        drawn = _drawn(_busy(), width)

        assert max(len(line) for line in drawn.splitlines()) <= width
        assert "\u2026" not in drawn
        for text in (
            *("2026-11-21 12:00:00 UTC, 60.0 s", "claude-opus-5-5", "claude-haiku-5-5", "summarise", "triage-inbox"),
            *("119,754,999", "22,753,399", "72.9%", "$596.58", "$0.012 + ?", "$596.60 + ?", "4.01 s", "502 ms"),
            *("count_tokens", "models.list", "spend_limit_error", "overloaded_error", "account", "provider"),
            *("end_turn", "web_search", "abandoned", "none", "529", "rate_limit_error"),
            *("100,000 of 400,000", "1,000 of 80,000", "7 of -", "cache reads", "1 h writes", "87,303,000"),
        ):
            assert text in drawn
        words = " ".join(re.sub(r"[^\w ,:;.]", " ", drawn).split())
        for part in ("Raise it", "which workload", "status.claude.com", "another"):
            assert part in words

    def test_wide_is_one_table_and_narrow_two(self) -> None:
        """Times and usage share a table where they fit, and have one each where they don't."""
        assert [_drawn(_busy(), width).count("triage-inbox") for width in (140, 80)] == [1, 2]

    def test_order_of_the_parts(self) -> None:
        """Headline, chat, other operations, notes, errors, then the small tables."""
        drawn = _drawn(_busy(), 140)

        landmarks = [
            "claudescope",
            "workflow",
            "operation",
            "No price is known for the usage of 1 call:",
            "what to do",
            "Outcomes",
            "Retries, 2m 12s waited",
        ]
        found = [drawn.find(landmark) for landmark in landmarks]
        assert found == sorted(found)
        assert -1 not in found

    def test_a_good_day(self) -> None:
        """Where nothing went wrong there are no tables of errors, endings or retries."""
        drawn = _drawn(
            _report(
                make_record(
                    attempts=(Attempt(status_code=200),),
                    workflow=None,
                    usage=Usage(10, 5),
                    rate_limits={},
                    finish_reason=None,
                    time_to_first_chunk=None,
                )
            )
        )

        for absent in ("Errors", "Outcomes", "Retries", "retries", "workflow", "1st token", "Rate", "Finish", "?"):
            assert absent not in drawn
        assert "HTTP attempts" in drawn

    def test_next_to_nothing(self) -> None:
        """A call of which nothing but its time is known has a headline and a row."""
        record = make_record(attempts=(), usage=None, cost_usd=None, finish_reason=None, rate_limits={})

        drawn = _drawn(_report(record))

        assert "claude-opus-5-5" in drawn.splitlines()[-1]

    def test_only_calls_without_a_model_or_an_attempt(self) -> None:
        """Operations other than chat have no p95 in the headline, and no columns of tokens and cost."""
        drawn = _drawn(
            _report(_failed("pool_timeout_error", operation="models.list", request_model=None, workflow=None))
        )

        assert "models.list" in drawn
        assert "tokens" not in drawn
        assert "HTTP attempts" not in drawn
        assert drawn.count("p95") == 1

    def test_a_row_without_any_price(self) -> None:
        """A row of which nothing has a price shows no amount at all."""
        drawn = _drawn(_report(make_record(cost_usd=None)))

        assert re.search(r"60\.0% +\?\s*$", drawn, re.MULTILINE)

    def test_many_rows(self) -> None:
        """The rows with the most calls are drawn, and the number of the others is told."""
        drawn = _drawn(_report(*[make_record(workflow=f"w{i:02}") for i in range(MAX_ROWS + 5)]))

        assert "Not shown: 5 rows with fewer calls. The JSON has all." in drawn
        assert f"w{MAX_ROWS - 1}" in drawn
        assert f"w{MAX_ROWS} " not in drawn

    def test_an_unknown_kind(self) -> None:
        """A kind that the table of kinds doesn't have is drawn without advice."""
        drawn = _drawn(_report(_failed("other", 500)))

        assert re.search(r"other +1 +100% +- +-", drawn)

    def test_long_names_are_folded(self) -> None:
        """A name wider than the terminal goes on in the next line, and no number is cut."""
        drawn = _drawn(_report(make_record(workflow="\u00fc" * 130)), 80)

        assert drawn.count("\u00fc") == 2 * 130  # once with the times, once with the usage
        assert drawn.count("claude-opus-5-5") == 2
        assert max(len(line) for line in drawn.splitlines()) <= 80
        for text in ("4.01 s", "502 ms", "1,000", "60.0%", "$0.012"):
            assert text in drawn

    def test_names_are_only_text(self) -> None:
        """Markup, escape sequences and line breaks in a name are drawn, and do nothing."""
        drawn = _drawn(_report(make_record(workflow="[red]a\x1b[2Jb\nc")))

        assert "[red]a?[2Jb?c" in drawn

    def test_ascii(self) -> None:
        """A terminal of ASCII only gets ASCII only, bars and names included."""
        drawn = _drawn(_report(make_record(workflow="r\u00e9sum\u00e9")), encoding="ascii")

        assert "r?sum?" in drawn
        assert "####" in drawn

    def test_colour_adds_nothing_but_colour(self) -> None:
        """With colour the text is the same, and NO_COLOR leaves no colour."""
        coloured = _drawn(_busy(), color=True)

        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == _drawn(_busy())

    def test_no_color(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """NO_COLOR is heard, and what is red with colour is a number without."""
        monkeypatch.setenv("NO_COLOR", "1")

        drawn = _drawn(_busy(), color=True)

        assert re.findall(r"\x1b\[(?:\d+;)*(?:3[1-6]|9[1-6]|38)[;m]", drawn) == []

    def test_standard_output_is_the_default(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without a console the report goes to standard output."""
        _report(make_record()).print()

        assert "claude-opus-5-5" in capsys.readouterr().out

    def test_a_time_zone_of_another_clock(self) -> None:
        """The start is drawn with the name of its own zone."""
        zone = timezone(timedelta(hours=2), "CEST")

        assert "12:00:00 CEST" in _drawn(replace(_report(make_record()), started_at=_START.replace(tzinfo=zone)))

    def test_rich_is_imported_only_to_print(self) -> None:
        """Summing up and JSON leave rich alone: an app that never prints doesn't pay for it."""
        code = (
            "import sys; from claudescope.reporting.sink import ReportSink; ReportSink().snapshot().to_json(); "
            "print('rich' in sys.modules)"
        )

        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

        assert done.stdout == "False\n"
