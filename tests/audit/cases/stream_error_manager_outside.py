"""The manager is made in the try; the with stands after it."""
import anthropic

client = anthropic.Anthropic()


def write(prompt, out):
    try:
        manager = client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=prompt)  # @ sdk-sync specific ! stream-error-unhandled ? no-timeout unhandled-call
    except anthropic.APIError:
        out.failed("claude")
        raise
    with manager as stream:
        for text in stream.text_stream:
            out.send(text)
