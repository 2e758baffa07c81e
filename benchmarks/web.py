"""What a failing request costs with problem documents, beside an exception handler of Starlette's own.

Both apps raise the same exception of the SDK in their endpoint, and are called without a server or a client. They take
turns in one run; the ratio of their medians of CPU time is what counts.

The other handler is what an app has at least: it logs the exception with its traceback, as Starlette's servers do with
one that nothing handles, and answers with two fields of JSON and `Retry-After`. That is the comparison to hold: at most
twice as much. Without the log of both, what problem documents add shows: the error type, the message in the consumer's
language, nine fields, and the correlation id.
"""

from __future__ import annotations

import asyncio
import io
import logging
import statistics
import time
from collections.abc import MutableMapping
from typing import Any

import anthropic
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import claudescope.web

__all__ = ["main", "measure"]

_ROUNDS = 15
_REQUESTS = 400
_SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/ask",
    "raw_path": b"/ask",
    "root_path": "",
    "query_string": b"",
    "headers": [(b"host", b"example.com"), (b"accept-language", b"de"), (b"x-request-id", b"order-17")],
    "scheme": "http",
    "server": ("example.com", 80),
    "client": ("127.0.0.1", 1),
    "http_version": "1.1",
}


def _error() -> anthropic.APIStatusError:
    from tests.sentry.failures import fail, rate_limit  # the suite's own way to a failed call

    error = fail(rate_limit())
    assert isinstance(error, anthropic.APIStatusError)
    return error


def _app(error: Exception) -> Starlette:
    async def ask(_: Request) -> JSONResponse:
        raise error.with_traceback(None)

    return Starlette(routes=[Route("/ask", ask, methods=["POST"])])


def _handled(error: Exception) -> Starlette:
    """The app with a handler as one would write it: a status, a text and the header."""
    app = _app(error)

    async def handle(_: Request, caught: Exception) -> JSONResponse:
        assert isinstance(caught, anthropic.APIStatusError)
        logging.getLogger("claudescope.web").error("request failed", exc_info=caught)
        wait = caught.response.headers.get("retry-after", "1")
        return JSONResponse(
            {"error": "busy", "retry_after": int(wait)}, status_code=503, headers={"Retry-After": str(wait)}
        )

    app.add_exception_handler(anthropic.APIError, handle)
    return app


async def _seconds(app: Starlette) -> float:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: MutableMapping[str, Any]) -> None:
        pass

    started = time.process_time()
    for _ in range(_REQUESTS):
        await app({**_SCOPE}, receive, send)
    return (time.process_time() - started) / _REQUESTS


async def measure(rounds: int = _ROUNDS) -> tuple[float, float]:
    """CPU seconds of a failing request: with Starlette's handler, and with problem documents; medians of the rounds."""
    error = _error()
    theirs, ours = _handled(error), _app(error)
    claudescope.web.install(ours)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for app, seconds in zip((theirs, ours), taken, strict=True):
            seconds.append(await _seconds(app))
    return statistics.median(taken[0]), statistics.median(taken[1])


def main() -> None:
    """Print the figures."""
    log = logging.getLogger("claudescope.web")
    log.propagate = False
    log.addHandler(logging.StreamHandler(io.StringIO()))
    for title, log.disabled in (("with the log", False), ("without a log", True)):
        theirs, ours = asyncio.run(measure())
        print(title)
        print(f"  Starlette's own handler {theirs * 1e6:7.1f} µs")
        print(f"  problem documents       {ours * 1e6:7.1f} µs")
        print(f"  ratio                   {ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
