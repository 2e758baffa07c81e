"""A stream that is left by break."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def first_words(prompt):
    try:
        stream = client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt, stream=True)  # @ sdk-sync specific ! stream-not-closed
        words = ""
        for event in stream:
            if event.type == "content_block_delta":
                words += event.delta.text
            if len(words) > 40:
                break
        return words
    except anthropic.APIError as error:
        raise RuntimeError("no words") from error
