"""Problems for apps of Starlette and FastAPI: a middleware around the app's own exception handlers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any, Final

import anthropic

from claudescope.web import correlation, openapi
from claudescope.web.failures import failure_of
from claudescope.web.problem import Options, Problem
from claudescope.web.reporting import problem_of
from claudescope.web.sse import MEDIA_TYPE, sse_error

__all__ = ["ProblemMiddleware", "install"]

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]

_READ: Final = {name.encode(): name for name in ("traceparent", "x-request-id", "accept-language")}
"""The headers that are read. A server gives their names in lower case."""
_EVENTS: Final = MEDIA_TYPE.encode()
_LOCALE: Final = "claudescope.locale"
"""What the request asks for in `Accept-Language`, in its scope."""
_HEADER: Final = correlation.RESPONSE_HEADER.lower().encode()


def install(app: Any, options: Options) -> None:
    """Add the middleware to an app of Starlette or FastAPI, and the document's schema to FastAPI's OpenAPI.

    A handler takes the SDK's own exceptions, unless the app has one already. The middleware takes what is raised from
    them, and what breaks a response that has begun.
    """

    async def handle(request: Any, error: Exception) -> Any:
        scope = request.scope
        made = problem_of(error, options, instance=scope["path"], locale=scope.get(_LOCALE))
        if made is None:
            raise error
        return partial(_respond, made)

    app.exception_handlers.setdefault(anthropic.APIError, handle)
    app.add_middleware(ProblemMiddleware, options=options)
    if hasattr(app, "openapi"):
        openapi.describe(app, options)


class ProblemMiddleware:
    """Answers requests whose Claude call failed with a problem document, and gives each request its correlation id.

    Exceptions that the app handles itself never arrive here, and all others pass through unchanged.

    Args:
        app: The next ASGI app.
        options: How problems are made.
    """

    def __init__(self, app: _App, options: Options | None = None) -> None:
        self._app = app
        self._options = options or Options()

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Run the app for one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {_READ[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        scope[_LOCALE] = headers.get("accept-language")
        request_id = correlation.correlation_id_of(headers)
        token = correlation.enter(request_id)
        response = _Response(send, request_id)
        try:
            await self._app(scope, receive, response.send)
        except Exception as error:
            if failure_of(error) is None or not response.may_continue:
                raise
            made = problem_of(error, self._options, instance=scope["path"], locale=headers.get("accept-language"))
            if made is None:
                raise
            await response.fail(made)
        finally:
            correlation.leave(token)


class _Response:
    """What has been sent of a response."""

    def __init__(self, send: _Send, request_id: str) -> None:
        self._send = send
        self._id = request_id.encode()
        self._started = False
        self._is_events = False
        self._ended = False

    @property
    def may_continue(self) -> bool:
        """Whether a problem can still be sent: nothing was, or the response is a stream of events."""
        return not self._ended and (not self._started or self._is_events)

    async def send(self, message: _Message) -> None:
        """Send a message of the app, with the correlation id among its headers."""
        if message["type"] == "http.response.start":
            self._started = True
            sent = list(message.get("headers", ()))
            has_id = False
            for name, value in sent:
                lower = name.lower()
                if lower == b"content-type":
                    self._is_events = value.lower().startswith(_EVENTS)
                elif lower == _HEADER:
                    has_id = True
            if not has_id:
                sent.append((_HEADER, self._id))
            message = {**message, "headers": sent}
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self._ended = True
        await self._send(message)

    async def fail(self, problem: Problem) -> None:
        """End the response with a problem: as its body, or as its last event where its headers have left."""
        if self._started:
            await self.send({"type": "http.response.body", "body": sse_error(problem).encode(), "more_body": False})
        else:
            await _respond(problem, {}, None, self.send)


async def _respond(problem: Problem, scope: object, receive: object, send: _Send) -> None:
    """An ASGI app that answers with a problem."""
    del scope, receive
    body = json.dumps(problem.body()).encode()
    headers = {**problem.headers(), "Content-Length": str(len(body))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
