"""The SDK's retries are switched off for this call."""
import time

import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    for pause in (1, 2, 4, None):
        try:
            return client.with_options(max_retries=0).messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync specific ? unhandled-call
        except anthropic.RateLimitError as error:
            if pause is None:
                raise
            time.sleep(float(error.response.headers.get("retry-after", pause)))
