"""The rule about answers that were cut off."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Final

from claudescope.audit.case import Case
from claudescope.audit.handlers import walk_here
from claudescope.audit.libraries import MESSAGE_METHODS
from claudescope.audit.rules.rule import Hit
from claudescope.audit.scopes import Scope

__all__ = ["stop_reason_ignored"]

_LOOKS: Final = frozenset({"stop_reason", "finish_reason", "stopReason", "stop_details"})
_TEXT: Final = frozenset(
    {"text", "content", "completion", "get_final_text", "text_stream", "delta", "message", "outputText"}
)
_PARSERS: Final = frozenset(
    [
        "loads",
        "literal_eval",
        "safe_load",
        "model_validate_json",
        "validate_json",
        "parse_raw",
        "fromstring",
        "parse_obj_as",
        "fromisoformat",
        "raw_decode",
        "DictReader",
        "reader",
        "strptime",
        "loads_json",
    ]
)
_PARSE_NAMES: Final = frozenset({"int", "float", "Decimal", "Fraction"})
_REGEX: Final = frozenset({"search", "match", "fullmatch", "findall", "finditer", "split", "splitlines", "partition"})
_WRITERS: Final = frozenset(
    [
        "write_text",
        "writelines",
        "writerow",
        "writerows",
        "execute",
        "executemany",
        "insert",
        "insert_one",
        "insert_many",
        "upsert",
        "bulk_create",
        "acreate",
        "setex",
        "hset",
        "lpush",
        "rpush",
        "xadd",
        "put_item",
        "put_object",
        "upload_blob",
        "upload_from_string",
        "update_one",
        "replace_one",
        "write_bytes",
        "dump",
        "add_all",
        "update_or_create",
        "aupdate",
        "executescript",
        "save_to_file",
        "set_value",
    ]
)
_STORES: Final = (
    "session",
    "db",
    "database",
    "redis",
    "cache",
    "store",
    "cursor",
    "conn",
    "table",
    "repo",
    "objects",
    "collection",
)
_SINK_OWNERS: Final = (
    "stdout",
    "stderr",
    "response",
    "resp",
    "socket",
    "websocket",
    "ws",
    "st",
    "self",
    "self.wfile",
    "wfile",
)
_DEEP = 4


class _Flow:
    """Follows the text of one answer to a parser, a file or a database."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.resolver = case.resolver
        self.whole_is_text = case.site.library in {"langchain", "llama-index"}
        self.looked = False
        self.sunk = False
        self.seen: set[tuple[Scope, ast.AST]] = set()

    def follow(self, scope: Scope, seed: ast.AST, *, is_text: bool, depth: int = 0) -> None:
        """Follow what a node of a function is: the answer, or already its text."""
        if (scope, seed) in self.seen or depth > _DEEP:
            return
        self.seen.add((scope, seed))
        body = scope.node.body
        nodes = list(walk_here(*(body if isinstance(body, list) else [body])))
        answers: set[str] = set()
        texts: set[str] = set()
        if isinstance(seed, ast.arg):
            (texts if is_text else answers).add(seed.arg)
        for _ in range(5):
            before = len(answers) + len(texts)
            for node in nodes:
                self._spread(node, seed, answers, texts, is_text=is_text)
            if len(answers) + len(texts) == before:
                break
        for node in nodes:
            name = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else None
            )
            self.looked = self.looked or (isinstance(name, str) and name in _LOOKS)
        self._sinks(scope, nodes, seed, answers, texts, is_text=is_text, depth=depth)

    def _level(self, node: ast.AST | None, seed: ast.AST, answers: set[str], texts: set[str], *, is_text: bool) -> int:
        """0: nothing of the answer. 1: the answer. 2: its text."""
        if node is None:
            return 0
        level = 0
        for inner in ast.walk(node):
            if inner is seed:
                level = max(level, 2 if is_text or self.whole_is_text else 1)
            elif isinstance(inner, ast.Name):
                level = max(level, 2 if inner.id in texts else 1 if inner.id in answers else 0)
        if level == 1 and any(self._is_text_part(n) for n in ast.walk(node)):
            return 2
        return level

    @staticmethod
    def _is_text_part(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in _TEXT - {"message", "delta"}
        return (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and node.slice.value in {"text", "content", "completion"}
        )

    def _spread(self, node: ast.AST, seed: ast.AST, answers: set[str], texts: set[str], *, is_text: bool) -> None:
        pairs: list[tuple[ast.AST, ast.AST]] = []
        match node:
            case ast.Assign():
                pairs = [(t, node.value) for t in node.targets]
            case ast.AnnAssign(value=ast.expr()) | ast.AugAssign() | ast.NamedExpr():
                pairs = [(node.target, node.value)] if node.value is not None else []
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                pairs = [(node.target, node.iter)]
            case ast.With() | ast.AsyncWith():
                pairs = [(i.optional_vars, i.context_expr) for i in node.items if i.optional_vars is not None]
            case ast.Call(func=ast.Attribute(attr="append" | "write" | "extend", value=ast.Name() as owner)) if (
                node.args
            ):
                if node.func.attr != "write" or owner.id in {"buffer", "out", "buf"}:  # type: ignore[attr-defined]
                    pairs = [(owner, node.args[0])]
            case _:
                return
        for target, value in pairs:
            level = self._level(value, seed, answers, texts, is_text=is_text)
            if level and isinstance(value, ast.Call) and self._parses(value):
                continue
            for name in ast.walk(target):
                if (
                    isinstance(name, ast.Name)
                    and level
                    and not (isinstance(target, ast.Attribute | ast.Subscript) and level < 2)
                ):
                    (texts if level == 2 else answers).add(name.id)

    @staticmethod
    def _parses(call: ast.Call) -> bool:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        return name in _PARSERS or name in _PARSE_NAMES

    def _sinks(
        self,
        scope: Scope,
        nodes: list[ast.AST],
        seed: ast.AST,
        answers: set[str],
        texts: set[str],
        *,
        is_text: bool,
        depth: int,
    ) -> None:
        def level(node: ast.AST | None) -> int:
            return self._level(node, seed, answers, texts, is_text=is_text)

        for node in nodes:
            if isinstance(node, ast.Call) and node is not self.case.site.call:
                passed = [*node.args, *(k.value for k in node.keywords)]
                highest = max(map(level, passed), default=0)
                owner = node.func.value if isinstance(node.func, ast.Attribute) else None
                if highest == 2 and _is_sink(node):
                    self.sunk = True
                elif (
                    owner is not None
                    and level(owner) == 2
                    and getattr(node.func, "attr", "") in {"split", "splitlines", "partition"}
                ):
                    self.sunk = self.sunk or bool(node.args) or getattr(node.func, "attr", "") == "splitlines"
                if highest:
                    self._into(node, level, depth)
            elif isinstance(node, ast.Assign) and level(node.value) == 2:
                self.sunk = self.sunk or any(_is_stored(t, nodes) for t in node.targets)
            elif isinstance(node, ast.Return) and level(node.value):
                self._back(scope, level(node.value) == 2, depth)
        if isinstance(scope.node, ast.Lambda) and level(scope.node.body):
            self._back(scope, level(scope.node.body) == 2, depth)

    def _back(self, scope: Scope, is_text: bool, depth: int) -> None:
        for call in self.resolver.callers(scope):
            self.follow(self.resolver.project.scope_of(call), call, is_text=is_text, depth=depth + 1)

    def _into(self, call: ast.Call, level: Callable[[ast.AST | None], int], depth: int) -> None:
        for function in self.resolver.functions(call.func):
            parameters = function.parameters()
            shift = 1 if function.is_method else 0
            for position, argument in enumerate(call.args):
                if level(argument) and position + shift < len(parameters):
                    self.follow(function, parameters[position + shift], is_text=level(argument) == 2, depth=depth + 1)
            for keyword in call.keywords:
                for parameter in parameters:
                    if parameter.arg == keyword.arg and level(keyword.value):
                        self.follow(function, parameter, is_text=level(keyword.value) == 2, depth=depth + 1)


def _is_sink(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        if call.func.id == "print":
            files = [ast.unparse(k.value) for k in call.keywords if k.arg == "file"]
            return any(file not in {"sys.stdout", "sys.stderr"} for file in files)
        return call.func.id in _PARSE_NAMES or call.func.id in _PARSERS
    if not isinstance(call.func, ast.Attribute):
        return False
    name, owner = call.func.attr, ast.unparse(call.func.value)
    if name in _REGEX:
        return owner == "re" or owner.isupper() or "pattern" in owner.lower() or owner.startswith("re.compile")
    if name == "dump":
        return owner in {"json", "yaml", "pickle", "toml"}
    if name in _PARSERS or name in _WRITERS:
        return True
    if name == "write":
        return not any(word == owner.lower().rpartition(".")[2] for word in _SINK_OWNERS)
    if name in {"add", "set", "create", "save", "update", "put", "insert"}:
        return any(word in owner.lower() for word in _STORES)
    return False


def _is_stored(target: ast.expr, nodes: list[ast.AST]) -> bool:
    """Whether an attribute of a record is set that is saved afterwards."""
    if not isinstance(target, ast.Attribute):
        return False
    owner = ast.unparse(target.value)
    saves = [n.func for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    return any(f.attr in {"save", "asave"} and ast.unparse(f.value) == owner for f in saves) or (
        owner != "self" and any(f.attr == "commit" for f in saves)
    )


def stop_reason_ignored(case: Case) -> Iterator[Hit]:
    """Report an answer that is parsed or stored though it may have been cut off."""
    site = case.site
    if site.library not in {
        "sdk",
        "langchain",
        "llama-index",
        "litellm",
        "openai",
        "requests",
        "httpx",
        "aiohttp",
        "urllib",
        "urllib3",
    }:
        return
    if site.library == "sdk" and site.method not in MESSAGE_METHODS:
        return
    if "with_structured_output" in ast.unparse(site.call.func) or (site.library == "sdk" and site.method == "parse"):
        return
    flow = _Flow(case)
    flow.follow(site.scope, site.call, is_text=False)
    if flow.sunk and not flow.looked:
        yield Hit(
            "stop-reason-ignored",
            site.line,
            "medium",
            f"The answer of {site.name} is parsed or stored, and nothing looks at"
            " stop_reason: an answer that was cut off at"
            " max_tokens, or refused, passes for a whole one.",
        )
