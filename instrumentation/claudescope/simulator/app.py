"""The ASGI application: maps paths to handlers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from claudescope._internal.exceptions import BadInputError
from claudescope.simulator.batch_endpoints import (
    batch_results,
    cancel_batch,
    create_batch,
    delete_batch,
    get_batch,
    list_batches,
)
from claudescope.simulator.errors import ApiError, no_such_method, no_such_path
from claudescope.simulator.exchange import ClientGoneError, Exchange
from claudescope.simulator.messages import count_message_tokens, create_message
from claudescope.simulator.models import get_model, list_models
from claudescope.simulator.requests import check_headers
from claudescope.simulator.scenario import load_scenario
from claudescope.simulator.state import SimulatorState

__all__ = ["build_app"]

Handler = Callable[[Exchange], Awaitable[None]]

_ENDPOINTS: Mapping[str, Mapping[str, Handler]] = {
    "/v1/messages": {"POST": create_message},
    "/v1/messages/count_tokens": {"POST": count_message_tokens},
    "/v1/messages/batches": {"POST": create_batch, "GET": list_batches},
    "/v1/messages/batches/{batch_id}": {"GET": get_batch, "DELETE": delete_batch},
    "/v1/messages/batches/{batch_id}/cancel": {"POST": cancel_batch},
    "/v1/messages/batches/{batch_id}/results": {"GET": batch_results},
    "/v1/models": {"GET": list_models},
    "/v1/models/{model_id}": {"GET": get_model},
}


class _Endpoint:
    """One path of the API, as an ASGI application."""

    def __init__(self, state: SimulatorState, path: str, handlers: Mapping[str, Handler]) -> None:
        self._state = state
        self._path = path
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(self._state, f"{scope['method']} {self._path}", scope, receive, send)
        try:
            try:
                await exchange.read()
                if not self._handlers:
                    raise no_such_path()
                if exchange.request.method not in self._handlers:
                    raise no_such_method()
                check_headers(exchange.request.headers)
                await self._handlers[exchange.request.method](exchange)
            except ApiError as error:
                await exchange.send_error(error)
        except ClientGoneError:
            pass
        finally:
            await exchange.close()


def build_app(state: SimulatorState) -> Starlette:
    """Build the application. Nothing else may use `state` while it runs."""

    async def ledger(_: Request) -> Response:
        return JSONResponse(state.ledger().to_dict())

    async def reset(_: Request) -> Response:
        state.reset()
        return Response(status_code=204)

    async def scenario(request: Request) -> Response:
        if request.method == "PUT":
            try:
                asked: object = json.loads(await request.body())
                name: object = asked.get("name") if isinstance(asked, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
                if not isinstance(name, str):
                    raise BadInputError('expected a body such as {"name": "overloaded"}')
                state.use(load_scenario(name))
            except ValueError as error:  # a BadInputError, or no JSON
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"name": state.scenario.name, "description": state.scenario.description})

    return Starlette(
        routes=[
            Route("/_simulator/ledger", ledger, methods=["GET"]),
            Route("/_simulator/reset", reset, methods=["POST"]),
            Route("/_simulator/scenario", scenario, methods=["GET", "PUT"]),
            *(Route(path, _Endpoint(state, path, handlers)) for path, handlers in _ENDPOINTS.items()),
            Route("/{unknown:path}", _Endpoint(state, "(unknown)", {})),
        ]
    )
