"""What the doctor finds for each problem that it checks for, and that it finds nothing without a problem."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context
from prometheus_client import CollectorRegistry, Counter, start_http_server

import claudescope
from claudescope._internal.counters import INTERNAL_ERRORS
from claudescope.doctor import Finding, run_checks
from tests.otlp_sink import OtlpSink

Plant = Callable[..., None]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without variables of ours, and a process without internal errors."""
    monkeypatch.setattr(INTERNAL_ERRORS, "_counts", {})
    for name in list(os.environ):
        if name.startswith(("OTEL_", "CLAUDESCOPE_", "ANTHROPIC_", "DD_", "SENTRY_")):
            monkeypatch.delenv(name)


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Have a distribution be installed, as far as its metadata tells."""

    def installed(name: str, version: str = "1.2.3", entry_points: str = "") -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text(entry_points)
        monkeypatch.syspath_prepend(str(tmp_path))

    return installed


def _errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]


def _one(check: str, findings: list[Finding]) -> Finding:
    (found,) = [finding for finding in findings if finding.check == check]
    return found


def test_all_is_well() -> None:
    """An environment that sets nothing has nothing to mend, and every warning says how to change it."""
    findings = run_checks()
    assert _errors(findings) == []
    assert {finding.check for finding in findings} == {
        "sdk",
        "prices",
        "sentry",
        "environment",
        "exporter",
        "content",
        "baggage",
    }
    assert all(finding.fix for finding in findings if finding.level == "warning")
    assert "creates spans, and claudescope enriches them" in _one("sdk", findings).message


@pytest.mark.parametrize(
    ("version", "level", "says"),
    [
        ("0.50.0", "error", "anthropic 0.50.0 is not a supported version"),
        ("0.51.0", "ok", "anthropic 0.51.0 creates no spans, so claudescope creates them"),
        ("1.13.2", "ok", "creates no spans"),
        ("1.14.0", "ok", "creates spans, and claudescope enriches them"),
        ("3.0.0", "error", "not a supported version"),
    ],
)
def test_the_sdk(plant: Plant, version: str, level: str, says: str) -> None:
    """Which tier of support the installed SDK has."""
    plant("anthropic", version)
    found = _one("sdk", run_checks(connect=False))
    assert (found.level, says in found.message) == (level, True)
    assert found.fix == ("pip install 'anthropic>=0.51,<3'" if level == "error" else "")


_INSTRUMENTATIONS = {
    # The entry points that each declares, as of November 2026.
    "opentelemetry-instrumentation-genai-anthropic": ("anthropic", "OpenTelemetry's own instrumentation"),
    "opentelemetry-instrumentation-anthropic": ("anthropic", "OpenLLMetry's instrumentation"),
    "openinference-instrumentation-anthropic": ("anthropic", "OpenInference's instrumentation"),
}


@pytest.mark.parametrize("name", _INSTRUMENTATIONS)
def test_a_second_instrumentation(plant: Plant, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One that loads itself is wrong, until it is switched off."""
    point, what = _INSTRUMENTATIONS[name]
    plant(name, "0.9", f"[opentelemetry_instrumentor]\n{point} = some.module:Instrumentor\n")
    (found,) = _errors(run_checks(connect=False))
    assert found.message.startswith(f"{what} is installed ({name} 0.9): ")
    assert found.fix == f"pip uninstall {name}, or set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={point}"
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", f"redis, {point}")
    assert _errors(run_checks(connect=False)) == []


@pytest.mark.parametrize("name", ["traceloop-sdk", "logfire", "openlit", "traceAI-anthropic"])
def test_a_library_that_the_app_calls(plant: Plant, name: str) -> None:
    """One that sees calls only where the app asks it to is noted, with the call to leave out."""
    plant(name)
    found = _one("second-instrumentation", run_checks(connect=False))
    assert (found.level, found.message.startswith(f"{name} 1.2.3 is installed")) == ("warning", True)
    assert found.fix


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, "warning"),
        ({"DD_TRACE_OTEL_ENABLED": "true"}, "error"),
        ({"DD_TRACE_OTEL_ENABLED": "true", "DD_TRACE_ANTHROPIC_ENABLED": "false"}, "ok"),
    ],
)
def test_ddtrace(plant: Plant, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], level: str) -> None:
    """Datadog's tracer doubles spans where it takes OpenTelemetry's as well."""
    plant("ddtrace")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _one("second-instrumentation", run_checks(connect=False)).level == level


@pytest.mark.parametrize(
    ("variables", "says", "fix"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, "OpenTelemetry exports nothing", "Unset OTEL_SDK_DISABLED"),
        ({"OTEL_METRICS_EXPORTER": "none"}, "no metrics are exported", "Set OTEL_METRICS_EXPORTER=otlp or prometheus"),
        (
            {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "claudescope"},
            "does not enable it",
            "Remove claudescope from OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        ),
        ({"ANTHROPIC_OPEN_TELEMETRY": "False"}, "the SDK creates no spans", "CLAUDESCOPE_SPANS=own"),
        ({"CLAUDESCOPE_METRIC_PORT": "9464"}, "did you mean CLAUDESCOPE_METRICS_PORT?", "Set CLAUDESCOPE_METRICS_PORT"),
        ({"CLAUDESCOPE_QQQ": "1"}, "claudescope has no such variable", "Unset CLAUDESCOPE_QQQ"),
        (
            {"CLAUDESCOPE_SPANS": "mine"},
            "CLAUDESCOPE_SPANS=mine: expected auto, own or off",
            "Set CLAUDESCOPE_SPANS to",
        ),
        (
            {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "all"},
            "unknown value",
            "Set it to one of NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT",
        ),
        (
            {
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content",
            },
            "without claudescope's redaction",
            "Unset ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE",
        ),
        (
            {"OTEL_PROPAGATORS": "tracecontext,baggage"},
            "such as a user or a tenant, is sent to the API",
            "Set ANTHROPIC_OPEN_TELEMETRY_PROPAGATION=false",
        ),
    ],
)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str, fix: str) -> None:
    """Each variable that is wrong is named, with the step that mends it."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (found,) = _errors(run_checks(connect=False))
    assert says in found.message
    assert fix in found.fix


@pytest.mark.parametrize(
    "variables",
    [
        {"ANTHROPIC_OPEN_TELEMETRY": "false", "CLAUDESCOPE_SPANS": "own"},
        {"OTEL_PROPAGATORS": "tracecontext,baggage", "ANTHROPIC_OPEN_TELEMETRY_PROPAGATION": "false"},
        {"OTEL_PROPAGATORS": "tracecontext"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"},
        {"ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE": "content"},
    ],
)
def test_what_is_wanted_so(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """What was mended, and what somebody may want so, is not wrong."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _errors(run_checks(connect=False)) == []


# --- exporters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_receiver_that_answers(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """A real receiver takes an empty request of each signal."""
    with OtlpSink().running() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.grpc_url if protocol == "grpc" else sink.http_url)
        findings = run_checks()
    assert _errors(findings) == []
    answered = {each.check for each in findings if each.message.endswith(f"over {protocol}, and it answers")}
    assert answered == {"exporter.traces", "exporter.metrics", "exporter.logs"}
    assert sink.requests == {"traces": 1, "metrics": 1, "logs": 1}
    assert (sink.spans, sink.logs) == ([], [])


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_receiver_that_is_not_there(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    """Each signal says where it goes, without the credentials of the URL, and what to do."""
    port = _closed_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv(
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"http://user:hunter2@127.0.0.1:{port}/v1/metrics?k=hunter2"
    )
    (found,) = _errors(run_checks())
    assert found.check == "exporter.metrics"
    assert found.message.startswith(
        f"metrics go to 127.0.0.1:{port} over {protocol}, but it does not accept them, so they are lost: "
    )
    assert found.fix.startswith(f"Start the receiver at 127.0.0.1:{port}, or set OTEL_EXPORTER_OTLP_ENDPOINT")
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"OTEL_METRICS_EXPORTER": "jaeger"},
            "OTEL_METRICS_EXPORTER=jaeger: expected otlp, console, prometheus or none",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/json: expected grpc or http/protobuf",
        ),
    ],
)
def test_an_exporter_that_is_none(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str) -> None:
    """A name that OpenTelemetry does not know is wrong."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert {found.message for found in _errors(run_checks(connect=False))} == {says}


def test_the_port_for_prometheus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that somebody else has is wrong; one that is free, or served by an app of ours, is not."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("CLAUDESCOPE_METRICS_PORT", str(port))
        (found,) = _errors(run_checks())
        assert found.message.startswith(f"metrics can't be served on 127.0.0.1:{port}, so Prometheus gets none: ")
        assert "CLAUDESCOPE_METRICS_PORT" in found.fix
    assert _one("exporter.prometheus", run_checks()).message.endswith("and the port is free")
    registry = CollectorRegistry()
    Counter("gen_ai_client_calls", "As an app of ours serves them.", registry=registry)
    server, thread = start_http_server(port, "127.0.0.1", registry)
    try:
        assert _one("exporter.prometheus", run_checks()).message.endswith("by a running app")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# --- what runs --------------------------------------------------------------------------------------------------


def test_baggage_that_is_set() -> None:
    """Baggage of the running app is named, and its values are not."""
    token = context.attach(baggage.set_baggage("tenant", "hunter2"))
    try:
        (found,) = _errors(run_checks(connect=False))
    finally:
        context.detach(token)
    assert found.message == "OpenTelemetry's baggage contains tenant, which the SDK sends to the API"
    assert "hunter2" not in str(found)


def test_a_wrapper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has wrapped the SDK's method is named; claudescope's own hooks are not."""
    from anthropic.resources.messages import Messages

    claudescope.instrument()
    assert _errors(run_checks(connect=False)) == []
    original = Messages.create

    def create(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    monkeypatch.setattr(Messages, "create", create)
    (found,) = _errors(run_checks(connect=False))
    assert found.message.startswith("tests.doctor.test_doctor has wrapped Messages.create")


# --- the command ------------------------------------------------------------------------------------------------


def _doctor(*options: str, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "claudescope", "doctor", *options],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **variables},
    )  # fmt: skip


def test_the_command() -> None:
    """It exits with 0 where nothing is wrong and with 1 where something is, and says how to mend it."""
    well = _doctor()
    assert (well.returncode, well.stdout.splitlines()[-1]) == (0, "No errors found.")
    ill = _doctor(OTEL_SDK_DISABLED="true")
    assert ill.returncode == 1
    assert "ERROR  environment: OTEL_SDK_DISABLED=true: OpenTelemetry exports nothing" in ill.stdout
    assert "       -> Unset OTEL_SDK_DISABLED\n" in ill.stdout
    assert ill.stdout.endswith("1 error found.\n")


def test_as_json() -> None:
    """The same for programs."""
    done = _doctor("--json", OTEL_SDK_DISABLED="true")
    told = json.loads(done.stdout)
    assert (done.returncode, told["errors"]) == (1, 1)
    assert {"check", "level", "message", "fix"} == set(told["findings"][0])


def test_an_app_with_sentry(tmp_path: Path) -> None:
    """With the app imported the doctor sees what it switched on: Sentry's integration, alone and with ours."""
    app = tmp_path / "shop.py"
    start = (
        "import sentry_sdk\n"
        "from sentry_sdk.integrations.anthropic import AnthropicIntegration\n"
        "from claudescope.sentry import ClaudeErrorsIntegration\n"
        "sentry_sdk.init(dsn='http://public@127.0.0.1:9/1', auto_enabling_integrations=False, integrations=[{}])\n"
    )
    app.write_text(start.format("AnthropicIntegration()"))
    alone = _doctor("--app", "shop", folder=tmp_path)
    assert (alone.returncode, "AnthropicIntegration is enabled without claudescope's" in alone.stdout) == (1, True)
    app.write_text(start.format("AnthropicIntegration(), ClaudeErrorsIntegration()"))
    assert _doctor("--app", "shop", folder=tmp_path).returncode == 0


def test_an_app_that_is_none(tmp_path: Path) -> None:
    """A module that can't be imported is bad input."""
    done = _doctor("--app", "no_such_app", folder=tmp_path)
    assert done.returncode == 2
    assert "--app no_such_app: import failed: ModuleNotFoundError" in done.stderr


def test_prices_that_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price library that can't be imported, as in a bundled app without metadata, is a warning with the cure."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    found = _one("prices", run_checks(connect=False))
    assert (found.level, "--copy-metadata genai-prices" in str(found.fix)) == ("warning", True)
    assert "claudescope's own table" in found.message


def test_prices_that_are_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the installed prices are newer than the table, the finding says how to use them."""
    import genai_prices

    monkeypatch.setattr(genai_prices, "__version__", "999.0")
    found = _one("prices", run_checks(connect=False))
    assert (found.level, "imports genai_prices at its start" in found.message) == ("ok", True)
