"""Logs in several ways: with the error, with exc_info, with sentry."""
import logging
import anthropic
import sentry_sdk

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=15)


def a(m):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=m)  # @ sdk-sync specific
    except anthropic.BadRequestError as error:
        log.error("bad request", exc_info=True)
        raise
    except anthropic.APIError as error:
        log.error("failed")
        sentry_sdk.capture_exception(error)
        raise


def b(m):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=m)  # @ sdk-sync specific ! missing-request-id-in-log
    except anthropic.APIError as error:
        log.error("failed: %s", type(error).__name__)
        raise
