"""A support desk that knows nothing of claudescope but its Sentry integration: `claudescope run -- python app.py FILE`.

It asks Claude over and over from some threads, and reports to Sentry what failed. SIGUSR1 lets it pause, and write to
FILE how long its calls took by its own clock; SIGUSR2 lets it go on; SIGTERM lets it finish what it has begun.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anthropic
import sentry_sdk

from claudescope.sentry import ClaudeErrorsIntegration

THREADS = 8
MODELS = ("claude-haiku-5-5", "claude-opus-5-5")


class Desk:
    """Answers tickets until told to stop."""

    def __init__(self) -> None:
        self.client = anthropic.Anthropic()
        self.stopping = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.seconds: dict[str, list[float]] = {model: [] for model in MODELS}
        self.failures = 0
        self._busy = 0
        self._changed = threading.Condition()

    def work(self, worker: int) -> None:
        """Answer one ticket after another."""
        dice = random.Random(worker)  # noqa: S311 - no secret
        while not self.stopping.is_set():
            if not self.open.wait(0.1):
                continue
            with self._changed:
                if not self.open.is_set():
                    continue
                self._busy += 1
            try:
                self.answer(dice)
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()
            self.stopping.wait(dice.uniform(0.05, 0.25))

    def answer(self, dice: random.Random) -> None:
        """Answer one ticket, as a stream or at once."""
        model = dice.choice(MODELS)
        question = {"role": "user", "content": f"Ticket {dice.randrange(10_000)}: where is my parcel?"}
        began = time.perf_counter()
        try:
            if dice.random() < 0.5:
                with self.client.messages.stream(model=model, max_tokens=2000, messages=[question]) as stream:  # type: ignore[list-item]
                    stream.until_done()
            else:
                self.client.messages.create(model=model, max_tokens=2000, messages=[question])  # type: ignore[list-item]
        except anthropic.APIError as error:
            self.failures += 1
            sentry_sdk.capture_exception(error)
        else:
            self.seconds[model].append(time.perf_counter() - began)

    def close(self) -> None:
        """Begin nothing new for good."""
        self.stopping.set()
        self.open.set()

    def pause(self) -> None:
        """Begin nothing new; once what was begun has ended, write what it took, and say so."""
        with self._changed:
            self.open.clear()
            self._changed.wait_for(lambda: self._busy == 0)
        Path(sys.argv[1]).write_text(json.dumps({"seconds": self.seconds, "failures": self.failures}), encoding="utf-8")
        print("paused", flush=True)  # noqa: T201 - what the story waits for


def main() -> None:
    """Work until SIGTERM."""
    sentry_sdk.init(integrations=[ClaudeErrorsIntegration()])
    desk = Desk()
    signal.signal(signal.SIGTERM, lambda *_: desk.close())
    signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=desk.pause).start())
    signal.signal(signal.SIGUSR2, lambda *_: desk.open.set())
    print("open", flush=True)  # noqa: T201 - what the story waits for
    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(desk.work, worker) for worker in range(THREADS)]:
            future.result()


if __name__ == "__main__":
    main()
