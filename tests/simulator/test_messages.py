"""Messages as the unmodified SDK sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_tool
from pydantic import BaseModel

from claudescope.simulator import Simulator
from claudescope.simulator.scenario import Cache, Tokens, TokenSpread

from .asks import ASK, HELLO, MODEL, ask, steady_with

WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
        "required": ["city", "days"],
    },
}


class Person(BaseModel):
    """What `parse` is asked for."""

    name: str
    age: int
    friends: list[Person]


def test_a_message_is_whole(client: Anthropic) -> None:
    """A plain request gets text, a stop reason and the usage."""
    message = client.messages.create(**ASK)
    assert (message.type, message.role, message.model, message.stop_reason) == (
        "message",
        "assistant",
        MODEL,
        "end_turn",
    )
    assert [block.type for block in message.content] == ["text"]
    assert message.usage.input_tokens == 6
    assert message.usage.output_tokens > 0
    assert message.usage.service_tier == "standard"


def test_a_stream_says_what_a_message_says(client: Anthropic, simulator: Simulator) -> None:
    """The events of a stream add up to a message with the same usage as the ledger's."""
    with client.messages.stream(**ASK) as stream:
        message = stream.get_final_message()
    tokens = simulator.ledger().tokens
    assert (tokens.input, tokens.output) == (message.usage.input_tokens, message.usage.output_tokens)
    assert message.stop_reason == "end_turn"
    assert simulator.ledger().streams == {"complete": 1}


def test_events_come_in_the_api_s_order(client: Anthropic) -> None:
    """The raw events are those of the API, a ping after the first block's start among them."""
    with client.messages.with_streaming_response.create(**ASK, stream=True) as response:
        lines = [line.removeprefix("event: ") for line in response.iter_lines() if line.startswith("event: ")]
    assert lines[:3] == ["message_start", "content_block_start", "ping"]
    assert set(lines[3:-3]) == {"content_block_delta"}
    assert lines[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_message_start_knows_the_input_and_message_delta_the_output(client: Anthropic) -> None:
    """The first event has one output token; the last usage is cumulative."""
    events = list(client.messages.create(**ASK, stream=True))
    start, delta = events[0], events[-2]
    assert start.type == "message_start"
    assert delta.type == "message_delta"
    assert (start.message.usage.input_tokens, start.message.usage.output_tokens) == (6, 1)
    assert delta.usage.input_tokens == 6
    assert delta.usage.output_tokens > 1


@pytest.mark.anyio
async def test_the_async_client_gets_the_same(simulator: Simulator) -> None:
    """Sync and async, streamed or not, and by way of beta, all work."""
    async with AsyncAnthropic(base_url=simulator.url, api_key="sim", max_retries=0) as client:
        whole = await client.messages.create(**ASK)
        async with client.messages.stream(**ASK) as stream:
            streamed = await stream.get_final_message()
        beta = await client.beta.messages.create(**ASK)
    assert {whole.stop_reason, streamed.stop_reason, beta.stop_reason} == {"end_turn"}
    assert simulator.ledger().messages_billed == 3


@pytest.mark.parametrize("display", ["summarized", "omitted"])
def test_thinking_comes_first_and_is_signed(client: Anthropic, display: str) -> None:
    """A request that asks for thinking gets it, with its tokens in the usage."""
    thinking: Any = {"type": "enabled", "budget_tokens": 1024, "display": display}
    with client.messages.stream(**ask(max_tokens=4000, thinking=thinking)) as stream:
        message = stream.get_final_message()
    first = message.content[0]
    assert first.type == "thinking"
    assert bool(first.thinking) == (display == "summarized")
    assert first.signature
    details = message.usage.output_tokens_details
    assert details is not None
    assert 0 < details.thinking_tokens < message.usage.output_tokens


def test_a_tool_is_used_and_its_result_is_answered(client: Anthropic) -> None:
    """The input satisfies the tool's schema; a result leads to text."""
    with client.messages.stream(**ask(tools=[WEATHER])) as stream:
        first = stream.get_final_message()
    assert first.stop_reason == "tool_use"
    call = first.content[-1]
    assert call.type == "tool_use"
    assert isinstance(call.input["city"], str)
    assert call.input["days"] in range(1, 8)
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "Sun"}
    second = client.messages.create(
        **ask(tools=[WEATHER], messages=[*HELLO, first.to_param(), {"role": "user", "content": [result]}])
    )
    assert second.stop_reason == "end_turn"


@pytest.mark.parametrize(
    ("choice", "kinds", "stop"),
    [
        ({"type": "any"}, ["tool_use"], "tool_use"),
        ({"type": "tool", "name": "weather"}, ["tool_use"], "tool_use"),
        ({"type": "none"}, ["text"], "end_turn"),
        ({"type": "auto"}, ["text", "tool_use"], "tool_use"),
    ],
)
def test_tool_choice_is_honoured(client: Anthropic, choice: Any, kinds: list[str], stop: str) -> None:
    """Forced, forbidden and free tool use."""
    message = client.messages.create(**ask(tools=[WEATHER], tool_choice=choice))
    assert [block.type for block in message.content] == kinds
    assert message.stop_reason == stop


def test_tools_without_a_schema_are_used_too(client: Anthropic) -> None:
    """The client tools that the API defines get an input of their own."""
    message = client.messages.create(**ask(tools=[{"type": "bash_20250124", "name": "bash"}]))
    call = message.content[-1]
    assert call.type == "tool_use"
    assert call.input == {"command": "ls -la"}


def test_the_tool_runner_comes_to_its_end(client: Anthropic) -> None:
    """The SDK's own loop calls the tool once and gets an answer."""
    called: list[str] = []

    @beta_tool
    def lookup(word: str) -> str:
        """Look a word up.

        Args:
            word: The word.
        """
        called.append(word)
        return "found"

    messages: Any = HELLO
    final = client.beta.messages.tool_runner(
        model=MODEL, max_tokens=500, messages=messages, tools=[lookup]
    ).until_done()
    assert len(called) == 1
    assert final.stop_reason == "end_turn"


def test_parse_gets_what_its_schema_says(client: Anthropic) -> None:
    """Structured output satisfies the schema of a model that holds itself."""
    message = client.messages.parse(**ask(output_format=Person))
    assert isinstance(message.parsed_output, Person)


def test_server_tools_are_used_and_counted(client: Anthropic) -> None:
    """A request with web search and web fetch gets their blocks and their counts."""
    tools: Any = [
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
    ]
    with client.messages.stream(**ask(tools=tools)) as stream:
        message = stream.get_final_message()
    assert [block.type for block in message.content] == [
        "server_tool_use",
        "web_search_tool_result",
        "server_tool_use",
        "web_fetch_tool_result",
        "text",
    ]
    uses = message.usage.server_tool_use
    assert uses is not None
    assert (uses.web_search_requests, uses.web_fetch_requests) == (1, 1)
    forbidden = client.messages.create(**ask(tools=tools, tool_choice={"type": "none"}))
    assert forbidden.usage.server_tool_use is None


@pytest.mark.parametrize(("room", "kind"), [(3, "text"), (1, "text")])
def test_an_answer_is_cut_at_max_tokens(client: Anthropic, room: int, kind: str) -> None:
    """More than `max_tokens` is never written."""
    message = client.messages.create(**ask(max_tokens=room))
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", room)
    assert [block.type for block in message.content] == [kind]


def test_structured_output_and_tool_use_are_cut_too(client: Anthropic) -> None:
    """JSON that doesn't fit ends early."""
    schema: Any = {"type": "json_schema", "schema": {"type": "string", "minLength": 100}}
    text = client.messages.create(**ask(max_tokens=5), output_config={"format": schema})
    assert (text.stop_reason, text.usage.output_tokens) == ("max_tokens", 5)
    tool = client.messages.create(
        **ask(max_tokens=2, tool_choice={"type": "any"}, tools=[WEATHER]),
    )
    assert (tool.stop_reason, tool.usage.output_tokens, tool.content) == ("max_tokens", 2, [])


def test_no_tokens_only_warm_the_cache(client: Anthropic) -> None:
    """`max_tokens=0` writes nothing."""
    message = client.messages.create(**ask(max_tokens=0))
    assert (message.content, message.usage.output_tokens) == ([], 0)
    with client.messages.stream(**ask(max_tokens=0)) as stream:
        assert stream.get_final_message().usage.output_tokens == 0


def test_a_stop_sequence_stops(client: Anthropic, simulator: Simulator) -> None:
    """The text ends before the sequence, which the message names."""
    whole = client.messages.create(**ASK)
    text = whole.content[0].text if whole.content[0].type == "text" else ""
    assert "." in text
    cut = client.messages.create(**ask(stop_sequences=["."]))
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", ".")
    assert all("." not in block.text for block in cut.content if block.type == "text")


def test_count_tokens_agrees_with_the_usage(client: Anthropic) -> None:
    """Counting a prompt gives the input tokens of the message that it leads to."""
    system = "Be brief. " * 40
    tools: Any = [WEATHER]
    counted = client.messages.count_tokens(model=MODEL, messages=HELLO, system=system, tools=tools)
    message = client.messages.create(**ask(system=system, tools=[WEATHER]))
    assert counted.input_tokens == message.usage.input_tokens


def test_a_picture_is_not_counted_as_text(client: Anthropic) -> None:
    """Base64 has a flat price."""
    picture: Any = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "A" * 40_000},
    }
    counted = client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": [picture]}])
    assert counted.input_tokens == 1503


def _cached(ttl: str | None = None) -> Any:
    control: dict[str, str] = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return {"type": "text", "text": "A long text. " * 400, "cache_control": control}


@pytest.mark.parametrize(("ttl", "written"), [(None, (1300, 0)), ("5m", (1300, 0)), ("1h", (0, 1300))])
def test_a_prefix_is_written_once_and_then_read(
    client: Anthropic, simulator: Simulator, ttl: str | None, written: tuple[int, int]
) -> None:
    """First sight writes the cache for the time asked for; later ones read it."""
    first = client.messages.create(**ask(system=[_cached(ttl)])).usage
    second = client.messages.create(**ask(system=[_cached(ttl)])).usage
    assert first.cache_creation is not None
    assert (first.cache_creation.ephemeral_5m_input_tokens, first.cache_creation.ephemeral_1h_input_tokens) == written
    assert (first.input_tokens, first.cache_creation_input_tokens, first.cache_read_input_tokens) == (6, 1300, 0)
    assert (second.input_tokens, second.cache_creation_input_tokens, second.cache_read_input_tokens) == (6, 0, 1300)
    tokens = simulator.ledger().tokens
    assert (tokens.input, tokens.cache_read, tokens.cache_write_5m, tokens.cache_write_1h) == (12, 1300, *written)


def test_a_longer_conversation_reads_what_the_shorter_wrote(client: Anthropic) -> None:
    """With a breakpoint at its end, each turn reads the turns before it."""
    first: Any = {"role": "user", "content": [_cached()]}
    one = client.messages.create(**ask(messages=[first]), cache_control={"type": "ephemeral"}).usage
    bare: Any = {"role": "user", "content": [{"type": "text", "text": "A long text. " * 400}]}
    more: Any = [bare, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "More?"}]
    two = client.messages.create(**ask(messages=more), cache_control={"type": "ephemeral"}).usage
    assert one.cache_creation_input_tokens == 1303
    assert (two.cache_read_input_tokens, two.cache_creation_input_tokens, two.input_tokens) == (1303, 9, 0)


def test_a_short_prefix_is_not_cached(client: Anthropic, simulator: Simulator) -> None:
    """The scenario says from what length on a prefix is cached."""
    system: Any = [{"type": "text", "text": "Short.", "cache_control": {"type": "ephemeral"}}]
    assert client.messages.create(**ask(system=system)).usage.cache_creation_input_tokens == 0
    simulator.use(steady_with(cache=Cache(min_tokens=1)))
    assert client.messages.create(**ask(system=system)).usage.cache_creation_input_tokens == 2


def test_output_lengths_follow_the_scenario(client: Anthropic, simulator: Simulator) -> None:
    """With no spread, every answer has the median length."""
    simulator.use(steady_with(tokens=Tokens(output=TokenSpread(median=17, sigma=0))))
    assert {client.messages.create(**ASK).usage.output_tokens for _ in range(3)} == {17}


def test_models_are_listed_in_pages_and_described(client: Anthropic, simulator: Simulator) -> None:
    """The SDK's pager reads all pages; one model can be asked for."""
    models = list(client.models.list(limit=2))
    assert [model.id for model in models] == list(simulator.scenario.models)
    backwards = client.models.list(before_id=models[-1].id, limit=2)
    assert [model.id for model in backwards.data] == [models[-3].id, models[-2].id]
    assert client.models.retrieve("claude-haiku-5-5").display_name == "Claude Haiku 5.5"


def test_a_thinking_budget_leaves_room_for_text(client: Anthropic) -> None:
    """Adaptive thinking has no budget, and never takes all of `max_tokens`."""
    message = client.messages.create(**ask(max_tokens=10), thinking={"type": "adaptive"})
    assert message.usage.output_tokens == 10
    assert [block.type for block in message.content] == ["thinking", "text"]


def test_the_wire_is_what_the_api_sends(client: Anthropic) -> None:
    """The raw body has the fields of the API, and the headers its names."""
    raw = client.messages.with_raw_response.create(**ASK)
    body = json.loads(raw.text())
    assert list(body) == ["id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"]
    assert raw.headers["request-id"].startswith("req_01")
    assert raw.headers["anthropic-organization-id"]
    assert "server" not in raw.headers
