"""The stream is opened in one function and read in another."""
import anthropic

client = anthropic.Anthropic(timeout=30)


def open_stream(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt, stream=True)  # @ sdk-sync specific ! stream-error-unhandled
    except anthropic.APIError as error:
        raise RuntimeError("open") from error


def show(prompt):
    for event in open_stream(prompt):
        if event.type == "content_block_delta":
            print(event.delta.text, end="")
