"""A fallback by assignment, and a loud one."""
import logging
import anthropic

client = anthropic.Anthropic(timeout=9)


def subject(mail):
    try:
        text = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=mail).content[0].text  # @ sdk-sync specific ! fallback-hides-error
    except anthropic.APIError:
        text = "(no subject)"
    return text


def loud(mail):
    try:
        text = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=mail).content[0].text  # @ sdk-sync specific
    except anthropic.APIError as error:
        logging.warning("no subject: %s", error)
        text = "(no subject)"
    return text
