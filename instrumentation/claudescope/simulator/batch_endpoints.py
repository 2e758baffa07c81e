"""`/v1/messages/batches` and the paths below it."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from claudescope.simulator.batches import Batch, Result
from claudescope.simulator.errors import ApiError
from claudescope.simulator.exchange import Exchange
from claudescope.simulator.ledger import token_counts
from claudescope.simulator.pagination import page
from claudescope.simulator.prompts import segments
from claudescope.simulator.requests import BatchRequest, MessageRequest, check_model, invalid, parse_body, parse_json
from claudescope.simulator.responses import make_response

__all__ = ["batch_results", "cancel_batch", "create_batch", "delete_batch", "get_batch", "list_batches"]


async def create_batch(exchange: Exchange) -> None:
    """Create a batch."""
    request = parse_body(parse_json(exchange.body), BatchRequest)
    ids = [item.custom_id for item in request.requests]
    if len(set(ids)) != len(ids):
        raise invalid("requests: custom_id must be unique within the batch")
    await exchange.inject_error()
    state = exchange.state
    duration = state.scenario.batches.processing_time * state.time_scale
    batch = Batch(
        id=exchange.randomness.identifier("msgbatch_01"),
        items=[(item.custom_id, item.params) for item in request.requests],
        created_at=state.now(),
        ends_at=state.clock() + duration,
        duration=duration,
        make_results=lambda batch: _make_results(exchange, batch),
    )
    state.batches.add(batch)
    await _send(exchange, batch)


async def list_batches(exchange: Exchange) -> None:
    """List the batches, the newest first."""
    await exchange.inject_error()
    batches = exchange.state.batches.all(exchange.state.clock())
    await exchange.send_json(page([each.info(_base_url(exchange)) for each in batches], exchange.request.query_params))


async def get_batch(exchange: Exchange) -> None:
    """Describe a batch."""
    await exchange.inject_error()
    await _send(exchange, _batch(exchange))


async def cancel_batch(exchange: Exchange) -> None:
    """Cancel a batch. It ends soon after, and all of its requests are canceled."""
    await exchange.inject_error()
    state, batch = exchange.state, _batch(exchange)
    if batch.results is not None:
        raise invalid(f"Batch {batch.id} cannot be canceled because it has already ended")
    if batch.cancel_initiated_at is None:
        batch.cancel_initiated_at = state.now()
        batch.ends_at = min(batch.ends_at, state.clock() + batch.duration / 10)
    await _send(exchange, batch)


async def delete_batch(exchange: Exchange) -> None:
    """Delete a batch that has ended."""
    await exchange.inject_error()
    batch = _batch(exchange)
    if batch.results is None:
        raise invalid(f"Batch {batch.id} cannot be deleted because it is still processing")
    exchange.state.batches.remove(batch.id)
    await exchange.send_json({"id": batch.id, "type": "message_batch_deleted"})


async def batch_results(exchange: Exchange) -> None:
    """Send the results, one JSON object to a line."""
    await exchange.inject_error()
    batch = _batch(exchange)
    if batch.results is None:
        raise ApiError(404, "not_found_error", f"Batch {batch.id} has no results yet")
    lines = "".join(json.dumps(result) + "\n" for result in batch.results)
    await exchange.send_response(Response(lines, media_type="application/x-jsonl", headers=exchange.headers()))


def _batch(exchange: Exchange) -> Batch:
    return exchange.state.batches.get(str(exchange.request.path_params["batch_id"]), exchange.state.clock())


def _base_url(exchange: Exchange) -> str:
    return str(exchange.request.base_url).rstrip("/")


async def _send(exchange: Exchange, batch: Batch) -> None:
    await exchange.send_json(batch.info(_base_url(exchange)))


def _make_results(exchange: Exchange, batch: Batch) -> list[Result]:
    if batch.cancel_initiated_at is not None:
        return [{"custom_id": custom_id, "result": {"type": "canceled"}} for custom_id, _ in batch.items]
    return [
        {"custom_id": custom_id, "result": _result(exchange, custom_id, params)} for custom_id, params in batch.items
    ]


def _result(exchange: Exchange, custom_id: str, params: dict[str, Any]) -> dict[str, Any]:
    state, randomness = exchange.state, exchange.randomness.child(custom_id)
    try:
        request = parse_body(params, MessageRequest)
        check_model(request.model, state.scenario.models)
        if request.stream:
            raise invalid("stream: Streaming is not supported in batches")
    except ApiError as error:
        return {"type": "errored", "error": error.body(randomness.identifier("req_01"))}
    prompt, remember = state.cache.bill(request.model, segments(request))
    remember()
    response = make_response(request, prompt, state.scenario.tokens, randomness, tier="batch")
    exchange.stats.batch_message(token_counts(response.usage()))
    return {"type": "succeeded", "message": response.message()}
