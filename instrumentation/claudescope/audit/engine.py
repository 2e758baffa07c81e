"""Analyses the source of a project."""

from __future__ import annotations

import ast
import gc
from collections.abc import Callable, Iterator, Sequence

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


def analyse(files: Sequence[SourceFile], *, progress: Callable[[int, int], None] | None = None) -> Report:
    """Find the calls to the Claude API in the source of a project, and what their error handling lacks.

    Args:
        files: Every source file of the project: calls are resolved across modules.
        progress: Called with the number of files read so far and their total.
    """
    collects = gc.isenabled()
    gc.disable()  # the trees live until the end, and each collection would walk all of them
    try:
        return _analyse(files, progress)
    finally:
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
    app = App(frameworks.app_handlers(resolver), _has_policy(project)) if sites else App([], has_policy=False)
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


def _has_policy(project: Project) -> bool:
    """Whether the project applies a resilience policy of claudescope."""
    return any(_imports_claudescope(project.scope_of(call).module) for call in project.calls.get("protect", ()))


def _imports_claudescope(module: Module) -> bool:
    return any(name.partition(".")[0] == "claudescope" for name in module.imports)
