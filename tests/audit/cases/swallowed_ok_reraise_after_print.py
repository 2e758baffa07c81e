"""Prints and raises."""
import anthropic

client = anthropic.Anthropic(timeout=10)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=prompt)  # @ sdk-sync specific ? unhandled-call
    except anthropic.APIError as error:
        print("failed:", error)
        raise
