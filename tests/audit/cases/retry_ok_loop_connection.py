"""A loop that repeats what never arrived."""
import random
import time

import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=15)


def ask(prompt, attempts=4):
    for number in range(attempts):
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync specific ? unhandled-call
        except anthropic.APIConnectionError:
            if number == attempts - 1:
                raise
            time.sleep(random.uniform(0, 2**number))
