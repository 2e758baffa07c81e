"""Installs the drivers on the SDK's methods, beneath the hooks of the probe.

SyncAPIClient._request, AsyncAPIClient._request     where the SDK retries: each call goes through a driver. Before
                                                    1.14 `request` itself retries
._process_response                                  once per response: sees the headers, and watches streams
Stream.__stream__, AsyncStream.__stream__           the generator of a stream's events: may start again
MessageStream.__stream__ and its like               the events of a stream helper, with those that say to start again
MessageStream.__stream_text__ and its like          the texts of a helper, which have no place for such an event
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, cast

from anthropic import _base_client, _streaming  # pyright: ignore[reportPrivateUsage]
from anthropic.lib import streaming as _helpers

from claudescope._internal.fork import renew_in_child
from claudescope.probe.hooks import sdk_traces, unwrap_beneath, wrap_beneath
from claudescope.resilience.drivers import is_async, sync
from claudescope.resilience.drivers.recovery import Recovery, async_marked, marked
from claudescope.resilience.drivers.session import CURRENT_SESSION
from claudescope.resilience.drivers.streams import StreamGuard
from claudescope.resilience.drivers.watch import EXTENSION

if TYPE_CHECKING:
    from claudescope.resilience.drivers.active import Active
    from claudescope.resilience.drivers.session import Session

__all__ = ["active", "install", "remove"]

_Function = Callable[..., Any]

_lock = threading.RLock()
renew_in_child(sys.modules[__name__], "_lock")
_installed: Final[dict[tuple[type, str], tuple[_Function, _Function]]] = {}
"""What each hook wraps, and the hook, by class and method name."""


class _State:
    active: Active | None = None


def active() -> Active | None:
    """The policy that holds now; None where calls are not protected."""
    return _State.active


def install(policy: Active) -> None:
    """Protect every call from now on, of clients made before or after. Replaces the policy where one holds already."""
    with _lock:
        for owner, name, wrapper in _hook_points():
            if (owner, name) not in _installed:
                _installed[owner, name] = wrap_beneath(owner, name, wrapper)
        _State.active = policy


def remove() -> None:
    """Restore the SDK's methods. A hook that another library has wrapped stays, and passes everything through."""
    with _lock:
        _State.active = None
        for (owner, name), (original, hook) in list(_installed.items()):
            if unwrap_beneath(owner, name, original, hook):
                del _installed[owner, name]


def _hook_points() -> tuple[tuple[type, str, Callable[[_Function], _Function]], ...]:
    retries = "_request" if sdk_traces() else "request"
    return (
        (_base_client.SyncAPIClient, retries, _request),
        (_base_client.SyncAPIClient, "_process_response", _process_response),
        (_base_client.AsyncAPIClient, retries, _async_request),
        (_base_client.AsyncAPIClient, "_process_response", _async_process_response),
        (_streaming.Stream, "__stream__", _stream),
        (_streaming.AsyncStream, "__stream__", _async_stream),
        *(
            point
            for name in ("MessageStream", "BetaMessageStream")
            if (helper := getattr(_helpers, name, None)) is not None
            for point in ((helper, "__stream__", _helper), (helper, "__stream_text__", _helper_text))
        ),
        *(
            point
            for name in ("AsyncMessageStream", "BetaAsyncMessageStream")
            if (helper := getattr(_helpers, name, None)) is not None
            for point in ((helper, "__stream__", _async_helper), (helper, "__stream_text__", _async_helper_text))
        ),
    )


def _guard_of(response: Any) -> StreamGuard | None:
    """What watches a response; None where it is no stream of a protected call."""
    extensions: object = getattr(response, "extensions", None)
    guard = extensions.get(EXTENSION) if isinstance(extensions, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("StreamGuard | None", guard)


def _recovery_of(helper: Any) -> Recovery | None:
    """What follows when the stream that a helper reads breaks; None without a policy for that."""
    guard = _guard_of(getattr(getattr(helper, "_raw_stream", None), "response", None))
    return None if guard is None else guard.recovery


def _helper(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        recovery = _recovery_of(self)
        if recovery is None:
            return original(self)
        recovery.helped_by(self)
        return marked(recovery, original(self))

    return __stream__


def _async_helper(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        recovery = _recovery_of(self)
        if recovery is None:
            return original(self)
        recovery.helped_by(self)
        return async_marked(recovery, original(self))

    return __stream__


def _helper_text(original: _Function) -> _Function:
    @wraps(original)
    def __stream_text__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        recovery = _recovery_of(self)
        if recovery is not None:
            recovery.text_only = True  # from the first text that the app asks for
        yield from original(self)

    return __stream_text__


def _async_helper_text(original: _Function) -> _Function:
    @wraps(original)
    async def __stream_text__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        recovery = _recovery_of(self)
        if recovery is not None:
            recovery.text_only = True  # as above
        async for text in original(self):
            yield text

    return __stream_text__


def _request(original: _Function) -> _Function:
    @wraps(original)
    def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        policy = _State.active
        if policy is None or args or CURRENT_SESSION.get() is not None:
            return original(self, cast_to, options, *args, **kwargs)
        session = policy.session(original, self, cast_to, options, kwargs, is_async=False)
        if session is None:
            return original(self, cast_to, options, **kwargs)
        return sync.drive(session)

    return request


def _async_request(original: _Function) -> _Function:
    @wraps(original)
    async def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        policy = _State.active
        if policy is None or args or CURRENT_SESSION.get() is not None:
            return await original(self, cast_to, options, *args, **kwargs)
        session = policy.session(original, self, cast_to, options, kwargs, is_async=True)
        if session is None:
            return await original(self, cast_to, options, **kwargs)
        return await is_async.drive(session)

    return request


def _responding(session: Session, kwargs: Any, restart: Callable[[Session], Any]) -> None:
    response = kwargs.get("response")
    if response is None:
        return
    session.response = response
    if response.is_closed or not 200 <= response.status_code < 300:
        return
    guard = session.guard
    if guard is None:
        guard = session.guard = StreamGuard(session, restart, is_chat=session.is_chat and bool(kwargs.get("stream")))
    guard.attach(response)


def _process_response(original: _Function) -> _Function:
    @wraps(original)
    def process_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        session = CURRENT_SESSION.get()
        if session is not None:
            _responding(session, kwargs, sync.restart)
        return original(self, *args, **kwargs)

    return process_response


def _async_process_response(original: _Function) -> _Function:
    @wraps(original)
    async def process_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        session = CURRENT_SESSION.get()
        if session is not None:
            _responding(session, kwargs, is_async.restart)
        return await original(self, *args, **kwargs)

    return process_response


def _stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        guard = _guard_of(getattr(self, "response", None))
        return original(self) if guard is None else guard.events(self, original)

    return __stream__


def _async_stream(original: _Function) -> _Function:
    @wraps(original)
    def __stream__(self: Any) -> Any:  # noqa: N807 - the SDK's name
        guard = _guard_of(getattr(self, "response", None))
        return original(self) if guard is None else guard.async_events(self, original)

    return __stream__
