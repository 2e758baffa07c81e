"""Analyses the source of a project."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from claudescope.audit import frameworks
from claudescope.audit.case import App, Case
from claudescope.audit.index import Project
from claudescope.audit.model import CallSite, Finding, Report, SourceFile
from claudescope.audit.paths import Walker
from claudescope.audit.resolve import Resolver
from claudescope.audit.rules import CHECKS, RULES, hard_coded_key
from claudescope.audit.rules.rule import Hit
from claudescope.audit.scopes import Module
from claudescope.audit.sites import find_sites

__all__ = ["analyse"]

_STACK = 256 * 1024 * 1024  # bytes; only what is used is taken
_FRAMES = 100_000


def analyse(files: Sequence[SourceFile], *, progress: Callable[[int, int], None] | None = None) -> Report:
    """Find the calls to the Claude API in the source of a project, and what their error handling lacks.

    Args:
        files: Every source file of the project: calls are resolved across modules.
        progress: Called with the number of files read so far and their total.
    """
    collects, frames = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()  # the trees live until the end, and each collection would walk all of them
    stack = threading.stack_size(_STACK)  # a chain of names through many modules is followed to its end
    sys.setrecursionlimit(max(frames, _FRAMES))
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(_analyse, files, progress).result()
    finally:
        threading.stack_size(stack)
        sys.setrecursionlimit(frames)
        if collects:
            gc.enable()


def _analyse(files: Sequence[SourceFile], progress: Callable[[int, int], None] | None) -> Report:
    project = Project()
    lines = 0
    for done, file in enumerate(files, 1):
        project.add(file)
        lines += file.text.count("\n") + 1
        if progress is not None:
            progress(done, len(files))
    resolver = Resolver(project)
    sites = find_sites(resolver)
    app = App(frameworks.app_handlers(resolver), _protected(project)) if sites else App([], frozenset())
    walker = Walker(resolver)
    calls: set[CallSite] = set()
    findings: set[Finding] = set()
    for site in sites:
        case = Case(resolver, walker, site, app)
        file = site.scope.module.file
        calls.add(CallSite(file.path, _line(file, site.line), site.name, site.via, case.handled))
        findings |= {_finding(file, hit) for hit in _judge(case)}
    for module in project.modules:
        findings |= {_finding(module.file, hit) for hit in hard_coded_key.check(module.file, module.tree)}
    for file, line, message in project.errors:
        findings.add(_finding(file, Hit("syntax-error", line, "high", f"This file can't be parsed: {message}.")))
        findings |= {_finding(file, hit) for hit in hard_coded_key.check(file, ast.Module([], []))}
    order = sorted(findings, key=lambda f: (f.path, f.line, f.rule, f.message))
    unique = {(f.path, f.line, f.rule): f for f in reversed(order)}
    return Report(
        tuple(sorted(calls, key=lambda c: (c.path, c.line, c.call))),
        tuple(f for f in order if unique[f.path, f.line, f.rule] is f),
        len(files),
        lines,
    )


def _judge(case: Case) -> Iterator[Hit]:
    for check in CHECKS:
        yield from check(case)


def _line(file: SourceFile, line: int) -> int:
    return file.line_map[line - 1] if file.line_map is not None and 0 < line <= len(file.line_map) else line


def _finding(file: SourceFile, hit: Hit) -> Finding:
    severity = RULES[hit.rule].severity
    return Finding(
        file.path,
        _line(file, hit.line),
        hit.rule,
        "note" if hit.confidence == "low" else severity,
        hit.confidence,
        hit.message,
    )


def _protected(project: Project) -> frozenset[Module]:
    """The modules of the apps that apply a resilience policy of claudescope.

    A policy holds for a process. The modules of one are those that a chain of imports, in either direction, joins to
    the module that applies the policy: other scripts of the same tree run as processes of their own.
    """
    found = {project.scope_of(call).module for call in project.calls.get("protect", ())}
    pending = [module for module in found if _imports_claudescope(module)]
    if not pending:
        return frozenset()
    joined: defaultdict[Module, set[Module]] = defaultdict(set)
    for module in project.modules:
        for name in module.imports:
            for part in (name, name.rpartition(".")[0]):
                target = project.find_module(part, module) if part else None
                if target is not None and target is not module:
                    joined[module].add(target)
                    joined[target].add(module)
    protected: set[Module] = set()
    while pending:
        module = pending.pop()
        if module not in protected:
            protected.add(module)
            pending.extend(joined[module])
    return frozenset(protected)


def _imports_claudescope(module: Module) -> bool:
    return any(name.partition(".")[0] == "claudescope" for name in module.imports)
