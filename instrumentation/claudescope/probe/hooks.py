"""Wraps the methods of the SDK that every call goes through, and restores them.

    SyncAPIClient.request, AsyncAPIClient.request   every API method of every client calls it: begins and ends a call
    ._request                                       where the SDK traces itself: sees its span, before it ends
    ._process_response                              once per successful response
    ._sleep_for_retry                               once per retry
    Stream.__stream__, AsyncStream.__stream__       the generator of a stream's events
    JSONLDecoder.__decode__, AsyncJSONLDecoder.…    the generator of a batch's results

Where an SDK lacks one of them, the others still work, and a warning says what is not seen.

The methods are wrapped on the classes, so that clients made before are covered too. A wrapper calls the original with
unchanged arguments, and returns what it returns or raises what it raises.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any, Final

from opentelemetry.trace import Span

from claudescope._internal.fork import renew_in_child
from claudescope.probe import fallback_span
from claudescope.probe.batches import watch_async_results, watch_results
from claudescope.probe.call import Call
from claudescope.probe.middleware import call_of_request
from claudescope.probe.probe import CURRENT_CALL, Probe
from claudescope.probe.progress import retrying, sending_again
from claudescope.probe.streams import call_of, watch_async_events, watch_events

__all__ = ["install", "remove", "sdk_traces", "unwrap_beneath", "wrap_beneath"]

_Function = Callable[..., Any]
_Wrapper = Callable[[_Function], _Function]

_RESPONSE_HOOK: Final = "_process_response"

_log: Final = logging.getLogger("claudescope")
_lock = threading.RLock()
renew_in_child(sys.modules[__name__], "_lock")
_installed: Final[dict[tuple[type, str], tuple[_Function, _Function, _Wrapper]]] = {}
"""The original method, its hook, and what made that, by class and method name."""


class _Active:
    """The state that the wrappers share.

    Attributes:
        probe: What they report to; None makes them pass everything through.
        blind: Whether the SDK has no hook for responses, so that facts come from what a call returns.
        warned: Whether the warning about missing hooks has been logged.
    """

    probe: Probe | None = None
    blind: bool = False
    warned: bool = False


def install(probe: Probe) -> None:
    """Wrap the methods, and report to `probe`. Only replaces the probe where they are wrapped already."""
    with _lock:
        missing: dict[str, str] = {}
        for module, class_name, name, wrapper, sees in _hook_points():
            owner = _find(module, class_name)
            original = None if owner is None else vars(owner).get(name)
            if owner is None or original is None:
                if name == "_request" and not sdk_traces():
                    continue  # only an SDK that traces itself has it
                missing[f"{class_name}.{name}"] = sees
            elif (owner, name) not in _installed:
                hook = wrapper(original)
                setattr(owner, name, hook)
                _installed[owner, name] = (original, hook, wrapper)
        _Active.blind = any(_RESPONSE_HOOK in name for name in missing)
        _Active.probe = probe
        if missing and not _Active.warned:
            _Active.warned = True
            _log.warning(
                "claudescope: this anthropic SDK has no %s, so claudescope does not see: %s",
                ", ".join(missing),
                "; ".join(dict.fromkeys(missing.values())),
            )


def remove() -> None:
    """Restore the SDK's methods.

    A hook that another library has wrapped stays in place and passes everything through: to remove it would remove the
    other library's wrapper too.
    """
    with _lock:
        _Active.probe = None
        for (owner, name), (original, hook, _) in list(_installed.items()):
            if vars(owner).get(name) is hook:
                setattr(owner, name, original)
                del _installed[owner, name]


def wrap_beneath(owner: type, name: str, wrapper: _Wrapper) -> tuple[_Function, _Function]:
    """Wrap a method of the SDK beneath the hook of the probe, where that is installed, now or later.

    Args:
        owner: The class.
        name: The method, which the class itself must have.
        wrapper: Makes the hook from the method.

    Returns:
        What is wrapped, and the hook, for `unwrap_beneath`.
    """
    with _lock:
        current = vars(owner)[name]
        original, hook, probes = _installed.get((owner, name), (current, None, None))
        if probes is None or current is not hook:
            inner = wrapper(current)
            setattr(owner, name, inner)
            return current, inner
        inner = wrapper(original)
        _installed[owner, name] = (inner, probes(inner), probes)
        setattr(owner, name, _installed[owner, name][1])  # at once: a call sees the method before or after
        return original, inner


def unwrap_beneath(owner: type, name: str, original: _Function, inner: _Function) -> bool:
    """Undo `wrap_beneath`, unless another library has wrapped the hook. Returns whether it is undone."""
    with _lock:
        current = vars(owner).get(name)
        beneath, hook, probes = _installed.get((owner, name), (None, None, None))
        if current is inner:
            setattr(owner, name, original)
        elif probes is not None and beneath is inner and current is hook:
            _installed[owner, name] = (original, probes(original), probes)
            setattr(owner, name, _installed[owner, name][1])
        else:
            return False
        return True


def active() -> Probe | None:
    """The probe that the hooks report to, or None."""
    return _Active.probe


def sdk_traces() -> bool:
    """Whether the installed SDK can trace itself, as it can since 1.14."""
    from anthropic._base_client import BaseClient

    return hasattr(BaseClient, "_tracer")


def _find(module: str, name: str) -> type | None:
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def _hook_points() -> tuple[tuple[str, str, str, _Wrapper, str], ...]:
    """Module, class and method of each hook, its wrapper, and what claudescope does not see without it."""
    client, streaming, jsonl = "anthropic._base_client", "anthropic._streaming", "anthropic._decoders.jsonl"
    sync, is_async = "SyncAPIClient", "AsyncAPIClient"
    spans, responses, retries = "the SDK's own span", "statuses, attempts and what raw responses cost", "retries"
    events, results = "the parsed events of streams", "what the results of message batches cost"
    return (
        (client, sync, "request", _request, "the calls of sync clients"),
        (client, sync, "_request", _inner_request, spans),
        (client, sync, _RESPONSE_HOOK, _process_response, responses),
        (client, sync, "_sleep_for_retry", _sleep_for_retry, retries),
        (client, is_async, "request", _async_request, "the calls of async clients"),
        (client, is_async, "_request", _async_inner_request, spans),
        (client, is_async, _RESPONSE_HOOK, _async_process_response, responses),
        (client, is_async, "_sleep_for_retry", _async_sleep_for_retry, retries),
        (streaming, "Stream", "__stream__", _stream, events),
        (streaming, "AsyncStream", "__stream__", _async_stream, events),
        (jsonl, "JSONLDecoder", "__decode__", _results, results),
        (jsonl, "AsyncJSONLDecoder", "__decode__", _async_results, results),
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
            with fallback_span.current(call.span, own=call.own_span):
                result = original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            CURRENT_CALL.set(outer)
        if _Active.blind:
            call.take(result)
        call.returned(result)
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
            with fallback_span.current(call.span, own=call.own_span):
                result = await original(self, cast_to, options, *args, **kwargs)
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            CURRENT_CALL.set(outer)
        if _Active.blind:
            call.take(result)
        call.returned(result)
        return result

    return request


def _adopt_span(call: Call, sdk_call: Any) -> None:
    """Take the span that the SDK started for this call from its `ApiCall`."""
    span = getattr(sdk_call, "span", None)
    if isinstance(span, Span):
        call.span = span


def _inner_request(original: _Function) -> _Function:
    @wraps(original)
    def _request(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return original(self, *args, **kwargs)
        _adopt_span(call, kwargs.get("call"))
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
        _adopt_span(call, kwargs.get("call"))
        try:
            return await original(self, *args, **kwargs)
        except BaseException as error:
            call.failing(error)
            raise

    return _request


def _process_response(original: _Function) -> _Function:
    @wraps(original)
    def process_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        call, response = CURRENT_CALL.get() or call_of_request(kwargs.get("options")), kwargs.get("response")
        if call is None or response is None:
            return original(self, *args, **kwargs)
        call = call.exchange(response)
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
        call, response = CURRENT_CALL.get() or call_of_request(kwargs.get("options")), kwargs.get("response")
        if call is None or response is None:
            return await original(self, *args, **kwargs)
        call = call.exchange(response)
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
        # The SDK sleeps inside the `except` of the exception that it retries.
        error, at, started = sys.exc_info()[1], time.time_ns(), time.perf_counter()
        retrying(self, error, kwargs)
        try:
            result = original(self, *args, **kwargs)
        except BaseException:
            call.gave_up(kwargs.get("response"), error)
            raise
        call.retried(kwargs.get("response"), error, time.perf_counter() - started, at)
        sending_again(kwargs)
        return result

    return sleep_for_retry


def _async_sleep_for_retry(original: _Function) -> _Function:
    @wraps(original)
    async def sleep_for_retry(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = CURRENT_CALL.get()
        if call is None:
            return await original(self, *args, **kwargs)
        # The SDK sleeps inside the `except` of the exception that it retries.
        error, at, started = sys.exc_info()[1], time.time_ns(), time.perf_counter()
        retrying(self, error, kwargs)
        try:
            result = await original(self, *args, **kwargs)
        except BaseException:
            call.gave_up(kwargs.get("response"), error)
            raise
        call.retried(kwargs.get("response"), error, time.perf_counter() - started, at)
        sending_again(kwargs)
        return result

    return sleep_for_retry


def _stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        events = original(self)
        call = call_of(getattr(self, "response", None))
        return events if call is None else call.watched(watch_events(events, call))

    return __stream__


def _async_stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        events = original(self)
        call = call_of(getattr(self, "response", None))
        return events if call is None else call.watched(watch_async_events(events, call))

    return __stream__


def _results(original: _Function) -> _Function:
    @wraps(original)
    def __decode__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        results = original(self)
        call = call_of(getattr(self, "http_response", None))
        return call.watched(watch_results(results, call)) if call is not None and call.batch else results

    return __decode__


def _async_results(original: _Function) -> _Function:
    @wraps(original)
    def __decode__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        results = original(self)
        call = call_of(getattr(self, "http_response", None))
        return call.watched(watch_async_results(results, call)) if call is not None and call.batch else results

    return __decode__
