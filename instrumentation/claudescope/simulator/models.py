"""`GET /v1/models` and `GET /v1/models/{model_id}`."""

from __future__ import annotations

from typing import Any

from claudescope.simulator.exchange import Exchange
from claudescope.simulator.pagination import page
from claudescope.simulator.requests import check_model

__all__ = ["MAX_INPUT_TOKENS", "get_model", "list_models"]

MAX_INPUT_TOKENS = 200_000


async def list_models(exchange: Exchange) -> None:
    """List the scenario's models."""
    models = [_info(model) for model in exchange.state.scenario.models]
    body = page(models, exchange.request.query_params)
    await exchange.inject_error()
    await exchange.send_json(body)


async def get_model(exchange: Exchange) -> None:
    """Describe one model."""
    model = str(exchange.request.path_params["model_id"])
    check_model(model, exchange.state.scenario.models)
    await exchange.inject_error()
    await exchange.send_json(_info(model))


def _info(model: str) -> dict[str, Any]:
    words = model.split("-")
    line = next((word for word in words if word in {"haiku", "sonnet", "opus", "fable", "mythos"}), None)
    name = " ".join(word.capitalize() for word in words if not word.isdigit())
    version = ".".join(word for word in words if word.isdigit())
    supported = {"supported": True}
    return {
        "type": "model",
        "id": model,
        "display_name": f"{name} {version}".strip(),
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "line": line,
        "max_input_tokens": MAX_INPUT_TOKENS,
        "max_tokens": 64_000,
        "capabilities": {
            "batch": supported,
            "citations": {"supported": False},
            "code_execution": {"supported": False},
            "context_management": {"supported": False},
            "effort": {"supported": True, "low": supported, "medium": supported, "high": supported, "max": supported},
            "image_input": supported,
            "pdf_input": supported,
            "server_tools": {"supported": True, "code_execution": {"supported": False}, "web_search": supported},
            "structured_outputs": supported,
            "thinking": {"supported": True, "types": {"adaptive": supported, "enabled": supported}},
        },
    }
