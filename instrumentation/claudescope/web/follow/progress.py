"""`progress`: what an app holds of a call that it follows."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, overload

from claudescope._internal.durations import parse_duration
from claudescope._internal.exceptions import BadInputError
from claudescope.resilience.waiter import AsyncWaiter, Waiter
from claudescope.web.follow.runners import Runner, current_loop
from claudescope.web.follow.terminal import status
from claudescope.web.follow.tracker import Tracker

if TYPE_CHECKING:
    from rich.console import Console

    from claudescope.web.follow.runners import Loop
    from claudescope.web.follow.state import State
    from claudescope.web.messages import Messages

__all__ = ["Progress", "progress"]

T = TypeVar("T")
Hook = Callable[["Progress[Any]"], object]

_log: Final = logging.getLogger("claudescope.web")


class Progress(Generic[T]):
    """A call that is followed. See `progress`, which makes it.

    Iterate over it, sync or async, to get its states; the call starts then. Leaving the loop does not cancel the call:
    `result()`, `await` or another loop go on with it. `cancel()` cancels it, and so does leaving a `with` or
    `async with` block, and cancelling the task that waits for a state.
    """

    def __init__(self, runner: Runner, tracker: Tracker, every: float, on_state: Callable[[State], object]) -> None:
        self._runner = runner
        self._tracker = tracker
        self._every = every
        self._on_state = on_state
        self._seen_last = False
        self._timers: list[threading.Timer] = []

    @property
    def state(self) -> State:
        """The newest state."""
        return self._tracker.newest

    def cancel(self) -> None:
        """Cancel the call, unless it is over. From any thread.

        A sync call, which runs in a thread, can't be stopped: it goes on, and its result is dropped.
        """
        self._runner.cancel()
        self._tracker.cancelled()
        self._ended()

    def notify(self, hook: Hook, *, after: float | str) -> Progress[T]:
        """Call `hook` once, if the call still runs after a while: to send a message to a person who has left.

        It is called with this object, in a thread of its own; an async one runs in a task of the call's event loop. The
        time counts from now.

        Args:
            hook: A function of one argument. What it raises is logged in `claudescope.web`.
            after: Seconds, or a duration such as `"2min"`.

        Returns:
            This object.

        Raises:
            BadInputError: `after` is no duration, or `hook` is async and this code runs in no event loop.
        """
        seconds = _seconds("after", after)
        loop: Loop | None = None
        if inspect.iscoroutinefunction(hook):
            try:
                loop = current_loop()
            except RuntimeError:
                raise BadInputError("an async hook of notify() needs an event loop; use a sync function") from None
        timer = threading.Timer(seconds, copy_context().run, (self._notify, hook, loop))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()
        return self

    def _notify(self, hook: Hook, loop: Loop | None) -> None:
        if self._tracker.last is not None:
            return
        if loop is None:
            _guarded(hook, self)
            return

        async def run() -> None:
            try:
                await cast("Awaitable[object]", hook(self))
            except Exception:  # noqa: BLE001 - it is logged, and the call goes on
                _log.exception("a hook of notify() failed")

        loop.start(run, copy_context(), lambda: None)

    def result(self) -> T:
        """What the call returned.

        Raises:
            Exception: What the call raised.
            BadInputError: The call is not over, or was cancelled.
        """
        last = self._tracker.last
        if last is None:
            raise BadInputError("the call of progress() is not over; iterate to its end, await it, or use run()")
        if last.error is not None:
            raise last.error
        if last.name == "cancelled":
            raise BadInputError("the call of progress() was cancelled, so it has no result")
        return cast("T", self._runner.value)

    # --- sync ---------------------------------------------------------------------------------------------------

    def __iter__(self) -> Progress[T]:
        return self

    def __next__(self) -> State:
        if not self._runner.started and self._tracker.last is None:
            self._runner.start_in_thread()
        state = self._next()
        if state is None:
            waiter = Waiter()
            try:
                if self._tracker.waits(waiter):
                    waiter.wait(self._every)
            except BaseException:  # KeyboardInterrupt, or gevent's timeout
                self.cancel()
                raise
            state = self._next() or self._tracker.still()
        return self._shown(state)

    def run(self) -> T:
        """Run the call to its end, and call `on_state` with its states. Returns what the call returns.

        Raises:
            Exception: What the call raises.
        """
        for _ in self:
            pass
        return self.result()

    def show(self, console: Console | None = None) -> T:
        """As `run`, with a status line on the terminal.

        Args:
            console: Where to write; standard error by default.
        """
        with status(console) as write:
            for state in self:
                write(state)
        return self.result()

    def __enter__(self) -> Progress[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    # --- async --------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Progress[T]:
        return self

    async def __anext__(self) -> State:
        if not self._runner.started and self._tracker.last is None:
            self._runner.start_in_loop()
        try:
            state = self._next()
            if state is None:
                waiter = AsyncWaiter()
                try:
                    if self._tracker.waits(waiter):
                        await waiter.wait(self._every)
                except BaseException:  # whoever waits for the call was cancelled
                    self.cancel()
                    raise
                state = self._next() or self._tracker.still()
        except StopIteration:
            raise StopAsyncIteration from None
        return self._shown(state)

    async def _run_async(self, shown: AbstractContextManager[Callable[[State], object]] | None = None) -> T:
        if shown is None:
            async for _ in self:
                pass
        else:
            with shown as write:
                async for state in self:
                    write(state)
        return self.result()

    def __await__(self) -> Generator[Any, None, T]:
        """Run the call to its end, and call `on_state` with its states. Gives what the call returns."""
        return self._run_async().__await__()

    async def show_async(self, console: Console | None = None) -> T:
        """As `show`, in a task."""
        return await self._run_async(status(console))

    async def __aenter__(self) -> Progress[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()

    # --- both ---------------------------------------------------------------------------------------------------

    def _next(self) -> State | None:
        """The next state that was not seen; None where there is none yet.

        Raises:
            StopIteration: The last one was.
        """
        if self._seen_last:
            raise StopIteration
        state = self._tracker.next()
        if state is None and self._tracker.last is not None:
            state = self._tracker.next() or self._tracker.last  # between the two, the call may have ended
        return state

    def _shown(self, state: State) -> State:
        if state.is_last:
            self._seen_last = True
            self._ended()
        _guarded(self._on_state, state)
        return state

    def _ended(self) -> None:
        timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()


@overload
def progress(
    call: Callable[[], Awaitable[T]] | Awaitable[T],
    *,
    on_state: Callable[[State], object] | None = None,
    locale: str | None = None,
    messages: Messages | None = None,
    every: float | str = 5.0,
) -> Progress[T]: ...
@overload
def progress(
    call: Callable[[], T],
    *,
    on_state: Callable[[State], object] | None = None,
    locale: str | None = None,
    messages: Messages | None = None,
    every: float | str = 5.0,
) -> Progress[T]: ...
def progress(
    call: Any,
    *,
    on_state: Callable[[State], object] | None = None,
    locale: str | None = None,
    messages: Messages | None = None,
    every: float | str = 5.0,
) -> Progress[Any]:
    """Follow a call while it runs: what it waits for, why, and for how long.

    States come from what the SDK and the policy do: a retry, a place in a queue, another target or model, the first
    piece of a stream, the end. Where nothing happens for a while, `working`, or what is left of the wait, comes again.
    Retries are seen where `claudescope.instrument()` or `claudescope.protect()` is on. A reader that is slow does not
    slow the call: the last 64 states are kept for it.

    Args:
        call: A function without arguments that makes calls, async or sync, or an awaitable such as
            `client.messages.create(...)` of an async client. A sync function runs in a thread. All calls that it makes
            are followed. To follow a stream, read it inside of the function.
        on_state: Called with each state as it is read, by `run`, `await` and loops alike. What it raises is logged.
        locale: The language of messages: `"de"`, or a value of `Accept-Language`.
        messages: Texts of your own, from `Messages.load`.
        every: Seconds, or a duration such as `"10s"`, after which a state comes though nothing has happened.

    Returns:
        What to iterate over, `await`, `run` or `show`. The call starts then.

    Raises:
        BadInputError: `call` is no function and no awaitable, or `every` is no duration.

    Example:
        >>> followed = progress(lambda: "Good day")
        >>> [state.name for state in followed]
        ['waiting', 'done']
        >>> followed.result()
        'Good day'
    """
    tracker = Tracker(locale, messages)
    seconds = _seconds("every", every)
    return Progress(Runner(call, tracker), tracker, seconds, on_state or _nothing)


def _nothing(_: State) -> None:
    pass


def _guarded(function: Callable[[Any], object], argument: object) -> None:
    try:
        function(argument)
    except Exception:  # noqa: BLE001 - it is logged, and the call goes on
        _log.exception("a hook of progress() failed")


def _seconds(name: str, value: float | str) -> float:
    try:
        found = parse_duration(value.replace("min", "m")) if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found <= threading.TIMEOUT_MAX:
        raise BadInputError(f"{name}={value!r}: expected seconds above 0, or a duration such as '20s' or '2min'")
    return found
