"""The dead man's switch: Alertmanager calls it all the time, and it pages when the calls stop.

It needs neither Prometheus nor Alertmanager to tell somebody: it sends the page itself, to the receiver of pages in the
spec. One thread does everything, so nothing in it can wait for a lock while nobody watches.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final, cast

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.yaml_model import format_duration
from claudescope_alerts.deploy import request
from claudescope_alerts.rules.symptoms.telemetry import DEAD_MAN
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.routing import Receiver

__all__ = ["Switch", "serve"]

_PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
_LONGEST_BODY: Final = 1_000_000
"""Bytes of a call that are read."""

_RETRY: Final = 30.0
"""Seconds until a page that could not be sent is sent again."""

_TICK: Final = 1.0


class Switch:
    """Knows when it was last called, and pages once when that is too long ago.

    Args:
        spec: Has the service and the receiver of pages.
        after: Seconds without a call after which it pages.
        clock: The time in seconds, from any start.

    Raises:
        BadInputError: The spec has no receiver of pages that the switch can reach.
    """

    def __init__(self, spec: Spec, after: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._receiver, self._service, self._after, self._clock = spec.routing.page, spec.service.name, after, clock
        if not (self._receiver.pagerduty_key_file or self._receiver.slack):
            raise BadInputError("routing.page: expected a pagerduty_key_file or slack, which the switch pages")
        self._called, self._tried, self._paged = clock(), float("-inf"), False

    def call(self, body: bytes) -> bool:
        """Take a call of Alertmanager's webhook. False for one that is not about this service's switch."""
        try:
            document: Any = json.loads(body)
            alerts = cast("list[Any]", document["alerts"])
            alive = any(
                alert["status"] == "firing"
                and (alert["labels"].get("alertname"), alert["labels"].get("service")) == (DEAD_MAN, self._service)
                for alert in alerts
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return False
        if alive:
            self._called = self._clock()
        return alive

    def check(self) -> str | None:
        """Page if calls stopped, or resolve if they returned. Returns what was done, or None."""
        now = self._clock()
        stopped = now - self._called > self._after
        if stopped == self._paged or now - self._tried < _RETRY:
            return None
        self._tried = now
        try:
            _notify(self._receiver, self._service, self._after, resolve=not stopped)
        except (BadInputError, OSError) as error:
            return f"not sent, next try in {_RETRY:g} s: {error}"
        self._paged, self._tried = stopped, float("-inf")
        return "paged: no call of Alertmanager" if stopped else "resolved: Alertmanager calls again"


def _notify(receiver: Receiver, service: str, after: float, *, resolve: bool) -> None:
    """Tell the receiver of pages. An error of one channel does not keep the other from being told."""
    text = (
        f"{service}: alerting is down: Alertmanager has not called the dead man's switch for {format_duration(after)}"
    )
    if resolve:
        text = f"{service}: alerting works again"
    failures: list[Exception] = []
    channels = (_pagerduty, _slack)
    for channel in channels:
        try:
            channel(receiver, service, text, resolve=resolve)
        except (BadInputError, OSError) as error:  # noqa: PERF203 # see the docstring
            failures.append(error)
    told = len(channels) - len(failures) - (receiver.pagerduty_key_file is None) - (receiver.slack is None)
    if failures and told < 1:
        raise failures[0]


def _pagerduty(receiver: Receiver, service: str, text: str, *, resolve: bool) -> None:
    if receiver.pagerduty_key_file is None:
        return
    event: dict[str, Any] = {
        "routing_key": Path(receiver.pagerduty_key_file).read_text(encoding="utf-8").strip(),
        "event_action": "resolve" if resolve else "trigger",
        "dedup_key": f"claudescope-{service}-deadman",
    }
    if not resolve:
        details = {"severity": "page", "owner": "local"}
        event["payload"] = {"summary": text, "source": service, "severity": "critical", "custom_details": details}
    _post(receiver.pagerduty_url or _PAGERDUTY, event)


def _slack(receiver: Receiver, service: str, text: str, *, resolve: bool) -> None:
    del service, resolve
    if receiver.slack is not None:
        url = Path(receiver.slack.api_url_file).read_text(encoding="utf-8").strip()
        _post(url, {"channel": receiver.slack.channel, "text": text})


def _post(url: str, document: object) -> None:
    request("POST", url, {"Content-Type": "application/json"}, json.dumps(document).encode())


def serve(switch: Switch, host: str, port: int, say: Callable[[str], None], *, until: Callable[[], bool]) -> None:
    """Listen for calls, and check after each and once a second.

    Args:
        switch: The switch.
        host: Address to listen on.
        port: Port to listen on.
        say: Receives what happens, as lines.
        until: Ends it where it returns true.

    Raises:
        BadInputError: The address can't be listened on.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # a client that stops in the middle must not keep the switch from its check

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            taken = length.isdecimal() and int(length) <= _LONGEST_BODY and switch.call(self.rfile.read(int(length)))
            self.send_response(200 if taken else 400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the name of the base class
            del format, args

    try:
        server = HTTPServer((host, port), Handler)
    except OSError as error:
        raise BadInputError(f"{host}:{port}: can't listen: {error.strerror}. Choose another --listen") from None
    server.timeout = _TICK
    with contextlib.closing(server.socket):
        say(f"listening on http://{host}:{server.server_port}/")
        while not until():
            server.handle_request()
            if done := switch.check():
                say(done)
