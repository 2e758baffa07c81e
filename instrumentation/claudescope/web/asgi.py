"""Problems for apps of Starlette and FastAPI: middleware around the app's own exception handlers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import Token
from typing import Any, Final

from claudescope._internal.exceptions import require
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
_ID: Final = "claudescope.correlation_id"
"""The key of a scope with the request's id."""
_HAS_HEADER: Final = "claudescope.has_header"
"""The key that says whether another middleware tells the consumer the id."""
_INTERNAL: Final = b"Internal Server Error"
"""The body of Starlette's own answer to an exception that nothing handles."""
_LENGTH: Final = (b"content-length", str(len(_INTERNAL)).encode())
_HEADER: Final = correlation.RESPONSE_HEADER.lower().encode()


def install(app: Any, options: Options) -> None:
    """Add the middleware to an app of Starlette or FastAPI, and the document's schema to FastAPI's OpenAPI.

    It goes innermost, so that problems pass through the app's own middleware, such as one for CORS. Another one goes
    outermost, for calls that the app's own middleware makes.
    """
    middleware = require("starlette.middleware", extra="web", feature="claudescope.web for Starlette").Middleware
    app.add_middleware(ProblemMiddleware, options=options, outermost=True)  # which refuses an app that has begun
    app.user_middleware.append(middleware(ProblemMiddleware, options=options))
    if hasattr(app, "openapi"):
        openapi.describe(app, options)


class ProblemMiddleware:
    """Answers requests whose Claude call failed with a problem document, and gives each request its correlation id.

    Exceptions that the app handles itself never arrive here, and all others pass through unchanged.

    Args:
        app: The next ASGI app.
        options: How problems are made.
        outermost: Whether another one follows further inside, which gives requests their id.
    """

    def __init__(self, app: _App, options: Options | None = None, *, outermost: bool = False) -> None:
        self._app = app
        self._options = options or Options()
        self._gives_id = not outermost

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Run the app for one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = self._enter(scope) if self._gives_id else None
        response = _Response(scope, send)
        try:
            await self._app(scope, receive, response.send)
            await response.release()
        except Exception as error:
            if failure_of(error) is None or not response.may_continue:
                await response.release()
                raise
            token = token or self._enter(scope)
            locale = _headers(scope).get("accept-language")
            made = problem_of(error, self._options, instance=scope["path"], locale=locale)
            if made is None:
                await response.release()
                raise
            await response.fail(made)
        finally:
            if token is not None:
                correlation.leave(token)

    def _enter(self, scope: MutableMapping[str, Any]) -> Token[str | None]:
        request_id = scope.get(_ID)  # of an app that this one is mounted in
        if request_id is None:
            # One that asgi-correlation-id has set is the request's, and that sends the header.
            theirs = correlation.correlation_id()
            request_id = scope[_ID] = theirs or correlation.correlation_id_of(_headers(scope))
            scope[_HAS_HEADER] = theirs is not None
        return correlation.enter(request_id)


def _headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    return {_READ[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}


class _Response:
    """What has been sent of a response.

    Starlette's own answer to an exception is held back until the exception arrives: a mounted app sends it by itself.
    """

    def __init__(self, scope: MutableMapping[str, Any], send: _Send) -> None:
        self._scope = scope
        self._send = send
        self._held: list[_Message] = []
        self._started = False
        self._is_events = False
        self._ended = False

    @property
    def may_continue(self) -> bool:
        """Whether a problem can still be sent: nothing was, or the response is a stream of events."""
        return not self._ended and (not self._started or self._is_events)

    async def send(self, message: _Message) -> None:
        """Send a message of the app, with the correlation id among its headers."""
        kind = message["type"]
        if kind == "http.response.start" and message["status"] == 500 and _LENGTH in message.get("headers", ()):
            self._held.append(message)
            return
        if self._held and message.get("body") == _INTERNAL and not message.get("more_body"):
            self._held.append(message)
            return
        await self.release()
        await self._pass_on(message)

    async def release(self) -> None:
        """Send what was held back."""
        held, self._held = self._held, []
        for message in held:
            await self._pass_on(message)

    async def _pass_on(self, message: _Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            sent = list(message.get("headers", ()))
            has_id = self._scope.get(_HAS_HEADER, False)
            for name, value in sent:
                lower = name.lower()
                if lower == b"content-type":
                    self._is_events = value.lower().startswith(_EVENTS)
                elif lower == _HEADER:
                    has_id = True
            request_id = self._scope.get(_ID)
            if request_id is not None and not has_id:
                sent.append((_HEADER, request_id.encode()))
            message = {**message, "headers": sent}
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            self._ended = True
        await self._send(message)

    async def fail(self, problem: Problem) -> None:
        """End the response with a problem: as its body, or as its last event where its headers have left."""
        self._held = []
        if self._started:
            await self.send({"type": "http.response.body", "body": sse_error(problem).encode(), "more_body": False})
            return
        body = json.dumps(problem.body()).encode()
        headers = {**problem.headers(), "Content-Length": str(len(body))}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self._pass_on({"type": "http.response.start", "status": problem.status, "headers": raw})
        await self._pass_on({"type": "http.response.body", "body": body, "more_body": False})
