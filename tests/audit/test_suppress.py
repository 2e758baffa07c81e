"""Ignore comments."""

from __future__ import annotations

import pytest

from claudescope.audit.model import Finding, SourceFile
from claudescope.audit.suppress import suppress

_RULE = "no-timeout"


def _finding(line: int, rule: str = _RULE) -> Finding:
    return Finding("app.py", line, rule, "warning", "high", "x")


def _left(text: str, *findings: Finding, line_map: tuple[int, ...] | None = None) -> list[tuple[int, str]]:
    kept, ignored = suppress(findings, [SourceFile("app.py", text, line_map)])
    assert ignored == len(findings) - sum(finding in kept for finding in findings)
    return [(finding.line, finding.rule) for finding in kept]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"call()  # claudescope: ignore[{_RULE}] a nightly job\n", 1),
        (f"#claudescope:ignore[ {_RULE} , broad-except ]: a job\ncall()\n", 2),
        (f"call(\n    a,  # claudescope: ignore[{_RULE}] a job\n    b,\n)\n", 1),
        (f"call(\n    a,\n    b,\n)  # claudescope: ignore[{_RULE}] a job\n", 2),
        (f"# claudescope: ignore[{_RULE}] a job\n# more words\n\ncall()\n", 4),
        (f"if x:\n    # claudescope: ignore[{_RULE}] a job\n    call()\n", 3),
        (f"with open(\n  x\n):  # claudescope: ignore[{_RULE}] a job\n    pass\n", 1),
        (f"@decorated\n# claudescope: ignore[{_RULE}] a job\ndef f():\n    pass\n", 3),
        (f"a = '''\n'''; call()  # noqa # claudescope: ignore[{_RULE}] a job\n", 2),
    ],
)
def test_a_comment_covers_its_statement(text: str, line: int) -> None:
    """On any line of the statement, or alone above it."""
    left = _left(text, _finding(line))
    assert _RULE not in [rule for _, rule in left]
    assert (line, _RULE) not in left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"call()\nother()  # claudescope: ignore[{_RULE}] a job\n", [(1, _RULE), (2, "unused-ignore")]),
        ("call()  # claudescope: ignore[broad-except] a job\n", [(1, _RULE), (1, "unused-ignore")]),
        (f"call()  # claudescope: ignore[{_RULE}]\n", [(1, _RULE), (1, "invalid-ignore")]),
        (f"call()  # claudescope: ignore[{_RULE}] :-\n", [(1, _RULE), (1, "invalid-ignore")]),
        ("call()  # claudescope: ignore\n", [(1, _RULE), (1, "invalid-ignore")]),
        ("call()  # claudescope: ignore[] why\n", [(1, _RULE), (1, "invalid-ignore")]),
        ("call()  # claudescope: ignore[no-timeut] why\n", [(1, _RULE), (1, "invalid-ignore")]),
        (f"call(); x = '# claudescope: ignore[{_RULE}] in a text'\n", [(1, _RULE)]),
        ("call()  # claudescope: ignored by the way\n", [(1, _RULE)]),
    ],
)
def test_what_ignores_nothing_is_told(text: str, left: list[tuple[int, str]]) -> None:
    """Another statement, another rule, no reason, no rule, a rule that does not exist, a text that is no comment."""
    assert _left(text, _finding(1)) == left


def test_messages_say_how_to_mend_it() -> None:
    """The message for a misspelt rule has the right one."""
    kept, _ = suppress([], [SourceFile("app.py", "x  # claudescope: ignore[no-timeut] why\n")])
    assert kept[0].message == "There is no rule 'no-timeut'. Did you mean 'no-timeout'? The comment ignores nothing"


def test_notebooks() -> None:
    """Findings in notebooks have lines of the file, and so have the comments."""
    text = f"x = 1\ncall()  # claudescope: ignore[{_RULE}] a trial\n"
    assert _left(text, _finding(31), line_map=(30, 31, 31)) == []
    assert _left(text, line_map=(30, 31, 31)) == [(31, "unused-ignore")]


def test_a_file_that_does_not_parse() -> None:
    """Comments before the mistake still count, and nothing crashes."""
    assert _left(f"call()  # claudescope: ignore[{_RULE}] a job\nx = (\n", _finding(1)) == []
