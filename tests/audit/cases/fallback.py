"""A default without a word."""
import anthropic

client = anthropic.Anthropic(timeout=9)
DEFAULT = "A nice day."


def greeting():
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific ! fallback-hides-error
    except anthropic.APIError:
        return DEFAULT
    return reply.content[0].text


def healthy():
    try:
        client.messages.count_tokens(model="claude-haiku-5-5", messages=[])  # @ sdk-sync specific ? fallback-hides-error
    except anthropic.APIError:
        return False
    return True


def counted(metrics):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except anthropic.APIError:
        metrics.increment("greeting.failed")
        return DEFAULT
    return reply.content[0].text
