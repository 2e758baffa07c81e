"""The endings of a call: what the API or the app does, and what the record must say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from claudescope.probe.response import field_of
from claudescope.schema.record import Outcome
from tests.matrix.driver import Backend, Items, value
from tests.matrix.surfaces import Reading, Sort
from tests.scripted import Answer, Event, error, events, http

__all__ = ["ENDINGS", "Ending", "Wire", "Work"]


@dataclass(frozen=True)
class Wire:
    """Makes the answers of one surface, as its platform sends them.

    Attributes:
        good: Makes the answer of a call that goes well, with fields changed where it is a whole Message.
        stream: Makes a stream of events.
    """

    good: Callable[..., Answer]
    stream: Callable[..., Answer]


class AppError(Exception):
    """What the app's own code raises."""


class CircuitOpenError(Exception):
    """As a circuit breaker in the app's transport raises it."""


async def _to_end(source: Any, close: Callable[[], Any]) -> Any:
    return [item async for item in Items(source)]


async def _leave(source: Any, close: Callable[[], Any]) -> Any:
    async for item in Items(source):
        return item
    return None


async def _close(source: Any, close: Callable[[], Any]) -> Any:
    first = await Items(source).__anext__()
    await value(close())
    return first


async def _never(source: Any, close: Callable[[], Any]) -> Any:
    return type(source).__name__


async def _raise(source: Any, close: Callable[[], Any]) -> Any:
    async for _ in Items(source):
        raise AppError("the app's own")


async def _until_stop_reason(source: Any, close: Callable[[], Any]) -> Any:
    async for event in Items(source):
        if field_of(event, "type") == "message_delta":
            return event
    return None


_WHOLE: Final[frozenset[Sort]] = frozenset({"value", "parsed", "raw", "body", "parts"})
_READ: Final[frozenset[Sort]] = frozenset({"events", "helper", "bytes"})
_STREAMS: Final[frozenset[Sort]] = frozenset({"events", "helper", "final", "bytes"})
_ALL: Final[frozenset[Sort]] = _WHOLE | _STREAMS
_ASYNC: Final[frozenset[Backend]] = frozenset({"asyncio", "trio"})
_BACKENDS: Final[frozenset[Backend]] = frozenset({"sync", "asyncio", "trio"})

Work = tuple[tuple[int | None, str | None], ...]
"""The status and the kind of each attempt."""


@dataclass(frozen=True)
class Ending:
    """One way a call ends.

    Attributes:
        name: What happens.
        answers: What the API sends.
        outcome: The record's.
        kind: The record's `error_type`.
        attempts: The record's attempts.
        sorts: The sorts of surfaces that can end so.
        reading: How the app reads a stream.
        usage: What was billed as far as it was said: `all` of it, what was `started`, or `nothing`; `unsaid` where the
            answer says who answered but not what it cost.
        retries: How often the client may try again.
        backends: On what it can happen.
        chat_only: It needs the body of a Message.
        everywhere: It is tried on every surface; where not, on those that stand for the others.
    """

    name: str
    answers: Callable[[Wire], list[Answer]]
    outcome: Outcome = "ok"
    kind: str | None = None
    attempts: Work = ((200, None),)
    sorts: frozenset[Sort] = _ALL
    reading: Reading = _to_end
    usage: str = "all"
    retries: int = 0
    backends: frozenset[Backend] = _BACKENDS
    chat_only: bool = False
    everywhere: bool = True

    @property
    def brief(self) -> bool:
        """Whether it is tried on the surfaces that are tried with a few endings."""
        return self.name in _BRIEF

    @property
    def typical(self) -> bool:
        """Whether it is tried on other platforms and in other settings, too, which share the code of all endings."""
        return self.brief or self.name in _TYPICAL


_BRIEF: Final = frozenset(
    {
        "returned",
        "rate_limit_error",
        "retried, then good",
        "body broken while it is read",
        "part of the body read",
        "body that is no JSON, and the app's to parse",
        "read to the end",
        "left after one",
        "reset mid-stream",
    }
)
_TYPICAL: Final = frozenset(
    {
        "refused",
        "cancelled before the response",
        "cancelled mid-stream",
        "closed after one",
        "never read",
        "error event",
        "cut before message_stop",
    }
)

_STATUSES: Final = (
    ("rate_limit_error", 429, "rate_limit_error", None, "No"),
    ("ramp_limit_error", 429, "rate_limit_error", "ramp_limit_exceeded", "No"),
    ("spend_limit_error", 429, "rate_limit_error", "enforced_spend_limit_reached", "No"),
    ("overloaded_error", 529, "overloaded_error", None, "No"),
    ("api_error", 500, "api_error", None, "No"),
    ("timeout_error", 504, "timeout_error", None, "No"),
    ("authentication_error", 401, "authentication_error", None, "No"),
    ("permission_error", 403, "permission_error", None, "No"),
    ("billing_error", 402, "billing_error", None, "No"),
    ("not_found_error", 404, "not_found_error", None, "No"),
    ("request_too_large", 413, "request_too_large", None, "No"),
    ("invalid_request_error", 400, "invalid_request_error", None, "No"),
    ("content_policy_error", 400, "invalid_request_error", None, "Output blocked by content filtering policy"),
)
_TRANSPORT: Final[tuple[tuple[str, str, Callable[[], BaseException]], ...]] = (
    ("refused", "connection_error", lambda: http.ConnectError("refused")),
    ("reset before the response", "connection_error", lambda: http.ReadError("reset")),
    ("connect timeout", "client_timeout_error", lambda: http.ConnectTimeout("slow")),
    ("write timeout", "client_timeout_error", lambda: http.WriteTimeout("slow")),
    ("read timeout", "client_timeout_error", lambda: http.ReadTimeout("slow")),
    ("pool timeout", "pool_timeout_error", lambda: http.PoolTimeout("full")),
    ("circuit open", "circuit_open_error", lambda: CircuitOpenError("open")),
)
_JSON: Final = {"content-type": "application/json"}
_OVERLOADED: Final[Event] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def _status(kind: str, status: int, api_type: str, code: str | None, text: str) -> Ending:
    return Ending(
        kind,
        lambda wire: [error(status, api_type, text, code=code)],
        "error",
        kind,
        ((status, kind),),
        usage="nothing",
        everywhere=kind == "rate_limit_error",
    )


def _transport(name: str, kind: str, failure: Callable[[], BaseException]) -> Ending:
    return Ending(
        name,
        lambda wire: [Answer(fails=failure())],
        "error",
        kind,
        ((None, kind),),
        usage="nothing",
        everywhere=name == "refused",
    )


def _cut(name: str, kind: str, failure: Callable[[], BaseException], outcome: Outcome = "error") -> Ending:
    return Ending(
        name,
        lambda wire: [wire.stream(events("a")[:3], breaks=failure())],
        outcome,
        kind if outcome == "error" else None,
        ((200, kind if outcome == "error" else None),),
        _STREAMS,
        usage="started",
        backends=_BACKENDS if outcome == "error" else frozenset({"sync"}),
    )


def _left(name: str, reading: Reading, usage: str, outcome: Outcome = "abandoned") -> Ending:
    return Ending(name, lambda wire: [wire.stream()], outcome, sorts=_READ, reading=reading, usage=usage)


def _once(status: int, kind: str) -> Answer:
    return error(status, kind, retry_after_ms="1")


def _hanging(answer: Answer) -> Answer:
    return replace(answer, hangs="end")


def _bad_json(wire: Wire) -> list[Answer]:
    return [Answer(body=b"{not json", headers=_JSON)]


ENDINGS: tuple[Ending, ...] = (
    Ending("returned", lambda wire: [wire.good()]),
    *(_status(*row) for row in _STATUSES),
    *(_transport(*row) for row in _TRANSPORT),
    Ending(
        "retried, then good",
        lambda wire: [_once(429, "rate_limit_error"), _once(529, "overloaded_error"), wire.good()],
        attempts=((429, "rate_limit_error"), (529, "overloaded_error"), (200, None)),
        retries=2,
    ),
    Ending(
        "retried, then failed",
        lambda wire: [_once(500, "api_error")] * 2,
        "error",
        "api_error",
        ((500, "api_error"),) * 2,
        retries=1,
        usage="nothing",
    ),
    Ending(
        "no connection, then good",
        lambda wire: [Answer(fails=http.ConnectError("refused")), wire.good()],
        attempts=((None, "connection_error"), (200, None)),
        retries=1,
    ),
    Ending(
        "interrupted before the response",
        lambda wire: [Answer(fails=KeyboardInterrupt())],
        "cancelled",
        attempts=((None, None),),
        backends=frozenset({"sync"}),
        usage="nothing",
    ),
    Ending(
        "interrupted before the response, on a loop",
        lambda wire: [Answer(hangs="response", interrupts=True)],
        "cancelled",
        attempts=((None, None),),
        backends=_ASYNC,
        usage="nothing",
        everywhere=False,
    ),
    Ending(
        "cancelled before the response",
        lambda wire: [Answer(hangs="response")],
        "cancelled",
        attempts=((None, None),),
        backends=_ASYNC,
        usage="nothing",
    ),
    Ending(
        "cancelled while it waits to try again",
        lambda wire: [Answer(503, b"", {"retry-after": "30"}, hangs="retry"), wire.good()],
        "cancelled",
        attempts=((503, "api_error"),),
        backends=_ASYNC,
        retries=1,
        usage="nothing",
    ),
    Ending(
        "body that is no JSON",
        _bad_json,
        "error",
        "response_validation_error",
        ((200, None),),
        frozenset({"value", "parsed"}),
        usage="nothing",
    ),
    Ending("body that is no JSON, and the app's to parse", _bad_json, sorts=frozenset({"raw"}), usage="nothing"),
    Ending(
        "refused by the app's schema",
        lambda wire: [wire.good(content=[{"type": "text", "text": "no number"}])],
        "error",
        "response_validation_error",
        sorts=frozenset({"parsed"}),
    ),
    Ending(
        "usage missing",
        lambda wire: [wire.good(usage=None)],
        sorts=_WHOLE,
        usage="unsaid",
        chat_only=True,
    ),
    Ending(
        "body broken while it is read",
        lambda wire: [Answer(body=[b'{"id":'], headers=_JSON, breaks=http.ReadError("reset"))],
        "error",
        "stream_interrupted_error",
        ((200, "stream_interrupted_error"),),
        frozenset({"body", "parts"}),
        usage="nothing",
    ),
    Ending(
        "body broken while the SDK reads it",
        lambda wire: [Answer(body=[b'{"id":'], headers=_JSON, breaks=http.ReadError("reset"))],
        "error",
        "connection_error",
        ((None, "connection_error"),),
        frozenset({"value", "parsed", "raw"}),
        usage="nothing",
        everywhere=False,
    ),
    Ending(
        "part of the body read",
        lambda wire: [wire.good()],
        "abandoned",
        sorts=frozenset({"parts"}),
        reading=_leave,
        usage="nothing",
    ),
    Ending(
        "a block refused by the app's schema",
        lambda wire: [wire.stream()],
        "abandoned",
        sorts=frozenset({"schema"}),
        usage="started",
    ),
    Ending("read to the end", lambda wire: [wire.stream()], sorts=_STREAMS),
    _left("left after one", _leave, "started"),
    _left("closed after one", _close, "started"),
    _left("never read", _never, "nothing"),
    _left("the app raises in the loop", _raise, "started"),
    Ending(
        "left after the stop reason",
        lambda wire: [wire.stream()],
        sorts=frozenset({"events"}),
        reading=_until_stop_reason,
    ),
    Ending(
        "error event",
        lambda wire: [wire.stream([*events("a")[:3], _OVERLOADED])],
        "error",
        "overloaded_error",
        ((200, "overloaded_error"),),
        _STREAMS,
        usage="started",
    ),
    Ending(
        "cut before message_stop",
        lambda wire: [wire.stream(events("a")[:3])],
        "error",
        "stream_interrupted_error",
        ((200, "stream_interrupted_error"),),
        _STREAMS,
        usage="started",
    ),
    Ending(
        "empty body",
        lambda wire: [wire.stream([])],
        "error",
        "stream_interrupted_error",
        ((200, "stream_interrupted_error"),),
        _STREAMS,
        usage="nothing",
    ),
    _cut("reset mid-stream", "stream_interrupted_error", lambda: http.ReadError("reset")),
    _cut("incomplete chunk", "stream_interrupted_error", lambda: http.RemoteProtocolError("incomplete")),
    _cut("read timeout mid-stream", "client_timeout_error", lambda: http.ReadTimeout("slow")),
    _cut("interrupted mid-stream", "", KeyboardInterrupt, "cancelled"),
    Ending(
        "cancelled mid-stream",
        lambda wire: [_hanging(wire.stream(events("a")[:3]))],
        "cancelled",
        sorts=_STREAMS,
        usage="started",
        backends=_ASYNC,
    ),
    Ending(
        "interrupted mid-stream, on a loop",
        lambda wire: [replace(_hanging(wire.stream(events("a")[:3])), interrupts=True)],
        "cancelled",
        sorts=_STREAMS,
        usage="started",
        backends=_ASYNC,
        everywhere=False,
    ),
)
