"""A container of dependency injection."""
import anthropic
from dependency_injector import containers, providers


class Writer:
    def __init__(self, client: anthropic.Anthropic, model: str) -> None:
        self._client, self._model = client, model

    def write(self, prompt):
        try:
            return self._client.messages.create(model=self._model, max_tokens=5, messages=prompt)  # @ sdk-sync specific ? no-timeout
        except anthropic.APIError as error:
            raise RuntimeError("no answer") from error


class Container(containers.DeclarativeContainer):
    client = providers.Singleton(anthropic.Anthropic, timeout=20)
    writer = providers.Factory(Writer, client=client, model="claude-haiku-5-5")
