"""`task`: reports failures of background work."""

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
    """Wrap background work so that its failure is reported to Sentry at once.

        asyncio.create_task(task(summarise(text)))
        threading.Thread(target=task(summarise), args=(text,)).start()
        executor.submit(task(summarise), text)

    Use it for work whose result is not read. A failure is reported as unhandled and then raised as without `task`;
    further reports of the same exception are dropped. A cancellation, `SystemExit` and `KeyboardInterrupt` are not
    reported. Keep a reference to an asyncio task, as asyncio keeps none.

    Args:
        work: A coroutine, or a sync or async function. `task` is also a decorator.

    Returns:
        A coroutine for a coroutine, a function for a function. Results and exceptions are the same.

    Raises:
        BadInputError: `work` is neither a coroutine nor a function, or is a generator.
    """
    if inspect.iscoroutine(work):
        return _reporting(cast("Coroutine[Any, Any, _T]", work))
    if not callable(work) or inspect.isgeneratorfunction(work) or inspect.isasyncgenfunction(work):
        raise BadInputError(f"task({work!r}): expected a coroutine or a function. Generators are not supported")
    function = work
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def run_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            return await _reporting(function(*args, **kwargs))

        return cast("Callable[_P, _T]", run_async)

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _report(error)
            raise

    return run


async def _reporting(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        return await work
    except Exception as error:
        _report(error)
        raise


def _report(error: Exception) -> None:
    try:
        capture_exception(error, MECHANISM, handled=False, event={}, hint={BACKGROUND_HINT: True})
    except Exception:  # noqa: BLE001 - the app gets its own exception, whether it could be reported or not
        internal_errors.record(COMPONENT)
