"""A loop over many questions is no retry."""
import logging

import anthropic

log = logging.getLogger(__name__)


def answer_all(questions):
    client = anthropic.Anthropic()
    answers = {}
    for question in questions:
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=[{"role": "user", "content": question}])  # @ sdk-sync specific ? no-timeout
        except anthropic.APIError:
            log.exception("no answer to %s", question)
            continue
        answers[question] = reply.content[0].text
    return answers
