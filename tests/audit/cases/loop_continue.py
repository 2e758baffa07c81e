"""Many items; those that fail are left out."""
import anthropic

client = anthropic.Anthropic(timeout=9)


def titles(texts):
    found = []
    for text in texts:
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-sync swallowed ! swallowed-error
        except anthropic.APIError:
            continue
        found.append(reply.content[0].text)
    return found
