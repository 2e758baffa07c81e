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
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from claudescope._internal.exceptions import BadInputError
from claudescope.simulator.app import build_app
from claudescope.simulator.ledger import Ledger
from claudescope.simulator.scenario import Scenario, load_scenario
from claudescope.simulator.state import SimulatorState

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Simulator"]

T = TypeVar("T")


class _Protocol(H11Protocol):
    """HTTP on a connection that the application can reset."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "transport": transport}
        # asyncio leaves Nagle's algorithm on where it did not create the listener: 40 ms between two events.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """A server that calls back when it is ready, and doesn't wait for clients when it stops."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = asyncio.Event()

    def request_stop(self) -> None:
        """End `serve`. Must be called in its event loop."""
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

    Use it in a `with` statement. It serves in its own thread until the block ends.

    Args:
        scenario: A shipped scenario's name, the path of a scenario file, or a scenario.
        seed: The same seed gives the same responses to the same requests, in whatever order they arrive.
        port: The port; 0 for a free one.
        host: A loopback address, or `localhost`.
        time_scale: Factor for latencies, delays and phases, above 0: 0.1 is ten times as fast.

    Raises:
        BadInputError: The scenario does not exist, its file is invalid, or another argument is.
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
            raise BadInputError(f"invalid time scale {time_scale:g}. Expected a number above 0, such as 0.1")
        if not 0 <= port <= 65535:
            raise BadInputError(f"invalid port {port}. Expected 1 to 65535, or 0 for a free one")
        self._host = _loopback(host)
        self._port = port
        self._state = SimulatorState(_scenario(scenario), seed=seed, time_scale=time_scale)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base URL for a client, without a slash at its end.

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
        return self._call(lambda: self._state.scenario)

    def ledger(self) -> Ledger:
        """The counts since the start or the last reset. Also works after the simulator has stopped."""
        return self._call(self._state.ledger)

    def whole_answers(self, messages: list[dict[str, Any]]) -> list[str]:
        """The texts that the model had for messages, whole, also where a stream was cut or `max_tokens` was reached.

        Args:
            messages: The `messages` of the requests.

        Returns:
            The latest 20, oldest first; empty where it answered with a tool or structured output.
        """
        return self._call(lambda: self._state.answers.texts(messages))

    def use(self, scenario: str | Path | Scenario) -> None:
        """Switch to another scenario. Its phases and rate limit windows start now; the ledger keeps its counts.

        Raises:
            BadInputError: The scenario does not exist, or its file is invalid.
        """
        loaded = _scenario(scenario)
        self._call(lambda: self._state.use(loaded))

    def reset(self) -> None:
        """Reset ledger, cache, rate limits, batches and random numbers. The scenario stays."""
        self._call(self._state.reset)

    def start(self) -> None:
        """Start the server. Returns when it accepts requests.

        Raises:
            BadInputError: The port is in use, or may not be used.
        """
        listener = _listen(self._host, self._port)
        self._port = int(listener.getsockname()[1])
        config = uvicorn.Config(
            build_app(self._state),
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
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits for the start
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
        """Stop the server and close open connections. Does nothing where it has stopped."""
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
        """Call a function in the event loop while that runs, as only the loop may use the state."""
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
        f"invalid host {host!r}: the simulator serves this machine only. Expected 127.0.0.1, ::1 or localhost"
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInputError(
            f"can't listen on port {port} of {host}: {reason}. Choose another port, or 0 for a free one"
        ) from None
