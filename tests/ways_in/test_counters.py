"""What `claudescope run` serves to Prometheus counts up for as long as the command lives."""

from __future__ import annotations

import re
import sys
import threading
from itertools import pairwise
from urllib.request import urlopen

import pytest

from claudescope.simulator import Simulator
from tests.ways_in.conftest import PATIENCE, Commands

pytestmark = pytest.mark.timeout(300)

_EMPTY = re.compile(r'\b\w+="",?')
"""A label without a value is absent to Prometheus. All series of a metric get it once one of them has a value."""
_SAMPLE = re.compile(r"^(\w+?(?:_total|_count|_sum|_bucket)\{.*\}) (\S+)$", re.MULTILINE)


def _scrape(url: str) -> dict[str, float]:
    with urlopen(url, timeout=PATIENCE) as response:  # noqa: S310 - loopback
        samples = _SAMPLE.findall(response.read().decode())
    return {_EMPTY.sub("", name): float(value) for name, value in samples}


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.release)])
def test_no_counter_goes_down(seed: int, commands: Commands, api: Simulator) -> None:
    """Whatever workers come, go and are killed, no series falls or disappears from one scrape to the next."""
    run = (sys.executable, "-m", "claudescope", "run", "--metrics-port", "0", "--no-report", "--")
    with commands.started(*run, sys.executable, "churn.py", str(seed), "4") as process:
        assert process.stderr is not None
        url = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stderr.readline())
        assert url is not None
        threading.Thread(target=process.stderr.read, daemon=True).start()
        scrapes: list[dict[str, float]] = []
        while process.poll() is None:
            try:
                scrapes.append(_scrape(url.group()))
            except OSError:
                break  # the command ends, and the collector has ended
        assert process.wait(PATIENCE) == 0
    scrapes = scrapes[:-1]  # the collector may end in the middle of the last one
    assert len(scrapes) > 2
    fell = [
        (name, value, after.get(name))
        for before, after in pairwise(scrapes)
        for name, value in before.items()
        if after.get(name, -1.0) < value
    ]
    assert fell == []
    assert max(value for name, value in scrapes[-1].items() if "_duration_seconds_count" in name) >= 1
    assert api.ledger().messages_billed > 0
