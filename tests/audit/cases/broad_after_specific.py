"""API errors are caught first; the broad one is for other bugs."""
import logging
import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ? broad-except
    except anthropic.APIError as error:
        logging.error("claude: %s", error)
        raise RuntimeError("claude") from error
    except Exception:
        logging.exception("bug")
        raise
