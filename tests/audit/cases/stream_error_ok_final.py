"""get_final_message within the try."""
import anthropic

client = anthropic.Anthropic(timeout=60)


def write(prompt):
    try:
        with client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=prompt) as stream:  # @ sdk-sync specific
            return stream.get_final_message()
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
