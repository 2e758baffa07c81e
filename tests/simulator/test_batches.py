"""Message batches."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from claudescope.simulator import Simulator
from claudescope.simulator.scenario import Batches

from .asks import ASK, ask, steady_with

ITEMS: Any = [
    {"custom_id": "good", "params": ASK},
    {"custom_id": "other", "params": ASK},
    {"custom_id": "bad", "params": ask(max_tokens="x")},
    {"custom_id": "unknown", "params": ask(model="claude-x")},
    {"custom_id": "streamed", "params": ask(stream=True)},
]


def _wait(client: Anthropic, batch_id: str) -> Any:
    while True:
        batch = client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch


def test_a_batch_is_processed(client: Anthropic, simulator: Simulator) -> None:
    """It goes from in progress to ended, and then has one result for each request."""
    simulator.use(steady_with(batches=Batches(processing_time=300)))
    created = client.messages.batches.create(requests=ITEMS)
    assert (created.processing_status, created.results_url) == ("in_progress", None)
    assert created.request_counts.processing == 5
    with pytest.raises(anthropic.NotFoundError):
        client.get(f"/v1/messages/batches/{created.id}/results", cast_to=object)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.delete(created.id)
    ended = _wait(client, created.id)
    assert (ended.request_counts.succeeded, ended.request_counts.errored) == (2, 3)
    assert ended.ended_at is not None
    results = {each.custom_id: each.result for each in client.messages.batches.results(created.id)}
    assert {name: result.type for name, result in results.items()} == {
        "good": "succeeded",
        "other": "succeeded",
        "bad": "errored",
        "unknown": "errored",
        "streamed": "errored",
    }
    good = results["good"]
    assert good.type == "succeeded"
    assert good.message.usage.service_tier == "batch"
    bad = results["bad"]
    assert bad.type == "errored"
    assert bad.error.error.message == "max_tokens: Input should be a valid integer"
    ledger = simulator.ledger()
    assert (ledger.batch_messages_billed, ledger.batch_tokens.input, ledger.messages_billed) == (2, 12, 0)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.cancel(created.id)
    assert client.messages.batches.delete(created.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(created.id)


def test_a_cancelled_batch_has_cancelled_results(client: Anthropic, simulator: Simulator) -> None:
    """Cancelling ends a batch soon, with nothing done; doing it twice is no mistake."""
    simulator.use(steady_with(batches=Batches(processing_time=3000)))
    created = client.messages.batches.create(requests=ITEMS)
    assert client.messages.batches.cancel(created.id).processing_status == "canceling"
    client.messages.batches.cancel(created.id)
    ended = _wait(client, created.id)
    assert ended.cancel_initiated_at is not None
    assert ended.request_counts.canceled == 5
    assert {each.result.type for each in client.messages.batches.results(created.id)} == {"canceled"}


def test_batches_are_listed_newest_first(client: Anthropic, simulator: Simulator) -> None:
    """The list has pages."""
    ids = [client.messages.batches.create(requests=ITEMS[:1]).id for _ in range(3)]
    assert [each.id for each in client.messages.batches.list(limit=2)] == ids[::-1]
    assert simulator.ledger().endpoints["GET /v1/messages/batches"] == {"200": 2}


def test_custom_ids_are_checked(client: Anthropic) -> None:
    """They must be unique and plain."""
    choices: Any = ([ITEMS[0], ITEMS[0]], [{"custom_id": "not plain!", "params": ASK}], [])
    for items in choices:
        with pytest.raises(anthropic.BadRequestError):
            client.messages.batches.create(requests=items)
