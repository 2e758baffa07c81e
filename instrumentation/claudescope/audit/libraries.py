"""What is known of other libraries: which names make clients, and which methods of clients call the API."""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "MESSAGE_METHODS",
    "anthropic_model",
    "http_client",
    "is_call",
    "is_chain_library",
    "library_function",
    "llm_class",
    "sdk_class",
]

_SDK_CLASS: Final = re.compile(r"anthropic(\.[a-z_.]+)?\.(?P<async>Async)?(Base)?(Anthropic\w*|Client)$")
_SDK_PATHS: Final = re.compile(
    r"((with_raw_response|with_streaming_response)\.)?(beta\.)?((messages|completions|models|files|skills)\.)(batches\.)?"
    r"((with_raw_response|with_streaming_response)\.)?"
    r"(?P<method>create|stream|parse|count_tokens|tool_runner|retrieve|list|cancel|delete|results|upload|download"
    r"|retrieve_metadata)$"
)
_METHODS: Final[dict[str, frozenset[str]]] = {
    "langchain": frozenset(
        [
            "invoke",
            "ainvoke",
            "stream",
            "astream",
            "batch",
            "abatch",
            "batch_as_completed",
            "abatch_as_completed",
            "generate",
            "agenerate",
            "predict",
            "apredict",
            "astream_events",
            "run",
            "arun",
            "__call__",
        ]
    ),
    "pydantic-ai": frozenset(["run", "run_sync", "run_stream", "run_stream_events", "iter", "run_stream_sync"]),
    "instructor": frozenset(
        f"{prefix}{method}"
        for prefix in ("", "messages.", "chat.completions.")
        for method in ("create", "create_partial", "create_iterable", "create_with_completion")
    ),
    "litellm": frozenset({"completion", "acompletion", "text_completion", "atext_completion", "responses"}),
    "llama-index": frozenset(
        [
            "complete",
            "acomplete",
            "chat",
            "achat",
            "stream_complete",
            "stream_chat",
            "astream_chat",
            "astream_complete",
            "predict",
            "apredict",
            "structured_predict",
            "astructured_predict",
            "chat_with_tools",
            "achat_with_tools",
            "query",
            "aquery",
            "run",
        ]
    ),
    "claude-agent-sdk": frozenset({"query"}),
    "openai": frozenset({"chat.completions.create", "chat.completions.parse", "chat.completions.stream"}),
    "bedrock-runtime": frozenset({"invoke_model", "invoke_model_with_response_stream", "converse", "converse_stream"}),
}
MESSAGE_METHODS: Final = frozenset({"create", "stream", "parse", "tool_runner", "results"})
"""The methods of the SDK that return an answer of the model."""
_HTTP: Final = {
    "requests": ("requests", False),
    "requests.Session": ("requests", False),
    "requests.session": ("requests", False),
    "requests.sessions.Session": ("requests", False),
    "httpx": ("httpx", False),
    "httpx.Client": ("httpx", False),
    "httpx.AsyncClient": ("httpx", True),
    "httpx2": ("httpx", False),
    "httpx2.Client": ("httpx", False),
    "httpx2.AsyncClient": ("httpx", True),
    "aiohttp.ClientSession": ("aiohttp", True),
    "urllib3": ("urllib3", False),
    "urllib3.PoolManager": ("urllib3", False),
    "http.client.HTTPSConnection": ("http.client", False),
}
_HTTP_METHODS: Final = frozenset({"get", "post", "put", "delete", "request", "stream", "send", "urlopen"})
_LLM_CLASSES: Final = re.compile(
    r"(?P<langchain>langchain[\w.]*\.(ChatAnthropic\w*|AnthropicLLM|Anthropic))$"
    r"|(?P<maybe>langchain[\w.]*\.(init_chat_model|ChatBedrock\w*|ChatLiteLLM|ChatVertexAI))$"
    r"|(?P<pydantic>pydantic_ai[\w.]*\.(AnthropicModel|AnthropicProvider))$"
    r"|(?P<llama>llama_index\.llms\.anthropic(\.base)?\.Anthropic)$"
    r"|(?P<agent>(claude_agent_sdk|claude_code_sdk)(\.client)?\.ClaudeSDKClient)$"
)
_LIBRARIES: Final = {
    "langchain": "langchain",
    "maybe": "langchain",
    "pydantic": "pydantic-ai",
    "llama": "llama-index",
    "agent": "claude-agent-sdk",
}
_CHAINS: Final = {
    "langchain": ("langchain", "langgraph", "langchain_core", "langchain_classic", "langchain_community"),
    "pydantic-ai": ("pydantic_ai",),
    "llama-index": ("llama_index",),
}


def sdk_class(name: str) -> bool | None:
    """Whether an external class is an async client of the SDK; None if it is no client of it."""
    found = _SDK_CLASS.match(name)
    return None if found is None else bool(found["async"])


def llm_class(name: str) -> tuple[str, bool] | None:
    """The library of a class that makes clients of a model, and whether the model decides if it is Claude."""
    found = _LLM_CLASSES.match(name)
    return (_LIBRARIES[found.lastgroup], found.lastgroup == "maybe") if found and found.lastgroup else None


def http_client(name: str) -> tuple[str, bool] | None:
    """The HTTP library that a class or module belongs to, and whether it is async."""
    return _HTTP.get(name)


def is_chain_library(library: str, name: str) -> bool:
    """Whether something that this library makes out of a model calls the model."""
    return name.partition(".")[0] in _CHAINS.get(library, ()) and not name.endswith((".Settings", "Message"))


def library_function(name: str) -> tuple[str, bool, str] | None:
    """The library of a function that calls a model, whether it is async, and how a reader knows it."""
    package, _, function = name.partition(".")
    function = function.rpartition(".")[2]
    if package == "litellm" and function in _METHODS["litellm"]:
        return "litellm", function.startswith("a"), f"litellm.{function}"
    if package == "litellm" and function in {"batch_completion", "aresponses"}:
        return "litellm", function.startswith("a"), f"litellm.{function}"
    if package in {"claude_agent_sdk", "claude_code_sdk"} and function == "query":
        return "claude-agent-sdk", True, "query"
    if name in {"urllib.request.urlopen", "aiohttp.request"}:
        return name.partition(".")[0], package == "aiohttp", name
    return None


def is_call(library: str, path: str) -> bool:
    """Whether a method of a client calls the API; for HTTP libraries, if the URL says so."""
    if library == "sdk":
        return _SDK_PATHS.match(path) is not None
    if library in {"requests", "httpx", "aiohttp", "urllib3", "http.client"}:
        return path in _HTTP_METHODS
    return path in _METHODS.get(library, ())


def anthropic_model(name: str) -> bool:
    """Whether the name of a model means Claude, as other libraries write it."""
    return bool(re.search(r"\bclaude\b|anthropic|claude-", name, re.IGNORECASE))
