"""An app that knows nothing of claudescope, unless CONFIGURE says so: `python script.py MODE CALLS`.

Modes end in their own ways: see `_MODES`. Each makes CALLS calls, and those with children as many in each of two.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from typing import Any

from anthropic import Anthropic

MODEL = "claude-haiku-5-5"


def ask(calls: int) -> None:
    """Make calls, and see that each is answered."""
    client = Anthropic(max_retries=0)
    for _ in range(calls):
        answer = client.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "user", "content": "Why is the sky blue?"}]
        )
        assert answer.model == MODEL


def _children(method: str, calls: int) -> None:
    context: Any = multiprocessing.get_context(method)
    ask(calls)
    children = [context.Process(target=ask, args=(calls,)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]


def _os_fork(calls: int) -> None:
    ask(calls)
    children: list[int] = []
    for _ in range(2):
        child = os.fork()
        if not child:
            ask(calls)
            sys.exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]


def _terminated(calls: int) -> None:
    context: Any = multiprocessing.get_context("fork")
    ready = context.Event()

    def serve() -> None:
        ask(calls)
        ready.set()
        signal.pause()

    child = context.Process(target=serve)
    child.start()
    ready.wait()
    child.terminate()
    child.join()
    assert child.exitcode == -signal.SIGTERM


def _wait(calls: int) -> None:
    ask(calls)
    print("ready", flush=True)
    while True:
        time.sleep(0.2)


def _raise(calls: int) -> None:
    ask(calls)
    raise RuntimeError("the app's own mistake")


def _kill(calls: int) -> None:
    ask(calls)
    os.kill(os.getpid(), signal.SIGKILL)


def _echo(calls: int) -> None:
    ask(calls)
    print(f"echo {sys.stdin.read()}", sys.argv, os.getppid(), os.getpgrp())
    sys.exit(7)


_MODES = {
    "plain": ask,
    "fork": lambda calls: _children("fork", calls),
    "spawn": lambda calls: _children("spawn", calls),
    "os-fork": _os_fork,
    "terminated": _terminated,
    "wait": _wait,
    "raise": _raise,
    "kill": _kill,
    "echo": _echo,
}

if os.environ.get("CONFIGURE"):
    import claudescope

    claudescope.configure()

if __name__ == "__main__":
    _MODES[sys.argv[1]](int(sys.argv[2]))
