"""A simulated API and an OTLP receiver, and commands that are run against them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink
from tests.servers import wait_for

APPS = Path(__file__).parent / "apps"
PATIENCE = 120.0
"""Seconds after which a command that should have ended is taken as hanging."""


@dataclass
class Commands:
    """Runs commands whose calls go to the simulator, and whose telemetry goes where `environment` says."""

    environment: dict[str, str]

    def with_variables(self, **variables: str) -> Commands:
        """The same with further variables."""
        return Commands({**self.environment, **variables})

    def run(self, *command: str | Path, code: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and see that it ends with `code`."""
        done = subprocess.run(  # noqa: S603 - our own
            [*map(str, command)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            timeout=PATIENCE,
        )
        assert done.returncode == code, done.stderr
        return done

    def app(self, mode: str, calls: int = 3, *, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the script on its own."""
        return self.run(sys.executable, APPS / "script.py", mode, str(calls), code=code)

    @contextmanager
    def started(self, *command: str | Path, cwd: Path = APPS) -> Generator[subprocess.Popen[str]]:
        """Run a command beside the test; it is killed where it has not ended."""
        with subprocess.Popen(  # noqa: S603 - our own
            [*map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=cwd,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def scraped(url: str, metric: str) -> float:
    """Scrape `claudescope run` and add up the series of a metric."""
    body = urllib.request.urlopen(url).read().decode()  # noqa: S310 - loopback
    return sum(map(float, re.findall(rf"^{metric}\{{.*\}} (\S+)$", body, re.MULTILINE)))


def wait_for_calls(url: str, calls: int) -> float:
    """Wait until `claudescope run` has received as many calls, and return how many it then serves.

    Processes send calls over a socket: the last ones may arrive after the command has its answers.
    """
    metric = "gen_ai_client_operation_duration_seconds_count"
    wait_for(f"{calls} calls", lambda: scraped(url, metric) >= calls)
    return scraped(url, metric)


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulated API that is quick."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


@pytest.fixture
def sink() -> Generator[OtlpSink]:
    """An OTLP receiver."""
    with OtlpSink().running() as receiver:
        yield receiver


@pytest.fixture
def commands(api: Simulator) -> Commands:
    """Commands with no telemetry set up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "CLAUDESCOPE_"))}
    bin_folder = str(Path(sys.executable).parent)
    return Commands(
        {
            **kept,
            "PATH": f"{bin_folder}{os.pathsep}{kept.get('PATH', '')}",
            "ANTHROPIC_BASE_URL": api.url,
            "ANTHROPIC_API_KEY": "simulated",
            "COLUMNS": "100",
        }
    )
