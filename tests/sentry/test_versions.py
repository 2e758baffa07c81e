"""The same tests with other versions of Sentry's SDK: the oldest supported, and the next major's pre-release."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_FLOOR = re.search(r"sentry-sdk>=([\d.]+)", (_ROOT / "pyproject.toml").read_text())
assert _FLOOR is not None
FLOOR = {"2.20": "2.20.0"}[_FLOOR[1]]
PRE_RELEASE = "3.0.0b2"

# Everything but what has nothing to do with the SDK, and all but the shortest of what asks the server.
_TESTS = ("test_background", "test_events", "test_finding", "test_flood", "test_once", "test_privacy")
_SERVER = "test_bugsink.py::test_fifty_rate_limits_are_one_issue"

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


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", [FLOOR, PRE_RELEASE])
def test_version(version: str) -> None:
    """All that holds with the installed version holds with this one."""
    folder = _installed(version)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    tests = [f"tests/sentry/{name}.py" for name in _TESTS] + [f"tests/sentry/{_SERVER}"]
    done = subprocess.run(  # noqa: S603 - a command of our own
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_WARNINGS, *tests],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": path, "EXPECTED_SENTRY_SDK": version},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
