"""The settings of a project: `[tool.claudescope.audit]` in its `pyproject.toml`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from claudescope._internal.exceptions import BadInputError, did_you_mean, require
from claudescope._internal.json_values import is_array, is_object
from claudescope.audit.gitignore import patterns, repository_root
from claudescope.audit.own_rules import ALL_RULES

__all__ = ["Config", "FailOn", "find_config", "parse_fail_on"]

_TABLE: Final = ("tool", "claudescope", "audit")


@dataclass(frozen=True, slots=True)
class FailOn:
    """The findings that make the command exit with 1.

    Attributes:
        rules: The rules; None for all of them.
    """

    rules: frozenset[str] | None = None

    def __contains__(self, rule: object) -> bool:
        return self.rules is None or rule in self.rules


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of an audit.

    Attributes:
        folder: The folder of the `pyproject.toml`; paths and patterns are relative to it.
        paths: What is scanned if the command names no path.
        exclude: Patterns, as in `.gitignore`, of what is not scanned.
        disable: Rules that are off.
        fail_on: What makes the command exit with 1.
        per_path_ignores: Rules that are off in some files, by pattern.
    """

    folder: Path
    paths: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    disable: frozenset[str] = frozenset()
    fail_on: FailOn = FailOn()
    per_path_ignores: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


def parse_fail_on(value: str | Sequence[str]) -> FailOn:
    """Read `none`, `any`, or names of rules, as a list or separated by commas.

    Raises:
        ValueError: There is no such rule.
    """
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
    if names == ["any"]:
        return FailOn()
    return FailOn(frozenset[str]() if names == ["none"] else _rules(names, also="any, none, "))


def find_config(folder: Path) -> Config:
    """Read the settings that apply to a folder: those of the nearest `pyproject.toml` in its repository.

    Args:
        folder: An absolute path.

    Raises:
        BadInputError: The file is not TOML, or its table has an unknown key or an invalid value. The message starts
            with `file:line:`.
        MissingExtraError: A package of the extra `audit` is missing.
    """
    root = repository_root(folder)
    for each in (folder, *folder.parents):
        file = each / "pyproject.toml"
        if file.is_file():
            return _read(file)
        if each == root:
            break
    return Config(folder)


def _toml() -> ModuleType:
    # Python has it since 3.11.
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib
    return require("tomli", extra="audit", feature="claudescope audit")


def _read(file: Path) -> Config:
    toml = _toml()
    try:
        text = file.read_text(encoding="utf-8-sig")
        content: dict[str, Any] = toml.loads(text)
    except OSError as error:
        raise BadInputError(f"{file}: can't be read: {error.strerror}. Check its permissions") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{file}: not UTF-8, which TOML requires. Save it as UTF-8") from error
    except toml.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise BadInputError(f"{file}:{line[1] if line else 1}: not valid TOML: {error}") from error
    table: Any = content
    for key in _TABLE:
        table = table.get(key, {}) if is_object(table) else table
    if not is_object(table):
        raise BadInputError(
            f"{file}:{_line(text, _TABLE[-1], _TABLE[:-1])}: expected a table [{'.'.join(_TABLE)}], got {table!r}"
        )
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for key, value in table.items():
        try:
            values[key.replace("-", "_")] = _value(key, value)
        except ValueError as error:  # noqa: PERF203 - every mistake is told
            mistakes.append(f"{file}:{_line(text, key)}: {'.'.join(_TABLE)}.{key}: {error}")
    if mistakes:
        raise BadInputError("\n".join(mistakes))
    return Config(file.parent, **values)


def _value(key: str, value: Any) -> Any:
    if key not in _KEYS:
        raise ValueError(f"unknown key.{did_you_mean(key, _KEYS)} Known keys: {', '.join(_KEYS)}")
    return _KEYS[key](value)


def _texts(value: Any) -> tuple[str, ...]:
    if not is_array(value) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"expected a list of texts, got {value!r}")
    return tuple(value)


def _patterns(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    for pattern in found:
        try:
            patterns([pattern])
        except ValueError as error:  # noqa: PERF203 - names the pattern
            raise ValueError(f"{pattern!r} is not a pattern of .gitignore: {error}") from error
    return found


def _rules(value: Any, also: str = "") -> frozenset[str]:
    found = _texts(value)
    for rule in found:
        if rule not in ALL_RULES:
            raise ValueError(f"there is no rule {rule!r}.{did_you_mean(rule, ALL_RULES)} Expected {also}{_all_rules()}")
    return frozenset(found)


def _all_rules() -> str:
    return ", ".join(ALL_RULES)


def _fail_on(value: Any) -> FailOn:
    return parse_fail_on(value if isinstance(value, str) else _texts(value))


def _per_path(value: Any) -> Mapping[str, frozenset[str]]:
    if not is_object(value):
        raise ValueError(f"expected a table from patterns to lists of rules, got {value!r}")
    _patterns(list(value))
    return {pattern: _rules(rules) for pattern, rules in value.items()}


_KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "paths": _texts,
    "exclude": _patterns,
    "disable": _rules,
    "fail-on": _fail_on,
    "per-path-ignores": _per_path,
}


def _line(text: str, key: str, parents: Sequence[str] = _TABLE) -> int:
    """The line of a key, below the header of its table or dotted; else that of its table."""
    name = rf"[\"']?{re.escape(key)}[\"']?"
    parent = ".".join(parents)
    header = 0
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]", line):
            table = re.sub(r"[\s\"']", "", found[1])
            inside = table == parent
            header = header or (number if inside else 0)
            if table == f"{parent}.{key}" or table.startswith(f"{parent}.{key}."):
                return number
        elif (inside and re.match(rf"\s*{name}\s*[.=]", line)) or re.match(
            rf"[\w.\s]*\b{parents[-1]}\s*\.\s*{name}\s*[.=]", line
        ):
            return number
    if header or len(parents) == 1:
        return header or 1
    return _line(text, parents[-1], parents[:-1])
