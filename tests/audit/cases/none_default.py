"""Returns None without a word: a matter of taste."""
import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific|swallowed ? swallowed-error fallback-hides-error
    except anthropic.APIError:
        return None
