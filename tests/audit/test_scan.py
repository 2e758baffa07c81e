"""A scan from paths to a result: settings, ignore comments, the baseline and git together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claudescope.audit.model import Finding
from claudescope.audit.scan import Outcome, find_target, scan
from tests.audit.conftest import Write

pytestmark = pytest.mark.usefixtures("simple_analysis")


def _places(outcome: Outcome) -> list[tuple[str, int, str]]:
    return [(finding.path, finding.line, finding.rule) for finding in outcome.report.findings]


def test_the_root_is_the_repository(write: Write, tmp_path: Path, repository: Callable[..., str]) -> None:
    """Paths are those of the repository, wherever the command runs, as code scanning needs them."""
    assert repository("status", "--short") == ""
    write("src/shop/app.py", "create()\n")
    target = find_target([tmp_path / "src" / "shop"])
    assert target.root == tmp_path
    assert _places(scan(target)) == [("src/shop/app.py", 1, "unhandled-call")]


def test_without_a_repository(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the current folder, or to what was named if that is elsewhere."""
    write("a/app.py", "create()\n")
    write("b/app.py", "create()\n")
    monkeypatch.chdir(tmp_path / "a")
    assert [place[0] for place in _places(scan(find_target([Path("../a/app.py")])))] == ["app.py"]
    assert [place[0] for place in _places(scan(find_target([Path(), Path("../b")])))] == ["a/app.py", "b/app.py"]


def test_settings(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths, exclusions and rules that are off in some files, from any folder of the project."""
    write(
        "pyproject.toml",
        '[tool.claudescope.audit]\npaths = ["src", "tests"]\nexclude = ["src/gen/"]\n'
        '[tool.claudescope.audit.per-path-ignores]\n"tests/" = ["unhandled-call"]\n',
    )
    for name in ("src/app.py", "src/gen/x.py", "tests/test_app.py", "other.py"):
        write(name, "create()\n")
    monkeypatch.chdir(tmp_path / "src")
    outcome = scan(find_target([]))
    assert _places(outcome) == [("src/app.py", 1, "unhandled-call")]
    assert outcome.ignored == 1
    assert {call.path for call in outcome.report.calls} == {"src/app.py", "tests/test_app.py"}  # calls are all listed


def test_disabled_rules(write: Write, tmp_path: Path) -> None:
    """A rule that is off is off for comments too: one that ignores it is not unused."""
    write("pyproject.toml", '[tool.claudescope.audit]\ndisable = ["unhandled-call"]\n')
    write("app.py", "create()\ncreate()  # claudescope: ignore[unhandled-call] a trial\n")
    outcome = scan(find_target([tmp_path]))
    assert (_places(outcome), outcome.ignored) == ([], 2)


def test_ignore_comments_and_unread_files(write: Write, tmp_path: Path) -> None:
    """Findings about comments and about files are in the same list, sorted."""
    write("a.py", b"\xff")
    write("b.py", "x = 1  # claudescope: ignore[no-timeout] nothing\ncreate()\n")
    assert _places(scan(find_target([tmp_path]))) == [
        ("a.py", 1, "unreadable-file"),
        ("b.py", 1, "unused-ignore"),
        ("b.py", 2, "unhandled-call"),
    ]


def test_baseline(write: Write, tmp_path: Path) -> None:
    """Known findings are dropped after their lines moved, new ones stay, mended ones are counted."""
    write("app.py", "a.create()\nb.create()\n")
    known = frozenset(scan(find_target([tmp_path])).fingerprints.values())
    write("app.py", "\n\nc.create()\nb.create()\n")
    outcome = scan(find_target([tmp_path]), baseline=known)
    assert (_places(outcome), outcome.known, outcome.stale) == ([("app.py", 3, "unhandled-call")], 1, 1)


def test_diff(write: Write, tmp_path: Path, repository: Callable[..., str]) -> None:
    """Only findings on new lines are left; the inventory is whole."""
    write("app.py", "a.create()\n")
    repository("add", "--all")
    repository("commit", "--quiet", "--message", "Begin")
    write("app.py", "a.create()\nb.create()\n")
    outcome = scan(find_target([tmp_path]), diff="HEAD")
    assert (_places(outcome), outcome.unchanged) == ([("app.py", 2, "unhandled-call")], 1)
    assert len(outcome.report.calls) == 2


def test_progress(write: Write, tmp_path: Path) -> None:
    """The scan tells how far it is."""
    write("a.py")
    write("b.py")
    told: list[tuple[str, int, int]] = []
    scan(find_target([tmp_path]), progress=lambda *what: told.append(what))
    assert told == [("Reading", 1, 2), ("Reading", 2, 2), ("Analysing", 2, 2)]


def test_the_same_finding_twice(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the analysis reports twice is shown once."""
    write("app.py", "create()\n")
    outcome = scan(find_target([tmp_path]))
    twice = [*outcome.report.findings, *outcome.report.findings]
    monkeypatch.setattr("claudescope.audit.scan.suppress", lambda *_: (twice, 0))
    assert len(scan(find_target([tmp_path])).report.findings) == 1
    assert isinstance(twice[0], Finding)
