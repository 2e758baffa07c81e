"""Problems for Django: a middleware for `MIDDLEWARE`.

MIDDLEWARE = ["claudescope.web.django_app.ProblemMiddleware", ...]
CLAUDESCOPE_WEB = claudescope.web.Options(status={"rate_limit_error": 429})     # optional
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from claudescope._internal.exceptions import BadInputError, require
from claudescope.web import correlation
from claudescope.web.failures import failure_of
from claudescope.web.problem import Options
from claudescope.web.reporting import problem_of
from claudescope.web.streaming import EventStream, is_events

__all__ = ["ProblemMiddleware"]


class ProblemMiddleware:
    """Answers requests whose Claude call failed with a problem document, and gives each request its correlation id.

    Args:
        get_response: The next middleware, sync or async.

    Raises:
        BadInputError: The setting `CLAUDESCOPE_WEB` is no `Options`.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._next = get_response
        settings = require("django.conf", extra="web", feature="claudescope.web for Django").settings
        options: object = getattr(settings, "CLAUDESCOPE_WEB", None) or Options()
        if not isinstance(options, Options):
            raise BadInputError(f"CLAUDESCOPE_WEB is {options!r}; expected an instance of claudescope.web.Options")
        self._options = options
        if iscoroutinefunction(get_response):
            # Django asks the instance whether it is async.
            mark = require("asgiref.sync", extra="web", feature="claudescope.web for Django").markcoroutinefunction
            mark(self)

    def __call__(self, request: Any) -> Any:
        """Handle one request."""
        if iscoroutinefunction(self._next):
            return self._asynchronously(request, self._next)
        token, request_id = _begin(request)
        try:
            return self._finished(request, self._next(request), request_id)
        finally:
            correlation.leave(token)

    async def _asynchronously(self, request: Any, following: Callable[[Any], Awaitable[Any]]) -> Any:
        token, request_id = _begin(request)
        try:
            return self._finished(request, await following(request), request_id)
        finally:
            correlation.leave(token)

    def process_exception(self, request: Any, exception: Exception) -> Any:
        """The response to a view that raised; None for Django's own."""
        if failure_of(exception) is None:
            return None
        locale = request.headers.get("Accept-Language")
        made = problem_of(exception, self._options, instance=request.path, locale=locale)
        if made is None:
            return None
        response = require("django.http", extra="web", feature="claudescope.web for Django").HttpResponse(
            json.dumps(made.body()), status=made.status
        )
        for name, value in made.headers().items():
            response.headers[name] = value
        return response

    def _finished(self, request: Any, response: Any, request_id: str) -> Any:
        """The response with the correlation id among its headers."""
        response.headers.setdefault(correlation.RESPONSE_HEADER, request_id)
        if response.streaming and is_events(response.headers.get("Content-Type")):
            stream = EventStream(self._options, request_id, request.path, request.headers.get("Accept-Language"))
            wrap = stream.wrap_async if response.is_async else stream.wrap
            response.streaming_content = wrap(response.streaming_content)
        return response


def _begin(request: Any) -> tuple[Any, str]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    request_id = correlation.correlation_id_of(headers)
    return correlation.enter(request_id), request_id
