"""What is known of web frameworks and of asyncio: who calls a function, and who catches what it raises."""

from __future__ import annotations

import ast
import re
from typing import Final

from claudescope.audit.resolve import Resolver
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Constant, Klass

__all__ = ["app_handlers", "collects_exceptions", "is_context_manager", "is_endpoint", "is_unread"]

_ROUTES: Final = frozenset(
    [
        "route",
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "websocket",
        "websocket_route",
        "api_route",
        "message",
        "event",
        "command",
        "on_message",
        "on_chat_start",
        "on_event",
        "action",
        "view",
        "shortcut",
        "callback_query_handler",
        "message_handler",
        "errorhandler",
        "exception_handler",
        "api_view",
        "middleware",
        "before_request",
    ]
)
_VIEW_BASES: Final = (
    "View",
    "APIView",
    "MethodView",
    "HTTPEndpoint",
    "WebSocketEndpoint",
    "Resource",
    "ViewSet",
    "RequestHandler",
    "ModelViewSet",
    "Consumer",
    "AsyncConsumer",
    "AsyncWebsocketConsumer",
    "WebsocketConsumer",
)
_VIEW_METHODS: Final = frozenset(
    [
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "dispatch",
        "list",
        "create",
        "retrieve",
        "form_valid",
        "receive",
        "receive_json",
        "on_receive",
    ]
)
_REQUESTS: Final = re.compile(r"(Request|HttpRequest|WebSocket|ASGIRequest|WSGIRequest|BaseRequest)$")
_CHATS: Final = frozenset({"discord", "nextcord", "disnake", "slack_bolt", "telegram", "aiogram", "telebot"})
_HANDLERS: Final = frozenset({"exception_handler", "errorhandler", "app_errorhandler", "middleware"})
_WEB: Final = frozenset(
    [
        "fastapi",
        "starlette",
        "flask",
        "django",
        "aiohttp",
        "quart",
        "sanic",
        "litestar",
        "tornado",
        "rest_framework",
        "bottle",
        "falcon",
        "robyn",
        "blacksheep",
        "ninja",
    ]
)


def _last(node: ast.AST) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _packages(scope: Scope) -> set[str]:
    return {name.partition(".")[0] for name in scope.module.imports}


def uses_web(scope: Scope) -> bool:
    """Whether the module of a function imports a web framework."""
    return any(name.partition(".")[0] in _WEB for name in scope.module.imports)


def is_endpoint(resolver: Resolver, scope: Scope) -> bool:
    """Whether a framework calls a function because of a request or a message."""
    for decorator in scope.decorators:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(called, ast.Attribute) and called.attr == "command" and _CHATS & _packages(scope):
            return True
        if isinstance(called, ast.Attribute) and called.attr in _ROUTES and called.attr != "property":
            return True
        if isinstance(called, ast.Name) and called.id in {
            "api_view",
            "require_POST",
            "require_GET",
            "require_http_methods",
            "csrf_exempt",
            "login_required",
        }:
            return True
    if scope.is_method and scope.parent is not None and isinstance(scope.parent.node, ast.ClassDef):
        bases = [_last(base) for base in scope.parent.node.bases]
        if scope.name in _VIEW_METHODS and any(base.endswith(_VIEW_BASES) for base in bases):
            return True
    parameters = [p for p in scope.parameters() if p.arg not in {"self", "cls"}]
    if parameters and parameters[0].annotation is not None and uses_web(scope) and not scope.is_method:
        text = ast.unparse(parameters[0].annotation)
        if _REQUESTS.search(text) and not resolver.callers(scope):
            return True
    if parameters and parameters[0].arg == "request" and uses_web(scope) and not scope.name.startswith("_"):
        return not resolver.callers(scope)
    if [p.arg for p in parameters] == ["event", "context"] and not scope.is_method:
        return not resolver.callers(scope)  # of AWS Lambda
    return _is_registered(resolver, scope)


def _is_registered(resolver: Resolver, scope: Scope) -> bool:
    """Whether a function is handed to a router: `web.post("/ask", ask)`, `Route("/ask", ask)`."""
    if not scope.name or isinstance(scope.node, ast.Lambda):
        return False
    for reference in resolver.project.references.get(scope.name, ()):
        parent = resolver.project.parents.get(reference)
        if (
            isinstance(parent, ast.Call)
            and reference is not parent.func
            and _last(parent)
            in {
                "Route",
                "WebSocketRoute",
                "path",
                "re_path",
                "add_api_route",
                "add_route",
                "add_url_rule",
                "add_post",
                "add_get",
                "add_put",
                "add_websocket_route",
                "add_handler",
                "MessageHandler",
                "CommandHandler",
                "ChatInterface",
                "Interface",
                "click",
            }
            | ({"post", "get", "put", "route", "view"} if uses_web(scope) else set())
        ):
            if scope in resolver.functions(reference):
                return True
    return False


def is_context_manager(resolver: Resolver, scope: Scope) -> bool:
    """Whether a generator is used with `with`."""
    return any(
        _last(decorator) in {"contextmanager", "asynccontextmanager", "fixture"} for decorator in scope.decorators
    )


def collects_exceptions(resolver: Resolver, gather: ast.AST) -> bool:
    """Whether a `gather` returns exceptions instead of raising them."""
    if not isinstance(gather, ast.Call):
        return False
    return any(k.arg == "return_exceptions" and Constant(True) in resolver.values(k.value) for k in gather.keywords)


def is_unread(resolver: Resolver, gather: ast.AST) -> bool:
    """Whether nobody looks at what an expression returns."""
    for parent, _ in resolver.project.ancestors(gather):
        if isinstance(parent, ast.Await):
            continue
        if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
            name, home = parent.targets[0].id, resolver.project.scope_of(gather)
            uses = [n for n in ast.walk(home.node) if isinstance(n, ast.Name) and n.id == name]
            return all(_is_dropped(resolver, n) for n in uses if isinstance(n.ctx, ast.Load))
        if isinstance(parent, ast.comprehension):
            return _leaves_errors_out(parent)
        return isinstance(parent, ast.Expr)
    return False


def _is_dropped(resolver: Resolver, use: ast.expr) -> bool:
    """Whether a list of results is only searched for those that are no errors."""
    for parent, child in resolver.project.ancestors(use):
        if isinstance(parent, ast.comprehension) and child is parent.iter:
            return _leaves_errors_out(parent)
        if isinstance(parent, ast.For) and child is parent.iter:
            return any(_skips_errors(statement) for statement in parent.body)
        if not (isinstance(parent, ast.Call) and _last(parent) in {"zip", "enumerate"}):
            break
    return False


def _leaves_errors_out(made: ast.comprehension) -> bool:
    return any(_tests_for_error(test.operand) for test in made.ifs if isinstance(test, ast.UnaryOp))


def _skips_errors(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    if isinstance(statement.test, ast.UnaryOp):
        return _tests_for_error(statement.test.operand)
    return _tests_for_error(statement.test) and all(isinstance(s, ast.Pass | ast.Continue) for s in statement.body)


def _tests_for_error(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Call)
        and _last(test) == "isinstance"
        and ast.unparse(test.args[-1]).endswith(("Exception", "Error"))
    )


def app_handlers(resolver: Resolver) -> list[tuple[Scope, list[ast.expr], Scope | None]]:
    """Handlers of errors for a whole app: the scope that registers, the types, and the handler itself."""
    found: list[tuple[Scope, list[ast.expr], Scope | None]] = []
    project = resolver.project
    for node, scope in project.scopes.items():
        for decorator in scope.decorators:
            if _last(decorator) in _HANDLERS and isinstance(decorator, ast.Call):
                if _last(decorator) != "middleware":
                    found.append((scope, decorator.args[:1], scope))
                elif _catches_around_next(scope):
                    found.append((scope, [], None))
            elif _last(decorator) == "middleware" and _catches_around_next(scope):
                found.append((scope, [], None))
        if isinstance(node, ast.ClassDef):
            methods = [
                project.scopes[b.node]
                for n in ("dispatch", "__call__", "process_exception")
                for b in scope.bindings.get(n, ())
                if b.node in project.scopes
            ]
            for method in methods:
                if method.name == "process_exception" or _catches_around_next(method):
                    if any(base.endswith("Middleware") for base in [node.name, *map(_last, node.bases)]):
                        found.append((method, [], None))
    for name in ("add_exception_handler", "register_error_handler"):
        for call in project.calls.get(name, ()):
            handlers = resolver.functions(call.args[1]) if len(call.args) > 1 else ()
            found.append((project.scope_of(call), call.args[:1], handlers[0] if handlers else None))
    for name in ("FastAPI", "Starlette"):
        for call in project.calls.get(name, ()):
            for keyword in call.keywords:
                for table in resolver.dicts(keyword.value) if keyword.arg == "exception_handlers" else ():
                    found += [
                        (project.scope_of(call), [key], next(iter(resolver.functions(value)), None))
                        for key, value in zip(table.keys, table.values, strict=True)
                        if key is not None
                    ]
    return found


def _catches_around_next(scope: Scope) -> bool:
    names = {"call_next", "handler", "get_response", "app", "next"}
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Try) and node.handlers:
            for inner in (n for s in node.body for n in ast.walk(s)):
                if isinstance(inner, ast.Call) and _last(inner) in names:
                    return True
    return False


def unused(resolver: Resolver, scope: Scope) -> bool:
    """Whether a class is never made."""
    return not any(Klass(scope) in resolver.values(c.func) for c in resolver.project.calls.get(scope.name, ()))
