"""A project to audit, and an analysis whose findings a test decides."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from claudescope.audit import scan
from claudescope.audit.model import CallSite, Finding, Report, SourceFile

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of the project, by its path and its text or bytes."""

    def _write(path: str, content: str | bytes = "") -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content, encoding="utf-8")
        return file

    return _write


@pytest.fixture
def simple_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line with `create(` is a call that nothing handles, with one finding."""

    def analyse(files: Sequence[SourceFile], *, progress: Callable[[int, int], None] | None = None) -> Report:
        calls: list[CallSite] = []
        lines = 0
        for file in files:
            for number, text in enumerate(file.text.split("\n"), 1):
                lines += 1
                if "create(" in text:
                    line = file.line_map[number - 1] if file.line_map else number
                    calls.append(CallSite(file.path, line, "messages.create", "sdk-sync", "none"))
        findings = [
            Finding(call.path, call.line, "unhandled-call", "error", "high", "Nothing handles the errors of this call")
            for call in calls
        ]
        if progress:
            progress(len(files), len(files))
        return Report(tuple(calls), tuple(findings), len(files), lines)

    monkeypatch.setattr(scan, "analyse", analyse)


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., str]:
    """Make the project a git work tree, and return what runs git in it."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Team", "-c", "user.email=team@example.com")
        return subprocess.run(  # noqa: S603 - our own
            ["git", *identity, *arguments],  # noqa: S607
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    git("init", "--quiet", "--initial-branch", "main")
    return git
