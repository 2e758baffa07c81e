"""How clients of the API are made, changed and used by the libraries that are known."""

from __future__ import annotations

import ast
from dataclasses import replace

from claudescope.audit import libraries
from claudescope.audit.values import (
    Client,
    Constant,
    Evaluator,
    External,
    Instance,
    Klass,
    Member,
    Options,
    Outcome,
    Value,
    Values,
)

__all__ = ["after", "argument", "external", "instance", "keywords"]

_SAME_CLIENT = frozenset(["__enter__", "__aenter__", "with_options", "copy"])
_WRAPPERS = frozenset(
    [
        "with_structured_output",
        "bind_tools",
        "bind",
        "with_config",
        "with_types",
        "with_listeners",
        "assign",
        "pick",
        "pipe",
        "configurable_fields",
        "as_query_engine",
        "as_chat_engine",
        "compile",
    ]
)
_TIMEOUTS = ("timeout", "default_request_timeout", "request_timeout")
_RETRIES = ("max_retries", "num_retries")
_DEFAULT_RETRIES = {"sdk": 2, "langchain": 2, "pydantic-ai": 2, "llama-index": 10, "instructor": 2, "openai": 2}


def keywords(resolver: Evaluator, call: ast.Call) -> tuple[dict[str, ast.expr], bool]:
    """The keywords of a call, those of `**literal` included, and whether all of them are known."""
    found: dict[str, ast.expr] = {}
    complete = True
    for keyword in call.keywords:
        if keyword.arg is not None:
            found[keyword.arg] = keyword.value
            continue
        tables = resolver.dicts(keyword.value)
        complete = complete and bool(tables)
        for table in tables:
            found |= {
                k.value: v
                for k, v in zip(table.keys, table.values, strict=True)
                if isinstance(k, ast.Constant) and isinstance(k.value, str)
            }
    return found, complete


def options(resolver: Evaluator, call: ast.Call | None, library: str) -> Options:
    """How a constructor's arguments set up its client."""
    retries = _DEFAULT_RETRIES.get(library, 0)
    if call is None:
        return Options("unknown", retries, seen=False)
    given, complete = keywords(resolver, call)
    start = Options("set" if library in {"llama-index", "httpx", "aiohttp"} else "unset", retries)
    changed = _changed(resolver, start, given)
    if not complete:
        changed = replace(
            changed,
            timeout="set" if changed.timeout == "set" else "unknown",
            retries=None if "max_retries" not in given else changed.retries,
        )
    models = [given[name] for name in ("model", "model_name", "model_id") if name in given]
    if call.args and library != "sdk":
        models.append(call.args[0])
    texts = frozenset(text for model in models for text in resolver.texts(model))
    url = given.get("base_url") or (call.args[0] if call.args else None)
    urls = resolver.texts(url) if url is not None else frozenset[str]()
    return replace(changed, models=texts, url=next(iter(sorted(urls)), ""))


def _changed(resolver: Evaluator, before: Options, given: dict[str, ast.expr]) -> Options:
    timeout, retries = before.timeout, before.retries
    for name in _TIMEOUTS:
        if name in given:
            timeout = "unset" if Constant(None) in resolver.values(given[name]) else "set"
    if "http_client" in given:
        timeout = "set"  # httpx has one of 5 seconds
    for name in _RETRIES:
        if name in given:
            numbers = [
                v.value for v in resolver.values(given[name]) if isinstance(v, Constant) and isinstance(v.value, int)
            ]
            retries = min(numbers) if numbers else None
    return replace(before, timeout=timeout, retries=retries)


def instance(resolver: Evaluator, value: Value, call: ast.Call | None) -> Values:
    """An object of a class; without a call, one that an annotation promises."""
    if isinstance(value, External):
        return external(resolver, value.name, call)
    if not isinstance(value, Klass):
        return frozenset({value}) if isinstance(value, Client | Instance) else frozenset()
    if not value.scope.is_class:
        return frozenset()
    node = value.scope.node
    for base in node.bases if isinstance(node, ast.ClassDef) else ():
        for parent in resolver.values(base):
            made = instance(resolver, parent, call) if isinstance(parent, External | Klass) else frozenset[Value]()
            if any(isinstance(v, Client) for v in made):
                return made
    return frozenset({Instance(value.scope)})


def external(resolver: Evaluator, name: str, call: ast.Call | None) -> Values:
    """What a call of another library's name returns."""
    is_async = libraries.sdk_class(name)
    if is_async is not None:
        return frozenset({Client("sdk", is_async, options(resolver, call, "sdk"))})
    http = libraries.http_client(name)
    if http is not None:
        return frozenset({Client(http[0], http[1], options(resolver, call, http[0]))})
    llm = libraries.llm_class(name)
    if llm is not None:
        return _llm(resolver, llm[0], call, uncertain=llm[1])
    if call is None:
        return frozenset({Instance(name)})
    return _made_by_library(resolver, name, call) or frozenset({Instance(name)})


def _llm(resolver: Evaluator, library: str, call: ast.Call | None, *, uncertain: bool) -> Values:
    chosen = options(resolver, call, library)
    if uncertain and call is not None:
        provider = keywords(resolver, call)[0].get("model_provider")
        named = chosen.models | (resolver.texts(provider) if provider is not None else frozenset[str]())
        if not any(map(libraries.anthropic_model, named)):
            return frozenset()
    elif uncertain:
        return frozenset()
    return frozenset({Client(library, is_async=library == "claude-agent-sdk", options=chosen)})


def _made_by_library(resolver: Evaluator, name: str, call: ast.Call) -> Values:
    function = libraries.library_function(name)
    given, _ = keywords(resolver, call)
    passed = [*call.args, *given.values()]
    package, _, last = name.partition(".")
    last = last.rpartition(".")[2]
    if name in {"requests.Request", "httpx.Request"}:
        url = argument(call, "url", 1)
        return resolver.values(url) if url is not None else frozenset()
    if package == "requests" or package in {"httpx", "httpx2", "urllib3"} or function is not None:
        return frozenset({Outcome(call)})
    if package == "instructor":
        inner = [v for p in passed for v in resolver.values(p) if isinstance(v, Client) and v.library == "sdk"]
        if inner:
            return frozenset(replace(v, library="instructor") for v in inner)
        if last == "from_provider" and call.args and any("anthropic" in t for t in resolver.texts(call.args[0])):
            is_async = given.get("async_client")
            chosen = options(resolver, call, "instructor")
            return frozenset(
                {Client("instructor", is_async is not None and Constant(True) in resolver.values(is_async), chosen)}
            )
    if name in {"openai.OpenAI", "openai.AsyncOpenAI"}:
        chosen = options(resolver, call, "openai")
        return frozenset({Client("openai", "Async" in name, chosen)} if "api.anthropic.com" in chosen.url else ())
    if name == "boto3.client" and any("bedrock-runtime" in t for p in passed for t in resolver.texts(p)):
        return frozenset({Client("bedrock-runtime", is_async=False, options=Options("set", 4))})
    if name in {"litellm.Router", "litellm.router.Router"}:
        return frozenset({Client("litellm", is_async=False, options=options(resolver, call, "litellm"))})
    return _chain(resolver, name, call, passed)


def _chain(resolver: Evaluator, name: str, call: ast.Call, passed: list[ast.expr]) -> Values:
    """An agent, chain or engine that a framework makes out of a model."""
    for node in passed:
        for value in (*resolver.values(node), *resolver.elements(node)):
            if isinstance(value, Client) and libraries.is_chain_library(value.library, name):
                return frozenset({value})
            if value == Constant(getattr(value, "value", None)) and isinstance(getattr(value, "value", None), str):
                text = str(getattr(value, "value", ""))
                named = text.startswith(
                    ("anthropic:", "bedrock:anthropic", "bedrock:us.anthropic", "google-vertex:claude")
                )
                if named and name.rpartition(".")[2] == "Agent" and name.startswith("pydantic_ai"):
                    chosen = options(resolver, call, "pydantic-ai")
                    return frozenset(
                        {Client("pydantic-ai", is_async=True, options=_with_settings(resolver, chosen, call))}
                    )
                if named and name.rpartition(".")[2] in {"create_agent", "create_react_agent", "create_deep_agent"}:
                    return frozenset(
                        {Client("langchain", is_async=False, options=options(resolver, call, "langchain"))}
                    )
    return frozenset()


def _with_settings(resolver: Evaluator, chosen: Options, call: ast.Call) -> Options:
    settings = keywords(resolver, call)[0].get("model_settings")
    if settings is None:
        return chosen
    nodes = [*resolver.dicts(settings), settings]
    has_timeout = any(
        (isinstance(n, ast.Constant) and n.value == "timeout") or (isinstance(n, ast.keyword) and n.arg == "timeout")
        for node in nodes
        for n in ast.walk(node)
    )
    return replace(chosen, timeout="set") if has_timeout else chosen


def after(resolver: Evaluator, member: Member, call: ast.Call) -> Values:
    """What a call of a client's method returns."""
    client, path = member.client, member.path
    last = path.rpartition(".")[2]
    if last in _SAME_CLIENT:
        given, complete = keywords(resolver, call)
        changed = _changed(resolver, client.options, given)
        return frozenset({replace(client, options=changed if complete else replace(changed, timeout="unknown"))})
    if client.library in {"langchain", "llama-index", "pydantic-ai"}:
        if last in _WRAPPERS:
            return frozenset({client})
        if last == "with_retry":
            return frozenset({replace(client, options=replace(client.options, wrapper=call))})
        if last == "with_fallbacks":
            return frozenset({client})
    if path == "build_request":
        url = argument(call, "url", 1)
        return resolver.values(url) if url is not None else frozenset()
    if path == "prepare_request" and call.args:
        return resolver.values(call.args[0])
    if libraries.is_call(client.library, path):
        return frozenset({Outcome(call)})
    return frozenset()


def argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """What a call passes for a parameter."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if 0 <= position < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
        return call.args[position]
    return None
