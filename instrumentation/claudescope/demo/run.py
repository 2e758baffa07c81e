"""Runs the demo's workflows for a while and sums up what was seen, beside what the server says that it served."""

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
    """What the demo came to.

    Attributes:
        report: What claudescope saw.
        served: What the simulator says that it answered, by status as text and `none` for no answer; None where the
            real API was called.
    """

    report: Report
    served: Mapping[str, int] | None

    @property
    def agrees(self) -> bool:
        """Whether both sides counted the same, request by request. True where there is no other side."""
        return self.served is None or dict(self.report.attempts_by_status) == dict(self.served)


def run_demo(
    *,
    scenario: str = "mixed",
    seed: int = 0,
    duration: float = 15.0,
    time_scale: float = 1.0,
    on_progress: OnProgress = lambda report: None,
) -> DemoResult:
    """Drive the workflows against a simulator in this process. Claudescope must be on.

    Args:
        scenario: Name or file of the simulator's scenario.
        seed: Makes what is asked and what is answered the same again.
        duration: Seconds during which new calls begin; those begun are waited for.
        time_scale: Multiplies the simulator's latencies.
        on_progress: Gets the report so far, some times a second, on the calling thread.

    Returns:
        The report and the simulator's own count.

    Raises:
        BadInputError: The scenario is unknown or broken, or a number is out of range.
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
    """Drive the workflows against the real API, until the time is over or the budget is spent.

    Args:
        seed: Makes what is asked the same again.
        duration: Seconds during which new calls begin.
        budget_usd: No new call begins once the calls so far have cost as much, in US dollars, or where one has
            no known price.
        on_progress: Gets the report so far, some times a second, on the calling thread.

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


def _drive(
    options: Mapping[str, Any],
    seed: int,
    *,
    stop: Callable[[], bool],
    max_tokens: int,
    on_progress: OnProgress,
) -> None:
    """Run every workflow over and over, each on its own, until `stop`; each runs at least once."""

    def turns(name: str) -> Iterator[Turn]:
        for number in itertools.count():
            yield Turn(Random(f"{seed}/{name}/{number}"), max_tokens)  # noqa: S311 - no secret

    def repeat(client: Anthropic, use: Callable[[Anthropic, Turn], None], name: str) -> None:
        for turn in turns(name):
            with _tolerating():
                use(client, turn)
            if stop():
                return

    async def repeat_async(client: AsyncAnthropic) -> None:
        async def one(use: Callable[[AsyncAnthropic, Turn], Any], name: str) -> None:
            for turn in turns(name):
                with _tolerating():
                    await use(client, turn)
                if stop():
                    return

        await asyncio.gather(*(one(use, f"{use.__name__}-{copy}") for use in ASYNC_WORKFLOWS for copy in range(2)))

    def read_batch(client: Anthropic) -> None:
        with _tolerating():
            run_batch(client, next(turns("batch")), stop)

    async def run_async() -> None:
        async with AsyncAnthropic(**options) as client:
            await repeat_async(client)

    with Anthropic(**options) as client, ThreadPoolExecutor(len(SYNC_WORKFLOWS) + 2) as pool:
        work = [pool.submit(repeat, client, use, use.__name__) for use in SYNC_WORKFLOWS]
        work.append(pool.submit(asyncio.run, run_async()))
        work.append(pool.submit(read_batch, client))
        wake = threading.Event()
        while not all(future.done() for future in work):
            wake.wait(_PROGRESS_SECONDS)
            on_progress(report())
        for future in work:
            future.result()


@contextmanager
def _tolerating() -> Generator[None, None, None]:
    """Go on after a call that failed, which is what the demo is there to show; anything else is a mistake of ours."""
    try:
        yield
    except Exception as error:
        if classify(error).name == "unknown_error":
            raise
