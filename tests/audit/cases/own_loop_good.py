"""An own loop with all that it needs."""
import random
import time
import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=30)


def ask(prompt):
    for attempt in range(4):
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ? unhandled-call
        except (anthropic.RateLimitError, anthropic.InternalServerError) as error:
            if attempt == 3:
                raise
            hint = error.response.headers.get("retry-after")
            time.sleep(float(hint) if hint else random.uniform(0, 2**attempt))
