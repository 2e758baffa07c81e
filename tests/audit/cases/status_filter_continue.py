"""A filter by status that ends in raise."""
import time
import anthropic

client = anthropic.Anthropic(timeout=30)


def ask(prompt):
    for attempt in range(4):
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ! nested-retries ? ignores-retry-after
        except anthropic.APIStatusError as error:
            if error.status_code in (429, 529) and attempt < 3:
                time.sleep(2**attempt)
                continue
            raise
