"""Runs the matrix on every SDK that it names, prints what was run, and writes `docs/coverage.md`.

    python -m tests.matrix.versions                 # all of them; writes docs/coverage.json and docs/coverage.md
    python -m tests.matrix.versions 0.51.0 latest   # some of them; writes nothing

Each SDK gets an environment of its own in `.cache/sdk-venvs`, which holds that SDK and its HTTP library and takes
everything else from the one that runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Final

from tests.matrix.coverage import MARKDOWN, RESULTS, Results, counts, render, rows
from tests.matrix.table import LATEST, VERSIONS

_ROOT: Final = Path(__file__).parents[2]
_PROBE: Final = [f"tests/probe/test_{name}.py" for name in ("hazards",)]
"""Those of the probe's tests that hold for every version; the others run on the latest, with everything else."""

_CACHE: Final = _ROOT / ".cache" / "sdk-venvs"


def _python(version: str) -> Path:
    """The interpreter of a version's environment, which is made where it is not there yet."""
    if version == LATEST:
        return Path(sys.executable)
    home = _CACHE / version
    python = home / "bin" / "python"
    if not (home / "made").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)  # noqa: S603
        (site,) = home.glob("lib/python*/site-packages")
        # A plain path would leave out the editable install, which is itself a `.pth` file.
        (site / "shared.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
        uv = shutil.which("uv")
        if uv:
            command = [uv, "pip", "install", "--quiet", "--python", str(python)]
        else:
            command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        subprocess.run([*command, f"anthropic=={version}"], check=True)  # noqa: S603
        (home / "made").touch()
    return python


def _run(version: str, *, under_policy: bool = False) -> Counter[str]:
    """Run the tests on one version; by cell how often it passed, once for each mode.

    Args:
        version: The version of the SDK.
        under_policy: Whether `claudescope.protect()` holds. The cells are the same: each call still ends once.

    Raises:
        SystemExit: A test failed or was skipped.
    """
    report = _CACHE / f"{version}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    tests = ["tests/matrix/test_matrix.py", *([] if under_policy else ["tests/matrix/test_batches.py", *_PROBE])]
    environment = {**os.environ, "CI": "true", **({"CLAUDESCOPE_MATRIX_POLICY": "1"} if under_policy else {})}
    command = [str(_python(version)), "-m", "pytest", "-q", "-n", "auto", "--no-header", "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 - our own
        [*command, f"--junitxml={report}", "-o", "junit_family=xunit1", *_coverage(version), *tests],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nThe matrix failed on {_name(version, under_policy)}.")
    passed: Counter[str] = Counter()
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        name = case.get("name", "")
        if name.startswith("test_cell["):
            surface, ending, *_ = name.removeprefix("test_cell[").split(" | ")
            passed[f"{surface} | {ending}"] += 1
    print(f"{_name(version, under_policy)}: {done.stdout.strip().splitlines()[-1]}", flush=True)  # noqa: T201 - a command
    return passed


def _coverage(version: str) -> list[str]:
    """With `COVERAGE` set, the latest version adds to the coverage that `make test` measures."""
    if version != LATEST or not os.environ.get("COVERAGE"):
        return []
    return ["--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0"]


def _name(version: str, under_policy: bool) -> str:
    return f"anthropic {version}" + (" under a policy" if under_policy else "")


def main(versions: tuple[str, ...]) -> None:
    """Run the matrix on `versions`; all of them write the summary."""
    results: Results = {}
    for version in versions:
        for under_policy in (True, False):
            passed = _run(version, under_policy=under_policy)
            if passed != (expected := counts(version)):
                name = _name(version, under_policy)
                sys.exit(f"{name}: passed {passed.total()} cells of {expected.total()}")
        results[version] = dict(sorted(passed.items()))
    for row in rows(results):
        print(row)  # noqa: T201 - a command
    if versions == VERSIONS:
        RESULTS.write_text(json.dumps({version: sum(cells.values()) for version, cells in results.items()}, indent=2))
        RESULTS.open("a").write("\n")
        MARKDOWN.write_text(render())


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or VERSIONS)
