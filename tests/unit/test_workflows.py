"""Workflow names reach what runs inside, and nothing else."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from itertools import permutations
from threading import Barrier

import pytest
from opentelemetry import baggage

from claudescope._internal.exceptions import BadInputError
from claudescope.workflows import _stack, current_workflow, workflow


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


# Blocks that are left in another context than the one that they were entered in, or out of order.


def _numbers(name: str) -> Iterator[int]:
    with workflow(name):
        yield 1
        yield 2


def _close(generator: Iterator[int]) -> None:
    generator.close()  # type: ignore[attr-defined] # it is a generator


def _read_on(generator: Iterator[int]) -> None:
    list(generator)


def _collect(generator: Iterator[int]) -> None:
    """Leave it to the caller, who drops it."""


@pytest.mark.parametrize("leave", [_close, _read_on, _collect])
def test_a_generator_that_ends_in_another_context(leave: Callable[[Iterator[int]], None]) -> None:
    """A block that is left in another context ends there and where it was entered; the block around stays."""
    begun, ended = copy_context(), copy_context()
    generator: list[Iterator[int]] = [_numbers("answer")]
    begun.run(next, generator[0])
    assert begun.run(current_workflow) == "answer"

    def end() -> str | None:
        with workflow("billing"):
            leave(generator[0])
            generator.clear()
            gc.collect()
            return current_workflow()

    assert ended.run(end) == "billing"
    assert (begun.run(current_workflow), ended.run(current_workflow)) == (None, None)


def test_a_generator_that_ends_in_a_copy_of_its_context() -> None:
    """A copy inherits the block, and where it is left there, it is left in the original too."""
    begun = copy_context()
    generator = _numbers("answer")
    begun.run(next, generator)
    copy = begun.copy()
    assert copy.run(current_workflow) == "answer"
    copy.run(list, generator)
    assert (copy.run(current_workflow), begun.run(current_workflow)) == (None, None)


def test_a_generator_that_ends_in_another_thread() -> None:
    """Another thread that closes it keeps its own name."""
    generator = _numbers("answer")
    next(generator)

    def end() -> str | None:
        with workflow("billing"):
            _close(generator)
            return current_workflow()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(end).result() == "billing"
    assert current_workflow() is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_blocks_left_in_any_order(order: tuple[int, ...]) -> None:
    """Each takes its own entry away, so that the innermost of the others has the name."""
    names = ["a", "b", "c"]
    generators = [_numbers(name) for name in names]
    for generator in generators:
        next(generator)
    inside = [0, 1, 2]
    for number in order:
        _close(generators[number])
        inside.remove(number)
        assert current_workflow() == (names[inside[-1]] if inside else None)


def test_one_object_in_many_blocks() -> None:
    """Blocks of one object end by the frame that entered them, wherever they end."""
    shared = workflow("shared")

    def numbers() -> Iterator[int]:
        with shared:
            yield 1

    generator = numbers()
    copy_context().run(next, generator)
    with shared:
        _close(generator)
        assert current_workflow() == "shared"
    assert current_workflow() is None


def test_an_exit_stack_out_of_order() -> None:
    """Blocks that are entered and left by other code, and one that is left once too often, do no harm."""
    first, second = workflow("first"), workflow("second")
    with ExitStack() as outer, ExitStack() as inner:
        outer.enter_context(first)
        inner.enter_context(second)
        outer.close()
        assert current_workflow() == "second"
    first.__exit__(None, None, None)
    assert current_workflow() is None


def test_entries_do_not_pile_up() -> None:
    """A context that lives long forgets the blocks that were left elsewhere."""
    context = copy_context()
    for _ in range(100):
        generator = _numbers("answer")
        context.run(next, generator)
        _close(generator)
    with workflow("last"):
        assert len(_stack.get()) == 1
    assert max(len(value) for value in context.values() if isinstance(value, tuple)) == 1


@pytest.mark.anyio
async def test_a_task_keeps_the_name_that_it_was_started_under() -> None:
    """A task that outlives the block in which it was started is labelled with it all the same."""
    go = asyncio.Event()

    async def later() -> str | None:
        await go.wait()
        return current_workflow()

    async with workflow("start"):
        task = asyncio.create_task(later())
    go.set()
    assert (await task, current_workflow()) == ("start", None)


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["aclose", "to the end", "dropped"])
async def test_an_async_generator_of_another_task(how: str) -> None:
    """A task that ends the generator of another keeps its own name, also where the garbage collector closes it."""

    async def numbers() -> AsyncIterator[int]:
        async with workflow("answer"):
            yield 1
            yield 2

    async def begin() -> AsyncIterator[int]:
        generator = numbers()
        await anext(generator)
        return generator

    async def end() -> str | None:
        async with workflow("billing"):
            if how == "aclose":
                await generators[0].aclose()  # type: ignore[attr-defined] # it is a generator
            elif how == "to the end":
                assert [number async for number in generators[0]] == [2]
            generators.clear()
            gc.collect()
            await asyncio.sleep(0)
            return current_workflow()

    generators = [await asyncio.create_task(begin())]
    assert await asyncio.create_task(end()) == "billing"
    assert current_workflow() is None
