"""Ways to call the SDK. Each scenario runs one call, which is repeated to measure it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import anthropic

from benchmarks.stub import REQUEST, AsyncTransport, Transport, http

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """One way to call the API.

    Attributes:
        title: Name in the tables.
        streams: Whether a call is a stream of events.
        make: Makes a function that runs a number of calls, from further options of the client.
    """

    title: str
    streams: bool
    make: Callable[[dict[str, Any]], Callable[[int], None]]


def _client(options: dict[str, Any], *, refuse: bool = False) -> anthropic.Anthropic:
    transport = http.Client(transport=Transport(refuse=refuse))
    return anthropic.Anthropic(api_key="key", http_client=transport, max_retries=2, **options)


def _async_client(options: dict[str, Any]) -> anthropic.AsyncAnthropic:
    transport = http.AsyncClient(transport=AsyncTransport())
    return anthropic.AsyncAnthropic(api_key="key", http_client=transport, max_retries=2, **options)


def _create(options: dict[str, Any]) -> Callable[[int], None]:
    client = _client(options)

    def run(count: int) -> None:
        for _ in range(count):
            client.messages.create(**REQUEST)

    return run


def _stream(options: dict[str, Any]) -> Callable[[int], None]:
    client = _client(options)

    def run(count: int) -> None:
        for _ in range(count):
            for _event in client.messages.create(**REQUEST, stream=True):
                pass

    return run


def _stream_helper(options: dict[str, Any]) -> Callable[[int], None]:
    client = _client(options)

    def run(count: int) -> None:
        for _ in range(count):
            with client.messages.stream(**REQUEST) as stream:
                for _event in stream:
                    pass

    return run


def _failure(options: dict[str, Any]) -> Callable[[int], None]:
    client = _client(options, refuse=True)

    def run(count: int) -> None:
        for _ in range(count):
            with suppress(anthropic.APIStatusError):
                client.messages.create(**REQUEST)

    return run


def _in_loop(options: dict[str, Any], call: Callable[[Any], Awaitable[None]]) -> Callable[[int], None]:
    client, loop = _async_client(options), asyncio.new_event_loop()

    async def many(count: int) -> None:
        for _ in range(count):
            await call(client)

    return lambda count: loop.run_until_complete(many(count))


def _async_create(options: dict[str, Any]) -> Callable[[int], None]:
    async def call(client: Any) -> None:
        await client.messages.create(**REQUEST)

    return _in_loop(options, call)


def _async_stream(options: dict[str, Any]) -> Callable[[int], None]:
    async def call(client: Any) -> None:
        async for _event in await client.messages.create(**REQUEST, stream=True):
            pass

    return _in_loop(options, call)


def _async_stream_helper(options: dict[str, Any]) -> Callable[[int], None]:
    async def call(client: Any) -> None:
        async with client.messages.stream(**REQUEST) as stream:
            async for _event in stream:
                pass

    return _in_loop(options, call)


SCENARIOS: Final = {
    "create": Scenario("create", False, _create),
    "stream": Scenario("stream", True, _stream),
    "stream_helper": Scenario("stream helper", True, _stream_helper),
    "failure": Scenario("error after two retries", False, _failure),
    "async_create": Scenario("create, async", False, _async_create),
    "async_stream": Scenario("stream, async", True, _async_stream),
    "async_stream_helper": Scenario("stream helper, async", True, _async_stream_helper),
}
"""By name, in the order of the tables."""
