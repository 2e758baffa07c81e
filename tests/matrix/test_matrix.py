"""Every surface, every ending: one record, one span, metrics that add up, and an app that notices nothing."""

# pyright: reportPrivateUsage=false
# the HTTP library and the delays are private to the SDK

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import _base_client
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind

import claudescope
from claudescope._internal import internal_errors
from claudescope.schema.record import CallRecord, Usage
from claudescope.testing import capture_calls
from tests.matrix.driver import Backend, run
from tests.matrix.surfaces import SURFACES
from tests.matrix.table import LATEST, VERSIONS, Cell, cells
from tests.matrix.view import make_client, script, see
from tests.scripted import REQUEST, ScriptedAPI

_TRACES = hasattr(_base_client.BaseClient, "_tracer")
_VERSION = anthropic.__version__ if anthropic.__version__ in VERSIONS else LATEST
_CELLS = cells(_VERSION)
_NOBODY = Resource.get_empty()
_USAGES = {"all": Usage(110, 20, 100), "started": Usage(110, 1, 100), "nothing": None, "unsaid": None}
_COSTS = {"all": Decimal("0.00046"), "started": Decimal("0.00008"), "nothing": None, "unsaid": None}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """Retries that no header delays come at once, and the environment holds nothing for the clients."""
    monkeypatch.setattr(_base_client, "INITIAL_RETRY_DELAY", 0.0001)
    for name in ("AWS_REGION", "AWS_PROFILE", "ANTHROPIC_OPEN_TELEMETRY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    before = internal_errors.counts()
    gc.disable()  # or a collection in the middle makes a dropped stream too old for the one that frees it
    yield
    gc.enable()
    assert internal_errors.counts() == before


_POLICY = """\
version: 1
breaker: null
defaults: {deadline: null, retry_budget: null, throttle: []}
error_types:
  rate_limit_error: {base: 1ms, cap: 120s, jitter: 0s}
  overloaded_error: {base: 1ms, cap: 120s, jitter: 0s}
  api_error: {base: 1ms, cap: 120s, jitter: 0s}
  connection_error: {base: 1ms}
  timeout_error: {base: 1ms, cap: 120s, jitter: 0s}
  client_timeout_error: {base: 1ms}
  stream_interrupted_error: {base: 1ms}
"""
"""Retries as the SDK makes them, and as quick, so that every cell ends as it does without a policy."""


@pytest.fixture(autouse=True)
def _policy(tmp_path: Path) -> Generator[None, None, None]:
    """With `CLAUDESCOPE_MATRIX_POLICY` set, every cell runs under a policy."""
    if "CLAUDESCOPE_MATRIX_POLICY" in os.environ:
        path = tmp_path / "policy.yaml"
        path.write_text(_POLICY)
        claudescope.protect(path)
        yield
        claudescope.unprotect()
    else:
        yield


class _Telemetry:
    """The providers of one cell."""

    def __init__(self, cell: Cell) -> None:
        self._setting = cell.setting
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self._meters = MeterProvider(metric_readers=[self._reader], resource=_NOBODY, shutdown_on_exit=False)
        sampler = ALWAYS_OFF if cell.setting == "sampled out" else ALWAYS_ON
        self._tracers = TracerProvider(sampler=sampler, resource=_NOBODY, shutdown_on_exit=False)
        self._tracers.add_span_processor(SimpleSpanProcessor(self._spans))

    def client_options(self) -> dict[str, Any]:
        """What the client is told of tracing, where its SDK has any."""
        if not _TRACES or self._setting == "absent":
            return {}
        return {"open_telemetry": False if self._setting == "off" else {"tracer_provider": self._tracers}}

    def instrument(self) -> None:
        """Switch claudescope on."""
        claudescope.instrument(
            meter_provider=self._meters,
            tracer_provider=None if self._setting == "absent" else self._tracers,
            spans="off" if self._setting == "off" else "auto",
        )

    def spans(self) -> list[Any]:
        """The spans that have ended."""
        return list(self._spans.get_finished_spans())

    def sums(self) -> dict[str, float]:
        """By metric: its sum, or how often it was recorded, and both for tokens."""
        data = self._reader.get_metrics_data()
        sums: dict[str, float] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        name = metric.name
                        sums[name] = sums.get(name, 0) + getattr(point, "count", getattr(point, "value", 0))
                        if name == "gen_ai.client.token.usage":
                            kind = str((point.attributes or {})["gen_ai.token.type"])
                            sums[kind] = sums.get(kind, 0) + getattr(point, "sum", 0)
        return sums


@pytest.mark.parametrize("cell", _CELLS, ids=[cell.name for cell in _CELLS])
# trio warns of the SDK's own generators where an app leaves an async stream unread, with and without claudescope.
@pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
# The beta's `parse` warns of its own parameter in some versions.
@pytest.mark.filterwarnings("ignore:The 'output_format' parameter:DeprecationWarning")
def test_cell(cell: Cell) -> None:
    """The app sees what it sees without claudescope; one record, one span and the metrics tell how the call ended."""
    with warnings.catch_warnings(record=False):
        without = see(cell, _Telemetry(cell).client_options())
    telemetry = _Telemetry(cell)
    options = telemetry.client_options()
    api = script(cell)
    client = make_client(cell, api, options) if cell.setting == "made before" else None
    telemetry.instrument()
    if cell.setting == "switched twice":
        claudescope.uninstrument()
        telemetry.instrument()
    with capture_calls() as calls:
        seen = see(cell, options, client, api)
        del client
    assert seen == without
    (record,) = calls
    _check_record(cell, record)
    _check_span(cell, record, telemetry.spans())
    _check_metrics(record, telemetry.sums())


def _never_entered(client: Any) -> None:
    """Ask for what sends its request only once it is entered, where the SDK has it so."""
    for messages in (client.messages, client.beta.messages):
        messages.stream(**REQUEST)
        messages.with_streaming_response.create(**REQUEST)


@pytest.mark.parametrize("backend", ["sync", "asyncio", "trio"])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_block_that_is_never_entered(backend: Backend) -> None:
    """Nothing is sent, so there is no call: no record, no span, and nothing in flight."""
    cell = next(cell for cell in _CELLS if cell.backend == backend)
    telemetry = _Telemetry(cell)
    telemetry.instrument()
    api = ScriptedAPI()

    async def use() -> None:
        _never_entered(make_client(cell, api, telemetry.client_options()))

    with capture_calls() as calls:
        run(backend, use, [])
        gc.collect()
    assert (calls, telemetry.spans(), api.requests) == ([], [], [])
    assert telemetry.sums().get("claude.client.active_calls", 0) == 0


def _check_record(cell: Cell, record: CallRecord) -> None:
    ending, surface, platform = cell.ending, cell.surface, cell.platform
    usage = ending.usage if surface.is_chat else "nothing"
    assert (record.outcome, record.error_type) == (ending.outcome, ending.kind)
    assert tuple((attempt.status_code, attempt.error_type) for attempt in record.attempts) == ending.attempts
    assert record.usage == _USAGES[usage]
    cost = _COSTS[usage]
    assert record.cost_usd == (None if cost is None else cost * platform.premium)
    assert (record.operation, record.stream) == (surface.operation, surface.streams)
    assert (record.provider, record.server_address) == (platform.provider, platform.server)
    assert record.response_model == (None if usage == "nothing" else "claude-opus-5-5")


def _check_span(cell: Cell, record: CallRecord, spans: list[Any]) -> None:
    if cell.setting in {"sampled out", "off", "absent"}:
        assert spans == []
        return
    (span,) = (
        span for span in spans if span.kind is SpanKind.CLIENT
    )  # the SDK has others around a tool runner's turns
    assert span.end_time is not None
    assert span.attributes["claude.outcome"] == record.outcome
    assert span.attributes.get("claude.error_type") == record.error_type
    cost = None if record.cost_usd is None else float(record.cost_usd)
    assert span.attributes.get("claude.cost.usd") == cost
    assert (record.span_id, record.trace_id) == (f"{span.context.span_id:016x}", f"{span.context.trace_id:032x}")


def _check_metrics(record: CallRecord, sums: dict[str, float]) -> None:
    assert sums["gen_ai.client.operation.duration"] == 1
    assert sums["claude.client.active_calls"] == 0
    usage = record.usage
    assert sums.get("input") == (None if usage is None else usage.input_tokens)
    assert sums.get("output") == (None if usage is None else usage.output_tokens)
    cost = None if record.cost_usd is None else float(record.cost_usd)
    assert sums.get("claude.client.cost.usd") == cost
    assert sums.get("claude.client.retries", 0) == len(record.attempts[:-1])
    assert sums.get("claude.client.responses", 0) == (record.finish_reason is not None)


@pytest.mark.parametrize("surface", SURFACES, ids=[surface.name for surface in SURFACES])
def test_the_table_is_right_about_what_the_sdk_has(surface: Any) -> None:
    """A surface is in the table of this SDK where the SDK has it, and only there."""
    client = anthropic.Anthropic(api_key="key")
    found: Any = client
    for name in surface.attribute.split(".") if surface.attribute else ():
        found = getattr(found, name, None)
    declared = any(cell.surface is surface for cell in _CELLS)
    assert (found is not None) == declared
    client.close()
