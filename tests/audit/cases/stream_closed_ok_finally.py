"""finally closes."""
import anthropic

client = anthropic.Anthropic()


def first(prompt):
    stream = None
    try:
        stream = client.messages.create(model="claude-haiku-5-5", max_tokens=500, messages=prompt, stream=True)  # @ sdk-sync specific ? no-timeout
        for event in stream:
            if event.type == "content_block_start":
                return event
    except anthropic.APIError as error:
        raise RuntimeError("lost") from error
    finally:
        if stream is not None:
            stream.close()
