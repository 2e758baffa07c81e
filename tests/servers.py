"""Starts real servers, and serves stand-ins, on ports of the system's choice."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

__all__ = ["RedisServer", "run_server", "serving", "wait_for", "with_its_share"]

from tests.components import require

_PATIENCE = 120.0


def wait_for(what: str, condition: Callable[[], bool], log: Path | None = None, *, patience: float = _PATIENCE) -> None:
    """Wait until a condition holds; how long that takes is no part of any test."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8")[-3000:] if log else ""
            raise AssertionError(f"never came: {what}\n{tail}")
        time.sleep(0.1)


def _listening_port(pid: int) -> int | None:
    """The one port that a process itself listens on."""
    sockets: set[str] = set()
    try:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if found := re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                sockets.add(found.group(1))
    except OSError:
        return None
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and columns[9] in sockets:
                return int(columns[1].rsplit(":", 1)[1], 16)
    return None


@contextmanager
def run_server(command: list[str | Path], log: Path) -> Generator[str]:
    """Run a server that chooses its port, and give its URL once it listens; it is stopped in the end."""
    with log.open("w", encoding="utf-8") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:  # noqa: S603 # ours
        try:
            ports: list[int] = []

            def listens() -> bool:
                assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
                port = _listening_port(process.pid)
                ports.extend([] if port is None else [port])
                return bool(ports)

            wait_for(f"{command[0]} listens", listens, log)
            # Not looked up again: the lookup finds no port while the server closes one of its files.
            yield f"http://127.0.0.1:{ports[0]}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def with_its_share(program: Path, command: list[str | Path]) -> list[str | Path]:
    """A command that sees the `/usr/share` of an unpacked package: Debian's Alertmanager has its templates there.

    The mount is in a namespace of the process' own, so that nothing is installed and nobody else sees it.
    """
    share = program.parent.parent / "share"
    script = f'mount --bind "{share}" /usr/share && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", program, *command]


@contextmanager
def serving(*routes: BaseRoute) -> Generator[str]:
    """Serve a stand-in until the end, and give its base URL."""
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for("the stand-in listens", lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class RedisServer:
    """A real Redis that a test may freeze, kill and start again on the same port.

    Args:
        folder: Where its log is written.
    """

    def __init__(self, folder: Path) -> None:
        # One program with three names, of which Debian's package of the server holds a link only.
        self._program = require("bookworm", "redis-check-rdb")
        packages = self._program.parents[3]
        libraries = [str(path) for path in packages.glob("lib*/usr/lib/*") if path.is_dir()]
        self._environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
        self._log = folder / "redis.log"
        with socket.socket() as chooser:
            chooser.bind(("127.0.0.1", 0))
            self.port: int = chooser.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {"--port": str(self.port), "--bind": "127.0.0.1", "--save": "", "--appendonly": "no"}
        with self._log.open("ab") as log:
            command = ["redis-server", *(word for option in options.items() for word in option)]
            self._process = subprocess.Popen(  # noqa: S603 # ours
                command, executable=self._program, stdout=log, stderr=log, env=self._environment
            )
        wait_for("Redis answers", self._pings, self._log)

    def freeze(self) -> None:
        """Stop it: its port takes connections, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it. What it knew is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _pings(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
