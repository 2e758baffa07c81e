"""The engine of the audit, on labelled files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claudescope.audit.engine import analyse
from claudescope.audit.model import Finding, SourceFile
from claudescope.audit.rules import RULES
from tests.audit.labelled import folders, wrong


@pytest.mark.parametrize("case", folders(), ids=lambda path: path.stem)
def test_each_label_is_reported_and_nothing_else(case: Path) -> None:
    """A report on a case has the calls, the handling and the findings of its labels."""
    assert wrong(case) == []


def test_every_rule_has_cases_that_must_and_must_not_be_reported() -> None:
    """The cases cover each rule, and some are clean."""
    text = "\n".join(path.read_text("utf-8") for path in folders() if path.is_file())
    musts = {
        word for line in text.splitlines() if " ! " in line for word in line.partition(" ! ")[2].split(" ? ")[0].split()
    }
    assert musts >= set(RULES) - {"syntax-error"}


def test_what_does_not_parse_is_a_finding() -> None:
    """A syntax error, a null byte and expressions nested too deeply are findings with their line, and no crash."""
    broken = [
        SourceFile("a.py", "x = 1\ndef ask(:\n"),
        SourceFile("b.py", "x = '\0'"),
        SourceFile("c.py", "(" * 5000 + ")" * 5000),
    ]
    report = analyse(broken)
    assert [(f.path, f.rule) for f in report.findings] == [(name, "syntax-error") for name in ("a.py", "b.py", "c.py")]
    assert report.findings[0].line == 2


def test_lines_of_a_notebook_are_those_of_its_file() -> None:
    """Calls and findings of a notebook name the line of the .ipynb file."""
    source = 'import requests\nrequests.post("https://api.anthropic.com/v1/messages", json={})\n'
    report = analyse([SourceFile("trial.ipynb", source, line_map=(12, 13))])
    assert [(call.line, call.via) for call in report.calls] == [(13, "raw-http")]
    assert [(f.line, f.rule) for f in report.findings] == [(13, "no-timeout")]


def test_a_function_of_a_package_without_callers_is_unknown() -> None:
    """Callers outside of the tree may handle what a package does not: that is no proof of a fault."""
    text = "import anthropic\n\n\ndef ask(client: anthropic.Anthropic):\n    return client.messages.create()\n"
    package = [SourceFile("lib/__init__.py", ""), SourceFile("lib/ask.py", text)]
    assert [call.handled for call in analyse(package).calls] == ["unknown"]
    assert [(f.severity, f.confidence) for f in analyse(package).findings] == [("note", "low")]
    assert [call.handled for call in analyse([SourceFile("ask.py", text)]).calls] == ["none"]


def test_progress_is_told_per_file() -> None:
    """The number of files read and their total are told as they are read."""
    told: list[tuple[int, int]] = []
    record: Callable[[int, int], None] = lambda done, total: told.append((done, total))  # noqa: E731 - typed here
    report = analyse([SourceFile("a.py", "x = 1\n"), SourceFile("b.py", "y = 2\n")], progress=record)
    assert told == [(1, 2), (2, 2)]
    assert (report.files, report.lines) == (2, 4)


def test_findings_have_the_severity_of_their_rule() -> None:
    """A finding that the engine is sure of has its rule's severity."""
    text = "import anthropic\n\nprint(anthropic.Anthropic().messages.create())\n"
    assert analyse([SourceFile("a.py", text)]).findings == (
        Finding(
            "a.py",
            3,
            "unhandled-call",
            "error",
            "high",
            "Nothing catches the errors of messages.create."
            " Catch anthropic.APIError, or let a caller or the app do so.",
        ),
    )


def test_a_library_that_is_scanned_itself_is_followed() -> None:
    """The modules of a known library are those of the tree if the tree is that library; a file of its name is not."""
    clients = "import anthropic\n\nClaude = anthropic.Anthropic | anthropic.AnthropicBedrock\n"
    call = "def ask(client: Claude):\n    return client.messages.create()\n"
    own = [
        SourceFile("pydantic_ai/__init__.py", ""),
        SourceFile("pydantic_ai/providers.py", clients),
        SourceFile("pydantic_ai/model.py", f"from .providers import Claude\n\n\n{call}"),
    ]
    assert [found.path for found in analyse(own).calls] == ["pydantic_ai/model.py"]
    folder = [
        SourceFile("llm/anthropic.py", "import anthropic\n\nclient = anthropic.Anthropic()\n"),
        SourceFile("llm/ask.py", "from .anthropic import client\n\nclient.messages.create()\n"),
    ]
    assert [found.path for found in analyse(folder).calls] == ["llm/ask.py"]


def test_a_type_that_refers_to_itself_is_no_crash() -> None:
    """Aliases may be recursive, directly or through each other."""
    text = (
        "from typing import Dict, Union\nimport anthropic\n"
        'Json = Union[str, Dict[str, "Json"]]\nOther = Union["Json", "Other"]\n'
        "def ask(value: Json, other: Other, client: anthropic.Anthropic):\n"
        "    value.messages.create()\n    other.run()\n    return client.messages.create(model='m')\n"
    )
    assert [call.line for call in analyse([SourceFile("a.py", text)]).calls] == [8]


def test_files_of_one_tree_are_judged_as_they_are_alone() -> None:
    """Scripts that do not import each other get the same calls and findings beside each other: also equal names."""
    files = [SourceFile(path.name, path.read_text("utf-8")) for path in folders() if path.is_file()]
    alone = [analyse([file]) for file in files]
    whole = analyse(files)
    assert set(whole.calls) == {call for report in alone for call in report.calls}
    assert set(whole.findings) == {finding for report in alone for finding in report.findings}
