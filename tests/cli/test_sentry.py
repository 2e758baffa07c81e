"""`claudescope sentry`, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from claudescope.sentry.as_code import build
from tests.cli import run_here


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "claudescope", "sentry", *arguments], capture_output=True, text=True, check=False
    )


def test_build(tmp_path: Path) -> None:
    """Every file is written, into a folder that is made, and named."""
    out = tmp_path / "new" / "sentry"
    done = _run("build", "--out", str(out), "--group-by", "workflow")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"Written {out / name}" for name in build()]
    assert {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()} == dict(build(["workflow"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--group-by", "tenant"], "claudescope: --group-by tenant: expected model, workflow or target\n"),
        (["--out", __file__], f"claudescope: --out {__file__}: File exists. Give a folder that can be created\n"),
    ],
)
def test_bad_input(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Bad input gets one clear message and exit code 2."""
    done = run_here("sentry", "build", "--out", str(tmp_path), *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
