"""Run a call in a thread, or in a task of asyncio or trio, and tell the tracker how it ends."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol, cast

from claudescope._internal.call_events import WATCHER
from claudescope._internal.exceptions import BadInputError

if TYPE_CHECKING:
    from claudescope.web.follow.tracker import Tracker

__all__ = ["Loop", "Runner", "current_loop"]


_RUNNING: Final[set[Runner]] = set()
"""Calls in tasks: an event loop itself keeps no task alive."""


class Loop(Protocol):
    """An event loop."""

    def start(self, run: Callable[[], Awaitable[None]], context: Context, ended: Callable[[], object]) -> None:
        """Run `run` in a task of its own, now or soon. From any thread. It raises nothing.

        Args:
            run: What to run.
            context: Its context.
            ended: Is called when the task is over, however it ends.
        """
        ...

    def cancel(self) -> None:
        """Cancel the task. From any thread."""
        ...


def current_loop() -> Loop:
    """The event loop that this code runs in."""
    try:
        return _Asyncio(asyncio.get_running_loop())
    except RuntimeError:
        return _Trio()


class _Asyncio:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def start(self, run: Callable[[], Awaitable[None]], context: Context, ended: Callable[[], object]) -> None:
        async def task() -> None:
            await run()

        def begin() -> None:
            self._task = context.run(self._loop.create_task, task())
            self._task.add_done_callback(lambda _: ended())
            if self._cancelled:
                self._task.cancel()

        self._soon(begin)

    def cancel(self) -> None:
        def cancel() -> None:
            self._cancelled = True
            if self._task is not None:
                self._task.cancel()

        self._soon(cancel)

    def _soon(self, what: Callable[[], None]) -> None:
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        if here:
            what()
            return
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:  # the loop is closed, and its tasks with it
            return


class _Trio:
    def __init__(self) -> None:
        import trio  # the app runs on it

        self._trio: Any = trio
        self._token = trio.lowlevel.current_trio_token()
        self._scope = trio.CancelScope()

    def start(self, run: Callable[[], Awaitable[None]], context: Context, ended: Callable[[], object]) -> None:
        async def task() -> None:
            try:
                with self._scope:
                    await run()
            finally:
                ended()

        def begin() -> None:
            self._trio.lowlevel.spawn_system_task(task, context=context)

        self._soon(begin)

    def cancel(self) -> None:
        self._soon(self._scope.cancel)

    def _soon(self, what: Callable[[], object]) -> None:
        try:
            self._token.run_sync_soon(what)
        except RuntimeError:  # trio's error of a run that is over is one
            return


class Runner:
    """Runs one call, once.

    Args:
        call: An async or a sync function without arguments, or an awaitable.
        tracker: Is told how it ends.

    Attributes:
        value: What the call returned; None before.
    """

    def __init__(self, call: Any, tracker: Tracker) -> None:
        self._call = call
        self._tracker = tracker
        self._loop: Loop | None = None
        self.started = False
        self.value: Any = None
        if not callable(call) and not inspect.isawaitable(call):
            raise BadInputError(f"progress() got {call!r}; expected a function without arguments, or an awaitable")

    @property
    def loop(self) -> Loop | None:
        """The event loop that the call runs in; None in a thread."""
        return self._loop

    def start_in_thread(self) -> None:
        """Run a sync function in a thread of its own.

        Raises:
            BadInputError: The call is async.
        """
        if inspect.isawaitable(self._call) or inspect.iscoroutinefunction(self._call):
            raise BadInputError("the call of progress() is async: use `async for`, or `await` it, in a coroutine")
        self.started = True
        self._thread(None)

    def start_in_loop(self) -> None:
        """Run the call in a task.

        A function that is not async runs in a thread. If it returns an awaitable, that runs in a task.
        """
        self.started = True
        self._loop = current_loop()
        if inspect.isawaitable(self._call):
            self._task(self._call)
        elif inspect.iscoroutinefunction(self._call):
            self._task(self._call())
        else:
            self._thread(self._loop)

    def cancel(self) -> None:
        """Cancel the task. What runs in a thread can't be stopped: it goes on, and nobody gets its result."""
        if self._loop is not None:
            self._loop.cancel()
        if inspect.iscoroutine(self._call) and not self.started:
            self._call.close()

    def _context(self) -> Context:
        context = copy_context()
        context.run(WATCHER.set, self._tracker.take)
        return context

    def _task(self, awaitable: Any) -> None:
        tracker = self._tracker

        async def run() -> None:
            try:
                self.value = await awaitable
            except Exception as error:  # noqa: BLE001 - the app gets it from `result`
                tracker.failed(error)
            except BaseException:
                tracker.cancelled()
                raise
            else:
                tracker.done()

        def ended() -> None:
            _RUNNING.discard(self)
            tracker.cancelled()  # counts only where the task never began
            if inspect.iscoroutine(awaitable):
                awaitable.close()

        _RUNNING.add(self)
        loop = cast("Loop", self._loop)
        loop.start(run, self._context(), ended)

    def _thread(self, loop: Loop | None) -> None:
        tracker, context = self._tracker, self._context()

        def run() -> None:
            try:
                made = self._call()
                if inspect.isawaitable(made):
                    self._task(made if loop is not None else _refuse(made))
                    return
                self.value = made
            except BaseException as error:  # noqa: BLE001 - the app gets it from `result`
                tracker.failed(error)
            else:
                tracker.done()

        # Daemonic, as nobody may wait for it once it was cancelled.
        threading.Thread(target=context.run, args=(run,), name="claudescope-progress", daemon=True).start()


def _refuse(awaitable: Any) -> NoReturn:
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    raise BadInputError("the call of progress() is async: use `async for`, or `await` it, in a coroutine")
