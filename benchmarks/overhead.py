"""Measures the CPU and memory that each subject adds to a call, and writes the tables of docs/performance.md.

    python -m benchmarks.overhead [--seconds N] [--only NAME …] [--scenarios NAME …] [--print]

Each subject runs in its own process and environment. A round measures every scenario of every subject for a moment.
The fastest call counts, as other load on the machine can only slow a call down.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.environments import ROOT, python_of
from benchmarks.page import machine, publish, table
from benchmarks.scenarios import SCENARIOS
from benchmarks.subjects import SUBJECTS

Figures = dict[tuple[str, str], float]
"""Figure by subject and scenario."""

_BASE: Final = "tracing"
_MOMENT: Final = 0.15
"""Seconds for which a round measures a scenario of a subject."""

_MEMORY_CALLS: Final = 8
_WITH_MEMORY: Final = ("create", "stream")
"""Scenarios whose memory is measured. They always run."""


class Worker:
    """A process that measures one subject."""

    def __init__(self, name: str, scenarios: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [python_of(name), "-m", "benchmarks.worker", name, *scenarios],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def ask(self, **order: object) -> Any:
        """Send an order and return the result.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()} before it answered {order}")
        return json.loads(answer)


def measure(names: Sequence[str], scenarios: Sequence[str], seconds: float) -> tuple[int, Figures, Figures, Figures]:
    """Measure subjects.

    Returns:
        The number of rounds, CPU seconds of the fastest call, bytes at the peak of a call, and bytes kept after it.
    """
    cpu: Figures = {}
    peak: Figures = {}
    kept: Figures = {}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name, scenarios)) for name in names}
        for worker in workers.values():
            worker.ask(cpu=scenarios[0], seconds=0)  # once all are ready
        rounds, started = 0, time.monotonic()
        while not rounds or time.monotonic() - started < seconds:
            rounds += 1
            print(f"round {rounds}", file=sys.stderr, flush=True)
            for scenario in scenarios:
                for name, worker in workers.items():
                    spent = worker.ask(cpu=scenario, seconds=_MOMENT)
                    cpu[name, scenario] = min(spent, cpu.get((name, scenario), spent))
        for scenario in _WITH_MEMORY:
            for name, worker in workers.items():
                peak[name, scenario], kept[name, scenario] = worker.ask(memory=scenario, calls=_MEMORY_CALLS)
    return rounds, cpu, peak, kept


def _added(figures: Figures, name: str, scenario: str) -> float:
    return figures[name, scenario] - figures[_BASE, scenario]


def report(
    names: Sequence[str], scenarios: Sequence[str], rounds: int, cpu: Figures, peak: Figures, kept: Figures
) -> str:
    """Format the tables."""
    titles = [SCENARIOS[scenario].title for scenario in scenarios]
    watchers = [name for name in names if name not in {"bare", _BASE}]
    base = table(
        ["µs of CPU per call", *titles],
        [
            [SUBJECTS[name].title, *(f"{cpu[name, scenario] * 1e6:,.0f}" for scenario in scenarios)]
            for name in ("bare", _BASE)
        ],
    )
    added = table(
        ["µs added to the SDK's own tracing", *titles],
        [
            [SUBJECTS[name].name_and_version, *(f"{_added(cpu, name, scenario) * 1e6:,.0f}" for scenario in scenarios)]
            for name in watchers
        ],
    )
    ratios = table(
        ["CPU that claudescope adds, divided by what … adds", *titles],
        [
            [
                SUBJECTS[name].title,
                *(_ratio(cpu, name, scenario) for scenario in scenarios),
            ]
            for name in (_BASE, *watchers)
            if name not in {"claudescope", "uninstrumented"}
        ],
    )
    memory = table(
        ["KiB added", "peak per create", "peak per stream", "kept per create", "kept per stream"],
        [
            [
                SUBJECTS[name].title,
                *(f"{_added(figures, name, s) / 1024:.1f}" for figures in (peak, kept) for s in _WITH_MEMORY),
            ]
            for name in watchers
        ],
    )
    return f"""Measured on {machine()}. The fastest call of {rounds} interleaved rounds.

{base}

{added}

{ratios}

{memory}
"""


def _ratio(cpu: Figures, name: str, scenario: str) -> str:
    """Divide what claudescope adds by what another subject adds. "noise" if either is within the noise of the run."""
    added, other = _added(cpu, "claudescope", scenario), _added(cpu, name, scenario)
    if name == _BASE:
        other = -_added(cpu, "bare", scenario)
    # `uninstrument()` removes everything, so any difference that remains is noise.
    noise = abs(_added(cpu, "uninstrumented", scenario))
    return "noise" if min(added, other) <= noise else f"{added / other:.2f}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=420, help="duration of the measurement in seconds (default: 420)"
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(SUBJECTS), help="measure these subjects and the SDK's own tracing"
    )
    parser.add_argument(
        "--scenarios", nargs="+", choices=list(SCENARIOS), help="measure these scenarios, create and stream"
    )
    parser.add_argument("--print", action="store_true", help="print the tables without changing the page")
    options = parser.parse_args()
    names = [
        name
        for name in SUBJECTS
        if options.only is None or name in {*options.only, "bare", _BASE, "claudescope", "uninstrumented"}
    ]
    scenarios = [name for name in SCENARIOS if not options.scenarios or name in {*options.scenarios, *_WITH_MEMORY}]
    text = report(names, scenarios, *measure(names, scenarios, options.seconds))
    if options.print or options.only is not None:
        print(text)
    else:
        publish("overhead", text)


if __name__ == "__main__":
    main()
