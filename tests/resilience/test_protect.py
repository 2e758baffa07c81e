"""Calls under a policy, from the app's client to the record: each stays one call."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import pytest

import claudescope
from claudescope import resilience
from claudescope.run.protocol import decode, encode
from claudescope.schema.record import CallRecord, CallStart, Hop, Protection, Transition
from claudescope.simulator import Simulator
from tests.records import make_record
from tests.resilience.conftest import Protect
from tests.scripted import MESSAGE, REQUEST, Answer, ScriptedAPI, error, events, http, message, stream

_OVERLOADED = error(529, "overloaded_error")
_AT_ONCE = "error_types: {overloaded_error: {retries: 0}, stream_interrupted_error: {base: 1ms}}\n"

Connect = Callable[..., Any]


def _create(client: Any, **changes: Any) -> Any:
    """Make a call with a sync or an async client."""
    made = client.messages.create(**{**REQUEST, **changes})
    return asyncio.run(made) if asyncio.iscoroutine(made) else made


def _text(client: Any) -> str:
    """The text of a stream, read with the SDK's helper."""
    if isinstance(client, anthropic.AsyncAnthropic):

        async def read() -> str:
            async with client.messages.stream(**REQUEST) as answer:
                return "".join([text async for text in answer.text_stream])

        return asyncio.run(read())
    with client.messages.stream(**REQUEST) as answer:
        return "".join(answer.text_stream)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make a client, sync or async, whose API is a script."""

    def connect(script: ScriptedAPI, **options: Any) -> Any:
        return script.client(**options) if request.param == "sync" else script.async_client(**options)

    return connect


def test_retries_are_attempts_of_one_call(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """One loop owns retries: three requests are one record with three attempts, and `retries_taken` tells them."""
    protect("error_types: {overloaded_error: {base: 1ms}}\n")
    script = ScriptedAPI(_OVERLOADED, error(429, "rate_limit_error", retry_after="0"), message())
    client = connect(script)
    answer = _create(client)
    assert isinstance(answer, anthropic.types.Message)
    (record,) = calls
    assert [attempt.error_type for attempt in record.attempts] == ["overloaded_error", "rate_limit_error", None]
    assert {attempt.target for attempt in record.attempts} == {"primary"}
    assert record.outcome == "ok"
    assert client.max_retries == 2


def test_max_retries_of_the_app_caps_them(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """`max_retries=0` is the app's word: one request."""
    protect("")
    script = ScriptedAPI(_OVERLOADED, message())
    with pytest.raises(anthropic.APIStatusError):
        _create(connect(script, max_retries=0))
    assert len(script.requests) == len(calls[0].attempts) == 1


def test_a_wait_above_the_cap_is_not_begun(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """A `retry-after` of a day: the SDK sleeps a day; a policy raises at once, with the error of the API."""
    protect("")
    script = ScriptedAPI(error(429, "rate_limit_error", retry_after="86400"), message())
    with pytest.raises(anthropic.RateLimitError):
        _create(connect(script))
    assert len(script.requests) == 1
    assert calls[0].attempts[0].retry_after == 86400


def test_a_mistake_of_the_caller_is_raised_at_once(protect: Protect, connect: Connect) -> None:
    """A 4xx of the caller is never retried, and no other answer hides it."""
    protect("defaults: {then: {static: nothing}, models: [claude-haiku-5-5]}\n")
    script = ScriptedAPI(error(400, "invalid_request_error"), message())
    with pytest.raises(anthropic.BadRequestError):
        _create(connect(script))
    assert len(script.requests) == 1


def test_another_model_answers(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """A fallback is the same call: what was asked for and what answered are both in the record, and its price."""
    protect(_AT_ONCE + "defaults: {models: [claude-opus-5-5, claude-haiku-5-5]}\n")
    answer = _create(connect(ScriptedAPI(_OVERLOADED, message(model="claude-haiku-5-5"))))
    assert answer.model == "claude-haiku-5-5"
    (record,) = calls
    assert (record.request_model, record.response_model) == ("claude-opus-5-5", "claude-haiku-5-5")
    assert record.protection is not None
    assert record.protection.degraded_by == "model"
    assert [(hop.reason, hop.model) for hop in record.protection.hops] == [("overloaded_error", "claude-haiku-5-5")]


@pytest.mark.parametrize("read", [lambda client: _create(client).content[0].text, _text], ids=["whole", "stream"])
def test_a_fixed_text_answers(
    protect: Protect, calls: list[CallRecord], connect: Connect, read: Callable[[Any], str]
) -> None:
    """It comes as the SDK's own types, whole or as a stream, and the record says so."""
    protect(_AT_ONCE + "defaults: {then: {static: prepared}}\n")
    assert read(connect(ScriptedAPI(_OVERLOADED))) == "prepared"
    (record,) = calls
    assert record.outcome == "ok"
    assert [attempt.error_type for attempt in record.attempts] == ["overloaded_error"]
    assert record.protection is not None
    assert record.protection.degraded_by == "static"


def test_a_function_of_the_app_answers(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """The function of a workflow gets the request, and its text is the answer."""
    protect(_AT_ONCE + "workflows: {greet: {then: {function: registered}}}\n")

    @claudescope.fallback("greet")
    def greet(request: dict[str, Any]) -> str:
        return f"{request['messages'][0]['content']}, from here"

    with claudescope.workflow("greet"):
        assert _create(connect(ScriptedAPI(_OVERLOADED))).content[0].text == "Hello, from here"
    assert greet({"messages": [{"content": "x"}]}) == "x, from here"
    assert calls[0].protection is not None
    assert calls[0].protection.degraded_by == "function"


def test_an_open_circuit_sends_nothing(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """After two failures nothing is sent, and what is raised is the SDK's connection error too."""
    protect(_AT_ONCE + "breaker: {failures: 2, cooldown: 60s}\n")
    script = ScriptedAPI(_OVERLOADED, _OVERLOADED, message())
    client = connect(script)
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError):
            _create(client)
    with pytest.raises(anthropic.APIConnectionError) as caught:
        _create(client)
    assert claudescope.classify(caught.value).name == "circuit_open_error"
    assert len(script.requests) == 2
    last = calls[2]
    assert (last.error_type, last.attempts) == ("circuit_open_error", ())
    assert last.protection is not None
    assert last.protection.rejected == "circuit_open"
    transitions = [each for call in calls if call.protection for each in call.protection.transitions]
    assert [(each.target, each.to) for each in transitions] == [("primary", "open")]


def test_kept_answers(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """An equal request within the time gets the kept answer, and nothing is billed."""
    protect("defaults: {cache: {ttl: 60s}}\n")
    script = ScriptedAPI(message())
    client = connect(script)
    assert _create(client).content == _create(client).content
    assert len(script.requests) == 1
    assert [call.cost_usd is None for call in calls] == [False, True]


def test_what_the_api_would_refuse_is_not_sent(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """A request without messages raises the SDK's BadRequestError, and nothing is sent."""
    protect("defaults: {validate: all}\n")
    script = ScriptedAPI(message())
    with pytest.raises(anthropic.BadRequestError, match="at least one message"):
        _create(connect(script), messages=[])
    assert not script.requests
    assert calls[0].error_type == "invalid_request_error"


def test_a_budget_blocks(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """A call that may cost more than the day has left is not sent."""
    protect("budgets: [{usd_per_day: 0.0001, then: block}]\n")
    script = ScriptedAPI(message())
    with pytest.raises(anthropic.BadRequestError, match=r"Today's budget of all calls is \$0\.0001"):
        _create(connect(script))
    assert not script.requests
    assert calls[0].error_type == "spend_limit_error"


def test_calls_wait_for_their_turn(protect: Protect, calls: list[CallRecord]) -> None:
    """With one place, calls in threads go one after the other, and those that waited say how long."""
    protect("defaults: {concurrency: {max: 1, queue_timeout: 60s}}\n")
    script = ScriptedAPI(*[message()] * 6)
    client = script.client()
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda _: _create(client), range(6)))) == 6
    assert all(call.outcome == "ok" for call in calls)


def test_no_place_in_time(protect: Protect, calls: list[CallRecord]) -> None:
    """A call that gets no place in time fails as a local pool does, not as an unavailable API."""
    protect("defaults: {concurrency: {max: 1, queue_timeout: 1ms}}\n")
    client = ScriptedAPI(stream(), message()).client()
    with client.messages.create(**REQUEST, stream=True) as held:
        next(iter(held))
        with pytest.raises(anthropic.APITimeoutError, match="1 calls are under way"):
            _create(client)
    assert [call.error_type for call in calls if call.error_type] == ["pool_timeout_error"]
    assert _create(client).content[0].text == "Good day"


@pytest.mark.parametrize(
    "cut",
    [
        stream(events("Good")[:1], breaks=http.ReadError("gone")),
        stream(events("Good")[:1]),
        error(529, "overloaded_error"),
    ],
    ids=["breaks", "just-ends", "refused"],
)
def test_a_stream_starts_again_before_its_content(
    protect: Protect, calls: list[CallRecord], connect: Connect, cut: Answer
) -> None:
    """Before the first content event a stream restarts freely, unseen by the app, and stays one call."""
    protect("error_types: {stream_interrupted_error: {base: 1ms}, overloaded_error: {base: 1ms}}\n")
    assert _text(connect(ScriptedAPI(cut, stream(events("Good", " day"))))) == "Good day"
    (record,) = calls
    assert record.outcome == "ok"
    assert len(record.attempts) == 2
    assert record.usage is not None
    assert record.usage.output_tokens == 20


def test_a_stream_is_never_spliced_silently(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """After the first content event nothing is repeated: the app gets the error, and knows what it has."""
    protect("error_types: {stream_interrupted_error: {base: 1ms}}\n")
    script = ScriptedAPI(stream(events("Good", " day")[:3], breaks=http.ReadError("gone")), stream())
    with pytest.raises(http.ReadError):
        _text(connect(script))
    assert len(script.requests) == 1
    assert [(call.outcome, call.error_type) for call in calls] == [("error", "stream_interrupted_error")]


def test_a_stream_that_just_ends_is_an_error(protect: Protect, calls: list[CallRecord], connect: Connect) -> None:
    """A stream without `message_stop` raises nothing in the SDK; with a policy it is an error of the SDK's kind."""
    protect("")
    with pytest.raises(anthropic.APIConnectionError, match="before message_stop"):
        _text(connect(ScriptedAPI(stream(events("Good", " day")[:3]))))
    assert calls[0].error_type == "stream_interrupted_error"


def test_a_dead_target_loses_no_call(tmp_path: Path, calls: list[CallRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """A region dies: every call is answered by the second target, with its own host and key in the record."""
    monkeypatch.setenv("SECOND_KEY", "key-of-the-second")
    with Simulator(time_scale=0.001) as second:
        path = tmp_path / "policy.yaml"
        path.write_text(
            "version: 1\nerror_types: {connection_error: {retries: 0}}\nbreaker: {failures: 2}\n"
            "targets:\n  first: {client: anthropic}\n"
            f"  second: {{base_url: '{second.url}', api_key_env: SECOND_KEY}}\n"
        )
        claudescope.protect(path)
        script = ScriptedAPI(*[Answer(fails=http.ConnectError("refused"))] * 2)
        client = script.client()
        try:
            for number in range(5):  # five conversations, as one would stay with the target that it went to
                asked = [{"role": "user", "content": f"Question {number}"}]
                assert _create(client, messages=asked).type == "message"
        finally:
            claudescope.unprotect()
        assert second.ledger().messages_billed == 5
    assert len(script.requests) == 2
    assert [call.outcome for call in calls] == ["ok"] * 5
    assert {call.server_address for call in calls} == {"127.0.0.1"}
    assert [len(call.attempts) for call in calls] == [2, 2, 1, 1, 1]
    hops = [[hop.reason for hop in call.protection.hops] for call in calls if call.protection]
    assert hops == [["connection_error"]] * 2 + [["circuit_open"]] * 3


def test_without_a_probe(protect: Protect, connect: Connect) -> None:
    """A policy works without `instrument()`."""
    protect("error_types: {overloaded_error: {base: 1ms}}\n")
    assert _create(connect(ScriptedAPI(_OVERLOADED, message()))).content[0].text == "Good day"
    assert _text(connect(ScriptedAPI(stream(events("Good")[:1]), stream(events("Good", " day"))))) == "Good day"


def test_unprotect_restores_the_sdk() -> None:
    """Without a policy the SDK's methods are its own, also where the probe came between."""
    from anthropic import _base_client

    methods = vars(_base_client.SyncAPIClient)
    before = {name: methods[name] for name in ("request", "_request", "_process_response") if name in methods}
    claudescope.protect()
    claudescope.instrument()
    claudescope.unprotect()
    claudescope.uninstrument()
    assert {name: vars(_base_client.SyncAPIClient)[name] for name in before} == before


def test_a_block_changes_the_policy(protect: Protect, connect: Connect) -> None:
    """`with claudescope.policy(...)` holds for the calls inside, and for no other."""
    protect("error_types: {overloaded_error: {base: 1ms}}\n")
    client = connect(ScriptedAPI(_OVERLOADED, _OVERLOADED, message()))
    with claudescope.policy(attempts=1), pytest.raises(anthropic.APIStatusError):
        _create(client)
    assert _create(client).content[0].text == "Good day"
    with pytest.raises(claudescope.BadInputError, match="Did you mean 'deadline'"):
        claudescope.policy(dedline=3)


def test_cancellation_passes_at_once(protect: Protect, calls: list[CallRecord]) -> None:
    """A cancelled call frees its place: the next one gets it."""
    one_place = "defaults: {concurrency: {max: 1, queue_timeout: 60s}}\n"
    protect(one_place + "error_types: {overloaded_error: {base: 60s, cap: 60s}}\n")
    script = ScriptedAPI(_OVERLOADED, message())
    client = script.async_client()

    async def run() -> Any:
        waiting = asyncio.ensure_future(client.messages.create(**REQUEST))
        while not script.requests:  # noqa: ASYNC110 - the script has no event
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await client.messages.create(**REQUEST)

    assert asyncio.run(run()).content[0].text == "Good day"
    assert [call.outcome for call in calls] == ["cancelled", "ok"]


def test_the_command_line_protects(tmp_path: Path) -> None:
    """`claudescope run --protect` needs no code, and its report has one call with its retries."""
    app = tmp_path / "app.py"
    app.write_text(
        "import anthropic\n"
        "client = anthropic.Anthropic(max_retries=4)\n"
        "for _ in range(3):\n"
        f"    client.messages.create(**{REQUEST!r})\n"
    )
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\ndefaults: {validate: all}\n")
    with Simulator(time_scale=0.001) as api:
        environment = {**os.environ, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "simulated"}

        def run(*options: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "claudescope", "run", *options, "--", sys.executable, str(app)]
            return subprocess.run(  # noqa: S603 - our own
                command, env=environment, capture_output=True, text=True, check=False, timeout=120
            )

        done = run("--protect", str(policy))
        assert done.returncode == 0, done.stderr
        report = tmp_path / "report.json"
        assert run("--protect", "--json", str(report)).returncode == 0
        assert json.loads(report.read_text())["calls"] == 3
        assert api.ledger().messages_billed == 6
        policy.write_text("version: 1\ndefaults: {deadlin: 3s}\n")
        refused = run("--protect", str(policy))
        assert refused.returncode == 2
        assert "policy.yaml:2: defaults.deadlin: unknown key 'deadlin'" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert api.ledger().messages_billed == 6


def test_a_record_goes_to_the_collector_and_back() -> None:
    """What a policy did is the same in the process of the collector."""
    start = CallStart("chat", "anthropic", "claude-opus-5-5", False, "api.anthropic.com", "greet")
    protection = Protection(
        start,
        "second",
        (Hop("api_error", "first", "second", "claude-haiku-5-5"),),
        degraded_by="model",
        rejected="circuit_open",
        queued={"concurrency": 0.5},
        transitions=(Transition("first", None, "open"),),
        retry_budget=3.0,
    )
    record = make_record(protection=protection)
    assert decode(encode(record)) == record


def test_public_names() -> None:
    """What the root and the package offer is the same."""
    assert resilience.protect is claudescope.protect
    assert MESSAGE["model"] == "claude-opus-5-5"
