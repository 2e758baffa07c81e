"""Sees every call that the `anthropic` SDK makes. No other package touches the SDK's internals.

hooks          wraps methods of the SDK, and restores them
probe          begins a call for each request
call           a call while it runs; ends in one `CallRecord`
call_state     the states of a call
dispatch       hands calls to the sinks, and prices them
attempts       the HTTP requests of a call
streams        watches the events and the bytes that the app reads
batches        counts the results of message batches
response       reads bodies, events and headers
body_parser    reads a body that the SDK does not parse
timings        when a call and its events happened
fallback_span  the span of a call, where the SDK makes none
driven         what the driver of a policy reports of a call
records        makes the record of a call
deferred       ends calls whose stream was dropped
guard          keeps internal errors from the app
sdk            the SDK's platforms, operations and models
interfaces     what these modules know of each other
"""

from __future__ import annotations

from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.hooks import install, remove, sdk_traces
from claudescope.probe.probe import Probe, SpanMode
from claudescope.probe.sdk import is_supported

__all__ = ["Probe", "SpanMode", "flush", "install", "is_supported", "remove", "sdk_traces"]


def flush() -> None:
    """Wait until the calls whose streams the app has dropped have ended, two seconds at most."""
    DEFERRED_ENDINGS.flush()
