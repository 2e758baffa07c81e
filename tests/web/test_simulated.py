"""The example apps over the simulated API: every error that it can inject, what a policy raises, and any request."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import anthropic
import hypothesis
import jsonschema
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err

import claudescope
from claudescope.resilience.errors import rejection
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.record import RejectedReason
from claudescope.simulator import InjectedError, Scenario, Simulator
from claudescope.simulator.scenario import STATUSES as INJECTED
from claudescope.web import STATUSES, json_schema
from tests.scripted import ScriptedAPI, error, http
from tests.web.conftest import FRAMEWORKS, QUESTION, Response, send

_SECRET = "upstream text 4711"
_NOT_HTTP: dict[str, tuple[str, dict[str, Any]]] = {
    "connection_reset": ("connection_error", {}),
    "hang": ("client_timeout_error", {"delay": 600}),
    "malformed_json": ("response_validation_error", {}),
}
_IN_STREAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "stream_error": ("overloaded_error", {"message": _SECRET, "after_events": 5}),
    "stream_reset": ("stream_interrupted_error", {"after_events": 5}),
}

Asks = Callable[[str, InjectedError], Response]


@pytest.fixture(scope="module")
def api() -> Generator[Simulator]:
    """A simulated API that answers at once."""
    with Simulator(time_scale=0.001) as simulator:
        yield simulator


@pytest.fixture
def asks(api: Simulator, examples: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Response]:
    """Send a question to the app of a framework, while the simulated API injects an error."""

    def ask(framework: str, injected: InjectedError, path: str = "/ask") -> Response:
        api.use(Scenario(name="injected", description="One error.", errors=(injected,)))
        _connect(monkeypatch, examples[framework], framework, api.url, timeout=0.3 if injected.type == "hang" else 60)
        return send(framework, examples[framework], path, {})

    return ask


def _connect(patch: pytest.MonkeyPatch, module: ModuleType, framework: str, url: str, **options: Any) -> None:
    if framework == "fastapi":
        # Each request of the test client has an event loop of its own, which no connection may outlive.
        http_client = anthropic.DefaultAsyncHttpxClient(limits=http.Limits(max_keepalive_connections=0))
        made: Any = partial(anthropic.AsyncAnthropic, http_client=http_client)
    else:
        made = anthropic.Anthropic
    patch.setattr(module, "claude", made(base_url=url, api_key="sk-ant-planted", max_retries=0, **options))


def _check(found: dict[str, Any], error_type: str) -> None:
    jsonschema.validate(found, json_schema())
    assert (found["error_code"], found["status"]) == (error_type, STATUSES[error_type])
    text = json.dumps(found).lower()
    assert not [leak for leak in (_SECRET, QUESTION.lower(), "sk-ant", "req_", "claude-", "127.0.0.1") if leak in text]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("error_type", INJECTED)
def test_every_http_error(asks: Callable[..., Response], framework: str, error_type: str) -> None:
    """Each is a valid document with its status and its wait, and without the API's text."""
    injected: Any = {"type": error_type, "message": _SECRET, "retry_after": 7}
    if error_type == "content_policy_error":
        del injected["message"]  # which is what tells it from other requests that are refused
    got = asks(framework, InjectedError(**injected))
    _check(got.problem, error_type)
    assert got.status == STATUSES[error_type]
    assert got.headers.get("retry-after") == (str(got.problem["retry_after"]) if "retry_after" in got.problem else None)
    assert ("retry_after" in got.problem) == (ERROR_TYPES[error_type].retry not in {"never", "by_app"})


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("injected", _NOT_HTTP)
def test_every_broken_connection(asks: Callable[..., Response], framework: str, injected: Any) -> None:
    """A connection that breaks, an answer that never comes and one that is no JSON are problems too."""
    error_type, parameters = _NOT_HTTP[injected]
    got = asks(framework, InjectedError(type=injected, **parameters))
    _check(got.problem, error_type)
    assert got.status == STATUSES[error_type]


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("injected", _IN_STREAMS)
def test_every_broken_stream(asks: Callable[..., Response], framework: str, injected: Any) -> None:
    """The last event of a stream that breaks is the problem."""
    error_type, parameters = _IN_STREAMS[injected]
    got = asks(framework, InjectedError(type=injected, **parameters), "/stream")
    name, data = got.text.strip().split("\n\n")[-1].strip().split("\n")
    assert (got.status, name) == (200, "event: error")
    _check(json.loads(data.removeprefix("data: ")), error_type)


_REASONS: dict[RejectedReason, str] = {
    "circuit_open": "circuit_open_error",
    "throttled": "rate_limit_error",
    "deadline": "client_timeout_error",
    "queue_timeout": "pool_timeout_error",
    "budget": "spend_limit_error",
    "invalid": "invalid_request_error",
}


class _Refusing:
    """A client whose calls a policy refuses."""

    def __init__(self, refused: Exception, *, is_async: bool) -> None:
        self._refused = refused
        self._is_async = is_async
        self.messages = self

    def create(self, **_: Any) -> Any:
        if not self._is_async:
            raise self._refused

        async def fail() -> None:
            raise self._refused

        return fail()


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("reason", _REASONS)
def test_what_a_policy_refuses(
    examples: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, framework: str, reason: RejectedReason
) -> None:
    """Calls that a policy does not send are problems as well, with the time of the circuit or the limit."""
    refused = rejection(reason, f"{_SECRET} at the target primary", retry_after=31.2)
    monkeypatch.setattr(examples[framework], "claude", _Refusing(refused, is_async=framework == "fastapi"))
    got = send(framework, examples[framework], "/ask", {})
    _check(got.problem, _REASONS[reason])
    assert "primary" not in got.text
    if reason == "circuit_open":
        assert got.headers["retry-after"] == "32"
        assert got.problem["detail"].endswith("in about 40 seconds.")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_open_circuit(
    examples: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, framework: str
) -> None:
    """After an outage has opened the circuit, consumers get the time until it is tried again."""
    path = tmp_path / "policy.yaml"
    path.write_text(
        "version: 1\nbreaker: {failures: 1, window: 30s, cooldown: 60s}\nerror_types: {api_error: {retries: 0}}\n"
    )
    claudescope.protect(path)
    try:
        script = ScriptedAPI(*(error(500, "api_error") for _ in range(5)))
        client = script.async_client if framework == "fastapi" else script.client
        monkeypatch.setattr(examples[framework], "claude", client(max_retries=0))
        found = [send(framework, examples[framework], "/ask", {}) for _ in range(3)]
    finally:
        claudescope.unprotect()
    assert found[0].problem["error_code"] == "api_error"
    last = found[-1]
    _check(last.problem, "circuit_open_error")
    assert 0 < int(last.headers["retry-after"]) <= 90


def test_any_request(api: Simulator, examples: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sent to the FastAPI example, its responses are those that its OpenAPI document describes."""
    errors: Any = [{"type": name, "share": 0.12} for name in ("rate_limit_error", "api_error", "timeout_error")]
    errors += [{"type": "authentication_error", "share": 0.1}, {"type": "connection_reset", "share": 0.1}]
    api.use(Scenario(name="mixed", description="Many errors.", errors=tuple(InjectedError(**each) for each in errors)))
    module = examples["fastapi"]
    _connect(monkeypatch, module, "fastapi", api.url)
    schema = schemathesis.openapi.from_asgi("/openapi.json", module.app)
    statuses: set[int] = set()
    for result in schema.get_all_operations():
        assert not isinstance(result, Err)
        operation = result.ok()

        modes: list[Any] = list(GenerationMode.__members__.values())
        cases = [operation.as_strategy(generation_mode=mode) for mode in modes]

        @hypothesis.given(case=strategies.one_of(*cases))
        @hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
        def check(case: Any) -> None:
            got = case.call()
            statuses.add(got.status_code)
            case.validate_response(got, excluded_checks=[not_a_server_error])

        check()
    assert {200, 422, 502, 503, 504} <= statuses
