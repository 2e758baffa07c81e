"""Every injected error as the SDK reports it, and as the ledger counts it."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic
from anthropic.types.shared.enforced_spend_limit_reached_error import EnforcedSpendLimitReachedError
from anthropic.types.shared.linked_organization_spend_limit_reached_error import (
    LinkedOrganizationSpendLimitReachedError,
)
from anthropic.types.shared.ramp_limit_exceeded_error import RampLimitExceededError

from claudescope.simulator import InjectedError, Latency, Match, Simulator
from claudescope.simulator.scenario import Spread

from .asks import ASK, HELLO, MODEL, steady_with

_NO_PATIENCE = anthropic.Timeout(60, read=0.1)
"""A client that waits long for a busy machine to take its request, and not for the response."""

HTTP_ERRORS: list[tuple[dict[str, Any], type[anthropic.APIStatusError], int, str]] = [
    ({"type": "rate_limit_error"}, anthropic.RateLimitError, 429, "rate_limit_error"),
    ({"type": "ramp_limit_error"}, RampLimitExceededError, 429, "rate_limit_error"),
    ({"type": "spend_limit_error"}, EnforcedSpendLimitReachedError, 429, "rate_limit_error"),
    ({"type": "spend_limit_error", "status": 402}, LinkedOrganizationSpendLimitReachedError, 402, "billing_error"),
    ({"type": "spend_limit_error", "status": 400}, anthropic.BadRequestError, 400, "invalid_request_error"),
    ({"type": "overloaded_error"}, anthropic.InternalServerError, 529, "overloaded_error"),
    ({"type": "api_error"}, anthropic.InternalServerError, 500, "api_error"),
    ({"type": "api_error", "status": 502}, anthropic.InternalServerError, 502, "api_error"),
    ({"type": "api_error", "status": 503}, anthropic.InternalServerError, 503, "api_error"),
    ({"type": "timeout_error"}, anthropic.InternalServerError, 504, "timeout_error"),
    ({"type": "timeout_error", "status": 408}, anthropic.APIStatusError, 408, "timeout_error"),
    ({"type": "authentication_error"}, anthropic.AuthenticationError, 401, "authentication_error"),
    ({"type": "permission_error"}, anthropic.PermissionDeniedError, 403, "permission_error"),
    ({"type": "billing_error"}, anthropic.APIStatusError, 402, "billing_error"),
    ({"type": "not_found_error"}, anthropic.NotFoundError, 404, "not_found_error"),
    ({"type": "request_too_large"}, anthropic.APIStatusError, 413, "request_too_large"),
    ({"type": "invalid_request_error"}, anthropic.BadRequestError, 400, "invalid_request_error"),
    ({"type": "invalid_request_error", "status": 409}, anthropic.ConflictError, 409, "invalid_request_error"),
    (
        {"type": "invalid_request_error", "status": 422},
        anthropic.UnprocessableEntityError,
        422,
        "invalid_request_error",
    ),
    ({"type": "content_policy_error"}, anthropic.BadRequestError, 400, "invalid_request_error"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("injected", "error", "status", "error_type"), HTTP_ERRORS)
def test_an_http_error_raises_the_sdk_s_class(
    client: Anthropic,
    simulator: Simulator,
    injected: dict[str, Any],
    error: type[anthropic.APIStatusError],
    status: int,
    error_type: str,
    stream: bool,
) -> None:
    """Status, class, type and request id are those of the API, and the ledger has them."""
    simulator.use(steady_with(InjectedError(**injected)))
    with pytest.raises(error) as caught:
        client.messages.create(**ASK, stream=stream)
    assert (caught.value.status_code, caught.value.type) == (status, error_type)
    assert caught.value.request_id == caught.value.body["request_id"]  # type: ignore[index]
    ledger = simulator.ledger()
    assert (ledger.responses, ledger.injected_errors, ledger.messages_billed) == (
        {str(status): 1},
        {injected["type"]: 1},
        0,
    )


def test_an_injected_rate_limit_looks_exhausted(client: Anthropic, simulator: Simulator) -> None:
    """The headers of a 429 agree with it."""
    simulator.use(steady_with(InjectedError(type="rate_limit_error", retry_after=7)))
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**ASK)
    headers = caught.value.response.headers
    assert headers["retry-after"] == "7"
    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "0"


def test_retry_after_is_optional_and_may_be_fractional(client: Anthropic, simulator: Simulator) -> None:
    """0 leaves the header out; other errors have it only when told to; the message can be replaced."""
    seen: list[str | None] = []
    for injected in (
        InjectedError(type="rate_limit_error", retry_after=0),
        InjectedError(type="overloaded_error"),
        InjectedError(type="overloaded_error", retry_after=0.25, message="Try later"),
    ):
        simulator.use(steady_with(injected))
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(**ASK)
        seen.append(caught.value.response.headers.get("retry-after"))
    assert seen == [None, None, "0.25"]
    assert caught.value.api_message == "Try later"


def test_an_error_of_the_first_attempt_succeeds_on_retry(simulator: Simulator) -> None:
    """`attempts` counts as the SDK's retry header does."""
    simulator.use(steady_with(InjectedError(type="overloaded_error", match=Match(attempts=1), retry_after=0.001)))
    with Anthropic(base_url=simulator.url, api_key="sim", max_retries=1) as client:
        client.messages.create(**ASK)
    assert simulator.ledger().responses == {"529": 1, "200": 1}


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        (Match(model=MODEL), True),
        (Match(model="claude-haiku-5-5"), False),
        (Match(stream=False), True),
        (Match(stream=True), False),
        (Match(path="/v1/messages"), True),
        (Match(path="/v1/models"), False),
    ],
)
def test_injected_errors_match_by_model_stream_and_path(
    client: Anthropic, simulator: Simulator, match: Match, hit: bool
) -> None:
    """A rule that doesn't match leaves a request alone."""
    simulator.use(steady_with(InjectedError(type="permission_error", match=match)))
    if hit:
        with pytest.raises(anthropic.PermissionDeniedError):
            client.messages.create(**ASK)
    else:
        client.messages.create(**ASK)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/messages/count_tokens"])
def test_other_endpoints_have_injected_errors_too(client: Anthropic, simulator: Simulator, path: str) -> None:
    """A rule without a match holds everywhere, with the error's headers."""
    simulator.use(steady_with(InjectedError(type="overloaded_error", retry_after=3)))
    method = "get" if path == "/v1/models" else "post"
    body = None if method == "get" else {"model": MODEL, "messages": HELLO}
    with pytest.raises(anthropic.InternalServerError) as caught:
        getattr(client, method)(path, cast_to=object, **({"body": body} if body else {}))
    assert caught.value.response.headers["retry-after"] == "3"


def test_shares_are_met(client: Anthropic, simulator: Simulator) -> None:
    """About a quarter of 40 requests with a share of a quarter, and the same with every run."""
    simulator.use(steady_with(InjectedError(type="permission_error", share=0.25)))
    refused = 0
    for _ in range(40):
        try:
            client.messages.create(**ASK)
        except anthropic.PermissionDeniedError:
            refused += 1
    assert 5 <= refused <= 15
    assert simulator.ledger().responses == {"200": 40 - refused, "403": refused}


def test_a_reset_is_a_connection_error(client: Anthropic, simulator: Simulator) -> None:
    """The socket is closed by a reset, without a byte of an answer."""
    simulator.use(steady_with(InjectedError(type="connection_reset")))
    with pytest.raises(anthropic.APIConnectionError) as caught:
        client.messages.create(**ASK)
    assert isinstance(caught.value.__cause__, (httpx2.ReadError, httpx2.RemoteProtocolError))
    ledger = simulator.ledger()
    assert (ledger.responses, ledger.injected_errors) == ({"none": 1}, {"connection_reset": 1})


def test_a_hang_lasts_until_the_client_s_timeout(client: Anthropic, simulator: Simulator) -> None:
    """No answer comes before the client gives up."""
    simulator.use(steady_with(InjectedError(type="hang", delay=600_000)))
    with pytest.raises(anthropic.APITimeoutError):
        client.with_options(timeout=_NO_PATIENCE).messages.create(**ASK)
    ledger = simulator.ledger()
    assert (ledger.responses, ledger.injected_errors) == ({"none": 1}, {"hang": 1})


def test_a_hang_has_an_end(client: Anthropic, simulator: Simulator) -> None:
    """After its bound a hang is a reset."""
    simulator.use(steady_with(InjectedError(type="hang", delay=1)))
    with pytest.raises(anthropic.APIConnectionError) as caught:
        client.messages.create(**ASK)
    assert not isinstance(caught.value, anthropic.APITimeoutError)
    assert simulator.ledger().responses == {"none": 1}


def test_slow_is_slow_and_then_works(client: Anthropic, simulator: Simulator) -> None:
    """A slow request outlasts a short timeout, and succeeds with a long one."""
    simulator.use(steady_with(InjectedError(type="slow", delay=500)))
    with pytest.raises(anthropic.APITimeoutError):
        client.with_options(timeout=_NO_PATIENCE).messages.create(**ASK)
    client.messages.create(**ASK)
    ledger = simulator.ledger()
    assert (ledger.responses, ledger.injected_errors, ledger.messages_billed) == ({"none": 1, "200": 1}, {"slow": 2}, 1)


def test_malformed_json_is_a_success_that_can_t_be_read(client: Anthropic, simulator: Simulator) -> None:
    """Status 200, half a body. Nothing readable was sent, so nothing is in the billed messages."""
    simulator.use(steady_with(InjectedError(type="malformed_json")))
    with pytest.raises((anthropic.APIError, ValueError)):
        client.messages.create(**ASK)
    ledger = simulator.ledger()
    assert (ledger.responses, ledger.injected_errors, ledger.messages_billed) == ({"200": 1}, {"malformed_json": 1}, 0)
    assert len(list(client.messages.create(**ASK, stream=True))) > 3


def test_a_refusal_is_a_message(client: Anthropic, simulator: Simulator) -> None:
    """The model declines: a 200 with a stop reason of its own."""
    simulator.use(steady_with(InjectedError(type="refusal")))
    whole = client.messages.create(**ASK)
    with client.messages.stream(**ASK) as stream:
        streamed = stream.get_final_message()
    assert (whole.stop_reason, streamed.stop_reason) == ("refusal", "refusal")
    assert whole.stop_details is not None
    client.models.list()
    assert simulator.ledger().injected_errors == {"refusal": 2}


@pytest.mark.parametrize(("error_type", "message"), [(None, "Overloaded"), ("api_error", "Internal server error")])
def test_a_stream_error_is_an_error_with_status_200(
    client: Anthropic, simulator: Simulator, error_type: str | None, message: str
) -> None:
    """An error event after so many events ends the stream."""
    simulator.use(steady_with(InjectedError(type="stream_error", error_type=error_type, after_events=4)))
    events: list[str] = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        events.extend(event.type for event in client.messages.create(**ASK, stream=True))
    assert (caught.value.status_code, caught.value.type) == (200, error_type or "overloaded_error")
    assert caught.value.api_message == message
    ledger = simulator.ledger()
    assert (ledger.streams, ledger.responses) == ({"error_event": 1}, {"200": 1})
    assert (ledger.messages_billed, ledger.tokens.output) == (1, 1)


def test_a_cut_stream_ends_without_an_error(client: Anthropic, simulator: Simulator) -> None:
    """The body ends cleanly, before `message_stop`, and the SDK says nothing."""
    simulator.use(steady_with(InjectedError(type="stream_cut", after_events=5)))
    events = [event.type for event in client.messages.create(**ASK, stream=True)]
    assert events == ["message_start", "content_block_start", "content_block_delta", "content_block_delta"]
    assert simulator.ledger().streams == {"cut": 1}


def test_a_stream_is_broken_at_the_latest_before_message_stop(client: Anthropic, simulator: Simulator) -> None:
    """Usage that was sent before the break is billed."""
    simulator.use(steady_with(InjectedError(type="stream_cut", after_events=10_000)))
    events = list(client.messages.create(**ASK, stream=True))
    last = events[-1]
    assert last.type == "message_delta"
    assert simulator.ledger().tokens.output == last.usage.output_tokens


def test_a_reset_stream_breaks_the_connection(client: Anthropic, simulator: Simulator) -> None:
    """The connection is reset in mid-stream."""
    simulator.use(steady_with(InjectedError(type="stream_reset", after_events=4)))
    with pytest.raises((httpx2.HTTPError, anthropic.APIConnectionError)):
        list(client.messages.create(**ASK, stream=True))
    assert simulator.ledger().streams == {"reset": 1}


def test_an_error_in_mid_stream_comes_at_a_random_place(client: Anthropic, simulator: Simulator) -> None:
    """Without `after_events`, streams break at different places."""
    simulator.use(steady_with(InjectedError(type="stream_cut")))
    lengths = {len(list(client.messages.create(**ASK, stream=True))) for _ in range(8)}
    assert len(lengths) > 1


def test_a_stall_is_a_gap(client: Anthropic, simulator: Simulator) -> None:
    """The stream stops for a while, longer than the client waits, or goes on to its end."""
    simulator.use(steady_with(InjectedError(type="stall", after_events=4, delay=500)))
    with pytest.raises((httpx2.ReadTimeout, anthropic.APITimeoutError)):
        list(client.with_options(timeout=_NO_PATIENCE).messages.create(**ASK, stream=True))
    simulator.use(steady_with(InjectedError(type="stall", after_events=4)))
    assert list(client.messages.create(**ASK, stream=True))[-1].type == "message_stop"
    ledger = simulator.ledger()
    assert (ledger.injected_errors, ledger.streams) == ({"stall": 2}, {"client_gone": 1, "complete": 1})


def test_a_dropped_stream_is_seen(client: Anthropic, simulator: Simulator) -> None:
    """A client that leaves early is billed what it was told."""
    latency = Latency(time_per_output_token=Spread(median=100, sigma=0))
    simulator.use(steady_with(latency=latency))
    with client.messages.create(**ASK, stream=True) as stream:
        next(iter(stream))
    # The next request reaches the server after the end of the stream's connection has.
    while not simulator.ledger().streams:
        client.models.list()
    assert simulator.ledger().streams == {"client_gone": 1}
    assert simulator.ledger().tokens.output == 1
