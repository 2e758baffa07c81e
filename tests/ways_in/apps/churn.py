"""Workers that come, make calls, and go: by themselves, by SIGTERM, or killed in the middle of a call."""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from anthropic import Anthropic, APIError
from anthropic.types import MessageParam

dice = random.Random(int(sys.argv[1]))  # noqa: S311 - reproducible
WORKERS, ROUNDS = 3, int(sys.argv[2])


def work(calls: int) -> None:
    """Make calls, some of which fail, some of which stream."""
    client = Anthropic(max_retries=1)
    for number in range(calls):
        model = ["claude-haiku-5-5", "claude-opus-5-5", "no-such-model"][number % 3]
        messages: list[MessageParam] = [{"role": "user", "content": "Why is the sky blue?"}]
        try:
            if number % 2 == 0:
                list(client.messages.create(model=model, max_tokens=30, messages=messages, stream=True))
            else:
                client.messages.create(model=model, max_tokens=30, messages=messages)
        except APIError:
            continue


for _ in range(ROUNDS):
    children: list[int] = []
    for _ in range(WORKERS):
        calls, child = dice.randint(1, 4), os.fork()
        if not child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            work(calls)
            os._exit(0)
        children.append(child)
    work(1)
    time.sleep(dice.random() / 2)
    for child in children:
        end = dice.choice([None, signal.SIGTERM, signal.SIGKILL])
        if end is not None:
            os.kill(child, end)
        os.waitpid(child, 0)
