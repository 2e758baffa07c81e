"""One HTTP request, and the ways to answer it, or not to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from claudescope.simulator.errors import ApiError, fault_error, retry_after_header
from claudescope.simulator.injection import choose_fault
from claudescope.simulator.randomness import Dice
from claudescope.simulator.requests import MAX_BODY_BYTES
from claudescope.simulator.scenario import STATUSES, Fault
from claudescope.simulator.state import World

__all__ = ["ClientGoneError", "Exchange"]

_ORGANIZATION_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "https://claudescope.invalid/simulator"))
_HANG_SECONDS = 600.0
_DELAY_SECONDS = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientGoneError(Exception):
    """The client closed the connection before it was answered."""


class Exchange:
    """One request, from its first byte to the end of what is answered.

    Attributes:
        world: What the simulator knows.
        request: The request.
        endpoint: The endpoint as the ledger names it.
        model: The model that a request to create a message names, once that is known.
        body: The body, once `read` has read it.
        dice: The request's randomness, once `read` has read it.
    """

    body: bytes
    dice: Dice

    def __init__(self, world: World, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        self.world = world
        # One bookkeeper for the whole exchange, whatever is reset meanwhile.
        self.books = world.books
        self.request = Request(scope, receive)
        self.endpoint = endpoint
        self.model: str | None = None
        self._send = send
        self._counted = False
        self._gone: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """Read the body.

        Raises:
            ApiError: 413, if it is too large.
            ClientGoneError: The client left before its end.
        """
        body = bytearray()
        size = 0
        while True:
            message = await self.request.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            size += len(message.get("body", b""))
            # All of it is read, as a client that is still sending doesn't see an answer.
            if size <= MAX_BODY_BYTES:
                body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.body = bytes(body)
        query = self.request.url.query
        path = self.request.url.path + (f"?{query}" if query else "")
        self.dice = self.world.dice.draw(self.request.method, path, self.body, str(self.attempt))
        if size > MAX_BODY_BYTES:
            raise ApiError(413, "request_too_large", "Request exceeds the maximum size")

    @property
    def attempt(self) -> int:
        """1 for the first attempt of a call, as the SDK counts."""
        count = self.request.headers.get("x-stainless-retry-count", "0")
        return int(count) + 1 if count.isdigit() else 1

    async def close(self) -> None:
        """Enter the exchange in the ledger if nothing was answered, and end what watches the connection."""
        self.count("none")
        if self._gone is not None:
            self._gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._gone

    def count(self, status: str) -> None:
        """Enter the exchange in the ledger, once."""
        if not self._counted:
            self._counted = True
            self.books.response(self.endpoint, self.model, status)

    def headers(self, error: ApiError | None = None) -> dict[str, str]:
        """The headers of every answer, with the rate limits if a message is what was asked for."""
        headers = {"request-id": self.dice.identifier("req_01"), "anthropic-organization-id": _ORGANIZATION_ID}
        if self.model in self.world.scenario.models and (error is None or error.status != 401):
            headers |= self.world.limits.headers(self.model, error)
        elif error is not None and error.retry_after:
            headers["retry-after"] = retry_after_header(error.retry_after)
        return headers

    async def answer(self, response: Response) -> None:
        """Send a whole response."""
        self.count(str(response.status_code))
        await response(self.request.scope, self.request.receive, self._send)

    async def answer_json(self, body: Mapping[str, Any]) -> None:
        """Send a 200 with a JSON body."""
        await self.answer(JSONResponse(body, headers=self.headers()))

    async def fail(self, error: ApiError) -> None:
        """Send an error."""
        headers = self.headers(error)
        await self.answer(JSONResponse(error.body(headers["request-id"]), error.status, headers))

    async def start_stream(self) -> None:
        """Send the head of a stream."""
        self.count("200")
        headers = self.headers() | {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def send_chunk(self, chunk: bytes, *, last: bool = False) -> None:
        """Send a piece of a stream."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": not last})

    async def pause(self, seconds: float) -> None:
        """Wait for so many seconds, multiplied by the time scale.

        Raises:
            ClientGoneError: The client left meanwhile.
        """
        gone = self._watch()
        if seconds > 0:
            await asyncio.wait({gone}, timeout=seconds * self.world.time_scale)
        if gone.done():
            raise ClientGoneError

    async def reset_connection(self) -> None:
        """Break the connection, so that the client's next read fails with a reset."""
        self.count("none")
        transport: asyncio.Transport = self.request.scope["state"]["transport"]
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
        # The server takes an application that returns without an answer for broken, unless the client has left.
        await self._watch()

    async def suffer(self, *, stream: bool = False) -> Fault | None:
        """Draw a fault, and let it happen if it happens before an answer.

        Returns:
            The fault if it is one of the answer itself. It is not in the ledger yet.

        Raises:
            ApiError: The fault is an HTTP error.
            ClientGoneError: The client left, or was thrown out.
        """
        fault = choose_fault(
            self.world.faults(),
            self.dice,
            path=self.request.url.path,
            model=self.model,
            stream=stream,
            attempt=self.attempt,
        )
        if fault is None:
            return None
        if fault.kind in STATUSES:
            self.books.fault(fault.kind)
            raise fault_error(fault, self.model or "unknown", self.dice)
        match fault.kind:
            case "slow":
                self.books.fault(fault.kind)
                await self.pause(_DELAY_SECONDS if fault.delay is None else fault.delay)
            case "hang":
                self.books.fault(fault.kind)
                self.count("none")  # now, as no answer can follow
                await self.pause(_HANG_SECONDS if fault.delay is None else fault.delay)
                await self.reset_connection()
                raise ClientGoneError
            case "connection_reset":
                self.books.fault(fault.kind)
                await self.reset_connection()
                raise ClientGoneError
            case _:
                return fault
        return None

    def _watch(self) -> asyncio.Task[None]:
        """A task that ends when the client leaves."""
        if self._gone is None:
            self._gone = asyncio.create_task(self._wait_until_gone())
        return self._gone

    async def _wait_until_gone(self) -> None:
        while (await self.request.receive())["type"] != "http.disconnect":
            pass
