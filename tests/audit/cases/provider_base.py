"""Providers behind a base class; the caller handles."""
import abc
import logging

import anthropic


class Provider(abc.ABC):
    @abc.abstractmethod
    def complete(self, prompt):
        ...


class Claude(Provider):
    def __init__(self):
        self._client = anthropic.Anthropic(timeout=30)

    def complete(self, prompt):
        return self._client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-caller


class Bot:
    def __init__(self, provider: Provider):
        self.provider = provider

    def say(self, prompt):
        try:
            return self.provider.complete(prompt)
        except anthropic.APIError as error:
            logging.error("mute: %s", error)
            raise RuntimeError("mute") from error
