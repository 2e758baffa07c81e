"""What apps put around calls: tool runners, middleware, other transports, other schedulers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anthropic
import pytest
from anthropic import beta_tool

from claudescope.testing import capture_calls
from tests.scripted import MESSAGE, REQUEST, ScriptedAPI, error, events, message, server_sent


@beta_tool
def add(left: int, right: int) -> str:
    """Add two numbers.

    Args:
        left: One.
        right: The other.
    """
    return str(left + right)


def test_each_turn_of_a_tool_runner_is_a_call() -> None:
    """A turn that asks for a tool and the turn that answers are two calls."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"left": 1, "right": 2}}
    api = ScriptedAPI(message(content=[use], stop_reason="tool_use"), message())
    with capture_calls() as calls:
        final = api.client().beta.messages.tool_runner(**REQUEST, tools=[add]).until_done()
    assert final.stop_reason == "end_turn"
    assert [(call.outcome, call.finish_reason) for call in calls] == [("ok", "tool_use"), ("ok", "end_turn")]


def test_a_middleware_that_tries_again() -> None:
    """What a middleware sends again is one more attempt of the same call."""

    def again(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        return call_next(request) if response.parse().stop_reason == "refusal" else response

    api = ScriptedAPI(message(stop_reason="refusal"), message())
    with capture_calls() as calls:
        assert api.client(middleware=[again]).messages.create(**REQUEST).stop_reason == "end_turn"
    (record,) = calls
    assert [(attempt.status_code, attempt.request_id) for attempt in record.attempts] == [
        (200, "req_1"),
        (200, "req_2"),
    ]
    assert (record.outcome, record.finish_reason, len(api.requests)) == ("ok", "end_turn", 2)


def test_a_middleware_that_answers_itself() -> None:
    """An answer that no request was made for was not billed: a call without an attempt, usage or cost."""
    kept = anthropic.types.Message.model_validate(MESSAGE)

    def cached(request: Any, call_next: Any) -> Any:
        return kept

    with capture_calls() as calls:
        assert ScriptedAPI().client(middleware=[cached]).messages.create(**REQUEST) is kept
    (record,) = calls
    assert (record.outcome, record.attempts, record.usage, record.cost_usd) == ("ok", (), None, None)


def test_a_middleware_that_raises() -> None:
    """Its exception reaches the app as it is, and is the call's error; what the API billed before is kept."""
    fault = RuntimeError("the app's own")

    def refuse(request: Any, call_next: Any) -> Any:
        call_next(request)
        raise fault

    with capture_calls() as calls, pytest.raises(RuntimeError) as caught:
        ScriptedAPI(message()).client(middleware=[refuse]).messages.create(**REQUEST)
    assert caught.value is fault
    (record,) = calls
    assert (record.outcome, record.error_type, record.status_code) == ("error", "unknown_error", 200)
    assert record.cost_usd is not None


def test_a_call_inside_of_a_call() -> None:
    """A call that a middleware makes is a call of its own, and leaves the outer one's attempts alone."""
    inner = ScriptedAPI(error(429, "rate_limit_error", retry_after_ms="1"), message(model="claude-haiku-5-5")).client()

    def ask_first(request: Any, call_next: Any) -> Any:
        inner.messages.create(**REQUEST)
        return call_next(request)

    with capture_calls() as calls:
        ScriptedAPI(message()).client(middleware=[ask_first]).messages.create(**REQUEST)
    assert [(call.response_model, call.retries) for call in calls] == [("claude-haiku-5-5", 1), ("claude-opus-5-5", 0)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("stream"):
            body, kind = b"".join(map(server_sent, events("a", "b"))), "text/event-stream"
        else:
            body, kind = json.dumps(MESSAGE).encode(), "application/json"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Nothing."""


@pytest.fixture
def server() -> Generator[str, None, None]:
    """A real HTTP server on loopback, for transports that can't be scripted."""
    api = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=api.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{api.server_address[1]}"
    api.shutdown()
    api.server_close()
    thread.join()


def test_the_aiohttp_transport(server: str) -> None:
    """A client on aiohttp is seen as one on httpx."""

    async def use() -> None:
        async with anthropic.AsyncAnthropic(
            api_key="key", base_url=server, http_client=anthropic.DefaultAioHttpClient()
        ) as client:
            await client.messages.create(**REQUEST)
            async with client.messages.stream(**REQUEST) as helper:
                assert await helper.get_final_text() == "ab"

    with capture_calls() as calls:
        asyncio.run(use())
    assert [(call.outcome, call.server_address) for call in calls] == [("ok", "127.0.0.1")] * 2
    assert [call.usage and call.usage.output_tokens for call in calls] == [20, 20]


_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, sys
import anthropic, claudescope
from claudescope.testing import capture_calls
from tests.scripted import REQUEST

def call(number):
    client = anthropic.Anthropic(api_key="key", base_url=sys.argv[1])
    with claudescope.workflow(f"w{number}"):
        client.messages.create(**REQUEST)
        list(client.messages.create(**REQUEST, stream=True))
        for _ in client.messages.create(**REQUEST, stream=True):
            break

with capture_calls() as calls:
    gevent.joinall([gevent.spawn(call, number) for number in range(8)], raise_error=True)
print(sorted((c.workflow, c.stream, c.outcome) for c in calls) == sorted(
    (f"w{n}", stream, outcome)
    for n in range(8) for stream, outcome in ((False, "ok"), (True, "ok"), (True, "abandoned"))
))
"""


def test_gevent(server: str) -> None:
    """Greenlets have contexts of their own: calls don't mix, and dropped streams end."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", _GEVENT, server], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
