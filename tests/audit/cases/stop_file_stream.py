"""A stream into a file."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def save(prompt, path):
    try:
        with client.messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=prompt) as stream, open(path, "w") as out:  # @ sdk-sync specific ! stop-reason-ignored
            for text in stream.text_stream:
                out.write(text)
    except anthropic.APIError as error:
        raise SystemExit(f"failed: {error}")
