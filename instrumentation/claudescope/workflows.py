"""Labels calls with the workflow that made them.

The name is in a `contextvars.ContextVar`: tasks and `asyncio.to_thread` inherit it. It is never in OpenTelemetry's
baggage, which the SDK would send to the API.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

from claudescope._internal.exceptions import BadInputError

__all__ = ["current_workflow", "workflow"]

# The whole stack, so that many tasks and threads can enter one `workflow` object at once.
_stack: ContextVar[tuple[str, ...]] = ContextVar("claudescope_workflow", default=())
_F = TypeVar("_F", bound=Callable[..., Any])


class workflow:  # noqa: N801 - reads as a statement, like contextlib.suppress
    """Label the calls made inside with a workflow's name.

    A context manager, sync and async, and a decorator of sync and async functions; the innermost name wins.

    Args:
        name: A short, stable name such as `"summarise"`. It is the value of the label `claude.workflow`, so it must
            come from a small set: a process keeps the first 100 by default, and counts further ones under `other`.

    Raises:
        BadInputError: The name is empty or not a string, or the decorated function is a generator.

    Example:
        >>> with workflow("summarise"):
        ...     current_workflow()
        'summarise'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name.strip():
            raise BadInputError(f"workflow name {name!r}: expected a non-empty string, such as 'summarise'")
        self.name = name

    def __call__(self, func: _F) -> _F:
        """Wrap a function so that every call of it runs inside the workflow."""
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            # The name would be set while the generator is created, and not while it runs.
            raise BadInputError(
                f"workflow {self.name!r} can't decorate the generator {func.__qualname__!r}: "
                f"use `with workflow({self.name!r}):` around the calls inside it"
            )
        if inspect.iscoroutinefunction(func):

            @wraps(func)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await func(*args, **kwargs)

            return cast("_F", run_async)

        @wraps(func)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return cast("_F", run)

    def __enter__(self) -> workflow:
        _stack.set((*_stack.get(), self.name))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _stack.set(_stack.get()[:-1])

    async def __aenter__(self) -> workflow:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)


def current_workflow() -> str | None:
    """The name of the innermost workflow around this code, or None."""
    stack = _stack.get()
    return stack[-1] if stack else None
