"""Problems for apps of Flask: an error handler and the correlation id."""

from __future__ import annotations

from typing import Any

import anthropic

from claudescope._internal.exceptions import require
from claudescope.web import correlation
from claudescope.web.failures import failure_of
from claudescope.web.problem import Options
from claudescope.web.reporting import problem_of
from claudescope.web.streaming import EventStream, is_events

__all__ = ["install"]


def install(app: Any, options: Options) -> None:
    """Register a handler for exceptions that no handler of the app's own takes, and give each request its id."""
    flask = require("flask", extra="web", feature="claudescope.web for Flask")
    http_exception = require("werkzeug.exceptions", extra="web", feature="claudescope.web for Flask").HTTPException

    def begin() -> None:
        headers = {name.lower(): value for name, value in flask.request.headers.items()}
        flask.g.claudescope_correlation = correlation.enter(correlation.correlation_id_of(headers))

    def add_id(response: Any) -> Any:
        request_id = correlation.correlation_id()
        if request_id is not None:
            response.headers.setdefault(correlation.RESPONSE_HEADER, request_id)
            if response.is_streamed and is_events(response.content_type):
                locale = flask.request.headers.get("Accept-Language")
                stream = EventStream(options, request_id, flask.request.path, locale)
                response.response = stream.wrap(response.response)
        return response

    def end(_: BaseException | None) -> None:
        token = flask.g.pop("claudescope_correlation", None)
        if token is not None:
            correlation.leave(token)

    handlers: dict[type[Exception], Any] = app.error_handler_spec[None][None]
    catch_all = handlers.get(Exception)

    def handle(error: Exception) -> Any:
        if not isinstance(error, http_exception) and failure_of(error) is not None:
            locale = flask.request.headers.get("Accept-Language")
            made = problem_of(error, options, instance=flask.request.path, locale=locale)
            if made is not None:
                response = flask.jsonify(made.body())
                response.status_code = made.status
                response.headers.update(made.headers())
                return response
        if catch_all is not None:
            return app.ensure_sync(catch_all)(error)
        if isinstance(error, http_exception):
            return error  # the app's own answer
        raise error

    app.before_request(begin)
    app.after_request(add_id)
    app.teardown_request(end)
    app.register_error_handler(Exception, handle)
    if anthropic.APIError not in handlers:
        # Where the app sets a handler for all exceptions later, it takes the place of the one above.
        app.register_error_handler(anthropic.APIError, handle)
