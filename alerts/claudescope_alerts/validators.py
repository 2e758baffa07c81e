"""Runs external validators on the files of a build. A validator that is not on the PATH is reported as skipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from claudescope_alerts.promql.selectors import quoted

__all__ = ["CheckResult", "check_folder", "run_tests"]

_BARE: Final = re.compile(r"[\w.-]+")
"""A value that amtool reads without quotes."""

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one validator.

    Attributes:
        validator: The program and its command.
        outcome: Whether the files passed, failed, or were not checked.
        detail: The output of a validator that failed, or why it was skipped.
    """

    validator: str
    outcome: Outcome
    detail: str = ""


def check_folder(folder: Path) -> list[CheckResult]:
    """Check the files of a build with every validator that is on the PATH.

    Args:
        folder: The output folder of the build.
    """
    rules = sorted((folder / "rules").glob("*.yml"))
    config = folder / "alertmanager/alertmanager.yml"
    return [
        _run("promtool check rules", ["promtool", "check", "rules", *rules]),
        _run("amtool check-config", ["amtool", "check-config", config]),
        _run("vmalert -dryRun", ["vmalert", "-dryRun", f"-rule={folder / 'rules'}/*.yml"]),
        _check("vmalert-tool unittest", "vmalert-tool", lambda: _vmalert_tests(folder)),
        _run("pint lint", ["pint", "--offline", "--no-color", "lint", *rules]),
        _run("terraform fmt", ["terraform", "fmt", "-check", "-diff", folder / "pagerduty"]),
    ]


def run_tests(folder: Path) -> list[CheckResult]:
    """Run the generated tests: rule tests with promtool, route tests with amtool."""
    tests = sorted((folder / "tests").glob("*.test.yml"))
    return [
        _run("promtool test rules", ["promtool", "test", "rules", *tests]),
        _check("amtool config routes test", "amtool", lambda: _route_tests(folder / "alertmanager")),
    ]


def _check(validator: str, program: str, problems_of: Callable[[], Iterable[str]]) -> CheckResult:
    """Run a check if its program is on the PATH."""
    if shutil.which(program) is None:
        return CheckResult(validator, "skipped", f"{program} is not on the PATH")
    problems = "\n".join(problems_of())
    return CheckResult(validator, "failed" if problems else "passed", problems)


def _run(validator: str, command: list[str | Path]) -> CheckResult:
    return _check(validator, str(command[0]), lambda: _problems(command))


def _problems(command: Sequence[str | Path]) -> Iterable[str]:
    # These programs are written in Go and run for seconds: less garbage collection saves a third of their time.
    environment = {"GOGC": "400", **os.environ}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 # fixed programs
    if done.returncode:
        yield "\n".join(line for line in (done.stdout + done.stderr).splitlines() if line.strip())


def _route_tests(folder: Path) -> Iterable[str]:
    document: Any = yaml.safe_load((folder / "route-tests.yml").read_text(encoding="utf-8"))
    desired: dict[tuple[str, ...], str] = {}
    for test in document["tests"]:
        desired[
            tuple(
                f"{name}={value if _BARE.fullmatch(value) else quoted(value)}" for name, value in test["labels"].items()
            )
        ] = test["receiver"]
    for labels, receiver in desired.items():
        config = f"--config.file={folder / 'alertmanager.yml'}"
        command = ["amtool", "config", "routes", "test", config, f"--verify.receivers={receiver}", *labels]
        for problem in _problems(command):
            yield f"{' '.join(labels)}: expected {receiver}: {problem}"


def _vmalert_tests(folder: Path) -> Iterable[str]:
    """Run the unit tests of the rules that read no recorded series.

    vmalert writes recorded series after it evaluated a group, so a rule reads them one evaluation later than in
    Prometheus. The minutes of the other tests hold for Prometheus only.
    """
    with tempfile.TemporaryDirectory() as name:
        files: list[Path] = []
        for path in sorted((folder / "tests").glob("*.test.yml")):
            test: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            rules = [(path.parent / rule_file).resolve() for rule_file in test["rule_files"]]
            if any("record: " in rule.read_text(encoding="utf-8") for rule in rules):
                continue
            test["rule_files"] = [str(rule) for rule in rules]
            for case in test["tests"]:
                # vmalert-tool has another key for queries, and formats numbers in annotations differently.
                case["metricsql_expr_test"] = case.pop("promql_expr_test")
                case.pop("alert_rule_test", None)
            files.append(Path(name) / path.name)
            files[-1].write_text(yaml.safe_dump(test), encoding="utf-8")
        arguments = [f"--files={file}" for file in files]
        yield from _problems(["vmalert-tool", "unittest", "--disableAlertgroupLabel", *arguments])
