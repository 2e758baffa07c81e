"""Raw and streaming responses."""
import anthropic

client = anthropic.Anthropic(timeout=9)


def raw(prompt):
    try:
        response = client.messages.with_raw_response.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
        print(response.headers.get("request-id"))
        with client.messages.with_streaming_response.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt) as response:  # @ sdk-sync specific
            for line in response.iter_lines():
                print(line)
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
