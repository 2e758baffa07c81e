"""The rule about keys in source code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from claudescope.audit.model import SourceFile
from claudescope.audit.rules.rule import Hit

__all__ = ["check"]

_KEY: Final = re.compile(r"sk-ant-(?:api|admin|oat|sid)[0-9A-Za-z]{0,4}-([A-Za-z0-9_-]{12,})")
_PLACEHOLDER: Final = re.compile(
    r"(^|[-_])(your|my|the|xxx+|example|placeholder|redacted|dummy|fake|test|key|here|secret|replace|changeme|todo|insert|not|real)([-_]|$)|x{4,}|0{6,}|\*{3,}|123456|abcdef",
    re.IGNORECASE,
)
_MIXED = 8


def check(file: SourceFile, tree: ast.Module) -> Iterator[Hit]:
    """Report keys of the API, wherever they stand but in documentation."""
    if "sk-ant-" not in file.text:
        return
    documented = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for number, line in enumerate(file.text.splitlines(), 1):
        for found in _KEY.finditer(line):
            secret = found[1]
            if number in documented or len(set(secret)) < _MIXED or _PLACEHOLDER.search(secret):
                continue
            yield Hit(
                "hard-coded-key",
                number,
                "high",
                "A key of the API stands in the source. Revoke it, and read the new one from the environment.",
            )
