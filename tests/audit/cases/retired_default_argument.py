"""A default of a parameter."""
import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt, model="claude-3-opus-20240229"):
    try:
        return client.messages.create(model=model, max_tokens=5, messages=prompt)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
