"""Waits on an event, longer each time."""
import threading

import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=20)
stop = threading.Event()


def ask(prompt):
    pause = 0.5
    while not stop.is_set():
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync specific ? unhandled-call swallowed-error
        except (anthropic.APIConnectionError, anthropic.InternalServerError):
            stop.wait(pause)
            pause = min(pause * 2, 30)
    return None
