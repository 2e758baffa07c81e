"""Rate limits."""

from __future__ import annotations

from datetime import datetime, timezone

import anthropic
import pytest
from anthropic import Anthropic

from claudescope.simulator import Simulator
from claudescope.simulator.errors import ApiError
from claudescope.simulator.limits import RateLimits
from claudescope.simulator.scenario import Limits

from .asks import ASK, MODEL, ask, steady_with

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


def test_the_headers_count_down(client: Anthropic, simulator: Simulator) -> None:
    """Each answer says what is left after it, of all four limits."""
    simulator.use(steady_with(limits=Limits(requests=10, input_tokens=1000, output_tokens=5000)))
    headers = [client.messages.with_raw_response.create(**ASK) for _ in range(3)]
    left = [
        [int(each.headers[f"anthropic-ratelimit-{name}-remaining"]) for name in ("requests", "input-tokens")]
        for each in headers
    ]
    assert left == [[9, 994], [8, 988], [7, 982]]
    written = sum(each.parse().usage.output_tokens for each in headers)
    last = headers[-1].headers
    assert last["anthropic-ratelimit-output-tokens-remaining"] == str(5000 - written)
    assert last["anthropic-ratelimit-tokens-limit"] == "6000"
    assert last["anthropic-ratelimit-tokens-remaining"] == str(6000 - written - 18)
    assert last["anthropic-ratelimit-requests-reset"].endswith("Z")


def test_models_have_limits_of_their_own(client: Anthropic, simulator: Simulator) -> None:
    """What one model used up, another still has; a stream says the same."""
    simulator.use(steady_with(limits=Limits(requests=1)))
    client.messages.create(**ASK)
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**ASK)
    assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    with client.messages.with_streaming_response.create(**ask(model="claude-haiku-5-5"), stream=True) as response:
        assert response.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert simulator.ledger().injected_errors == {}


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(requests=1), "requests"),
        (Limits(input_tokens=15), "input-tokens"),
        (Limits(output_tokens=10), "output-tokens"),
    ],
)
def test_a_limit_that_is_reached_refuses_until_the_window_ends(limits: Limits, name: str) -> None:
    """The refusal names its limit and the wait; a new window starts with all of it."""
    clock = Clock()
    rates = RateLimits(limits, clock, lambda: NOON)
    rates.admit(MODEL, 10)
    rates.spend(MODEL, 10)
    clock.seconds = 20.5
    with pytest.raises(ApiError) as caught:
        rates.admit(MODEL, 10)
    assert (caught.value.exhausted, caught.value.retry_after) == (name, 40)
    headers = rates.headers(MODEL, caught.value)
    assert headers["retry-after"] == "40"
    assert headers[f"anthropic-ratelimit-{name}-remaining"] == "0"
    assert headers[f"anthropic-ratelimit-{name}-reset"] == "2026-01-01T12:00:40Z"
    clock.seconds = 60
    rates.admit(MODEL, 10)
