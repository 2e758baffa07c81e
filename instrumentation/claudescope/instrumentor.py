"""The instrumentor for `opentelemetry-instrument python app.py`, or `ClaudescopeInstrumentor().instrument()`.

OpenTelemetry loads it through the entry point `opentelemetry_instrumentor` under the name `claudescope`. To disable it,
put that name into `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from claudescope.export.from_environment import instrument_from_environment
from claudescope.lifecycle import uninstrument

__all__ = ["ClaudescopeInstrumentor"]

_INSTRUMENTS: Final = ("anthropic >= 0.51, < 3",)


class ClaudescopeInstrumentor(BaseInstrumentor):  # type: ignore[misc] # as above
    """Instruments the SDK with the providers that OpenTelemetry's setup has made.

    `instrument` takes `tracer_provider`, `meter_provider` and `logger_provider`, the global ones by default. Other
    options come from environment variables.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """The supported versions of the SDK."""
        return _INSTRUMENTS

    def _instrument(self, **kwargs: Any) -> None:
        instrument_from_environment(
            tracer_provider=kwargs.get("tracer_provider"),
            meter_provider=kwargs.get("meter_provider"),
            logger_provider=kwargs.get("logger_provider"),
        )

    def _uninstrument(self, **kwargs: Any) -> None:
        del kwargs
        uninstrument()
