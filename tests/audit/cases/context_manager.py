"""A context manager of the project catches."""
import contextlib
import logging
import anthropic

client = anthropic.Anthropic()


@contextlib.contextmanager
def reported(name):
    try:
        yield
    except anthropic.APIError as error:
        logging.error("%s: %s", name, error)
        raise RuntimeError(name) from error


def ask(prompt):
    with reported("ask"):
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific|by-caller|by-decorator ? no-timeout
