"""The pipelines that `claudescope init` writes: validated by their systems' schemas, and their commands run for real.

What a runner has and this machine hasn't is stood in for: `gh`, `curl` to GitLab, and the installation of packages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.conftest import program
from tests.alerts.ruler import ruler
from tests.cli import run_here
from tests.dashboards.grafana import TOKEN, Grafana
from tests.docs.pages import ROOT

_SPEC = Path("observability/claudescope.yaml")
_WORKFLOW = Path(".github/workflows/claudescope.yml")
_AUDIT = Path(".github/workflows/claudescope-audit.yml")
_ACTION = Path(".github/actions/claudescope/action.yml")
_JOBS = Path(".gitlab/claudescope.yml")

Groups = dict[str, Any]


@pytest.fixture
def groups() -> Groups:
    """What the ruler holds."""
    return {}


@pytest.fixture
def grafana() -> Grafana:
    """An empty Grafana."""
    return Grafana()


@pytest.fixture
def surroundings(tmp_path: Path, groups: Groups, grafana: Grafana) -> Generator[dict[str, str]]:
    """The environment of a runner: a ruler, a Grafana, the validators of Debian, and stand-ins for `gh` and `curl`."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("gh", "curl"):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/said"\ncat - comment.md >>"{tmp_path}/said"\n')
        tool.chmod(0o755)
    (tools / "claudescope").symlink_to(Path(sys.executable).parent / "claudescope")
    for name in ("promtool", "amtool"):
        (tools / name).symlink_to(program("bookworm", name))
    (tmp_path / "token").write_text("ruler-token")
    with ruler(groups, []) as ruler_url, grafana.running() as grafana_url:
        yield {
            "PATH": f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "HOME": str(tmp_path),
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "RULER_URL": ruler_url,
            "RULER_TENANT": "team",
            "RULER_TOKEN": "ruler-token",
            "RULER_TOKEN_FILE": str(tmp_path / "token"),
            "GRAFANA_URL": grafana_url,
            "GRAFANA_TOKEN": TOKEN,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }


def _repository(folder: Path, ci: str) -> Path:
    """A team's repository, just begun: everything is built and committed."""
    folder.mkdir()
    assert run_here("init", str(folder), "--ci", ci).returncode == 0
    for what in ("alerts", "dashboards"):
        out = folder / "observability" / what
        assert run_here(what, "build", "--spec", str(folder / _SPEC), "--out", str(out)).returncode == 0
    git = ["git", "-c", "user.name=Team", "-c", "user.email=team@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Begin"]):
        subprocess.run([*git, *command], cwd=folder, check=True)  # noqa: S603 - our own
    return folder


def _run(script: str, folder: Path, environment: Mapping[str, str], *, code: int = 0) -> str:
    """Run a script as runners do: it ends at its first failure."""
    done = subprocess.run(  # noqa: S603 - our own
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class _GitHub:
    """Runs the jobs of the workflow, on what GitHub would know of an event."""

    def __init__(self, folder: Path, environment: Mapping[str, str], event: str) -> None:
        self.workflow: dict[str, Any] = yaml.safe_load((folder / _WORKFLOW).read_text())
        self._folder = folder
        self._environment = environment
        self._known = {
            "github.event_name": event,
            "github.token": "job-token",
            "github.event.pull_request.number": "7",
            "vars.RULER_TENANT || 'anonymous'": environment["RULER_TENANT"],
            **{f"vars.{name}": environment[name] for name in ("RULER_URL", "GRAFANA_URL")},
            **{f"secrets.{name}": environment[name] for name in ("RULER_TOKEN", "GRAFANA_TOKEN")},
        }
        self._conditions = {
            "github.event_name == 'pull_request'": event == "pull_request",
            "github.event_name == 'pull_request' && "
            "github.event.pull_request.head.repo.full_name == github.repository": event == "pull_request",
            "github.event_name == 'push'": event == "push",
            "vars.RULER_URL != ''": True,
            "vars.GRAFANA_URL != ''": True,
        }

    def run(self, job: str, *only: str) -> list[str]:
        """The names of the steps that ran, or of some of them; an expression that is not known here fails."""
        ran: list[str] = []
        plan = self.workflow["jobs"][job]
        if not self._conditions[plan.get("if", "vars.RULER_URL != ''")]:
            return ran
        for step in plan["steps"]:
            if only and step.get("name") not in only:
                continue
            if "run" in step and self._conditions[step.get("if", "vars.RULER_URL != ''")]:
                variables = {**self.workflow["env"], **step.get("env", {})}
                filled = {name: self._fill(value) for name, value in variables.items()}
                secret = {key for key in self._environment if key.endswith("TOKEN")}
                kept = {name: value for name, value in self._environment.items() if name not in secret}
                _run(step["run"], self._folder, {**kept, **filled})
                ran.append(step["name"])
        return ran

    def _fill(self, value: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self._known[found[1]], value)


@pytest.mark.timeout(300)
def test_github_on_a_pull_request_and_on_main(
    tmp_path: Path, surroundings: dict[str, str], groups: Groups, grafana: Grafana
) -> None:
    """A change is checked, tested and shown; main deploys it; what is deployed shows as no change."""
    folder = _repository(tmp_path / "repository", "github")
    on_change = _GitHub(folder, surroundings, "pull_request")
    assert on_change.run("check") == [
        "Build",
        "Compare with the commit",
        "Validate",
        "Test",
        "Show the changes of a deploy",
        "Comment on the pull request",
    ]
    said = (tmp_path / "said").read_text()
    assert said.startswith("gh pr comment 7 --edit-last --create-if-none --body-file comment.md\n")
    assert "ClaudeErrorBudgetBurn" in said
    assert "claudescope-overview" in said
    assert "ruler-token" not in said
    assert (tmp_path / "summary").read_text() in said
    assert on_change.run("deploy") == []
    assert (groups, grafana.dashboards) == ({}, {})

    on_main = _GitHub(folder, surroundings, "push")
    assert on_main.run("deploy") == ["Deploy the alerts", "Deploy the dashboards"]
    assert "claudescope-claude-slo-availability-part-1" in groups  # a ruler takes 20 rules a group
    assert "claudescope-overview" in grafana.dashboards
    (tmp_path / "said").unlink()
    (folder / "diff.txt").unlink()
    on_change.run("check", "Show the changes of a deploy", "Comment on the pull request")
    assert "ClaudeErrorBudgetBurn" not in (tmp_path / "said").read_text()


@pytest.mark.timeout(300)
def test_gitlab_on_a_merge_request_and_on_main(
    tmp_path: Path, surroundings: dict[str, str], groups: Groups, grafana: Grafana
) -> None:
    """The same on GitLab."""
    folder = _repository(tmp_path / "repository", "gitlab")
    jobs: dict[str, Any] = yaml.safe_load((folder / _JOBS).read_text())
    ours = {**jobs[".claudescope"]["variables"], **surroundings}
    merge = {"COMMENT_TOKEN": "project-token", "CI_API_V4_URL": "https://gitlab.example/api/v4"}
    merge |= {"CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7"}

    def run(job: str, **variables: str) -> str:
        return _run("\n".join(jobs[job]["script"]), folder, {**ours, **variables})

    run("claudescope-check")
    assert "ClaudeErrorBudgetBurn" in run("claudescope-diff", **merge)
    said = (tmp_path / "said").read_text()
    assert "https://gitlab.example/api/v4/projects/3/merge_requests/7/notes" in said.splitlines()[0]
    assert "project-token" not in said.splitlines()[0]  # it goes in by a file, where no other process reads it
    assert "ruler-token" not in said
    run("claudescope-deploy")
    assert "claudescope-claude-slo-availability-part-1" in groups  # a ruler takes 20 rules a group
    assert "claudescope-overview" in grafana.dashboards
    assert "ClaudeErrorBudgetBurn" not in run("claudescope-diff", **merge)


def test_what_is_committed_has_to_be_what_is_built(tmp_path: Path, surroundings: dict[str, str]) -> None:
    """An edited file, one too many, or one that was never committed fails the check."""
    folder = _repository(tmp_path / "repository", "github")
    steps = {
        step.get("name"): step for step in _GitHub(folder, surroundings, "push").workflow["jobs"]["check"]["steps"]
    }
    script = steps["Compare with the commit"]["run"]
    _run(script, folder, surroundings)
    rules = next((folder / "observability" / "alerts" / "rules").iterdir())
    rules.write_text(rules.read_text() + "# edited\n")
    assert rules.name in _run(script, folder, surroundings, code=1)


@pytest.mark.parametrize(
    ("schema", "options", "file"),
    [
        ("vendor.github-workflows", [], _WORKFLOW),
        ("vendor.github-workflows", [], _AUDIT),
        ("vendor.github-actions", [], _ACTION),
        ("vendor.gitlab-ci", ["--data-transform", "gitlab-ci"], _JOBS),
        ("vendor.gitlab-ci", ["--data-transform", "gitlab-ci"], Path(".gitlab-ci.yml")),
    ],
)
def test_the_systems_schemas_accept_them(schema: str, options: list[str], file: Path, tmp_path: Path) -> None:
    """Each file is what its system's JSON Schema asks for."""
    run_here("init", str(tmp_path), "--ci", "gitlab" if "gitlab" in schema else "github")
    validator = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *options, str(tmp_path / file)]
    done = subprocess.run(validator, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout


def test_actions_are_pinned_by_commit(tmp_path: Path) -> None:
    """A tag can be moved, a commit can't; the version is beside it."""
    run_here("init", str(tmp_path))
    text = "".join((tmp_path / file).read_text() for file in (_WORKFLOW, _AUDIT, _ACTION))
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert len(used) == 8
    for action, comment in used:
        assert action == "./.github/actions/claudescope" or (
            re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", action) and re.fullmatch(r" # v[\d.]+", comment)
        )


@pytest.mark.timeout(400)
def test_pre_commit_runs_the_hooks(tmp_path: Path) -> None:
    """As a team's pre-commit would: cloned, installed with what they need and nothing else, and run."""
    folder = _repository(tmp_path / "repository", "none")
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    hooks = [{"id": hook["id"]} for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())]
    config = {"repos": [{"repo": str(ROOT), "rev": revision, "hooks": hooks}]}
    (folder / "app.py").write_text("from anthropic import Anthropic\n\nclient = Anthropic(timeout=10)\n")
    subprocess.run(["git", "add", "app.py"], cwd=folder, check=True)  # noqa: S607
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "hooks")}
    validator = shlex.join([sys.executable, "-m", "pre_commit", "run", "--all-files"])
    said = _run(validator, folder, environment)
    assert said.count("Passed") == len(hooks) == 3
    spec = folder / _SPEC
    spec.write_text(spec.read_text().replace("target: 99.5", "target: 199.5"))
    said = _run(validator, folder, environment, code=1)
    assert said.count("Failed") == 2
    assert "claudescope.yaml:" in said
