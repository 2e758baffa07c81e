"""Runs the tests that initialise Sentry: with the installed SDK, the oldest supported and the next pre-release.

Each in a process of its own. To run one by hand: `EXPECTED_SENTRY_SDK=<the installed version> pytest tests/sentry/…`.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import sentry_sdk

from tests.sentry import OWN_PROCESS

_ROOT = Path(__file__).parents[2]
_FLOOR = re.search(r"sentry-sdk>=([\d.]+)", (_ROOT / "pyproject.toml").read_text())
assert _FLOOR is not None
FLOOR = {"2.20": "2.20.0"}[_FLOOR[1]]
PRE_RELEASE = "3.0.0b2"

# What the server makes of an event does not depend on the SDK's version: with others one test of it is enough.
_ONCE = {"test_as_code.py", "test_bugsink.py"}
_AGAIN = "test_bugsink.py::test_fifty_rate_limits_are_one_issue"

# Of old integrations of Sentry's, about other parts of Sentry's.
_WARNINGS = ("-W", "ignore:The `description` parameter is deprecated:DeprecationWarning")


def _installed(version: str) -> Path:
    """The folder that has this version, put there on first use. Nothing else differs from this environment."""
    folder = _ROOT / ".cache" / f"sentry-sdk-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--upgrade",
                "--target",
                str(folder),
            ]
            subprocess.run([*command, f"sentry-sdk=={version}"], check=True)  # noqa: S603 - a command of our own
            (folder / "ready").touch()
    return folder


def _run(version: str, tests: Iterable[str], path: str) -> None:
    environment = {**os.environ, "PYTHONPATH": path, "EXPECTED_SENTRY_SDK": version}
    if any("test_fork" in test for test in tests):
        # Coverage has a lock of its own, which a child of a busy process may find held, and then waits for ever.
        environment.pop("COVERAGE_PROCESS_CONFIG", None)
    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_WARNINGS, *tests],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", OWN_PROCESS)
def test_installed(name: str) -> None:
    """Everything, with the installed version: the latest, in a fresh environment."""
    _run(sentry_sdk.VERSION, ["-m", "not release", f"tests/sentry/{name}"], os.environ.get("PYTHONPATH", ""))


@pytest.mark.release
@pytest.mark.timeout(600)
def test_sentrys_own_integration() -> None:
    """What the installed version's own integration does on its own, which changes with its releases."""
    _run(sentry_sdk.VERSION, ["-m", "release", "tests/sentry/test_bugsink.py"], os.environ.get("PYTHONPATH", ""))


@pytest.mark.release
@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [*(name for name in OWN_PROCESS if name not in _ONCE), _AGAIN])
@pytest.mark.parametrize("version", [FLOOR, PRE_RELEASE])
def test_other(version: str, name: str) -> None:
    """The same with another version."""
    path = os.pathsep.join([str(_installed(version)), os.environ.get("PYTHONPATH", "")])
    _run(version, [f"tests/sentry/{name}"], path)
