"""What a sink hears of a call that failed, beside its record."""

from __future__ import annotations

from typing import ClassVar

import anthropic
import httpx2
import pytest
from opentelemetry.context import Context

import claudescope
from claudescope.lifecycle import attach, detach
from claudescope.probe import attempts
from claudescope.schema.classify import classify
from claudescope.schema.error_types import ErrorType
from claudescope.schema.record import CallRecord
from claudescope.sinks import Sink
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, message, stream


class _Notes(Sink):
    name: ClassVar[str] = "notes"

    def __init__(self) -> None:
        self.heard: list[tuple[str, str | None, BaseException | None]] = []

    def failed(self, record: CallRecord, error: BaseException | None) -> None:
        self.heard.append(("failed", record.error_type, error))

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        self.heard.append(("finished", record.error_type, None))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "authentication_error"), "authentication_error"),
        (Answer(fails=httpx2.PoolTimeout("full")), "pool_timeout_error"),
    ],
)
def test_the_exception_that_the_app_sees(answer: Answer, kind: str) -> None:
    """It is the very object, and it comes before `finished`."""
    notes = _Notes()
    claudescope.instrument(sinks=[notes])
    with pytest.raises(anthropic.APIError) as raised:
        ScriptedAPI(answer).client(max_retries=0).messages.create(**REQUEST)
    assert notes.heard == [("failed", kind, raised.value), ("finished", kind, None)]


@pytest.mark.anyio
async def test_async_streams() -> None:
    """A stream that breaks while it is read has its exception, and one that is cut has none."""
    notes = _Notes()
    claudescope.instrument(sinks=[notes])
    broken, cut = stream(events("a")[:3], breaks=httpx2.ReadError("reset")), stream(events("a")[:3])
    api = ScriptedAPI(broken, cut).async_client(max_retries=0)
    with pytest.raises(httpx2.ReadError) as raised:
        [event async for event in await api.messages.create(**REQUEST, stream=True)]
    [event async for event in await api.messages.create(**REQUEST, stream=True)]
    kind = "stream_interrupted_error"
    assert notes.heard == [
        *(("failed", kind, raised.value), ("finished", kind, None)),
        *(("failed", kind, None), ("finished", kind, None)),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        error(401, "authentication_error"),
        Answer(fails=httpx2.PoolTimeout("full")),
        stream(events("a")[:3], breaks=httpx2.ReadError("reset")),
    ],
)
def test_an_exception_is_classified_once(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the exception of a call serves its span, its attempt and its record."""
    classified: list[BaseException] = []

    def classify_and_count(error: BaseException) -> ErrorType:
        classified.append(error)
        return classify(error)

    monkeypatch.setattr(attempts, "classify", classify_and_count)
    claudescope.instrument()
    with pytest.raises((anthropic.APIError, httpx2.HTTPError)) as raised:
        list(ScriptedAPI(answer).client(max_retries=0).messages.create(**REQUEST, stream=True))
    assert classified == [raised.value]


def test_nothing_for_what_is_no_error() -> None:
    """Neither an answer nor a stream that the app left is a failure."""
    notes = _Notes()
    claudescope.instrument(sinks=[notes])
    api = ScriptedAPI(message(), stream()).client()
    api.messages.create(**REQUEST)
    api.messages.create(**REQUEST, stream=True).close()
    assert [name for name, _, _ in notes.heard] == ["finished", "finished"]


def test_attached_before_and_after() -> None:
    """A sink that is attached gets the calls whenever claudescope is on, until it is detached."""
    notes = _Notes()
    try:
        attach(notes)
        attach(notes)
        for _ in range(2):
            claudescope.instrument()
            ScriptedAPI(message()).client().messages.create(**REQUEST)
            claudescope.uninstrument()
        assert len(notes.heard) == 2
        claudescope.instrument()
        detach(notes)
        attach(notes)
        ScriptedAPI(message()).client().messages.create(**REQUEST)
        assert len(notes.heard) == 3
    finally:
        detach(notes)
    ScriptedAPI(message()).client().messages.create(**REQUEST)
    assert len(notes.heard) == 3
