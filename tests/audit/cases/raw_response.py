"""Raw and streaming responses."""
import anthropic

client = anthropic.Anthropic(timeout=5)


def limits():
    try:
        raw = client.messages.with_raw_response.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
        with client.messages.with_streaming_response.create(model="claude-haiku-5-5", max_tokens=9, messages=[]) as response:  # @ sdk-sync specific
            response.parse()
        return raw.headers
    except anthropic.APIError as error:
        raise RuntimeError("limits") from error
