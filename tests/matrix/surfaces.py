"""The surfaces of the SDK: every way in which an app calls it, each written once for sync and async clients."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import anthropic
from pydantic import BaseModel

from tests.matrix.driver import Entered, Items, value
from tests.scripted import MESSAGE, REQUEST, Answer, http

__all__ = ["BATCH", "SURFACES", "Reading", "Surface", "json_answer"]

Reading = Callable[[Any, Callable[[], Any]], Awaitable[Any]]
"""How an app reads a stream: gets what it iterates over, and what closes it."""

Use = Callable[[Any, Reading], Awaitable[Any]]
Sort = Literal["value", "parsed", "raw", "body", "parts", "events", "helper", "final", "schema", "bytes"]
"""What an app gets.

- `value`: a whole response, read by the SDK; `parsed`: by a schema of the app's too
- `raw`: a whole response, read by the SDK, that the app then parses
- `body`: a whole response that the app reads itself, at once; `parts`: piece by piece
- `events`: the events of a stream; `helper`: those, or what a stream helper makes of them
- `final`: what a helper makes of the whole stream; `schema`: by a schema of the app's
- `bytes`: a stream's body, that nobody parses
"""

_COUNT = {"model": REQUEST["model"], "messages": REQUEST["messages"]}


@dataclass(frozen=True)
class Surface:
    """One way to call the SDK.

    Attributes:
        name: What an app writes.
        operation: The operation of its record.
        sort: What the app gets.
        use: Calls it.
        answer: What the API answers where the surface is no stream.
        since: The first of the tested versions that has it.
        until: The first of the tested versions that no longer has it.
        own_span: The SDK's tracing makes no span for it.
        brief: It is like others that are tried with every ending, and is itself tried with a few.
        attribute: Where a client has it, as a dotted path; what `since` and `until` are held against.
    """

    name: str
    operation: str
    sort: Sort
    use: Use
    answer: Any = None
    since: str = "0.51.0"
    until: str | None = None
    own_span: bool = False
    brief: bool = False
    attribute: str = ""

    @property
    def streams(self) -> bool:
        """Whether it asks for a stream."""
        return self.sort not in {"value", "parsed", "raw", "body", "parts"}

    @property
    def is_chat(self) -> bool:
        """Whether a model answers, and bills."""
        return self.operation == "chat"


def json_answer(body: object) -> Answer:
    """An answer with a body of JSON, or of bytes as they are."""
    if isinstance(body, bytes):
        return Answer(body=body, headers={"content-type": "application/octet-stream"})
    return Answer(body=json.dumps(body).encode(), headers={"content-type": "application/json"})


class _Answered(BaseModel):
    number: int


BATCH = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 1, "errored": 0, "canceled": 0, "expired": 0},
    "created_at": "2026-11-21T12:00:00Z",
    "expires_at": "2026-11-22T12:00:00Z",
    "ended_at": "2026-11-21T13:00:00Z",
    "archived_at": None,
    "cancel_initiated_at": None,
    "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
}
_MODEL = {"type": "model", "id": "claude-opus-5-5", "display_name": "Opus", "created_at": "2026-01-01T00:00:00Z"}
_FILE = {
    "id": "file_1",
    "type": "file",
    "filename": "a.txt",
    "mime_type": "text/plain",
    "size_bytes": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "downloadable": True,
}
_TEXT_ANSWER = {**MESSAGE, "content": [{"type": "text", "text": '{"number": 7}'}]}


def _page(item: object) -> object:
    return {"data": [item], "has_more": False, "first_id": "a", "last_id": "a"}


def _at(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


def _value(path: str, *args: Any, **kwargs: Any) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        return await value(_at(client, path)(*args, **kwargs))

    return use


def _raw(path: str, *args: Any, **kwargs: Any) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        raw = await value(_at(client, path)(*args, **kwargs))
        return raw.status_code, await value(raw.parse()), raw.http_response.content

    return use


def _events(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        opened = await value(_at(client, path)(**REQUEST, stream=True))
        return await reading(opened, opened.close)

    return use


def _events_in_a_block(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(await value(_at(client, path)(**REQUEST, stream=True))) as opened:
            return await reading(opened, opened.close)

    return use


def _helper(path: str, part: str = "") -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(**REQUEST)) as helper:
            return await reading(getattr(helper, part) if part else helper, helper.close)

    return use


def _final(path: str, method: str, **kwargs: Any) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(**REQUEST, **kwargs)) as helper:
            return await value(getattr(helper, method)()), helper.current_message_snapshot

    return use


def _raw_events(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        raw = await value(_at(client, path)(**REQUEST, stream=True))
        opened = await value(raw.parse())
        return await reading(opened, opened.close)

    return use


def _streamed_events(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(**REQUEST, stream=True)) as raw:
            return await reading(await value(raw.parse()), raw.close)

    return use


def _streamed_bytes(path: str, method: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(**REQUEST, stream=True)) as raw:
            return await reading(getattr(raw, method)(), raw.close)

    return use


def _raw_lines(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        response = (await value(_at(client, path)(**REQUEST, stream=True))).http_response
        if isinstance(client, anthropic.AsyncAnthropic):
            return await reading(response.aiter_lines(), response.aclose)
        return await reading(response.iter_lines(), response.close)

    return use


def _body(path: str, method: str, *args: Any, **kwargs: Any) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(*args, **kwargs)) as raw:
            return await value(getattr(raw, method)())

    return use


def _parts(path: str, method: str, *args: Any, **kwargs: Any) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        async with Entered(_at(client, path)(*args, **kwargs)) as raw:
            return await reading(getattr(raw, method)(), raw.close)

    return use


def _binary(path: str) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        content = await value(_at(client, path)("file_1"))
        return type(content).__name__, await value(content.read())

    return use


def _runner(*, stream: bool) -> Use:
    async def use(client: Any, reading: Reading) -> Any:
        is_async = isinstance(client, anthropic.AsyncAnthropic)
        tool: Any = getattr(anthropic, "beta_async_tool" if is_async else "beta_tool")
        options = {"stream": True} if stream else {}
        runner = client.beta.messages.tool_runner(
            **REQUEST, tools=[tool(_async_tool if is_async else _tool)], **options
        )
        if not stream:
            return await value(runner.until_done())
        return [await value(turn.get_final_message()) async for turn in Items(runner)]

    return use


def _tool() -> str:
    """Never asked for."""
    return ""


async def _async_tool() -> str:
    """Never asked for."""
    return ""


async def _post(client: Any, reading: Reading) -> Any:
    return await value(client.post("/v1/messages", cast_to=object, body=REQUEST))


async def _post_stream(client: Any, reading: Reading) -> Any:
    stream_class: Any = anthropic.AsyncStream if isinstance(client, anthropic.AsyncAnthropic) else anthropic.Stream
    post: Any = client.post
    opened = await value(
        post(
            "/v1/messages",
            cast_to=anthropic.types.RawMessageStreamEvent,
            body={**REQUEST, "stream": True},
            stream=True,
            stream_cls=stream_class[Any],
        )
    )
    return await reading(opened, opened.close)


async def _get_response(client: Any, reading: Reading) -> Any:
    response = await value(client.post("/v1/messages", cast_to=http.Response, body=REQUEST))
    return response.status_code, response.content


async def _copied(client: Any, reading: Reading) -> Any:
    return await value(client.with_options(timeout=7, max_retries=client.max_retries).copy().messages.create(**REQUEST))


async def _paged(client: Any, reading: Reading) -> Any:
    return [item async for item in Items(client.models.list())]


def _sort_of(method: str) -> Sort:
    """A body of JSON is a single line: who reads that has read it all."""
    return "body" if method == "iter_lines" else "parts"


def _raw_surfaces(
    prefix: str, method: str, operation: str, answer: object, *args: Any, since: str = "0.51.0", **kwargs: Any
) -> tuple[Surface, ...]:
    """What `with_raw_response` and `with_streaming_response` make of a method."""
    raw, streaming = f"{prefix}.with_raw_response.{method}", f"{prefix}.with_streaming_response.{method}"
    if isinstance(answer, bytes):
        read: tuple[Surface, ...] = ()
    else:
        read = (
            Surface(raw, operation, "raw", _raw(raw, *args, **kwargs), answer, since, brief=True, attribute=raw),
            Surface(
                f"{streaming}.parse",
                operation,
                "body",
                _body(streaming, "parse", *args, **kwargs),
                answer,
                since,
                brief=True,
                attribute=streaming,
            ),
        )
    return (
        *read,
        Surface(
            f"{streaming}.read",
            operation,
            "body",
            _body(streaming, "read", *args, **kwargs),
            answer,
            since,
            brief=True,
            attribute=streaming,
        ),
        *(
            Surface(
                f"{streaming}.{part}",
                operation,
                _sort_of(part),
                _parts(streaming, part, *args, **kwargs),
                answer,
                since,
                brief=True,
                attribute=streaming,
            )
            for part in ("iter_bytes", "iter_lines")
        ),
    )


def _chat_surfaces(prefix: str) -> tuple[Surface, ...]:
    def at(method: str) -> str:
        return f"{prefix}.{method}"

    chat = "chat"
    brief = prefix != "messages"  # what the beta returns is read by the same code
    return (
        Surface(at("create"), chat, "value", _value(at("create"), **REQUEST), MESSAGE),
        Surface(
            at("parse"),
            chat,
            "parsed",
            _value(at("parse"), **REQUEST, output_format=_Answered),
            _TEXT_ANSWER,
            since="0.108.0",
            attribute=at("parse"),
        ),
        Surface(
            at("with_raw_response.create"),
            chat,
            "raw",
            _raw(at("with_raw_response.create"), **REQUEST),
            MESSAGE,
            brief=brief,
        ),
        *(
            Surface(
                at(f"with_streaming_response.create.{method}"),
                chat,
                "body",
                _body(at("with_streaming_response.create"), method, **REQUEST),
                MESSAGE,
                brief=brief,
            )
            for method in ("parse", "read", "json", "text")
        ),
        *(
            Surface(
                at(f"with_streaming_response.create.{part}"),
                chat,
                _sort_of(part),
                _parts(at("with_streaming_response.create"), part, **REQUEST),
                MESSAGE,
                brief=True,
            )
            for part in ("iter_bytes", "iter_lines", "iter_text")
        ),
        Surface(at("count_tokens"), "count_tokens", "value", _value(at("count_tokens"), **_COUNT), {"input_tokens": 7}),
        *_raw_surfaces(prefix, "count_tokens", "count_tokens", {"input_tokens": 7}, **_COUNT),
        Surface(at("create(stream=True)"), chat, "events", _events(at("create"))),
        Surface(at("create(stream=True) in a block"), chat, "events", _events_in_a_block(at("create"))),
        Surface(at("stream"), chat, "helper", _helper(at("stream"))),
        Surface(at("stream.text_stream"), chat, "helper", _helper(at("stream"), "text_stream")),
        *(
            Surface(at(f"stream.{method}"), chat, "final", _final(at("stream"), method))
            for method in ("get_final_message", "get_final_text", "until_done")
        ),
        Surface(
            at("stream(output_format)"),
            chat,
            "schema",
            _final(at("stream"), "get_final_message", output_format=_Answered),
            since="0.108.0",
            attribute=at("parse"),
        ),
        Surface(
            at("with_raw_response.create(stream=True).parse"),
            chat,
            "events",
            _raw_events(at("with_raw_response.create")),
            brief=brief,
        ),
        Surface(
            at("with_raw_response.create(stream=True).http_response.iter_lines"),
            chat,
            "bytes",
            _raw_lines(at("with_raw_response.create")),
            brief=brief,
        ),
        Surface(
            at("with_streaming_response.create(stream=True).parse"),
            chat,
            "events",
            _streamed_events(at("with_streaming_response.create")),
            brief=brief,
        ),
        *(
            Surface(
                at(f"with_streaming_response.create(stream=True).{method}"),
                chat,
                "bytes",
                _streamed_bytes(at("with_streaming_response.create"), method),
                brief=brief,
            )
            for method in ("iter_bytes", "iter_lines", "iter_text")
        ),
    )


def _batch_surfaces(prefix: str) -> tuple[Surface, ...]:
    requests = [{"custom_id": "a", "params": REQUEST}]
    return (
        *_raw_surfaces(prefix, "create", "batches.create", BATCH, requests=requests),
        *_raw_surfaces(prefix, "retrieve", "batches.retrieve", BATCH, "msgbatch_1"),
        Surface(f"{prefix}.create", "batches.create", "value", _value(f"{prefix}.create", requests=requests), BATCH),
        Surface(f"{prefix}.retrieve", "batches.retrieve", "value", _value(f"{prefix}.retrieve", "msgbatch_1"), BATCH),
        Surface(f"{prefix}.cancel", "batches.cancel", "value", _value(f"{prefix}.cancel", "msgbatch_1"), BATCH),
        Surface(f"{prefix}.list", "batches.list", "value", _value(f"{prefix}.list"), _page(BATCH)),
        Surface(
            f"{prefix}.delete",
            "batches.delete",
            "value",
            _value(f"{prefix}.delete", "msgbatch_1"),
            {"id": "msgbatch_1", "type": "message_batch_deleted"},
        ),
    )


def _file_surfaces(prefix: str, since: str) -> tuple[Surface, ...]:
    file = ("a.txt", b"a", "text/plain")

    def surface(method: str, operation: str, answer: object, *args: Any, **kwargs: Any) -> Surface:
        path = f"{prefix}.{method}"
        return Surface(
            path, operation, "value", _value(path, *args, **kwargs), answer, since, attribute=f"{prefix}.upload"
        )

    return (
        surface("upload", "files.upload", _FILE, file=file),
        surface("list", "files.list", _page(_FILE)),
        surface("retrieve_metadata", "files.retrieve", _FILE, "file_1"),
        surface("delete", "files.delete", {"id": "file_1", "type": "file_deleted"}, "file_1"),
        Surface(
            f"{prefix}.download",
            "files.download",
            "raw",
            _binary(f"{prefix}.download"),
            b"\x00\xff",
            since,
            attribute=f"{prefix}.download",
        ),
        *_raw_surfaces(prefix, "download", "files.download", b"\x00\xff\n", "file_1", since=since),
        *_raw_surfaces(prefix, "list", "files.list", _page(_FILE), since=since),
        *_raw_surfaces(prefix, "upload", "files.upload", _FILE, file=file, since=since),
    )


SURFACES: tuple[Surface, ...] = (
    *_chat_surfaces("messages"),
    *_chat_surfaces("beta.messages"),
    *_batch_surfaces("messages.batches"),
    *_batch_surfaces("beta.messages.batches"),
    Surface("models.retrieve", "models.retrieve", "value", _value("models.retrieve", "claude-opus-5-5"), _MODEL),
    Surface("models.list", "models.list", "value", _paged, _page(_MODEL)),
    *_raw_surfaces("models", "retrieve", "models.retrieve", _MODEL, "claude-opus-5-5"),
    *_raw_surfaces("models", "list", "models.list", _page(_MODEL)),
    Surface(
        "beta.models.retrieve", "models.retrieve", "value", _value("beta.models.retrieve", "claude-opus-5-5"), _MODEL
    ),
    Surface("beta.models.list", "models.list", "value", _value("beta.models.list"), _page(_MODEL)),
    *_file_surfaces("beta.files", "0.108.0"),
    *_file_surfaces("files", "0.125.0"),
    Surface(
        "completions.create",
        "text_completion",
        "value",
        _value("completions.create", model="claude-2", max_tokens_to_sample=10, prompt="\n\nHuman: hi\n\nAssistant:"),
        {"id": "c", "type": "completion", "completion": "hi", "model": "claude-2", "stop_reason": "stop_sequence"},
        until="1.0.0",
        attribute="completions.create",
    ),
    Surface(
        "beta.messages.tool_runner",
        "chat",
        "value",
        _runner(stream=False),
        MESSAGE,
        since="0.108.0",
        attribute="beta.messages.tool_runner",
    ),
    Surface(
        "beta.messages.tool_runner(stream=True)",
        "chat",
        "final",
        _runner(stream=True),
        since="0.108.0",
        attribute="beta.messages.tool_runner",
    ),
    Surface("client.post", "chat", "value", _post, MESSAGE, own_span=True),
    Surface("client.post(cast_to=Response)", "chat", "raw", _get_response, MESSAGE, own_span=True),
    Surface("client.post(stream=True)", "chat", "events", _post_stream, own_span=True),
    Surface("with_options().copy().messages.create", "chat", "value", _copied, MESSAGE),
)
