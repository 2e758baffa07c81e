"""Model after model: no retry."""
import logging
import anthropic

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=30)
MODELS = ["claude-opus-5-5", "claude-haiku-5-5"]


def ask(prompt):
    for model in MODELS:
        try:
            return client.messages.create(model=model, max_tokens=9, messages=prompt)  # @ sdk-sync specific
        except anthropic.APIError as error:
            log.warning("%s failed: %s", model, error)
    raise RuntimeError("no model answers")
