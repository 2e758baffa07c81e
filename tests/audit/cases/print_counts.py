"""A print that also counts, and one that raises again."""
import anthropic

client = anthropic.Anthropic(timeout=9)
failed = 0


def a():
    global failed
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except anthropic.APIError as error:
        print(error)
        failed += 1


def b():
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except anthropic.APIError as error:
        print(error)
        raise
