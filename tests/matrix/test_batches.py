"""Results of message batches: what each cost, counted once however often they are read."""

# pyright: reportPrivateUsage=false
# what is kept is what one test is about

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest
from anthropic.resources.messages.batches import BatchesWithStreamingResponse
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import claudescope
from claudescope import probe
from claudescope._internal import internal_errors
from claudescope.probe import batches
from claudescope.probe.batches import SeenResults
from claudescope.reporting.sink import ReportSink
from claudescope.schema.record import BatchResult, CallRecord, Usage
from claudescope.sinks import Sink
from tests.matrix.driver import Backend, Entered, Items, run, value
from tests.matrix.surfaces import BATCH, json_answer
from tests.scripted import MESSAGE, Answer, ScriptedAPI

_ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "private"}}
_RESULTS: list[dict[str, Any]] = [
    {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}},
    {"custom_id": "b", "result": {"type": "errored", "error": _ERROR}},
    {"custom_id": "c", "result": {"type": "canceled"}},
    {"custom_id": "d", "result": {"type": "expired"}},
    {"custom_id": "e", "result": {"type": "succeeded", "message": {**MESSAGE, "id": "msg_2", "model": "unheard-of"}}},
]
_USAGE = Usage(110, 20, 100, service_tier="batch")


class _Capture(Sink):
    name: ClassVar[str] = "capture"

    def __init__(self) -> None:
        self.results: list[BatchResult] = []
        self.calls: list[CallRecord] = []

    def batch_result(self, result: BatchResult) -> None:
        self.results.append(result)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        self.calls.append(record)


@pytest.fixture(autouse=True)
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SEEN", SeenResults())


def _api(times: int, results: list[dict[str, Any]] | None = None) -> ScriptedAPI:
    lines = [json.dumps(result).encode() + b"\n" for result in (_RESULTS if results is None else results)]
    return ScriptedAPI(
        *[json_answer(BATCH), Answer(body=lines, headers={"content-type": "application/x-jsonl"})] * times
    )


def _read(backend: Backend, api: ScriptedAPI, path: str, limits: list[int | None]) -> list[Any]:
    client = api.client() if backend == "sync" else api.async_client()

    async def use() -> list[Any]:
        seen: list[Any] = []
        for limit in limits:
            resource = client.beta.messages.batches if path == "beta" else client.messages.batches
            items = Items(await value(resource.results("msgbatch_1")))
            for _ in range(100 if limit is None else limit):
                try:
                    seen.append(await items.__anext__())
                except StopAsyncIteration:
                    break
        return seen

    return [result.model_dump(warnings=False) for result in run(backend, use, [])]


@pytest.mark.parametrize("backend", ["sync", "asyncio"])
@pytest.mark.parametrize("path", ["stable", "beta"])
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
def test_each_result_counts_once(
    backend: Backend, path: str, meter_provider: MeterProvider, metric_reader: InMemoryMetricReader
) -> None:
    """Read in part, then whole, then again: the app gets all it gets without us, and each result is counted once."""
    limits: list[int | None] = [2, None, None]
    without = _read(backend, _api(3), path, limits)
    sink, report = _Capture(), ReportSink()
    claudescope.instrument(meter_provider=meter_provider, sinks=[sink, report])
    with claudescope.workflow("nightly"):
        assert _read(backend, _api(3), path, limits) == without
    gc.collect()
    probe.flush()
    assert [(r.outcome, r.error_type, r.usage, r.cost_usd, r.model) for r in sink.results] == [
        ("succeeded", None, _USAGE, Decimal("0.00023"), "claude-opus-5-5"),
        ("errored", "overloaded_error", None, None, None),
        ("canceled", None, None, None, None),
        ("expired", None, None, None, None),
        ("succeeded", None, _USAGE, None, "unheard-of"),
    ]
    assert {(r.workflow, r.provider, r.server_address) for r in sink.results} == {
        ("nightly", "anthropic", "api.anthropic.com")
    }
    assert sorted(call.outcome for call in sink.calls if call.operation == "batches.results") == [
        "abandoned",
        "ok",
        "ok",
    ]
    assert (report.snapshot().tokens.input, report.snapshot().cost_usd) == (220, Decimal("0.00023"))
    assert report.snapshot().unpriced_calls == 1
    data = metric_reader.get_metrics_data()
    assert data is not None
    counted = {
        metric.name: sum(getattr(point, "count", getattr(point, "value", 0)) for point in metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert counted["claude.client.batch.results"] == 5
    assert counted["claude.client.cost.usd"] == 0.00023
    assert counted["gen_ai.client.token.usage"] == 4
    assert "private" not in repr(sink.results)


async def _streamed(client: Any, method: str) -> Any:
    async with Entered(client.messages.batches.with_streaming_response.results("msgbatch_1")) as raw:
        got = await value(getattr(raw, method)())
        return got if isinstance(got, (bytes, str)) else [item async for item in Items(got)]


async def _raw(client: Any, method: str) -> Any:
    raw = await value(client.messages.batches.with_raw_response.results("msgbatch_1"))
    got = await value(getattr(raw, method)())
    return got if isinstance(got, (bytes, str)) else [item async for item in Items(got)]


async def _left(client: Any, method: str) -> Any:
    async with Entered(client.messages.batches.with_streaming_response.results("msgbatch_1")) as raw:
        return await Items(await value(getattr(raw, method)())).__anext__()


async def _wrapped(client: Any, method: str) -> Any:
    response = (await value(client.messages.batches.results("msgbatch_1"))).http_response
    if client.__class__.__name__.startswith("Async"):
        method = {"read": "aread", "iter_lines": "aiter_lines"}[method]
    got = await value(getattr(response, method)())
    return got if isinstance(got, bytes) else [item async for item in Items(got)]


_WAYS = [
    *((_wrapped, method) for method in ("read", "iter_lines")),
    *((_streamed, method) for method in ("read", "text", "iter_bytes", "iter_lines", "iter_text", "parse")),
    *((_raw, method) for method in ("read", "parse")),
]
if not hasattr(BatchesWithStreamingResponse(Mock()), "results"):
    del _WAYS[2:]  # the SDK learnt it later


@pytest.mark.parametrize("backend", ["sync", "asyncio"])
@pytest.mark.parametrize(("read", "method"), _WAYS, ids=[f"{way.__name__}.{method}" for way, method in _WAYS])
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
def test_bytes_and_lines_count_once(read: Callable[[Any, str], Any], method: str, backend: Backend) -> None:
    """However the app takes the results, raw or parsed, in part or whole, each of them is counted once."""

    def use(times: int) -> list[str]:
        api = _api(times)
        client = api.client() if backend == "sync" else api.async_client()

        async def all_of_it() -> list[str]:
            got = [await read(client, method)]
            if read is _streamed and method.startswith("iter_"):
                got.insert(0, await _left(client, method))
            return [repr(part) for part in (*got, await read(client, method))]

        return run(backend, all_of_it, [])  # type: ignore[no-any-return] # what `use` returns

    without = use(4)
    sink = _Capture()
    claudescope.instrument(sinks=[sink])
    before = internal_errors.counts()
    assert use(4) == without
    gc.collect()
    probe.flush()
    assert [(result.outcome, result.usage) for result in sink.results] == [
        ("succeeded", _USAGE),
        *((outcome, None) for outcome in ("errored", "canceled", "expired")),
        ("succeeded", _USAGE),
    ]
    ended = Counter(call.outcome for call in sink.calls if call.operation == "batches.results")
    assert ended == {"ok": 2, "abandoned": 1} if len(without) == 3 else {"ok": 2}
    assert internal_errors.counts() == before


def test_results_that_are_cut() -> None:
    """A line that was cut is the API's fault and the app's to see, in whatever way it reads; what came is counted."""
    whole = [json.dumps(result).encode() + b"\n" for result in _RESULTS]
    cut = [Answer(body=[*whole[:2], whole[4][:40]], headers={"content-type": "application/x-jsonl"})]
    sink = _Capture()
    claudescope.instrument(sinks=[sink])
    with pytest.raises(json.JSONDecodeError):
        _read("sync", ScriptedAPI(json_answer(BATCH), *cut), "stable", [None])
    client = ScriptedAPI(json_answer(BATCH), *cut).client()
    client.messages.batches.results("msgbatch_1").http_response.read()
    assert [result.outcome for result in sink.results] == ["succeeded", "errored"]
    ended = [call for call in sink.calls if call.operation == "batches.results"]
    assert [(call.outcome, call.error_type) for call in ended] == [("error", "response_validation_error"), ("ok", None)]


def test_results_that_make_no_sense() -> None:
    """Whatever a result holds, the app gets it, and nothing goes wrong."""
    odd: list[dict[str, Any]] = [
        {"custom_id": ["a"], "result": {"type": "succeeded", "message": MESSAGE}},
        {"custom_id": "b", "result": None},
        {"custom_id": "c", "result": {"type": "unheard_of"}},
        {"custom_id": "d", "result": {"type": "succeeded", "message": {"usage": "many"}}},
        {"custom_id": "e", "result": {"type": "errored", "error": 7}},
        {},
    ]
    without = _read("sync", _api(1, odd), "stable", [None])
    sink = _Capture()
    claudescope.instrument(sinks=[sink])
    assert _read("sync", _api(1, odd), "stable", [None]) == without
    assert [result.outcome for result in sink.results] == ["succeeded", "succeeded", "errored"]


def test_what_was_seen_is_bounded() -> None:
    """Beyond the bounds the batch not read for longest is forgotten, and a whole one costs no more than its id."""
    seen = SeenResults(max_batches=3, max_results=10)
    for number in range(1000):
        assert seen.add(f"batch_{number % 100}", number)
        assert len(seen._batches) <= 3
        assert seen._results <= 10
    assert seen.add("large", 1)
    for number in range(2, 50):
        seen.add("large", number)
    seen.complete("large")
    assert (seen.add("large", 1), seen._batches) == (False, {"large": None})
    assert seen._results == 0
