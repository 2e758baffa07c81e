"""The resource is kept instead of the client."""
import anthropic


class Api:
    def __init__(self):
        client = anthropic.Anthropic(timeout=9)
        self.messages = client.messages
        self.batches = client.messages.batches
        self.create = client.messages.create

    def ask(self, prompt):
        try:
            first = self.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
            second = self.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
            third = self.batches.list(limit=5)  # @ sdk-sync specific
            return first, second, third
        except anthropic.APIError as error:
            raise RuntimeError("no answer") from error
