"""Prompts and completions: where they go when they were asked for, and what a redaction and a size make of them."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, get_args

import anthropic
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import claudescope
from claudescope import BadInputError, Content
from claudescope._internal import internal_errors
from claudescope.content import ContentMode
from claudescope.content.capture import EVENT_NAME, MAX_GATHERED, Capture
from claudescope.content.options import ENVIRONMENT
from claudescope.probe import flush
from tests.scripted import REQUEST, ScriptedAPI, error, events, message, stream, traced

_INPUT, _OUTPUT, _SYSTEM = "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"
_TRUNCATED = "anthropic.content.truncated"
_KEYS = {_INPUT, _OUTPUT, _SYSTEM, _TRUNCATED}


class App:
    """An app whose spans and events can be looked at."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.events = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the library's
        self.tracer_provider = TracerProvider()
        self.logger_provider = LoggerProvider()
        self.logger_provider.add_log_record_processor(SimpleLogRecordProcessor(self.events))

    def instrument(self, content: Any, **options: Any) -> None:
        """Switch claudescope on, with content recorded so."""
        claudescope.instrument(
            content=content, logger_provider=self.logger_provider, tracer_provider=self.tracer_provider, **options
        )

    def client(self, *answers: Any, **options: Any) -> Any:
        """A client whose calls get these answers."""
        return ScriptedAPI(*answers).client(max_retries=0, **traced(self.tracer_provider), **options)

    def on_span(self) -> dict[str, Any]:
        """The content on the only span, decoded."""
        (span,) = self.spans.get_finished_spans()
        found = {name: value for name, value in (span.attributes or {}).items() if name in _KEYS}
        return {name: json.loads(value) if isinstance(value, str) else value for name, value in found.items()}

    def in_event(self) -> dict[str, Any]:
        """The content in the only event, as lists and dicts."""
        (data,) = self.events.get_finished_logs()
        assert data.log_record.event_name == EVENT_NAME
        found = {name: value for name, value in (data.log_record.attributes or {}).items() if name in _KEYS}
        plain: dict[str, Any] = json.loads(json.dumps(found))
        return plain


@pytest.fixture
def app() -> Generator[App, None, None]:
    """An app whose spans end up in memory."""
    made = App()
    made.tracer_provider.add_span_processor(SimpleSpanProcessor(made.spans))
    yield made
    made.tracer_provider.shutdown()
    made.logger_provider.shutdown()


@pytest.fixture(autouse=True)
def _no_faults() -> Generator[None, None, None]:
    before = dict(internal_errors.counts())
    yield
    after = dict(internal_errors.counts())
    assert {name: after.get(name, 0) - before.get(name, 0) for name in ("probe", "metrics", "spans", "logs")} == {
        "probe": 0, "metrics": 0, "spans": 0, "logs": 0,
    }  # fmt: skip


_HELLO = {"role": "user", "parts": [{"type": "text", "content": "Hello"}]}
_GOOD_DAY = {"role": "assistant", "parts": [{"type": "text", "content": "Good day"}]}


@pytest.mark.parametrize(
    ("value", "span", "event"),
    [
        (None, False, False),
        ("", False, False),
        ("false", False, False),
        ("NO_CONTENT", False, False),
        ("span_only", True, False),
        ("true", True, False),
        ("EVENT_ONLY", False, True),
        ("SPAN_AND_EVENT", True, True),
    ],
)
def test_by_the_environment(
    app: App, monkeypatch: pytest.MonkeyPatch, value: str | None, span: bool, event: bool
) -> None:
    """The variable of all GenAI instrumentations says whether, and where; unset is no."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    if value is not None:
        monkeypatch.setenv(ENVIRONMENT, value)
    app.instrument(None)
    app.client(message()).messages.create(**REQUEST, system="Be brief")
    expected = {_SYSTEM: [{"type": "text", "content": "Be brief"}], _INPUT: [_HELLO], _OUTPUT: [_GOOD_DAY]}
    assert app.on_span() == (expected if span else {})
    assert (app.in_event() if app.events.get_finished_logs() else {}) == (expected if event else {})


def test_a_word_that_is_none(app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A value that nobody knows records nothing, and a warning says so."""
    monkeypatch.setenv(ENVIRONMENT, "ALL")
    app.instrument(None)
    app.client(message()).messages.create(**REQUEST)
    assert app.on_span() == {}
    assert [record.getMessage() for record in caplog.records if record.name == "claudescope"] == [
        f"claudescope: {ENVIRONMENT}='ALL': expected one of {', '.join(get_args(ContentMode))}. No content is recorded"
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "ALL"}, "content mode 'ALL': expected one of 'NO_CONTENT', 'SPAN_ONLY'"),
        ({"max_bytes": 0}, "max_bytes=0: expected a whole number of at least 1"),
        ({"redact": "names"}, "redact='names': expected a function"),
    ],
)
def test_options_that_cant_be(options: dict[str, Any], says: str) -> None:
    """A wrong option says what was expected."""
    with pytest.raises(BadInputError, match=says):
        Content(**options)


def test_the_event(app: App) -> None:
    """The event is tied to the call's span, and says what the conventions want beside the content."""
    app.instrument("EVENT_ONLY")
    app.client(message()).messages.create(**REQUEST)
    (data,) = app.events.get_finished_logs()
    (span,) = app.spans.get_finished_spans()
    assert span.context is not None
    assert (data.log_record.trace_id, data.log_record.span_id) == (span.context.trace_id, span.context.span_id)
    assert {name: value for name, value in (data.log_record.attributes or {}).items() if name not in _KEYS} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5-5",
        "gen_ai.response.model": "claude-opus-5-5",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 110,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "server.address": "api.anthropic.com",
    }


def _said(*texts: str) -> list[Any]:
    return [{"role": "assistant", "parts": [{"type": "text", "content": "".join(texts)}]}]


def test_a_stream_read(app: App) -> None:
    """What a stream says is gathered from its events."""
    app.instrument("SPAN_AND_EVENT")
    list(app.client(stream()).messages.create(**REQUEST, stream=True))
    assert app.on_span() == app.in_event() == {_INPUT: [_HELLO], _OUTPUT: _said("a", "b", "c")}


def test_a_stream_left(app: App) -> None:
    """A stream that the app closes has said what it said so far."""
    app.instrument("SPAN_AND_EVENT")
    with app.client(stream()).messages.create(**REQUEST, stream=True) as opened:
        for event in opened:
            if event.type == "content_block_delta":
                break
    assert app.on_span() == app.in_event() == {_INPUT: [_HELLO], _OUTPUT: _said("a")}


def _read_one_word(client: Any) -> None:
    for event in client.messages.create(**REQUEST, stream=True):
        if event.type == "content_block_delta":
            return


def test_a_stream_dropped(app: App) -> None:
    """Of a dropped stream the span has the prompt, as its end may be in a finaliser; the event has all."""
    app.instrument("SPAN_AND_EVENT")
    _read_one_word(app.client(stream()))
    flush()
    assert app.in_event() == {_INPUT: [_HELLO], _OUTPUT: _said("a")}
    assert app.on_span() == {_INPUT: [_HELLO]}


def test_a_stream_of_bytes(app: App) -> None:
    """A body that the app reads itself tells as much as one that the SDK parses."""
    app.instrument("SPAN_AND_EVENT")
    with app.client(stream()).messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        b"".join(response.iter_bytes())
    assert app.on_span() == app.in_event() == {_INPUT: [_HELLO], _OUTPUT: _said("a", "b", "c")}


def test_a_failure(app: App) -> None:
    """A call that failed has a prompt and no answer, and the error's message is in neither."""
    app.instrument("SPAN_AND_EVENT")
    with pytest.raises(anthropic.BadRequestError):
        app.client(error(400, "invalid_request_error", "quoted")).messages.create(**REQUEST)
    assert app.on_span() == app.in_event() == {_INPUT: [_HELLO]}


def test_only_messages(app: App) -> None:
    """Counting tokens is no inference: its prompt is not recorded."""
    app.instrument("SPAN_AND_EVENT")
    request = {name: value for name, value in REQUEST.items() if name != "max_tokens"}
    app.client(message(input_tokens=3)).messages.count_tokens(**request)
    assert (app.on_span(), app.events.get_finished_logs()) == ({}, ())


def test_what_the_sdk_writes_itself(app: App) -> None:
    """Where the SDK's own content mode is on, its span is left to it; the event is still ours."""
    app.instrument(Content("SPAN_AND_EVENT", redact=lambda role, part: {**part, "content": f"{role}'s"}))
    client = ScriptedAPI(message()).client(
        open_telemetry={"tracer_provider": app.tracer_provider, "traces": {"content_mode": "content"}}
    )
    client.messages.create(**REQUEST)
    assert app.on_span() == {_INPUT: [_HELLO], _OUTPUT: [_GOOD_DAY]}
    assert app.in_event() == {
        _INPUT: [{"role": "user", "parts": [{"type": "text", "content": "user's"}]}],
        _OUTPUT: [{"role": "assistant", "parts": [{"type": "text", "content": "assistant's"}]}],
    }


def test_a_span_of_our_own(app: App) -> None:
    """Where we make the span it has the content as well."""
    app.instrument("SPAN_ONLY", spans="own")
    client = ScriptedAPI(message()).client(open_telemetry=False)
    client.messages.create(**REQUEST)
    assert app.on_span() == {_INPUT: [_HELLO], _OUTPUT: [_GOOD_DAY]}


# --- redaction --------------------------------------------------------------------------------------------------


def test_a_redaction(app: App) -> None:
    """It sees each part once, whole, with its role, and decides what is recorded of it."""
    seen: list[tuple[str, Any]] = []

    def redact(role: str, part: dict[str, Any]) -> dict[str, Any] | None:
        seen.append((role, part["content"]))
        return None if role == "system" else {**part, "content": part["content"].replace("Hello", "[greeting]")}

    app.instrument(Content("SPAN_AND_EVENT", redact=redact))
    list(app.client(stream()).messages.create(**REQUEST, system="Be brief", stream=True))
    expected = {
        _INPUT: [{"role": "user", "parts": [{"type": "text", "content": "[greeting]"}]}],
        _OUTPUT: _said("abc"),
    }
    assert app.on_span() == app.in_event() == expected
    assert seen == [("system", "Be brief"), ("user", "Hello"), ("assistant", "abc")]


@pytest.mark.parametrize("returned", [RuntimeError("broken"), "a text", 3])
def test_a_broken_redaction(app: App, returned: object) -> None:
    """A redaction that raises, or returns no part, has the part withheld; the call goes on and the fault is counted."""

    def redact(role: str, part: dict[str, Any]) -> Any:
        if isinstance(returned, Exception):
            raise returned
        return returned

    before = internal_errors.counts().get("content", 0)
    app.instrument(Content("SPAN_AND_EVENT", redact=redact))
    assert app.client(message()).messages.create(**REQUEST).content[0].text == "Good day"
    assert "Hello" not in str(app.on_span()) + str(app.in_event())
    assert internal_errors.counts()["content"] == before + 2  # the prompt's part and the answer's


def test_a_redaction_that_changes_what_it_got(app: App) -> None:
    """What it does to a part does not reach the app's own messages."""

    def redact(role: str, part: dict[str, Any]) -> dict[str, Any]:
        part["content"] = "x"
        return part

    app.instrument(Content("SPAN_ONLY", redact=redact))
    messages = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    answer = app.client(message()).messages.create(**{**REQUEST, "messages": messages})
    assert (messages[0]["content"], answer.content[0].text) == ([{"type": "text", "text": "Hello"}], "Good day")


def test_no_part_is_cut_before_it_is_redacted(app: App) -> None:
    """A text over the size is redacted whole and cut after: a cut secret would pass by any pattern."""
    secret = "4111-1111-1111-1111"
    app.instrument(
        Content("SPAN_ONLY", lambda _, part: {**part, "content": part["content"].replace(secret, "[card]")}, 120)
    )
    text = "x" * 30 + secret + "y" * 1000
    request = {**REQUEST, "messages": [{"role": "user", "content": text}]}
    list(app.client(stream(events(text[:35], text[35:]))).messages.create(**request, stream=True))
    (span,) = app.spans.get_finished_spans()
    recorded = str(span.attributes)
    assert (recorded.count("x[c"), recorded.count("4111")) == (2, 0)


def test_a_part_too_large_to_redact(app: App) -> None:
    """A streamed part that outgrows what is gathered is withheld where a redaction had to see it whole."""
    app.instrument(Content("EVENT_ONLY", redact=lambda _, part: part))
    half = "x" * (MAX_GATHERED // 2 + 1)
    list(app.client(stream(events(half, half))).messages.create(**REQUEST, stream=True))
    assert app.in_event() == {_INPUT: [_HELLO], _TRUNCATED: True}


# --- size -------------------------------------------------------------------------------------------------------


def _size(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize("limit", [1, 40, 60, 100, 200, 1000])
@pytest.mark.parametrize("text", ["plain " * 300, 'quoted "\n' * 200, "žluťoučký 🦄 " * 100])
def test_the_size(app: App, limit: int, text: str) -> None:
    """No attribute is larger than asked for, whatever its characters, and what was lost is marked."""
    app.instrument(Content("SPAN_ONLY", max_bytes=limit))
    request = {**REQUEST, "messages": [{"role": "user", "content": text}], "system": text}
    app.client(message(content=[{"type": "text", "text": text}])).messages.create(**request)
    span = app.on_span()
    assert span.pop(_TRUNCATED) is True
    (finished,) = app.spans.get_finished_spans()
    sizes = {name: len(str((finished.attributes or {})[name]).encode()) for name in span}
    # An empty list is two bytes.
    assert {name: size for name, size in sizes.items() if size > max(limit, 2)} == {}
    if limit == 1000:
        assert text.startswith(span[_SYSTEM][0]["content"]) and span[_SYSTEM][0]["content"]  # noqa: PT018 - one text


def test_the_newest_messages_stay(app: App) -> None:
    """Of a long conversation the newest messages are kept, whole, in their order."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"turn {n}"} for n in range(101)]
    app.instrument(Content("SPAN_ONLY", max_bytes=300))
    app.client(message()).messages.create(**{**REQUEST, "messages": turns})
    span = app.on_span()
    texts = [part["content"] for each in span[_INPUT] for part in each["parts"] if part["content"].startswith("turn")]
    assert texts == [f"turn {n}" for n in range(101 - len(texts), 101)]
    assert (0 < len(texts) < 10, span[_TRUNCATED]) == (True, True)


def test_an_endless_stream(app: App) -> None:
    """No more of an answer is held than can be recorded."""
    app.instrument(Content("EVENT_ONLY", max_bytes=1000))
    list(app.client(stream(events(*["word " * 20] * 200))).messages.create(**REQUEST, stream=True))
    event = app.in_event()
    assert event[_TRUNCATED] is True
    assert 800 < _size(event[_OUTPUT]) <= 1000


def test_the_prompt_as_it_was(app: App) -> None:
    """What the app does to its messages while it reads the stream changes nothing that was recorded."""
    app.instrument("EVENT_ONLY")
    messages: list[Any] = [{"role": "user", "content": "Hello"}]
    for _ in app.client(stream()).messages.create(**{**REQUEST, "messages": messages}, stream=True):
        messages[0]["content"] = "changed"
    assert app.in_event()[_INPUT] == [_HELLO]


def test_a_fault_of_our_own(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the prompt can't be taken the call is recorded without it."""

    def broken(*_args: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("claudescope.content.capture.parts_of", broken)
    before = internal_errors.counts().get("content", 0)
    app.instrument("SPAN_AND_EVENT")
    app.client(message()).messages.create(**REQUEST)
    assert (app.on_span(), app.events.get_finished_logs()) == ({}, ())
    assert internal_errors.counts()["content"] == before + 1


def test_off_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody asked, nothing that could take content is even made."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    def never(*_args: object, **_options: object) -> None:
        raise AssertionError("made")

    monkeypatch.setattr(Capture, "__init__", never)
    monkeypatch.setattr(Capture, "begin", never)
    claudescope.instrument(logs=True)
    list(ScriptedAPI(stream()).client().messages.create(**REQUEST, stream=True))
