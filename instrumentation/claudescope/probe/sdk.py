"""Names of the `anthropic` SDK: the platforms of its clients, the operations and models of its requests."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

from claudescope.schema.catalogue import OTHER

__all__ = [
    "OPERATIONS",
    "SUPPORTED",
    "batch_of",
    "http_library",
    "is_stream",
    "is_supported",
    "library_of_class",
    "operation_of",
    "provider_of",
    "region_of",
    "request_model",
    "server_of",
    "span_name",
]

SUPPORTED: Final = ((0, 51), (3,))
"""The tested versions: from the first, up to but not including the second. The extra `instruments` has the same."""

_MODULE_PROVIDERS: Final = (
    # In order: the first that the module of a base class starts with.
    ("anthropic.lib.bedrock", "aws.bedrock"),
    ("anthropic.lib.vertex", "gcp.vertex_ai"),
    ("anthropic.lib.foundry", "azure.ai.foundry"),
)
OPERATIONS: Final = {
    ("post", "messages"): "chat",
    ("post", "messages/count_tokens"): "count_tokens",
    ("post", "complete"): "text_completion",
    ("post", "messages/batches"): "batches.create",
    ("get", "messages/batches"): "batches.list",
    ("get", "messages/batches/*"): "batches.retrieve",
    ("delete", "messages/batches/*"): "batches.delete",
    ("post", "messages/batches/*/cancel"): "batches.cancel",
    ("get", "messages/batches/*/results"): "batches.results",
    ("get", "models"): "models.list",
    ("get", "models/*"): "models.retrieve",
    ("post", "files"): "files.upload",
    ("get", "files"): "files.list",
    ("get", "files/*"): "files.retrieve",
    ("delete", "files/*"): "files.delete",
    ("get", "files/*/content"): "files.download",
}
_FIXED: Final = frozenset(
    {"messages", "complete", "count_tokens", "batches", "cancel", "results", "models", "files", "content"}
)
_SPAN_NAMES: Final = {"chat": "anthropic.messages.create", "count_tokens": "anthropic.messages.count_tokens"}


_MAX_SERVERS: Final = 256
_servers: Final[dict[int, tuple[Any, tuple[str, int]]]] = {}


def is_supported(version: str) -> bool:
    """Whether claudescope is tested with a version of the SDK."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    first, end = SUPPORTED
    return first <= numbers < end


@lru_cache(maxsize=512)
def operation_of(method: str, url: str) -> str:
    """The operation's name in the catalogue for a request to `url`, a path or a whole URL."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    if parts and parts[0] == "v1":
        del parts[0]
    path = "/".join(part if part in _FIXED else "*" for part in parts)
    return OPERATIONS.get((method.lower(), path), OTHER)


def batch_of(url: str) -> str:
    """The id of the batch whose results a request to `url` asks for."""
    return urlsplit(url).path.rstrip("/").rsplit("/", 2)[-2]


def span_name(operation: str) -> str:
    """The name that the SDK's own tracing gives the span of an operation."""
    if operation == OTHER:
        return "anthropic.request"
    return _SPAN_NAMES.get(operation) or (
        f"anthropic.messages.{operation}" if operation.startswith("batches.") else f"anthropic.{operation}"
    )


@lru_cache(maxsize=64)
def _provider_of_class(client_class: type[Any]) -> str:
    for base in client_class.__mro__:
        for module, provider in _MODULE_PROVIDERS:
            if base.__module__.startswith(module):
                return provider
    return "anthropic"


def provider_of(client: object) -> str:
    """The value of `gen_ai.provider.name` for a client."""
    return _provider_of_class(type(client))  # type: ignore[arg-type] # a class is hashable; mypy looks at its instances


def region_of(client: Any) -> str | None:
    """The region of a client of Vertex AI, whose prices depend on it; None for any other client."""
    if provider_of(client) != "gcp.vertex_ai":
        return None
    region = getattr(client, "region", None)
    return region if isinstance(region, str) and 0 < len(region) <= 200 else None


def server_of(client: Any) -> tuple[str, int]:
    """The host name and port that a client sends its requests to."""
    url = client.base_url
    # By identity, as a URL is slow to hash and to parse. The entry keeps its URL alive, so no other URL has its id.
    known = _servers.get(id(url))
    if known is None or known[0] is not url:
        if len(_servers) >= _MAX_SERVERS:
            _servers.clear()
        known = _servers[id(url)] = (url, (str(url.host), url.port or (80 if url.scheme == "http" else 443)))
    return known[1]


def request_model(options: Any) -> str | None:
    """The model that the body of a request names; None where it names none."""
    body: object = options.json_data
    model = cast("dict[str, object]", body).get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) and 0 < len(model) <= 200 else None


def http_library(response: object) -> Any:
    """The module, `httpx` or `httpx2`, that a response's class comes from; None for a mock."""
    return library_of_class(type(response))  # type: ignore[arg-type] # as above


@lru_cache(maxsize=64)
def library_of_class(its_class: type[Any]) -> Any:
    """The module, `httpx` or `httpx2`, that a class is derived from; None for any other class."""
    for base in its_class.__mro__:
        name = base.__module__.partition(".")[0]
        if name in {"httpx", "httpx2"}:
            return sys.modules[name]
    return None


def is_stream(result: object) -> bool:
    """Whether what the SDK made of a response is a stream."""
    return hasattr(cast("type[Any]", type(result)), "__stream__")
