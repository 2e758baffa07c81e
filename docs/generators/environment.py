"""The page of environment variables, from the table of claudescope's own."""

from __future__ import annotations

from typing import Final

from claudescope.settings import SETTINGS
from generators.markdown import code, page, table

__all__ = ["environment"]

_STANDARD: Final = (
    (("OTEL_SDK_DISABLED",), "`true` exports nothing; calls are still counted for the report"),
    (
        ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"),
        "name the service in all telemetry, through OpenTelemetry's resource detectors",
    ),
    (
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT"),
        "switch OTLP on for the signals that have an endpoint",
    ),
    (
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_PROTOCOL"),
        "`grpc` or `http/protobuf`; the default is gRPC for an endpoint on port 4317, else HTTP",
    ),
    (
        ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION", "and the like"),
        "read by OpenTelemetry's exporters",
    ),
    (
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",),
        "`cumulative`, `delta` or `lowmemory`; the default is `cumulative`",
    ),
    (
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",),
        "exponential histograms by default; `explicit_bucket_histogram` sends [buckets](reference/signals.md#buckets)",
    ),
    (
        ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"),
        "`otlp`, `console`, `none`, and for metrics `prometheus`; separate several by commas",
    ),
    (
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"),
        "the address that `/metrics` is served on, with `OTEL_METRICS_EXPORTER=prometheus`",
    ),
    (
        ("OTEL_METRIC_EXPORT_INTERVAL", "OTEL_BSP_*", "OTEL_BLRP_*", "OTEL_TRACES_SAMPLER", "and the like"),
        "read by OpenTelemetry's SDK",
    ),
    (
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",),
        "records prompts and completions: see [Logs and content](logs-and-content.md)",
    ),
    (
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",),
        "`claudescope` in this list keeps `opentelemetry-instrument` from loading claudescope",
    ),
)


def environment() -> str:
    """Every variable: claudescope's own and those of OpenTelemetry that have an effect."""
    return page(
        "Environment variables",
        "An option on the command line or in code takes precedence over its variable.",
        table(
            ["variable", "value", "default", "description", "read by"],
            (
                [f"`{each.name}`", each.expected, _default(each.default), each.meaning, code(each.readers)]
                for each in SETTINGS
            ),
        ),
        "All other variables are OpenTelemetry's own and work as "
        "[its specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) says:",
        table(
            ["variable", "under `configure()` and `claudescope run`"],
            ([", ".join(map(_code, names)), what] for names, what in _STANDARD),
        ),
    )


def _code(name: str) -> str:
    return f"`{name}`" if name.startswith("OTEL") else name


def _default(default: object) -> str:
    if default is None:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
