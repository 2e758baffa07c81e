"""Limits the instructions that claudescope adds to a call, as a multiple of those of the floor.

    python -m benchmarks.guard

Runs under valgrind's callgrind, which counts the instructions of each measurement. Fails if claudescope needs more of
them than `LIMITS` allows. The load of the machine does not change the result. Takes some minutes.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.environments import ROOT

__all__: list[str] = []

LIMITS: Final = {"create": 1.72, "stream": 2.11}
"""Largest allowed multiple of the instructions that the floor adds, by scenario.

Measured in November 2026 on CPython 3.11 with version 2.12 of the SDK: 1.64 and 2.01. The limits are 5 % higher. Runs
differ by less than 1 %.
"""

CALLS: Final = {"create": 50, "stream": 20}
WARM_UP: Final = 50
"""Calls before the counted ones, as the interpreter specialises code that runs often."""
SUBJECTS: Final = ("tracing", "floor", "claudescope")  # in this order, as none can be removed again
_INSIDE: Final = "CLAUDESCOPE_GUARD"


def _measure() -> None:
    """Run under callgrind. Only calls are counted, and the count of each measurement is written."""
    from benchmarks.worker import runs, set_up

    def control(*order: str) -> None:
        command = (shutil.which("callgrind_control") or "callgrind_control", *order, str(os.getpid()))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    set_up()
    for subject in SUBJECTS:
        known = runs(subject)
        for scenario in LIMITS:
            known[scenario](WARM_UP)
        time.sleep(20 if subject == "claudescope" else 0)  # until background imports are done, which are slow here
        for scenario, calls in CALLS.items():
            run = known[scenario]
            run(2)
            gc.collect()
            gc.disable()
            control("--instr=on")
            run(calls)
            control("--instr=off")
            gc.enable()
            control(f"--dump={subject}:{scenario}")


def _counts() -> dict[tuple[str, str], float]:
    """Return the instructions per call, by subject and scenario."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={place}/counts"),
                *(sys.executable, "-m", "benchmarks.guard"),
            ],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", _INSIDE: "1"},
            stderr=subprocess.DEVNULL,
        )
        counts: dict[tuple[str, str], float] = {}
        for dump in Path(place).iterdir():
            text = dump.read_text(encoding="utf-8")
            label, total = (
                re.search(r"^desc: Trigger: .*?(\w+):(\w+)$", text, re.MULTILINE),
                re.search(r"^totals: (\d+)", text, re.MULTILINE),
            )
            if label is not None and total is not None:
                counts[label[1], label[2]] = int(total[1]) / CALLS[label[2]]
        return counts


def main() -> int:
    """Count the instructions, print the comparison, and return the exit code."""
    if _INSIDE in os.environ:
        _measure()
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not installed. Run: apt-get install valgrind")
        return 2
    counts, code = _counts(), 0
    for scenario, limit in LIMITS.items():
        base = counts["tracing", scenario]
        floor, added = (counts[name, scenario] - base for name in ("floor", "claudescope"))
        fits = added <= limit * floor
        code = code if fits else 1
        print(
            f"{scenario}: the SDK {base / 1e3:,.0f} thousand instructions, the floor adds {floor / 1e3:,.0f}, "
            f"claudescope {added / 1e3:,.0f}: {added / floor:.2f} times the floor, "
            f"{'within' if fits else 'OVER'} the limit of {limit}"
        )
    return code


if __name__ == "__main__":
    raise SystemExit(main())
