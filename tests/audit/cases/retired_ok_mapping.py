"""Keys of a table of prices."""
import anthropic

PRICES = {"claude-2.1": 8.0, "claude-3-opus-20240229": 15.0, "claude-sonnet-5-5": 3.0}
RENAMED = {"claude-3-haiku-20240307": "claude-haiku-5-5"}
client = anthropic.Anthropic(timeout=20)


def ask(prompt, model: str):
    try:
        return client.messages.create(model=RENAMED.get(model, "claude-sonnet-5-5"), max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError(f"no answer for {PRICES[model]}") from error
