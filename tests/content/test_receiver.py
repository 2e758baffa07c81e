"""Log records and content as a real receiver gets them, over gRPC and over HTTP."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink

_APP = """
import anthropic, claudescope
telemetry = claudescope.configure()
client = anthropic.Anthropic()
client.messages.create(model="claude-haiku-5-5", max_tokens=20, system="Be brief",
                       messages=[{"role": "user", "content": "Why is the sky blue?"}])
telemetry.shutdown()
"""


def _value(value: Any) -> Any:
    """A value of OTLP as Python's."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: _value(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, kind) if kind else None


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_records_and_content_arrive(protocol: str) -> None:
    """One record and one event per call, the event's messages as structures, both tied to the call's span."""
    with OtlpSink().running() as sink, Simulator(time_scale=0.01) as api:
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", _APP],
            capture_output=True,
            text=True,
            check=False,
            env={
                "ANTHROPIC_BASE_URL": api.url,
                "ANTHROPIC_API_KEY": "simulated",
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.grpc_url if protocol == "grpc" else sink.http_url,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY",
            },
        )
    assert (done.returncode, done.stderr) == (0, "")
    records = {record.event_name: record for _, record in sink.logs}
    assert sorted(records) == ["claude.call", "gen_ai.client.inference.operation.details"]
    assert len(sink.logs) == 2
    spans = {span.span_id for _, span in sink.spans if span.name == "anthropic.messages.create"}
    assert {record.span_id for record in records.values()} == spans
    told = {pair.key: _value(pair.value) for pair in records["gen_ai.client.inference.operation.details"].attributes}
    assert told["gen_ai.system_instructions"] == [{"type": "text", "content": "Be brief"}]
    assert told["gen_ai.input.messages"] == [
        {"role": "user", "parts": [{"type": "text", "content": "Why is the sky blue?"}]}
    ]
    assert [each["role"] for each in told["gen_ai.output.messages"]] == ["assistant"]
    call = {pair.key for pair in records["claude.call"].attributes}
    assert not any("messages" in name for name in call)
