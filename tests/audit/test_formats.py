"""The formats of an audit's result."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from claudescope.audit.formats import FORMATS, sarif
from claudescope.audit.formats.summary import level
from claudescope.audit.formats.table import as_table
from claudescope.audit.model import CallSite, Confidence, Finding, Report, Severity
from claudescope.audit.own_rules import ALL_RULES
from claudescope.audit.scan import Outcome

_NASTY = "a|b,c:d%`e`\n::error::[bold]x[/bold] <script>"


def _outcome(*findings: Finding, calls: tuple[CallSite, ...] = (), **counts: int) -> Outcome:
    report = Report(calls, findings, 3, 1200)
    return Outcome(report, Path("/project"), {each: f"{index:016x}:1" for index, each in enumerate(findings)}, **counts)


@pytest.fixture
def outcome() -> Outcome:
    """Two calls, one with findings, names that need escapes, and a finding without a call."""
    return _outcome(
        Finding("src/app ü.py", 7, "no-timeout", "warning", "medium", "No timeout"),
        Finding("src/app ü.py", 7, "unhandled-call", "error", "high", _NASTY),
        Finding("src/key|s,.py", 0, "hard-coded-key", "error", "high", "A key"),
        calls=(
            CallSite("src/app ü.py", 7, "messages.create", "sdk-sync", "none"),
            CallSite("src/b.py", 3, "messages.stream", "sdk-async", "specific"),
        ),
        ignored=1,
        known=2,
    )


def test_json(outcome: Outcome) -> None:
    """Programs get every attribute of every finding and call, and the counts."""
    data = json.loads(FORMATS["json"](outcome))
    assert {"path", "line", "rule", "severity", "confidence", "message"} <= set(data["findings"][0])
    assert data["findings"][1]["message"] == _NASTY
    assert data["calls"][0] == {
        "path": "src/app ü.py",
        "line": 7,
        "call": "messages.create",
        "via": "sdk-sync",
        "handled": "none",
    }
    assert data["summary"]["handled"] == {"specific": 1, "none": 1}
    assert data["summary"]["severities"] == {"error": 2, "warning": 1, "note": 0}


def _run(outcome: Outcome) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(FORMATS["sarif"](outcome))
    run: dict[str, Any] = log["runs"][0]
    return run


def test_sarif_is_valid(outcome: Outcome, tmp_path: Path) -> None:
    """The official schema of SARIF 2.1.0 accepts the log."""
    (tmp_path / "log.sarif").write_text(FORMATS["sarif"](outcome), encoding="utf-8")
    schema = Path(__file__).with_name("sarif-2.1.0-rtm.5.json")
    # One pattern of the schema is valid in Python, but not in the strictest mode of ECMAScript.
    options = ["--regex-variant", "python", "--schemafile", str(schema)]
    validator = [sys.executable, "-m", "check_jsonschema", *options, str(tmp_path / "log.sarif")]
    done = subprocess.run(validator, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr


def test_sarif_is_what_github_reads(outcome: Outcome) -> None:
    """Places relative to the repository, the worst first, a stable fingerprint, and help of each rule in Markdown."""
    run = _run(outcome)
    results = run["results"]
    assert [(each["ruleId"], each["level"]) for each in results] == [
        ("unhandled-call", "error"),
        ("hard-coded-key", "error"),
        ("no-timeout", "warning"),
    ]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "src/app%20%C3%BC.py", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 7},
    }
    assert results[1]["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert len({each["partialFingerprints"]["primaryLocationLineHash"] for each in results}) == 3
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(ALL_RULES)
    assert all("```python" in rule["help"]["markdown"] for rule in rules)
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in results)
    assert len({rule["name"] for rule in rules}) == len(rules)


def test_sarif_has_at_most_what_github_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst are kept."""
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    notes = [Finding("a.py", line, "no-timeout", "note", "low", "x") for line in range(1, 4)]
    results = _run(_outcome(*notes, Finding("b.py", 1, "unhandled-call", "error", "high", "x")))["results"]
    assert [each["ruleId"] for each in results] == ["unhandled-call", "no-timeout", "no-timeout"]


@pytest.mark.parametrize(
    ("severity", "confidence", "expected"),
    [
        ("error", "high", "error"),
        ("error", "medium", "warning"),
        ("error", "low", "note"),
        ("warning", "high", "warning"),
        ("warning", "medium", "warning"),
        ("warning", "low", "note"),
        ("note", "high", "note"),
        ("note", "low", "note"),
    ],
)
def test_confidence_sets_the_level(severity: Severity, confidence: Confidence, expected: str) -> None:
    """What is uncertain is reported less loudly."""
    assert level(Finding("a.py", 1, "no-timeout", severity, confidence, "x")) == expected


def test_github(outcome: Outcome) -> None:
    """One command for each finding, which no text of a finding can break out of."""
    escaped = "a|b,c:d%25`e`%0A::error::[bold]x[/bold] <script>"
    lines = FORMATS["github"](outcome).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert commands == [
        "::error file=src/app ü.py,line=7,title=claudescope%3A unhandled-call::" + escaped,
        "::error file=src/key|s%2C.py,line=1,title=claudescope%3A hard-coded-key::A key",
        "::warning file=src/app ü.py,line=7,title=claudescope%3A no-timeout::No timeout",
    ]
    assert lines[len(commands)].startswith("2 calls to the Claude API in 3 files")


def test_markdown(outcome: Outcome) -> None:
    """Tables with a row for each finding and call, whatever is in a text."""
    tokens = MarkdownIt().enable("table").parse(FORMATS["markdown"](outcome))
    cells: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            cells.append([])
        elif token.type == "inline" and cells and token.level == 4:
            cells[-1].append("".join(child.content for child in token.children or []))
    assert [len(row) for row in cells] == [5] * 7
    assert cells[2][4] == " ".join(_NASTY.split())
    assert cells[3][0] == "src/key|s,.py:0"
    assert cells[5][3:] == ["nothing", "no-timeout, unhandled-call"]
    assert cells[6][3:] == ["a specific handler", ""]


def test_table(outcome: Outcome) -> None:
    """A row for each call, a line for each finding that editors can follow, and the ratios."""
    text = as_table(outcome)
    assert "\x1b" not in text
    lines = text.splitlines()
    row = next(number for number, line in enumerate(lines) if "messages.create" in line)
    assert re.split(r"\s{2,}", lines[row].strip()) == [
        "src/app ü.py:7",
        "messages.create",
        "sdk-sync",
        "nothing",
        "no-timeout",
    ]
    assert lines[row + 1].strip() == "unhandled-call"
    assert "src/app ü.py:7  warning  no-timeout (medium confidence)\n    No timeout\n" in text
    assert "[bold]x[/bold]" in text  # no markup of the terminal
    assert text.endswith(
        "2 calls to the Claude API in 3 files (1,200 lines).\n"
        "Errors are handled by: a specific handler 1 (50%), nothing 1 (50%).\n"
        "3 findings: 2 errors, 1 warning.\n"
        "Not shown: 1 ignored, 2 in the baseline.\n"
    )


def test_table_on_a_terminal(outcome: Outcome) -> None:
    """On a terminal there are colours, and a narrow one loses no text."""
    console = Console(width=50, force_terminal=True, color_system="standard")
    assert "\x1b[" in as_table(outcome, console)
    narrow = as_table(outcome, Console(width=50, color_system=None))
    assert "…" not in narrow


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found(name: str) -> None:
    """An empty result is still a whole document."""
    text = FORMATS[name](_outcome())
    assert text.endswith("\n")
    if name in {"json", "sarif"}:
        json.loads(text)
    else:
        assert "0 calls to the Claude API" in text
        assert "0 findings." in text
