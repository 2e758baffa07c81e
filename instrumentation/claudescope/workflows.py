"""Labels calls with the workflow that made them.

The name is in a `contextvars.ContextVar`: tasks and `asyncio.to_thread` inherit it. It is never in OpenTelemetry's
baggage, which the SDK would send to the API.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

from claudescope._internal.exceptions import BadInputError

__all__ = ["current_workflow", "workflow"]


class _Block:
    """One entry into a `workflow` block.

    Attributes:
        name: The workflow.
        ended: Whether it was left in another context than the one that it was entered in. Left in its own context, it
            is taken off the stack there, and tasks that were started inside keep it.
    """

    __slots__ = ("ended", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = False


# The blocks that this context is in, innermost last. A copy of the context, such as that of a task, inherits them.
_stack: ContextVar[tuple[_Block, ...]] = ContextVar("claudescope_workflow", default=())
# Set at each entry only for its token, which tells whether a block is left in the context that it was entered in.
_entered: ContextVar[None] = ContextVar("claudescope_workflow_entered", default=None)
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
        # One object may be entered by many tasks and threads at once.
        self._entries: list[tuple[_Block, int, Token[None]]] = []

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
                with workflow(self.name):
                    return await func(*args, **kwargs)

            return cast("_F", run_async)

        @wraps(func)
        def run(*args: Any, **kwargs: Any) -> Any:
            with workflow(self.name):
                return func(*args, **kwargs)

        return cast("_F", run)

    def __enter__(self) -> workflow:
        self._enter(_user_of_the_block())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit(_user_of_the_block())

    async def __aenter__(self) -> workflow:
        self._enter(_user_of_the_block())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit(_user_of_the_block())

    def _enter(self, frame: int) -> None:
        block = _Block(self.name)
        self._entries.append((block, frame, _entered.set(None)))
        # Blocks that were left elsewhere go now, so that they don't pile up in a context that lives long.
        _stack.set((*(outer for outer in _stack.get() if not outer.ended), block))

    def _exit(self, frame: int) -> None:
        """Take off the block that `frame` entered.

        It may be in the middle of the stack, where blocks are left out of order, or in none, where a generator is
        closed by another task or by the garbage collector.
        """
        entries = self._entries[::-1]
        stack = _stack.get()
        entry = (
            next((entry for entry in entries if entry[1] == frame), None)
            # An `ExitStack` enters and leaves in frames of its own.
            or next((entry for entry in entries if entry[0] in stack), None)
            or next(iter(entries), None)
        )
        if entry is None:
            return  # left more often than entered
        with suppress(ValueError):  # another thread has taken it off
            self._entries.remove(entry)
        block, _, token = entry
        try:
            _entered.reset(token)
        except (ValueError, RuntimeError):
            block.ended = True
        if block in stack:
            _stack.set(tuple(other for other in stack if other is not block))


def _user_of_the_block() -> int:
    """Identify the frame that enters or leaves a block: the caller of the method that calls this."""
    return id(sys._getframe(2))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def current_workflow() -> str | None:
    """The name of the innermost workflow around this code, or None."""
    for block in reversed(_stack.get()):
        if not block.ended:
            return block.name
    return None
