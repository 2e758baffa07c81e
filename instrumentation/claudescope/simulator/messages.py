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
from claudescope.simulator.responses import MessageResponse, make_response
from claudescope.simulator.scenario import STREAM_ERRORS, InjectedError
from claudescope.simulator.sse import Event, stream_events

__all__ = ["count_message_tokens", "create_message"]

_STALL_SECONDS = 10.0


async def count_message_tokens(exchange: Exchange) -> None:
    """Count the tokens of a prompt."""
    request = parse_body(parse_json(exchange.body), CountRequest)
    check_model(request.model, exchange.state.scenario.models)
    await _send_json(exchange, {"input_tokens": count_tokens(request)}, await exchange.inject_error())


async def create_message(exchange: Exchange) -> None:
    """Create a message, as one response or as a stream."""
    state = exchange.state
    request = parse_body(parse_json(exchange.body), MessageRequest)
    exchange.model = request.model
    check_model(request.model, state.scenario.models)
    injected = await exchange.inject_error(stream=request.stream)
    prompt, remember = state.cache.bill(request.model, segments(request))
    if (total := prompt.total) > MAX_INPUT_TOKENS:
        raise invalid(f"prompt is too long: {total} tokens > {MAX_INPUT_TOKENS} maximum")
    state.limits.admit(request.model, prompt.uncached + prompt.written_5m + prompt.written_1h)
    remember()
    refuse = injected is not None and injected.type == "refusal"
    rest = state.answers.rest(request)
    response = make_response(request, prompt, state.scenario.tokens, exchange.randomness, refuse=refuse, rest=rest)
    if response.prose is not None:
        state.answers.remember(request, response.prose)
    if refuse:
        exchange.stats.injected_error("refusal")
    state.limits.spend(request.model, response.output_tokens)
    latency = state.scenario.latency
    rng = exchange.randomness.rng("latency")
    first = lognormal(rng, latency.time_to_first_token.median, latency.time_to_first_token.sigma)
    each = lognormal(rng, latency.time_per_output_token.median, latency.time_per_output_token.sigma)
    if request.stream:
        await exchange.pause(first)
        await _stream(exchange, response, each, injected)
        return
    await exchange.pause(first + each * response.output_tokens)
    if injected is None or injected.type != "malformed_json":
        exchange.stats.message(response.model, token_counts(response.usage()))
    await _send_json(exchange, response.message(), injected)


async def _send_json(exchange: Exchange, body: dict[str, object], injected: InjectedError | None) -> None:
    """Send a JSON body. The injected error `malformed_json` cuts it in half."""
    if injected is None or injected.type != "malformed_json":
        await exchange.send_json(body)
        return
    exchange.stats.injected_error(injected.type)
    text = json.dumps(body)
    await exchange.send_response(
        Response(text[: len(text) // 2], media_type="application/json", headers=exchange.headers())
    )


async def _stream(
    exchange: Exchange, response: MessageResponse, seconds_per_token: float, injected: InjectedError | None
) -> None:
    events = list(stream_events(response))
    breaks_at = _error_position(exchange, events, injected)
    await exchange.start_stream()
    try:
        for place, event in enumerate(events):
            if place == breaks_at and injected is not None and await _break_stream(exchange, injected):
                return
            await exchange.pause(event.tokens * seconds_per_token)
            _bill(exchange, response, event)
            if event.kind == "message_stop":
                exchange.stats.stream("complete")
            await exchange.send_chunk(event.encode(), last=event.kind == "message_stop")
    except ClientGoneError:
        exchange.stats.stream("client_gone")


def _error_position(exchange: Exchange, events: list[Event], injected: InjectedError | None) -> int | None:
    """The index of the event before which the error is injected, at most that of `message_stop`; None for no error."""
    if injected is None or injected.type not in STREAM_ERRORS:
        return None
    last = len(events) - 1
    if injected.after_events is None:
        return exchange.randomness.rng("fault place").randint(min(3, last), last)
    return min(injected.after_events, last)


async def _break_stream(exchange: Exchange, injected: InjectedError) -> bool:
    """Inject an error into the running stream. Returns whether the stream has ended."""
    exchange.stats.injected_error(injected.type)
    match injected.type:
        case "stall":
            await exchange.pause(_STALL_SECONDS if injected.delay is None else injected.delay)
            return False
        case "stream_error":
            kind = injected.error_type or "overloaded_error"
            message = injected.message or ("Overloaded" if kind == "overloaded_error" else "Internal server error")
            exchange.stats.stream("error_event")
            body = ApiError(200, kind, message).body(exchange.headers()["request-id"])
            await exchange.send_chunk(Event(body).encode(), last=True)
        case "stream_cut":
            exchange.stats.stream("cut")
            await exchange.send_chunk(b"", last=True)
        case _:
            exchange.stats.stream("reset")
            await exchange.reset_connection()
    return True


def _bill(exchange: Exchange, response: MessageResponse, event: Event) -> None:
    """Count the usage that an event reports to the client."""
    if event.kind == "message_start":
        exchange.stats.message(response.model, token_counts(event.data["message"]["usage"]))
    elif event.kind == "message_delta":
        exchange.stats.more_tokens(
            response.model, TokenCounts(output=response.output_tokens - min(1, response.output_tokens))
        )
