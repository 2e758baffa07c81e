"""Runs one and the same use of the SDK with a sync client, on asyncio and on trio.

A use is written once, as a coroutine over these primitives. With a sync client it never suspends.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import anyio
import anyio.lowlevel
import trio

__all__ = ["Backend", "Entered", "Items", "run", "value"]

Backend = Literal["sync", "asyncio", "trio"]


async def value(result: Any) -> Any:
    """What a method returned, awaited where it is an async client's."""
    return await result if inspect.isawaitable(result) else result


class Items:
    """Goes through what a sync or an async client gives, and holds no more of it than a `for` does."""

    def __init__(self, source: Any) -> None:
        self._is_async = hasattr(source, "__aiter__")
        self._items: Any = source.__aiter__() if self._is_async else iter(source)

    def __aiter__(self) -> Items:
        return self

    async def __anext__(self) -> Any:
        if self._is_async:
            return await self._items.__anext__()
        try:
            return next(self._items)
        except StopIteration:
            raise StopAsyncIteration from None


class Entered:
    """Enters a sync or an async context manager."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._is_async = hasattr(manager, "__aenter__")

    async def __aenter__(self) -> Any:
        return await self._manager.__aenter__() if self._is_async else self._manager.__enter__()

    async def __aexit__(self, *error: Any) -> Any:
        return await self._manager.__aexit__(*error) if self._is_async else self._manager.__exit__(*error)


def run(backend: Backend, use: Callable[[], Awaitable[Any]], scope: list[anyio.CancelScope]) -> Any:
    """Run `use` to its end.

    Args:
        backend: On what.
        use: Makes the coroutine.
        scope: Gets what cancels it, where it can be cancelled.

    Returns:
        What it returned, or `"cancelled"`.
    """
    if backend == "sync":
        coroutine: Any = use()
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("a sync client suspended")

    async def main() -> Any:
        with anyio.CancelScope() as cancel:
            scope.append(cancel)
            result = await use()
            await anyio.lowlevel.checkpoint()  # lets the loop close what was dropped
            return result
        return "cancelled"

    return asyncio.run(main()) if backend == "asyncio" else trio.run(main)
