"""OpenTelemetry observability for the Claude API.

    import claudescope
    claudescope.instrument()

From then on every call made through the `anthropic` SDK ends in metrics, a richer span and a line of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claudescope._version import VERSION
from claudescope.content import Content
from claudescope.errors import ErrorKind, classify
from claudescope.exporting import configure
from claudescope.inputs import BadInputError, MissingExtraError
from claudescope.pricing import Price
from claudescope.record import Attempt, CallRecord, RateLimit, Usage
from claudescope.sinks import Sink
from claudescope.switch import instrument, report, uninstrument
from claudescope.workflows import workflow

if TYPE_CHECKING:
    from claudescope.report_data import Report
else:

    def __getattr__(name: str) -> object:
        # Late, as an app that asks for no report should not wait for its classes.
        if name == "Report":
            from claudescope.report_data import Report

            return Report
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__version__ = VERSION

__all__ = [
    "Attempt",
    "BadInputError",
    "CallRecord",
    "Content",
    "ErrorKind",
    "MissingExtraError",
    "Price",
    "RateLimit",
    "Report",
    "Sink",
    "Usage",
    "__version__",
    "classify",
    "configure",
    "instrument",
    "report",
    "uninstrument",
    "workflow",
]
