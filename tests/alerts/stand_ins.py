"""An exporter to scrape, and the stand-in for PagerDuty."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers import serving

__all__ = ["Exporter", "PagerDuty"]


class Exporter:
    """Serves the values of series to Prometheus, as an app does."""

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
        """Serve until the block ends."""
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
    """A stand-in for PagerDuty's Events API v2. It refuses every event that the real API refuses.

    Attributes:
        events: Accepted events in order, each with the account from its path under `_to`.
        refusals: Why events were refused.
        routing_keys: Integration keys that exist.
    """

    routing_keys: frozenset[str]
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refusals: list[str] = field(default_factory=list[str])

    def of(self, to: str, key: str) -> list[dict[str, Any]]:
        """Events that one account received with one key."""
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
        """Serve until the block ends; yields the base URL."""
        with serving(Route("/{to}/v2/enqueue", self.enqueue, methods=["POST"])) as base:
            yield base
