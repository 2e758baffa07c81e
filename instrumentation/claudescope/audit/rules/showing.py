"""Rules about what users and logs are told of an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from claudescope.audit import frameworks
from claudescope.audit.case import Case
from claudescope.audit.handlers import is_log, walk_here
from claudescope.audit.rules.rule import Hit
from claudescope.audit.scopes import Scope
from claudescope.audit.steps import Catch
from claudescope.audit.values import Outcome

__all__ = ["error_shown_to_user", "missing_request_id_in_log"]

_SAFE: Final = frozenset(
    {"status_code", "request_id", "type", "__class__", "code", "status", "headers", "retry_after", "__cause__"}
)
_REPLIES: Final = frozenset(
    [
        "send_text",
        "send_json",
        "send_bytes",
        "send",
        "send_str",
        "reply",
        "reply_text",
        "say",
        "respond",
        "answer",
        "send_message",
        "edit_text",
        "edit",
        "edit_message_text",
        "followup",
        "abort",
        "error",
        "chat_postMessage",
        "post_message",
        "emit",
        "update_text",
        "HttpResponse",
        "JsonResponse",
    ]
)
_LOGGERS: Final = ("log", "logger", "logging", "sentry_sdk", "metrics")


def _shows(node: ast.AST | None, error: str | None, carriers: set[str]) -> bool:
    """Whether an expression holds the error, or a text of it."""
    if node is None:
        return False
    safe: set[ast.AST] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and inner.attr in _SAFE:
            safe |= set(ast.walk(inner.value))
        elif (
            isinstance(inner, ast.Call)
            and isinstance(inner.func, ast.Name)
            and inner.func.id in {"type", "isinstance", "getattr"}
        ):
            safe |= {n for a in inner.args for n in ast.walk(a)}
        elif isinstance(inner, ast.Call) and ast.unparse(inner.func).rpartition(".")[2] in {"format_exc", "print_exc"}:
            return True
        elif isinstance(inner, ast.IfExp):
            safe |= set(ast.walk(inner.test))
    names = {error, *carriers}
    return any(isinstance(n, ast.Name) and n.id in names and n not in safe for n in ast.walk(node))


def _carriers(body: list[ast.stmt], error: str | None) -> set[str]:
    """Variables of a handler that hold a text of the error."""
    found: set[str] = set()
    for _ in range(2):
        for node in walk_here(*body):
            if isinstance(node, ast.Assign) and _shows(node.value, error, found):
                held = [t.value if isinstance(t, ast.Subscript) else t for t in node.targets]
                found |= {t.id for t in held if isinstance(t, ast.Name)}
    return found


def error_shown_to_user(case: Case) -> Iterator[Hit]:
    """Report a handler that sends the error's text to a user."""
    shown = any(_catch_shows(case, catch) for catch in case.catches if catch.handler is not None)
    for handler in case.app_handlers:
        shown = shown or (handler is not None and _handler_shows(handler))
    if not shown and case.site.is_raw and case.in_request:
        shown = _body_shown(case)
    if shown:
        yield Hit(
            "error-shown-to-user",
            case.site.line,
            "medium",
            f"A user sees the text of an error of {case.site.name}: it may hold the prompt,"
            " limits or names of the account."
            " Log it, and answer with a message of your own.",
        )


def _catch_shows(case: Case, catch: Catch) -> bool:
    handler = catch.handler
    if handler is None:
        return False
    scope = catch.step.scope
    carriers = _carriers(handler.body, catch.error)
    reached = frameworks.is_endpoint(case.resolver, scope) or any(
        path.end in {"endpoint", "lazy"} and any(step.scope is scope for step in path.steps) for path in case.reach
    )
    for node in walk_here(*handler.body):
        if (
            isinstance(node, ast.Call)
            and _is_reply(node)
            and any(_shows(a, catch.error, carriers) for a in _passed(node))
        ):
            if reached or frameworks.uses_web(scope) or _is_chat(scope):
                return True
        if not reached:
            continue
        if isinstance(node, ast.Return | ast.Yield) and _shows(node.value, catch.error, carriers):
            return True
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _is_http_error(node.exc):
            if any(_shows(a, catch.error, carriers) for a in _passed(node.exc)):
                return True
    if reached and carriers:
        inside = set(walk_here(*handler.body))
        return any(
            isinstance(n, ast.Return)
            and n not in inside
            and n.value is not None
            and any(isinstance(x, ast.Name) and x.id in carriers for x in ast.walk(n.value))
            for n in walk_here(*(scope.node.body if isinstance(scope.node.body, list) else []))
            if getattr(n, "lineno", 0) > handler.lineno
        )
    return False


def _passed(call: ast.Call) -> list[ast.expr]:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Call):  # Message(content=…).send()
        return [*_passed(owner), *call.args, *(k.value for k in call.keywords)]
    return [*call.args, *(k.value for k in call.keywords if k.arg not in {"exc_info", "status_code"})]


def _is_http_error(call: ast.Call) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name.startswith("HTTP") or name in {
        "APIException",
        "ValidationError",
        "ServiceUnavailable",
        "BadGateway",
        "InternalServerError",
        "Abort",
    }


def _is_reply(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in {"abort", "say", "respond", "send", "reply"}
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = ast.unparse(call.func.value).lower()
    if call.func.attr == "error":
        return owner in {"st", "messages"}
    if call.func.attr == "write":
        return owner in {"self", "response", "resp", "self.wfile"}
    return call.func.attr in _REPLIES and not any(word in owner for word in _LOGGERS)


def _is_chat(scope: Scope) -> bool:
    packages = {name.partition(".")[0] for name in scope.module.imports}
    return bool(
        packages
        & {
            "discord",
            "telegram",
            "slack_bolt",
            "slack_sdk",
            "chainlit",
            "streamlit",
            "gradio",
            "aiogram",
            "telebot",
            "nextcord",
            "botbuilder",
        }
    )


def _handler_shows(handler: Scope) -> bool:
    parameters = handler.parameters()
    if not parameters or not isinstance(handler.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    error = parameters[-1].arg
    carriers = _carriers(handler.node.body, error)
    return any(isinstance(n, ast.Return) and _shows(n.value, error, carriers) for n in walk_here(*handler.node.body))


def _body_shown(case: Case) -> bool:
    """Whether the body of a refused raw request is put into an HTTP error."""
    for scope in case.scopes():
        body = scope.node.body if isinstance(scope.node.body, list) else []
        for node in walk_here(*body):
            if not isinstance(node, ast.If) or not any(
                isinstance(n, ast.Attribute) and n.attr in {"status_code", "ok", "is_success", "is_error", "status"}
                for n in ast.walk(node.test)
            ):
                continue
            for inner in walk_here(*node.body):
                shown = (
                    inner.exc
                    if isinstance(inner, ast.Raise)
                    else inner.value
                    if isinstance(inner, ast.Return)
                    else None
                )
                if isinstance(inner, ast.Raise) and not (isinstance(shown, ast.Call) and _is_http_error(shown)):
                    continue
                for part in ast.walk(shown) if shown is not None else ():
                    if (
                        isinstance(part, ast.Attribute)
                        and part.attr in {"text", "content", "json", "body"}
                        and _is_answer(case, part.value)
                    ):
                        return True
    return False


def _is_answer(case: Case, node: ast.expr) -> bool:
    return Outcome(case.site.call) in case.resolver.values(node)


def missing_request_id_in_log(case: Case) -> Iterator[Hit]:
    """Report a log of a refused call without the id that support asks for."""
    for catch in case.catches:
        handler = catch.handler
        if (
            handler is None
            or catch.caught.is_broad
            or not catch.handling.logs
            or not (catch.caught.kinds & {"rate", "server", "client"})
        ):
            continue
        if case.site.is_raw and not catch.caught.names & {"HTTPStatusError", "HTTPError", "ClientResponseError"}:
            continue
        if not case.site.is_raw and case.site.library in {"claude-agent-sdk", "bedrock-runtime"}:
            continue
        carriers = _carriers(handler.body, catch.error)
        if any(_tells_id(call, catch.error, carriers) for call in _tellers(handler, catch)):
            continue
        if _helper_tells_id(case, handler, catch.error, carriers):
            continue
        yield Hit(
            "missing-request-id-in-log",
            case.site.line,
            "medium",
            f"The log of a refused {case.site.name} (line {catch.handling.logs[0].lineno})"
            " holds neither the error nor its request_id,"
            " which Anthropic's support asks for. Log error.request_id.",
        )
        return


def _helper_tells_id(case: Case, handler: ast.ExceptHandler, error: str | None, carriers: set[str]) -> bool:
    """Whether a function of the project is handed the error, and logs it."""
    for call in (n for n in walk_here(*handler.body) if isinstance(n, ast.Call)):
        passed = [*call.args, *(k.value for k in call.keywords)]
        if not any(_shows(a, error, carriers) for a in passed):
            continue
        for function in case.resolver.functions(call.func):
            if any(isinstance(n, ast.Call) and is_log(n) for n in ast.walk(function.node)):
                return True
    return False


def _tellers(handler: ast.ExceptHandler, catch: Catch) -> list[ast.Call]:
    others = [
        n
        for n in walk_here(*handler.body)
        if isinstance(n, ast.Call)
        and ast.unparse(n.func).rpartition(".")[2]
        in {"capture_exception", "record_exception", "bind", "set_tag", "bind_contextvars"}
    ]
    return [*catch.handling.logs, *others]


def _tells_id(call: ast.Call, error: str | None, carriers: set[str]) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"exception", "capture_exception"}:
        return True
    text = ast.unparse(call).lower()
    if "request_id" in text or "request-id" in text or "exc_info" in text:
        return True
    return any(_shows(a, error, carriers) for a in (*call.args, *(k.value for k in call.keywords)))
