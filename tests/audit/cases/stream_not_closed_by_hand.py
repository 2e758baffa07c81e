"""Enters by hand, never leaves."""
import anthropic

client = anthropic.Anthropic()


def follow(prompt, show):
    manager = client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=prompt)  # @ sdk-sync specific ! stream-not-closed ? no-timeout
    try:
        stream = manager.__enter__()
        for text in stream.text_stream:
            show(text)
    except anthropic.APIError as error:
        show(f"[{error.type}]")
