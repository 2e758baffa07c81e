"""What the API bills outside of the top level of `usage`, by region, and for the model that took over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

import anthropic
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import claudescope
from claudescope.lifecycle import active_probe
from claudescope.probe import batches
from claudescope.probe.batches import SeenResults
from claudescope.reporting.sink import ReportSink
from claudescope.run.protocol import decode, encode
from claudescope.schema.record import BatchResult, CallRecord, ModelUsage, Usage
from claudescope.sinks import Sink
from claudescope.sinks.logs import fields_of
from claudescope.sinks.metrics import MetricsSink
from claudescope.testing import capture_calls
from tests.records import make_record
from tests.scripted import MESSAGE, REQUEST, Answer, ScriptedAPI, events, message, stream, traced

_ZERO = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def _entry(kind: str, input_: int, output: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "input_tokens": input_, "output_tokens": output, **_ZERO, **more}


def _usage(input_: int, output: int, *iterations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"input_tokens": input_, "output_tokens": output, **_ZERO, "iterations": list(iterations), **more}


# Prices by million tokens: opus-5-5 $4 in, $20 out, 0.20 read, 5 and 8 written; haiku-5-5 up to 100,000 tokens $0.10
# in, $0.50 out, 0.01 read, 0.125 and 0.20 written, five times that above; sonnet-5-5 $2 in, $10 out.
_CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str, Usage]], str]] = {
    "a compaction": (
        _usage(23_000, 1_000, _entry("compaction", 180_000, 3_500), _entry("message", 23_000, 1_000)),
        [("compaction", "claude-opus-5-5", Usage(180_000, 3_500))],
        "0.902",
    ),
    "two compactions, one of them cached": (
        _usage(
            1_000,
            100,
            _entry("compaction", 0, 1_000, cache_read_input_tokens=100_000),
            _entry("message", 400, 50),
            _entry("compaction", 1_000, 0, cache_creation_input_tokens=1_000),
            _entry("message", 600, 50),
        ),
        [
            ("compaction", "claude-opus-5-5", Usage(100_000, 1_000, 100_000)),
            ("compaction", "claude-opus-5-5", Usage(2_000, 0, 0, 1_000)),
        ],
        "0.055",  # 0.006 for the answer, 0.02 + 0.02, 0.004 + 0.005
    ),
    "an advisor of another model": (
        _usage(
            1_000,
            500,
            _entry("message", 1_000, 500),
            _entry(
                "advisor_message",
                10_000,
                2_000,
                model="claude-haiku-5-5",
                cache_creation_input_tokens=30_000,
                cache_read_input_tokens=20_000,
                cache_creation={"ephemeral_5m_input_tokens": 10_000, "ephemeral_1h_input_tokens": 20_000},
            ),
        ),
        [("advisor_message", "claude-haiku-5-5", Usage(60_000, 2_000, 20_000, 10_000, 20_000))],
        "0.02145",  # 0.014, and 0.001 + 0.001 + 0.0002 + 0.00125 + 0.004
    ),
    "an advisor above the tier of its model": (
        _usage(1_000, 500, _entry("advisor_message", 100_001, 0, model="claude-haiku-5-5")),
        [("advisor_message", "claude-haiku-5-5", Usage(100_001, 0))],
        "0.0640005",
    ),
    "fallback hops that declined": (
        _usage(
            1_000,
            500,
            _entry("message", 50_000, 10, model="claude-opus-5-5"),
            _entry("message", 60_000, 0, model="claude-sonnet-5-5"),
            _entry("fallback_message", 1_000, 500, model="claude-haiku-5-5"),
        ),
        [],
        "0.00035",  # of haiku, which served
    ),
    "in the US": (
        _usage(1_000, 500, _entry("compaction", 1_000, 0), inference_geo="us"),
        [("compaction", "claude-opus-5-5", Usage(1_000, 0, inference_geo="us"))],
        "0.0198",  # 1.1 times 0.014 + 0.004
    ),
}


def _plain(usage: dict[str, Any]) -> CallRecord:
    with capture_calls() as calls:
        ScriptedAPI(message(usage=usage)).client().beta.messages.create(**REQUEST)
    return calls[0]


def _with_usage(usage: dict[str, Any], inserted: list[dict[str, Any]]) -> Answer:
    body = events("a")
    body[1:1] = inserted
    body[0]["message"]["usage"] = {"input_tokens": usage["input_tokens"], "output_tokens": 1}
    body[-2]["usage"] = usage
    return stream(body)


def _streamed(usage: dict[str, Any], *inserted: dict[str, Any]) -> CallRecord:
    with (
        capture_calls() as calls,
        ScriptedAPI(_with_usage(usage, list(inserted))).client().beta.messages.stream(**REQUEST) as read,
    ):
        read.until_done()
    return calls[0]


def _bytes(usage: dict[str, Any], *inserted: dict[str, Any]) -> CallRecord:
    client = ScriptedAPI(_with_usage(usage, list(inserted))).client()
    with capture_calls() as calls, client.beta.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        raw.read()
    return calls[0]


_WAYS: list[Callable[[dict[str, Any]], CallRecord]] = [_plain, _streamed, _bytes]


@pytest.mark.parametrize("use", _WAYS)
@pytest.mark.parametrize("case", _CASES)
def test_billed_beside_the_top_level(case: str, use: Callable[[dict[str, Any]], CallRecord]) -> None:
    """Plain, streamed or as bytes: each iteration that the top level leaves out is billed at its own model."""
    usage, extra, cost = _CASES[case]
    record = use(usage)
    assert [(part.kind, part.model, part.usage) for part in record.extra_usage] == extra
    assert record.cost_usd == Decimal(cost)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (usage["input_tokens"], usage["output_tokens"])


class _Results(Sink):
    name: ClassVar[str] = "results"

    def __init__(self) -> None:
        self.results: list[BatchResult] = []

    def batch_result(self, result: BatchResult) -> None:
        self.results.append(result)


def _through(request: Any, call_next: Any) -> Any:
    return call_next(request)


def _batch_result(usage: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **options: Any) -> BatchResult:
    monkeypatch.setattr(batches, "SEEN", SeenResults())
    batch = {
        "id": "b1",
        "type": "message_batch",
        "results_url": "https://api.anthropic.com/v1/messages/batches/b1/results",
    }
    line = {"custom_id": "1", "result": {"type": "succeeded", "message": {**MESSAGE, "usage": usage}}}
    api = ScriptedAPI(
        Answer(body=json.dumps(batch).encode(), headers={"content-type": "application/json"}),
        Answer(body=json.dumps(line).encode() + b"\n", headers={"content-type": "application/x-jsonl"}),
    )
    claudescope.instrument()
    probe, sink = active_probe(), _Results()
    assert probe is not None
    probe.add(sink)
    list(api.client(**options).messages.batches.results("b1"))
    return sink.results[0]


@pytest.mark.parametrize("case", ["a compaction", "fallback hops that declined"])
@pytest.mark.parametrize("options", [{}, {"middleware": [_through]}], ids=["plain", "middleware"])
def test_batch_results(case: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The result of a batch has the same parts, at the batch's prices."""
    usage, extra, cost = _CASES[case]
    result = _batch_result(usage, monkeypatch, **options)
    assert [(part.kind, part.model, part.usage) for part in result.extra_usage] == [
        (kind, model, replace(part, service_tier="batch")) for kind, model, part in extra
    ]
    assert result.cost_usd == Decimal(cost) / 2


def test_a_loop_of_server_tools() -> None:
    """A price tier holds for each sampling: four of 40,000 tokens are not one above 100,000."""
    loop = _usage(160_000, 1_000, *[_entry("message", 40_000, 250)] * 4)
    with capture_calls() as calls:
        ScriptedAPI(message(model="claude-haiku-5-5", usage=loop)).client().beta.messages.create(**REQUEST)
    assert calls[0].cost_usd == Decimal("0.0165")
    assert calls[0].usage is not None
    assert calls[0].usage.iterations == (Usage(40_000, 250),) * 4


@pytest.mark.parametrize(
    "iterations",
    [
        [_entry("message", 40_000, 250)] * 3,
        [_entry("message", 40_000, 250), _entry("message", 120_000, 740)],
        "many",
        [7, None, {}, {"type": "message"}, {"type": ["x"], "input_tokens": 1}],
    ],
)
def test_iterations_that_do_not_add_up(iterations: Any) -> None:
    """What contradicts the top level, or is no list of iterations, is left out: the top level is billed as it is."""
    usage = {"input_tokens": 160_000, "output_tokens": 1_000, **_ZERO, "iterations": iterations}
    with capture_calls() as calls:
        ScriptedAPI(message(model="claude-haiku-5-5", usage=usage)).client().beta.messages.create(**REQUEST)
    assert (calls[0].cost_usd, calls[0].extra_usage) == (Decimal("0.0825"), ())
    assert calls[0].usage == Usage(160_000, 1_000)


def _fallback(model: str) -> dict[str, Any]:
    block = {"type": "fallback", "from": {"model": "claude-opus-5-5"}, "to": {"model": model}, "trigger": {}}
    return {"type": "content_block_start", "index": 0, "content_block": block}


@pytest.mark.parametrize("use", [_streamed, _bytes])
@pytest.mark.parametrize("hops", [["claude-haiku-5-5"], ["claude-sonnet-5-5", "claude-haiku-5-5"]])
def test_another_model_takes_over(hops: list[str], use: Callable[..., CallRecord]) -> None:
    """A `fallback` block in the middle of a stream names the model that answers, and that is billed."""
    record = use({"input_tokens": 1_000, "output_tokens": 500}, *map(_fallback, hops))
    assert (record.request_model, record.response_model) == ("claude-opus-5-5", "claude-haiku-5-5")
    assert record.cost_usd == Decimal("0.00035")


def test_a_model_that_takes_over_without_a_price() -> None:
    """It is not billed at the price of the model that declined."""
    body = events("a")
    body.insert(1, _fallback("unheard-of"))
    with capture_calls() as calls, ScriptedAPI(stream(body)).client().beta.messages.stream(**REQUEST) as read:
        read.until_done()
    assert (calls[0].response_model, calls[0].cost_usd, calls[0].usage is None) == ("unheard-of", None, False)


def test_an_advisor_without_a_price() -> None:
    """A part without a known price makes the call's cost unknown, and not too low."""
    usage = _usage(1_000, 500, _entry("advisor_message", 1_000, 1, model="unheard-of"))
    record = _plain(usage)
    assert record.cost_usd is None
    assert [part.cost_usd for part in record.extra_usage] == [None]


_ADVISED = _CASES["an advisor of another model"][0]
_EXTRA = (ModelUsage("advisor_message", "claude-haiku-5-5", Usage(60_000, 2_000, 20_000), Decimal("0.25")),)


def test_metrics_of_the_model_that_was_billed(
    meter_provider: MeterProvider, metric_reader: InMemoryMetricReader
) -> None:
    """Tokens and cost of an advisor are in the metrics of its own model, of calls and of batch results alike."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    record = make_record(cost_usd=Decimal("1.25"), extra_usage=_EXTRA)
    sink.finished(record)
    sink.batch_result(
        BatchResult(
            "anthropic", "claude-opus-5-5", "succeeded", None, Usage(7, 3), Decimal("0.75"), None, None, "h", _EXTRA
        )
    )
    data = metric_reader.get_metrics_data()
    assert data is not None
    found: dict[tuple[str, str, str], Any] = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        for point in metric.data.data_points:
            labels = point.attributes or {}
            key = (metric.name, str(labels.get("gen_ai.operation.name")), str(labels.get("gen_ai.response.model")))
            if labels.get("gen_ai.token.type") != "output":
                found[key] = getattr(point, "sum", None) if hasattr(point, "sum") else getattr(point, "value", None)
    for operation, own in (("chat", 1000), ("batches.results", 7)):
        tokens = "gen_ai.client.token.usage"
        assert found[tokens, operation, "claude-opus-5-5"] == own
        assert found[tokens, operation, "claude-haiku-5-5"] == 60_000
        assert found["claude.client.cost.usd", operation, "claude-haiku-5-5"] == 0.25
        reads = "gen_ai.client.inference.usage.cache_read.input_tokens"
        assert found[reads, operation, "claude-haiku-5-5"] == 20_000
    assert found["claude.client.cost.usd", "chat", "claude-opus-5-5"] == 1.0
    assert found["claude.client.cost.usd", "batches.results", "claude-opus-5-5"] == 0.5


def test_spans_logs_and_report(tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """The tokens beside the answer's own are on the span and in the log record; the report adds all of a call."""
    with capture_calls() as calls:
        ScriptedAPI(message(usage=_ADVISED)).client(**traced(tracer_provider)).beta.messages.create(**REQUEST)
    (span,) = spans.get_finished_spans()
    (record,) = calls
    fields = fields_of(record)
    for names in (span.attributes or {}, fields):
        assert names["claude.usage.extra.input_tokens"] == 60_000
        assert names["claude.usage.extra.output_tokens"] == 2_000
        assert names["claude.cost.usd"] == pytest.approx(0.02145)
    sink = ReportSink()
    sink.finished(record)
    report = sink.snapshot()
    assert (report.tokens.input, report.tokens.output, report.cost_usd) == (61_000, 2_500, Decimal("0.02145"))


def test_reports_of_a_child_process() -> None:
    """What a process reports to `claudescope run` arrives with every part of its usage."""
    usage = Usage(2, 2, inference_geo="us", iterations=(Usage(1, 1), Usage(1, 1)))
    unpriced = (*_EXTRA, ModelUsage("compaction", None, usage, None))
    for record in (make_record(usage=usage, extra_usage=unpriced), make_record(), make_record(usage=None)):
        assert decode(encode(record)) == record
    result = BatchResult("anthropic", "m", "succeeded", None, usage, None, None, None, "h", unpriced)
    assert decode(encode(result)) == result


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"cache_creation_input_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 30}},
            Usage(31, 1, 0, 0, 30),
        ),
        (
            {
                "cache_creation_input_tokens": 50,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 30},
            },
            Usage(51, 1, 0, 20, 30),
        ),
        (
            {"cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 30}},
            Usage(41, 1, 0, 10, 30),
        ),
        ({"output_tokens_details": {"thinking_tokens": 9}}, Usage(1, 9, reasoning_tokens=9)),
    ],
)
def test_a_breakdown_that_disagrees(usage: dict[str, Any], expected: Usage) -> None:
    """Where a breakdown and its total disagree, the larger counts."""
    assert _plain({"input_tokens": 1, "output_tokens": 1, **usage}).usage == expected


def _vertex(region: str, answer: Answer, **request: Any) -> CallRecord:
    client = ScriptedAPI(answer).client(anthropic.AnthropicVertex, region=region, project_id="p", access_token="token")
    with capture_calls() as calls:
        client.messages.create(**{**REQUEST, **request})
    return calls[0]


_THOUSAND = {"input_tokens": 1_000, "output_tokens": 500}


@pytest.mark.parametrize(
    ("region", "model", "cost"),
    [
        ("us-east5", "claude-sonnet-5-5", "0.0077"),
        ("europe-west1", "claude-haiku-4-5@20251001", "0.00385"),
        ("eu", "claude-opus-5-5", "0.0154"),  # a multi-region endpoint
        ("global", "claude-sonnet-5-5", "0.007"),
        ("us-east5", "claude-3-5-haiku@20241022", "0.0028"),  # before the premium
        ("us-east5", "claude-sonnet-4@20250514", "0.0105"),
    ],
)
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
def test_regions_of_vertex(region: str, model: str, cost: str) -> None:
    """An endpoint that keeps inference in a region costs 1.1 times as much, for Claude 4.5 and later."""
    record = _vertex(region, message(model=model, usage=_THOUSAND), model=model)
    assert record.cost_usd == Decimal(cost)
