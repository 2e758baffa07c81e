"""`task`: reports failures of background work."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial, wraps
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
        work: A coroutine, or anything that can be called: a sync or async function, a lambda, a `partial`, a method, an
            object with `__call__`. `task` is also a decorator.

    Returns:
        A coroutine for a coroutine, a function for a callable. Results and exceptions are the same. An awaitable that
        the callable returns is reported when it fails; a future is returned as it is, any other as a coroutine.

    Raises:
        BadInputError: `work` is neither a coroutine nor a function, or is a generator.
    """
    if inspect.iscoroutine(work):
        return _reporting(cast("Coroutine[Any, Any, _T]", work))
    if not callable(work) or any(map(_is_generator, _functions(work))):
        raise BadInputError(f"task({work!r}): expected a coroutine or a function. Generators are not supported")
    function = work
    if any(map(inspect.iscoroutinefunction, _functions(work))):

        @wraps(function)
        async def run_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
            return await _reporting(cast("Awaitable[Any]", function(*args, **kwargs)))

        return cast("Callable[_P, _T]", run_async)

    @wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            result: Any = function(*args, **kwargs)
        except Exception as error:
            _report(error)
            raise
        return cast("_T", _watched(result))

    return run


def _functions(work: Callable[..., object]) -> Iterator[object]:
    """Yield a callable, the function of a `partial`, and the method that an object is called by."""
    while isinstance(work, partial):
        work = work.func
    yield work
    if not inspect.isclass(work):
        yield type(work).__call__


def _is_generator(function: object) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _watched(result: Any) -> Any:
    """Report the failure of what a function has returned, where that is work which goes on."""
    if isinstance(result, (asyncio.Future, concurrent.futures.Future)):
        cast("Any", result).add_done_callback(_report_future)
        return cast("Any", result)  # the app may cancel it, or compare it
    return _reporting(result) if inspect.isawaitable(result) else result


def _report_future(future: Any) -> None:
    # Not `exception()`: asyncio would no longer log that nobody has retrieved it.
    error = None if future.cancelled() else getattr(future, "_exception", None)
    if isinstance(error, Exception):
        _report(error)


async def _reporting(work: Awaitable[_T]) -> _T:
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
