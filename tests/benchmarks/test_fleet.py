"""What the benchmark of a fleet writes and asks: whole samples, and raw expressions for recorded series."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

import promql_parser
import pytest
from benchmarks.fleet.app import Series
from benchmarks.fleet.recorded import Inliner, Recorded, past_of, recordings_of, spans_of
from benchmarks.fleet.remote_write import Growth, blocks_of, framed
from benchmarks.fleet.store import of_each
from benchmarks.fleet.timing import inlined_rules

from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import queries_of
from tests.alerts.conftest import default_build
from tests.dashboards.conftest import default_boards

_RULES = {name: text for name, text in default_build().items() if name.startswith("rules/")}
_OWN = {"service": "claude"}


@pytest.fixture
def inliner() -> Inliner:
    """Two objectives, and what is built on them."""
    return Inliner([
        Recorded("claude_slo:events:rate5m", "sum(rate(calls[5m]))", {"slo": "a"}),
        Recorded("claude_slo:events:rate5m", "sum(rate(streams[5m]))", {"slo": "b"}),
        Recorded("claude_slo:events:rate2h", "sum(claude_slo:events:rate1h offset 1h)", {"slo": "a"}),
        Recorded("claude_slo:ratio", 'sum(bad) / claude_slo:events:rate5m{slo="a"}', {"slo": "a"}),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("expr", "raw"),
    [
        (
            'claude_slo:events:rate5m{slo="b"} > 1',
            '(label_replace(sum(rate(streams[5m])), "slo", "b", "", "")) > 1',
        ),
        (
            "claude_slo:events:rate5m",
            (
                '(label_replace(sum(rate(calls[5m])), "slo", "a", "", "") or '
                'label_replace(sum(rate(streams[5m])), "slo", "b", "", ""))'
            ),
        ),
        (
            "max(claude_slo:ratio)",
            (
                'max((label_replace(sum(bad) / (label_replace(sum(rate(calls[5m])), "slo", "a", "", "")), '
                '"slo", "a", "", "")))'
            ),
        ),
        (
            'sum_over_time(claude_slo:events:rate5m{slo="a"}[30d])',
            'sum_over_time((label_replace(sum(rate(calls[5m])), "slo", "a", "", ""))[30d:1m])',
        ),
        (
            'sum_over_time(claude_slo:events:rate5m{slo="a"}[1d:30m])',
            'sum_over_time((label_replace(sum(rate(calls[5m])), "slo", "a", "", ""))[1d:30m])',
        ),
        (
            'claude_slo:events:rate5m{slo="a"} offset 23h30m',
            'last_over_time((label_replace(sum(rate(calls[5m])), "slo", "a", "", ""))[1m:1m] offset 23h30m)',
        ),
        (
            'claude_slo:events:rate2h{slo="a"}',
            '(label_replace(sum(rate(calls[2h])), "slo", "a", "", ""))',
        ),
        ("sum(rate(calls[5m]))", "sum(rate(calls[5m]))"),
    ],
)
def test_the_raw_expression_stands_where_a_recorded_series_was(inliner: Inliner, expr: str, raw: str) -> None:
    """Each objective's own, several as one, rules on rules, over a window, at another time, and long windows whole."""
    assert inliner.inline(expr) == raw


def test_a_series_that_no_rule_records_is_no_raw_one(inliner: Inliner) -> None:
    """A misspelt name would otherwise cost nothing, and be quick."""
    with pytest.raises(ValueError, match="no rule records claude_slo:evnts"):
        inliner.inline("claude_slo:evnts:rate5m")


def test_no_panel_and_no_alert_is_left_with_a_recorded_series() -> None:
    """And all of it is PromQL."""
    inliner = Inliner(recordings_of(_RULES.values()))
    resolver = Resolver()
    panels = [resolver.resolve(expr) for dashboard in default_boards().values() for _, expr in queries_of(dashboard)]
    inlined = [inliner.inline(expr) for expr in panels]
    alone = inlined_rules(_RULES, inliner)
    assert any(inliner.reads_recorded(expr) for expr in panels)
    assert [expr for expr in inlined if inliner.reads_recorded(expr)] == []
    assert [text for text in alone.values() if inliner.reads_recorded(text) or "record:" in text] == []
    for expr in inlined:
        promql_parser.parse(expr)


def test_recorded_series_go_as_far_back_as_a_rule_looks() -> None:
    """The budget of 30 days, the hour of a week ago, and a day of what boards show."""
    spans = spans_of([
        'sum_over_time(claude_slo:events:rate5m{slo="a"}[30d])', "claude:p95:1h offset 167h30m", "claude:now",
    ])  # fmt: skip
    assert spans == {
        "claude_slo:events:rate5m": 30 * 86400 + 7200,
        "claude:p95:1h": 167 * 3600 + 1800 + 7200,
        "claude:now": 86400,
    }
    shapes = [({"__name__": "claude:now", "service": "claude", "model": "b"}, 2.0)]
    lines = "".join(past_of(shapes, {"claude:now": 120}, 7200)).splitlines()
    assert lines[0].startswith('claude:now{model="b",service="claude"} 2')
    assert [line.rsplit(" ", 1)[1] for line in lines[:-1]] == ["7080", "7140"]
    assert lines[-1] == "# EOF"


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protocol buffer: their numbers and their bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(message):
        key = varint()
        begin = at
        if key & 7 == 0:
            yield key >> 3, varint().to_bytes(8, "little")
            continue
        size = varint() if key & 7 == 2 else 8
        begin = at
        at += size
        yield key >> 3, message[begin:at]


def test_a_remote_write_has_every_sample_of_a_series() -> None:
    """Read back field by field: sorted labels, values that grow, times a minute apart."""
    series = Series("calls_total", (("model", "b"),), 5000, gauge=False, whole=True, kept=3600, group=0)
    growth, start = Growth.numbered(7), 1_800_000_000.0
    message = blocks_of([series], growth, start, 1_800_000_000, 1_800_000_600)
    [(_, one)] = _fields(message)
    parts = list(_fields(one))
    labels = [tuple(text.decode() for _, text in _fields(part)) for number, part in parts if number == 1]
    assert labels == [("__name__", "calls_total"), ("instance", "instance-0000"), ("job", "assistant"), ("model", "b")]
    samples = [dict(_fields(part)) for number, part in parts if number == 2]
    values = [struct.unpack("<d", sample[1])[0] for sample in samples]
    times = [int.from_bytes(sample[2], "little") for sample in samples]
    assert values == [growth.value(series, moment / 1000, start) for moment in times]
    assert values == sorted(values)
    assert values[0] < values[-1]
    assert all(value.is_integer() for value in values)
    assert [after - before for before, after in pairwise(times)] == [60_000] * 9
    assert framed(b"abc") == b"\x03\xfc\x02\x00\x00\x00abc"


def test_what_each_instance_has_recorded_is_written_as_often_as_it_is_evaluated() -> None:
    """The group's own interval; the labels of one instance are left to whom they are written for."""
    labels = {"__name__": "claude_each:p95", "instance": "app-1", "job": "app", "service": "claude"}
    rules = "groups: [{name: each, interval: 5m, rules: [{record: 'claude_each:p95', expr: '1'}]}]"
    across = ({"__name__": "claude_fleet:calls", "service": "claude"}, 2.0)
    [series] = of_each([(labels, 1.5), across], recordings_of([rules]))
    assert (series.name, series.labels, series.every) == ("claude_each:p95", (("service", "claude"),), 5)
    [(_, one)] = _fields(blocks_of([series], Growth.numbered(7), 1_800_000_000.0, 1_800_000_000, 1_800_003_600))
    samples = [dict(_fields(part)) for number, part in _fields(one) if number == 2]
    times = [int.from_bytes(sample[2], "little") for sample in samples]
    values = [struct.unpack("<d", sample[1])[0] for sample in samples]
    assert [after - before for before, after in pairwise(times)] == [300_000] * 11
    assert not any(value.is_integer() for value in values)
