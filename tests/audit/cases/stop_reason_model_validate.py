"""pydantic parses the text."""
import anthropic
from pydantic import BaseModel

client = anthropic.Anthropic(timeout=60)


class Invoice(BaseModel):
    total: float
    currency: str


def read_invoice(text):
    try:
        reply = client.messages.create(model="claude-sonnet-5-5", max_tokens=400, messages=[{"role": "user", "content": text}])  # @ sdk-sync specific ! stop-reason-ignored
    except anthropic.APIError as error:
        raise RuntimeError("no invoice") from error
    block = next(b for b in reply.content if b.type == "text")
    return Invoice.model_validate_json(block.text)
