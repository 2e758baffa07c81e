"""A log with the status alone."""
import logging
import anthropic

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=9)


def x(text):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text).content[0].text  # @ sdk-sync specific ! missing-request-id-in-log
    except anthropic.APIConnectionError:
        log.error("no connection")
        raise
    except anthropic.APIStatusError as error:
        log.error("refused with %s", error.status_code)
        raise
