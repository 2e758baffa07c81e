"""OpenTelemetry observability for the Claude API.

    import claudescope
    claudescope.instrument()

From then on claudescope records every call that the `anthropic` SDK makes: in metrics, on its span and in the report.

Each public name is imported when it is first used, so that `claudescope.schema` loads without the other packages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from claudescope._internal.version import VERSION

if TYPE_CHECKING:
    from claudescope._internal.exceptions import BadInputError, MissingExtraError
    from claudescope.content import Content
    from claudescope.export import configure
    from claudescope.lifecycle import instrument, report, uninstrument
    from claudescope.pricing.rates import Price
    from claudescope.reporting.model import Report
    from claudescope.resilience import complete, fallback, partial_message, policy, protect, unprotect
    from claudescope.schema.classify import classify
    from claudescope.schema.error_types import ErrorType
    from claudescope.schema.record import Attempt, CallRecord, RateLimit, Usage
    from claudescope.sinks import Sink
    from claudescope.web.follow import progress
    from claudescope.web.messages import user_message
    from claudescope.workflows import workflow

__version__ = VERSION

__all__ = [
    "Attempt",
    "BadInputError",
    "CallRecord",
    "Content",
    "ErrorType",
    "MissingExtraError",
    "Price",
    "RateLimit",
    "Report",
    "Sink",
    "Usage",
    "__version__",
    "classify",
    "complete",
    "configure",
    "fallback",
    "instrument",
    "partial_message",
    "policy",
    "progress",
    "protect",
    "report",
    "uninstrument",
    "unprotect",
    "user_message",
    "workflow",
]

_HOMES: Final = {
    "Attempt": "schema.record",
    "BadInputError": "_internal.exceptions",
    "CallRecord": "schema.record",
    "Content": "content",
    "ErrorType": "schema.error_types",
    "MissingExtraError": "_internal.exceptions",
    "Price": "pricing.rates",
    "RateLimit": "schema.record",
    "Report": "reporting.model",
    "Sink": "sinks",
    "Usage": "schema.record",
    "classify": "schema.classify",
    "complete": "resilience",
    "configure": "export",
    "fallback": "resilience",
    "instrument": "lifecycle",
    "partial_message": "resilience",
    "policy": "resilience",
    "progress": "web.follow",
    "protect": "resilience",
    "report": "lifecycle",
    "uninstrument": "lifecycle",
    "unprotect": "resilience",
    "user_message": "web.messages",
    "workflow": "workflows",
}
"""The module of each public name. No module of the root may have the name of a public function: it would hide it."""


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
