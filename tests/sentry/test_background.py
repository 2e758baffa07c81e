"""ExceptionRegistry of work that nobody waits for are reported, once, and the work behaves as before."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anthropic
import pytest
import sentry_sdk
from sentry_sdk.integrations.asyncio import AsyncioIntegration

import claudescope
from claudescope._internal.exceptions import BadInputError
from claudescope.sentry import task
from tests.scripted import REQUEST, ScriptedAPI
from tests.sentry.conftest import Recorder, Start
from tests.sentry.failures import fail, rate_limit


def _call(error: type[Exception] | Exception | None = None) -> str:
    if error is not None:
        raise error
    ScriptedAPI(rate_limit()).client(max_retries=0).messages.create(**REQUEST)
    return "not reached"


async def _async_call(error: type[Exception] | None = None) -> str:
    if error is not None:
        raise error
    await ScriptedAPI(rate_limit()).async_client(max_retries=0).messages.create(**REQUEST)
    return "not reached"


def _mechanism(recorder: Recorder) -> tuple[str, bool]:
    mechanism: dict[str, Any] = recorder.event["exception"]["values"][-1]["mechanism"]
    return mechanism["type"], mechanism["handled"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [None, ZeroDivisionError])
def test_a_thread(start: Start, error: type[Exception] | None) -> None:
    """The failure of a thread, of a call or any other, is one unhandled event, though Sentry sees it too."""
    recorder = start()
    claudescope.instrument()
    thread = threading.Thread(target=task(_call), args=(error,))
    thread.start()
    thread.join()
    assert _mechanism(recorder) == ("claudescope.task", False)


def test_an_executor(start: Start) -> None:
    """The failure of a job whose future nobody reads, which is lost else."""
    recorder = start()
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(task(_call))
    assert isinstance(future.exception(), anthropic.RateLimitError)
    assert recorder.event["tags"]["claude.error_type"] == "rate_limit_error"


def test_lost_without_it(start: Start) -> None:
    """What the last test guards against."""
    recorder = start()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(_call)
    assert recorder.events == []


@pytest.mark.parametrize("error", [None, ZeroDivisionError])
@pytest.mark.parametrize("wrap", [lambda error: task(_async_call(error)), task(_async_call)])
@pytest.mark.parametrize("also", [(), (AsyncioIntegration(),)], ids=["alone", "beside-sentrys-own"])
def test_a_task_that_nobody_awaits(
    start: Start, error: type[Exception] | None, wrap: Callable[[type[Exception] | None], Any], also: tuple[Any, ...]
) -> None:
    """Reported as it fails, and not again when asyncio finds that nobody retrieved the exception."""
    recorder = start()

    async def main() -> None:
        forgotten = asyncio.create_task(wrap(error))
        await asyncio.wait([forgotten])
        assert len(recorder.events) == 1
        del forgotten

    asyncio.run(main())
    gc.collect()
    assert _mechanism(recorder) == ("claudescope.task", False)


class _Worker:
    """A callable object."""

    async def __call__(self, error: type[Exception] | None = None) -> str:
        """Fails as a call does."""
        return await _async_call(error)


class _Awaitable:
    """An awaitable of the app's own."""

    def __await__(self) -> Any:
        return _async_call().__await__()


@pytest.mark.parametrize(
    "work",
    [
        _Worker(),
        partial(_Worker(), None),
        partial(_async_call),
        lambda: _async_call(),  # noqa: PLW0108 - a lambda is what is tested
        partial(lambda: _async_call()),  # noqa: PLW0108
        _Awaitable,
        _Worker().__call__,
    ],
    ids=["object", "partial-of-object", "partial", "lambda", "partial-of-lambda", "awaitable", "method"],
)
def test_every_callable(start: Start, work: Callable[[], Any]) -> None:
    """Whatever is called, the failure of what it returns to be awaited is reported and raised."""
    recorder = start()

    async def main() -> None:
        with pytest.raises(anthropic.RateLimitError):
            await task(work)()

    asyncio.run(main())
    assert _mechanism(recorder) == ("claudescope.task", False)


def test_a_function_that_starts_a_task(start: Start) -> None:
    """A function that returns a task returns this very task, and its failure is reported."""
    recorder = start()

    async def main() -> None:
        started: list[asyncio.Task[str]] = []

        def begin() -> asyncio.Task[str]:
            started.append(asyncio.create_task(_async_call()))
            return started[0]

        running = task(begin)()
        assert running is started[0]
        with pytest.raises(anthropic.RateLimitError):
            await running

    asyncio.run(main())
    assert _mechanism(recorder) == ("claudescope.task", False)


def test_work_that_succeeds(start: Start) -> None:
    """Results, names and the kind of function stay as they are."""
    recorder = start()

    @task
    async def work(text: str) -> str:
        """Summarises."""
        return text.upper()

    assert asyncio.run(work("a")) == "A"
    assert asyncio.iscoroutinefunction(work)
    assert (work.__name__, work.__doc__) == ("work", "Summarises.")
    assert task(partial(str.upper, "b"))() == "B"
    assert recorder.events == []


def test_being_stopped_is_no_failure(start: Start) -> None:
    """Cancellation and exit are not reported, and go their way."""
    recorder = start()

    async def main() -> None:
        running = asyncio.create_task(task(asyncio.sleep(60)))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    with pytest.raises(SystemExit):
        task(exit)(3)
    assert recorder.events == []


def test_the_failure_goes_its_way(start: Start, monkeypatch: pytest.MonkeyPatch, expected_faults: Counter[str]) -> None:
    """Whatever goes wrong in reporting, the work fails as it would have."""
    start()
    error = fail(rate_limit())

    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(sentry_sdk, "capture_event", broken)
    expected_faults["sentry"] = 1
    with pytest.raises(anthropic.RateLimitError) as raised:
        task(_call)(error)
    assert raised.value is error


@pytest.mark.parametrize("work", [1, "x", iter(())])
def test_what_cannot_run(work: Any) -> None:
    """Anything but a coroutine or a function gets one clear message."""
    with pytest.raises(BadInputError, match="expected a coroutine or a function"):
        task(work)
