"""Leaves the stream after the first line."""
import anthropic

client = anthropic.Anthropic()


def first_line(prompt):
    text = ""
    try:
        events = client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=prompt, stream=True)  # @ sdk-sync specific ! stream-not-closed ? no-timeout fallback-hides-error
        for event in events:
            if event.type == "content_block_delta":
                text += event.delta.text
            if "\n" in text:
                break
    except anthropic.APIError as error:
        raise SystemExit(str(error)) from error
    return text
