"""A client in a dataclass field."""
from dataclasses import dataclass, field

import anthropic


@dataclass
class Bot:
    name: str
    client: anthropic.Anthropic = field(default_factory=lambda: anthropic.Anthropic(timeout=3))

    def say(self):
        return self.client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync none ! unhandled-call
