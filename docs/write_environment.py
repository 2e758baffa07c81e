"""Writes `docs/environment.md` from the table of claudescope's own variables: `python docs/write_environment.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from claudescope.settings import SETTINGS

PAGE: Final = Path(__file__).parent / "environment.md"

_HEAD: Final = """\
# Environment variables

Generated from `claudescope.settings` by `python docs/write_environment.py`. An option given on the command line or in
code goes before its variable.

| variable | value | default | what it does | read by |
|---|---|---|---|---|
"""

_STANDARD_HEAD: Final = """
Everything else is OpenTelemetry's own, and works as
[its specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) says:

| variable | under `configure()` and `claudescope run` |
|---|---|
"""

_STANDARD: Final = (
    (("OTEL_SDK_DISABLED",), "nothing is exported; calls are still counted for the report"),
    (("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"), "name the sender, through OpenTelemetry's resource detectors"),
    (
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT"),
        "OTLP is on for the signals that have an endpoint",
    ),
    (
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_PROTOCOL"),
        "`grpc` or `http/protobuf`; where not set, gRPC for an endpoint on port 4317, else HTTP",
    ),
    (
        ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION", "and the like"),
        "read by OpenTelemetry's exporters",
    ),
    (
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",),
        "`cumulative`, `delta` or `lowmemory`; cumulative where not set",
    ),
    (
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",),
        "exponential histograms where not set; `explicit_bucket_histogram` for the catalogue's buckets",
    ),
    (
        ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"),
        "`otlp`, `console`, `none`, and `prometheus` for metrics; several with commas between",
    ),
    (("OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"), "with `OTEL_METRICS_EXPORTER=prometheus`"),
    (
        ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_BSP_*", "OTEL_BLRP_*", "OTEL_TRACES_SAMPLER", "and the like"),
        "read by OpenTelemetry's SDK",
    ),
    (
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",),
        "records prompts and completions: [logs-and-content.md](logs-and-content.md)",
    ),
    (
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",),
        "`claudescope` in it keeps `opentelemetry-instrument` from switching claudescope on",
    ),
)


def environment_page() -> str:
    """The documentation of all variables, as Markdown."""
    own = "".join(
        f"| `{each.name}` | {each.expected} | {_shown(each.default)} | {each.meaning} "
        f"| {', '.join(f'`{reader}`' for reader in each.readers)} |\n"
        for each in SETTINGS
    )
    standard = "".join(f"| {', '.join(map(_code, names))} | {what} |\n" for names, what in _STANDARD)
    return _HEAD + own + _STANDARD_HEAD + standard


def _code(name: str) -> str:
    return f"`{name}`" if name.startswith("OTEL") else name


def _shown(default: object) -> str:
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(environment_page(), encoding="utf-8")
