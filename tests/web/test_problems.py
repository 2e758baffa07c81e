"""Every failed call that reaches a request handler is one documented problem, in every framework."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import anthropic
import jsonschema
import pytest

import claudescope
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.web import STATUSES, Options, install, json_schema, problem, sse_error
from claudescope.web.messages.words import GROUPS
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, message, stream
from tests.web.conftest import FRAMEWORKS, QUESTION, Ask

_UPSTREAM = f"upstream text about {QUESTION}"
_ANSWERS: dict[str, Answer] = {
    "rate_limit_error": error(429, "rate_limit_error", _UPSTREAM, retry_after="120", request_id="req_planted"),
    "ramp_limit_error": error(429, "rate_limit_error", _UPSTREAM, code="ramp_limit_exceeded", retry_after="30"),
    "spend_limit_error": error(429, "rate_limit_error", _UPSTREAM, code="enforced_spend_limit_reached"),
    "overloaded_error": error(529, "overloaded_error", _UPSTREAM),
    "api_error": error(500, "api_error", _UPSTREAM, request_id="req_planted"),
    "timeout_error": error(504, "timeout_error", _UPSTREAM),
    "client_timeout_error": Answer(fails=http.ReadTimeout(_UPSTREAM)),
    "connection_error": Answer(fails=http.ConnectError(_UPSTREAM)),
    "pool_timeout_error": Answer(fails=http.PoolTimeout(_UPSTREAM)),
    "authentication_error": error(401, "authentication_error", _UPSTREAM),
    "permission_error": error(403, "permission_error", _UPSTREAM),
    "billing_error": error(402, "billing_error", _UPSTREAM),
    "not_found_error": error(404, "not_found_error", "model: claude-opus-5-5"),
    "request_too_large": error(413, "request_too_large", _UPSTREAM),
    "invalid_request_error": error(400, "invalid_request_error", _UPSTREAM),
}
_SECRETS = (QUESTION, "upstream", "req_planted", "sk-ant", "claude-opus", "anthropic")


def _check(found: dict[str, Any]) -> None:
    jsonschema.validate(found, json_schema())


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("error_type", _ANSWERS)
def test_every_error_type(ask: Ask, framework: str, error_type: str) -> None:
    """Status, header, document and message agree, and hold nothing of the request, the API or the key."""
    got = ask(framework, _ANSWERS[error_type], X_Request_ID="from-the-consumer")
    found = got.problem
    _check(found)
    assert (got.status, found["status"]) == (STATUSES[error_type], STATUSES[error_type])
    assert found["error_code"] == error_type
    assert found["type"].endswith(f"#{error_type}")
    assert found["instance"] == "/ask"
    assert found["correlation_id"] == got.headers["x-request-id"] == "from-the-consumer"
    assert got.headers.get("retry-after") == {"rate_limit_error": "120", "ramp_limit_error": "30"}.get(error_type)
    if error_type == "rate_limit_error":
        assert found["retry_after"] == 120
        assert found["detail"].endswith("in about 2 minutes.")
    assert not [secret for secret in _SECRETS if secret in got.text.lower()]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_success_is_untouched(ask: Ask, framework: str) -> None:
    """An answer is the app's own, with the correlation id as a header."""
    got = ask(framework, message())
    assert (got.status, json.loads(got.text)) == (200, {"answer": "Good day"})
    assert len(got.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "X_Request_ID": "mine"}, "ab" * 16),
        ({"X_Request_ID": "order-17/step.2"}, "order-17/step.2"),
        ({"X_Request_ID": "<script>alert(1)</script>"}, None),
        ({"X_Request_ID": "x" * 129}, None),
        ({"traceparent": f"00-{'0' * 32}-{'cd' * 8}-01"}, None),
    ],
)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_where_the_correlation_id_comes_from(
    ask: Ask, framework: str, headers: dict[str, str], expected: str | None
) -> None:
    """The consumer's trace, else its request id where that is safe to pass on, else one that is made."""
    found = ask(framework, _ANSWERS["api_error"], **headers).problem["correlation_id"]
    assert found == expected if expected else len(found) == 32


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_language_is_the_consumers(ask: Ask, framework: str) -> None:
    """`Accept-Language` decides, unless the options do."""
    found = ask(framework, _ANSWERS["overloaded_error"], Accept_Language="de-AT,de;q=0.9,en;q=0.5").problem
    assert found["detail"].startswith("Der Assistent ist gerade stark ausgelastet.")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_it_is_logged_once(ask: Ask, framework: str, caplog: pytest.LogCaptureFixture) -> None:
    """One record with the traceback and the correlation id, so that Sentry and logs have what the consumer quotes."""
    with caplog.at_level(logging.ERROR):
        ask(framework, _ANSWERS["api_error"], X_Request_ID="order-17")
    ours = [record for record in caplog.records if record.exc_info]
    trace = logging.Formatter().formatException(ours[0].exc_info)  # type: ignore[arg-type]
    assert trace.splitlines()[1].endswith("in ask"), trace  # the app's own code comes first
    assert [(record.name, vars(record)["correlation_id"]) for record in ours] == [("claudescope.web", "order-17")]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_stream_that_breaks_ends_with_a_problem(ask: Ask, framework: str) -> None:
    """Where the headers have left, the problem is the last event, also after half an event."""
    broken = stream(events("Good", " day")[:4], breaks=http.ReadError("gone"))
    got = ask(framework, broken, path="/stream", X_Request_ID="order-17")
    assert got.status == 200
    *pieces, last, empty = got.text.split("\n\n")
    assert (pieces[0], empty) == ("data: Good", "")
    name, data = last.strip().split("\n")
    assert name == "event: error"
    found = json.loads(data.removeprefix("data: "))
    _check(found)
    assert found["error_code"] == "stream_interrupted_error"
    assert (found["correlation_id"], found["instance"]) == ("order-17", "/stream")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_stream_that_never_began_is_a_problem(ask: Ask, framework: str) -> None:
    """An error before the first event still comes as the last event, as the framework has sent its headers."""
    got = ask(framework, _ANSWERS["overloaded_error"], path="/stream")
    assert '"error_code": "overloaded_error"' in got.text


class _AppError(Exception):
    pass


def _fail(script: Answer) -> BaseException:
    from tests.sentry.failures import fail

    return fail(script)


@pytest.fixture(scope="module")
def rate_limited() -> BaseException:
    """A failed call."""
    return _fail(_ANSWERS["rate_limit_error"])


def test_which_exceptions_are_failed_calls(rate_limited: BaseException) -> None:
    """The SDK's own and what was raised from one; neither other exceptions nor mistakes in a handler of one."""
    from claudescope.web.failures import failure_of

    wrapped = _AppError("no summary")
    wrapped.__cause__ = rate_limited
    mistake = KeyError("choices")
    mistake.__context__ = rate_limited
    grouped = _AppError("several")
    grouped.exceptions = (ValueError("x"), wrapped)  # type: ignore[attr-defined]
    foreign = http.ConnectError("no", request=http.Request("GET", "https://example.com/stock"))
    ours = http.ReadError("no", request=http.Request("POST", "https://api.anthropic.com/v1/messages"))
    assert failure_of(rate_limited) is rate_limited
    assert failure_of(wrapped) is rate_limited
    assert failure_of(grouped) is rate_limited
    assert failure_of(ours) is ours
    assert [failure_of(other) for other in (mistake, foreign, ValueError("x"), KeyboardInterrupt())] == [None] * 4


def test_what_the_sdk_cannot_parse() -> None:
    """A body that is no JSON is a failed call; what the app parses is not, also in a function that the SDK calls."""
    from claudescope.web.failures import failure_of

    with pytest.raises(json.JSONDecodeError) as own:
        json.loads("{")
    assert failure_of(own.value) is None
    client = ScriptedAPI(Answer(body=b"{", headers={"content-type": "application/json"}), message()).client()
    with pytest.raises(json.JSONDecodeError) as broken:
        client.messages.create(**REQUEST)
    assert failure_of(broken.value) is broken.value
    assert problem(broken.value).error_code == "response_validation_error"
    called = ScriptedAPI(Answer(fails=own.value)).client(max_retries=0)
    with pytest.raises(anthropic.APIConnectionError):  # which the SDK makes of what its HTTP client raises
        called.messages.create(**REQUEST)

    def hook(_: Any) -> None:
        json.loads("{")

    hooked = ScriptedAPI(message()).client(max_retries=0)
    hooked._prepare_request = hook
    with pytest.raises(json.JSONDecodeError) as apps:
        hooked.messages.create(**REQUEST)
    assert failure_of(apps.value) is None


def test_options(rate_limited: BaseException) -> None:
    """Statuses, addresses, languages and what is included are the app's to choose."""
    options = Options(
        status={"rate_limit_error": 429},
        types="https://errors.example.com/",
        locale="fr",
        include=frozenset({"provider_request_id", "provider_message"}),
    )
    found = problem(rate_limited, options, locale="de").body()
    _check(found)
    assert (found["status"], found["title"]) == (429, "Too many requests")
    assert found["type"] == "https://errors.example.com/#rate_limit_error"
    assert found["detail"].startswith("L'assistant")
    assert found["provider_request_id"] == "req_planted"
    assert _UPSTREAM in found["provider_message"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"status": {"rate_limit": 429}}, "'rate_limit' is no error type. Did you mean 'rate_limit_error'?"),
        ({"status": {"api_error": 200}}, "api_error has 200; expected a status from 400 to 599"),
        ({"status": {"api_error": "502"}}, "api_error has '502'"),
        ({"include": {"model"}}, "'model' is not known"),
        ({"types": "errors.html"}, "'errors.html' is no address"),
    ],
)
def test_wrong_options(options: dict[str, Any], expected: str) -> None:
    """A mistake is told where it is made, with what was expected."""
    with pytest.raises(claudescope.BadInputError, match=expected.replace("?", r"\?")):
        Options(**options)


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_wait_that_is_none(wait: str) -> None:
    """A header that is no number of seconds is no promise to the consumer."""
    found = problem(_fail(error(429, "rate_limit_error", retry_after=wait)))
    assert found.retry_after is None
    assert "Retry-After" not in found.headers()


def test_a_wait_of_a_year_is_cut() -> None:
    """A wait is at most a week, and a fraction of a second is a second."""
    assert problem(_fail(error(429, "rate_limit_error", retry_after="31536000"))).retry_after == 7 * 86400
    assert problem(_fail(error(529, "overloaded_error", retry_after="0.2"))).retry_after == 1


def test_every_error_type_has_a_status_and_a_group() -> None:
    """The tables have a row for each error type, and no other."""
    assert list(STATUSES) == list(ERROR_TYPES)
    assert list(GROUPS) == list(ERROR_TYPES)


def test_the_committed_schema() -> None:
    """The file that consumers may download is the schema that the documents are checked with."""
    path = Path(claudescope.__file__ or "").parent / "web" / "problem.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()


def test_an_event_for_other_frameworks(rate_limited: BaseException) -> None:
    """`sse_error` gives the event to send by hand."""
    text = sse_error(problem(rate_limited))
    assert text.startswith("\n\nevent: error\ndata: {")
    assert text.endswith("}\n\n")


def test_install_knows_its_frameworks(examples: dict[str, Any]) -> None:
    """Anything else is refused with what to do."""
    with pytest.raises(claudescope.BadInputError, match="installed in this app already"):
        install(examples["flask"].app)
    with pytest.raises(claudescope.BadInputError, match=r"use claudescope\.web\.problem"):
        install(object())
    from django.core.handlers.wsgi import WSGIHandler

    with pytest.raises(claudescope.BadInputError, match="first in MIDDLEWARE"):
        install(WSGIHandler())


def test_handlers_of_the_app_come_first(rate_limited: BaseException) -> None:
    """What the app handles itself, before or after `install`, stays its own."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def ask(_: Request) -> PlainTextResponse:
        raise rate_limited

    async def wrap(_: Request) -> PlainTextResponse:
        raise _AppError("no summary") from rate_limited

    async def own(_: Request, __: Exception) -> PlainTextResponse:
        return PlainTextResponse("own", status_code=418)

    for late in (False, True):
        app = Starlette(routes=[Route("/ask", ask), Route("/wrap", wrap)])
        if not late:
            app.add_exception_handler(anthropic.APIError, own)
        install(app)
        if late:
            app.add_exception_handler(anthropic.APIError, own)
        client = TestClient(app)
        assert client.get("/ask").text == "own"
        assert client.get("/wrap").json()["error_code"] == "rate_limit_error"


def test_openapi_tells_of_problems(examples: dict[str, Any]) -> None:
    """Each operation of a FastAPI app has the problem under each status that problems have, beside the app's own."""
    document = examples["fastapi"].app.openapi()
    described = document["paths"]["/ask"]["post"]["responses"]
    assert list(described) == ["200", "400", "422", "413", "500", "502", "503", "504"]
    assert described["503"] == {"$ref": "#/components/responses/ClaudeProblem"}
    assert list(described["422"]["content"]) == ["application/json", "application/problem+json"]
    assert "error_code" in document["components"]["schemas"]["ClaudeProblem"]["properties"]
    assert examples["fastapi"].app.openapi() == document


def test_no_sdk_exception_is_missed() -> None:
    """Every exception class of the SDK counts as a failed call."""
    from claudescope.web.failures import failure_of

    for name in anthropic.__all__:
        found = getattr(anthropic, name)
        if isinstance(found, type) and issubclass(found, anthropic.AnthropicError):
            made = found.__new__(found)
            assert failure_of(made) is made, name
