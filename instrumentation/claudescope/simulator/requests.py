"""Parses and validates request bodies, with the API's error messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claudescope.simulator.errors import ApiError

__all__ = [
    "MAX_BODY_BYTES",
    "BatchRequest",
    "CountRequest",
    "MessageRequest",
    "check_headers",
    "check_model",
    "invalid",
    "parse_body",
    "parse_json",
]

MAX_BODY_BYTES = 32 * 1024 * 1024

Json = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant", "system"]
    content: str | list[Json]


class _Thinking(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class _ToolChoice(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None


class _Format(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    type: Literal["json_schema"]
    json_schema: Json = Field(alias="schema")


class _OutputConfig(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    format: _Format | None = None


class CountRequest(_Body):
    """The parameters that make up the prompt."""

    model: str = Field(min_length=1)
    messages: list[_Turn] = Field(min_length=1)
    system: str | list[Json] | None = None
    tools: list[Json] = Field(default_factory=list[Json])
    tool_choice: _ToolChoice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None
    cache_control: Json | None = None
    # Accepted, without effect.
    billing_policy: Any = None
    compaction: Any = None
    container: Any = None
    context_management: Any = None
    diagnostics: Any = None
    fallback_credit_token: Any = None
    fallbacks: Any = None
    inference_geo: Any = None
    mcp_servers: Any = None
    speed: Any = None
    thread: Any = None
    user_profile_id: Any = None
    workspace_id: Any = None

    @property
    def schema_of_the_answer(self) -> Json | None:
        """The JSON schema for the text of the response; None without structured output."""
        asked = (self.output_config and self.output_config.format) or self.output_format
        return asked.json_schema if asked else None


class MessageRequest(CountRequest):
    """The parameters of `messages.create`."""

    max_tokens: int = Field(ge=0)
    stream: bool = False
    stop_sequences: list[str] = Field(default_factory=list[str])
    metadata: Json | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    # Older models still use it.
    temperature: Annotated[float, Field(ge=0, le=1)] | int | None = None
    top_k: int | None = None
    top_p: float | int | None = None

    @property
    def thinks(self) -> bool:
        """Whether the response starts with thinking."""
        return self.thinking is not None and self.thinking.type in {"enabled", "adaptive"}


class _BatchItem(_Body):
    custom_id: str = Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    params: Json


class BatchRequest(_Body):
    """The body of `messages.batches.create`."""

    requests: list[_BatchItem] = Field(min_length=1, max_length=100_000)


R = TypeVar("R", bound=_Body)


def invalid(message: str) -> ApiError:
    """Make a 400."""
    return ApiError(400, "invalid_request_error", message)


def check_headers(headers: Mapping[str, str]) -> None:
    """Reject a request without a key or a version.

    Raises:
        ApiError: 401 or 400.
    """
    bearer = headers.get("authorization", "").lower().startswith("bearer ")
    if not headers.get("x-api-key") and not bearer:
        raise ApiError(401, "authentication_error", "x-api-key header is required")
    if not headers.get("anthropic-version"):
        raise invalid("anthropic-version: header is required")


def parse_json(raw: bytes) -> Json:
    """Parse a body that must be a JSON object.

    Raises:
        ApiError: 400.
    """
    try:
        body: object = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise invalid("Input should be a valid dictionary")
    return {str(key): value for key, value in body.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def parse_body(body: Json, shape: type[R]) -> R:
    """Validate the parameters in a JSON object.

    Raises:
        ApiError: 400, in the words of the API: `max_tokens: Field required`.
    """
    try:
        request = shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        loc = ".".join(str(step) for step in first["loc"] if step not in {"str", "list[dict[str,any]]"})
        raise invalid(f"{loc}: {first['msg']}") from None
    if isinstance(request, CountRequest):
        _check_turns(request)
        _check_tools(request)
    if isinstance(request, MessageRequest):
        _check_thinking(request)
    return request


def _check_turns(request: CountRequest) -> None:
    for number, turn in enumerate(request.messages):
        if not turn.content and not (number == len(request.messages) - 1 and turn.role == "assistant"):
            raise invalid(f"messages.{number}: {turn.role} messages must have non-empty content")
        for place, block in enumerate(turn.content if isinstance(turn.content, list) else []):
            if not isinstance(block.get("type"), str):
                raise invalid(f"messages.{number}.content.{place}.type: Field required")
    if request.messages[0].role != "user" and all(turn.role != "user" for turn in request.messages):
        raise invalid("messages: at least one message with the role `user` is required")


def _check_tools(request: CountRequest) -> None:
    names: set[str] = set()
    for number, tool in enumerate(request.tools):
        name = tool.get("name")
        kind = tool.get("type") or "custom"
        if name is None and kind == "custom":
            raise invalid(f"tools.{number}.custom.name: Field required")
        if kind == "custom" and not isinstance(tool.get("input_schema"), dict):
            raise invalid(f"tools.{number}.custom.input_schema: Field required")
        if name in names:
            raise invalid("tools: Tool names must be unique.")
        if name is not None:
            names.add(name)
    choice = request.tool_choice
    if choice is None or choice.type == "none":
        return
    if not request.tools:
        raise invalid("tool_choice: tool_choice may only be specified while providing tools.")
    if choice.type == "tool" and choice.name not in names:
        raise invalid(f"tool_choice: Tool '{choice.name}' not found in provided tools")


def _check_thinking(request: MessageRequest) -> None:
    thinking = request.thinking
    if thinking is None or thinking.type != "enabled":
        return
    if thinking.budget_tokens is None:
        raise invalid("thinking.enabled.budget_tokens: Field required")
    if thinking.budget_tokens >= request.max_tokens:
        raise invalid(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
            "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
        )
    if request.tool_choice is not None and request.tool_choice.type in {"any", "tool"}:
        raise invalid("Thinking may not be enabled when tool_choice forces tool use.")


def check_model(model: str, models: tuple[str, ...]) -> None:
    """Reject a model that the scenario doesn't have.

    Raises:
        ApiError: 404.
    """
    if model not in models:
        raise ApiError(404, "not_found_error", f"model: {model}")
