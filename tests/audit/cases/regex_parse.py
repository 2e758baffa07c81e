"""A number is taken out of the text."""
import re
import anthropic

client = anthropic.Anthropic(timeout=9)


def score(essay):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=essay)  # @ sdk-sync specific ! stop-reason-ignored
    except anthropic.APIError as error:
        raise RuntimeError("score") from error
    text = "".join(block.text for block in reply.content if block.type == "text")
    return int(re.search(r"\d+", text).group())
