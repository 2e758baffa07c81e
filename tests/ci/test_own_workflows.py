"""The project's own files for GitHub: valid by GitHub's schemas, pinned, and calling only targets that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT

_GITHUB = ROOT / ".github"
_WORKFLOWS = sorted((_GITHUB / "workflows").glob("*.yml"))
_FORMS = sorted(path for path in (_GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
_SCHEMAS = [
    *(("vendor.github-workflows", path) for path in _WORKFLOWS),
    *(("vendor.github-issue-forms", path) for path in _FORMS),
    ("vendor.github-issue-config", _GITHUB / "ISSUE_TEMPLATE" / "config.yml"),
    ("vendor.dependabot", _GITHUB / "dependabot.yml"),
]


def _workflow(path: Path) -> dict[Any, Any]:
    """A parsed workflow. YAML 1.1 reads the key `on` as true."""
    workflow: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow


@pytest.mark.parametrize(("schema", "path"), _SCHEMAS, ids=lambda value: getattr(value, "name", value))
def test_the_schemas_of_github_accept_the_files(schema: str, path: Path) -> None:
    """Each file is valid by the schema for its purpose."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(checker, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """Every action of somebody else is pinned to a commit, with its version beside it."""
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert action.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_least_rights_and_a_limit(path: Path) -> None:
    """A workflow may only read by default, and no job runs for ever."""
    workflow = _workflow(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 60, name


def _found(pattern: str, *paths: Path) -> set[str]:
    """What the group of a pattern matches in files."""
    return {name for path in paths for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)}


def test_workflows_call_targets_that_exist() -> None:
    """Every `make` target in a workflow is in the Makefile, and every step of `.ci/run` is in a workflow."""
    called = _found(r"\bmake ([a-z0-9-]+)", *_WORKFLOWS)
    assert called <= _found(r"^([a-z][a-z0-9-]*):", ROOT / "Makefile")
    assert _found(r"^step make ([a-z0-9-]+)", ROOT / ".ci" / "run") - {"components"} <= called


def test_a_release_is_tested_and_trusted() -> None:
    """Publishing needs the whole of CI, and takes an identity of the run in place of a token."""
    jobs = _workflow(_GITHUB / "workflows" / "release.yml")["jobs"]
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert jobs["publish"]["needs"] == "ci"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in (_GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")
