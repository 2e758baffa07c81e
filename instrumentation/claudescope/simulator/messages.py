"""`POST /v1/messages` and `POST /v1/messages/count_tokens`."""

from __future__ import annotations

import json

from starlette.responses import Response

from claudescope.simulator.errors import ApiError
from claudescope.simulator.exchange import ClientGoneError, Exchange
from claudescope.simulator.ledger import TokenCounts, token_counts
from claudescope.simulator.models import MAX_INPUT_TOKENS
from claudescope.simulator.prompts import count_tokens, segments
from claudescope.simulator.randomness import lognormal
from claudescope.simulator.requests import CountRequest, MessageRequest, check_model, invalid, parse_body, parse_json
from claudescope.simulator.responses import Answer, answer
from claudescope.simulator.scenario import STREAM_FAULTS, Fault
from claudescope.simulator.sse import Event, stream_events

__all__ = ["count_message_tokens", "create_message"]

_STALL_SECONDS = 10.0


async def count_message_tokens(exchange: Exchange) -> None:
    """Count the tokens of a prompt."""
    request = parse_body(parse_json(exchange.body), CountRequest)
    check_model(request.model, exchange.world.scenario.models)
    await _spoil(exchange, {"input_tokens": count_tokens(request)}, await exchange.suffer())


async def create_message(exchange: Exchange) -> None:
    """Create a message, whole or streamed."""
    world = exchange.world
    request = parse_body(parse_json(exchange.body), MessageRequest)
    exchange.model = request.model
    check_model(request.model, world.scenario.models)
    fault = await exchange.suffer(stream=request.stream)
    prompt, remember = world.cache.bill(request.model, segments(request))
    if (total := prompt.total) > MAX_INPUT_TOKENS:
        raise invalid(f"prompt is too long: {total} tokens > {MAX_INPUT_TOKENS} maximum")
    world.limits.admit(request.model, prompt.uncached + prompt.written_5m + prompt.written_1h)
    remember()
    refuse = fault is not None and fault.kind == "refusal"
    made = answer(request, prompt, world.scenario.tokens, exchange.dice, refuse=refuse)
    if refuse:
        exchange.books.fault("refusal")
    world.limits.spend(request.model, made.output_tokens)
    latency = world.scenario.latency
    rng = exchange.dice.rng("latency")
    first = lognormal(rng, latency.time_to_first_token.median, latency.time_to_first_token.sigma)
    each = lognormal(rng, latency.time_per_output_token.median, latency.time_per_output_token.sigma)
    if request.stream:
        await exchange.pause(first)
        await _stream(exchange, made, each, fault)
        return
    await exchange.pause(first + each * made.output_tokens)
    if fault is None or fault.kind != "malformed_json":
        exchange.books.message(made.model, token_counts(made.usage()))
    await _spoil(exchange, made.message(), fault)


async def _spoil(exchange: Exchange, body: dict[str, object], fault: Fault | None) -> None:
    """Answer with a JSON body, which the fault `malformed_json` breaks off in its middle."""
    if fault is None or fault.kind != "malformed_json":
        await exchange.answer_json(body)
        return
    exchange.books.fault(fault.kind)
    text = json.dumps(body)
    await exchange.answer(Response(text[: len(text) // 2], media_type="application/json", headers=exchange.headers()))


async def _stream(exchange: Exchange, made: Answer, seconds_per_token: float, fault: Fault | None) -> None:
    events = list(stream_events(made))
    breaks_at = _fault_place(exchange, events, fault)
    await exchange.start_stream()
    try:
        for place, event in enumerate(events):
            if place == breaks_at and fault is not None and await _break_stream(exchange, fault):
                return
            await exchange.pause(event.tokens * seconds_per_token)
            _bill(exchange, made, event)
            if event.kind == "message_stop":
                exchange.books.stream("complete")
            await exchange.send_chunk(event.encode(), last=event.kind == "message_stop")
    except ClientGoneError:
        exchange.books.stream("client_gone")


def _fault_place(exchange: Exchange, events: list[Event], fault: Fault | None) -> int | None:
    """Before which event the fault happens: at the latest before `message_stop`."""
    if fault is None or fault.kind not in STREAM_FAULTS:
        return None
    last = len(events) - 1
    if fault.after_events is None:
        return exchange.dice.rng("fault place").randint(min(3, last), last)
    return min(fault.after_events, last)


async def _break_stream(exchange: Exchange, fault: Fault) -> bool:
    """Let a fault happen in mid-stream. Returns whether it ended the stream."""
    exchange.books.fault(fault.kind)
    match fault.kind:
        case "stall":
            await exchange.pause(_STALL_SECONDS if fault.delay is None else fault.delay)
            return False
        case "stream_error":
            kind = fault.error_type or "overloaded_error"
            message = fault.message or ("Overloaded" if kind == "overloaded_error" else "Internal server error")
            exchange.books.stream("error_event")
            body = ApiError(200, kind, message).body(exchange.headers()["request-id"])
            await exchange.send_chunk(Event(body).encode(), last=True)
        case "stream_cut":
            exchange.books.stream("cut")
            await exchange.send_chunk(b"", last=True)
        case _:
            exchange.books.stream("reset")
            await exchange.reset_connection()
    return True


def _bill(exchange: Exchange, made: Answer, event: Event) -> None:
    """Enter what the event tells the client that it is billed."""
    if event.kind == "message_start":
        exchange.books.message(made.model, token_counts(event.data["message"]["usage"]))
    elif event.kind == "message_delta":
        exchange.books.more_tokens(made.model, TokenCounts(output=made.output_tokens - min(1, made.output_tokens)))
