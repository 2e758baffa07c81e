"""Finds the calls to the Claude API."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import Final

from claudescope.audit import clients, libraries
from claudescope.audit.resolve import Resolver
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Client, Constant, External, Member, Options, Partial, Setting, order

__all__ = ["Site", "find_sites"]

_RAW: Final = frozenset({"requests", "httpx", "aiohttp", "urllib", "urllib3", "http.client"})
_API: Final = re.compile(r"api\.anthropic\.com|publishers/anthropic/models|/anthropic/v1/messages")
_NAMES: Final = frozenset(
    [
        "create",
        "stream",
        "parse",
        "count_tokens",
        "tool_runner",
        "retrieve",
        "list",
        "cancel",
        "delete",
        "results",
        "upload",
        "download",
        "retrieve_metadata",
        "invoke",
        "ainvoke",
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
        "run_sync",
        "run_stream",
        "run_stream_events",
        "run_stream_sync",
        "iter",
        "create_partial",
        "create_iterable",
        "create_with_completion",
        "completion",
        "acompletion",
        "text_completion",
        "atext_completion",
        "responses",
        "aresponses",
        "batch_completion",
        "complete",
        "acomplete",
        "chat",
        "achat",
        "stream_complete",
        "stream_chat",
        "astream_chat",
        "astream_complete",
        "structured_predict",
        "astructured_predict",
        "chat_with_tools",
        "achat_with_tools",
        "query",
        "aquery",
        "invoke_model",
        "invoke_model_with_response_stream",
        "converse",
        "converse_stream",
        "get",
        "post",
        "request",
        "put",
        "send",
        "urlopen",
    ]
)
_THREADS: Final = frozenset(
    {"to_thread", "run_in_executor", "submit", "run_in_threadpool", "run_sync", "sync_to_async", "add_task"}
)
_ASYNC_METHOD: Final = re.compile(
    r"a(invoke|stream|batch|generate|predict|run|completion|text_completion|responses|complete|chat|query|structured_predict)\w*$"
)
_PYDANTIC_SYNC: Final = frozenset({"run_sync", "run_stream_sync"})


@dataclass(eq=False)
class Site:
    """One call to the API, and what its client and arguments say."""

    call: ast.Call
    scope: Scope
    library: str
    path: str
    is_async: bool
    options: Options
    arguments: dict[str, ast.expr]
    positional: list[ast.expr]
    is_stream: bool
    in_thread: bool = False

    @property
    def is_raw(self) -> bool:
        """Whether this is a request of an HTTP library."""
        return self.library in _RAW

    @property
    def method(self) -> str:
        """The last part of what is called."""
        return self.path.rpartition(".")[2]

    @property
    def via(self) -> str:
        """The name of the library in a report."""
        if self.is_raw:
            return "raw-http"
        return f"sdk-{'async' if self.is_async else 'sync'}" if self.library == "sdk" else self.library

    @property
    def line(self) -> int:
        """Line of the call."""
        return self.call.lineno

    @property
    def name(self) -> str:
        """The call as a reader knows it."""
        if self.library == "sdk" or "." in self.path:
            return self.path
        owner = self.call.func.value if isinstance(self.call.func, ast.Attribute) else None
        text = ast.unparse(owner) if owner is not None else ""
        return f"{text}.{self.path}" if re.fullmatch(r"[\w.]{1,40}", text) else self.path


def find_sites(resolver: Resolver) -> list[Site]:
    """Every call to the API in a project."""
    found: list[Site] = []
    for name, calls in resolver.project.calls.items():
        for call in calls:
            if name in _NAMES or isinstance(call.func, ast.Name) or _is_stored(call):
                site = _site(resolver, call)
            else:
                site = _threaded(resolver, call) if name in _THREADS else None
            if site is not None:
                found.append(site)
    return found


def _threaded(resolver: Resolver, call: ast.Call) -> Site | None:
    """A method of a client that is handed to a thread: `to_thread(client.messages.create, …)`."""
    for position, passed in enumerate(call.args):
        for value in sorted(resolver.values(passed), key=order):
            partial = value if isinstance(value, Partial) else None
            target = partial.of if partial is not None else value
            if isinstance(target, Member) and not target.client.is_async:
                site = _of_member(resolver, call, target.client, target.path, partial)
                if site is not None:
                    return replace(site, in_thread=True, positional=site.positional[position + 1 :])
    return None


def _is_stored(call: ast.Call) -> bool:
    """Whether a function that an attribute or a table holds is called: `self.ask(…)`."""
    return isinstance(call.func, ast.Subscript | ast.Call) or (
        isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "self"
    )


def _site(resolver: Resolver, call: ast.Call) -> Site | None:
    for value in sorted(resolver.values(call.func), key=order):
        partial = value if isinstance(value, Partial) else None
        target = partial.of if partial else value
        if isinstance(target, Member):
            site = _of_member(resolver, call, target.client, target.path, partial)
        elif isinstance(target, External):
            site = _of_function(resolver, call, target.name, partial)
        else:
            site = None
        if site is not None:
            return site
    return None


def _of_function(resolver: Resolver, call: ast.Call, name: str, partial: Partial | None) -> Site | None:
    base, _, method = name.rpartition(".")
    http = libraries.http_client(base)
    if http is not None and base in {"requests", "httpx", "httpx2", "urllib3"}:
        timeout: Setting = "set" if http[0] == "httpx" else "unset"
        return _of_member(resolver, call, Client(http[0], is_async=False, options=Options(timeout, 0)), method, partial)
    function = library_function = libraries.library_function(name)
    if function is None or library_function is None:
        return None
    library, is_async, shown = function
    client = Client(library, is_async, Options("unset", 0))
    site = _make(resolver, call, client, shown, partial)
    if site.is_raw:
        return site if _is_api(resolver, site) else None
    if library == "litellm":
        model = site.arguments.get("model") or (site.positional[0] if site.positional else None)
        texts = resolver.texts(model) if model is not None else frozenset[str]()
        return site if any(map(libraries.anthropic_model, texts)) else None
    return site


def _of_member(resolver: Resolver, call: ast.Call, client: Client, path: str, partial: Partial | None) -> Site | None:
    if not libraries.is_call(client.library, path):
        return None
    site = _make(resolver, call, client, path, partial)
    if site.is_raw and not _is_api(resolver, site):
        return None
    if client.library == "bedrock-runtime":
        model = site.arguments.get("modelId")
        if model is None or not any(map(libraries.anthropic_model, resolver.texts(model))):
            return None
    return site


def _make(resolver: Resolver, call: ast.Call, client: Client, path: str, partial: Partial | None) -> Site:
    arguments, _ = clients.keywords(resolver, call)
    positional = list(call.args)
    if partial is not None:
        arguments = clients.keywords(resolver, partial.call)[0] | arguments
        positional = [*partial.call.args[1:], *positional]
    method = path.rpartition(".")[2]
    streams = arguments.get("stream")
    is_stream = (streams is not None and Constant(True) in resolver.values(streams)) or "stream" in method
    is_async = client.is_async
    if client.library in {"langchain", "llama-index", "litellm"}:
        is_async = is_async or _ASYNC_METHOD.match(method) is not None
    if client.library == "pydantic-ai":
        is_async = method not in _PYDANTIC_SYNC
    return Site(
        call,
        resolver.project.scope_of(call),
        client.library,
        path,
        is_async,
        client.options,
        arguments,
        positional,
        is_stream,
    )


def _is_api(resolver: Resolver, site: Site) -> bool:
    """Whether the URL of a request is the API's."""
    if _API.search(site.options.url):
        return True
    second = site.method in {"request", "stream"} and site.library != "http.client"
    nodes = [site.arguments.get("url"), *site.positional[: 2 if second else 1]]
    return any(_API.search(text) for node in nodes if node is not None for text in resolver.texts(node))
