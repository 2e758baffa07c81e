"""Makes calls to the simulator for some seconds, and sends telemetry as `configure()` does by default.

Prints what it knows of these calls as JSON, and stays until its standard input ends, so that its endpoint can be
scraped for a last time.

Usage: calls.py SECONDS
"""

from __future__ import annotations

import collections
import itertools
import json
import random
import sys
import time
from typing import ClassVar

import anthropic
from opentelemetry.context import Context

import claudescope
from claudescope import CallRecord, Sink
from claudescope.simulator import Simulator


class Durations(Sink):
    """Keeps the durations of calls by model."""

    name: ClassVar[str] = "durations"

    def __init__(self) -> None:
        self.by_model = collections.defaultdict[str, list[float]](list)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Keep the duration of a call that got an answer."""
        del context
        if record.outcome == "ok":
            self.by_model[str(record.request_model)].append(record.duration)


def main(seconds: float) -> None:
    """Alternate models, workflows, and streams with plain calls."""
    telemetry = claudescope.configure(instrument=False)
    durations = Durations()
    claudescope.instrument(sinks=[durations])
    chance = random.Random(0)  # noqa: S311 # no secret
    end = time.monotonic() + seconds
    with Simulator(scenario="mixed") as api:
        client = anthropic.Anthropic(base_url=api.url, api_key="simulated", max_retries=1)
        for number in itertools.count():
            if time.monotonic() > end:
                break
            with claudescope.workflow(chance.choice(["chat", "summarise"])):
                try:
                    if number % 2:
                        client.messages.create(
                            model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": "Hello"}]
                        )
                    else:
                        with client.messages.stream(
                            model="claude-opus-5-5", max_tokens=50, messages=[{"role": "user", "content": "Hello"}]
                        ) as stream:
                            stream.get_final_message()
                except anthropic.APIError:
                    pass
    telemetry.flush()
    known = {"report": json.loads(claudescope.report().to_json()), "durations": durations.by_model}
    sys.stdout.write(json.dumps(known) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(float(sys.argv[1]))
