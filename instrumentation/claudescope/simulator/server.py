"""Runs a simulator in a thread of this process."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from claudescope._internal.exceptions import BadInputError
from claudescope.simulator.app import build_app
from claudescope.simulator.ledger import Ledger
from claudescope.simulator.scenario import Scenario, load_scenario
from claudescope.simulator.state import World

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Simulator"]

T = TypeVar("T")


class _Protocol(H11Protocol):
    """HTTP on a connection that the application can break."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        # asyncio leaves sockets of listeners that others made with Nagle's algorithm on: 40 ms between two events.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """A server that says when it is ready, and doesn't wait for clients when it stops."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """End `serve`. To be called in its loop."""
        self._stop.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready(asyncio.get_running_loop())

    async def main_loop(self) -> None:
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:  # pyright: ignore[reportUnnecessaryComparison]
                connection.transport.abort()
        await super().shutdown(sockets)


class Simulator:
    """A simulated Messages API on this machine's loopback interface.

    Use it in a `with` statement: it serves from its start to its end, in a thread of its own.

    Args:
        scenario: A shipped scenario's name, the path of a scenario file, or a scenario.
        seed: Same seed, same answers to the same requests, in whatever order they arrive.
        port: The port, or 0 for one that the system chooses.
        host: A loopback address, or `localhost`.
        time_scale: What latencies, delays and phases are multiplied by: 0.1 is ten times as fast. Over 0.

    Raises:
        BadInputError: There is no such scenario, its file is wrong, or another argument is.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario = "steady",
        *,
        seed: int = 0,
        port: int = 0,
        host: str = "127.0.0.1",
        time_scale: float = 1.0,
    ) -> None:
        if not 0 < time_scale < float("inf"):
            raise BadInputError(f"the time scale {time_scale:g} can't be used. Expected a number over 0, such as 0.1")
        if not 0 <= port <= 65535:
            raise BadInputError(f"the port {port} can't be used. Expected 1 to 65535, or 0 for a free one")
        self._host = _loopback(host)
        self._port = port
        self._world = World(_scenario(scenario), seed=seed, time_scale=time_scale)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base URL to give to a client, without a slash at its end.

        Raises:
            RuntimeError: The simulator has not been started.
        """
        if self._server is None:
            raise RuntimeError("the simulator has no URL before it is started: use it in a `with` statement")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def scenario(self) -> Scenario:
        """The scenario in use."""
        return self._call(lambda: self._world.scenario)

    def ledger(self) -> Ledger:
        """What was served since the start or the last reset. Works after the end too."""
        return self._call(self._world.ledger)

    def use(self, scenario: str | Path | Scenario) -> None:
        """Switch to another scenario. Its phases and rate limit windows start now; the ledger goes on.

        Raises:
            BadInputError: There is no such scenario, or its file is wrong.
        """
        loaded = _scenario(scenario)
        self._call(lambda: self._world.use(loaded))

    def reset(self) -> None:
        """Start all over with the scenario in use: ledger, cache, rate limits, batches and randomness."""
        self._call(self._world.reset)

    def start(self) -> None:
        """Start to serve. Returns when the simulator answers.

        Raises:
            BadInputError: The port is in use, or may not be used.
        """
        listener = _listen(self._host, self._port)
        self._port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            build_app(self._world),
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
        )
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._server = server = _Server(config, ready.set_result)

        def serve() -> None:
            try:
                asyncio.run(server.serve(sockets=[listener]))
            except BaseException as error:  # noqa: BLE001 - passed on to who waits for the start
                if not ready.done():
                    ready.set_exception(error)
            finally:
                listener.close()

        self._thread = threading.Thread(target=serve, name="claudescope-simulator", daemon=True)
        self._thread.start()
        try:
            self._loop = ready.result()
        except BaseException:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Stop to serve, and break the connections that are open. Does nothing if it has stopped."""
        if self._thread is None or self._server is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._server.request_stop)
        self._thread.join()
        self._thread = self._loop = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _call(self, function: Callable[[], T]) -> T:
        """Call a function where the world may be touched: in the loop while that runs."""
        if self._loop is None:
            return function()

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()


def _scenario(scenario: str | Path | Scenario) -> Scenario:
    return scenario if isinstance(scenario, Scenario) else load_scenario(scenario)


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise BadInputError(
        f"the host {host!r} can't be used: the simulator is for this machine alone. "
        "Expected 127.0.0.1, ::1 or localhost"
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInputError(
            f"the port {port} on {host} can't be used: {reason}. Give another one, or 0 for a free one"
        ) from None
