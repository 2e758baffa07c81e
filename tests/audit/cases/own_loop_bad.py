"""An own loop over APIError, around the SDK's retries."""
import time
import anthropic

client = anthropic.Anthropic()


def ask(prompt):
    delay = 1
    while True:
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ! retry-non-retryable nested-retries ? no-timeout ignores-retry-after
        except anthropic.APIError as error:
            print("again", error)
            time.sleep(delay)
            delay *= 2
