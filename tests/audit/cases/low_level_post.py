"""The client's own post, and the request of a batch."""
import anthropic
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.messages.batch_create_params import Request

client = anthropic.Anthropic(timeout=9)


def submit(prompts):
    requests = [Request(custom_id=str(i), params=MessageCreateParamsNonStreaming(model="claude-haiku-5-5", max_tokens=5, messages=p)) for i, p in enumerate(prompts)]
    try:
        batch = client.messages.batches.create(requests=requests)  # @ sdk-sync specific
        for result in client.messages.batches.results(batch.id):  # @ sdk-sync specific
            print(result.custom_id, result.result.type)
        client.messages.batches.cancel(batch.id)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no batch") from error
