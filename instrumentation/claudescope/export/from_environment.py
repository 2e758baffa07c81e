"""Switches claudescope on as the environment says, for the ways in that have no code to say it."""

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
        tracer_provider: Where spans of our own go; the global one by default.
        meter_provider: Where metrics go; the global one by default.
        logger_provider: Where log records go; the global one by default. The app's own log gets none.
        logs: Whether there are log records; None for what the environment says.

    Raises:
        BadInputError: A variable has a value that it can't have.
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
