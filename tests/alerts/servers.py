"""Starts real servers on ports of the system's choice, an exporter to scrape, and the stand-in for PagerDuty."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["Exporter", "PagerDuty", "run_server", "wait_for", "with_its_share"]

_PATIENCE = 45.0


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

            def listens() -> bool:
                assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
                return _listening_port(process.pid) is not None

            wait_for(f"{command[0]} listens", listens, log)
            yield f"http://127.0.0.1:{_listening_port(process.pid)}"
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


class Exporter:
    """Serves the values of series, as an app would."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}
        self.scrapes = 0
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{series} {value:.17g}\n" for series, value in exporter.values.items()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)
                exporter.scrapes += 1

            def log_message(self, *args: Any, **options: Any) -> None:
                del args, options

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Generator[Exporter]:
        """Serve until the end."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@dataclass
class PagerDuty:
    """A stand-in for PagerDuty's Events API v2 that accepts nothing that the real one refuses.

    Attributes:
        events: What was accepted, in order, each with the name in its path under `_to`.
        refusals: Why something was refused.
        routing_keys: Integration keys that exist.
    """

    routing_keys: frozenset[str]
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refusals: list[str] = field(default_factory=list[str])

    def of(self, to: str, key: str) -> list[dict[str, Any]]:
        """Events that one account got with one key."""
        return [event for event in self.events if event["_to"] == to and event["routing_key"] == key]

    def _mistake(self, event: dict[str, Any]) -> str | None:  # noqa: PLR0911 # one line for each refusal
        if event.get("routing_key") not in self.routing_keys:
            return "routing_key is unknown"
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            return "event_action is none of trigger, acknowledge, resolve"
        key = event.get("dedup_key", "")
        if len(key) > 255 or (event["event_action"] != "trigger" and not key):
            return "dedup_key is missing or longer than 255"
        if event["event_action"] != "trigger":
            return None
        payload: dict[str, Any] = event.get("payload") or {}
        if not payload.get("summary") or len(payload["summary"]) > 1024:
            return "payload.summary is missing or longer than 1024"
        if not payload.get("source"):
            return "payload.source is missing"
        if payload.get("severity") not in {"critical", "error", "warning", "info"}:
            return "payload.severity is none of critical, error, warning, info"
        return None

    async def enqueue(self, request: Request) -> JSONResponse:
        """The one endpoint."""
        event = await request.json()
        mistake = self._mistake(event)
        if mistake is not None:
            self.refusals.append(mistake)
            return JSONResponse({"status": "invalid event", "errors": [mistake]}, 400)
        self.events.append({**event, "_to": request.path_params["to"]})
        return JSONResponse({"status": "success", "dedup_key": event["dedup_key"]}, 202)

    @contextmanager
    def running(self) -> Generator[str]:
        """Serve until the end, and give the base URL."""
        app = Starlette(routes=[Route("/{to}/v2/enqueue", self.enqueue, methods=["POST"])])
        server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none")
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            wait_for("the stand-in listens", lambda: server.started)
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
