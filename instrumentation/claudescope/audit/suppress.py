"""Ignore comments: `# claudescope: ignore[rule] reason`.

A comment ignores findings on its statement, on whichever of its lines they are. Alone on a line, it ignores those of
the next statement.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from claudescope._internal.exceptions import did_you_mean
from claudescope.audit.model import Finding, SourceFile
from claudescope.audit.own_rules import ALL_RULES, INVALID_IGNORE, UNUSED_IGNORE
from claudescope.audit.rules import Rule

__all__ = ["suppress"]

_COMMENT: Final = re.compile(r"#\s*claudescope:\s*ignore\b(?:\s*\[(?P<rules>[^\]]*)\])?[\s:-]*(?P<reason>.*)")
_LAYOUT: Final = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING})


@dataclass(frozen=True, slots=True)
class _Ignore:
    """One comment: where it is, the lines that it is about, and what it ignores."""

    line: int
    first: int
    last: int
    rules: tuple[str, ...]
    problems: tuple[str, ...]


def suppress(findings: Iterable[Finding], files: Iterable[SourceFile]) -> tuple[list[Finding], int]:
    """Drop the findings that ignore comments name, and report comments that are incomplete or match nothing.

    Args:
        findings: All findings of the files.
        files: The source files, with their comments.

    Returns:
        The findings that are left with those about comments, and the number of findings that were ignored.
    """
    ignores = {file.path: found for file in files if (found := list(_ignores(file)))}
    used: set[tuple[str, int, str]] = set()
    kept: list[Finding] = []
    ignored = 0
    for finding in findings:
        matching = [
            (finding.path, ignore.line, finding.rule)
            for ignore in ignores.get(finding.path, ())
            if not ignore.problems and ignore.first <= finding.line <= ignore.last and finding.rule in ignore.rules
        ]
        used.update(matching)
        if matching:
            ignored += 1
        else:
            kept.append(finding)
    return [*kept, *_about_comments(ignores, used)], ignored


def _about_comments(ignores: Mapping[str, Sequence[_Ignore]], used: set[tuple[str, int, str]]) -> Iterator[Finding]:
    for path, comments in ignores.items():
        for comment in comments:
            for problem in comment.problems:
                yield _finding(path, comment.line, INVALID_IGNORE, problem)
            if comment.problems:
                continue
            for rule in comment.rules:
                if (path, comment.line, rule) not in used:
                    yield _finding(
                        path, comment.line, UNUSED_IGNORE, f"{rule} finds nothing here. Delete it from the comment"
                    )


def _finding(path: str, line: int, rule: Rule, message: str) -> Finding:
    return Finding(path, line, rule.name, rule.severity, "high", message)


def _ignores(file: SourceFile) -> Iterator[_Ignore]:
    """The ignore comments of a file, with lines as findings have them."""
    if "claudescope:" not in file.text:  # most files: the tokenizer is slow
        return
    for comment, line, first, last in _comments(file.text):
        if found := _COMMENT.search(comment):
            rules = tuple(rule.strip() for rule in (found["rules"] or "").split(",") if rule.strip())
            places = [_line(file, each) for each in (line, first, last)]
            yield _Ignore(places[0], places[1], places[2], rules, tuple(_problems(rules, found["reason"])))


def _line(file: SourceFile, line: int) -> int:
    return file.line_map[min(line, len(file.line_map)) - 1] if file.line_map else line


def _problems(rules: Sequence[str], reason: str) -> Iterator[str]:
    if not rules:
        yield "The comment names no rule and ignores nothing. Write: # claudescope: ignore[rule] reason"
    for rule in rules:
        if rule not in ALL_RULES:
            yield f"There is no rule {rule!r}.{did_you_mean(rule, ALL_RULES)} The comment ignores nothing"
    if rules and not reason.strip():
        yield f"The comment has no reason and ignores nothing. Say after ignore[{', '.join(rules)}] why it is right"


def _comments(text: str) -> Iterator[tuple[str, int, int, int]]:
    """Each comment with its line, and the first and last line of the statement that it is about."""
    waiting: list[tuple[str, int]] = []
    start: int | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                waiting.append((token.string, token.start[0]))
            elif token.type == tokenize.NEWLINE:
                for comment, line in waiting:
                    yield comment, line, min(line, start or line), token.start[0]
                waiting, start = [], None
            elif token.type not in _LAYOUT and start is None:
                start = token.start[0]
    except (tokenize.TokenError, SyntaxError):  # the file does not parse, which the analysis reports
        pass
    for comment, line in waiting:
        yield comment, line, line, line
