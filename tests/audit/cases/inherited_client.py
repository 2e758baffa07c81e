"""A base class has the client; an abstract method; super()."""
import abc

import anthropic


class Base(abc.ABC):
    def __init__(self, timeout: float = 9):
        self._anthropic = anthropic.Anthropic(timeout=timeout)

    @abc.abstractmethod
    def prompt(self) -> str: ...

    @property
    def api(self):
        return self._anthropic.messages


class Poet(Base):
    def __init__(self):
        super().__init__(timeout=5)

    def prompt(self):
        return "A poem"

    def write(self):
        try:
            return self.api.create(model="claude-haiku-5-5", max_tokens=5, messages=self.prompt())  # @ sdk-sync specific
        except anthropic.APIError as error:
            raise RuntimeError("no poem") from error

    def count(self):
        return self._anthropic.messages.count_tokens(model="claude-haiku-5-5", messages=self.prompt())  # @ sdk-sync none ! unhandled-call
