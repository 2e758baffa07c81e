"""What an app sees of a call, to be compared with what it sees without claudescope."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import anyio
from anthropic import _base_client

from tests.matrix.driver import run
from tests.matrix.endings import Wire
from tests.matrix.surfaces import json_answer
from tests.matrix.table import Cell
from tests.scripted import Answer, ScriptedAPI

__all__ = ["View", "see"]

_RANDOM: Final = frozenset({"traceparent", "idempotency-key", "x-amz-date", "authorization", "content-type"})
"""Headers whose value differs from call to call: the span's id, a key, a signature and its time, a form's boundary."""

_ATTRIBUTES: Final = ("status_code", "request_id", "body", "message", "type", "code", "args")


@dataclass(frozen=True)
class View:
    """What an app sees.

    Attributes:
        value: What the call returned, or what the app made of it.
        errors: The exception that it raised, and those behind it.
        requests: What was sent: method, path, headers and body.
        closed: How many bodies were closed.
    """

    value: object
    errors: list[object]
    requests: list[object]
    closed: int


def see(cell: Cell, options: Mapping[str, Any], client: Any = None, api: ScriptedAPI | None = None) -> View:
    """Make the call of a cell as an app does.

    Args:
        cell: The call.
        options: Further options of the client.
        client: The client, where there is one already.
        api: What that asks.
    """
    api = api or script(cell)
    scope: list[anyio.CancelScope] = []
    api.cancels(scope)
    value: object = None
    errors: list[object] = []
    try:
        value = run(
            cell.backend,
            partial(cell.surface.use, client or make_client(cell, api, options), cell.ending.reading),
            scope,
        )
    except (Exception, KeyboardInterrupt) as raised:  # noqa: BLE001 - compared by the caller
        errors = _errors(raised)
    del client
    gc.collect(1)  # before 2.0 a dropped stream is a cycle
    return View((type(value), _plain(value)), errors, _requests(api), api.closed)


def script(cell: Cell) -> ScriptedAPI:
    """The API that a cell asks."""
    wire = Wire(partial(_good, cell), cell.platform.stream)
    return ScriptedAPI(*cell.ending.answers(wire))


def make_client(cell: Cell, api: ScriptedAPI, options: Mapping[str, Any]) -> Any:
    """The client of a cell."""
    is_async = cell.backend != "sync"
    client = cell.platform.client(api, is_async=is_async, max_retries=cell.ending.retries, **options)
    if is_async:
        client._platform = _base_client.get_platform()  # or it asks in a thread, which takes longer than the call
    return client


def _good(cell: Cell, **changes: Any) -> Answer:
    if cell.surface.streams:
        return cell.platform.stream()
    answer = cell.surface.answer
    return json_answer({**answer, **changes} if changes else answer)


def _plain(value: Any) -> object:
    """A value that compares by what an app sees of it: a page refers to its client, which is another each time."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in cast("list[Any]", value)]
    return value.model_dump(warnings=False) if hasattr(value, "model_dump") else value


def _errors(error: BaseException | None) -> list[object]:
    """What an app can see of an exception and those behind it; tracebacks aside."""
    seen: list[object] = []
    while error is not None:
        attributes = {name: repr(getattr(error, name, None)) for name in _ATTRIBUTES}
        seen.append((type(error), type(error).__mro__, str(error), error.__suppress_context__, attributes))
        error = error.__cause__ or error.__context__
    return seen


def _requests(api: ScriptedAPI) -> list[object]:
    requests: list[object] = []
    for (method, path, body), headers in zip(api.requests, api.headers, strict=True):
        masked = {name: "" if name in _RANDOM else value for name, value in headers.items()}
        boundary = headers.get("content-type", "").partition("boundary=")[2]
        requests.append((method, path, masked, body.replace(boundary.encode(), b"") if boundary else body))
    return requests
