"""A lazy client behind a property, and one in a class attribute."""
from functools import cached_property

import anthropic


class Base:
    @cached_property
    def claude(self):
        return anthropic.Anthropic(timeout=5, max_retries=1)


class Bot(Base):
    fast = anthropic.AnthropicVertex(region="global", project_id="p", timeout=5)

    def say(self, text):
        try:
            return self.claude.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text)  # @ sdk-sync specific
        except anthropic.APIError as error:
            raise RuntimeError("mute") from error

    def think(self, text):
        return self.fast.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text)  # @ sdk-sync none ! unhandled-call
