"""Instruments the SDK with options from environment variables."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from claudescope import settings
from claudescope.lifecycle import instrument

__all__ = ["instrument_from_environment"]


def instrument_from_environment(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    logs: bool | None = None,
) -> None:
    """Call `instrument` with the options of the environment.

    Args:
        tracer_provider: The provider of claudescope's own spans; the global one by default.
        meter_provider: The provider of metrics; the global one by default.
        logger_provider: The provider of log records; the global one by default. Nothing goes to the app's own log.
        logs: Whether to write log records; None to read it from the environment.

    Raises:
        BadInputError: A variable has an invalid value.
        MissingExtraError: The `anthropic` SDK is not installed.
    """
    options: dict[str, Any] = {"spans": settings.SPANS.read(), "max_workflows": settings.MAX_WORKFLOWS.read()}
    instrument(
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
        logs="opentelemetry" if (settings.LOGS.read() if logs is None else logs) else False,
        **options,
    )
