"""Asks for a stream, and never reads it."""
import anthropic

client = anthropic.Anthropic()


def warm_up():
    try:
        stream = client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=[{"role": "user", "content": "Hi"}], stream=True)  # @ sdk-sync specific ! stream-not-closed ? no-timeout
    except anthropic.APIError as error:
        raise SystemExit(f"not ready: {error}")
