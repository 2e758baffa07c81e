"""The same, closed."""
import contextlib
import anthropic

client = anthropic.Anthropic(timeout=30)


def first_words(prompt):
    try:
        with contextlib.closing(client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt, stream=True)) as stream:  # @ sdk-sync specific
            for event in stream:
                if event.type == "content_block_delta":
                    return event.delta.text
    except anthropic.APIError as error:
        raise RuntimeError("no words") from error
    return ""
