"""Which errors of the API a type of exception catches."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from claudescope.audit.resolve import Resolver
from claudescope.audit.values import Constant, Container, External, Klass, Value

__all__ = ["ALL", "Caught", "caught"]

ALL: Final = frozenset({"rate", "server", "client", "connection"})
"""The kinds of errors that a call may end in."""
_STATUS: Final = ALL - {"connection"}
_BROAD: Final = frozenset(
    {"builtins.Exception", "builtins.BaseException", "builtins.ExceptionGroup", "builtins.BaseExceptionGroup"}
)
_KINDS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    (r"(AnthropicError|APIError|OpenAIError|ClaudeSDKError|InstructorRetryException|InstructorError|RetryError)", ALL),
    (r"(ModelAPIError|AgentRunError|FallbackExceptionGroup|RequestException|ClientError|URLError|HTTPError)", ALL),
    (r"(APIStatusError|HTTPStatusError|ModelHTTPError|ClientResponseError)", _STATUS),
    (r"(RateLimitError)", frozenset({"rate"})),
    (
        r"(InternalServerError|OverloadedError|ServiceUnavailableError|DeadlineExceededError|BadGatewayError|ProcessError)",
        frozenset({"server"}),
    ),
    (
        r"(APIConnectionError|APITimeoutError|Timeout|ConnectionError|ConnectTimeout|ReadTimeout|RequestError|TransportError"
        r"|TimeoutException|ConnectError|NetworkError|ReadError|RemoteProtocolError|ClientConnectionError|ClientConnectorError"
        r"|ServerTimeoutError|ServerDisconnectedError|ClientPayloadError|ClientOSError|CLIConnectionError|BotoCoreError)",
        frozenset({"connection"}),
    ),
    (
        r"(BadRequestError|AuthenticationError|PermissionDeniedError|NotFoundError|ConflictError|UnprocessableEntityError"
        r"|RequestTooLargeError|ContextWindowExceededError|ContentPolicyViolationError|InvalidRequestError"
        r"|CLINotFoundError|UnexpectedModelBehavior|UsageLimitExceeded|APIResponseValidationError)",
        frozenset({"client"}),
    ),
)
_OWN: Final = {
    "requests": ("requests",),
    "httpx": ("httpx", "httpx2"),
    "aiohttp": ("aiohttp",),
    "urllib": ("urllib",),
    "urllib3": ("urllib3",),
    "http.client": ("http", "socket"),
    "litellm": ("litellm", "openai"),
    "openai": ("openai",),
    "pydantic-ai": ("pydantic_ai", "anthropic"),
    "instructor": ("instructor", "anthropic"),
    "claude-agent-sdk": ("claude_agent_sdk", "claude_code_sdk"),
    "bedrock-runtime": ("botocore",),
    "llama-index": ("anthropic", "llama_index"),
    "langchain": ("anthropic", "langchain_core", "botocore"),
}


@dataclass(frozen=True, slots=True)
class Caught:
    """What one `except` catches.

    Attributes:
        kinds: Kinds of errors of the API.
        is_broad: Whether it is bare, `Exception` or `BaseException`.
        names: The last parts of the types' names.
    """

    kinds: frozenset[str]
    is_broad: bool = False
    names: frozenset[str] = frozenset()


def caught(resolver: Resolver, types: Iterable[ast.expr], library: str) -> Caught:
    """What the types of an `except` or a `suppress` catch; no types at all is a bare `except`."""
    nodes = list(types)
    if not nodes:
        return Caught(ALL, is_broad=True)
    kinds: set[str] = set()
    names: set[str] = set()
    is_broad = False
    for node in nodes:
        found = _flat(resolver.values(node))
        if not found:
            return Caught(ALL)  # nobody can say; that it catches nothing would be a guess
        for value in found:
            if isinstance(value, External):
                is_broad = is_broad or value.name in _BROAD
                kinds |= _kinds(value.name, library)
                names.add(value.name.rpartition(".")[2])
            elif isinstance(value, Klass):
                names.add(value.scope.name)
    return Caught(ALL if is_broad else frozenset(kinds), is_broad, frozenset(names))


def _flat(values: Iterable[Value]) -> set[Value]:
    flat: set[Value] = set()
    for value in values:
        if isinstance(value, Container):
            flat |= _flat(value.elements)
        elif not isinstance(value, Constant):
            flat.add(value)
    return flat


def _kinds(name: str, library: str) -> frozenset[str]:
    package, _, last = name.rpartition(".")
    package = package.partition(".")[0]
    if package == "builtins":
        raw = library in {"requests", "urllib", "http.client", "aiohttp"}
        if last in {"OSError", "IOError", "EnvironmentError"} and raw:
            return ALL
        return frozenset({"connection"}) if last == "ConnectionError" and raw else frozenset()
    if package == "tenacity" and last == "RetryError":
        return ALL
    if package not in _OWN.get(library, ("anthropic",)):
        return ALL if last.isupper() else frozenset()
    if last == "HTTPError" and package in {"requests", "urllib"}:
        return _STATUS
    if last == "ClientError" and package == "botocore":
        return _STATUS
    return next((kinds for pattern, kinds in _KINDS if re.fullmatch(pattern, last)), frozenset[str]())
