"""Secrets in every part of a request and of an answer, and calls with them that fail in every way."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import anthropic
import pydantic

from tests.scripted import Answer, ScriptedAPI, error, events, http, message, stream

__all__ = ["ENDINGS", "SECRETS", "fail_with"]


def _secret(*parts: str) -> str:
    # In parts, so that Sentry's source context of this very file does not hold it.
    return "-".join([*parts, "hunter2", "battery"])


SECRETS: Final = {
    "prompt": _secret("prompt", "correct", "horse"),
    "system": _secret("system", "staple", "mule"),
    "tool input": _secret("tool", "input", "pony"),
    "tool description": _secret("tool", "description", "donkey"),
    "completion": _secret("completion", "zebra"),
    "key": _secret("sk", "ant", "api03", "okapi"),
    "header": _secret("header", "tapir"),
}
_ASKED: Final = ("prompt", "system", "tool input", "tool description", "key", "header")
_QUOTE: Final = 'was hit by:\n"it\'s" ' + json.dumps({name: SECRETS[name] for name in _ASKED})


def _request(prompt: str) -> dict[str, Any]:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"q": SECRETS["tool input"]}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "none"}
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 100,
        "system": SECRETS["system"],
        "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": [tool]},
            {"role": "user", "content": [result]},
        ],
        "tools": [{"name": "look", "description": SECRETS["tool description"], "input_schema": schema}],
        "extra_headers": {"x-tenant": SECRETS["header"]},
    }


def _client(answer: Answer | None, **options: Any) -> Any:
    script = ScriptedAPI() if answer is None else ScriptedAPI(answer)
    return script.client(**{"max_retries": 0, "api_key": SECRETS["key"], **options})


def _create(answer: Answer, prompt: str) -> object:
    return _client(answer).messages.create(**_request(prompt))


def _create_async(answer: Answer, prompt: str) -> object:
    async def create() -> object:
        client = ScriptedAPI(answer).async_client(max_retries=0, api_key=SECRETS["key"])
        return await client.messages.create(**_request(prompt))

    return asyncio.run(create())


def _read(answer: Answer, prompt: str) -> object:
    return list(_client(answer).messages.create(**_request(prompt), stream=True))


def _read_with_helper(answer: Answer, prompt: str) -> object:
    with _client(answer).messages.stream(**_request(prompt)) as opened:
        return opened.get_final_message()


class _Sky(pydantic.BaseModel):
    colour: str


def _parse(answer: Answer, prompt: str) -> object:
    return _client(answer).messages.parse(**_request(prompt), output_format=_Sky)


def _validate(answer: Answer, prompt: str) -> object:
    return _client(answer, _strict_response_validation=True).messages.create(**_request(prompt))


def _bug_in_a_middleware(prompt: str) -> object:
    def middleware(request: Any, call_next: Any) -> Any:
        raise KeyError("a bug")

    return _client(None, middleware=[middleware]).messages.create(**_request(prompt))


def _bad_header(key: str, header: str, prompt: str) -> object:
    """A key or header that the HTTP library refuses, and quotes. The server is never asked."""
    request: dict[str, Any] = {**_request(prompt), "extra_headers": {"x-tenant": header}}
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        anthropic.Anthropic(
            api_key=key, base_url=f"http://127.0.0.1:{server.getsockname()[1]}", max_retries=0, timeout=5
        ) as client,
    ):
        return client.messages.create(**request)


def _no_key(prompt: str) -> object:
    client = _client(None)
    client.api_key = None
    return client.messages.create(**_request(prompt))


def _tool_events(text: str) -> list[dict[str, Any]]:
    made = events(SECRETS["completion"])
    block = {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": text}
    return [
        made[0],
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        *made[-2:],
    ]


_SAID: Final = events(SECRETS["completion"])[:3]
_ERROR_EVENT: Final = {"type": "error", "error": {"type": "overloaded_error", "message": f"Overloaded {_QUOTE}"}}
_ANSWERED: Final = json.dumps({"secret": SECRETS["completion"]})
_JSON: Final = {"content-type": "application/json"}

ENDINGS: Final[dict[str, Callable[[str], object]]] = {
    **{
        f"{status}": partial(_create, error(status, kind, f"limit {status} {_QUOTE}"))
        for status, kind in (
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (529, "overloaded_error"),
        )
    },
    "async": partial(_create_async, error(429, "rate_limit_error", f"limit of asyncio {_QUOTE}")),
    "gateway's text": partial(_create, Answer(502, f"<html>{_QUOTE}</html>".encode())),
    "gateway's JSON": partial(_create, Answer(403, json.dumps({"detail": [{"input": _QUOTE}]}).encode(), _JSON)),
    "gateway's list": partial(_create, Answer(422, json.dumps([_QUOTE]).encode(), _JSON)),
    "refused": partial(_create, Answer(fails=http.ConnectError("refused"))),
    "timeout": partial(_create, Answer(fails=http.ReadTimeout("slow"))),
    "no JSON": partial(_create, Answer(200, f"{_ANSWERED}}}{_ANSWERED}".encode(), _JSON)),
    "no message": partial(_validate, Answer(200, json.dumps({"id": 1, "content": _ANSWERED}).encode(), _JSON)),
    "other schema": partial(_parse, message(content=[{"type": "text", "text": _ANSWERED}])),
    "error event": partial(_read, stream([*_SAID, _ERROR_EVENT])),
    "reset stream": partial(_read, stream(_SAID, breaks=http.ReadError("reset"))),
    "bad event": partial(_read, Answer(200, f"event: message_start\ndata: {{{_ANSWERED}\n\n".encode())),
    "bad tool input": partial(_read_with_helper, stream(_tool_events(f"{{{_ANSWERED}"))),
    "error event, helper": partial(_read_with_helper, stream([*_SAID, _ERROR_EVENT])),
    "bad key": partial(_bad_header, SECRETS["key"] + "\n", SECRETS["header"]),
    "bad header": partial(_bad_header, SECRETS["key"], SECRETS["header"] + "\n"),
    "no key": _no_key,
    "middleware": _bug_in_a_middleware,
}
"""Calls that fail, by the ending. Each takes the prompt."""


def fail_with(ending: str, prompt: str) -> Exception:
    """The exception that a call ends with."""
    try:
        ENDINGS[ending](prompt)
    except Exception as caught:  # noqa: BLE001 - each ending has its own
        return caught
    raise AssertionError(f"the call did not fail: {ending}")
