"""Writes the log line of a problem, from which Sentry makes its event where it is used."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Final

from claudescope._internal import internal_errors
from claudescope.web.problem import Options, Problem, problem

__all__ = ["problem_of"]

_FRAMEWORKS: Final = frozenset(
    {"anyio", "asgiref", "claudescope", "contextlib", "django", "fastapi", "flask", "starlette", "werkzeug"}
)
_log: Final = logging.getLogger("claudescope.web")


def problem_of(error: BaseException, options: Options, *, instance: str | None, locale: str | None) -> Problem | None:
    """The problem of an exception that nothing else handled, which is logged as a framework logs one.

    Returns:
        None where the problem could not be made, so that the framework's own handling goes on. Never raises.
    """
    try:
        made = problem(error, options, instance=instance, locale=locale)
        _log.error(
            "request failed: %s, answered with status %d",
            made.error_code,
            made.status,
            exc_info=(type(error), error, _from_app(error.__traceback__)),
            extra={"correlation_id": made.correlation_id},
        )
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("web")
        return None
    return made


def _from_app(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the app's own code on: what lies above is the same for all requests, and slow to write."""
    own = trace
    while own is not None:
        if str(own.tb_frame.f_globals.get("__name__", "")).partition(".")[0] not in _FRAMEWORKS:
            return own
        own = own.tb_next
    return trace
