"""Sees every call that the `anthropic` SDK makes. Nothing outside of this package touches the SDK's inside.

hooks      wraps the SDK's choke points, and puts them back
probe      what the hooks tell: a call began, was tried again, answered, failed
streams    watches the events and the bytes that the app reads itself
call       a call while it runs; turns into one `CallRecord`
facts      reads bodies, events and headers
own_span   the span where the SDK makes none
guarded    keeps the probe's own faults from the app
finisher   ends calls whose stream was dropped in a finaliser
sdk        names what is the SDK's: platforms, operations, models
"""

from __future__ import annotations

from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.hooks import install, remove, sdk_traces
from claudescope.probe.probe import Probe, SpanMode
from claudescope.probe.sdk import is_supported

__all__ = ["Probe", "SpanMode", "flush", "install", "is_supported", "remove", "sdk_traces"]


def flush() -> None:
    """Wait, two seconds at most, until the calls whose streams were dropped so far have ended."""
    DEFERRED_ENDINGS.flush()
