"""Switches claudescope on as the environment says, for the ways in that have no code to say it."""

from __future__ import annotations

from typing import Any

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from claudescope import settings
from claudescope.switch import instrument

__all__ = ["instrument_by_environment"]


def instrument_by_environment(
    *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> None:
    """Call `instrument` with the options of the environment.

    Args:
        tracer_provider: Where spans of our own go; the global one by default.
        meter_provider: Where metrics go; the global one by default.

    Raises:
        BadInputError: A variable has a value that it can't have.
        MissingExtraError: The `anthropic` SDK is not installed.
    """
    options: dict[str, Any] = {"spans": settings.SPANS.read(), "max_workflows": settings.MAX_WORKFLOWS.read()}
    instrument(tracer_provider=tracer_provider, meter_provider=meter_provider, **options)
