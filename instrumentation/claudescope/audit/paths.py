"""The ways on which an error of a call travels: from its function to the callers, and what catches it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from claudescope.audit import classes, frameworks
from claudescope.audit.errors import ALL, Caught, caught
from claudescope.audit.handlers import Handling, describe
from claudescope.audit.resolve import Resolver
from claudescope.audit.scopes import Scope
from claudescope.audit.sites import Site
from claudescope.audit.spawns import Passed, destination
from claudescope.audit.steps import PASSED_ON, Catch, End, Origin, Path, Step, stops_errors
from claudescope.audit.values import Function, Klass, Outcome

__all__ = ["Walker"]

_TRY_STAR: type[ast.Try] = getattr(ast, "TryStar", ast.Try)  # `except*` is new in Python 3.11
_POLICIES = frozenset({"claudescope.policy", "claudescope.resilience.policy"})
_RUNS_GRAPH = ("invoke", "ainvoke", "stream", "astream", "batch", "abatch", "astream_events")
_MANY_PATHS = 24
_DEEP = 8


@dataclass
class Walker:
    """Walks from calls of the API to their callers."""

    resolver: Resolver
    _blind: bool = False
    _uses: dict[Scope, list[tuple[Step, ...]]] = field(default_factory=dict[Scope, list[tuple[Step, ...]]])

    def paths(self, site: Site, start: ast.AST | None = None) -> list[Path]:
        """Every way of a call's errors, up to a bound; `start` is where they arise, if not at the call."""
        found: list[Path] = []
        node = start or site.call
        home = self.resolver.project.scope_of(node)
        first = Step(home, node)
        if start is None and (site.is_async or site.in_thread):
            passed = destination(self.resolver, node, home, is_reference=False)
            if passed.node is not node:
                first = Step(self.resolver.project.scope_of(passed.node), passed.node, passed)
        self._walk(site, first, (), (), ALL, frozenset(), found)
        if start is None and site.path.endswith("messages.stream") and not any(path.catches for path in found):
            for entered in self._entries(site, home):
                found = self.paths(site, start=entered)
        return found

    def _entries(self, site: Site, home: Scope) -> Iterator[ast.AST]:
        """Where the manager of a stream is entered that a variable holds: only then a request is sent."""
        if not isinstance(self.resolver.project.parents.get(site.call), ast.Assign):
            return
        for node in ast.walk(home.node):
            held: list[ast.expr] = []
            if isinstance(node, ast.With | ast.AsyncWith):
                held = [item.context_expr for item in node.items]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                held = [node.func.value] if node.func.attr in {"__enter__", "__aenter__"} else []
            if any(Outcome(site.call) in self.resolver.values(each) for each in held):
                yield node

    def reach(self, site: Site) -> list[Path]:
        """Every way to the call from its callers, whatever is caught on it."""
        self._blind = True
        try:
            return self.paths(site)
        finally:
            self._blind = False

    def _walk(
        self,
        site: Site,
        step: Step,
        steps: tuple[Step, ...],
        catches: tuple[Catch, ...],
        left: frozenset[str],
        seen: frozenset[Scope],
        found: list[Path],
    ) -> None:
        if len(found) >= _MANY_PATHS:
            return
        steps = (*steps, step)
        if step.passed is not None and step.passed.use in {"dropped", "lazy", "job", "watched"}:
            ends: dict[str, End] = {"dropped": "dropped", "lazy": "lazy", "job": "job", "watched": "watched"}
            found.append(Path(steps, catches, ends[step.passed.use]))
            return
        for catch in self._catches(site, step, left, first=len(steps) == 1):
            catches = (*catches, catch)
            if not catch.handling.reraises:
                left -= catch.kinds
        if not left:
            found.append(Path(steps, catches, "caught"))
            return
        self._go_on(site, step, steps, catches, left, seen | {step.scope}, found)

    def _go_on(
        self,
        site: Site,
        step: Step,
        steps: tuple[Step, ...],
        catches: tuple[Catch, ...],
        left: frozenset[str],
        seen: frozenset[Scope],
        found: list[Path],
    ) -> None:
        scope = step.scope
        if scope.is_class or not scope.is_function:
            found.append(Path(steps, catches, "module"))
            return
        for wrapper in self._wrappers(scope):
            if wrapper.scope not in seen:
                steps = (*steps, wrapper)
                catches, left = self._through(site, wrapper, catches, left)
                seen |= {wrapper.scope}
        if not left:
            found.append(Path(steps, catches, "caught"))
            return
        if frameworks.is_endpoint(self.resolver, scope):
            found.append(Path(steps, catches, "endpoint"))
            return
        before = len(found)
        for *between, last in self.uses(scope) if len(steps) < _DEEP else ():
            if last.scope in seen or any(s.scope in seen for s in between):
                continue
            inner_steps, inner_catches, inner_left, inner_seen = steps, catches, left, seen
            for wrapper in between:
                inner_steps = (*inner_steps, wrapper)
                inner_catches, inner_left = self._through(site, wrapper, inner_catches, inner_left)
                inner_seen |= {wrapper.scope}
            if inner_left:
                self._walk(site, last, inner_steps, inner_catches, inner_left, inner_seen, found)
            else:
                found.append(Path(inner_steps, inner_catches, "caught"))
        if len(found) == before:
            is_test = scope.module.is_test and scope.name.startswith("test")
            found.append(Path(steps, catches, "test" if is_test else "no-caller"))

    def _through(
        self, site: Site, step: Step, catches: tuple[Catch, ...], left: frozenset[str]
    ) -> tuple[tuple[Catch, ...], frozenset[str]]:
        """What is caught at a step, and what goes on."""
        for catch in self._catches(site, step, left, first=False):
            catches = (*catches, catch)
            if not catch.handling.reraises:
                left -= catch.kinds
        return catches, left

    def uses(self, scope: Scope) -> list[tuple[Step, ...]]:
        """Where a function is called or passed on: wrappers first, and last the place itself."""
        if scope not in self._uses:
            self._uses[scope] = []
            self._uses[scope] = list(self._find_uses(scope))
        return self._uses[scope]

    def _find_uses(self, scope: Scope) -> Iterator[tuple[Step, ...]]:
        if isinstance(scope.node, ast.Lambda):
            yield from self._reference(scope.node, scope)
            return
        for call in self.resolver.callers(scope):
            home = self.resolver.project.scope_of(call)
            passed = self._called(call, home, scope)
            yield (Step(home, passed.node, passed),)
        for name in (scope.name, *self.resolver.project.aliases.get(scope.name, ())):
            for reference in self.resolver.project.references.get(name, ()):
                if scope in self.resolver.functions(reference) and not self._is_decorator(reference):
                    yield from self._reference(reference, scope)

    def _is_decorator(self, node: ast.AST) -> bool:
        parent = self.resolver.project.parents.get(node)
        return isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and node in parent.decorator_list

    def _called(self, call: ast.Call, home: Scope, callee: Scope) -> Passed:
        parent = self.resolver.project.parents.get(call)
        if callee.yields and not frameworks.is_context_manager(self.resolver, callee):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension | ast.YieldFrom | ast.Starred):
                return Passed("call", call)
            if isinstance(parent, ast.Assign):
                for target in parent.targets:
                    for node in ast.walk(home.node):
                        if isinstance(node, ast.For | ast.AsyncFor) and ast.unparse(node.iter) == ast.unparse(target):
                            return Passed("call", node.iter)
            if (
                isinstance(parent, ast.Call)
                and isinstance(parent.func, ast.Name)
                and parent.func.id in {"list", "tuple", "next", "sum"}
            ):
                return Passed("call", call)
            if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute) and parent.func.attr == "join":
                return Passed("call", call)
            return Passed("lazy", call)
        if callee.is_async and not isinstance(parent, ast.Await):
            return destination(self.resolver, call, home, is_reference=False)
        return Passed("call", call)

    def _reference(self, node: ast.expr, scope: Scope) -> Iterator[tuple[Step, ...]]:
        home = self.resolver.project.scope_of(node)
        passed = destination(self.resolver, node, home, is_reference=True)
        if passed.use == "endpoint":
            yield (Step(home, passed.node, Passed("call", passed.node)),)
        elif passed.use == "graph" and isinstance(passed.node, ast.Call):
            yield from self._runs(passed.node, scope)
        elif passed.use == "argument" and isinstance(passed.node, ast.Call):
            inner = list(self._calls_of_argument(passed.node, passed.spawn or node, scope))
            if inner or isinstance(scope.node, ast.Lambda):
                yield (*inner, Step(home, passed.node, Passed("call", passed.node)))
        elif passed.use != "unknown":
            yield (Step(home, passed.node, passed),)

    def _runs(self, adds: ast.Call, node: Scope) -> Iterator[tuple[Step, ...]]:
        """Where the graph runs that a function is a node of."""
        project = self.resolver.project
        for name in _RUNS_GRAPH:
            for call in project.calls.get(name, ()):
                owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
                if not any(n.startswith("langgraph.") for n in self.resolver.names(owner)):
                    continue
                home = project.scope_of(call)
                if project.connected(home.module, project.scope_of(adds).module):
                    in_thread = name.startswith("a") and not node.is_async
                    yield (Step(home, call, Passed("thread" if in_thread else "call", call)),)

    def _calls_of_argument(self, call: ast.Call, node: ast.AST, scope: Scope) -> Iterator[Step]:
        """Where a function of the project calls the function that it is passed."""
        del scope
        for function in self.resolver.functions(call.func):
            names = [k.arg for k in call.keywords if k.value is node]
            if isinstance(node, ast.expr) and node in call.args:
                parameters = function.parameters()
                position = call.args.index(node) + (1 if function.is_method else 0)
                names += [parameters[position].arg] if position < len(parameters) else []
            for name in names:
                yield from self._calls_of_name(function, name)

    def _calls_of_name(self, function: Scope, name: str | None, *, is_decorator: bool = False) -> Iterator[Step]:
        for node in ast.walk(function.node):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                home = self.resolver.project.scope_of(node)
                yield Step(home, node, Passed("call", node), is_decorator=is_decorator)

    def _wrappers(self, scope: Scope) -> Iterator[Step]:
        """Where the decorators of the project call the function that they decorate."""
        for decorator in reversed(scope.decorators):
            for function in self.resolver.functions(decorator):
                parameters = function.parameters()
                position = 1 if function.is_method and len(parameters) > 1 else 0
                if position < len(parameters):
                    yield from self._calls_of_name(function, parameters[position].arg, is_decorator=True)

    def _catches(self, site: Site, step: Step, left: frozenset[str], *, first: bool) -> Iterator[Catch]:
        if self._blind:
            return
        origin: Origin = "decorator" if step.is_decorator else "own" if first else "caller"
        gather = step.passed.node if step.passed is not None and step.passed.use == "gather" else None
        if gather is not None and frameworks.collects_exceptions(self.resolver, gather):
            yield self._collecting(gather, step, left)
            return
        for parent, child in self.resolver.project.ancestors(step.node):
            if isinstance(parent, ast.Try | _TRY_STAR):
                found = list(self._of_try(site, parent, child, step, left, origin))
            elif isinstance(parent, ast.With | ast.AsyncWith) and child in parent.body:
                found = list(self._of_with(site, parent, step, left))
            else:
                continue
            yield from found
            for catch in found:
                if not catch.handling.reraises:
                    left -= catch.kinds

    def _of_try(
        self, site: Site, node: ast.Try, child: ast.AST, step: Step, left: frozenset[str], origin: Origin
    ) -> Iterator[Catch]:
        if child not in node.body:
            return
        for handler in node.handlers:
            types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
            what = caught(self.resolver, types, site.library)
            kinds = what.kinds & left
            if kinds:
                yield Catch(
                    origin,
                    what,
                    kinds,
                    describe(self.resolver, handler.body, handler.name),
                    node,
                    handler.name,
                    step,
                    handler,
                )
                left -= kinds

    def _of_with(self, site: Site, node: ast.With | ast.AsyncWith, step: Step, left: frozenset[str]) -> Iterator[Catch]:
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call):
                continue
            if self.resolver.names(call.func) & {"contextlib.suppress"}:
                what = caught(self.resolver, call.args, site.library) if call.args else Caught(frozenset())
                if what.kinds & left:
                    yield Catch("context", what, what.kinds & left, describe(self.resolver, [], None), node, None, step)
                    left -= what.kinds
            if self.resolver.names(call.func) & _POLICIES:
                yield Catch("policy", Caught(ALL), left, PASSED_ON, node, None, step)
            for value in self.resolver.values(call.func):
                if isinstance(value, Klass):
                    yield from self._of_class(value.scope, step, left)
                elif isinstance(value, Function):
                    yield from self._of_manager(site, value.scope, step, left)

    def _of_class(self, scope: Scope, step: Step, left: frozenset[str]) -> Iterator[Catch]:
        """What the `__exit__` of a context manager of the project does with an error."""
        for name in ("__exit__", "__aexit__"):
            for leaving in classes.in_class(self.resolver, scope, name):
                if isinstance(leaving, Function) and stops_errors(leaving.scope):
                    node = leaving.scope.node
                    body = list(node.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
                    yield Catch("context", Caught(ALL), left, describe(self.resolver, body, None), node, None, step)

    def _of_manager(self, site: Site, function: Scope, step: Step, left: frozenset[str]) -> Iterator[Catch]:
        """What a context manager of the project catches around its `yield`."""
        for yielded in ast.walk(function.node):
            if isinstance(yielded, ast.Yield):
                inner = Step(function, yielded)
                for catch in self._catches(site, inner, left, first=False):
                    yield Catch(
                        "context",
                        catch.caught,
                        catch.kinds,
                        catch.handling,
                        catch.node,
                        catch.error,
                        step,
                        catch.handler,
                    )

    def _collecting(self, gather: ast.AST, step: Step, left: frozenset[str]) -> Catch:
        silent = frameworks.is_unread(self.resolver, gather)
        handling = Handling(
            reraises=False,
            raises=False,
            is_silent=silent,
            returns_none=False,
            continues=False,
            tells=not silent,
            default=False,
            filters=True,
            leaves=True,
            logs=(),
        )
        return Catch("gather", Caught(ALL), left, handling, gather, None, step)
