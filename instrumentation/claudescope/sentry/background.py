"""`task`: reports failures of work that nobody waits for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast, overload

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import BadInputError
from claudescope.sentry.capture import capture_exception
from claudescope.sentry.processor import BACKGROUND_HINT, COMPONENT

__all__ = ["MECHANISM", "task"]

MECHANISM: Final = "claudescope.task"
"""The mechanism of the events that `task` sends."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


@overload
def task(work: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]: ...


@overload
def task(work: Callable[_P, _T]) -> Callable[_P, _T]: ...


def task(work: Coroutine[Any, Any, _T] | Callable[_P, _T]) -> Coroutine[Any, Any, _T] | Callable[_P, _T]:
    """Wrap background work so that Sentry hears of its failure at once, instead of nobody.

        asyncio.create_task(task(summarise(text)))
        threading.Thread(target=task(summarise), args=(text,)).start()
        executor.submit(task(summarise), text)

    For work whose result nobody looks at: a failure is reported as unhandled, whatever becomes of it. It then goes
    the way that it would have gone, and what reports it there again is dropped. Stopping is no failure: neither a
    cancellation nor `SystemExit` or `KeyboardInterrupt` is reported. Keep a reference to a task of asyncio's, which
    itself keeps none.

    Args:
        work: A coroutine, or a function, sync or async. Also a decorator.

    Returns:
        The same kind of thing, which behaves the same.

    Raises:
        BadInputError: `work` can't be run in the background.
    """
    if inspect.iscoroutine(work):
        return _watched(cast("Coroutine[Any, Any, _T]", work))
    if not callable(work) or inspect.isgeneratorfunction(work) or inspect.isasyncgenfunction(work):
        raise BadInputError(f"task({work!r}): expected a coroutine, or a function that is no generator")
    function = work
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def run_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            return await _watched(function(*args, **kwargs))

        return cast("Callable[_P, _T]", run_async)

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _report(error)
            raise

    return run


async def _watched(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return await work
    except Exception as error:
        _report(error)
        raise


def _report(error: Exception) -> None:
    try:
        capture_exception(error, MECHANISM, handled=False, event={}, hint={BACKGROUND_HINT: True})
    except Exception:  # noqa: BLE001 - the failure goes its way, whether Sentry hears of it or not
        internal_errors.record(COMPONENT)
