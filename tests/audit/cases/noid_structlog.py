"""structlog with the kind."""
import anthropic
import structlog

log = structlog.get_logger()


def ask(client: anthropic.Anthropic, prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific ! missing-request-id-in-log ? no-timeout
    except anthropic.APIError as error:
        log.error("claude.failed", kind=type(error).__name__)
        return None
