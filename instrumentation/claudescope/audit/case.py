"""Everything that is known of one call, for the rules to judge."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from claudescope.audit import frameworks
from claudescope.audit.errors import caught
from claudescope.audit.paths import Walker
from claudescope.audit.resolve import Resolver
from claudescope.audit.retries import Retry, find_retries, is_retry_loop
from claudescope.audit.scopes import Module, Scope
from claudescope.audit.sites import Site
from claudescope.audit.steps import Catch, Path

__all__ = ["App", "Case"]

_STATUS = frozenset({"status_code", "status", "ok", "is_success", "is_error", "raise_for_status", "getcode", "code"})


@dataclass(frozen=True)
class App:
    """What the project sets up once for all its calls."""

    handlers: list[tuple[Scope, list[ast.expr], Scope | None]]
    protected: frozenset[Module]


@dataclass(eq=False)
class Case:
    """One call, and what is known about its errors."""

    resolver: Resolver
    walker: Walker
    site: Site
    app: App

    @cached_property
    def paths(self) -> list[Path]:
        """The ways of its errors."""
        return self.walker.paths(self.site)

    @cached_property
    def reach(self) -> list[Path]:
        """The ways to it, whatever is caught on them."""
        return self.walker.reach(self.site)

    @cached_property
    def catches(self) -> list[Catch]:
        """What catches its errors, each once."""
        return list({(c.handler or c.node): c for path in self.paths for c in path.catches}.values())

    @cached_property
    def retries(self) -> list[Retry]:
        """What repeats it."""
        found: list[Retry] = []
        for retry in find_retries(self.resolver, self.site, [*self.paths, *self.reach]):
            if retry not in found:
                found.append(retry)
        return found

    @cached_property
    def in_request(self) -> bool:
        """Whether a user waits for it."""
        return any(path.end in {"endpoint", "lazy"} for path in self.reach)

    @cached_property
    def is_notebook(self) -> bool:
        """Whether the call stands in a notebook."""
        return self.site.scope.module.file.line_map is not None

    def scopes(self) -> Iterator[Scope]:
        """The function of the call, and the callers."""
        seen: set[Scope] = set()
        for path in self.reach:
            for step in path.steps:
                if step.scope not in seen:
                    seen.add(step.scope)
                    yield step.scope

    def is_silent(self, catch: Catch) -> bool:
        """Whether a handler does nothing, and does not just go round a retry loop."""
        return catch.handling.is_silent and not self.goes_round(catch)

    def goes_round(self, catch: Catch) -> bool:
        """Whether the call is made again after a handler."""
        if catch.handler is None or catch.handling.leaves:
            return False
        for parent, _ in self.resolver.project.ancestors(catch.node):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
                return is_retry_loop(parent) or _ends_in_try(parent, catch.node)
        return False

    @cached_property
    def looks_at_status(self) -> bool:
        """Whether anything looks at the status of a raw response."""
        if self.site.library == "urllib":
            return True  # it raises by itself
        if self.site.options.wrapper is not None:
            return True
        nodes = [
            n for scope in self.scopes() if scope.is_function or scope is self.site.scope for n in ast.walk(scope.node)
        ]
        return any(isinstance(n, ast.Attribute) and n.attr in _STATUS for n in nodes) or any(
            isinstance(n, ast.keyword) and n.arg in {"raise_for_status", "event_hooks"}
            for n in ast.walk(self.site.scope.module.tree)
        )

    @cached_property
    def raises_for_status(self) -> bool:
        """Whether a bad status becomes an exception."""
        if not self.site.is_raw or self.site.library == "urllib":
            return True
        nodes = [n for scope in self.scopes() for n in ast.walk(scope.node)]
        return any(
            isinstance(n, ast.Attribute | ast.keyword)
            and getattr(n, "attr", getattr(n, "arg", "")) == "raise_for_status"
            for n in nodes
        )

    @cached_property
    def _tests_status(self) -> bool:
        """Whether the function of a raw call decides by its status before an error is raised."""
        return any(r.by == "a loop" and r.kinds - {"connection"} for r in self.retries)

    @cached_property
    def app_handlers(self) -> list[Scope | None]:
        """Handlers of the app that get its errors."""
        ends = [path for path in self.paths if path.end == "endpoint"]
        found: list[Scope | None] = []
        for scope, types, handler in self.app.handlers if ends else ():
            connected = any(
                self.resolver.project.connected(scope.module, s.scope.module) for p in ends for s in p.steps[-1:]
            )
            if connected and (not types or caught(self.resolver, types, self.site.library).kinds):
                found.append(handler)
        return found

    @cached_property
    def handled(self) -> str:
        """How its errors are handled, as a report says it."""
        own = [c for c in self.catches if c.origin in {"own", "context"} and c.step.scope is self.site.scope]
        if self.site.is_raw and not self.looks_at_status:
            own = [c for c in own if c.caught.is_broad or self.is_silent(c) or not c.caught.is_broad]
        if own:
            return self._category(own)
        if self.site.is_raw and self.looks_at_status and (not self.raises_for_status or self._tests_status):
            return "specific"
        gathered = [c for c in self.catches if c.origin == "gather"]
        if gathered and any(map(self.is_silent, gathered)):
            return "swallowed"
        if any(c.origin == "decorator" for c in self.catches) or any(
            r.by in {"a decorator", "Celery", "with_retry"} for r in self.retries
        ):
            return "by-decorator"
        if (
            any(c.origin != "policy" for c in self.catches)
            or self.app_handlers
            or any(path.end == "watched" for path in self.paths)
        ):
            return "by-caller"
        if self.catches or self.site.scope.module in self.app.protected:
            return "by-policy"
        return "unknown" if self._is_library else "none"

    @cached_property
    def _is_library(self) -> bool:
        """Whether all callers may be outside of the tree: a function of a package that nothing here calls."""
        folder = self.site.scope.module.file.path.rpartition("/")[0]
        in_package = bool(folder) and folder in self.resolver.project.packages
        return in_package and any(path.end == "no-caller" and len(path.steps) == 1 for path in self.paths)

    def _category(self, catches: list[Catch]) -> str:
        loud = [c for c in catches if not self.is_silent(c)]
        if any(not c.caught.is_broad for c in loud):
            return "specific"
        return "bare-or-broad" if loud else "swallowed"

    @property
    def is_endpoint_scope(self) -> bool:
        """Whether the call stands in the function that a framework calls."""
        return frameworks.is_endpoint(self.resolver, self.site.scope)


def _ends_in_try(loop: ast.For | ast.AsyncFor | ast.While, node: ast.AST) -> bool:
    """Whether a loop over alternatives ends when one works."""
    return (
        isinstance(node, ast.Try)
        and any(isinstance(inner, ast.Return | ast.Break) for s in [*node.body, *node.orelse] for inner in ast.walk(s))
        and node in loop.body
    )
