"""Every lock of claudescope's is replaced in a forked child, where the thread that held it does not exist."""

from __future__ import annotations

import ast
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import claudescope
from claudescope._internal.fork import renew_in_child, run_in_child

_ROOT = Path(claudescope.__file__).parent


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
            if name in names:
                yield node


def _locks(tree: ast.AST) -> Iterator[str]:
    """The name of each attribute or variable that a lock is assigned to."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        if any(True for _ in _calls(node.value, "Lock", "RLock", "Condition", "Semaphore")):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)


def _found() -> dict[str, set[str]]:
    """The locks of each module that has any."""
    found = {}
    for path in sorted(_ROOT.rglob("*.py")):
        if path.name == "fork.py":
            continue
        locks = set(_locks(ast.parse(path.read_text(encoding="utf-8"))))
        if locks:
            found[path.relative_to(_ROOT).as_posix()] = locks
    return found


@pytest.mark.parametrize("module", _found())
def test_every_lock_is_renewed_in_a_child(module: str) -> None:
    """A module that makes a lock has it replaced after a fork."""
    tree = ast.parse((_ROOT / module).read_text(encoding="utf-8"))
    renewed = {ast.literal_eval(call.args[1]) for call in _calls(tree, "renew_in_child")}
    assert set(_locks(tree)) == renewed


def test_the_locks_are_found() -> None:
    """The search above finds locks of instances, of classes and of modules."""
    found = _found()
    assert found["sinks/store.py"] == {"lock"}
    assert found["sinks/metrics.py"] == {"_making"}
    assert found["probe/hooks.py"] == {"_lock"}


def test_nothing_else_registers_at_fork() -> None:
    """One module does, so that locks are replaced before anything else runs in the child."""
    assert [path.name for path in _ROOT.rglob("*.py") if "os.register_at_fork" in path.read_text()] == ["fork.py"]


class _Owner:
    def __init__(self) -> None:
        self.plain = threading.Lock()
        self.steps: list[str] = []
        renew_in_child(self, "plain")
        run_in_child(self, _Owner.after)

    def after(self) -> None:
        self.steps.append("locked" if self.plain.locked() else "after")


class _Reentrant:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        renew_in_child(self, "lock")


def _in_child(check: bool) -> None:
    os._exit(0 if check else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_locks_are_replaced_before_methods_run() -> None:
    """A child has free locks of the same type, and then runs the methods that were asked for."""
    owner, reentrant = _Owner(), _Reentrant()
    held, type_of_lock = reentrant.lock, type(reentrant.lock)
    owner.plain.acquire()
    held.acquire()
    pid = os.fork()
    if not pid:
        _in_child(owner.steps == ["after"] and isinstance(reentrant.lock, type_of_lock) and reentrant.lock is not held)
    assert os.waitpid(pid, 0)[1] == 0
    assert owner.steps == []
    assert owner.plain.locked()


_BLOCKING = {
    "queue": {"Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"},
    "select": None,
    "selectors": None,
    "socket": None,
    "socketserver": None,
    "subprocess": None,
    "_thread": None,
    "threading": None,
    "time": {"sleep"},
}
"""Modules whose contents gevent and eventlet replace, and the names that block. None stands for all."""


@pytest.mark.parametrize("path", sorted(_ROOT.rglob("*.py")), ids=lambda path: path.relative_to(_ROOT).as_posix())
def test_nothing_that_blocks_is_bound_at_import(path: Path) -> None:
    """What gevent may replace after our import is looked up when it is used, also as the default of an argument."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bound = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in _BLOCKING
        for alias in node.names
        if (names := _BLOCKING[node.module]) is None or alias.name in names
    ]
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    bound += [
        ast.unparse(default)
        for function in functions
        for default in [*function.args.defaults, *filter(None, function.args.kw_defaults)]
        if isinstance(default, ast.Attribute) and ast.unparse(default).split(".")[0] in _BLOCKING
    ]
    assert [name for name in bound if name not in _HARMLESS] == []


_HARMLESS = {"time.monotonic", "time.time", "time.perf_counter"}
