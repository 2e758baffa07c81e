"""Runs the demo's workflows for some time, and compares claudescope's counts with those of the simulator."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final

from anthropic import Anthropic, AsyncAnthropic

from claudescope._internal.exceptions import BadInputError
from claudescope.demo.workflows import ASYNC_WORKFLOWS, SYNC_WORKFLOWS, Turn, run_batch
from claudescope.lifecycle import report
from claudescope.reporting.model import Report
from claudescope.schema.classify import classify
from claudescope.simulator import Simulator

__all__ = ["DemoResult", "run_demo", "run_live"]

_MAX_RETRIES: Final = 2
_PROGRESS_SECONDS: Final = 0.25
_LIVE_MAX_TOKENS: Final = 60

OnProgress = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of a demo.

    Attributes:
        report: The report of claudescope.
        served: The simulator's own count of responses by status as text, `none` for no response; None for the real API.
    """

    report: Report
    served: Mapping[str, int] | None

    @property
    def agrees(self) -> bool:
        """Whether both counts of every status are equal. True for the real API."""
        return self.served is None or dict(self.report.attempts_by_status) == dict(self.served)


def run_demo(
    *,
    scenario: str = "mixed",
    seed: int = 0,
    duration: float = 15.0,
    time_scale: float = 1.0,
    on_progress: OnProgress = lambda report: None,
) -> DemoResult:
    """Run the workflows against a simulator in this process. Call `instrument` first.

    Args:
        scenario: Name or file of the simulator's scenario.
        seed: The same seed gives the same requests and responses.
        duration: Seconds during which new calls start. Running calls are completed.
        time_scale: Factor for the simulator's latencies.
        on_progress: Called with the report so far, several times a second, on the calling thread.

    Returns:
        The report and the simulator's own count.

    Raises:
        BadInputError: The scenario is unknown or invalid, or a number is out of range.
    """
    if not duration > 0:
        raise BadInputError(f"--duration {duration:g}: expected a number of seconds above 0, such as 15")
    with Simulator(scenario=scenario, seed=seed, time_scale=time_scale) as simulator:
        _drive(
            {"base_url": simulator.url, "api_key": "simulated", "max_retries": _MAX_RETRIES},
            seed,
            stop=_after(duration),
            max_tokens=400,
            on_progress=on_progress,
        )
        served = {str(status): count for status, count in simulator.ledger().responses.items() if count}
    return DemoResult(report(), served)


def run_live(
    *,
    seed: int = 0,
    duration: float = 15.0,
    budget_usd: Decimal = Decimal("0.05"),
    on_progress: OnProgress = lambda report: None,
) -> DemoResult:
    """Run the workflows against the real API, until the time is over or the budget is spent.

    Args:
        seed: The same seed gives the same requests.
        duration: Seconds during which new calls start.
        budget_usd: No new call starts once this many US dollars are spent, or after a call without a known price.
        on_progress: Called with the report so far, several times a second, on the calling thread.

    Returns:
        The report.

    Raises:
        BadInputError: A number is out of range.
    """
    if not duration > 0:
        raise BadInputError(f"--duration {duration:g}: expected a number of seconds above 0, such as 15")
    if not budget_usd > 0:
        raise BadInputError(f"--budget {budget_usd}: expected an amount in US dollars above 0, such as 0.05")
    over = _after(duration)

    def stop() -> bool:
        so_far = report()
        return over() or so_far.cost_usd >= budget_usd or so_far.unpriced_calls > 0

    _drive({"max_retries": _MAX_RETRIES}, seed, stop=stop, max_tokens=_LIVE_MAX_TOKENS, on_progress=on_progress)
    return DemoResult(report(), None)


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


@dataclass(frozen=True, slots=True)
class _Schedule:
    """What the workflows ask, and for how long.

    Attributes:
        seed: Seeds the turns.
        max_tokens: Most output tokens of a response.
        stop: Returns True when no new turn is to start.
    """

    seed: int
    max_tokens: int
    stop: Callable[[], bool]

    def turns(self, name: str) -> Iterator[Turn]:
        """Yield turns until `stop`, at least one."""
        for number in itertools.count():
            yield Turn(Random(f"{self.seed}/{name}/{number}"), self.max_tokens)  # noqa: S311 - no secret
            if self.stop():
                return


def _drive(
    options: Mapping[str, Any],
    seed: int,
    *,
    stop: Callable[[], bool],
    max_tokens: int,
    on_progress: OnProgress,
) -> None:
    """Repeat every workflow in parallel until `stop`. Each one runs at least once."""
    schedule = _Schedule(seed, max_tokens, stop)
    with Anthropic(**options) as client, ThreadPoolExecutor(len(SYNC_WORKFLOWS) + 2) as pool:
        work = [pool.submit(_repeat, use, client, schedule) for use in SYNC_WORKFLOWS]
        work.append(pool.submit(asyncio.run, _repeat_async(options, schedule)))
        work.append(pool.submit(_run_batch, client, schedule))
        wake = threading.Event()
        while not all(future.done() for future in work):
            wake.wait(_PROGRESS_SECONDS)
            on_progress(report())
        for future in work:
            future.result()


def _repeat(use: Callable[[Anthropic, Turn], None], client: Anthropic, schedule: _Schedule) -> None:
    for turn in schedule.turns(use.__name__):
        with _ignoring_failed_calls():
            use(client, turn)


async def _repeat_async(options: Mapping[str, Any], schedule: _Schedule) -> None:
    async def repeat(use: Callable[[AsyncAnthropic, Turn], Any], name: str) -> None:
        for turn in schedule.turns(name):
            with _ignoring_failed_calls():
                await use(client, turn)

    async with AsyncAnthropic(**options) as client:
        await asyncio.gather(*(repeat(use, f"{use.__name__}-{copy}") for use in ASYNC_WORKFLOWS for copy in range(2)))


def _run_batch(client: Anthropic, schedule: _Schedule) -> None:
    with _ignoring_failed_calls():
        run_batch(client, next(schedule.turns("batch")), schedule.stop)


@contextmanager
def _ignoring_failed_calls() -> Generator[None, None, None]:
    """Continue after a failed call, as the demo shows failures. Other exceptions are bugs, and are raised."""
    try:
        yield
    except Exception as error:
        if classify(error).name == "unknown_error":
            raise
