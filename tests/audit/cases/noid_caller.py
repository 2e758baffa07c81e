"""The caller logs a sentence."""
import logging

import anthropic

client = anthropic.Anthropic(timeout=20)


def _ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync by-caller ! missing-request-id-in-log


def main(prompts):
    for prompt in prompts:
        try:
            print(_ask(prompt).content)
        except anthropic.BadRequestError:
            logging.warning("prompt refused, skipped")
        except anthropic.APIError as error:
            logging.error("stopped: %s", error)
            break
