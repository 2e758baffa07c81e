"""Made and never read."""
import anthropic

client = anthropic.Anthropic(timeout=15)


def warm():
    try:
        client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=[], stream=True)  # @ sdk-sync specific ! stream-not-closed
    except anthropic.APIError as error:
        raise RuntimeError("warm") from error
