"""The benchmark of a fleet: the samples it writes, and the raw expressions of recorded series."""

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
from tests.dashboards.conftest import default_dashboards

_RULES = {name: text for name, text in default_build().items() if name.startswith("rules/")}
_OWN = {"service": "claude"}


@pytest.fixture
def inliner() -> Inliner:
    """Two objectives, and rules that use their series."""
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
def test_recorded_series_are_replaced_by_raw_expressions(inliner: Inliner, expr: str, raw: str) -> None:
    """One objective, several objectives, rules on rules, a window, an offset, and long windows."""
    assert inliner.inline(expr) == raw


def test_an_unknown_recorded_series_is_an_error(inliner: Inliner) -> None:
    """A misspelt name would otherwise be measured as a fast query."""
    with pytest.raises(ValueError, match="no rule records claude_slo:evnts"):
        inliner.inline("claude_slo:evnts:rate5m")


def test_every_panel_and_alert_is_inlined() -> None:
    """No recorded series is left, and all results are PromQL."""
    inliner = Inliner(recordings_of(_RULES.values()))
    resolver = Resolver()
    panels = [
        resolver.resolve(expr) for dashboard in default_dashboards().values() for _, expr in queries_of(dashboard)
    ]
    inlined = [inliner.inline(expr) for expr in panels]
    alone = inlined_rules(_RULES, inliner)
    assert any(inliner.reads_recorded(expr) for expr in panels)
    assert [expr for expr in inlined if inliner.reads_recorded(expr)] == []
    assert [text for text in alone.values() if inliner.reads_recorded(text) or "record:" in text] == []
    for expr in inlined:
        promql_parser.parse(expr)


def test_recorded_series_cover_what_rules_look_back_at() -> None:
    """The budget of 30 days, the hour of a week ago, and the day that dashboards show."""
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
    """Decode a protocol buffer to field numbers and bytes."""
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
    """A decoded message has sorted labels, growing values, and times a minute apart."""
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


def test_series_per_instance_use_the_interval_of_their_group() -> None:
    """Samples have the interval of the rule group, and no labels of the instance."""
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
