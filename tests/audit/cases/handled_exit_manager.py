"""A context manager of our own translates errors."""
import anthropic


class Translated:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, anthropic.APIError):
            raise RuntimeError("Claude failed") from error
        return False


client = anthropic.Anthropic(timeout=30)


def ask(question):
    with Translated():
        return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=question)  # @ sdk-sync specific|by-caller
