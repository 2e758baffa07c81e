"""`opentelemetry-instrument`, OpenTelemetry's own way in."""

from __future__ import annotations

import sys

import pytest

from claudescope.instrumentor import ClaudescopeInstrumentor
from claudescope.lifecycle import active_probe
from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink
from tests.ways_in.conftest import APPS, Commands

pytestmark = pytest.mark.timeout(300)

_DURATION = "gen_ai.client.operation.duration"


def _run(commands: Commands, sink: OtlpSink, **variables: str) -> None:
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.http_url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "none",
        **variables,
    }
    commands.with_variables(**settings).run(
        "opentelemetry-instrument", sys.executable, APPS / "script.py", "plain", "3"
    )


def test_plain(commands: Commands, api: Simulator, sink: OtlpSink) -> None:
    """Metrics and enriched spans go where OpenTelemetry's own setup sends them."""
    _run(commands, sink)
    assert sink.total(_DURATION) == api.ledger().messages_billed == 3
    assert [sum(pair.key == "claude.outcome" for pair in span.attributes) for _, span in sink.spans] == [1, 1, 1]


def test_can_be_disabled(commands: Commands, sink: OtlpSink) -> None:
    """OTEL_PYTHON_DISABLED_INSTRUMENTATIONS keeps it off; the SDK's own spans go on."""
    _run(commands, sink, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="claudescope")
    assert sink.points(_DURATION) == []
    assert [sum(pair.key == "claude.outcome" for pair in span.attributes) for _, span in sink.spans] == [0, 0, 0]


def test_as_an_object() -> None:
    """It can be switched on and off in code, like every instrumentor, and says what it instruments."""
    instrumentor = ClaudescopeInstrumentor()
    assert instrumentor.instrumentation_dependencies() == ("anthropic >= 0.51, < 3",)
    instrumentor.instrument()
    assert active_probe() is not None
    instrumentor.uninstrument()
    assert active_probe() is None
