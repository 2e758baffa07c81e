"""Makes calls to the simulator for some seconds, and sends telemetry as `configure()` does by default.

Prints the report of these calls as JSON.

Usage: calls.py SECONDS
"""

from __future__ import annotations

import itertools
import random
import sys
import time

import anthropic

import claudescope
from claudescope.simulator import Simulator


def main(seconds: float) -> None:
    """Alternate models, workflows, and streams with plain calls."""
    claudescope.configure()
    claudescope.instrument()
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
    sys.stdout.write(claudescope.report().to_json())


if __name__ == "__main__":
    main(float(sys.argv[1]))
