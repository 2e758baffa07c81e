"""Wraps the choke points of the SDK, and puts them back.

    SyncAPIClient.request, AsyncAPIClient.request   every API method of every client ends here: begins and ends a call
    ._request                                       where the SDK traces itself: has its span, and fails before it ends
    ._process_response                              once per successful response
    ._sleep_for_retry                               once per retry
    Stream.__stream__, AsyncStream.__stream__       the generator of a stream's events, whoever built the stream

On classes, so that clients made before are covered too. A wrapper calls the original with the arguments as they are,
and returns what it returns or lets out what it raises.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from claudescope.probe.probe import CURRENT_CALL, Probe
from claudescope.probe.streams import call_of, watch_async_events, watch_events

__all__ = ["install", "remove", "sdk_traces"]

_Function = Callable[..., Any]
_Wrapper = Callable[[_Function], _Function]

_lock: Final = threading.RLock()
_installed: Final[dict[tuple[type, str], tuple[_Function, _Function]]] = {}
"""By class and method: the original, and our wrapper."""


class _Active:
    """The probe that the wrappers report to. None makes them pass everything through."""

    probe: Probe | None = None


def install(probe: Probe) -> None:
    """Report to `probe` what the SDK does. Replaces the probe where the hooks are in already.

    Raises:
        ImportError: The SDK is not installed.
    """
    with _lock:
        for owner, name, wrapper in _choke_points():
            if (owner, name) not in _installed and (original := vars(owner).get(name)) is not None:
                hook = wrapper(original)
                setattr(owner, name, hook)
                _installed[owner, name] = (original, hook)
        _Active.probe = probe


def remove() -> None:
    """Put the SDK back as it was.

    A hook over which somebody has put a wrapper of their own stays below it, and does nothing until it is installed
    again: taking it out would take theirs out too.
    """
    with _lock:
        _Active.probe = None
        for (owner, name), (original, hook) in list(_installed.items()):
            if vars(owner).get(name) is hook:
                setattr(owner, name, original)
                del _installed[owner, name]


def active() -> Probe | None:
    """The probe that is reported to, or None."""
    return _Active.probe


def sdk_traces() -> bool:
    """Whether the installed SDK can trace itself, as it can since 1.14."""
    from anthropic._base_client import BaseClient

    return hasattr(BaseClient, "_tracer")


def _choke_points() -> tuple[tuple[type, str, _Wrapper], ...]:
    from anthropic._base_client import AsyncAPIClient, SyncAPIClient
    from anthropic._streaming import AsyncStream, Stream

    return (
        (SyncAPIClient, "request", _request),
        (SyncAPIClient, "_request", _inner_request),
        (SyncAPIClient, "_process_response", _process_response),
        (SyncAPIClient, "_sleep_for_retry", _sleep_for_retry),
        (Stream, "__stream__", _stream),
        (AsyncAPIClient, "request", _async_request),
        (AsyncAPIClient, "_request", _async_inner_request),
        (AsyncAPIClient, "_process_response", _async_process_response),
        (AsyncAPIClient, "_sleep_for_retry", _async_sleep_for_retry),
        (AsyncStream, "__stream__", _async_stream),
    )


def _request(original: _Function) -> _Function:
    @wraps(original)
    def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        probe = _Active.probe
        call = None if probe is None else probe.begin(self, options, stream=bool(kwargs.get("stream")))
        if probe is None or call is None:
            return original(self, cast_to, options, *args, **kwargs)
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(call)
        try:
            with call.current_span():
                result = original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            CURRENT_CALL.set(outer)
        call.returned()
        return result

    return request


def _async_request(original: _Function) -> _Function:
    @wraps(original)
    async def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        probe = _Active.probe
        call = None if probe is None else probe.begin(self, options, stream=bool(kwargs.get("stream")))
        if probe is None or call is None:
            return await original(self, cast_to, options, *args, **kwargs)
        outer = CURRENT_CALL.get()
        CURRENT_CALL.set(call)
        try:
            with call.current_span():
                result = await original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            CURRENT_CALL.set(outer)
        call.returned()
        return result

    return request


def _inner_request(original: _Function) -> _Function:
    @wraps(original)
    def _request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return original(self, *args, **kwargs)
        call.adopt_span(kwargs.get("call"))
        try:
            return original(self, *args, **kwargs)
        except BaseException as error:
            call.failing(error)
            raise

    return _request


def _async_inner_request(original: _Function) -> _Function:
    @wraps(original)
    async def _request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return await original(self, *args, **kwargs)
        call.adopt_span(kwargs.get("call"))
        try:
            return await original(self, *args, **kwargs)
        except BaseException as error:
            call.failing(error)
            raise

    return _request


def _process_response(original: _Function) -> _Function:
    @wraps(original)
    def process_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        call, response = CURRENT_CALL.get(), kwargs.get("response")
        if call is None or response is None:
            return original(self, *args, **kwargs)
        call.responding(response)
        try:
            result = original(self, *args, **kwargs)
        except BaseException:
            call.unparsed(response)
            raise
        call.responded(response, result)
        return result

    return process_response


def _async_process_response(original: _Function) -> _Function:
    @wraps(original)
    async def process_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        call, response = CURRENT_CALL.get(), kwargs.get("response")
        if call is None or response is None:
            return await original(self, *args, **kwargs)
        call.responding(response)
        try:
            result = await original(self, *args, **kwargs)
        except BaseException:
            call.unparsed(response)
            raise
        call.responded(response, result)
        return result

    return process_response


def _sleep_for_retry(original: _Function) -> _Function:
    @wraps(original)
    def sleep_for_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return original(self, *args, **kwargs)
        # A retry that follows an exception is slept for inside its `except`.
        error, at, started = sys.exc_info()[1], time.time_ns(), time.perf_counter()
        try:
            return original(self, *args, **kwargs)
        finally:
            call.retried(kwargs.get("response"), error, time.perf_counter() - started, at)

    return sleep_for_retry


def _async_sleep_for_retry(original: _Function) -> _Function:
    @wraps(original)
    async def sleep_for_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return await original(self, *args, **kwargs)
        # A retry that follows an exception is slept for inside its `except`.
        error, at, started = sys.exc_info()[1], time.time_ns(), time.perf_counter()
        try:
            return await original(self, *args, **kwargs)
        finally:
            call.retried(kwargs.get("response"), error, time.perf_counter() - started, at)

    return sleep_for_retry


def _stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        events = original(self)
        call = call_of(self)
        return events if call is None else watch_events(events, call)

    return __stream__


def _async_stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        events = original(self)
        call = call_of(self)
        return events if call is None else watch_async_events(events, call)

    return __stream__
