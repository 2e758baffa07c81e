"""A retired model inside a batch."""
import anthropic

client = anthropic.Anthropic(timeout=9)


def submit(prompts):
    requests = [{"custom_id": str(i), "params": {"model": "claude-3-opus-20240229", "max_tokens": 9, "messages": p}} for i, p in enumerate(prompts)]
    try:
        return client.messages.batches.create(requests=requests)  # @ sdk-sync specific ! retired-model
    except anthropic.APIError as error:
        raise RuntimeError("no batch") from error
