"""Entered by hand."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def start(prompt):
    manager = client.messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=prompt)  # @ sdk-sync none ! stream-not-closed unhandled-call
    stream = manager.__enter__()
    return stream.text_stream
