"""Which lines are new since a commit, by a real git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from claudescope import BadInputError
from claudescope.audit.changes import changed_lines
from tests.audit.conftest import Write

Git = Callable[..., str]


def _commit(git: Git, message: str) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", message)


def test_new_lines(write: Write, tmp_path: Path, repository: Git) -> None:
    """Lines that were added or edited, committed or not, and every line of a file that git does not know."""
    write("app.py", "one\ntwo\nthree\n")
    write("gone.py", "x\n")
    _commit(repository, "Begin")
    write("app.py", "zero\none\ntwo\n@@ -1 +1 @@\n+++ b/fake.py\n")
    write("ü \t.py", "something else\n")
    repository("add", "ü \t.py")
    write("new folder/untracked.py", "x\n")
    (tmp_path / "gone.py").unlink()
    changed = changed_lines(tmp_path, "HEAD")
    assert [line for line in range(7) if ("app.py", line) in changed] == [1, 4, 5]
    assert ("ü \t.py", 1) in changed
    assert ("new folder/untracked.py", 99) in changed
    assert ("gone.py", 1) not in changed
    assert ("fake.py", 1) not in changed


def test_only_what_the_branch_added(write: Write, tmp_path: Path, repository: Git) -> None:
    """What others committed to the base since the branch began is not new."""
    write("app.py", "one\n")
    _commit(repository, "Begin")
    repository("branch", "feature")
    write("app.py", "one\nof the others\n")
    _commit(repository, "Go on")
    repository("switch", "--quiet", "feature")
    write("mine.py", "x\n")
    _commit(repository, "Add mine")
    changed = changed_lines(tmp_path, "main")
    assert ("mine.py", 1) in changed
    assert ("app.py", 1) not in changed


def test_without_a_common_commit(write: Write, tmp_path: Path, repository: Git) -> None:
    """Where the history has no common commit, as in a shallow clone, the lines are compared with the commit itself."""
    write("app.py", "one\n")
    _commit(repository, "Begin")
    repository("switch", "--quiet", "--orphan", "feature")
    write("app.py", "one\ntwo\n")
    _commit(repository, "Begin again")
    changed = changed_lines(tmp_path, "main")
    assert [line for line in (1, 2) if ("app.py", line) in changed] == [2]


def test_settings_of_the_user_change_nothing(
    write: Write, tmp_path: Path, repository: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefixes, colours and external diffs that somebody has set up are not used."""
    write("app.py", "one\n")
    _commit(repository, "Begin")
    for name, value in {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "color.ui": "always",
        "diff.external": "false",
    }.items():
        repository("config", name, value)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    write("app.py", "one\ntwo\n")
    assert ("app.py", 2) in changed_lines(tmp_path, "HEAD")


@pytest.mark.parametrize("ref", ["nope", "", "--output=stolen", "HEAD:app.py"])
def test_unknown_commits(write: Write, tmp_path: Path, repository: Git, ref: str) -> None:
    """What is no commit is refused, and never read as an option of git."""
    write("app.py", "one\n")
    _commit(repository, "Begin")
    with pytest.raises(BadInputError, match=r"^--diff .*: git knows no such commit"):
        changed_lines(tmp_path, ref)
    assert not (tmp_path / "stolen").exists()


def test_without_a_repository(tmp_path: Path) -> None:
    """The message has git's own words."""
    with pytest.raises(BadInputError, match="not a git repository"):
        changed_lines(tmp_path, "HEAD")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInputError, match="Install git"):
        changed_lines(tmp_path, "HEAD")
