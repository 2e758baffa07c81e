"""One HTTP request and its response, if it gets one."""

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

from claudescope.simulator.errors import ApiError, api_error_of, retry_after_header
from claudescope.simulator.injection import choose_error
from claudescope.simulator.randomness import Randomness
from claudescope.simulator.requests import MAX_BODY_BYTES
from claudescope.simulator.scenario import STATUSES, InjectedError
from claudescope.simulator.state import SimulatorState

__all__ = ["ClientGoneError", "Exchange"]

_ORGANIZATION_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "https://claudescope.invalid/simulator"))
_HANG_SECONDS = 600.0
_DELAY_SECONDS = 10.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientGoneError(Exception):
    """The client closed the connection before it got a response."""


class Exchange:
    """One request, from its first byte to the end of its response.

    Attributes:
        state: The state of the simulator.
        request: The request.
        endpoint: The endpoint, as in the ledger.
        model: The model of a request to create a message; None until the request is parsed.
        body: The body. Set by `read`.
        randomness: The random numbers of the request. Set by `read`.
    """

    body: bytes
    randomness: Randomness

    def __init__(self, state: SimulatorState, endpoint: str, scope: Scope, receive: Receive, send: Send) -> None:
        self.state = state
        # Kept for the whole exchange, also where the simulator is reset meanwhile.
        self.stats = state.stats
        self.request = Request(scope, receive)
        self.endpoint = endpoint
        self.model: str | None = None
        self._send = send
        self._counted = False
        self._gone: asyncio.Task[None] | None = None

    async def read(self) -> None:
        """Read the body.

        Raises:
            ApiError: 413 for a body that is too large.
            ClientGoneError: The client disconnected before its end.
        """
        body = bytearray()
        size = 0
        while True:
            message = await self.request.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            size += len(message.get("body", b""))
            # Read to its end, as a client that is still sending doesn't read a response.
            if size <= MAX_BODY_BYTES:
                body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.body = bytes(body)
        query = self.request.url.query
        path = self.request.url.path + (f"?{query}" if query else "")
        self.randomness = self.state.randomness.draw(self.request.method, path, self.body, str(self.attempt))
        if size > MAX_BODY_BYTES:
            raise ApiError(413, "request_too_large", "Request exceeds the maximum size")

    @property
    def attempt(self) -> int:
        """The number of the attempt, by the SDK's header; 1 for the first attempt of a call."""
        count = self.request.headers.get("x-stainless-retry-count", "0")
        return int(count) + 1 if count.isdigit() else 1

    async def close(self) -> None:
        """Count an exchange that got no response, and stop watching the connection."""
        self.count("none")
        if self._gone is not None:
            self._gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._gone

    def count(self, status: str) -> None:
        """Count the exchange in the ledger. Does nothing the second time."""
        if not self._counted:
            self._counted = True
            self.stats.response(self.endpoint, self.model, status)

    def headers(self, error: ApiError | None = None) -> dict[str, str]:
        """The headers of a response. Requests to create a message get rate limit headers too."""
        headers = {"request-id": self.randomness.identifier("req_01"), "anthropic-organization-id": _ORGANIZATION_ID}
        if self.model in self.state.scenario.models and (error is None or error.status != 401):
            headers |= self.state.limits.headers(self.model, error)
        elif error is not None and error.retry_after:
            headers["retry-after"] = retry_after_header(error.retry_after)
        return headers

    async def send_response(self, response: Response) -> None:
        """Send a complete response."""
        self.count(str(response.status_code))
        await response(self.request.scope, self.request.receive, self._send)

    async def send_json(self, body: Mapping[str, Any]) -> None:
        """Send a 200 with a JSON body."""
        await self.send_response(JSONResponse(body, headers=self.headers()))

    async def send_error(self, error: ApiError) -> None:
        """Send an error."""
        headers = self.headers(error)
        await self.send_response(JSONResponse(error.body(headers["request-id"]), error.status, headers))

    async def start_stream(self) -> None:
        """Send the status and headers of a stream."""
        self.count("200")
        headers = self.headers() | {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def send_chunk(self, chunk: bytes, *, last: bool = False) -> None:
        """Send a part of a stream."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": not last})

    async def pause(self, seconds: float) -> None:
        """Wait for `seconds` multiplied by the time scale.

        Raises:
            ClientGoneError: The client disconnected meanwhile.
        """
        gone = self._watch()
        if seconds > 0:
            await asyncio.wait({gone}, timeout=seconds * self.state.time_scale)
        if gone.done():
            raise ClientGoneError

    async def reset_connection(self) -> None:
        """Reset the connection: the client's next read fails."""
        self.count("none")
        transport: asyncio.Transport = self.request.scope["state"]["transport"]
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
        # uvicorn reports an application that returns without a response as broken, unless the client has disconnected.
        await self._watch()

    async def inject_error(self, *, stream: bool = False) -> InjectedError | None:
        """Choose an error, and inject it here if it comes before the response.

        Returns:
            The error if it is to be injected into the response itself. It is not in the ledger yet.

        Raises:
            ApiError: The injected error is an HTTP error.
            ClientGoneError: The client disconnected, or its connection was reset.
        """
        injected = choose_error(
            self.state.injected_errors(),
            self.randomness,
            path=self.request.url.path,
            model=self.model,
            stream=stream,
            attempt=self.attempt,
        )
        if injected is None:
            return None
        if injected.type in STATUSES:
            self.stats.injected_error(injected.type)
            raise api_error_of(injected, self.model or "unknown", self.randomness)
        match injected.type:
            case "slow":
                self.stats.injected_error(injected.type)
                await self.pause(_DELAY_SECONDS if injected.delay is None else injected.delay)
            case "hang":
                self.stats.injected_error(injected.type)
                self.count("none")  # now, as no response follows
                await self.pause(_HANG_SECONDS if injected.delay is None else injected.delay)
                await self.reset_connection()
                raise ClientGoneError
            case "connection_reset":
                self.stats.injected_error(injected.type)
                await self.reset_connection()
                raise ClientGoneError
            case _:
                return injected
        return None

    def _watch(self) -> asyncio.Task[None]:
        """Return a task that ends when the client disconnects."""
        if self._gone is None:
            self._gone = asyncio.create_task(self._wait_for_disconnect())
        return self._gone

    async def _wait_for_disconnect(self) -> None:
        while (await self.request.receive())["type"] != "http.disconnect":
            pass
