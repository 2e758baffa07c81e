"""contextlib.contextmanager that logs and translates."""
import contextlib
import logging

import anthropic

log = logging.getLogger(__name__)


class Unavailable(Exception):
    """Claude does not answer."""


@contextlib.contextmanager
def guarded(what):
    try:
        yield
    except anthropic.APIStatusError as error:
        log.warning("%s failed: %s (%s)", what, error.status_code, error.request_id)
        raise Unavailable(what) from error
    except anthropic.APIConnectionError as error:
        raise Unavailable(what) from error


client = anthropic.Anthropic(timeout=30)


def ask(question):
    with guarded("ask"):
        return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=question)  # @ sdk-sync specific|by-caller
