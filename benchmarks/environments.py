"""Creates an environment for each subject that has only its pinned packages."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.subjects import COMMON, SUBJECTS

__all__ = ["ROOT", "python_of"]

ROOT: Final = Path(__file__).resolve().parents[1]
_PLACE: Final = ROOT / ".cache" / "benchmarks"


def python_of(name: str) -> Path:
    """Return the Python of a subject's environment. Creates it if it is missing or its pins have changed.

    Raises:
        subprocess.CalledProcessError: A package could not be installed.
    """
    packages = (*COMMON, *SUBJECTS[name].packages)
    # Subjects with the same packages share an environment.
    place = _PLACE / ("-".join(SUBJECTS[name].packages).strip("-.").replace("==", "-") or "common")
    python, stamp = place / "bin" / "python", place / "packages.txt"
    wanted = "\n".join((sys.version, *packages))
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"creating the environment of {SUBJECTS[name].title} …", file=sys.stderr, flush=True)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True, cwd=ROOT
        )
        stamp.write_text(wanted, encoding="utf-8")
    return python


if __name__ == "__main__":
    for subject in SUBJECTS:
        python_of(subject)
