"""Where a failed call may come from in an app, and what a consumer gets then."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from flask import Blueprint, Flask, abort
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import claudescope.web
from tests.scripted import error
from tests.sentry.failures import fail


@pytest.fixture(scope="module")
def failure() -> Exception:
    """A failed call."""
    found = fail(error(529, "overloaded_error", "upstream", retry_after="30"))
    assert isinstance(found, Exception)
    return found


class _AppError(Exception):
    pass


def _fastapi(failure: Exception) -> FastAPI:
    app = FastAPI()
    claudescope.web.install(app)

    async def needs_claude() -> None:
        raise failure

    @app.get("/plain")
    @app.head("/plain")
    async def plain() -> None:
        raise failure

    @app.get("/sync")
    def sync() -> None:
        raise failure

    @app.get("/dependency", dependencies=[Depends(needs_claude)])
    async def dependency() -> str:
        return "never"

    @app.get("/wrapped")
    async def wrapped() -> None:
        raise _AppError("no summary") from failure

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(418, "mine") from failure

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(plain)
        return "answered"

    @app.get("/generator")
    async def generator() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "data: one\n\n"
            raise failure

        return StreamingResponse(pieces(), media_type="text/event-stream")

    @app.get("/text")
    async def text() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "one"
            raise failure

        return StreamingResponse(pieces(), media_type="text/plain")

    @app.websocket("/socket")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        raise failure

    inner = FastAPI()

    @inner.get("/plain")
    async def inside() -> None:
        raise failure

    app.mount("/mounted", inner)
    app.mount("/starlette", Starlette(routes=[Route("/plain", _starlette_endpoint(failure))]))
    return app


def _starlette_endpoint(failure: Exception) -> Callable[[Request], Any]:
    async def endpoint(_: Request) -> PlainTextResponse:
        raise failure

    return endpoint


@pytest.mark.parametrize("path", ["/plain", "/sync", "/dependency", "/wrapped", "/mounted/plain", "/starlette/plain"])
def test_where_it_is_raised(failure: Exception, path: str) -> None:
    """In an endpoint, a thread, a dependency or a mounted app: the consumer gets the problem, with the whole path."""
    got = TestClient(_fastapi(failure)).get(path, headers={"Accept": "text/html"})
    assert (got.status_code, got.headers["content-type"]) == (503, "application/problem+json")
    assert got.headers["retry-after"] == "30"
    assert got.json()["instance"] == path
    assert got.headers["x-request-id"] == got.json()["correlation_id"]


def test_head(failure: Exception) -> None:
    """HEAD gets the status and the headers of GET."""
    got = TestClient(_fastapi(failure)).head("/plain")
    assert (got.status_code, got.headers["retry-after"]) == (503, "30")


def test_the_apps_own_exception(failure: Exception) -> None:
    """What the app raises as an answer stays its answer, also `from` a failed call."""
    got = TestClient(_fastapi(failure)).get("/http")
    assert (got.status_code, got.json()) == (418, {"detail": "mine"})


def test_background_tasks(failure: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """After the answer nothing can be told: the consumer has it whole, and the framework's own handling goes on."""
    client = TestClient(_fastapi(failure), raise_server_exceptions=False)
    with caplog.at_level(logging.ERROR):
        got = client.get("/background")
    assert (got.status_code, got.json()) == (200, "answered")
    with pytest.raises(type(failure)):
        TestClient(_fastapi(failure)).get("/background")


def test_streams(failure: Exception) -> None:
    """Events end with the problem; other streams break off."""
    client = TestClient(_fastapi(failure))
    text = client.get("/generator").text
    assert text.startswith("data: one\n\n")
    assert json.loads(text.split("data: ")[-1])["error_code"] == "overloaded_error"
    with pytest.raises(type(failure)):
        client.get("/text")


def test_websockets(failure: Exception) -> None:
    """A WebSocket has no problem documents: the exception is the framework's."""
    with pytest.raises(type(failure)), TestClient(_fastapi(failure)).websocket_connect("/socket") as connection:
        connection.receive()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups")
def test_exception_groups(failure: Exception) -> None:
    """A group with one failed call is that failure, as task groups raise it."""
    group = getattr(__builtins__, "ExceptionGroup", None) or __builtins__["ExceptionGroup"]  # type: ignore[index]

    async def endpoint(_: Request) -> PlainTextResponse:
        raise group("tasks", [failure])

    async def mixed(_: Request) -> PlainTextResponse:
        raise group("tasks", [ValueError("mine"), failure])

    app = Starlette(routes=[Route("/one", endpoint), Route("/mixed", mixed)])
    claudescope.web.install(app)
    client = TestClient(app)
    assert client.get("/one").json()["error_code"] == "overloaded_error"
    assert client.get("/mixed").json()["error_code"] == "overloaded_error"


def test_middleware_of_the_app(failure: Exception) -> None:
    """A middleware of the app's, inside or outside of ours, sees the response and not the exception."""
    seen: list[int] = []

    async def count(request: Request, following: Any) -> Any:
        response = await following(request)
        seen.append(response.status_code)
        return response

    for late in (False, True):
        app = Starlette(routes=[Route("/ask", _starlette_endpoint(failure)), Mount("/none", Starlette())])
        if late:
            claudescope.web.install(app)
        app.add_middleware(BaseHTTPMiddleware, dispatch=count)
        if not late:
            claudescope.web.install(app)
        assert TestClient(app).get("/ask").status_code == 503
    assert seen == [503, 503]


def test_calls_of_middleware(failure: Exception) -> None:
    """A middleware of the app's that makes a call itself is answered too."""

    async def moderate(_: Request, following: Any) -> Any:
        raise failure

    app = Starlette()
    app.add_middleware(BaseHTTPMiddleware, dispatch=moderate)
    claudescope.web.install(app)
    got = TestClient(app).get("/ask", headers={"X-Request-ID": "order-17"})
    assert (got.status_code, got.json()["correlation_id"], got.headers["x-request-id"]) == (503, "order-17", "order-17")


def test_cross_origin(failure: Exception) -> None:
    """A problem has the headers that let a page of another origin read it."""
    app = Starlette(routes=[Route("/ask", _starlette_endpoint(failure))])
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    claudescope.web.install(app)
    got = TestClient(app).get("/ask", headers={"Origin": "https://example.com"})
    assert (got.status_code, got.headers["access-control-allow-origin"]) == (503, "*")


def test_other_errors_of_the_app(failure: Exception) -> None:
    """The framework's own answer to another exception is as it is without `install`, also of a mounted app."""

    async def endpoint(_: Request) -> PlainTextResponse:
        raise ValueError("mine")

    async def says_so(_: Request) -> PlainTextResponse:
        return PlainTextResponse("Internal Server Error", status_code=500)

    routes = [Route("/ask", endpoint), Route("/says", says_so)]
    app = Starlette(routes=[*routes, Mount("/inner", Starlette(routes=routes))])
    claudescope.web.install(app)
    for path in ("/ask", "/inner/ask", "/says"):
        got = TestClient(app, raise_server_exceptions=False).get(path)
        assert (got.status_code, got.text) == (500, "Internal Server Error")
    with pytest.raises(ValueError, match="mine"):
        TestClient(app).get("/inner/ask")


def test_flask(failure: Exception) -> None:
    """Blueprints, HEAD, the app's own handlers and its own errors, on Flask."""
    app = Flask("kinds")
    part = Blueprint("part", __name__)

    @part.get("/plain")
    def plain() -> str:
        raise failure

    @part.get("/wrapped")
    def wrapped() -> str:
        raise _AppError("no summary") from failure

    @part.get("/own")
    def own() -> str:
        raise ValueError("mine") from failure

    @part.get("/abort")
    def aborts() -> str:
        abort(404)

    @app.errorhandler(ValueError)
    def handle(_: ValueError) -> tuple[str, int]:
        return "mine", 418

    app.register_blueprint(part, url_prefix="/part")
    claudescope.web.install(app)
    client = app.test_client()
    assert client.get("/part/plain").get_json()["instance"] == "/part/plain"
    assert client.get("/part/wrapped").status_code == 503
    head = client.head("/part/plain")
    assert (head.status_code, head.headers["Retry-After"], head.data) == (503, "30", b"")
    assert client.get("/part/own").status_code == 418
    assert client.get("/part/abort").status_code == 404
    assert client.get("/nowhere").status_code == 404


def test_handlers_for_all_exceptions(failure: Exception) -> None:
    """A handler of the app's for all exceptions gets all but failed calls, whether set before or after `install`."""
    for late in (False, True):
        app = Flask("kinds")

        @app.get("/<what>")
        def view(what: str) -> str:
            if what == "claude":
                raise failure
            if what == "mine":
                raise ValueError("mine")
            abort(404)

        if late:
            claudescope.web.install(app)
        app.register_error_handler(Exception, lambda error: (type(error).__name__, 418))
        if not late:
            claudescope.web.install(app)
        client = app.test_client()
        assert client.get("/claude").get_json()["error_code"] == "overloaded_error"
        assert [client.get(path).text for path in ("/mine", "/none")] == ["ValueError", "NotFound"]


def test_asgi_correlation_id(failure: Exception) -> None:
    """Beside asgi-correlation-id, in either order, both have the same id: the consumer's."""
    from asgi_correlation_id import CorrelationIdMiddleware
    from asgi_correlation_id import correlation_id as theirs

    seen: list[str | None] = []

    async def endpoint(_: Request) -> PlainTextResponse:
        seen.append(theirs.get())
        raise failure

    for late in (False, True):
        app = Starlette(routes=[Route("/ask", endpoint)])
        if late:
            claudescope.web.install(app)
        app.add_middleware(CorrelationIdMiddleware, validator=None)
        if not late:
            claudescope.web.install(app)
        for headers in ({"X-Request-ID": "order-17"}, {}):
            got = TestClient(app).get("/ask", headers=headers)
            expected = headers.get("X-Request-ID", seen[-1])
            assert got.json()["correlation_id"] == got.headers["x-request-id"] == expected == seen[-1], (late, headers)
            assert len(got.headers.get_list("x-request-id")) == 1
