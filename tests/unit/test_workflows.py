"""Workflow names reach what runs inside, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from opentelemetry import baggage

from claudescope._internal.exceptions import BadInputError
from claudescope.workflows import current_workflow, workflow


def test_innermost_name_wins_and_ends() -> None:
    """Names nest, and leave no trace behind."""
    seen = [current_workflow()]
    with workflow("outer"):
        seen.append(current_workflow())
        with workflow("inner"):
            seen.append(current_workflow())
        seen.append(current_workflow())
    seen.append(current_workflow())
    assert seen == [None, "outer", "inner", "outer", None]


def test_ends_after_an_exception() -> None:
    """An exception ends the name and goes on."""
    with pytest.raises(KeyError), workflow("failing"):
        raise KeyError
    assert current_workflow() is None


def test_decorates_functions() -> None:
    """A decorated function runs under the name, keeps its own, and can call itself."""

    @workflow("counting")
    def count(depth: int) -> list[str | None]:
        return [current_workflow(), *(count(depth - 1) if depth else [])]

    assert (count(1), count.__name__, current_workflow()) == (["counting", "counting"], "count", None)


@pytest.mark.anyio
async def test_async_contexts_and_functions() -> None:
    """Works in `async with` and on coroutine functions."""

    @workflow("decorated")
    async def decorated() -> str | None:
        await asyncio.sleep(0)
        return current_workflow()

    async with workflow("block"):
        inside = current_workflow()
    assert (inside, await decorated(), current_workflow()) == ("block", "decorated", None)


@pytest.mark.anyio
async def test_one_object_in_many_tasks() -> None:
    """Tasks that share one workflow object do not see each other's names."""
    shared = workflow("shared")

    async def use(own: str) -> tuple[str | None, ...]:
        with workflow(own):
            await asyncio.sleep(0)
            with shared:
                await asyncio.sleep(0)
                inside = current_workflow()
            return inside, current_workflow()

    results = await asyncio.gather(*(use(f"own-{number}") for number in range(10)))
    assert results == [("shared", f"own-{number}") for number in range(10)]


def test_threads_have_their_own() -> None:
    """A name set in one thread is not seen in another."""
    barrier = Barrier(2)

    def use(name: str) -> str | None:
        with workflow(name):
            barrier.wait(timeout=120)
            return current_workflow()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(use, ["a", "b"])) == ["a", "b"]


def test_stays_out_of_baggage() -> None:
    """The SDK sends baggage to the API, so the name must not be in it."""
    with workflow("secret-tenant"):
        assert dict(baggage.get_all()) == {}


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_refuses_what_is_no_name(name: object) -> None:
    """A name that can't be a label is refused where it is given."""
    with pytest.raises(BadInputError, match="expected a non-empty string"):
        workflow(name)  # type: ignore[arg-type]


def test_refuses_generators() -> None:
    """A generator runs outside of the decorator, so the name would be lost: better to say so."""

    def words() -> Iterator[str]:
        yield ""

    async def async_words() -> AsyncIterator[str]:
        yield ""

    for function in (words, async_words):
        with pytest.raises(BadInputError, match="can't decorate the generator"):
            workflow("w")(function)
