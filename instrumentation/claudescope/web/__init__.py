"""What consumers of an app get, and what people read, while Claude is not well.

    import claudescope.web

    claudescope.web.install(app)        # FastAPI, Starlette or Flask

From then on a failed Claude call that the app does not handle itself is answered with a problem document of RFC 9457.
Django takes `claudescope.web.django_app.ProblemMiddleware` in `MIDDLEWARE`; for any other framework there is
`problem(error)`.
"""

from __future__ import annotations

from typing import Any

from claudescope._internal.exceptions import BadInputError
from claudescope.web.correlation import correlation_id
from claudescope.web.follow import Progress, State, progress, progress_events, progress_events_sync
from claudescope.web.messages import Messages, degraded_message, user_message
from claudescope.web.problem import STATUSES, Options, Problem, json_schema, problem
from claudescope.web.sse import sse_error

__all__ = [
    "STATUSES",
    "Messages",
    "Options",
    "Problem",
    "Progress",
    "State",
    "correlation_id",
    "degraded_message",
    "install",
    "json_schema",
    "problem",
    "progress",
    "progress_events",
    "progress_events_sync",
    "sse_error",
    "user_message",
]


def install(app: Any, options: Options | None = None) -> None:
    """Answer requests whose Claude call failed with problem documents, and give each request a correlation id.

    Exceptions that a handler of the app takes, and exceptions of anything but a Claude call, are left alone. Each
    problem is logged once, with its traceback, in the logger `claudescope.web`.

    Args:
        app: An app of FastAPI, Starlette or Flask. Call it once, before the app serves requests.
        options: How problems are made.

    Raises:
        BadInputError: The app is of another framework, or it is installed there already.
    """
    if getattr(app, "_claudescope_web", False):
        raise BadInputError("claudescope.web is installed in this app already; call install() once")
    frameworks = {base.__module__.partition(".")[0] for base in type(app).__mro__}
    if frameworks & {"starlette", "fastapi"}:
        from claudescope.web.asgi import install as install_there  # only the framework that is used
    elif "flask" in frameworks:
        from claudescope.web.flask_app import install as install_there  # likewise
    elif "django" in frameworks:
        raise BadInputError(
            "Django's middleware is set in its settings: put 'claudescope.web.django_app.ProblemMiddleware' first in "
            "MIDDLEWARE, and options into CLAUDESCOPE_WEB"
        )
    else:
        raise BadInputError(
            f"{type(app).__module__}.{type(app).__qualname__} is no app of FastAPI, Starlette or Flask; "
            "use claudescope.web.problem(error) in a handler of your own"
        )
    install_there(app, options or Options())
    app._claudescope_web = True  # noqa: SLF001 - a mark of ours
