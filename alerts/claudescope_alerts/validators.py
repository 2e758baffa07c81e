"""Programs that judge a build: each is run if it is on the PATH, and named if it had to be skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

__all__ = ["CheckResult", "check_folder", "run_tests"]

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a judge said.

    Attributes:
        validator: The program and what it did.
        outcome: Whether it passed, failed, or could not be asked.
        detail: What it printed, or why it was skipped.
    """

    validator: str
    outcome: Outcome
    detail: str = ""


def check_folder(folder: Path) -> list[CheckResult]:
    """Let every judge that is here check the files of a build.

    Args:
        folder: Where `build` wrote.
    """
    rules = sorted((folder / "rules").glob("*.yml"))
    config = folder / "alertmanager/alertmanager.yml"
    return [
        _ask("promtool check rules", ["promtool", "check", "rules", *rules]),
        _ask("amtool check-config", ["amtool", "check-config", config]),
        _ask("vmalert -dryRun", ["vmalert", "-dryRun", f"-rule={folder / 'rules'}/*.yml"]),
        _with("vmalert-tool unittest", "vmalert-tool", lambda: _vmalert_tests(folder)),
        _ask("pint lint", ["pint", "--offline", "--no-color", "lint", *rules]),
        _ask("terraform fmt", ["terraform", "fmt", "-check", "-diff", folder / "pagerduty"]),
    ]


def run_tests(folder: Path) -> list[CheckResult]:
    """Run the generated tests: rules by promtool, routes by amtool."""
    tests = sorted((folder / "tests").glob("*.test.yml"))
    return [
        _ask("promtool test rules", ["promtool", "test", "rules", *tests]),
        _with("amtool config routes test", "amtool", lambda: _route_tests(folder / "alertmanager")),
    ]


def _with(validator: str, program: str, ask: Callable[[], Iterable[str]]) -> CheckResult:
    """Ask a judge that answers with what it found wrong."""
    if shutil.which(program) is None:
        return CheckResult(validator, "skipped", f"{program} is not on the PATH")
    problems = "\n".join(ask())
    return CheckResult(validator, "failed" if problems else "passed", problems)


def _ask(validator: str, command: list[str | Path]) -> CheckResult:
    return _with(validator, str(command[0]), lambda: _problems(command))


def _problems(command: Sequence[str | Path]) -> Iterable[str]:
    # Judges are written in Go and live for seconds: collecting garbage less often takes a third off their time.
    environment = {"GOGC": "400", **os.environ}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 # fixed programs
    if done.returncode:
        yield "\n".join(line for line in (done.stdout + done.stderr).splitlines() if line.strip())


def _route_tests(folder: Path) -> Iterable[str]:
    document: Any = yaml.safe_load((folder / "route-tests.yml").read_text(encoding="utf-8"))
    desired: dict[tuple[str, ...], str] = {}
    for test in document["tests"]:
        desired[tuple(f"{name}={value}" for name, value in test["labels"].items())] = test["receiver"]
    for labels, receiver in desired.items():
        config = f"--config.file={folder / 'alertmanager.yml'}"
        command = ["amtool", "config", "routes", "test", config, f"--verify.receivers={receiver}", *labels]
        for problem in _problems(command):
            yield f"{' '.join(labels)}: expected {receiver}: {problem}"


def _vmalert_tests(folder: Path) -> Iterable[str]:
    """The unit tests of the rules that build on no other rule.

    vmalert writes what it records after a group is evaluated, so a rule sees another's series one evaluation later than
    in Prometheus; the minutes of the other tests hold for Prometheus alone.
    """
    with tempfile.TemporaryDirectory() as name:
        files: list[Path] = []
        for path in sorted((folder / "tests").glob("*.test.yml")):
            test: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            rules = [(path.parent / rule_file).resolve() for rule_file in test["rule_files"]]
            if any("record: " in rule.read_text(encoding="utf-8") for rule in rules):
                continue
            test["rule_files"] = [str(rule) for rule in rules]
            for story in test["tests"]:
                # Its own word for queries; and it writes numbers in annotations differently.
                story["metricsql_expr_test"] = story.pop("promql_expr_test")
                story.pop("alert_rule_test", None)
            files.append(Path(name) / path.name)
            files[-1].write_text(yaml.safe_dump(test), encoding="utf-8")
        arguments = [f"--files={file}" for file in files]
        yield from _problems(["vmalert-tool", "unittest", "--disableAlertgroupLabel", *arguments])
